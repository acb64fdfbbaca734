#!/usr/bin/env bash
# Installs what the build needs and the machine lacks, with Debian's packages; tells what to do elsewhere.
set -euo pipefail

missing=()
pkg-config --exists gdal 2>/dev/null || missing+=(libgdal-dev pkg-config)
command -v cc >/dev/null || missing+=(build-essential)
command -v gdal_translate >/dev/null || missing+=(gdal-bin)
[ -x /usr/bin/time ] || missing+=(time)

if [ "${#missing[@]}" -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "Missing: ${missing[*]}. Install GDAL 3.4 or newer with its headers, and a C compiler." >&2
        exit 1
    fi
    run=()
    [ "$(id -u)" -eq 0 ] || run=(sudo)
    "${run[@]}" apt-get update -qq
    "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

if ! command -v cargo >/dev/null; then
    echo "Missing: Rust 1.89 or newer. Install it with rustup (https://rustup.rs)." >&2
    exit 1
fi
