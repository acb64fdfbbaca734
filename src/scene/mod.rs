//! What was acquired: scenes, their bands and quality bands, as catalogues or file names state them. No pixel is read here.

pub mod acquisition;
mod class_names;
mod coding;
pub mod file_band;
mod file_date;
mod filter;
pub mod fineness;
pub mod folder;
mod href;
mod no_data;
pub mod radiometry;
pub mod select;
pub mod sensor;
pub mod shown;
pub mod spectra;
pub mod stac;
pub mod statement;

pub use acquisition::Acquisition;
pub use coding::{BitRule, Coding};
pub use filter::{Filter, is_of_unknown_track};
pub use folder::ids::{literal_base, tell_apart};
pub use folder::{FolderParams, ReadTag, read_folder};
pub use select::{Selection, Which, select};
pub use sensor::{Sensor, Sensors};
pub use shown::Shown;
pub use stac::{check_stac, read_stac};
pub use statement::{Statement, Unit};

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::intake::IntakeError;
use crate::seal::digest::Digest;
use crate::seal::multihash::Multihash;
use statement::Statements;

/// No catalogue file larger than this is read.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// No catalogue with more items (or a folder with more files) than this is read.
pub const MAX_SCENES: usize = 100_000;

/// One acquisition: when, by what, and which files hold it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// The item's id, or the file's name.
    pub id: String,
    /// When the acquisition began, UTC.
    pub start: Timestamp,
    /// When it ended; equal to `start` for an instant.
    pub end: Timestamp,
    /// The id of the sensor among [`Sensors`].
    pub sensor: String,
    /// What the values are: reflected light or backscatter.
    pub kind: Kind,
    /// The collection of its item, or the pattern of its folder: scenes of one are of one product.
    pub collection: Option<String>,
    /// The satellite, as the item spells it.
    pub platform: Option<String>,
    /// The relative orbit (track).
    pub relative_orbit: Option<u32>,
    /// The direction of flight.
    pub pass: Option<Pass>,
    /// What its item says of the pass that it is a piece of: its datatake, orbit, path or strip; equal for pieces of one.
    pub overpass: Option<String>,
    /// Cloud over the whole scene, 0 to 1.
    pub cloud_fraction: Option<f64>,
    /// The footprint, WGS 84, longitude first.
    pub footprint: Option<::geo::MultiPolygon<f64>>,
    /// The measured bands, in the sensor's order where it has one, then the derived ones by name; only derived ones where the item has no others.
    pub bands: Vec<BandAsset>,
    /// Bands that it has beside these, but not here.
    pub absent: Vec<AbsentBand>,
    /// What whoever reads a comparison of it should know.
    pub notes: Vec<String>,
    /// The quality bands; no two code the same reason unless one of them codes another as well, or they are bands of one file.
    pub quality: Vec<QualityAsset>,
    /// The item's file, or the raster.
    pub source: PathBuf,
    /// The address of the item on the web, where it says so itself.
    pub href: Option<String>,
}

/// One band: where it lies and how raw values become physical ones.
///
/// `physical = raw * scale + offset`, then `10 log10` where `decibel`, then clipped to `valid`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BandAsset {
    /// The STAC common name, or the product's own band name where there is none.
    pub name: String,
    /// The raster.
    pub path: PathBuf,
    /// The band in the raster, from 1.
    pub index: usize,
    /// Physical units per raw unit.
    pub scale: f64,
    /// Physical value of raw 0.
    pub offset: f64,
    /// The raw values that mean no data, as item, sensor and pipeline state them, each once; may hold NaN.
    #[serde(with = "no_data")]
    pub nodata: Vec<f64>,
    /// The value is linear power and is to be turned into decibels.
    pub decibel: bool,
    /// The raw value at and above which the pixel is saturated.
    pub saturated: Option<f64>,
    /// The physical range that values are clipped to (decibels where `decibel`).
    pub valid: Option<[f64; 2]>,
    /// Typical noise of one value, physical units (decibels where `decibel`).
    pub noise: Option<f64>,
    /// What comes to it, as a part of the value.
    pub noise_fraction: f64,
    /// The band is an index computed from others (`ndvi`, ...), to be compared only where it is asked for by name ([`Filter::compares`]).
    pub derived: bool,
    /// What its item states of the raster.
    pub stated: Option<Checksum>,
    /// What is stated of its raw values, from which scale, offset, nodata, decibel and saturation are [settled](BandAsset::settle).
    pub radiometry: Statements,
}

/// The end of a time that began at `start`: where it is the midnight with which the next day begins, the second before, so that a scene of a day
/// is told as of that day.
fn last_second(start: Timestamp, end: Timestamp) -> Timestamp {
    const DAY_S: i64 = 24 * 60 * 60;
    let is_midnight = end.as_second().rem_euclid(DAY_S) == 0 && end.subsec_nanosecond() == 0;
    if end > start && is_midnight {
        end - SignedDuration::from_secs(1)
    } else {
        end
    }
}

impl BandAsset {
    /// The unit of its physical values, of a scene of that `kind`; `None` where they have none, or nothing tells it.
    pub fn unit(&self, kind: Kind) -> Option<&'static str> {
        let stated = [&self.radiometry.pipeline, &self.radiometry.item].map(|one| one.unit);
        let is_decibel = self.decibel || stated.into_iter().flatten().next() == Some(Unit::Decibel);
        match kind {
            _ if self.derived => None,
            Kind::Sar => is_decibel.then_some("dB"),
            Kind::Optical if self.valid == Some([0.0, 1.0]) => Some("reflectance"),
            Kind::Optical => ((self.scale, self.offset) == (1.0, 0.0)).then_some("digital numbers"),
        }
    }
}

/// A band that a scene should have and that cannot be read: its file lies elsewhere or is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentBand {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// It should be there and is not; false where it lies elsewhere.
    pub unreadable: bool,
    /// It is an index computed from others.
    pub derived: bool,
}

/// What an item states of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// Its size.
    pub bytes: Option<u64>,
    /// A hash of its bytes.
    pub hash: Option<Multihash>,
}

/// One band that says why pixels cannot be judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityAsset {
    /// The raster.
    pub path: PathBuf,
    /// The band in the raster, from 1.
    pub index: usize,
    /// What its values mean.
    pub coding: Coding,
    /// The values that mean no data by its item; may hold NaN.
    #[serde(with = "no_data")]
    pub nodata: Vec<f64>,
    /// What its item states of the raster.
    pub stated: Option<Checksum>,
}

/// What a sensor measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Reflected light, or numbers that stand for it.
    #[default]
    Optical,
    /// Radar backscatter.
    Sar,
}

/// The direction of flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// Northward.
    Ascending,
    /// Southward.
    Descending,
}

impl Pass {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

/// A scene (or a part of a catalogue) that is not used, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The scene's id; the place in the catalogue where it has none.
    pub id: String,
    /// The item's file, or the raster.
    pub source: PathBuf,
    /// Why.
    pub reason: String,
    /// A file of it should be readable and is not (gone, forbidden, damaged), so that it may come back; false where it is refused by rule.
    pub unreadable: bool,
}

impl SceneError {
    /// Whether a file should be readable and is not.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_unreadable())
    }
}

/// What was found: usable scenes by start and id, and what was refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Catalogue {
    /// Ordered by start, then id.
    pub scenes: Vec<Scene>,
    /// In the order in which they were met.
    pub refused: Vec<Refusal>,
    /// Every catalogue file that was read, by the path that its scenes have as `source`.
    #[serde(skip)]
    pub read: BTreeMap<PathBuf, Digest>,
}

impl Catalogue {
    /// The catalogue in its fixed order, each id once: of scenes with one id the first (by start, then source) stays.
    pub fn new(mut scenes: Vec<Scene>, mut refused: Vec<Refusal>) -> Self {
        scenes.sort_by(|a, b| (a.start, &a.id, &a.source).cmp(&(b.start, &b.id, &b.source)));
        let mut first: BTreeMap<String, PathBuf> = BTreeMap::new();
        scenes.retain(|scene| match first.get(&scene.id) {
            None => {
                first.insert(scene.id.clone(), scene.source.clone());
                true
            }
            Some(source) => {
                refused.push(Refusal {
                    id: scene.id.clone(),
                    source: scene.source.clone(),
                    reason: format!(
                        "scene id `{}` is given twice, in {} (used) and in {} (refused): give each scene its own id",
                        scene.id,
                        source.display(),
                        scene.source.display()
                    ),
                    unreadable: false,
                });
                false
            }
        });
        Self {
            scenes,
            refused,
            read: BTreeMap::new(),
        }
    }
}

/// Why no scenes can be had at all.
#[derive(Debug, thiserror::Error)]
pub enum SceneError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] IntakeError),
    /// The file is not what it should be.
    #[error("{}: {fault}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        fault: Fault,
    },
    /// Too many scenes.
    #[error("{}: more than {limit} scenes: split the catalogue", path.display())]
    TooMany {
        /// The catalogue or folder.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// A sensor file has faults.
    #[error("sensor file {name}: {}", join(faults))]
    Sensor {
        /// The file.
        name: String,
        /// All that is wrong.
        faults: Vec<Fault>,
    },
    /// The description of a folder is wrong.
    #[error("scenes folder: {0}")]
    Folder(Fault),
}

/// The faults as one line.
pub(crate) fn join(faults: &[Fault]) -> String {
    // Every band of a file that is missing has the same fault.
    let mut said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    said.dedup();
    said.join("; ")
}

#[cfg(test)]
mod tests;
