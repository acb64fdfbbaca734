"""What the scripts share: the pair as arrays, the magnitude of change, Otsu's threshold, polygons as GeoJSON."""
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import rasterio
from rasterio.features import shapes
from rasterio.windows import Window

THREADS = 2
ROWS = 512  # a row of blocks
MIN_PIXELS = 4


def magnitude(before, after):
    """Length of the change vector of every pixel, float32, by windows on two threads; and the profile of the rasters."""
    with rasterio.open(before) as raster:
        profile = raster.profile
    out = np.empty((profile["height"], profile["width"]), np.float32)
    own = threading.local()

    def work(y):
        if not hasattr(own, "pair"):
            own.pair = rasterio.open(before), rasterio.open(after)
        window = Window(0, y, profile["width"], min(ROWS, profile["height"] - y))
        a, b = (raster.read(window=window) for raster in own.pair)
        total = np.zeros(a.shape[1:], np.float32)
        for x, z in zip(a, b):
            difference = z.astype(np.float32) - x
            total += difference * difference
        np.sqrt(total, out=out[y : y + ROWS])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(0, profile["height"], ROWS)))
    return out, profile


def plain(profile):
    """The profile without compression: what is cheapest to write."""
    return {key: value for key, value in profile.items() if key not in ("compress", "predictor")}


def otsu(values, bins=256):
    """Otsu's threshold of a histogram of `values`."""
    counts, edges = np.histogram(values, bins)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return middles[np.nanargmax(between)]


def write_polygons(path, mask, transform):
    """The pixels of `mask` as polygons; how many there are."""
    found = shapes(mask.astype(np.uint8), mask=mask, connectivity=8, transform=transform)
    features = [{"type": "Feature", "properties": {}, "geometry": polygon} for polygon, _ in found]
    with open(path, "w") as file:
        json.dump({"type": "FeatureCollection", "features": features}, file)
    return len(features)
