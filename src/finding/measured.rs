//! How a comparison was measured: normalisation, registration, detectors, cutoff.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stage::coregister::{Model, Reason};
use crate::stage::cutoff::Method;
use crate::stage::detect::Detector;
use crate::stage::normalise;

/// The radiometric normalisation that was used for one band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BandFit {
    /// STAC common name.
    pub band: String,
    /// Correlation of both dates on ground that did not change.
    pub correlation: f64,
    /// Normalised before = gain x before + offset.
    pub gain: f64,
    /// What unchanged pixels that were held out say of the line; absent where none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<HeldOut>,
    /// Residual noise of ground that did not change, in the band's unit.
    pub noise: f64,
    /// What comes to it, as a part of the value: calibration and atmosphere.
    pub noise_fraction: f64,
    /// In the band's unit.
    pub offset: f64,
}

/// What a third of the unchanged pixels, held out from the fit, says of the line of a band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeldOut {
    /// Probability of means that differ as much without a difference (paired t test).
    pub p_means: f64,
    /// Probability of variances that differ as much without a difference (F test).
    pub p_variances: f64,
}

/// The normalisation of a pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Normalisation {
    /// Per band.
    pub bands: Vec<BandFit>,
    /// How: `invariant` is orthogonal regression on pixels that IR-MAD holds for unchanged.
    pub method: normalise::Method,
    /// Pixels in the training sample.
    pub sampled: u64,
    /// Pixels taken for unchanged.
    pub unchanged: u64,
}

/// How the judged scene lies beside the earlier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RegistrationRecord {
    /// Nine tenths of the tie points lie nearer than this to what is applied, pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circular_error_90_px: Option<f64>,
    /// Root mean square distance of each tie point from the model fitted without it, pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_out_px: Option<f64>,
    /// What is applied.
    pub model: Model,
    /// Id of the scene that is moved; the other stays.
    pub moved: String,
    /// What that means for the comparison.
    pub outcome: RegistrationOutcome,
    /// Tie points that do not agree with the others.
    pub outliers: u64,
    /// Why it was not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Windows that gave no tie point, by reason.
    pub rejected: BTreeMap<Reason, u64>,
    /// Root mean square distance of the tie points from what is applied, pixels of the site grid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual_px: Option<f64>,
    /// What is added to the position of the moved scene's content in the middle of the site, pixels: x right, y down. Where the model is
    /// `identity` it was measured and not applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift_px: Option<[f64; 2]>,
    /// Tie points that agree.
    pub tie_points: u64,
}

/// What the distance that is left between two dates means for their comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationOutcome {
    /// They lie on each other.
    Pass,
    /// Compared by a detector that a shift does not upset.
    Degraded,
    /// Not compared.
    Refused,
    /// Not moved.
    Unmeasured,
}

impl RegistrationOutcome {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Degraded => "degraded",
            Self::Refused => "refused",
            Self::Unmeasured => "unmeasured",
        }
    }
}

/// What the fit of a detector says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DetectorFit {
    /// Which detector.
    pub detector: Detector,
    /// Bands that take no part, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<String, String>,
    /// Equivalent number of looks of each band.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<f64>,
    /// Canonical correlations after each round of the iteration, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Vec<f64>>,
}

/// A method of setting the cutoff that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CutoffRefusal {
    /// Which.
    pub method: Method,
    /// Why it refused.
    pub reason: String,
}

/// The cutoff that was used, and the null distribution behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CutoffRecord {
    /// Pixels at or above the seed cutoff.
    pub claimed: u64,
    /// The false discovery rate at which the anomalies are claimed: the largest of their q-values. Absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_object_fdr: Option<f64>,
    /// Regions that reached the seed and were dropped because of `object_fdr`.
    #[serde(default)]
    pub dropped: u64,
    /// False anomalies that are expected on the site if nothing changed, by `tail` carried on to the seed; where nothing was claimed, to
    /// the least score from which on the method `fdr` claims a single pixel.
    pub expected_false_anomalies: f64,
    /// Score down to which a region grows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grow_sigma: Option<f64>,
    /// Pixels that were judged.
    pub judged: u64,
    /// The comparison's share of the alarm budget of the run, by declared area; absent where none was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_expected_false_anomalies: Option<f64>,
    /// The method that set it; absent where a share of the alarm budget did, and when every one refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Centre of the empirical null, sigma.
    pub null_centre_sigma: f64,
    /// Estimated fraction of pixels without change.
    pub null_fraction: f64,
    /// Scale of the empirical null, sigma: 1 when the pair is as quiet as its noise says.
    pub null_scale_sigma: f64,
    /// False discovery rate of anomalies that was asked for; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_fdr: Option<f64>,
    /// Methods that were tried before it, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<CutoffRefusal>,
    /// False discovery rate asked for at the seed.
    pub seed_fdr: f64,
    /// Score that a region's peak must reach; absent when no score fulfils the rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed_sigma: Option<f64>,
    /// The law of the peaks of clusters, from which false anomalies are expected; absent when no pixel was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<TailRecord>,
}

/// How high clusters of judged pixels peak: an exponential distribution above a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TailRecord {
    /// Clusters that it was fitted to.
    pub clusters: u64,
    /// Score at or above which they lie.
    pub level_sigma: f64,
    /// Mean height of their peaks above the level, sigma.
    pub mean_height_sigma: f64,
}
