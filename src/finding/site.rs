//! The record of a site, of which every other file of its report is a rendering.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::coverage::ActivityFinding;
use super::geometry::Geometry;
use super::scenes::{RefusedScene, SceneRecord};
use crate::declaration::RefusedFeature;
use crate::geo::Grid;
use crate::stage::verdict::Verdict;

/// Version of the report's form: raised when a field changes its meaning or goes.
pub const REPORT_VERSION: &str = "2.0";

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
