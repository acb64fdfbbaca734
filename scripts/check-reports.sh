#!/usr/bin/env bash
# Proves with independent programs that reports are sound: makes some, checks every file of them, and uses the pages in a browser.
# Prints a line a check, and stops at the first that fails. What it needs is installed into target/checks, and missing programs with
# Debian's packages. Screenshots are left in target/checks/screens.
set -euo pipefail
cd "$(dirname "$0")/.."

sitewatch=target/release/sitewatch
checks=target/checks
reports=$checks/reports
python=$checks/python/bin/python

check() { # what holds, and the command that tells: its output is shown when it fails
    local what=$1 output
    shift
    output=$("$@" 2>&1) || {
        printf 'FAILED  %s\n%s\n' "$what" "$output" >&2
        exit 1
    }
    echo "ok      $what"
}

programs() {
    local missing=() run=()
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    command -v java >/dev/null || missing+=(default-jre-headless)
    command -v pdftotext >/dev/null || missing+=(poppler-utils)
    command -v ogrinfo >/dev/null || missing+=(gdal-bin)
    /usr/bin/python3 -c 'import osgeo_utils.samples.validate_gpkg' 2>/dev/null || missing+=(python3-gdal)
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || missing+=(chromium)
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null || {
        echo "Missing, by Debian's names: ${missing[*]}." >&2
        exit 1
    }
    [ "$(id -u)" -eq 0 ] || run=(sudo)
    "${run[@]}" apt-get update -qq
    "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

libraries() { # installed anew when what is pinned has changed
    mkdir -p "$checks/node"
    if ! cmp -s tests/validators/requirements.txt "$checks/python/requirements.txt"; then
        python3 -m venv --clear "$checks/python"
        "$checks/python/bin/pip" install --quiet --disable-pip-version-check -r tests/validators/requirements.txt
        cp tests/validators/requirements.txt "$checks/python/"
    fi
    if ! cmp -s tests/browser/package-lock.json "$checks/node/installed.json"; then
        cp tests/browser/package.json tests/browser/package-lock.json "$checks/node/"
        npm ci --prefix "$checks/node" --ignore-scripts --no-audit --no-fund --silent
        cp tests/browser/package-lock.json "$checks/node/installed.json"
    fi
}

survey() { # name, recipe, pipeline: simulates scenes and surveys their sites; the pipeline names its scenes ../NAME/scenes
    "$sitewatch" simulate "$2" --out "$reports/$1/scenes" &&
        cp "$3" "$reports/pipelines/$1.toml" &&
        "$sitewatch" run "$reports/pipelines/$1.toml" --out "$reports/$1/reports"
}

programs
libraries
rm -rf "$reports" "$checks/screens"
mkdir -p "$reports/pipelines" "$checks/screens"
check "the demo is surveyed" survey demo pipelines/demo-recipe.toml pipelines/demo.toml
check "a site with every verdict is surveyed" survey every testdata/cases/every-verdict/recipe.toml tests/browser/every-pipeline.toml
check "a site with hostile names is surveyed" survey hostile tests/browser/hostile.toml tests/browser/hostile-pipeline.toml
check "a site with 500 anomalies is surveyed" survey crowded tests/browser/crowded.toml tests/browser/crowded-pipeline.toml

sites=("$reports"/*/reports/*/)
of() { # a file's name, and the command that is given that file of every report
    local name=$1
    shift
    "$@" "${sites[@]/%/$name}"
}
validator() { # a file of tests/validators, and what it is given
    local name=$1
    shift
    "$python" "tests/validators/$name.py" "$@"
}
html() {
    java -jar "$checks/node/node_modules/vnu-jar/build/dist/vnu.jar" --Werror --also-check-css --also-check-svg \
        --filterfile tests/validators/vnu-filter.txt "$@" "$reports"/*/reports/index.html
}
readable() { # GDAL opens each and has nothing to say against it
    local file said
    for file in "$@"; do
        said=$(ogrinfo -ro -al -so "$file" 2>&1 >/dev/null) && [ -z "$said" ] || {
            echo "$file: ${said:-cannot be opened}"
            return 1
        }
    done
}

check "report.json is what the JSON Schema says (jsonschema)" of report.json validator schema docs/report.schema.json
check "run.json is what its JSON Schema says (jsonschema)" validator schema docs/run.schema.json "$reports"/*/reports/run.json
check "score.tif is a COG (rio-cogeo)" of score.tif validator rasters
check "flags.tif is a COG (rio-cogeo)" of flags.tif validator rasters
check "anomalies.geojson keeps RFC 7946, the right-hand rule too (geojson-validator)" of anomalies.geojson validator rfc7946
check "anomalies.gpkg opens (ogrinfo)" of anomalies.gpkg readable
check "anomalies.gpkg is a GeoPackage" of anomalies.gpkg validator gpkg
check "anomalies.csv is a table without formulas" of anomalies.csv validator table
check "junit.xml adds up (junitparser)" of junit.xml validator junit
check "item.json is a STAC Item (pystac)" of item.json validator stac
check "pages are right HTML, CSS and SVG (Nu Html Checker)" of report.html html

rm -f "$checks"/node/*.mjs
cp tests/browser/*.mjs "$checks/node/"
REPORTS=$reports SCREENS=$checks/screens node --test --test-reporter=spec "$checks"/node/*.test.mjs
