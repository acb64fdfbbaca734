"""Checks GeoJSON files against RFC 7946 with geojson-validator; the right-hand rule counts as an error."""

import json
import sys
from pathlib import Path

from geojson_validator import configure_logging, validate_geometries, validate_structure

# What the standard forbids, and what makes a polygon wrong. Holes and seven decimals (a centimetre) are meant.
INVALID = ("unclosed", "less_three_unique_nodes", "exterior_not_ccw", "interior_not_cw")
PROBLEMATIC = ("inner_and_exterior_ring_intersect", "self_intersection", "duplicate_nodes", "3d_coordinates", "outside_lat_lon_boundaries")


def faults(path):
    """What is wrong with the file, in words."""
    collection = json.loads(Path(path).read_text())
    structure = validate_structure(collection, check_crs=True)
    if structure:
        return [str(structure)]
    found = validate_geometries(collection, INVALID, PROBLEMATIC)
    return [f"{kind}: features {where}" for group in ("invalid", "problematic") for kind, where in found[group].items()]


configure_logging(enabled=False)
wrong = [f"{path}: {fault}" for path in sys.argv[1:] for fault in faults(path)]
print("\n".join(wrong))
sys.exit(bool(wrong) or len(sys.argv) < 2)
