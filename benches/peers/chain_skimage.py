"""Magnitude, Otsu, components of four pixels or more, polygons. `chain_skimage.py before after out.geojson`"""
import sys

import numpy as np
from skimage.filters import threshold_otsu
from skimage.measure import label

from pair import MIN_PIXELS, magnitude, write_polygons

before, after, out = sys.argv[1:]
values, profile = magnitude(before, after)
labels = label(values > threshold_otsu(values), connectivity=2)
large = np.bincount(labels.ravel()) >= MIN_PIXELS
large[0] = False
print(write_polygons(out, large[labels], profile["transform"]), "polygons")
