#!/usr/bin/env bash
# Every system call of a small run fails once, over an empty output and over one where a report stands; 200 kills, 100 SIGTERM, 40 sizes
# of a disk; 1,000 flipped bits of inputs and 1,000 of outputs. Prints what did not hold, a line each:
#   what stood | what befell the run | at which file | what did not hold
set -euo pipefail
cd "$(dirname "$0")/.."
# One test after the other: each keeps two cores busy.
SITEWATCH_FAULTS=all cargo test --release --locked --no-fail-fast --test suite -- \
    faults:: flips:: --include-ignored --nocapture --test-threads 1
