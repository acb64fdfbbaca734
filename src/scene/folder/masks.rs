//! The masks of a folder of rasters: the quality band that it states, and bands that are masks by their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::intake;
use crate::scene::folder::spec::{FolderParams, Refused};
use crate::scene::sensor::{Sensor, Sensors};
use crate::scene::{Coding, QualityAsset};

/// Places, from 0, of bands that are masks, and what they mean where the folder's sensor tells.
pub(in crate::scene) type Masks = BTreeMap<usize, Option<Coding>>;

/// Of the bands that are named, those that are masks by their names.
pub(in crate::scene) fn masks(spec: &FolderParams, sensor: &Sensor, sensors: &Sensors) -> Masks {
    let mask = |(at, name): (usize, &String)| match sensor.mask(name).filter(|_| sensor.band(name).is_none()) {
        Some(coding) => Some((at, Some(coding.clone()))),
        None => sensors.of_mask(name).map(|_| (at, None)),
    };
    spec.bands.iter().enumerate().filter_map(mask).collect()
}

/// The file that holds the quality band of `file`; `None` where its name does not tell.
pub(in crate::scene) fn quality_file(file: &Path, spec: &FolderParams) -> Option<PathBuf> {
    let Some([from, to]) = &spec.quality_file else {
        return Some(file.to_path_buf());
    };
    let name = file.file_name()?.to_str()?;
    name.contains(from.as_str())
        .then(|| file.with_file_name(name.replace(from.as_str(), to)))
}

/// The quality bands of `file`: the one that the folder states, then those that its bands' names tell.
///
/// # Errors
/// The quality file is not there, or its name cannot be told.
pub(in crate::scene) fn quality_assets(
    file: &Path,
    spec: &FolderParams,
    coding: Option<&Coding>,
    masks: &Masks,
) -> Result<Vec<QualityAsset>, Refused> {
    let asset = |path: PathBuf, index: usize, coding: &Coding| QualityAsset {
        path,
        index,
        coding: coding.clone(),
        nodata: Vec::new(),
        stated: None,
    };
    let named = masks
        .iter()
        .filter_map(|(at, coding)| Some(asset(file.to_owned(), at + 1, coding.as_ref()?)));
    let (Some(index), Some(coding)) = (spec.quality_index(), coding) else {
        return Ok(named.collect());
    };
    let path = quality_file(file, spec)
        .filter(|path| spec.quality_file.is_none() || path != file)
        .ok_or_else(|| {
            let part = spec.quality_file.as_ref().map_or("", |[from, _]| from);
            Refused::by_rule(format!(
                "its name does not contain `{part}`, so that the name of its quality file is not known"
            ))
        })?;
    let wrong = match intake::about(&path) {
        Ok(Some(about)) if about.is_file() => None,
        Ok(_) => Some(format!("its quality file {} does not exist", path.display())),
        Err(error) => Some(format!("cannot read its quality file {}: {error}", path.display())),
    };
    if let Some(reason) = wrong {
        return Err(Refused::unreadable(reason));
    }
    let stated = asset(path, index, coding);
    let others = named.filter(|one| (&one.path, one.index) != (&stated.path, stated.index));
    let others: Vec<QualityAsset> = others.collect();
    Ok([vec![stated], others].concat())
}
