//! A comparison of two scenes, or of a series with its newest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::anomaly::Anomaly;
use super::coverage::{Coverage, ZoneCoverage};
use super::interval::Interval;
use super::measured::{CutoffRecord, DetectorFit, Normalisation, RegistrationRecord};
use super::sensitivity::Sensitivity;
use crate::stage::detect::Detector;
use crate::stage::detect::Rule;

/// How the note of a comparison begins that tells why its dates were not compared.
pub const NOT_COMPARED: &str = "not compared: ";

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
