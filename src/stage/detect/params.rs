//! `[detect]` of the pipeline file: which detectors score, and their parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::combine::Rule;
use super::history::HistoryParams;
use super::irmad::IrmadParams;
use super::radar::logratio::LogRatioParams;
use super::radar::omnibus::OmnibusParams;
use super::regression::RegressionParams;

/// The detectors, by the word that names them in a pipeline file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// That of the profile for the kind of comparison.
    Auto,
    /// Change vector analysis.
    Difference,
    /// Change vector analysis that a shift does not upset.
    Rcva,
    /// Iteratively reweighted multivariate alteration detection.
    Irmad,
    /// What one date does not tell of the other.
    Regression,
    /// Radar: the ratio of two dates.
    Logratio,
    /// Radar series: the sequential omnibus test.
    Omnibus,
    /// Series: the judged date against its past.
    History,
    /// Several, joined by a rule.
    Combine,
}

impl Detector {
    /// The word that names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Difference => "difference",
            Self::Rcva => "rcva",
            Self::Irmad => "irmad",
            Self::Regression => "regression",
            Self::Logratio => "logratio",
            Self::Omnibus => "omnibus",
            Self::History => "history",
            Self::Combine => "combine",
        }
    }
}

/// `[detect]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectParams {
    /// Which detector.
    pub detector: Detector,
    /// Which detectors `combine` joins.
    pub combine: Vec<Detector>,
    /// How `combine` joins them.
    pub rule: Rule,
    /// What radar counts in a sum beside optical scenes.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub radar_weight: f64,
    /// Standard deviation of the Gaussian that both dates are smoothed with, pixels.
    #[schemars(range(min = 0.0, max = 5.0), extend("unit" = "pixels"))]
    pub smooth_px: f64,
    /// Least shift between the dates that is put down to registration, pixels.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "pixels"))]
    pub misregistration_px: f64,
    /// `[detect.irmad]`.
    pub irmad: IrmadParams,
    /// `[detect.regression]`.
    pub regression: RegressionParams,
    /// `[detect.logratio]`.
    pub logratio: LogRatioParams,
    /// `[detect.omnibus]`.
    pub omnibus: OmnibusParams,
    /// `[detect.history]`.
    pub history: HistoryParams,
}

#[cfg(test)]
impl Default for DetectParams {
    fn default() -> Self {
        Self {
            detector: Detector::Difference,
            combine: Vec::new(),
            rule: Rule::Sum,
            radar_weight: 0.2,
            smooth_px: 1.0,
            misregistration_px: 0.3,
            irmad: IrmadParams::default(),
            regression: RegressionParams { hidden: 16 },
            logratio: LogRatioParams::default(),
            omnibus: OmnibusParams::default(),
            history: HistoryParams {
                window_px: 1,
                consecutive: 1,
                common_gain: true,
            },
        }
    }
}
