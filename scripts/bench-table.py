#!/usr/bin/env python3
"""Prints the table of scripts/bench.sh: its rows, then the kernels as criterion measured them, each beside its limit."""
import json
import os
import re
import sys
from pathlib import Path

SITES = 300
PAIR_MPIXEL = 10980 * 10980 / 1e6
# A pass from memory reads four bands and a quality band of two dates, 4 bytes a value, and writes a score of 2.
PASS_BYTES = 2 * 5 * 4 + 2


def rows(path):
    """Wall s, CPU s, peak MiB and first line of output by (row, threads); of a row that ran twice the quicker."""
    found = {}
    for line in open(path):
        row, threads, wall, user, system, peak, said = line.rstrip("\n").split("\t")
        new = (float(wall), float(user) + float(system), int(peak) / 1024, said)
        key = (row, int(threads))
        found[key] = min(new, found.get(key, new))
    return found


def kernels(folder):
    """Name, ns and bytes a pixel of every kernel, in the order in which they ran."""
    found = []
    for path in sorted(Path(folder).glob("*/new/estimates.json"), key=os.path.getmtime):
        about = json.load(open(path.with_name("benchmark.json")))
        moved = about["throughput"]["ElementsAndBytes"]
        ns = json.load(open(path))["median"]["point_estimate"]
        found.append((about["function_id"], ns / moved["elements"], moved["bytes"] / moved["elements"]))
    return found


def main(results, folder):
    found = rows(results)
    found_kernels = kernels(folder)
    copy_ns = next(ns / size for name, ns, size in found_kernels if name == "memory copy")
    print(f"{'':44} threads   wall s    CPU s      MiB   measured                    limit or target")

    def line(label, key, measured, target):
        wall, cpu, peak, _ = found[key]
        print(f"{label:44} {key[1]:7} {wall:8.1f} {cpu:8.1f} {peak:8.0f}   {measured:27} {target}")

    def speed_up(row):
        return f"{found[row, 1][0] / found[row, 2][0]:.2f} x one thread"

    for threads in 1, 2:
        rate = re.search(r"(\d+) MB/s", found["decode", threads][3]).group(0)
        line("limit: decode both dates once", ("decode", threads), rate, "")
    print(f"{'':82}{speed_up('decode')}")
    for row, label, target in (
        ("whole-difference", "whole tile, one site, difference", 1.7),
        ("whole-irmad", "whole tile, one site, irmad", 2.0),
        ("whole-auto", "whole tile, one site, default profile", 2.5),
    ):
        for threads in 1, 2:
            ratio = found[row, threads][0] / found["decode", threads][0]
            line(label, (row, threads), f"{ratio:.2f} x decode", f"{target} x decode, 600 MiB")
        print(f"{'':82}{speed_up(row):27} 1.85 x one thread")
    peaks = [found[key][2] for key in (("half-auto", 2), ("whole-auto", 2))]
    line("half of the tile, one site, default profile", ("half-auto", 2), f"whole / half: {peaks[1] / peaks[0]:.2f} x the peak", "1.00 x the peak")
    for row, label, target in (
        ("sites-aligned", f"{SITES} sites of 60 x 60 px, aligned", 30),
        ("sites-warped", f"{SITES} sites of 60 x 60 px, warped", 10),
    ):
        key = (row, 2)
        line(label, key, f"{SITES / found[key][0] / key[1]:.1f} sites / s / core", f"{target} sites / s / core")
    for source, label in ("memory", "score pass, difference, from memory"), ("gdal", "score pass, difference, from files"):
        for threads in 1, 2:
            key = (f"pass-{source}", threads)
            rate, beside = re.search(r"([\d.]+) Mpixel/s (\d+) MiB", found[key][3]).groups()
            limit = PAIR_MPIXEL / found["decode", threads][0] if source == "gdal" else 1e3 / (PASS_BYTES * copy_ns)
            line(label, key, f"{rate} Mpixel/s, + {beside} MiB", f"{limit:.0f} Mpixel/s")

    print(f"\n{'':56} {'ns / px':>9} {'copy':>7} {'x copy':>7}")
    for name, ns, size in found_kernels:
        print(f"{name:56} {ns:9.2f} {size * copy_ns:7.2f} {ns / (size * copy_ns):7.1f}")


main(*sys.argv[1:])
