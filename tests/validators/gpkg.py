"""Checks GeoPackages of a report: the standard, by the validator of Debian's python3-gdal; every layer, with pyogrio, which has a newer
GDAL of its own; and that QGIS will find a default style for each layer.
"""

import subprocess
import sys
import xml.etree.ElementTree as xml

import pyogrio

LAYERS = {"anomalies", "activities", "zones", "site"}


def faults(path):
    """What is wrong with the GeoPackage, in words."""
    standard = ["/usr/bin/python3", "-m", "osgeo_utils.samples.validate_gpkg", path]
    told = subprocess.run(standard, capture_output=True, text=True)
    found = [told.stdout + told.stderr] if told.returncode else []
    names = {name for name, _ in pyogrio.list_layers(path)}
    if names != LAYERS | {"layer_styles"}:
        return [*found, f"layers are {sorted(names)}"]
    for name in sorted(LAYERS):
        info = pyogrio.read_info(path, layer=name)
        _, _, shapes, values = pyogrio.raw.read(path, layer=name)
        if info["crs"] != "EPSG:4326" or info["geometry_type"] != "MultiPolygon":
            found.append(f"{name}: {info['geometry_type']} in {info['crs']}")
        if len(shapes) != info["features"] or any(len(column) != len(shapes) for column in values):
            found.append(f"{name}: {len(shapes)} of {info['features']} features can be read")
    _, _, _, (tables, columns, styles, default) = pyogrio.raw.read(
        path, layer="layer_styles", columns=["f_table_name", "f_geometry_column", "styleQML", "useAsDefault"]
    )
    if sorted(tables) != sorted(LAYERS) or set(columns) != {"geom"} or not all(default):
        found.append(f"default styles are for {sorted(tables)}")
    for table, style in zip(tables, styles):
        try:
            xml.fromstring(style)
        except xml.ParseError as error:
            found.append(f"style of {table}: {error}")
    return found


wrong = [f"{path}: {fault}" for path in sys.argv[1:] for fault in faults(path)]
print("\n".join(wrong))
sys.exit(bool(wrong) or len(sys.argv) < 2)
