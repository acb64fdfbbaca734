#!/usr/bin/env bash
# Runs public packages and sitewatch in turn on the pair of tiles of `make bench`, and prints wall seconds and peak MiB of each: all rows, or
# those that are named (cva chain irmad coregister warp series). docs/performance.md says what each side does. What is missing is installed
# into target/peers. OTB is left out: no registry that is reached has it.
set -euo pipefail
cd "$(dirname "$0")/../.."

sitewatch=$PWD/target/release/sitewatch
here=$PWD/benches/peers
peers=$PWD/target/peers
tiles=$PWD/target/bench/tiles
out=$peers/out
python=$peers/python/bin/python
mkdir -p "$peers"
[ -f "$tiles/items.json" ] || "$sitewatch" simulate benches/tiles.toml --out "$tiles" >&2
[ -f target/bench/whole.geojson ] || scripts/bench-sites.py target/bench
before=$tiles/scenes/S2_20210608T101031.tif
after=$tiles/scenes/S2_20210628T101031.tif
export GDAL_CACHEMAX=128 # MB: with the default of a twentieth of the memory they are slower
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE # numpy chooses its kernels itself

installed() { # folder, requirements, python, options of venv: anew when what is pinned has changed
    cmp -s "$here/$2" "$peers/$1/$2" && return
    rm -rf "${peers:?}/$1"
    "$3" -m venv "${@:4}" "$peers/$1" &&
        "$peers/$1/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/$2" && cp "$here/$2" "$peers/$1/"
}
row() { # label, command...
    local label=$1
    shift
    rm -rf "$out"
    mkdir -p "$out"
    # Exit code 3 of ours: part of a site lies under cloud.
    if /usr/bin/time -q -f '%e %U %S %M' -o "$peers/time" "$@" >"$peers/log" 2>&1 || [ $? -eq 3 ]; then
        tail -1 "$peers/time" | awk -v label="$label" '{printf "%-58s %8.1f s wall %8.1f s CPU %6.0f MiB\n", label, $1, $2 + $3, $4 / 1024}'
    else
        printf '%-58s failed: %s\n' "$label" "$(tail -1 "$peers/log")"
    fi
}
script() { # label, script, arguments
    row "$1" "$python" "$here/$2" "${@:3}"
}
ours() { # label, what the pipeline states
    printf '[inputs]\ndeclarations = ["%s"]\nstac = ["%s"]\n%s\n' "$PWD/target/bench/whole.geojson" "$tiles/items.json" "$2" >"$peers/ours.toml"
    row "sitewatch: $1" "$sitewatch" run "$peers/ours.toml" --out "$out/reports" --threads 2
}

calc() { # out.tif: the magnitude; differences of unsigned integers would wrap
    gdal_calc.py --quiet --overwrite --type Float32 --outfile "$1" --co TILED=YES \
        --calc 'sqrt((A.astype(numpy.float32)-E)**2+(B.astype(numpy.float32)-F)**2+(C.astype(numpy.float32)-G)**2+(D.astype(numpy.float32)-H)**2)' \
        -A "$before" --A_band 1 -B "$before" --B_band 2 -C "$before" --C_band 3 -D "$before" --D_band 4 \
        -E "$after" --E_band 1 -F "$after" --F_band 2 -G "$after" --G_band 3 -H "$after" --H_band 4
}
gdal_chain() {
    calc "$out/magnitude.tif"
    threshold=$(gdalinfo -json -hist "$out/magnitude.tif" | python3 "$here/threshold_gdal.py")
    gdal_calc.py --quiet --type Byte --outfile "$out/mask.tif" --calc "A>$threshold" -A "$out/magnitude.tif" --NoDataValue 0
    gdal_sieve.py -q -8 -st 4 "$out/mask.tif" "$out/sieved.tif"
    gdal_polygonize.py -q -8 "$out/sieved.tif" -f GeoJSON "$out/polygons.geojson"
}
export -f calc gdal_chain
export before after out here

cva() {
    script "rasterio windows, two threads: CVA alone" cva_rasterio.py "$before" "$after" "$out/cva.tif"
    row "gdal_calc: CVA alone" bash -c 'calc "$out/cva.tif"'
    ours "difference, Otsu, to the report" "$otsu"
}
chain() {
    script "opencv: CVA, Otsu, components, polygons" chain_opencv.py "$before" "$after" "$out/polygons.geojson"
    script "scipy: CVA, Otsu, components, polygons" chain_scipy.py "$before" "$after" "$out/polygons.geojson"
    script "scikit-image: CVA, Otsu, components, polygons" chain_skimage.py "$before" "$after" "$out/polygons.geojson"
    row "gdal_calc, gdal_sieve, gdal_polygonize" bash -ec gdal_chain
    ours "difference, Otsu, to the report" "$otsu"
}
irmad() {
    ours "irmad, 10 rounds, to the report" $'[detect]\ndetector = "irmad"\nirmad.max_iterations = 10\n[cutoff]\nmethods = ["otsu", "fdr"]'
    script "numpy: IR-MAD, 10 rounds" irmad_numpy.py "$before" "$after" "$out/irmad.tif" 10
}
coregister() {
    if installed arosics arosics.txt /usr/bin/python3 --system-site-packages 2>"$peers/log"; then
        row "arosics: global shift measured and applied" "$peers/arosics/bin/python" "$here/shift_arosics.py" "$before" "$after" "$out/shifted.tif"
    else
        echo "arosics: cannot be installed here: $(tail -1 "$peers/log")"
    fi
    ours "co-registered, difference, to the report" $'[detect]\ndetector = "difference"'
    python3 -c 'import json, sys; print("    of which co-registration", json.load(open(sys.argv[1]))["sites"][0]["seconds"]["coregister"], "s")' \
        "$out/reports/run.json"
}
warp() {
    row "gdalwarp: one date" gdalwarp -q -overwrite -t_srs EPSG:32632 -tr 10 10 -r bilinear -multi -wo NUM_THREADS=2 -co TILED=YES \
        "$before" "$out/warped.tif"
    script "rasterio: one date" warp_rasterio.py "$before" "$out/warped.tif" EPSG:32632
    script "odc-geo: one date" warp_odc.py "$before" "$out/warped.tif" EPSG:32632
    ours "two dates warped, difference, to the report" $'[grid]\ncrs = "EPSG:32632"\n[detect]\ndetector = "difference"'
}
series() {
    local scenes=$peers/series
    if [ ! -f "$scenes/items.json" ]; then
        {
            printf 'seed = 3\nepsg = 32633\norigin_m = [412000, 5392000]\nwidth_px = 1024\nheight_px = 1024\n'
            printf '[[site]]\nid = "S"\nbox_m = [0, 0, 10240, 10240]\n'
            for month in 4 5 6 7 8 9; do
                for day in 1 6 11 16 21; do printf '[[date]]\ntime = "2021-%02d-%02dT10:10:31Z"\n' "$month" "$day"; done
            done
        } >"$peers/series.toml"
        "$sitewatch" simulate "$peers/series.toml" --out "$scenes" >&2
    fi
    script "numpy: median and MAD of 30 dates" series.py numpy "$out/law.tif" "$scenes"/scenes/*T??????.tif
    script "numba: median and MAD of 30 dates" series.py numba "$out/law.tif" "$scenes"/scenes/*T??????.tif
    printf '[inputs]\ndeclarations = ["series/declaration.geojson"]\nstac = ["series/items.json"]\n[compare]\nwhich = "newest-against-history"\n' >"$peers/ours-series.toml"
    row "sitewatch: history of 30 dates, to the report" "$sitewatch" run "$peers/ours-series.toml" --out "$out/reports" --threads 2
}

otsu=$'[detect]\ndetector = "difference"\n[cutoff]\nmethods = ["otsu", "fdr"]'
installed python requirements.txt python3
cat "$before" "$after" >/dev/null # into the page cache
for rows in "${@:-cva chain irmad coregister warp series}"; do
    for name in $rows; do "$name"; done
done
rm -rf "$out"
