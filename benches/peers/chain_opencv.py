"""Magnitude, Otsu, components of four pixels or more, polygons. `chain_opencv.py before after out.geojson`"""
import json
import sys

import cv2
import numpy as np

from pair import MIN_PIXELS, THREADS, magnitude

cv2.setNumThreads(THREADS)
before, after, out = sys.argv[1:]
values, profile = magnitude(before, after)
values = cv2.convertScaleAbs(values, alpha=255 / float(values.max()))
_, mask = cv2.threshold(values, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
_, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
large = (stats[:, cv2.CC_STAT_AREA] >= MIN_PIXELS).astype(np.uint8)
large[0] = 0
rings, parents = cv2.findContours(large[labels], cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
parents = parents[0][:, 3]
polygons = {i: [] for i in np.flatnonzero(parents < 0)}
a = profile["transform"]
for i, ring in enumerate(rings):  # through the centres of pixels, as OpenCV draws them
    points = ring[:, 0, :]
    world = np.column_stack((a.c + a.a * (points[:, 0] + 0.5), a.f + a.e * (points[:, 1] + 0.5))).tolist()
    polygons[i if parents[i] < 0 else parents[i]].append(world + world[:1])
features = [
    {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": rings}} for rings in polygons.values()
]
with open(out, "w") as file:
    json.dump({"type": "FeatureCollection", "features": features}, file)
print(len(features), "polygons")
