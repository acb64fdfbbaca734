//! Detectors: from two normalised dates to a score in sigma of no-change noise. One a file.

pub mod difference;
pub mod smooth;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[detect]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectParams {
    /// Which detector.
    pub detector: String,
    /// Standard deviation of the Gaussian that both dates are smoothed with, pixels.
    pub smooth_px: f64,
    /// Shift between the dates that is put down to registration, pixels.
    pub misregistration_px: f64,
}
