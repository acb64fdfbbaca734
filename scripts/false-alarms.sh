#!/usr/bin/env bash
# Prints the table of false alarms of docs/accuracy.md: how many anomalies the reports expect where nothing changed, and how many there are.
# Simulated pairs, then real ones where the imagery is present. The seeds are not those on which the method was chosen (101, 102).
set -euo pipefail
cd "$(dirname "$0")/.."

sitewatch=target/release/sitewatch
imagery=${SITEWATCH_IMAGERY:-../shared/imagery}
work=${FALSE_ALARMS_OUT:-target/false-alarms}
budget=100
mkdir -p "$work"

count() { # name, pipeline file without [cutoff]: surveyed as the profile says, and with a budget
    local name=$1 pipeline=$2
    printf '[cutoff]\nmax_expected_false_anomalies = %s\n' "$budget" | cat "$pipeline" - >"${pipeline%.toml}-budget.toml"
    "$sitewatch" run "$pipeline" --out "$work/$name/chain" >/dev/null || [ $? -eq 3 ]
    "$sitewatch" run "${pipeline%.toml}-budget.toml" --out "$work/$name/budget" >/dev/null || [ $? -eq 3 ]
    python3 scripts/false-alarms.py "$name" "$budget" "$work/$name/chain" "$work/$name/budget"
}

simulated() { # name, seed, sed script on the recipe
    local name=$1
    mkdir -p "$work/$name"
    sed "s/^seed = .*/seed = $2/; ${3:-}" benches/no-change.toml >"$work/$name/recipe.toml"
    [ -f "$work/$name/scenes/items.json" ] || "$sitewatch" simulate "$work/$name/recipe.toml" --out "$work/$name/scenes" >/dev/null
    cat >"$work/$name/pipeline.toml" <<END
[inputs]
declarations = ["scenes/declaration.geojson"]
stac = ["scenes/items.json"]
[compare]
which = "every-consecutive-pair"
END
    count "$name" "$work/$name/pipeline.toml"
}

real() { # name, pipeline of tests/imagery, sed script on it
    mkdir -p "$work/$1"
    sed "s#../../../shared/imagery#$(realpath "$imagery")#g; s#\"\([a-z0-9-]*\).geojson\"#\"$PWD/tests/imagery/\1.geojson\"#; ${3:-}" \
        "tests/imagery/$2.toml" >"$work/$1/pipeline.toml"
    count "$1" "$work/$1/pipeline.toml"
}

python3 scripts/false-alarms.py
simulated clear 201
simulated other 202
simulated fresh 301
simulated small 203 's/rows = 8, cols = 8, size_m = 2000/rows = 16, cols = 16, size_m = 800/'
simulated cloudy 204 's/^# cloud_fraction/cloud_fraction/'
if [ -d "$imagery" ]; then
    real dist-s1 dist-s1 's/newest-against-history/every-consecutive-pair/'
    real eolearn eolearn
    real juelich juelich
    real oscd oscd
    real taizhou taizhou
fi
