#!/usr/bin/env bash
# Prints one table: what surveys of a pair of whole tiles take, beside the limit, the time to decode the pair once.
# The pair (10980 x 10980 pixels, 4 bands, uint16, two dates) is simulated once into target/bench, 1.5 GB.
set -euo pipefail
cd "$(dirname "$0")/.."

sitewatch=target/release/sitewatch
bench=target/bench
mkdir -p "$bench"

pipeline() { # name of a recipe in benches/, memory budget in MiB: the pipeline file over its scenes
    local scenes="$bench/$1"
    [ -f "$scenes/items.json" ] || "$sitewatch" simulate "benches/$1.toml" --out "$scenes" >&2
    printf '[inputs]\ndeclarations = ["%s/declaration.geojson"]\nstac = ["%s/items.json"]\n[compute]\nmemory_mib = %s\n' \
        "$1" "$1" "$2" >"$bench/$1.toml"
    echo "$bench/$1.toml"
}

measure() { # label, command...: a row of the table
    local label=$1
    shift
    /usr/bin/time -f '%e %U %S %M' -o "$bench/time" "$@" >"$bench/log" 2>&1 || { cat "$bench/log" >&2; exit 1; }
    awk -v label="$label" '{printf "%-44s %8.1f s wall %8.1f s CPU %8.0f MiB\n", label, $1, $2 + $3, $4 / 1024}' "$bench/time"
}

decode() { # every block of both dates, into memory
    for raster in "$bench"/large-pair/scenes/*Z.tif; do
        gdal_translate -q -of ENVI "$raster" /vsimem/decoded.img
    done
}
export -f decode
export bench

large=$(pipeline large-pair 1024)
many=$(pipeline many-sites 1024)
for scenes in large-pair many-sites; do cat "$bench/$scenes"/scenes/*.tif >/dev/null; done # in the page cache, as for the rest

measure "decode both dates (gdal_translate, 1 thread)" bash -c decode
GDAL_NUM_THREADS=ALL_CPUS measure "decode both dates (gdal_translate, all threads)" bash -c decode
for threads in 1 2; do
    rm -rf "$bench/out"
    measure "whole tile as one site, $threads thread(s)" "$sitewatch" run "$large" --out "$bench/out" --threads "$threads"
done
echo "plan of the whole tile: $("$sitewatch" plan "$large" --threads 2 | tail -1)"
rm -rf "$bench/out"
measure "300 sites of 60 x 60 pixels, 2 threads" "$sitewatch" run "$many" --out "$bench/out" --threads 2
measure "the same again: nothing new" "$sitewatch" run "$many" --out "$bench/out" --threads 2
