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
    /// Series: the judged date against the law of its past.
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

    /// Whether it is made for radar; `None` where it takes any scenes.
    fn is_radar(self) -> Option<bool> {
        match self {
            Self::Logratio | Self::Omnibus => Some(true),
            Self::Auto | Self::History | Self::Combine => None,
            Self::Difference | Self::Rcva | Self::Irmad | Self::Regression => Some(false),
        }
    }

    /// Whether it needs more than two dates.
    fn needs_series(self) -> bool {
        matches!(self, Self::Omnibus | Self::History)
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

impl DetectParams {
    /// The detectors of a comparison of radar or optical scenes, of a series or a pair; `best` where none is named that fits.
    pub fn words(&self, radar: bool, series: bool, best: Detector) -> Vec<Detector> {
        let named = match self.detector {
            Detector::Combine => self.combine.clone(),
            one => vec![one],
        };
        let mut words: Vec<Detector> = named
            .into_iter()
            .filter(|word| *word != Detector::Auto && (series || !word.needs_series()))
            .filter(|word| word.is_radar().is_none_or(|made_for| made_for == radar))
            .collect();
        if words.is_empty() {
            words.push(best);
        }
        words
    }

    /// Which of the named detectors no comparison can use, each of radar or optical scenes and of a series or a pair, and why.
    pub fn unused(&self, comparisons: &[(bool, bool)]) -> Vec<(Detector, &'static str)> {
        let named = match self.detector {
            Detector::Combine => &self.combine[..],
            _ => std::slice::from_ref(&self.detector),
        };
        let of_kind = |word: &Detector, radar: bool| word.is_radar().is_none_or(|made_for| made_for == radar);
        let why = |word: &Detector| {
            if !comparisons.iter().any(|(radar, _)| of_kind(word, *radar)) {
                return Some(match word.is_radar() {
                    Some(true) => "it is made for radar, and these scenes are optical",
                    _ => "it is made for optical scenes, and these are radar",
                });
            }
            let suits = |(radar, series): &(bool, bool)| of_kind(word, *radar) && (*series || !word.needs_series());
            (!comparisons.iter().any(suits)).then_some("it needs a series: compare.which = \"newest-against-history\"")
        };
        named.iter().filter_map(|word| Some((*word, why(word)?))).collect()
    }

    /// Whether all tracks of radar scenes, and optical scenes where there are any, are judged together.
    pub fn joins_tracks(&self) -> bool {
        self.detector == Detector::Combine && self.combine.iter().any(|word| word.is_radar() == Some(true))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_that_does_not_fit_is_told_with_the_reason() {
        let unused = |detector: Detector, combine: &[Detector], comparisons: &[(bool, bool)]| {
            let params = DetectParams {
                detector,
                combine: combine.to_vec(),
                ..DetectParams::default()
            };
            let all = params.unused(comparisons).into_iter();
            all.map(|(word, why)| (word, why.split(',').next().unwrap().split(':').next().unwrap()))
                .collect::<Vec<_>>()
        };
        const PAIR: (bool, bool) = (false, false);
        let one = |detector| unused(detector, &[], &[PAIR]);
        assert_eq!(one(Detector::Omnibus), [(Detector::Omnibus, "it is made for radar")]);
        assert_eq!(one(Detector::Logratio), [(Detector::Logratio, "it is made for radar")]);
        assert_eq!(one(Detector::History), [(Detector::History, "it needs a series")]);
        assert!(one(Detector::Auto).is_empty() && one(Detector::Regression).is_empty());
        let rcva = unused(Detector::Rcva, &[], &[(true, true)]);
        assert_eq!(rcva, [(Detector::Rcva, "it is made for optical scenes")]);
        let both = [Detector::Regression, Detector::Logratio];
        assert!(unused(Detector::Combine, &both, &[PAIR, (true, false)]).is_empty());
        assert_eq!(
            unused(Detector::Combine, &both, &[PAIR]),
            [(Detector::Logratio, "it is made for radar")]
        );
    }
}
