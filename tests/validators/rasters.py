"""Checks rasters of a report: rio-cogeo calls each a Cloud Optimized GeoTIFF without a warning, and they say what their numbers mean.

`rio cogeo validate` is not used: it exits with 0 whatever it finds.
"""

import sys

import rasterio
import rasterio.errors
from rio_cogeo.cogeo import cog_validate


def faults(path):
    """What is wrong with the raster, in words."""
    valid, errors, warnings = cog_validate(path, strict=True, quiet=True)
    found = [*errors, *warnings] or ([] if valid else ["not a Cloud Optimized GeoTIFF"])
    with rasterio.open(path) as raster:
        try:
            raster.read()
        except rasterio.errors.RasterioIOError as error:
            found.append(f"its pixels cannot be read: {error}")
        if raster.crs is None or not raster.crs.is_projected:
            found.append(f"not in a projected reference system: {raster.crs}")
        for band, name in enumerate(raster.descriptions, start=1):
            if not name:
                found.append(f"band {band} has no name")
        if raster.nodata is None:
            found.append("no value stands for no data")
        if path.endswith("score.tif"):
            if raster.scales != (0.01,):
                found.append(f"scale is {raster.scales}, expected hundredths of sigma")
    return found


wrong = [f"{path}: {fault}" for path in sys.argv[1:] for fault in faults(path)]
print("\n".join(wrong))
sys.exit(bool(wrong) or len(sys.argv) < 2)
