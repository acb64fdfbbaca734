"""Magnitude, Otsu, components of four pixels or more, polygons. `chain_scipy.py before after out.geojson`"""
import sys

import numpy as np
from scipy import ndimage

from pair import MIN_PIXELS, magnitude, otsu, write_polygons

before, after, out = sys.argv[1:]
values, profile = magnitude(before, after)
labels, _ = ndimage.label(values > otsu(values), structure=np.ones((3, 3)))
large = np.bincount(labels.ravel()) >= MIN_PIXELS
large[0] = False
print(write_polygons(out, large[labels], profile["transform"]), "polygons")
