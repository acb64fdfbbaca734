//! The minimum detectable change of a comparison: what was injected, what was found of it, and the sizes that follow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which changes a comparison would have found: changes of known size were put into its later scene, and the chain was run on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sensitivity {
    /// The whole site, then its zones.
    pub areas: Vec<AreaSensitivity>,
    /// What was left out, and what the reader should know.
    pub notes: Vec<String>,
}

/// Which changes would have been found in one area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AreaSensitivity {
    /// A kind of change each.
    pub changes: Vec<ChangeSensitivity>,
    /// Changes that were injected on it; fewer than asked for where its judged ground without anomalies is small.
    pub injected: u64,
    /// The zone's id; absent for the whole site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// Which changes of one kind would have been found in one area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeSensitivity {
    /// `darker` or `brighter` in every band by `contrast_sigma`; or what the ground became: `roof`, `concrete`, `bare_soil`.
    pub change: String,
    /// How much darker or brighter, sigma of the no-change noise of each band; absent for what the ground became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contrast_sigma: Option<f64>,
    /// The curve of detection; absent where all were found or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<DetectionCurve>,
    /// Sizes that would have been found with stated probabilities.
    pub sizes: Vec<DetectableSize>,
    /// What was found of each class of sizes.
    pub tried: Vec<Tried>,
}

/// `P = (1 - lapse) / (1 + exp(-(intercept + size_slope ln(area in pixels))))`, by maximum likelihood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DetectionCurve {
    /// Log odds of one pixel.
    pub intercept: f64,
    /// Part of the places where no size is found.
    pub lapse: f64,
    /// Logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Log odds for a factor of e in area.
    pub size_slope: f64,
}

/// The area from which on a change is found with some probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DetectableSize {
    /// Upper end of its interval of 95 %; absent where it lies beyond the largest area that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_m2: Option<f64>,
    /// Lower end of its interval of 95 %; the smallest area that was tried where it is no larger; absent where it lies beyond the
    /// largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_m2: Option<f64>,
    /// The probability, 0 to 1.
    pub probability: f64,
    /// The area, square metres: the smallest that was tried where that or less is enough; absent where no area that was tried is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_m2: Option<f64>,
}

/// What was found of the changes of some sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tried {
    /// How many an anomaly touched.
    pub found: u64,
    /// The smallest of these areas, square metres.
    pub from_m2: f64,
    /// How many were injected.
    pub injected: u64,
    /// The largest of these areas, square metres.
    pub to_m2: f64,
}
