//! Everything that a run reads, gathered before a pixel is touched: declarations, scenes, and what each raster says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::config::{Config, FolderParams};
use crate::declaration::{self, Declared};
use crate::fault::Fault;
use crate::finding::RefusedScene;
use crate::io::formats;
use crate::io::open::{self, RasterInfo};
use crate::scene::{self, BandAsset, Catalogue, DateFrom, FolderQuality, FolderSpec, Refusal, Scene, Sensors};

/// The inputs of a run.
pub struct Inputs {
    /// Declarations, merged.
    pub declared: Declared,
    /// Scenes whose files can all be opened.
    pub scenes: Vec<Scene>,
    /// Scenes that cannot be used by any site, and why.
    pub refused: Vec<RefusedScene>,
    /// What each raster of `scenes` says of itself.
    pub infos: BTreeMap<PathBuf, RasterInfo>,
}

impl From<&Refusal> for RefusedScene {
    fn from(refusal: &Refusal) -> Self {
        Self {
            id: refusal.id.clone(),
            reason: refusal.reason.clone(),
        }
    }
}

/// The inputs that `config` names.
///
/// # Errors
/// Every fault of the declarations and of the catalogues as a whole; a bad scene is refused by name instead.
pub fn gather(config: &Config) -> Result<Inputs, Vec<Fault>> {
    let mut faults = Vec::new();
    let declared = declarations(&config.inputs.declarations)
        .map_err(|found| faults.extend(found))
        .ok();
    let catalogue = sensors(&config.inputs.sensors)
        .and_then(|sensors| catalogue(config, &sensors))
        .map_err(|found| faults.extend(found))
        .ok();
    let (Some(declared), Some(catalogue)) = (declared, catalogue) else {
        return Err(faults);
    };
    let mut refused: Vec<RefusedScene> = catalogue.refused.iter().map(Into::into).collect();
    let (mut scenes, mut infos) = (Vec::new(), BTreeMap::new());
    let mut failed: BTreeMap<PathBuf, String> = BTreeMap::new();
    let formats = formats::allowed(&config.inputs.formats);
    // An index that nobody compares neither spoils a scene nor belongs to its inputs.
    let is_used = |band: &BandAsset| !band.derived || config.compare.bands.contains(&band.name);
    for mut scene in catalogue.scenes {
        if scene.bands.iter().any(is_used) {
            scene.bands.retain(is_used);
        }
        for path in files(&scene) {
            if !infos.contains_key(&path) && !failed.contains_key(&path) {
                match open::info(&path, &formats) {
                    Ok(info) => drop(infos.insert(path, info)),
                    Err(error) => drop(failed.insert(path, error.to_string())),
                }
            }
        }
        match files(&scene).iter().find_map(|path| failed.get(path)) {
            Some(reason) => refused.push(RefusedScene {
                id: scene.id,
                reason: reason.clone(),
            }),
            None => scenes.push(scene),
        }
    }
    refused.sort();
    Ok(Inputs {
        declared,
        scenes,
        refused,
        infos,
    })
}

/// The files that hold a scene, each once.
pub fn files(scene: &Scene) -> BTreeSet<PathBuf> {
    scene
        .bands
        .iter()
        .map(|band| &band.path)
        .chain(scene.quality.iter().map(|quality| &quality.path))
        .cloned()
        .collect()
}

/// The declarations of `paths`, merged.
///
/// # Errors
/// Every fault, its place preceded by the file's name.
pub fn declarations(paths: &[PathBuf]) -> Result<Declared, Vec<Fault>> {
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        match declaration::read(path) {
            Ok((declaration, _)) => read.push(declaration),
            Err(found) => faults.extend(found.into_iter().map(|fault| in_file(path, fault))),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let name = match paths {
        [only] => only.clone(),
        _ => PathBuf::from("declarations"),
    };
    declaration::merge(read).map_err(|found| found.into_iter().map(|fault| in_file(&name, fault)).collect())
}

/// `fault` with the name of its file before its place.
pub fn in_file(path: &Path, fault: Fault) -> Fault {
    let file = path.display();
    let place = if fault.place.is_empty() {
        file.to_string()
    } else {
        format!("{file}: {}", fault.place)
    };
    Fault::new(place, fault.message)
}

/// The embedded sensors and those of `paths`.
///
/// # Errors
/// Every fault of a sensor file.
pub fn sensors(paths: &[PathBuf]) -> Result<Sensors, Vec<Fault>> {
    let mut sensors = Sensors::embedded().map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    for path in paths {
        if let Err(error) = sensors.add_file(path) {
            faults.push(Fault::new("", error.to_string()));
        }
    }
    if faults.is_empty() { Ok(sensors) } else { Err(faults) }
}

fn catalogue(config: &Config, sensors: &Sensors) -> Result<Catalogue, Vec<Fault>> {
    let (mut scenes, mut refused, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut take = |read: Result<Catalogue, scene::SceneError>| match read {
        Ok(catalogue) => {
            scenes.extend(catalogue.scenes);
            refused.extend(catalogue.refused);
        }
        Err(error) => faults.push(Fault::new("", error.to_string())),
    };
    for path in &config.inputs.stac {
        take(scene::read_stac(path, sensors));
    }
    let formats = formats::allowed(&config.inputs.formats);
    for folder in &config.inputs.folder {
        let tag = |path: &Path, name: &str| open::tag(path, name, &formats).map_err(|error| error.to_string());
        take(scene::read_folder(&folder_spec(folder), sensors, &tag));
    }
    if faults.is_empty() {
        Ok(Catalogue::new(scenes, refused))
    } else {
        Err(faults)
    }
}

fn folder_spec(folder: &FolderParams) -> FolderSpec {
    let date = match (&folder.date_pattern, &folder.date_tag) {
        (None, Some(tag)) => DateFrom::Tag(tag.clone()),
        (pattern, _) => DateFrom::FileName {
            pattern: pattern.clone().unwrap_or_default(),
            format: folder.date_format.clone().unwrap_or_else(|| "%Y%m%d".into()),
        },
    };
    FolderSpec {
        glob: folder.glob.clone(),
        bands: folder.bands.clone(),
        nodata: folder.nodata,
        scale: folder.scale,
        offset: folder.offset,
        sensor: folder.sensor.clone(),
        date,
        quality: folder
            .quality_band
            .or(folder.quality_file.is_some().then_some(1))
            .map(|index| FolderQuality {
                replace: folder.quality_file.clone(),
                index,
                coding: None,
            }),
    }
}
