"""Rows of docs/accuracy.md: false anomalies stated and counted, by name, budget of the second run, and the two folders of reports.

The budget run claims all that an alarm budget of so many false anomalies allows; a smaller budget claims those of them whose own expected
number, p x clusters, is no more than its share, so one run tells all (of sites that are looked at whole, up to 2048 pixels wide). Intervals are Garwood's (1936), 95 %.
"""

import glob
import json
import math
import sys

BUDGETS = [1, 3, 10, 30, 100]


def at_most(n, mean):
    """Probability of n or fewer events of a Poisson law."""
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(n + 1)) if mean > 0 else 1.0


def garwood(n):
    def solve(is_low):
        low, high = 0.0, 10.0 * n + 20
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if is_low(middle) else (low, middle)
        return low

    lower = solve(lambda mean: 1 - at_most(n - 1, mean) < 0.025) if n else 0.0
    return f"{lower:.1f} to {solve(lambda mean: at_most(n, mean) > 0.025):.1f}"


def comparisons(folder):
    for path in sorted(glob.glob(folder + "/*/report.json")):
        report = json.load(open(path))
        for index, comparison in enumerate(report["comparisons"]):
            if "tail" in comparison.get("cutoff", {}):
                yield index, report["site"]["area_m2"] * len(report["comparisons"]), comparison


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def rows(name, budget, chain, limited):
    few = {index for index, _, _ in comparisons(chain)} if len(glob.glob(chain + "/*/report.json")) > 8 else {None}
    for only in sorted(few, key=str):
        def chosen(folder):
            return [one for one in comparisons(folder) if only is None or one[0] == only]

        of_chain = chosen(chain)
        cutoffs = [comparison["cutoff"] for _, _, comparison in of_chain]
        clusters = sorted(cutoff["tail"]["clusters"] for cutoff in cutoffs)
        stated = sum(cutoff["expected_false_anomalies"] for cutoff in cutoffs)
        found = sum(len(comparison["anomalies"]) for _, _, comparison in of_chain)
        label = name if only is None else f"{name}, pair {only + 1}"
        row(label, len(of_chain), clusters[len(clusters) // 2], "profile", f"{stated:.3g}", found, garwood(found))
        of_budget = chosen(limited)
        part = sum(comparison["cutoff"]["max_expected_false_anomalies"] for _, _, comparison in of_budget) / budget
        for smaller in (b for b in BUDGETS if b <= budget):
            found = 0
            for _, _, comparison in of_budget:
                cutoff = comparison["cutoff"]
                share = cutoff["max_expected_false_anomalies"] * smaller / budget
                clusters_here = max(cutoff["tail"]["clusters"], 1)
                found += sum(anomaly["p_value"] * clusters_here <= share * (1 + 1e-5) for anomaly in comparison["anomalies"])
            row("", "", "", f"budget {smaller}", f"{part * smaller:.3g}", found, garwood(found))


if len(sys.argv) == 1:
    row("set", "comparisons", "clusters, median", "cutoff", "stated", "found", "95 %")
    print("|---" * 7 + "|", flush=True)
else:
    rows(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4])
