#!/usr/bin/env bash
# Prints the figures that README states: scores and claims against the labels of real imagery, where it is present.
set -euo pipefail
cd "$(dirname "$0")/.."

sitewatch=target/release/sitewatch
imagery=${SITEWATCH_IMAGERY:-../shared/imagery}
[ -d "$imagery" ] || { echo "no imagery at $imagery; set SITEWATCH_IMAGERY" >&2; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

for set in oscd taizhou; do
    "$sitewatch" run "tests/imagery/$set.toml" --out "$out/$set" >/dev/null
    for site in "$out/$set"/*/; do
        site=$(basename "$site")
        label="$imagery/$set/label.tif"
        [ "$set" = oscd ] && label="$imagery/oscd/$site/label.tif"
        "$sitewatch" evaluate --truth "$label" "$out/$set/$site"
    done
done | awk '$1 != "site" || !printed++ {print} $2 ~ /^[0-9]+$/ {if ($1 != "taizhou") {n++; auroc += $4; ap += $5}}
    END {printf "mean of %d cities: AUROC %.4f, AP %.4f\n", n, auroc / n, ap / n}'
