//! The detectors: a row of [`TABLE`] is all that the program knows of one beside its file, its parameters and its sentence
//! (`report::english`).

use std::fmt::Display;

use super::history::HistoryParams;
use super::params::Detector;
use super::{Cell, DetectParams, Scorer, difference, history, irmad, radar, rcva, regression};
use crate::stage::normalise::{LinearFit, Sample, SensorNoise};

/// Which scenes a detector is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MadeFor {
    Any,
    Optical,
    Radar,
}

/// A detector.
pub(super) struct Row {
    pub detector: Detector,
    pub made_for: MadeFor,
    /// It needs more than two dates.
    pub needs_series: bool,
    /// Fits it to the training sample.
    fit: fn(&Training<'_>) -> Fitted,
}

type Fitted = Result<Box<dyn Scorer>, String>;

const TABLE: [Row; 7] = [
    Row {
        detector: Detector::Difference,
        made_for: MadeFor::Optical,
        needs_series: false,
        fit: |of| {
            let fitted =
                difference::Difference::fit(of.sample, of.context.fits, of.context.shift_px, of.context.params);
            Ok(Box::new(fitted))
        },
    },
    Row {
        detector: Detector::Rcva,
        made_for: MadeFor::Optical,
        needs_series: false,
        fit: |of| {
            let fitted = rcva::Rcva::fit(of.cells, of.context.fits, of.context.shift_px, of.context.params);
            Ok(Box::new(fitted))
        },
    },
    Row {
        detector: Detector::Irmad,
        made_for: MadeFor::Optical,
        needs_series: false,
        fit: |of| {
            let fitted = irmad::fit(of.sample, &of.context.params.irmad);
            boxed(fitted.map(|irmad| irmad::IrmadScorer::fit(irmad, of.sample, of.context.params)))
        },
    },
    Row {
        detector: Detector::Regression,
        made_for: MadeFor::Optical,
        needs_series: false,
        fit: |of| {
            let Context {
                noise,
                visible,
                shift_px,
                params,
                ..
            } = of.context;
            boxed(regression::Regression::fit(
                of.cells,
                noise,
                visible,
                *shift_px,
                &params.regression,
            ))
        },
    },
    Row {
        detector: Detector::Logratio,
        made_for: MadeFor::Radar,
        needs_series: false,
        fit: |of| boxed(radar::logratio::LogRatio::fit(of.cells, &of.context.params.logratio)),
    },
    Row {
        detector: Detector::Omnibus,
        made_for: MadeFor::Radar,
        needs_series: true,
        fit: |of| boxed(radar::omnibus::Omnibus::fit(of.cells, &of.context.params.omnibus)),
    },
    Row {
        detector: Detector::History,
        made_for: MadeFor::Any,
        needs_series: true,
        fit: |of| {
            let Context { days, noise, .. } = of.context;
            boxed(history::History::fit(
                of.cells,
                days,
                noise,
                &history_params(of.context),
            ))
        },
    },
];

/// The least window over which `history` averages radar, pixels.
const RADAR_WINDOW_PX: usize = 3;

/// What detectors are fitted to.
struct Training<'a> {
    cells: &'a [Cell],
    sample: &'a Sample,
    context: &'a Context<'a>,
}

/// What detectors are told beside the pixels.
pub struct Context<'a> {
    /// The linear fit of each band between the judged date and the one before.
    pub fits: &'a [LinearFit],
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

/// The row of a detector; `None` of the words that name none of their own.
pub(super) fn row(detector: Detector) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.detector == detector)
}

/// The `detector`, fitted to the training sample: its `cells` and the `sample` of their pixels.
///
/// # Errors
/// Why it cannot be fitted.
pub fn fit(detector: Detector, cells: &[Cell], sample: &Sample, context: &Context<'_>) -> Fitted {
    let row = row(detector).ok_or("it names no detector of its own")?;
    (row.fit)(&Training { cells, sample, context })
}

fn boxed<S: Scorer + 'static>(fitted: Result<S, impl Display>) -> Fitted {
    match fitted {
        Ok(scorer) => Ok(Box::new(scorer)),
        Err(error) => Err(error.to_string()),
    }
}

/// Those of `history` for such scenes: speckle is averaged; decibels and indices know no common factor.
fn history_params(context: &Context<'_>) -> HistoryParams {
    let HistoryParams {
        window_px,
        consecutive,
        common_gain,
    } = context.params.history;
    HistoryParams {
        window_px: if context.radar {
            window_px.max(RADAR_WINDOW_PX)
        } else {
            window_px
        },
        consecutive,
        common_gain: common_gain && !context.radar && !context.indices,
    }
}
