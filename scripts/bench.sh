#!/usr/bin/env bash
# Prints one table: what surveys of a pair of whole tiles take, beside the limit, the time to decode the pair once.
# The pair (10980 x 10980 pixels, 4 bands, uint16, two dates) is simulated once into target/bench, 1.3 GB.
set -euo pipefail
cd "$(dirname "$0")/.."

sitewatch=target/release/sitewatch
bench=target/bench
mkdir -p "$bench"
[ -f "$bench/tiles/items.json" ] || "$sitewatch" simulate benches/tiles.toml --out "$bench/tiles" >&2

cat >"$bench/whole.geojson" <<'END'
{"type": "FeatureCollection", "declaration": {"id": "bench", "party": "-", "agreement": "-", "issued": "2021-01-01"},
 "features": [{"type": "Feature", "properties": {"kind": "site", "id": "whole", "name": "Whole tile"},
  "geometry": {"type": "Polygon", "coordinates": [[[13.68, 47.775], [15.11, 47.775], [15.11, 48.735], [13.68, 48.735], [13.68, 47.775]]]}}]}
END
pipeline() { # name, declaration
    printf '[inputs]\ndeclarations = ["%s"]\nstac = ["tiles/items.json"]\n' "$2" >"$bench/$1.toml"
}
pipeline whole whole.geojson
pipeline sites tiles/declaration.geojson

measure() { # label, command...: a row of the table
    local label=$1
    shift
    # Exit code 3: some sites lie under cloud or beyond the swath.
    /usr/bin/time -q -f '%e %U %S %M' -o "$bench/time" "$@" >"$bench/log" 2>&1 || [ $? -eq 3 ] || { cat "$bench/log" >&2; exit 1; }
    awk -v label="$label" '{printf "%-46s %7.1f s wall %7.1f s CPU %6.0f MiB\n", label, $1, $2 + $3, $4 / 1024}' "$bench/time"
}
decode() { # every block of both dates, into memory
    for raster in "$bench"/tiles/scenes/*T??????.tif; do
        gdal_translate -q -of ENVI "$raster" /vsimem/decoded.img
    done
}
export -f decode
export bench

cat "$bench"/tiles/scenes/*.tif >/dev/null # into the page cache, as for every row
measure "decode both dates: gdal_translate, 1 thread" bash -c decode
rm -rf "$bench/out"
measure "whole tile as one site, 2 threads" "$sitewatch" run "$bench/whole.toml" --out "$bench/out" --threads 2
grep -o "[0-9]* changes need review" "$bench/log"
"$sitewatch" plan "$bench/whole.toml" --threads 2 | tail -1
rm -rf "$bench/out"
measure "300 sites of 60 x 60 px, 2 threads" "$sitewatch" run "$bench/sites.toml" --out "$bench/out" --threads 2
measure "the same again: nothing new" "$sitewatch" run "$bench/sites.toml" --out "$bench/out" --threads 2
rm -rf "$bench/out"
