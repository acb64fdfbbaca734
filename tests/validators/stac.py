"""Checks STAC Items: the core JSON Schemas (bundled with pystac), what pystac reads by its extensions, and the files beside them.

The schemas of extensions are on the network only, and no package carries them. In their place: fields that an extension does not
define are faults, required ones are read by pystac's own classes, and what the item says of a file is measured on that file.
"""

import hashlib
import json
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pystac
import rasterio
from pystac.extensions.file import FileExtension
from pystac.extensions.label import LabelExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.validation.stac_validator import JsonSchemaSTACValidator

# Extensions that may be named, and their fields in that version.
EXTENSIONS = {
    "https://stac-extensions.github.io/file/v2.1.0/schema.json": "file:byte_order file:checksum file:header_size file:size file:local_path",
    "https://stac-extensions.github.io/label/v1.0.1/schema.json": "label:properties label:classes label:description label:type label:tasks "
    "label:methods label:overviews",
    "https://stac-extensions.github.io/processing/v1.2.0/schema.json": "processing:expression processing:lineage processing:level "
    "processing:facility processing:software processing:version processing:datetime",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json": "proj:code proj:wkt2 proj:projjson proj:geometry proj:bbox "
    "proj:centroid proj:shape proj:transform",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json": "raster:sampling raster:bits_per_sample raster:spatial_resolution "
    "raster:scale raster:offset raster:histogram",
}


def faults(path):
    """What is wrong with the item, in words. Whatever stops pystac is a fault."""
    try:
        return of_item(path)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def of_item(path):
    """Faults of the item at `path` and of the files that it names."""
    text = json.loads(Path(path).read_text())
    JsonSchemaSTACValidator().validate_core(text, pystac.STACObjectType.ITEM, text["stac_version"])
    item = pystac.Item.from_dict(text, preserve_dict=True, migrate=False)
    found = of_extensions(text)
    for link in item.links:
        if not urlsplit(link.href).scheme:
            found.append(f"link {link.rel} to {link.href}: not an absolute address")
    for key, asset in item.assets.items():
        file = Path(path).parent / unquote(asset.href)
        wrong = of_file(asset, file) if file.is_file() else [f"{file} is not there"]
        if not wrong and "bands" in asset.extra_fields:
            wrong = of_raster(asset, file)
        found += [f"asset {key}: {fault}" for fault in wrong]
    if LabelExtension.has_extension(item):
        found += of_labels(item, Path(path).parent)
    return found


def of_extensions(text):
    """Extensions that are unknown, not used or not named, and fields that they do not define."""
    named = text["stac_extensions"]
    fields = {field for part in [text["properties"], *text["assets"].values()] for field in part if ":" in field}
    fields |= {field for asset in text["assets"].values() for band in asset.get("bands", []) for field in band if ":" in field}
    defined = {field for extension in named for field in EXTENSIONS.get(extension, "").split()}
    found = [f"extension {extension} is not known here" for extension in named if extension not in EXTENSIONS]
    found += [f"extension {extension} is not used" for extension in named if not fields & set(EXTENSIONS.get(extension, "").split())]
    return found + [f"no extension defines {field}" for field in sorted(fields - defined) if not field.startswith("sitewatch:")]


def of_file(asset, file):
    """Size and checksum, a multihash of SHA-256 (0x12, 32 bytes), against the bytes of the file."""
    stated, data = FileExtension.ext(asset), file.read_bytes()
    found = [] if stated.size == len(data) else [f"size is {stated.size}, found {len(data)}"]
    checksum = "1220" + hashlib.sha256(data).hexdigest()
    return found if stated.checksum == checksum else [*found, f"checksum is {stated.checksum}, found {checksum}"]


def of_raster(asset, file):
    """What the item says of a raster against what rasterio reads in it."""
    stated, projection = asset.extra_fields, ProjectionExtension.ext(asset)
    scale, offset = stated.get("raster:scale", 1), stated.get("raster:offset", 0)
    with rasterio.open(file) as raster:
        pairs = {
            "proj:code": (projection.code, str(raster.crs)),
            "proj:shape": (projection.shape, list(raster.shape)),
            "proj:transform": (projection.transform, list(raster.transform)[:6]),
            "data_type": ({stated["data_type"]}, set(raster.dtypes)),
            "nodata": (stated.get("nodata"), raster.nodata),
            "scale, offset": ({(scale, offset)}, set(zip(raster.scales, raster.offsets))),
            "band names": ([band["name"] for band in stated["bands"]], list(raster.descriptions)),
        }
    return [f"{name}: {said}, the file has {found}" for name, (said, found) in pairs.items() if said != found]


def of_labels(item, folder):
    """Classes and their counts against the features of the asset `labels`."""
    label = LabelExtension.ext(item)
    if not label.label_description or label.label_type != "vector" or "labels" not in item.assets:
        return ["label: expected a description, the type vector and an asset labels"]
    features = json.loads((folder / unquote(item.assets["labels"].href)).read_text())["features"]
    found = []
    for key, classes, overview in zip(label.label_properties, label.label_classes, label.label_overviews, strict=True):
        values = [feature["properties"][key] for feature in features]
        counted = {value: values.count(value) for value in values}
        stated = {count.name: count.count for count in overview.counts or []}
        if stated != counted or set(classes.classes) != set(counted):
            found.append(f"label {key}: {stated}, the file has {counted}")
    return found


wrong = [f"{path}: {fault}" for path in sys.argv[1:] for fault in faults(path)]
print("\n".join(wrong))
sys.exit(bool(wrong) or len(sys.argv) < 2)
