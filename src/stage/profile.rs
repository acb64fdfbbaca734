//! What is used where the pipeline file leaves the choice open: one profile for each kind of comparison.
//!
//! The profiles stand in `pipelines/default.toml`; docs/accuracy.md has the figures by which they were chosen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cutoff::{CutoffParams, CutoffRule, Method};
use super::detect::Detector;

/// `[profile]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profiles {
    /// Two optical scenes.
    pub optical_pair: Profile,
    /// Two radar scenes.
    pub radar_pair: Profile,
    /// An optical scene against those before it.
    pub optical_series: Profile,
    /// A radar scene against those before it.
    pub radar_series: Profile,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The detector that `auto` stands for.
    pub detector: Detector,
    /// Methods of setting its cutoff, in the order in which they are tried.
    pub cutoffs: Vec<Method>,
    /// False discovery rate at which a region's peak is claimed.
    #[schemars(range(min = 1e-9, max = 0.5))]
    pub seed_fdr: f64,
    /// False discovery rate down to which a region grows.
    #[schemars(range(min = 1e-9, max = 0.5))]
    pub grow_fdr: f64,
    /// The false discovery rate claims nothing whose peak is lower, sigma: tails of real noise are longer than those of a normal distribution.
    #[schemars(range(min = 0.0, max = 300.0), extend("unit" = "sigma"))]
    pub least_sigma: f64,
}

impl Profiles {
    /// That of a comparison of radar or optical scenes, of a series or a pair.
    pub fn of(&self, radar: bool, series: bool) -> &Profile {
        match (radar, series) {
            (false, false) => &self.optical_pair,
            (true, false) => &self.radar_pair,
            (false, true) => &self.optical_series,
            (true, true) => &self.radar_series,
        }
    }
}

impl Profile {
    /// The rule for a comparison that `detectors` scored: what `[cutoff]` states, and where it is silent what was measured for the
    /// profile's own detector, alone or with others beside it. Elsewhere the false discovery rate decides, which holds for whatever is
    /// in sigma. `most_false` is the comparison's share of the alarm budget.
    pub fn cutoff(&self, params: &CutoffParams, detectors: &[Detector], most_false: Option<f64>) -> CutoffRule {
        let own = detectors.first() == Some(&self.detector);
        let methods = match (params.methods.is_empty(), own) {
            (false, _) => params.methods.clone(),
            (true, true) => self.cutoffs.clone(),
            (true, false) => vec![Method::Fdr],
        };
        CutoffRule {
            methods,
            seed_fdr: params.seed_fdr.unwrap_or(self.seed_fdr),
            grow_fdr: params.grow_fdr.unwrap_or(self.grow_fdr),
            least_sigma: if own { self.least_sigma } else { 0.0 },
            fixed_sigma: params.fixed_sigma,
            object_fdr: params.object_fdr,
            most_false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_goes_before_the_profile_and_that_holds_for_its_own_detector_only() {
        let profile = Profile {
            detector: Detector::Irmad,
            cutoffs: vec![Method::Otsu, Method::Fdr],
            seed_fdr: 0.01,
            grow_fdr: 0.1,
            least_sigma: 6.0,
        };
        let mut params = CutoffParams {
            methods: vec![],
            seed_fdr: None,
            grow_fdr: Some(0.2),
            fixed_sigma: 5.0,
            object_fdr: None,
            max_expected_false_anomalies: None,
        };
        let rule = profile.cutoff(&params, &[Detector::Irmad], None);
        assert_eq!(
            (rule.methods, rule.seed_fdr, rule.grow_fdr),
            (profile.cutoffs.clone(), 0.01, 0.2)
        );
        assert_eq!(rule.least_sigma, 6.0);
        let other = profile.cutoff(&params, &[Detector::Rcva], None);
        assert_eq!((other.methods, other.least_sigma), (vec![Method::Fdr], 0.0));
        params.methods = vec![Method::Rosin];
        assert_eq!(
            profile.cutoff(&params, &[Detector::Irmad], None).methods,
            [Method::Rosin]
        );
    }
}
