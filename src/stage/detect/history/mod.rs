//! The newest date against each pixel's own past, answered in sigma: reflectance, indices and decibels alike.
//!
//! 1. What is common to a date is removed: a gain and an offset by band, fitted robustly over the training sample against each pixel's median.
//! 2. A pixel with enough dates is expected to follow its yearly course (`harmonic`), if that foretells the newest date
//!    better over the training sample; else, as one with fewer dates, its median.
//! 3. The unit of a deviation is the noise of the date over the training sample, and what the pixel itself scatters in it by the median
//!    absolute deviation. That of few dates means little, so the variance is moderated: `(d0 s0^2 + d s^2) / (d0 + d)`, with the
//!    sample's typical variance `s0^2` counting as `d0` degrees of freedom, and Student's distribution of `d0 + d` (Smyth, "Linear models
//!    and empirical Bayes methods for assessing differential expression", 2004). It grows by the variance of the expectation.
//!    What the training sample shows to be left of the last deviation of the past (soil moisture, slow growth) is taken off.
//! 4. The squares of the bands are summed and read as chi-square of the degrees that their correlation leaves; centre and lower spread
//!    over the training sample turn that into sigma, never finer than theory gives.
//! 5. Where several observations in a row must deviate, the least of them decides, at the probability `p^k` that all deviate by
//!    chance: the joint probability stays what it is for one (the idea of `adjustpeek` in the program pyccd), with `k` lessened by how
//!    far successive deviations go together over the training sample.

mod fit;
mod harmonic;
mod past;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibrate::Calibration;
use super::{BreakDate, Scorer, ScreenedStack};
use crate::geo::Rect;
use crate::raster::plane::view;
use crate::raster::stats::SCORE_NODATA;
use crate::raster::{Plane, flags};
use crate::stage::distributions::{chi_square_sigma, normal_upper};
use crate::stage::normalise::SensorNoise;
use past::{Kind, MIN_PAST, Past, Series, student_to_normal};

/// `[detect.history]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryParams {
    /// Edge of the square over whose clear pixels each date is averaged, pixels, odd: 3 for radar, 1 for no average.
    #[schemars(range(min = 1, max = 21), extend("unit" = "pixels"))]
    pub window_px: usize,
    /// The newest clear observations that must all deviate; fewer where a pixel has no past left beside them.
    pub consecutive: usize,
    /// Whether dates may differ by a factor as well (reflectance), not by an offset alone (decibels, indices).
    pub common_gain: bool,
}

/// Degrees of freedom that the training sample's typical variance counts for.
const PRIOR_DEGREES: f64 = 6.0;
/// An observation counts as changed when it deviates by more than one in a hundred would (COLD), sigma.
const BREAK_SIGMA: f64 = 2.326_347_874_040_841;
/// Rounds of dating and fitting the past before the date anew.
const BREAK_ROUNDS: usize = 4;
/// The last deviation of the past counts for no more than this many sigma: a change that began then is not forgotten.
const MEMORY_CAP: f64 = 2.0;

/// Why a series cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Too few dates.
    #[error(
        "fitting the history: expected at least {expected} dates, found {found}; add earlier scenes or compare two dates"
    )]
    TooFewDates {
        /// Needed.
        expected: usize,
        /// There.
        found: usize,
    },
    /// Too few pixels with a past.
    #[error(
        "fitting the history: expected at least {expected} pixels that are clear on the newest date and on {MIN_PAST} before, found {found}; choose other scenes"
    )]
    TooFewPixels {
        /// Needed.
        expected: usize,
        /// There.
        found: usize,
    },
}

/// What is common to a band of a date: value = gain x usual value + offset.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Common {
    gain: f64,
    offset: f64,
}

/// How deviations scatter without change, for one [`Kind`] of expectation.
#[derive(Debug, Clone, PartialEq)]
struct NoiseModel {
    /// Variance over the training sample of each date and band, what is common removed.
    variance: Vec<Vec<f64>>,
    /// By band: a pixel's typical variance over that of the dates.
    prior: Vec<f64>,
    /// By band: what of the last deviation of the past is found again, and the part of the spread that is left then.
    memory: Vec<(f64, f64)>,
    /// How many bands deviate independently.
    independent: usize,
    /// Of single observations.
    single: Calibration,
    /// How much of an independent observation each further one in a row is, 0 to 1.
    further: f64,
    /// Of several in a row.
    joint: Calibration,
}

/// A fitted detector.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    days: Vec<f64>,
    sensor: Vec<SensorNoise>,
    params: HistoryParams,
    /// By date and band.
    common: Vec<Vec<Common>>,
    /// Whether the yearly course foretells the newest date better than the median does, where there are dates enough.
    yearly: bool,
    /// By [`Kind`].
    models: [NoiseModel; 2],
}

impl History {
    /// The clear observations of a pixel, what is common to each date removed; `None` where it cannot be judged.
    fn series(&self, stack: &ScreenedStack, x: i64, y: i64) -> Option<Series> {
        if stack.flags.get(x, y) != Some(&flags::CLEAR) || !stack.rect.contains(x, y) {
            return None;
        }
        let near = Rect::new(x, y, 1, 1).grow(self.halo()).intersect(&stack.rect);
        let at = [(y - stack.rect.y) as usize, (x - stack.rect.x) as usize];
        let mut series = Series {
            places: Vec::new(),
            days: Vec::new(),
            bands: vec![Vec::new(); self.sensor.len()],
        };
        for (place, (date, common)) in stack.dates.iter().zip(&self.common).enumerate() {
            if date.len() == self.sensor.len() && date.iter().all(|band| band[at].is_finite()) {
                series.places.push(place);
                series.days.push(self.days[place]);
                for ((values, band), common) in series.bands.iter_mut().zip(date).zip(common) {
                    let (mut sum, mut n) = (f64::from(band[at]), 1.0);
                    if near.area() > 1 {
                        (sum, n) = (0.0, 0.0);
                        for value in view(band, &stack.rect, &near).iter().filter(|v| v.is_finite()) {
                            sum += f64::from(*value);
                            n += 1.0;
                        }
                    }
                    values.push((sum / n - common.offset) / common.gain);
                }
            }
        }
        let newest = series.places.last().is_some_and(|place| place + 1 == self.days.len());
        (newest && series.places.len() > MIN_PAST).then_some(series)
    }

    /// How many observations of a pixel are its past; the others are judged.
    fn past_len(&self, series: &Series) -> usize {
        let n = series.places.len();
        n - self.params.consecutive.clamp(1, n - MIN_PAST)
    }

    /// Variance of a date around `expected`, in the unit of the values with what is common removed.
    fn variance(&self, kind: Kind, place: usize, band: usize, expected: f64) -> f64 {
        let (noise, common) = (self.sensor[band], self.common[place][band]);
        let part = noise.fraction * (common.gain * expected + common.offset);
        let sensor = (noise.floor * noise.floor + part * part) / (common.gain * common.gain);
        self.models[kind as usize].variance[place][band] + sensor
    }

    /// The past of a pixel: its first `upto` observations.
    fn past(&self, series: &Series, upto: usize) -> Option<Past> {
        let yearly = self.yearly && series.coefficients(upto).is_some();
        let kind = if yearly { Kind::Yearly } else { Kind::Level };
        series.past(upto, kind, |place, band, expected| {
            self.variance(kind, place, band, expected)
        })
    }

    /// Deviation of observation `at` in each band, in units of its standard deviation.
    fn deviations(&self, series: &Series, past: &Past, at: usize) -> Vec<f64> {
        let day = series.days[at];
        let lever = if at < past.n {
            0.0
        } else {
            past.shape.lever(past.n, day)
        };
        let degrees = PRIOR_DEGREES + past.degrees;
        let expected = past.shape.expected(day).into_iter().enumerate();
        let deviation = |(band, expected): (usize, f64)| {
            let prior = PRIOR_DEGREES * self.models[past.kind as usize].prior[band];
            let own = (prior + past.degrees * past.ratio[band]) / degrees;
            let variance = self.variance(past.kind, series.places[at], band, expected) + lever * past.usual[band];
            (series.bands[band][at] - expected) / (variance * own).sqrt()
        };
        expected.map(deviation).collect()
    }

    /// The same, less what the last deviation of the past has left behind, as values of a normal distribution.
    fn normal_deviations(&self, series: &Series, past: &Past, at: usize) -> Vec<f64> {
        let mut found = self.deviations(series, past, at);
        if at >= past.n {
            let last = self.deviations(series, past, past.n - 1);
            for ((t, last), (kept, left)) in found.iter_mut().zip(last).zip(&self.models[past.kind as usize].memory) {
                *t = (*t - kept * last.clamp(-MEMORY_CAP, MEMORY_CAP)) / left;
            }
        }
        let degrees = PRIOR_DEGREES + past.degrees;
        found.into_iter().map(|t| student_to_normal(t, degrees)).collect()
    }

    /// Sigma of observation `at`, before calibration.
    fn sigma(&self, series: &Series, past: &Past, at: usize) -> f64 {
        let z = self.normal_deviations(series, past, at);
        let independent = self.models[past.kind as usize].independent;
        let sum: f64 = z.iter().map(|z| z * z).sum();
        chi_square_sigma(sum * independent as f64 / z.len() as f64, independent)
    }

    /// Sigma of all of a run deviating, from that of each.
    fn in_a_row(&self, kind: Kind, run: &[f64]) -> f64 {
        let model = &self.models[kind as usize];
        let least = run.iter().copied().fold(f64::INFINITY, f64::min);
        let sigma = (least - model.single.centre) / model.single.scale;
        if run.len() == 1 {
            return sigma;
        }
        let tail = 0.5 * libm::erfc(sigma * core::f64::consts::FRAC_1_SQRT_2);
        let number = 1.0 + model.further * (run.len() as f64 - 1.0);
        normal_upper(libm::pow(tail, number))
    }

    /// Sigma of each judged observation, before calibration.
    fn run(&self, series: &Series, past: &Past) -> Vec<f64> {
        (past.n..series.places.len())
            .map(|at| self.sigma(series, past, at))
            .collect()
    }

    fn stored(&self, series: &Series) -> Option<i16> {
        let past = self.past(series, self.past_len(series))?;
        let sigma = self.in_a_row(past.kind, &self.run(series, &past));
        (!sigma.is_nan()).then(|| self.models[past.kind as usize].joint.stored(sigma))
    }

    /// Back from the newest observation as long as they deviate; what deviates is no past, so that is fitted anew before it.
    fn dated(&self, series: &Series) -> Option<BreakDate> {
        let n = series.places.len();
        let (mut upto, mut first) = (self.past_len(series), n);
        for _ in 0..BREAK_ROUNDS {
            let Some(past) = self.past(series, upto) else { break };
            let changed = |at: &usize| self.in_a_row(past.kind, &[self.sigma(series, &past, *at)]) > BREAK_SIGMA;
            first = n - (MIN_PAST..n).rev().take_while(changed).count();
            if first >= upto {
                break;
            }
            upto = first;
        }
        let place = |at: usize| u16::try_from(*series.places.get(at)?).ok();
        Some(BreakDate {
            last_unchanged: place(first - 1)?,
            first_changed: place(first)?,
        })
    }
}

impl Scorer for History {
    fn halo(&self) -> usize {
        self.params.window_px / 2
    }

    fn score(&self, stack: &ScreenedStack, core: &Rect) -> Plane<i16> {
        Plane::from_fn(*core, |[row, column]| {
            let (x, y) = (core.x + column as i64, core.y + row as i64);
            let stored = self.series(stack, x, y).and_then(|series| self.stored(&series));
            stored.unwrap_or(SCORE_NODATA)
        })
    }

    fn break_date(&self, stack: &ScreenedStack, wanted: &Plane<bool>) -> Option<Plane<Option<BreakDate>>> {
        let core = wanted.rect();
        Some(Plane::from_fn(core, |at| {
            if !wanted[at] {
                return None;
            }
            let (x, y) = (core.x + at[1] as i64, core.y + at[0] as i64);
            self.series(stack, x, y).and_then(|series| self.dated(&series))
        }))
    }
}

#[cfg(test)]
mod tests;
