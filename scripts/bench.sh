#!/usr/bin/env bash
# Measures the program beside its limits and prints one table: docs/performance.md says what the rows mean. Leave the machine alone meanwhile.
# A pair of whole tiles (10980 x 10980 pixels, 4 bands, uint16, two dates) is simulated once into target/bench, 1.3 GB.
set -euo pipefail
cd "$(dirname "$0")/.."

sitewatch=target/release/sitewatch
bench=target/bench
results=$bench/results.tsv
mkdir -p "$bench"
[ -f "$bench/tiles/items.json" ] || "$sitewatch" simulate benches/tiles.toml --out "$bench/tiles" >&2
benches=$(cargo bench --locked --no-run 2>&1) || { echo "$benches" >&2; exit 1; }
executable() { sed -n "s|.*(\(.*/$1-[0-9a-f]*\)).*|\1|p" <<<"$benches"; }

scripts/bench-sites.py "$bench"
pipeline() { # name, declaration, what else it states
    printf '%s\n[inputs]\ndeclarations = ["%s"]\nstac = ["tiles/items.json"]\n' "${3:-}" "$2" >"$bench/$1.toml"
}
for site in whole half; do
    for detector in difference irmad auto; do
        pipeline "$site-$detector" "$site.geojson" "detect.detector = \"$detector\""
    done
done
pipeline sites-aligned tiles/declaration.geojson
pipeline sites-warped tiles/declaration.geojson 'grid.crs = "EPSG:32632"'

measure() { # row, threads, command...: its wall and CPU seconds, and its peak, KiB
    local row=$1 threads=$2
    shift 2
    echo "$row, $threads threads" >&2
    # Exit code 3: some sites lie under cloud or beyond the swath.
    /usr/bin/time -q -f '%e %U %S %M' -o "$bench/time" "$@" >"$bench/log" 2>&1 || [ $? -eq 3 ] || { cat "$bench/log" >&2; exit 1; }
    read -r wall user system peak < <(tail -1 "$bench/time")
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$row" "$threads" "$wall" "$user" "$system" "$peak" "$(head -1 "$bench/log")" >>"$results"
}
run() { # row, threads
    rm -rf "$bench/out"
    measure "$1" "$2" "$sitewatch" run "$bench/$1.toml" --out "$bench/out" --threads "$2"
}

: >"$results"
cat "$bench"/tiles/scenes/*.tif >/dev/null # into the page cache, as for every row
for threads in 1 2 1 2; do # twice: the better one is the limit
    measure decode "$threads" "$(executable decode)" --threads "$threads" "$bench"/tiles/scenes/*T??????.tif
done
for row in whole-difference whole-irmad whole-auto; do
    run "$row" 1
    run "$row" 2
done
run half-auto 2
run sites-aligned 2
run sites-warped 2
rm -rf "$bench/out"
for source in memory gdal; do
    for threads in 1 2; do
        measure "pass-$source" "$threads" "$(executable site)" --source "$source" --detector difference --threads "$threads" --size 4096 \
            "$bench/whole-auto.toml"
    done
done
rm -rf target/criterion
"$(executable kernels)" --bench >"$bench/kernels.log" 2>&1 || { cat "$bench/kernels.log" >&2; exit 1; }
python3 scripts/bench-table.py "$results" target/criterion/kernels
