"""Median and MAD of every pixel and band over all dates. `series.py numpy|numba out.tif scene.tif...`"""
import sys

import numpy as np
import rasterio

from pair import plain

library, out, *scenes = sys.argv[1:]


def read(path):
    with rasterio.open(path) as raster:
        return raster.read()


stack = np.stack([read(path) for path in scenes])
if library == "numpy":
    median = np.median(stack, axis=0)
    mad = np.median(np.abs(stack - median), axis=0)
else:
    import numba

    numba.set_num_threads(2)

    @numba.njit(parallel=True)
    def median_and_mad(stack):
        dates, pixels = stack.shape
        found = np.empty((2, pixels), np.float32)
        for i in numba.prange(pixels):
            series = stack[:, i].astype(np.float32)
            found[0, i] = np.median(series)
            found[1, i] = np.median(np.abs(series - found[0, i]))
        return found

    median, mad = median_and_mad(stack.reshape(len(stack), -1)).reshape(2, *stack.shape[1:])
with rasterio.open(scenes[0]) as raster:
    profile = raster.profile
profile = plain(profile) | {"count": 2 * len(median), "dtype": "float32"}
with rasterio.open(out, "w", **profile) as target:
    target.write(np.concatenate((median, mad)).astype(np.float32))
