//! How much of the ground was observed, and what became of what was declared there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::geometry::Geometry;
use super::interval::Interval;
use crate::declaration::Role;
use crate::declaration::What;
use crate::stage::verdict::Evidence;
use crate::stage::verdict::Verdict;

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
