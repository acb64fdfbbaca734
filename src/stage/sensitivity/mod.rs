//! The minimum detectable change of a pair on a site: which changes are injected where, how they are painted, and the curve through
//! what was found of them.
//!
//! A change is a square of ground. Its place is drawn evenly over the judged ground of an area, so that the shares found are those of
//! a change anywhere on it, edges and rough ground included; each draw is one trial of its own.

pub mod curve;
pub mod paint;
pub mod trials;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[sensitivity]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensitivityParams {
    /// Whether the minimum detectable change is measured.
    pub enabled: bool,
    /// Changes injected on the whole site, and on each of its zones.
    #[schemars(range(min = 100, max = 100_000), extend("unit" = "changes"))]
    pub injections: usize,
}
