//! Links libdeflate so that only this program's own code sees it: GDAL goes on with the one it was built for, and the two never mix.
//! Lists the sensors of `src/scene/sensors`, so that a sensor is added by a file alone.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The files of the sensors, from the folder of the package.
const SENSORS: &str = "src/scene/sensors";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SENSORS}");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg=-Wl,--exclude-libs,ALL");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::write(out.join("sensors.rs"), sensors()?)
}

/// Rust's list of each file's name and text, by name.
fn sensors() -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(SENSORS)? {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|kind| kind == "toml") {
            names.push(name.into_string().map_err(|_| io::ErrorKind::InvalidData)?);
        }
    }
    names.sort();
    let listed = names.iter().map(|name| {
        let path = format!("/{SENSORS}/{name}");
        format!("({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),\n")
    });
    Ok(format!("&[\n{}]\n", listed.collect::<String>()))
}
