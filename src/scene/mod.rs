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
mod tests {
    use super::*;
    use crate::raster::flags;
    use std::path::Path;

    /// Real imagery lies beside the repository, or where `SITEWATCH_IMAGERY` says.
    fn imagery(set: &str) -> Option<Catalogue> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/imagery");
        let root = std::env::var_os("SITEWATCH_IMAGERY").map_or(beside, PathBuf::from);
        let items = root.join(set).join("items.json");
        if !items.is_file() {
            println!("skipped: no {}", items.display());
            return None;
        }
        let catalogue = read_stac(&items, &Sensors::embedded().unwrap()).unwrap();
        for scene in &catalogue.scenes {
            println!("{set} {} {} {}/{}", scene.id, scene.sensor, scene.start, scene.end);
            println!(
                "  {:?} {:?} {:?} cloud {:?}",
                scene.platform, scene.relative_orbit, scene.pass, scene.cloud_fraction
            );
            for band in &scene.bands {
                println!("  {band:?}");
            }
            for quality in &scene.quality {
                println!("  {quality:?}");
            }
        }
        for refusal in &catalogue.refused {
            println!("{set} REFUSED {} {}", refusal.id, refusal.reason);
        }
        Some(catalogue)
    }

    fn names(scene: &Scene) -> String {
        scene
            .bands
            .iter()
            .map(|band| band.name.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn pairs(catalogue: &Catalogue) -> Vec<String> {
        let selection = select(
            &catalogue.scenes,
            &select::tests::all_shown(&catalogue.scenes),
            Which::EveryConsecutivePair,
            &Filter::default(),
        );
        let id = |at: usize| catalogue.scenes[at].id.as_str();
        selection
            .pairs
            .iter()
            .map(|(before, after)| format!("{} {}", id(*before), id(*after)))
            .collect()
    }

    /// Each scene has this sensor, these bands and this scale and offset.
    fn all_are(catalogue: &Catalogue, sensor: &str, bands: &str, scale: f64, offset: f64) {
        for scene in &catalogue.scenes {
            assert_eq!(scene.sensor, sensor, "{}", scene.id);
            assert_eq!(names(scene), bands, "{}", scene.id);
            assert!(
                scene
                    .bands
                    .iter()
                    .all(|band| band.scale == scale && band.offset == offset),
                "{}",
                scene.id
            );
            assert!(scene.footprint.is_some() && scene.bands.iter().all(|band| band.path.is_file()));
        }
    }

    const MSI: &str = "coastal blue green red rededge071 rededge075 rededge078 nir nir08 nir09 cirrus swir16 swir22";

    #[test]
    fn a_day_ends_before_the_next_begins() {
        let last = |start: &str, end: &str| last_second(start.parse().unwrap(), end.parse().unwrap()).to_string();
        let day = "2015-07-04T00:00:00Z";
        assert_eq!(last(day, "2015-07-05T00:00:00Z"), "2015-07-04T23:59:59Z");
        assert_eq!(last(day, day), day, "an instant");
        assert_eq!(last(day, "2015-07-05T00:00:01Z"), "2015-07-05T00:00:01Z");
    }

    #[test]
    fn a_band_has_the_unit_of_its_physical_values() {
        let reflectance = BandAsset {
            valid: Some([0.0, 1.0]),
            scale: 1e-4,
            ..BandAsset::default()
        };
        let power = BandAsset {
            decibel: true,
            scale: 1.0,
            ..BandAsset::default()
        };
        let raw = BandAsset {
            scale: 1.0,
            ..BandAsset::default()
        };
        let index = BandAsset {
            derived: true,
            ..raw.clone()
        };
        assert_eq!(reflectance.unit(Kind::Optical), Some("reflectance"));
        assert_eq!(power.unit(Kind::Sar), Some("dB"));
        assert_eq!(raw.unit(Kind::Optical), Some("digital numbers"));
        assert_eq!((index.unit(Kind::Optical), raw.unit(Kind::Sar)), (None, None));
    }

    #[test]
    fn real_sentinel_2_l1c_pairs() {
        let Some(oscd) = imagery("oscd") else { return };
        // Two dates of each city; the set has grown.
        assert!(oscd.scenes.len() >= 12 && oscd.scenes.len().is_multiple_of(2));
        assert_eq!(oscd.refused, []);
        all_are(&oscd, "sentinel-2-l1c", MSI, 0.0001, 0.0);
        let band = &oscd.scenes[0].bands[0];
        assert_eq!(
            (band.nodata.clone(), band.saturated, band.valid),
            (vec![0.0], Some(28000.0), Some([0.0, 1.0]))
        );
        // Cities apart do not pair.
        let pairs = pairs(&oscd);
        for city in ["abudhabi", "nantes", "pisa", "rennes"] {
            assert!(pairs.contains(&format!("oscd-{city}-1 oscd-{city}-2")), "{pairs:?}");
        }
    }

    #[test]
    fn real_sentinel_2_of_no_stated_product() {
        let Some(pair) = imagery("arosics_s2_pair") else { return };
        assert_eq!((pair.scenes.len(), pair.refused.len()), (2, 0));
        all_are(&pair, "generic", "green", 0.0001, 0.0);
        assert_eq!(
            (pair.scenes[0].bands[0].nodata.clone(), pair.scenes[0].bands[0].valid),
            (vec![0.0], Some([0.0, 1.0]))
        );
        assert_eq!(pairs(&pair), ["arosics-tgt arosics-ref"]);
    }

    #[test]
    fn real_patches_with_indices_are_scenes_and_compared_by_name() {
        let Some(patch) = imagery("eolearn_s2_patch") else {
            return;
        };
        assert_eq!((patch.scenes.len(), patch.refused.len()), (68, 0));
        let is_index = |scene: &&Scene| scene.bands.iter().all(|band| band.derived);
        let (indices, measured): (Vec<&Scene>, Vec<&Scene>) = patch.scenes.iter().partition(is_index);
        let part = |scenes: Vec<&Scene>| Catalogue::new(scenes.into_iter().cloned().collect(), vec![]);
        let (indices, measured) = (part(indices), part(measured));
        assert_eq!((indices.scenes.len(), measured.scenes.len()), (63, 5));
        all_are(&indices, "generic", "ndvi", 1.0, 0.0);
        all_are(&measured, "sentinel-2-l1c", &format!("{MSI} ndvi"), 1.0, 0.0);
        for scene in &patch.scenes {
            let ndvi = scene.bands.last().unwrap();
            assert!(ndvi.derived && scene.bands.iter().filter(|band| band.derived).count() == 1);
            assert_eq!(
                (scene.kind, ndvi.valid, ndvi.noise),
                (Kind::Optical, Some([-1.0, 1.0]), None)
            );
            let [quality] = &scene.quality[..] else {
                panic!("{:?}", scene.quality)
            };
            assert!(quality.path.ends_with("cloud.tif"));
            assert_eq!(
                [0.0, 1.0].map(|raw| quality.coding.decode(raw)),
                [flags::CLEAR, flags::CLOUD]
            );
        }
        // By default as if there were no index at all.
        let compared = select(
            &patch.scenes,
            &select::tests::all_shown(&patch.scenes),
            Which::EveryConsecutivePair,
            &Filter::default(),
        );
        assert_eq!(pairs(&patch), pairs(&measured));
        assert_eq!((compared.pairs.len(), compared.refused.len()), (4, 63));
        assert!(
            compared.refused[0]
                .reason
                .starts_with("holds derived indices only (ndvi)")
        );
        let ndvi = Filter {
            bands: vec!["ndvi".into()],
            ..Filter::default()
        };
        let newest = patch.scenes.len() - 1;
        let shown = select::tests::all_shown(&patch.scenes);
        let (earlier, passed) = select::history(&patch.scenes, &shown, [newest - 1, newest], &ndvi.bands, &ndvi);
        assert_eq!((earlier.len(), passed.len()), (newest - 1, 0));
    }

    #[test]
    fn real_raw_numbers_are_no_collection_2() {
        if let Some(taizhou) = imagery("taizhou") {
            assert_eq!((taizhou.scenes.len(), taizhou.refused.len()), (2, 0));
            all_are(&taizhou, "generic", "blue green red nir swir16 swir22", 1.0, 0.0);
            assert_eq!(taizhou.scenes[0].bands[0].valid, None);
            assert_eq!(pairs(&taizhou), ["taizhou-2000 taizhou-2003"]);
        }
        if let Some(ucayali) = imagery("landsat_ucayali") {
            assert_eq!((ucayali.scenes.len(), ucayali.refused.len()), (8, 0));
            all_are(&ucayali, "generic", "swir16 nir red b4", 1.0, 0.0);
            assert_eq!(ucayali.scenes[0].bands[3].nodata, [0.0]);
            assert_eq!(pairs(&ucayali).len(), 7);
        }
        if let Some(juelich) = imagery("landsat7_juelich") {
            assert_eq!((juelich.scenes.len(), juelich.refused.len()), (2, 0));
            all_are(&juelich, "generic", "b1 b2 b3", 1.0, 0.0);
            assert_eq!(pairs(&juelich).len(), 1);
        }
        if let Some(esfahan) = imagery("aster_esfahan") {
            assert_eq!((esfahan.scenes.len(), esfahan.refused.len()), (2, 0));
            all_are(&esfahan, "generic", "green red nir", 1.0, 0.0);
            assert_eq!(pairs(&esfahan).len(), 1);
        }
    }

    #[test]
    fn real_backscatter() {
        if let Some(grd) = imagery("oscd_s1") {
            // The set has grown.
            assert!(grd.scenes.len() >= 26);
            assert_eq!(grd.refused, []);
            all_are(&grd, "sentinel-1-grd", "VV", 30.0, -25.0);
            assert!(
                grd.scenes
                    .iter()
                    .all(|scene| scene.kind == Kind::Sar && !scene.bands[0].decibel)
            );
            assert!(pairs(&grd).len() >= 13);
        }
        if let Some(rtc) = imagery("dist_s1_stack") {
            assert_eq!((rtc.scenes.len(), rtc.refused.len()), (88, 0));
            all_are(&rtc, "sentinel-1-rtc", "VV VH", 1.0, 0.0);
            assert!(
                rtc.scenes
                    .iter()
                    .all(|scene| { scene.bands.iter().all(|band| band.decibel && band.nodata[0].is_nan()) })
            );
            // 22 dates of four bursts in one track: bursts apart do not pair.
            let pairs = pairs(&rtc);
            let same_burst = pairs
                .iter()
                .filter(|pair| {
                    pair.split(' ')
                        .map(|id| &id[..15])
                        .collect::<Vec<_>>()
                        .windows(2)
                        .all(|two| two[0] == two[1])
                })
                .count();
            assert_eq!((same_burst, pairs.len()), (84, 84), "{pairs:#?}");
        }
    }

    #[test]
    fn real_alert_products_are_no_backscatter() {
        let Some(fire) = imagery("dist_s1_chile_fire") else {
            return;
        };
        assert_eq!((fire.scenes.len(), fire.refused.len()), (0, 10));
        assert!(fire.refused[0].reason.contains("holds no backscatter band"));
    }
}
