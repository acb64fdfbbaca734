"""Checks records against the published JSON Schema: schema.py SCHEMA REPORT..., as jsonschema reads Draft 2020-12."""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

schema = json.loads(Path(sys.argv[1]).read_text())
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
wrong = [
    f"{path}: {error.json_path}: {error.message}"
    for path in sys.argv[2:]
    for error in validator.iter_errors(json.loads(Path(path).read_text()))
]
print("\n".join(wrong))
sys.exit(bool(wrong) or len(sys.argv) < 3)
