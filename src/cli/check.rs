//! `sitewatch check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::confine::confine;
use super::{exit, print, tell_faults};
use crate::fault::Fault;
use crate::pipeline::{Config, inputs};
use crate::{declaration, intake, scene};

pub fn check(files: &[PathBuf]) -> u8 {
    confine(&[]);
    let mut faults = Vec::new();
    for path in files {
        let found = check_file(path);
        if found.is_empty() {
            print(&format!("{}: ok", path.display()));
        }
        faults.extend(found);
    }
    tell_faults(&faults);
    if faults.is_empty() { exit::DONE } else { exit::USAGE }
}

/// Every fault of one file, its place preceded by the file's name.
fn check_file(path: &Path) -> Vec<Fault> {
    let named = |faults: Vec<Fault>| faults.into_iter().map(|fault| inputs::in_file(path, fault)).collect();
    if path.extension().is_some_and(|extension| extension == "toml") {
        return match Config::read(path) {
            // What a pipeline names is part of it.
            Ok(config) => match inputs::gather(&config) {
                Ok(inputs) => {
                    let refused = &inputs.declared.refused;
                    refused.iter().for_each(|one| print(&format!("not in force: {one}")));
                    Vec::new()
                }
                Err(faults) => faults,
            },
            Err(faults) => named(faults),
        };
    }
    if is_declaration(path) {
        return match declaration::read(path) {
            Ok((declaration, _)) => named(declaration::check_alone(&declaration)),
            Err(faults) => named(faults),
        };
    }
    match inputs::sensors(&[], &mut BTreeMap::new()) {
        Ok(sensors) => named(scene::check_stac(path, &sensors)),
        Err(faults) => faults,
    }
}

/// A declaration is GeoJSON with a member `declaration`; any other JSON is taken for STAC.
fn is_declaration(path: &Path) -> bool {
    if path.extension().is_some_and(|extension| extension == "geojson") {
        return true;
    }
    let value = intake::text(path, declaration::MAX_BYTES as u64)
        .ok()
        .and_then(|read| intake::json(&read.text).ok());
    value.is_some_and(|value| value.get("declaration").is_some())
}
