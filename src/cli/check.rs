//! `sitewatch check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::confine::confine;
use super::exit;
use super::foreseen::{tell_foreseen, tell_notes};
use super::output::{print, tell_faults};
use crate::config::Config;
use crate::fault::Fault;
use crate::finding::RefusedScene;
use crate::io::formats;
use crate::plan::inputs;
use crate::{declaration, intake, scene};

pub fn check(files: &[PathBuf]) -> u8 {
    confine(&[]);
    crate::io::prepare();
    let mut faults = Vec::new();
    let mut code = exit::DONE;
    for path in files {
        match check_file(path) {
            Ok(exit::DONE) => print(&format!("{}: ok", path.display())),
            Ok(partly) => {
                print(&format!("{}: a run would not do all of it", path.display()));
                code = partly;
            }
            Err(found) => faults.extend(found),
        }
    }
    tell_faults(&faults);
    if faults.is_empty() { code } else { exit::USAGE }
}

/// The exit code of a run of what is in one file, as far as that file tells.
///
/// # Errors
/// Every fault, its place preceded by the file's name.
fn check_file(path: &Path) -> Result<u8, Vec<Fault>> {
    let named =
        |faults: Vec<Fault>| -> Vec<Fault> { faults.into_iter().map(|fault| inputs::in_file(path, fault)).collect() };
    let all_well = |faults: Vec<Fault>| match faults.is_empty() {
        true => Ok(exit::DONE),
        false => Err(named(faults)),
    };
    if path.extension().is_some_and(|extension| extension == "toml") {
        let config = Config::read(path).map_err(named)?;
        // What a pipeline names is part of it.
        let inputs = inputs::gather(&config)?;
        return Ok(tell_foreseen(&config, &inputs, |_| Vec::new()));
    }
    if is_declaration(path) {
        let (declaration, _) = declaration::read(path).map_err(named)?;
        return all_well(declaration::check_alone(&declaration));
    }
    let sensors = inputs::sensors(&[], &mut BTreeMap::new())?;
    let mut faults = scene::check_stac(path, &sensors);
    if let Ok(mut catalogue) = scene::read_stac(path, &sensors) {
        // What the catalogue itself refuses is among the faults.
        catalogue.refused.clear();
        let opened = inputs::opened(catalogue, &sensors, &formats::allowed(&[]), &[]);
        tell_notes(&opened.scenes);
        let of_files = |refused: &RefusedScene| Fault::new(&refused.id, &refused.reason);
        faults.extend(opened.refused.iter().map(of_files));
    }
    all_well(faults)
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
