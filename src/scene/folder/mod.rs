//! A folder of rasters, one scene a file: bands in order, the date from the file's name or a tag.

mod dates;
mod described;
pub mod ids;
mod masks;
mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use glob::Pattern;

use crate::fault::{Fault, one_line};
use crate::intake::{IntakeError, names};
use crate::scene::file_band::misnamed;
pub use crate::scene::folder::dates::ReadTag;
use crate::scene::folder::described::Described;
use crate::scene::folder::ids::scene_id;
use crate::scene::folder::masks::{quality_assets, quality_file};
pub use crate::scene::folder::spec::FolderParams;
use crate::scene::folder::spec::Refused;
use crate::scene::sensor::{Sensor, Sensors};
use crate::scene::{BandAsset, Catalogue, MAX_SCENES, Refusal, Scene, SceneError};

/// The scenes of a folder. `read_tag` is asked for dates that a tag holds.
///
/// A file without a readable date, or without its quality file, is refused by name, as is the glob that no file matches; the rest goes on.
///
/// # Errors
/// The description itself is wrong (glob, pattern, sensor, bands), or more than [`MAX_SCENES`] do.
pub fn read_folder(spec: &FolderParams, sensors: &Sensors, read_tag: &ReadTag) -> Result<Catalogue, SceneError> {
    let described = Described::of(spec, sensors).map_err(SceneError::Folder)?;
    let files = files(spec)?;
    if files.is_empty() {
        return Ok(Catalogue::new(Vec::new(), vec![no_file(spec)]));
    }
    let files = without_quality_files(files, spec);
    let misnamed = misnamed_files(&files, spec, described.sensor, sensors);
    let base = spec.base();
    let (mut scenes, mut refused) = (Vec::new(), Vec::new());
    for file in files {
        let id = scene_id(&file, &base);
        match scene(&described, &file, &id, misnamed.get(&file), read_tag) {
            Ok(scene) => scenes.push(scene),
            Err(why) => refused.push(Refusal {
                id: one_line(&id).into_owned(),
                source: file,
                reason: one_line(&why.reason).into_owned(),
                unreadable: why.unreadable,
            }),
        }
    }
    Ok(Catalogue::new(scenes, refused))
}

/// The scene that `file` holds.
///
/// # Errors
/// It holds none, is `misnamed`, or cannot be read.
fn scene(
    described: &Described,
    file: &Path,
    id: &str,
    misnamed: Option<&String>,
    read_tag: &ReadTag,
) -> Result<Scene, Refused> {
    check_file(file, id)?;
    let (start, end) = described.dates.interval(file, read_tag)?;
    if let Some(why) = misnamed {
        return Err(Refused::by_rule(why.clone()));
    }
    let spec = described.spec;
    let bands = described.bands.iter().map(|band| BandAsset {
        path: file.to_owned(),
        ..band.clone()
    });
    Ok(Scene {
        id: id.to_owned(),
        start,
        end,
        sensor: described.sensor.id.clone(),
        kind: described.kind,
        collection: Some(spec.glob.clone()),
        platform: None,
        relative_orbit: None,
        href: None,
        pass: None,
        overpass: None,
        cloud_fraction: None,
        footprint: None,
        bands: bands.collect(),
        absent: Vec::new(),
        notes: described.notes.clone(),
        quality: quality_assets(file, spec, described.coding.as_ref(), &described.masks)?,
        source: file.to_owned(),
    })
}

/// That no file matches. Nothing may have come yet, or what was there is gone: a report that stands stays.
fn no_file(spec: &FolderParams) -> Refusal {
    Refusal {
        id: one_line(&spec.glob).into_owned(),
        source: PathBuf::from(&spec.glob),
        reason: "no file matches: check the folder and the pattern, if scenes should be there already".into(),
        unreadable: true,
    }
}

/// Those of `files` that are no other's quality file, which may match the glob as well.
fn without_quality_files(mut files: Vec<PathBuf>, spec: &FolderParams) -> Vec<PathBuf> {
    let beside = |file: &PathBuf| quality_file(file, spec);
    let quality_files: BTreeSet<PathBuf> = files
        .iter()
        .filter_map(|file| beside(file).filter(|other| other != file))
        .collect();
    files.retain(|file| !quality_files.contains(file));
    files
}

/// Looks at the name of `file`, and whether it is a file at all: a link may lead nowhere, and a pipe would be waited for.
fn check_file(file: &Path, id: &str) -> Result<(), Refused> {
    names::id(id).map_err(|wrong| Refused::by_rule(format!("its name {wrong}")))?;
    match std::fs::metadata(file) {
        Ok(about) if about.is_file() => Ok(()),
        Ok(_) => Err(Refused::by_rule("it is not a regular file")),
        Err(error) => Err(Refused::unreadable(format!("cannot read {}: {error}", file.display()))),
    }
}

/// The files that match, in the order of their paths.
fn files(spec: &FolderParams) -> Result<Vec<PathBuf>, SceneError> {
    let below = Path::new(&spec.glob).strip_prefix(&spec.base).ok();
    let escaped = below
        .filter(|_| !spec.base.as_os_str().is_empty())
        .map(|below| Path::new(&Pattern::escape(&spec.base.to_string_lossy())).join(below));
    let pattern = escaped.map_or(spec.glob.clone(), |escaped| escaped.to_string_lossy().into_owned());
    let wrong = |message: String| SceneError::Folder(Fault::new("glob", message));
    let mut files = Vec::new();
    for entry in glob::glob(&pattern).map_err(|error| wrong(format!("`{}`: {error}", spec.glob)))? {
        let path = entry.map_err(|error| {
            let path = error.path().to_owned();
            IntakeError::system(&path, error.into())
        })?;
        // What cannot be looked at is kept, to be refused by name.
        let is_folder = std::fs::metadata(&path).is_ok_and(|about| about.is_dir());
        if !is_folder {
            files.push(path);
        }
        if files.len() > MAX_SCENES {
            return Err(SceneError::TooMany {
                path: PathBuf::from(&spec.glob),
                limit: MAX_SCENES,
            });
        }
    }
    files.sort();
    Ok(files)
}

/// The files whose names tell another band than the one that they are said to hold. The names of files with several bands tell none.
fn misnamed_files(
    files: &[PathBuf],
    spec: &FolderParams,
    sensor: &Sensor,
    sensors: &Sensors,
) -> BTreeMap<PathBuf, String> {
    let [band] = &spec.bands[..] else {
        return BTreeMap::new();
    };
    let known: Vec<&Sensor> = match sensor.bands.is_empty() {
        true => sensors.iter().collect(),
        false => vec![sensor],
    };
    misnamed(files, band, &known)
}

#[cfg(test)]
mod tests;
