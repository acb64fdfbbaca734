"""Checks anomalies.csv as a spreadsheet would read it: rows of one width, every anomaly of the record, and no cell that is a formula."""

import csv
import json
import re
import sys
from pathlib import Path


def faults(path):
    """What is wrong with the file, in words."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    found = [f"line {line}: {len(row)} cells under {len(header)} heads" for line, row in enumerate(rows, 2) if len(row) != len(header)]
    cells = [cell for row in rows for cell in row]
    # A number may be negative; any other cell that begins so is computed when the file is opened (OWASP, "CSV Injection").
    found += [f"a formula: {cell!r}" for cell in cells if re.match(r"[=+\-@\t\r\n]", cell) and not re.fullmatch(r"-?\d+(\.\d+)?", cell)]
    record = json.loads(Path(path).with_name("report.json").read_text())
    stated = {row[header.index("id")] for row in rows}
    known = [anomaly["id"] for comparison in record["comparisons"] for anomaly in comparison["anomalies"]]
    return found + [f"anomaly {id} is missing" for id in known if id not in stated]


wrong = [f"{path}: {fault}" for path in sys.argv[1:] for fault in faults(path)]
print("\n".join(wrong))
sys.exit(bool(wrong) or len(sys.argv) < 2)
