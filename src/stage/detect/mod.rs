//! Detectors: from the dates of a comparison to a score in sigma of no-change noise. One a file or a folder, each named by one word.

mod blur;
mod calibrate;
pub mod combine;
mod difference;
pub mod history;
pub mod irmad;
mod params;
mod radar;
mod rcva;
mod regression;
mod seen;
pub mod smooth;

pub use combine::Rule;
pub use history::HistoryParams;
pub use irmad::IrmadParams;
pub use params::{DetectParams, Detector};
pub use radar::logratio::LogRatioParams;
pub use radar::omnibus::OmnibusParams;
pub use regression::RegressionParams;
pub use seen::{Account, Cell, Course, Direction, Onset, Scorer, Seen};

use super::normalise::{BandLaw, Sample, SensorNoise};

/// No detector looks further than this beyond a pixel, pixels: what a training sample reads around its cells. The ranges of `smooth_px`, `window_px`
/// and `evidence_px` keep to it.
pub const WIDEST_HALO: usize = 20;

/// The least window over which `history` averages radar, pixels.
const RADAR_WINDOW_PX: usize = 3;

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
