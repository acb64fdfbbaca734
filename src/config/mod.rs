//! The pipeline file: what to read, what to compare, with which parameters.
//!
//! `pipelines/default.toml` is embedded and is the only home of defaults; a user's file is laid over it.

mod check;
pub mod names;
mod read;
mod schema;
pub mod threads;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scene::{Filter, FolderParams, Pass, Which};
use crate::stage::coregister::CoregisterParams;
use crate::stage::cutoff::CutoffParams;
use crate::stage::detect::DetectParams;
use crate::stage::judge::JudgeParams;
use crate::stage::normalise::NormaliseParams;
use crate::stage::profile::Profiles;
use crate::stage::regions::RegionParams;
use crate::stage::screen::ScreenParams;
use crate::stage::sensitivity::SensitivityParams;

/// The defaults, as text.
pub const DEFAULTS: &str = include_str!("../../pipelines/default.toml");

/// A pipeline file over the defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is read.
    pub inputs: InputParams,
    /// Which scenes are compared.
    pub compare: CompareParams,
    /// The site grid.
    pub grid: GridParams,
    /// Which pixels can be judged.
    pub screen: ScreenParams,
    /// How dates are moved onto each other.
    pub coregister: CoregisterParams,
    /// Radiometric normalisation.
    pub normalise: NormaliseParams,
    /// The detector.
    pub detect: DetectParams,
    /// The cutoff.
    pub cutoff: CutoffParams,
    /// What is used where `[detect]` and `[cutoff]` leave it open.
    pub profile: Profiles,
    /// Regions.
    pub regions: RegionParams,
    /// Verdicts.
    pub judge: JudgeParams,
    /// The minimum detectable change.
    pub sensitivity: SensitivityParams,
    /// Pictures.
    pub report: ReportParams,
    /// Threads and memory: they change no byte of a report.
    pub compute: ComputeParams,
    /// The folder of the pipeline file, from which the record names the inputs.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// `[inputs]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputParams {
    /// GeoJSON files.
    pub declarations: Vec<PathBuf>,
    /// STAC files.
    pub stac: Vec<PathBuf>,
    /// Sensor files.
    pub sensors: Vec<PathBuf>,
    /// Formats that are read beside the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<String>,
    /// Folders of rasters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folder: Vec<FolderParams>,
}

impl InputParams {
    /// Replaces every path by what `change` makes of it.
    pub fn change_paths(&mut self, change: impl Fn(&Path) -> PathBuf) {
        let files = self
            .declarations
            .iter_mut()
            .chain(&mut self.stac)
            .chain(&mut self.sensors);
        files.for_each(|path| *path = change(path));
        for folder in &mut self.folder {
            // What stands before the pattern is a path, whatever its characters mean in a pattern.
            let glob = PathBuf::from(&folder.glob);
            let base = folder.base();
            folder.base = change(&base);
            let below = glob.strip_prefix(&base).unwrap_or(&glob);
            folder.glob = folder.base.join(below).display().to_string();
        }
    }
}

/// `[compare]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareParams {
    /// Which pairs.
    pub which: Which,
    /// First and last day of the period, UTC.
    pub period: Option<[String; 2]>,
    /// Bands to compare.
    pub bands: Vec<String>,
    /// Largest distance of the days of the year.
    #[schemars(range(min = 0.0, max = 183.0), extend("unit" = "days"))]
    pub max_season_distance_days: Option<f64>,
    /// Cloudier scenes are refused.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_cloud_fraction: f64,
    /// Sensors to use.
    pub sensors: Vec<String>,
    /// Platforms to use.
    pub platforms: Vec<String>,
    /// Relative orbits to use.
    pub relative_orbits: Vec<u32>,
    /// Pass to use.
    pub pass: Option<Pass>,
    /// First day.
    pub from: Option<String>,
    /// Day after the last.
    pub to: Option<String>,
}

/// `[grid]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridParams {
    /// `utm` or `EPSG:n`.
    pub crs: String,
    /// Edge of a pixel.
    #[schemars(range(min = 0.01, max = 10_000.0), extend("unit" = "metres"))]
    pub pixel_m: Option<f64>,
    /// Ground around the boundary.
    #[schemars(range(min = 0.0, max = 100_000.0), extend("unit" = "metres"))]
    pub margin_m: f64,
}

/// `[report]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportParams {
    /// Anomalies of a comparison that report.html shows.
    #[schemars(range(min = 0, max = 10_000))]
    pub max_shown: usize,
    /// Longer edge of the site's picture.
    #[schemars(range(min = 16, max = 8_000), extend("unit" = "pixels"))]
    pub overview_px: usize,
}

/// `[compute]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeParams {
    /// Worker threads.
    #[schemars(range(min = 0, max = 1024))]
    pub threads: usize,
    /// Budget.
    #[schemars(range(min = 128, max = 10_000_000), extend("unit" = "MiB"))]
    pub memory_mib: u64,
    /// Largest edge of a tile.
    #[schemars(range(min = 16, max = 8_192), extend("unit" = "pixels"))]
    pub tile_px: usize,
}

impl ComputeParams {
    /// Room for decoded blocks, MiB: a fifth of the budget. Three rows of blocks of half the width of a pair of whole Sentinel-2 tiles
    /// (512 px, four bands and quality, two bytes) take 195 MiB.
    pub fn blocks_mib(&self) -> u64 {
        self.memory_mib / 5
    }
}

impl CompareParams {
    /// Which scenes, and which pairs of them, it lets be compared.
    pub fn filter(&self) -> Filter {
        let day = |text: &Option<String>| text.as_deref().and_then(|text| instant(text).ok());
        let days = |[first, last]: &[String; 2]| Some([instant(first).ok()?, next_day(last).ok()?]);
        Filter {
            max_season_distance_days: self.max_season_distance_days,
            max_cloud_fraction: Some(self.max_cloud_fraction),
            sensors: self.sensors.clone(),
            platforms: self.platforms.clone(),
            relative_orbits: self.relative_orbits.clone(),
            bands: self.bands.clone(),
            pass: self.pass,
            period: self.period.as_ref().and_then(days),
            from: day(&self.from),
            to: day(&self.to),
        }
    }
}

/// The first instant of a day (`2020-01-31`) or an RFC 3339 instant, UTC.
pub fn instant(text: &str) -> Result<Timestamp, jiff::Error> {
    text.parse::<Timestamp>()
        .or_else(|_| Ok(text.parse::<Date>()?.to_zoned(TimeZone::UTC)?.timestamp()))
}

fn next_day(text: &str) -> Result<Timestamp, jiff::Error> {
    match text.parse::<Date>() {
        Ok(day) => Ok(day.tomorrow()?.to_zoned(TimeZone::UTC)?.timestamp()),
        Err(_) => instant(text),
    }
}
