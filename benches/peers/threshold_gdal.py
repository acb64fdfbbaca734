"""Prints Otsu's threshold of the histogram that `gdalinfo -hist -json` gives on standard input."""
import json
import sys

histogram = json.load(sys.stdin)["bands"][0]["histogram"]
low, high, counts = histogram["min"], histogram["max"], histogram["buckets"]
middles = [low + (high - low) * (i + 0.5) / len(counts) for i in range(len(counts))]
total, total_sum = sum(counts), sum(n * v for n, v in zip(counts, middles))
best, below, below_sum, threshold = -1.0, 0, 0.0, low
for n, v in zip(counts, middles):
    below, below_sum = below + n, below_sum + n * v
    if 0 < below < total:
        apart = below_sum / below - (total_sum - below_sum) / (total - below)
        if below * (total - below) * apart * apart > best:
            best, threshold = below * (total - below) * apart * apart, v
print(threshold)
