"""One date in another UTM zone, bilinear. `warp_odc.py in.tif out.tif EPSG:n`"""
import sys

import rasterio
from odc.geo.geobox import GeoBox
from odc.geo.xr import wrap_xr, xr_reproject

from pair import plain

source, out, crs = sys.argv[1:]
with rasterio.open(source) as raster:
    profile, values = raster.profile, raster.read()
    geobox = GeoBox.from_rio(raster)
images = [xr_reproject(wrap_xr(band, geobox), geobox.to_crs(crs, resolution=10), resampling="bilinear") for band in values]
box = images[0].odc.geobox
profile = plain(profile) | {"crs": crs, "transform": box.affine, "width": box.width, "height": box.height}
with rasterio.open(out, "w", **profile) as target:
    for band, image in enumerate(images, 1):
        target.write(image.values, band)
