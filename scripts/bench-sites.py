#!/usr/bin/env python3
"""Declares the tile of FOLDER/tiles as one site, and its northern half: FOLDER/whole.geojson and half.geojson."""
import json
import sys

folder = sys.argv[1]
footprint = json.load(open(f"{folder}/tiles/items.json"))["features"][0]["geometry"]
corners = sorted(footprint["coordinates"][0][:4], key=lambda corner: corner[1])
south, north = sorted(corners[:2]), sorted(corners[2:])
middle = [[(a + b) / 2 for a, b in zip(*edge)] for edge in zip(south, north)]
for name, (left, right) in ("whole", south), ("half", middle):
    ring = [left, right, north[1], north[0], left]
    site = {
        "type": "Feature",
        "properties": {"kind": "site", "id": name, "name": name},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    declaration = {"id": "bench", "party": "-", "agreement": "-", "issued": "2021-01-01"}
    with open(f"{folder}/{name}.geojson", "w") as file:
        json.dump({"type": "FeatureCollection", "declaration": declaration, "features": [site]}, file)
