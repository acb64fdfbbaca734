#!/usr/bin/env bash
# Prints the figures of docs/accuracy.md: scores and claims against the labels of real imagery, where it is present.
set -euo pipefail
cd "$(dirname "$0")/.."

sitewatch=target/release/sitewatch
imagery=${SITEWATCH_IMAGERY:-../shared/imagery}
[ -d "$imagery" ] || { echo "no imagery at $imagery; set SITEWATCH_IMAGERY" >&2; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

survey() { # name, pipeline of tests/imagery, further lines of the pipeline file: its reports
    local pipeline="tests/imagery/.accuracy-$1.toml"
    { cat "tests/imagery/$2.toml"; printf '%b' "${3:-}"; } >"$pipeline"
    "$sitewatch" run "$pipeline" --out "$out/$1" >/dev/null || [ $? -eq 3 ]
    rm -f "$pipeline"
}

labelled() { # name, title: a row a site, and their mean
    echo "$2"
    for site in "$out/$1"/*/; do
        site=$(basename "$site")
        label="$imagery/oscd/$site/label.tif"
        [ -f "$label" ] || label="$imagery/$site/label.tif"
        "$sitewatch" evaluate --truth "$label" "$out/$1/$site"
    done | awk '$1 != "site" || !printed++ {print} $2 ~ /^[0-9]+$/ {n++; auroc += $4; ap += $5; part += $12 / $6}
        END {if (n > 1) printf "mean of %d: AUROC %.4f, AP %.4f; F1 of what is claimed over best F1 %.3f\n", n, auroc / n, ap / n, part / n}'
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
print(f"Quiet Sentinel-1 series, {comparison['detector']}: {claimed} of {judged} pixels claimed, {100 * claimed / judged:.3f} %")
END
done
