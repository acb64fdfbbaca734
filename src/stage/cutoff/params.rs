//! How the cutoff is set: `[cutoff]` of the pipeline file, and the rule that comes of it for one comparison.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way to set the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// False discovery rate `seed_fdr` over the null distribution.
    Fdr,
    /// Otsu's valley between two heaps.
    Otsu,
    /// What is unusual among the scores beyond the false discovery rate `grow_fdr`.
    Excess,
    /// Kittler and Illingworth's minimum error.
    MinimumError,
    /// Rosin's corner.
    Rosin,
    /// `fixed_sigma`.
    Fixed,
}

impl Method {
    /// Its word in the pipeline file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fdr => "fdr",
            Self::Otsu => "otsu",
            Self::Excess => "excess",
            Self::MinimumError => "minimum-error",
            Self::Rosin => "rosin",
            Self::Fixed => "fixed",
        }
    }
}

/// `[cutoff]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CutoffParams {
    /// Methods of setting the seed, in the order in which they are tried; empty: those of the profile.
    pub methods: Vec<Method>,
    /// False discovery rate at which `fdr` claims a region's peak; `excess` claims nothing below it either.
    #[schemars(range(min = 1e-9, max = 0.5))]
    pub seed_fdr: Option<f64>,
    /// False discovery rate down to which a region of `fdr` grows, and from which on `excess` looks.
    #[schemars(range(min = 1e-9, max = 0.5))]
    pub grow_fdr: Option<f64>,
    /// Level of `fixed`, sigma.
    #[schemars(range(min = 0.1, max = 300.0), extend("unit" = "sigma"))]
    pub fixed_sigma: f64,
    /// False discovery rate of the anomalies: those beyond it are dropped; absent: none.
    #[schemars(range(min = 1e-9, max = 1.0))]
    pub object_fdr: Option<f64>,
    /// Alarm budget: so many false anomalies are expected of the whole run at most; it sets the seeds in place of the methods.
    #[schemars(range(min = 1e-9, max = 1e9), extend("unit" = "anomalies"))]
    pub max_expected_false_anomalies: Option<f64>,
}

/// How the cutoff of one comparison is set.
#[derive(Debug, Clone, PartialEq)]
pub struct CutoffRule {
    /// Methods, in the order in which they are tried.
    pub methods: Vec<Method>,
    /// False discovery rate at which a region's peak is claimed.
    pub seed_fdr: f64,
    /// False discovery rate down to which a region grows.
    pub grow_fdr: f64,
    /// The false discovery rate claims nothing whose peak is lower, sigma.
    pub least_sigma: f64,
    /// Level of the method `fixed`, sigma.
    pub fixed_sigma: f64,
    /// False discovery rate of the anomalies; `None`: none is dropped for it.
    pub object_fdr: Option<f64>,
    /// So many false anomalies are allowed for: they set the seed in place of the methods.
    pub most_false: Option<f64>,
}
