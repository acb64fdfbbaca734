//! Anomalies: regions of change, judged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::geometry::Geometry;
use super::interval::Interval;
use crate::stage::detect::Detector;
use crate::stage::detect::Direction;
use crate::stage::verdict::Evidence;
use crate::stage::verdict::Verdict;

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
