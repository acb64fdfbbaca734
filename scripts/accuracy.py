"""Rows of docs/accuracy.md out of what `sitewatch evaluate --json` prints: pixels, then objects, with 95 % intervals."""

import json
import sys


def plain(estimate):
    return "-" if estimate is None else f"{estimate['value']:.4f}"


def wide(estimate, digits):
    if estimate is None:
        return "-"
    figure = f"{estimate['value']:.{digits}f}"
    if "interval" in estimate:
        figure += " ({:.{d}f} to {:.{d}f})".format(*estimate["interval"], d=digits)
    return figure


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def heading(*cells):
    row(*cells)
    print("|---" * len(cells) + "|")


found = json.load(sys.stdin)
sites, overall = found["sites"], found["overall"]

heading("site", "AUROC", "AP", "best F1", "at, sigma", "precision", "recall", "F1", "kappa")
for one in sites:
    pixels, claimed = one["pixels"], one["pixels"]["claimed"]
    scores = [plain(pixels.get(key)) for key in ("auroc", "average_precision", "best_f1")]
    claims = [plain(claimed.get(key)) for key in ("precision", "recall", "f1", "kappa")]
    row(one["site"], *scores, pixels.get("best_f1_sigma", "-"), *claims)
if len(sites) > 1:
    value = lambda pixels, key: pixels.get(key, {}).get("value", 0)
    mean = lambda figure: sum(figure(one["pixels"]) for one in sites) / len(sites)
    auroc, precision = (mean(lambda pixels: value(pixels, key)) for key in ("auroc", "average_precision"))
    part = mean(lambda pixels: value(pixels["claimed"], "f1") / value(pixels, "best_f1"))
    print(f"mean of {len(sites)}: AUROC {auroc:.3f}, AP {precision:.3f}, F1 of what is claimed over best F1 {part:.2f}")
print()

heading("site", "AUROC", "AP", "F1 of claims", "hit objects", "hit rate", "false regions", "per km2", "unchanged km2")
for one in sites + [overall] * (len(sites) > 1):
    pixels, objects = one["pixels"], one["objects"]
    row(
        one["site"],
        wide(pixels.get("auroc"), 3),
        wide(pixels.get("average_precision"), 3),
        wide(pixels["claimed"].get("f1"), 3),
        f"{objects['hit']} of {objects['objects']}",
        wide(objects.get("hit_rate"), 2),
        objects["false_regions"],
        wide(objects.get("false_regions_per_km2"), 2),
        f"{objects['unchanged_km2']:.1f}",
    )
print()

heading("objects of", "hit", "hit rate")
for one in overall["objects"]["by_area"]:
    size = f"{one['from_m2']:.0f} to {one['to_m2']:.0f} m2" if "to_m2" in one else f"{one['from_m2']:.0f} m2 and more"
    row(size, f"{one['hit']} of {one['objects']}", wide(one.get("hit_rate"), 2))
