"""Change vector analysis alone: the magnitude, written as float32. `cva_rasterio.py before after out.tif`"""
import sys

import rasterio

from pair import magnitude, plain

before, after, out = sys.argv[1:]
values, profile = magnitude(before, after)
profile = plain(profile) | {"count": 1, "dtype": "float32"}
with rasterio.open(out, "w", **profile) as raster:
    raster.write(values, 1)
