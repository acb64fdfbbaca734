#!/usr/bin/env bash
# Prints the figures of docs/accuracy.md: scores and claims against the labels of real imagery, where it is present.
# With ACCURACY_OUT=folder the figures and pictures of each evaluation are left there.
set -euo pipefail
cd "$(dirname "$0")/.."

sitewatch=target/release/sitewatch
imagery=${SITEWATCH_IMAGERY:-../shared/imagery}
[ -d "$imagery" ] || { echo "no imagery at $imagery; set SITEWATCH_IMAGERY" >&2; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

survey() { # name, pipeline of tests/imagery, further lines of the pipeline file: its reports
    local pipeline="tests/imagery/.accuracy-$1.toml"
    { sed "s#../../../shared/imagery#$(realpath "$imagery")#g" "tests/imagery/$2.toml"; printf '%b' "${3:-}"; } >"$pipeline"
    "$sitewatch" run "$pipeline" --out "$out/$1" >/dev/null || [ $? -eq 3 ]
    rm -f "$pipeline"
}

labelled() { # name, title: figures of each site and of all, as rows of docs/accuracy.md
    local label truth=()
    for label in "$imagery"/oscd/*/label.tif "$imagery"/taizhou/label.tif; do
        label=${label%/label.tif}
        [ ! -d "$out/$1/${label##*/}" ] || truth+=(--truth "$label/label.tif")
    done
    echo "$2"
    "$sitewatch" evaluate "${truth[@]}" --json ${ACCURACY_OUT:+--out "$ACCURACY_OUT/$1"} "$out/$1" | python3 scripts/accuracy.py
    echo
}

survey oscd oscd
labelled oscd "Six cities, Sentinel-2 pairs, default profile"
survey linear oscd '\n[detect.regression]\nhidden = 0\n'
labelled linear "The same, straight lines in place of networks"
for detector in difference irmad rcva; do
    survey "$detector" oscd "\n[detect]\ndetector = \"$detector\"\n"
    labelled "$detector" "The same, detector $detector"
done
survey invariant oscd '\n[detect]\ndetector = "difference"\n[normalise]\nmethod = "invariant"\n'
labelled invariant "The same, difference, normalised on invariant pixels"
survey joint oscd-joint
labelled joint "Six cities, Sentinel-2 and Sentinel-1 together"
survey radar oscd-s1
labelled radar "Six cities, Sentinel-1 alone"
survey taizhou taizhou
labelled taizhou "Taizhou, Landsat pair, default profile"

survey quiet dist-s1
survey past dist-s1 '\n[detect]\ndetector = "history"\n'
for name in quiet past; do
    python3 - "$out/$name" <<'END'
import glob, json, sys
judged = claimed = 0
for path in glob.glob(sys.argv[1] + "/*/report.json"):
    comparison = json.load(open(path))["comparisons"][0]
    judged += comparison["cutoff"]["judged"]
    claimed += sum(anomaly["pixels"] for anomaly in comparison["anomalies"])
print(f"Quiet Sentinel-1 series, {', '.join(comparison['detectors'])}: {claimed} of {judged} pixels claimed, {100 * claimed / judged:.3f} %")
END
done
