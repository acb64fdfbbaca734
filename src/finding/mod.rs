//! What we say: anomalies, declared activities and coverage. `report.json` is [`SiteReport`], serialised, `run.json` is [`RunRecord`].
//!
//! What is decided is a value here, and a sentence in `report::english`. Numbers are rounded ([`crate::number`]) before they are stored, so that a report
//! is the same text wherever it is made. Fields stand
//! in the order of the alphabet, and so do the keys of report.json; what is not known is absent, never `null`.

mod geometry;
mod measured;
mod run;
mod sensitivity;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use geometry::Geometry;
pub use measured::{
    BandFit, CutoffRecord, CutoffRefusal, DetectorFit, HeldOut, Normalisation, RegistrationOutcome, RegistrationRecord,
    TailRecord,
};
pub use run::{RUN_VERSION, RunRecord, SiteOutcome, StageSeconds};
pub use sensitivity::{AreaSensitivity, ChangeSensitivity, DetectableSize, DetectionCurve, Sensitivity, Tried};

use crate::declaration::{RefusedFeature, Role, What};
use crate::geo::Grid;
use crate::scene::Pass;
use crate::stage::detect::{Detector, Direction, Rule};
pub use crate::stage::verdict::{Evidence, Fact, Topic, VERDICTS, Verdict, WindowRelation};

/// Version of the report's form: raised when a field changes its meaning or goes.
pub const REPORT_VERSION: &str = "2.0";

/// A time span `[start, end]` in UTC, RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Latest instant.
    pub end: Timestamp,
    /// Earliest instant.
    pub start: Timestamp,
}

/// A change of one band inside an anomaly, after normalisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BandChange {
    /// STAC common name of the band.
    pub band: String,
    /// Mean of after minus normalised before, in `unit`.
    pub mean: f64,
    /// The same in sigma of the band's no-change noise.
    pub mean_sigma: f64,
    /// The unit of `mean`: `reflectance`, `dB` or `digital numbers`; absent where it has none, as an index has, or nothing tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A region of change, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Anomaly {
    /// Declared activities whose area it touches.
    pub activities: Vec<String>,
    /// Area on the WGS 84 ellipsoid, square metres.
    pub area_m2: f64,
    /// The rectangle of pixels around it: x, y, width, height on the site grid.
    pub bounds_px: [i64; 4],
    /// `[longitude, latitude]` of its centroid.
    pub centroid: [f64; 2],
    /// Change per band.
    pub change: Vec<BandChange>,
    /// How the ground went through the series before; absent where the detector does not follow one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<CourseRecord>,
    /// When the change happened: not before the earlier scene, not after the later one.
    pub dates: Interval,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// Its outline.
    pub geometry: Geometry,
    /// Stable id: a hash of site, scenes and place.
    pub id: String,
    /// Mean score, sigma.
    pub mean_sigma: f64,
    /// Probability that a cluster of pixels without change peaks as high, by the tail of the comparison; absent in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// Highest score, sigma.
    pub peak_sigma: f64,
    /// Pixels of the site grid.
    pub pixels: u64,
    /// Expected share of false ones among the anomalies of the comparison that peak as high or higher (Benjamini and Hochberg).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q_value: Option<f64>,
    /// The judgement.
    pub verdict: Verdict,
    /// What each detector says of it; empty where one decides alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
    /// Declared zones that it touches.
    pub zones: Vec<String>,
}

/// How ground went through a series of radar scenes: what most of its pixels show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CourseRecord {
    /// How often it changed.
    pub changes: u64,
    /// Which way it changed last.
    pub direction: Direction,
    /// When it changed first: between these instants.
    pub first: Interval,
}

/// What one of several detectors says of an anomaly: dissent is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vote {
    /// Which detector.
    pub detector: Detector,
    /// Whether it finds it: its mean score is two sigma or more. Absent where it could not judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finds: Option<bool>,
    /// Its mean score, sigma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_sigma: Option<f64>,
}

/// What became of a declared activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActivityFinding {
    /// Anomalies in its area and window.
    pub anomalies: Vec<String>,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// Its area, as declared.
    pub geometry: Geometry,
    /// The activity's id.
    pub id: String,
    /// When it was notified.
    pub notified: Timestamp,
    /// The fraction of its area that was observed in the comparisons that overlap its window.
    pub observed_fraction: f64,
    /// `consistent` (seen), `declared_not_seen`, `not_observable`, or `inconclusive` (its window is still open).
    pub verdict: Verdict,
    /// What was declared.
    pub what: What,
    /// Its window, half-open.
    pub window: Interval,
}

/// How much of an area was observed, and why the rest was not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Pixels that could not, by the first reason that applies; they add up to `pixels - observed`.
    pub not_observed: BTreeMap<String, u64>,
    /// Pixels that could be judged.
    pub observed: u64,
    /// `observed / pixels`.
    pub observed_fraction: f64,
    /// Pixels of the area.
    pub pixels: u64,
}

/// Coverage of a declared zone. Its own fields stand around those of the coverage, by the alphabet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ZoneCoverage {
    /// The zone as declared.
    pub geometry: Geometry,
    /// The zone's id.
    pub id: String,
    /// How much of it was observed.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// What it is declared to be.
    pub role: Role,
}

/// How pixels of a band came onto the site grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// As they are: the grid has the lattice of the raster.
    Window,
    /// Resampled.
    Resampled,
}

impl Alignment {
    /// The word that stands for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Resampled => "resampled",
        }
    }
}

/// A piece of an acquisition: a tile of an overpass, a row of a path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PieceRecord {
    /// The address of its STAC Item on the web, where the item gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// The scene's id.
    pub id: String,
}

/// A scene that was compared, or several that are pieces of one acquisition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SceneRecord {
    /// When it was acquired.
    pub acquired: Interval,
    /// How its pixels came onto the site grid, per band.
    pub alignment: BTreeMap<String, Alignment>,
    /// The address of its STAC Item on the web, where the item gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// The scene's id; those of all pieces, joined by `+`.
    pub id: String,
    /// Direction of flight, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
    /// Its pieces, where it has several: a pixel is that of the first in which it can be judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<PieceRecord>,
    /// Platform, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Relative orbit, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_orbit: Option<u32>,
    /// Sensor id of the sensor files.
    pub sensor: String,
}

impl SceneRecord {
    /// Id and address of each scene that it is made of.
    pub fn parts(&self) -> Vec<(&str, Option<&str>)> {
        let alone = (self.id.as_str(), self.href.as_deref());
        let pieces = self
            .pieces
            .iter()
            .map(|piece| (piece.id.as_str(), piece.href.as_deref()));
        std::iter::once(alone)
            .filter(|_| self.pieces.is_empty())
            .chain(pieces)
            .collect()
    }
}

/// Why most scenes of a large catalogue are not used on a site.
pub const NOT_COVERING: &str = "it does not cover the site";

/// How the note of a comparison begins that tells why its dates were not compared.
pub const NOT_COMPARED: &str = "not compared: ";

/// A scene that was not used, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RefusedScene {
    /// The scene's id or file.
    pub id: String,
    /// Why, and what to do.
    pub reason: String,
    /// It should be readable and is not: what it shows is not known. Absent where it is refused by rule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

/// Two scenes compared on a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Id of the later scene.
    pub after: String,
    /// What was found, strongest first.
    pub anomalies: Vec<Anomaly>,
    /// Band of score.tif and flags.tif, from 1.
    pub band: usize,
    /// Id of the earlier scene.
    pub before: String,
    /// Coverage of the site.
    pub coverage: Coverage,
    /// Cutoff; absent when nothing could be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<CutoffRecord>,
    /// When a change that is seen here happened.
    pub dates: Interval,
    /// Detectors that gave the scores.
    pub detectors: Vec<Detector>,
    /// Ids of the scenes before `before` that a series holds, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
    /// What the fits of the detectors say of themselves; those that say nothing are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fits: Vec<DetectorFit>,
    /// Normalisation; absent when nothing could be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalisation: Option<Normalisation>,
    /// What kept it from being judged, or what the reader should know.
    pub notes: Vec<String>,
    /// Whether enough of the site was observed to judge it.
    pub observable: bool,
    /// How its scenes lie beside each other; absent where that is not measured: radar, series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<RegistrationRecord>,
    /// The rule that joined the scores of several detectors; absent where one decides alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Which changes would have been found; absent where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// Coverage of each zone.
    pub zones: Vec<ZoneCoverage>,
}

/// A declaration that was in force or superseded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeclarationRecord {
    /// Under which agreement.
    pub agreement: String,
    /// Its id.
    pub id: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// Who declared.
    pub party: String,
    /// The declaration that it supersedes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
}

/// A file that went into the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// Its size.
    pub bytes: u64,
    /// Path relative to the pipeline file.
    pub path: String,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
}

/// What made the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Version of GDAL.
    pub gdal: String,
    /// Version of PROJ.
    pub proj: String,
    /// Version of sitewatch.
    pub sitewatch: String,
}

/// The site grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GridRecord {
    /// CRS as `EPSG:n`.
    pub crs: String,
    /// Rows.
    pub height: usize,
    /// Easting of the left edge, metres.
    pub left_m: f64,
    /// Edge of a pixel, metres.
    pub pixel_m: f64,
    /// Northing of the top edge, metres.
    pub top_m: f64,
    /// Columns.
    pub width: usize,
}

impl From<&GridRecord> for Grid {
    fn from(record: &GridRecord) -> Self {
        Self {
            crs: record.crs.clone(),
            left_m: record.left_m,
            top_m: record.top_m,
            pixel_m: record.pixel_m,
            width: record.width,
            height: record.height,
        }
    }
}

/// The site as declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteRecord {
    /// Area of its boundary on the ellipsoid, square metres.
    pub area_m2: f64,
    /// Its boundary.
    pub geometry: Geometry,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Everything that is said about one site: the record of which every other file is a rendering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteReport {
    /// What became of each declared activity.
    pub activities: Vec<ActivityFinding>,
    /// The comparisons, oldest first.
    pub comparisons: Vec<Comparison>,
    /// Declarations that were read, by date of issue.
    pub declarations: Vec<DeclarationRecord>,
    /// The site grid; absent when no scene could be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<GridRecord>,
    /// Files that went in.
    pub inputs: Vec<Input>,
    /// Parameters in force: the pipeline file over the defaults.
    pub parameters: serde_json::Value,
    /// What made it.
    pub program: Program,
    /// Scenes that were not, and why.
    pub refused: Vec<RefusedScene>,
    /// Zones and activities that are not in force because their site is another party's: on this site, and those that its party declared on others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_features: Vec<RefusedFeature>,
    /// Version of this form.
    pub report_version: String,
    /// Hash of everything that decides the result: inputs, parameters, program. The same key, the same report.
    pub run_key: String,
    /// Scenes that were compared.
    pub scenes: Vec<SceneRecord>,
    /// The site.
    pub site: SiteRecord,
}

/// What every record has.
#[derive(Deserialize)]
struct Version {
    report_version: String,
}

impl SiteReport {
    /// The record that `text` is.
    ///
    /// # Errors
    /// It is none, or one of another form.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            let version = serde_json::from_str::<Version>(text).map(|found| found.report_version);
            match version {
                Ok(found) if found != REPORT_VERSION => format!(
                    "its form is version {found}, this program reads version {REPORT_VERSION}: take the sitewatch that wrote it, or run again"
                ),
                _ => error.to_string(),
            }
        })
    }

    /// How many anomalies and activities there are of each verdict; comparisons that could not be judged count as not observable.
    pub fn verdicts(&self) -> BTreeMap<Verdict, usize> {
        let mut counts = BTreeMap::new();
        let anomalies = self.comparisons.iter().flat_map(|c| &c.anomalies).map(|a| a.verdict);
        // An activity that was seen is told by its anomalies.
        let activities = self
            .activities
            .iter()
            .map(|a| a.verdict)
            .filter(|v| *v != Verdict::Consistent);
        let unseen = self
            .comparisons
            .iter()
            .filter(|c| !c.observable)
            .map(|_| Verdict::NotObservable);
        for verdict in anomalies.chain(activities).chain(unseen) {
            *counts.entry(verdict).or_insert(0) += 1;
        }
        if self.comparisons.is_empty() {
            *counts.entry(Verdict::NotObservable).or_insert(0) += 1;
        }
        counts
    }

    /// Whether anything in it has to be reviewed. An activity whose window is still open has not failed to be seen.
    pub fn needs_review(&self) -> bool {
        self.comparisons
            .iter()
            .flat_map(|c| &c.anomalies)
            .any(|a| a.verdict.needs_review())
            || self.activities.iter().any(|a| a.verdict == Verdict::DeclaredNotSeen)
    }

    /// Whether no comparison of the site could be judged.
    pub fn is_unobserved(&self) -> bool {
        !self.comparisons.iter().any(|c| c.observable)
    }
}
