"""One date in another UTM zone, bilinear. `warp_rasterio.py in.tif out.tif EPSG:n`"""
import sys

import rasterio
from rasterio.warp import Resampling, calculate_default_transform, reproject

from pair import plain

source, out, crs = sys.argv[1:]
with rasterio.open(source) as raster:
    transform, width, height = calculate_default_transform(raster.crs, crs, raster.width, raster.height, *raster.bounds, resolution=10)
    profile = plain(raster.profile) | {"crs": crs, "transform": transform, "width": width, "height": height}
    with rasterio.open(out, "w", **profile) as target:
        bands = list(range(1, raster.count + 1))
        reproject(rasterio.band(raster, bands), rasterio.band(target, bands), resampling=Resampling.bilinear, num_threads=2)
