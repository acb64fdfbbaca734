//! Change that is unusual, not change that is common to the scene: each date is told from the other by a small network that is
//! trained on the pair itself, and what it cannot tell is judged; answered in sigma.
//!
//! Three kinds of evidence must agree, each in units of its robust noise:
//! - what is left when the later date is told from the earlier one and the other way round, the smaller of the two (Schaum and
//!   Stocker, "Long-interval chronochrome target detection", 1998; Theiler and Perkins, "Proposed framework for anomalous change
//!   detection", 2006), so that harvest, leaf fall or haze, which many pixels share, count little;
//! - the difference in visible light, where what people build differs most from what merely grows;
//! - the standard deviation of the difference inside 5 x 5 pixels: new edges, not a field that changes as a whole.
//!
//! The score is the fourth root of their product, smoothed, on the scale of its own centre and lower spread over the survey. To the
//! noise belong what the sensor states and what a shift between the dates makes of an edge that both have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibrate::Calibration;
use super::drawn::{self, Samples};
use super::evidence::{Evidence, TEXTURE_PX};
use super::pair::{Scale, Standard};
use super::perceptron;
use super::{Cell, Scorer, Seen, linear};
use crate::geo::Rect;
use crate::raster::Plane;
use crate::raster::stats::SCORE_NODATA;
use crate::stage::normalise::SensorNoise;

/// Pixels that the networks are trained on, about.
const SAMPLE: usize = 40_000;
/// Fewer pixels than this do not train a network: a line tells the dates from each other then.
const LEAST_FOR_NETWORK: usize = 5_000;
/// Fewer pixels than this do not even give a line.
const LEAST: usize = 100;
/// Without change, the statistic lies at this part of its nominal centre at least, and scatters by this part of it at least. On the
/// seven real pairs it lies at 0.70 to 0.83 of it and scatters by 0.12 to 0.21.
const LEAST_CALIBRATION: [f64; 2] = [0.6, 0.05];

/// `[detect.regression]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionParams {
    /// Units of the network that tells one date from the other; 0 for a straight line.
    pub hidden: usize,
}

/// Why the detector cannot be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegressionError {
    /// Too few pixels are clear on both dates.
    #[error(
        "fitting detector \"regression\": expected at least {expected} pixels that are clear on both dates, found {found}; choose other scenes or a larger margin_m"
    )]
    TooFew {
        /// Needed.
        expected: usize,
        /// There.
        found: usize,
    },
}

/// A fitted detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    evidence: Evidence,
    calibration: Calibration,
}

impl Regression {
    /// The detector for a pair of dates, fitted to the survey `cells`.
    ///
    /// `noise` is what the sensor states for each band, `visible` says which bands are blue, green or red (all count where none
    /// is), `shift_px` is the shift between the dates that is put down to registration.
    ///
    /// # Errors
    /// Fewer than 100 pixels that are clear on both dates.
    pub fn fit(
        cells: &[Cell],
        noise: &[SensorNoise],
        visible: &[bool],
        shift_px: f64,
        params: &RegressionParams,
    ) -> Result<Self, RegressionError> {
        let places = drawn::places(cells, SAMPLE);
        let found: usize = places.iter().map(Vec::len).sum();
        let Some(bands) = cells.first().map(|cell| cell.seen.sides()[1].len()).filter(|n| found >= LEAST && *n > 0) else {
            return Err(RegressionError::TooFew { expected: LEAST, found });
        };
        let standard = Standard::new([0, 1].map(|side| {
            (0..bands)
                .map(|band| {
                    let mut values = drawn::values_at(cells, &places, side, band);
                    Scale::fit(&mut values, noise.get(band).copied().unwrap_or_default())
                })
                .collect()
        }));
        let mut samples = [Samples::default(), Samples::default()];
        for (cell, places) in cells.iter().zip(&places) {
            if let Some(pair) = standard.pair(&cell.seen, &cell.core, TEXTURE_PX).filter(|_| !places.is_empty()) {
                samples.iter_mut().enumerate().for_each(|(side, samples)| samples.collect(&pair, side, places));
            }
        }
        let (n_in, n_out) = (3 * bands, bands);
        let learn = |from: &Samples, to: &Samples, seed: u64| {
            if params.hidden == 0 || found < LEAST_FOR_NETWORK {
                linear::train(&from.inputs, &to.targets, n_in, n_out)
            } else {
                perceptron::train(&from.inputs, &to.targets, n_in, n_out, params.hidden, seed)
            }
        };
        let networks = [learn(&samples[0], &samples[1], 1), learn(&samples[1], &samples[0], 2)];
        let [before, after] = &samples;
        let laws = [
            drawn::laws_of(&after.targets, &drawn::told(&networks[0], &before.inputs, bands), bands),
            drawn::laws_of(&before.targets, &drawn::told(&networks[1], &after.inputs, bands), bands),
            drawn::laws_of(&after.targets, &before.targets, bands),
        ];
        let evidence = Evidence::new(standard, visible, networks, laws, shift_px);
        let mut statistics = Vec::new();
        for cell in cells {
            if let Some((statistic, mask)) = evidence.statistic(&cell.seen, &cell.core) {
                let clear = statistic.iter().zip(&mask.weights).filter(|(_, weight)| **weight == 1.0);
                statistics.extend(clear.map(|(u, _)| f64::from(*u)));
            }
        }
        let [centre, scale] = LEAST_CALIBRATION.map(|part| part * evidence.nominal());
        let calibration = Calibration::fit(&mut statistics, centre, scale);
        Ok(Self { evidence, calibration })
    }
}

impl Scorer for Regression {
    fn halo(&self) -> usize {
        Evidence::halo()
    }

    fn score(&self, seen: &Seen, core: &Rect) -> Plane<i16> {
        let mut scores = Plane::filled(*core, SCORE_NODATA);
        if let Some((statistic, mask)) = self.evidence.statistic(seen, core) {
            ndarray::Zip::from(&mut scores.data).and(&statistic).and(&mask.weights).for_each(|score, u, weight| {
                if *weight == 1.0 {
                    *score = self.calibration.stored(f64::from(*u));
                }
            });
        }
        scores
    }
}
