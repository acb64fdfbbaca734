#!/usr/bin/env bash
# Checks that a fresh clone of HEAD compiles: a file that was forgotten in a commit shows here.
set -euo pipefail

top=$(git rev-parse --show-toplevel)
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone --quiet --no-local "$top" "$clone/sitewatch"
cd "$clone/sitewatch"
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$top/target}" cargo check --locked --all-targets --quiet
