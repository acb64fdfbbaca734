//! Detectors: from the dates of a comparison to a score in sigma of no-change noise. One a file or a folder, each named by one word.

mod blur;
mod calibrate;
pub mod combine;
mod difference;
pub mod history;
pub mod irmad;
mod radar;
mod rcva;
mod regression;
mod seen;
pub mod smooth;

pub use combine::Rule;
pub use history::HistoryParams;
pub use irmad::IrmadParams;
pub use radar::logratio::LogRatioParams;
pub use radar::omnibus::OmnibusParams;
pub use regression::RegressionParams;
pub use seen::{Account, Cell, Course, Direction, Onset, Scorer, Seen};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::normalise::{BandLaw, Sample, SensorNoise};

/// No detector looks further than this beyond a pixel, pixels: what a survey reads around its cells.
pub const WIDEST_HALO: usize = 20;

/// The least window over which `history` averages radar, pixels.
const RADAR_WINDOW_PX: usize = 3;

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
    pub radar_weight: f64,
    /// Standard deviation of the Gaussian that both dates are smoothed with, pixels.
    pub smooth_px: f64,
    /// Least shift between the dates that is put down to registration, pixels.
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

/// What detectors are told beside the pixels.
pub struct Context<'a> {
    /// The radiometric law of each band between the judged date and the one before.
    pub laws: &'a [BandLaw],
    /// Noise of each band that its sensor states.
    pub noise: &'a [SensorNoise],
    /// Which bands are visible light.
    pub visible: Vec<bool>,
    /// Whether the scenes are radar.
    pub radar: bool,
    /// Whether bands are indices, in which a factor that is common to a date cancels.
    pub indices: bool,
    /// The dates, days since 1970, oldest first.
    pub days: Vec<f64>,
    /// Shift between the dates that is put down to registration, pixels.
    pub shift_px: f64,
    /// `[detect]`.
    pub params: &'a DetectParams,
}

/// The detector `word`, fitted to the survey `cells` and to the `sample` of them.
///
/// # Errors
/// Why it cannot be fitted.
pub fn fit(word: Detector, cells: &[Cell], sample: &Sample, context: &Context<'_>) -> Result<Box<dyn Scorer>, String> {
    let Context {
        laws,
        noise,
        visible,
        radar,
        indices,
        days,
        shift_px,
        params,
    } = context;
    fn boxed<S: Scorer + 'static>(fitted: Result<S, impl std::fmt::Display>) -> Result<Box<dyn Scorer>, String> {
        match fitted {
            Ok(scorer) => Ok(Box::new(scorer)),
            Err(error) => Err(error.to_string()),
        }
    }
    match word {
        Detector::Difference => Ok(Box::new(difference::Difference::fit(sample, laws, *shift_px, params))),
        Detector::Rcva => Ok(Box::new(rcva::Rcva::fit(cells, laws, *shift_px, params))),
        Detector::Irmad => {
            let fitted = irmad::fit(sample, &params.irmad);
            boxed(fitted.map(|irmad| irmad::IrmadScorer::fit(irmad, sample, params)))
        }
        Detector::Regression => {
            let params = &params.regression;
            boxed(regression::Regression::fit(cells, noise, visible, *shift_px, params))
        }
        Detector::Logratio => boxed(radar::logratio::LogRatio::fit(cells, &params.logratio)),
        Detector::Omnibus => boxed(radar::omnibus::Omnibus::fit(cells, &params.omnibus)),
        Detector::History => {
            let HistoryParams {
                window_px,
                consecutive,
                common_gain,
            } = params.history;
            // Speckle is averaged; decibels and indices know no common factor.
            let params = HistoryParams {
                window_px: if *radar {
                    window_px.max(RADAR_WINDOW_PX)
                } else {
                    window_px
                },
                consecutive,
                common_gain: common_gain && !radar && !indices,
            };
            boxed(history::History::fit(cells, days, noise, &params))
        }
        Detector::Auto | Detector::Combine => Err("it names no detector of its own".into()),
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
