//! The newest date against each pixel's own past, answered in sigma: reflectance, indices and decibels alike.
//!
//! 1. What is common to a date is removed: a gain and an offset by band, fitted robustly over the survey against each pixel's median.
//! 2. A pixel with enough dates is expected to follow its yearly course ([`harmonic`]), if that foretells the newest date
//!    better over the survey; else, as one with fewer dates, its median.
//! 3. The unit of a deviation is the noise of the date over the survey, and what the pixel itself scatters in it by the median
//!    absolute deviation. That of few dates means little, so the variance is moderated: `(d0 s0^2 + d s^2) / (d0 + d)`, with the
//!    survey's typical variance `s0^2` counting as `d0` degrees of freedom, and Student's law of `d0 + d` (Smyth, "Linear models
//!    and empirical Bayes methods for assessing differential expression", 2004). It grows by the variance of the expectation.
//!    What the survey shows to be left of the last deviation of the past (soil moisture, slow growth) is taken off.
//! 4. The squares of the bands are summed and read as chi-square of the degrees that their correlation leaves; centre and lower spread
//!    over the survey turn that into sigma, never finer than the law gives.
//! 5. Where several observations in a row must deviate, the least of them decides, at the probability `p^k` that all deviate by
//!    chance: the joint probability stays what it is for one (the idea of `adjustpeek` in the program pyccd), with `k` lessened by how
//!    far successive deviations go together over the survey.

pub mod harmonic;
mod past;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use past::{Kind, LEAST_PAST, Past, Series, independent, line, memory, student_to_normal};

use super::calibrate::Calibration;
use super::{Cell, Onset, Scorer, Seen};
use crate::geo::Rect;
use crate::raster::plane::view;
use crate::raster::stats::{SCORE_NODATA, median, median_and_sigma};
use crate::raster::{Plane, flags};
use crate::stage::laws::{chi_square_sigma, normal_upper};
use crate::stage::normalise::SensorNoise;

/// `[detect.history]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryParams {
    /// Edge of the square over whose clear pixels each date is averaged, pixels, odd: 3 for radar, 1 for no average.
    pub window_px: usize,
    /// The newest clear observations that must all deviate; fewer where a pixel has no past left beside them.
    pub consecutive: usize,
    /// Whether dates may differ by a factor as well (reflectance), not by an offset alone (decibels, indices).
    pub common_gain: bool,
}

/// Pixels of the survey without which there is no law.
pub const LEAST_PIXELS: usize = 100;
/// At most about this many pixels enter the survey: the laws are those of medians, good to half a percent.
const SURVEY_PIXELS: usize = 1 << 14;
/// Degrees of freedom that the survey's typical variance counts for.
const PRIOR_DEGREES: f64 = 6.0;
/// Least part of an observation's variance that a course leaves to its residual: one that decides the course has next to none.
const LEAST_FREE: f64 = 0.2;
/// Rounds of fitting what is common to the dates and the pixels' medians in turn.
const COMMON_ROUNDS: usize = 2;
/// Gains outside these bounds are no radiometry (as in the normalisation of a pair).
const GAIN_BOUNDS: (f64, f64) = (0.2, 5.0);
/// A pixel's typical variance is never taken below this part of that of the dates: constant and quantised bands.
const LEAST_RATIO: f64 = 0.01;
/// An observation counts as changed when it deviates by more than one in a hundred would (COLD), sigma.
const ONSET_SIGMA: f64 = 2.326_347_874_040_841;
/// Rounds of dating and fitting the past before the date anew.
const ONSET_ROUNDS: usize = 4;
/// Beyond this, runs of observations are counted, sigma: where the survey has many.
const RUN_SIGMA: f64 = 1.0;
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
        "fitting the history: expected at least {expected} pixels that are clear on the newest date and on {LEAST_PAST} before, found {found}; choose other scenes"
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
struct Law {
    /// Variance over the survey of each date and band, what is common removed.
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
    laws: [Law; 2],
}

impl History {
    /// The detector for `days` (any origin, ascending, the judged date last), by a survey; `sensor` is the noise of each band that the
    /// sensor states.
    ///
    /// # Errors
    /// Fewer than three earlier dates; fewer than [`LEAST_PIXELS`] pixels that can be judged.
    pub fn fit(
        cells: &[Cell],
        days: &[f64],
        sensor: &[SensorNoise],
        params: &HistoryParams,
    ) -> Result<Self, HistoryError> {
        if days.len() <= LEAST_PAST {
            return Err(HistoryError::TooFewDates {
                expected: LEAST_PAST + 1,
                found: days.len(),
            });
        }
        let bands = sensor.len();
        let law = Law {
            variance: vec![vec![1.0; bands]; days.len()],
            prior: vec![1.0; bands],
            memory: vec![(0.0, 1.0); bands],
            independent: bands,
            single: Calibration::NONE,
            further: 1.0,
            joint: Calibration::NONE,
        };
        let none = Common { gain: 1.0, offset: 0.0 };
        let mut history = Self {
            days: days.to_vec(),
            sensor: sensor.to_vec(),
            params: params.clone(),
            common: vec![vec![none; bands]; days.len()],
            yearly: false,
            laws: [law.clone(), law],
        };
        let mut survey = history.survey(cells);
        if survey.len() < LEAST_PIXELS {
            return Err(HistoryError::TooFewPixels {
                expected: LEAST_PIXELS,
                found: survey.len(),
            });
        }
        history.fit_common(&mut survey);
        let pays = |series: &&Series| series.coefficients(history.past_len(series)).is_some();
        let (yearly, rest): (Vec<&Series>, Vec<&Series>) = survey.iter().partition(pays);
        history.yearly = yearly.len() >= LEAST_PIXELS && history.follows_the_year(&yearly);
        let level = if history.yearly { rest } else { survey.iter().collect() };
        if history.yearly {
            history.fit_law(Kind::Yearly, &yearly);
        }
        // A kind of which the survey holds too few takes the law of the other.
        if level.len() < LEAST_PIXELS {
            history.laws[Kind::Level as usize] = history.laws[Kind::Yearly as usize].clone();
        } else {
            history.fit_law(Kind::Level, &level);
        }
        Ok(history)
    }

    /// Pixels that can be judged, from a lattice over the site grid, in a fixed order.
    fn survey(&self, cells: &[Cell]) -> Vec<Series> {
        let pixels: usize = cells.iter().map(|cell| cell.core.area()).sum();
        let stride = (1..)
            .find(|stride| pixels / (stride * stride) <= SURVEY_PIXELS)
            .unwrap_or(1) as i64;
        let mut survey = Vec::new();
        for Cell { core, seen } in cells {
            for y in (core.y..core.bottom()).filter(|y| y % stride == 0) {
                let row = (core.x..core.right()).filter(|x| x % stride == 0);
                survey.extend(row.filter_map(|x| self.series(seen, x, y)));
            }
        }
        survey
    }

    /// The clear observations of a pixel, what is common to each date removed; `None` where it cannot be judged.
    fn series(&self, seen: &Seen, x: i64, y: i64) -> Option<Series> {
        if seen.flags.get(x, y) != Some(&flags::CLEAR) || !seen.rect.contains(x, y) {
            return None;
        }
        let near = Rect::new(x, y, 1, 1).grow(self.halo()).intersect(&seen.rect);
        let at = [(y - seen.rect.y) as usize, (x - seen.rect.x) as usize];
        let mut series = Series {
            places: Vec::new(),
            days: Vec::new(),
            bands: vec![Vec::new(); self.sensor.len()],
        };
        for (place, (date, common)) in seen.dates.iter().zip(&self.common).enumerate() {
            if date.len() == self.sensor.len() && date.iter().all(|band| band[at].is_finite()) {
                series.places.push(place);
                series.days.push(self.days[place]);
                for ((values, band), common) in series.bands.iter_mut().zip(date).zip(common) {
                    let (mut sum, mut n) = (0.0, 0.0);
                    for value in view(band, &seen.rect, &near).iter().filter(|v| v.is_finite()) {
                        sum += f64::from(*value);
                        n += 1.0;
                    }
                    values.push((sum / n - common.offset) / common.gain);
                }
            }
        }
        let newest = series.places.last().is_some_and(|place| place + 1 == self.days.len());
        (newest && series.places.len() > LEAST_PAST).then_some(series)
    }

    /// How many observations of a pixel are its past; the others are judged.
    fn past_len(&self, series: &Series) -> usize {
        let n = series.places.len();
        n - self.params.consecutive.clamp(1, n - LEAST_PAST)
    }

    /// Fits what is common to each date, and removes it.
    fn fit_common(&mut self, survey: &mut [Series]) {
        for band in (0..self.sensor.len()).cycle().take(COMMON_ROUNDS * self.sensor.len()) {
            let mut pairs = vec![Vec::new(); self.days.len()];
            for series in survey.iter() {
                let values = &series.bands[band];
                let usual = median(&mut values[..values.len() - 1].to_vec()).unwrap_or(0.0);
                let seen = series.places.iter().zip(values);
                seen.for_each(|(place, value)| pairs[*place].push((usual, *value)));
            }
            // Of few pixels a gain says little.
            let with_gain = |pairs: &[(f64, f64)]| self.params.common_gain && pairs.len() >= LEAST_PIXELS;
            let found: Vec<(f64, f64)> = pairs
                .iter()
                .map(|pairs| line(pairs, if with_gain(pairs) { GAIN_BOUNDS } else { (1.0, 1.0) }))
                .collect();
            for series in survey.iter_mut() {
                for (place, value) in series.places.iter().zip(&mut series.bands[band]) {
                    *value = (*value - found[*place].1) / found[*place].0;
                }
            }
            for (date, (gain, offset)) in self.common.iter_mut().zip(&found) {
                date[band].offset += date[band].gain * offset;
                date[band].gain *= gain;
            }
        }
    }

    /// Variance of a date around `expected`, in the unit of the values with what is common removed.
    fn variance(&self, kind: Kind, place: usize, band: usize, expected: f64) -> f64 {
        let (noise, common) = (self.sensor[band], self.common[place][band]);
        let part = noise.fraction * (common.gain * expected + common.offset);
        let sensor = (noise.floor * noise.floor + part * part) / (common.gain * common.gain);
        self.laws[kind as usize].variance[place][band] + sensor
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
            let prior = PRIOR_DEGREES * self.laws[past.kind as usize].prior[band];
            let own = (prior + past.degrees * past.ratio[band]) / degrees;
            let variance = self.variance(past.kind, series.places[at], band, expected) + lever * past.usual[band];
            (series.bands[band][at] - expected) / (variance * own).sqrt()
        };
        expected.map(deviation).collect()
    }

    /// The same, less what the last deviation of the past has left behind, as values of a normal law.
    fn normal_deviations(&self, series: &Series, past: &Past, at: usize) -> Vec<f64> {
        let mut found = self.deviations(series, past, at);
        if at >= past.n {
            let last = self.deviations(series, past, past.n - 1);
            for ((t, last), (kept, left)) in found.iter_mut().zip(last).zip(&self.laws[past.kind as usize].memory) {
                *t = (*t - kept * last.clamp(-MEMORY_CAP, MEMORY_CAP)) / left;
            }
        }
        let degrees = PRIOR_DEGREES + past.degrees;
        found.into_iter().map(|t| student_to_normal(t, degrees)).collect()
    }

    /// Sigma of observation `at`, before calibration.
    fn sigma(&self, series: &Series, past: &Past, at: usize) -> f64 {
        let z = self.normal_deviations(series, past, at);
        let independent = self.laws[past.kind as usize].independent;
        let sum: f64 = z.iter().map(|z| z * z).sum();
        chi_square_sigma(sum * independent as f64 / z.len() as f64, independent)
    }

    /// Sigma of all of a run deviating, from that of each.
    fn in_a_row(&self, kind: Kind, run: &[f64]) -> f64 {
        let law = &self.laws[kind as usize];
        let least = run.iter().copied().fold(f64::INFINITY, f64::min);
        let sigma = (least - law.single.centre) / law.single.scale;
        if run.len() == 1 {
            return sigma;
        }
        let tail = 0.5 * libm::erfc(sigma * core::f64::consts::FRAC_1_SQRT_2);
        let number = 1.0 + law.further * (run.len() as f64 - 1.0);
        normal_upper(libm::pow(tail, number))
    }

    /// Variance over the survey of each date and band, around what is expected of one kind.
    fn variances(&self, kind: Kind, survey: &[&Series]) -> Vec<Vec<f64>> {
        let bands = self.sensor.len();
        let mut residuals = vec![vec![Vec::new(); bands]; self.days.len()];
        for series in survey {
            let upto = self.past_len(series);
            let Some(shape) = series.shape(upto, kind) else {
                continue;
            };
            for (at, (place, day)) in series.places.iter().zip(&series.days).enumerate() {
                // What is fitted to lies nearer to the expectation, and what is foretold farther off, than its noise.
                let lever = shape.lever(upto, *day);
                let unit = if at < upto {
                    (1.0 - lever).max(LEAST_FREE)
                } else {
                    1.0 + lever
                };
                for (band, expected) in shape.expected(*day).into_iter().enumerate() {
                    residuals[*place][band].push((series.bands[band][at] - expected) / unit.sqrt());
                }
            }
        }
        let least = f64::from(f32::EPSILON);
        let variance = |of: &mut Vec<f64>| match median_and_sigma(of) {
            Some((_, sigma)) if of.len() >= LEAST_PIXELS => sigma.max(least) * sigma.max(least),
            _ => f64::NAN,
        };
        let mut table: Vec<Vec<f64>> = residuals
            .iter_mut()
            .map(|date| date.iter_mut().map(variance).collect())
            .collect();
        // A date that the survey hardly sees scatters like the others.
        for band in 0..bands {
            let mut known: Vec<f64> = table.iter().map(|date| date[band]).filter(|v| !v.is_nan()).collect();
            let usual = median(&mut known).unwrap_or(least * least);
            table
                .iter_mut()
                .filter(|date| date[band].is_nan())
                .for_each(|date| date[band] = usual);
        }
        table
    }

    /// Whether the yearly course foretells the newest date better than the median does: by its variance, in the mean of the bands.
    fn follows_the_year(&self, survey: &[&Series]) -> bool {
        let newest = |kind| self.variances(kind, survey).pop().unwrap_or_default();
        let both = newest(Kind::Yearly).into_iter().zip(newest(Kind::Level));
        both.fold(1.0, |product, (yearly, level)| product * yearly / level) < 1.0
    }

    /// Fits the law of one kind by the pixels that are judged by it; each step needs those before it.
    fn fit_law(&mut self, kind: Kind, survey: &[&Series]) {
        let (bands, law) = (self.sensor.len(), kind as usize);
        self.laws[law].variance = self.variances(kind, survey);
        let (survey, pasts): (Vec<&Series>, Vec<Past>) = survey
            .iter()
            .filter_map(|series| Some((*series, self.past(series, self.past_len(series))?)))
            .unzip();
        let pixels = || survey.iter().copied().zip(&pasts);
        for band in 0..bands {
            let mut ratios: Vec<f64> = pasts.iter().map(|past| past.ratio[band]).collect();
            self.laws[law].prior[band] = median(&mut ratios).unwrap_or(1.0).max(LEAST_RATIO);
        }
        let both: Vec<[Vec<f64>; 2]> = pixels()
            .map(|(s, past)| [past.n - 1, s.places.len() - 1].map(|at| self.deviations(s, past, at)))
            .collect();
        for band in 0..bands {
            let pair = |[last, newest]: &[Vec<f64>; 2]| (last[band].clamp(-MEMORY_CAP, MEMORY_CAP), newest[band]);
            self.laws[law].memory[band] = memory(&both.iter().map(pair).collect::<Vec<_>>());
        }
        let newest = |(s, past): (&Series, &Past)| self.normal_deviations(s, past, s.places.len() - 1);
        self.laws[law].independent = independent(&pixels().map(newest).collect::<Vec<_>>(), bands);
        let run = |(s, past): (&Series, &Past)| self.run(s, past);
        let runs: Vec<Vec<f64>> = pixels().map(run).collect();
        self.laws[law].single = Calibration::fit(&mut runs.concat(), 0.0, 1.0);
        self.laws[law].further = further(&runs, self.laws[law].single);
        let mut joint: Vec<f64> = runs.iter().map(|run| self.in_a_row(kind, run)).collect();
        self.laws[law].joint = Calibration::fit(&mut joint, 0.0, 1.0);
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
        (!sigma.is_nan()).then(|| self.laws[past.kind as usize].joint.stored(sigma))
    }

    /// Back from the newest observation as long as they deviate; what deviates is no past, so that is fitted anew before it.
    fn dated(&self, series: &Series) -> Option<Onset> {
        let n = series.places.len();
        let (mut upto, mut first) = (self.past_len(series), n);
        for _ in 0..ONSET_ROUNDS {
            let Some(past) = self.past(series, upto) else { break };
            let changed = |at: &usize| self.in_a_row(past.kind, &[self.sigma(series, &past, *at)]) > ONSET_SIGMA;
            first = n - (LEAST_PAST..n).rev().take_while(changed).count();
            if first >= upto {
                break;
            }
            upto = first;
        }
        let place = |at: usize| u16::try_from(*series.places.get(at)?).ok();
        Some(Onset {
            last_unchanged: place(first - 1)?,
            first_changed: place(first)?,
        })
    }

    fn map<T: Clone>(&self, seen: &Seen, core: &Rect, none: T, answer: impl Fn(&Series) -> Option<T>) -> Plane<T> {
        let mut plane = Plane::filled(*core, none);
        for ((row, column), value) in plane.data.indexed_iter_mut() {
            let series = self.series(seen, core.x + column as i64, core.y + row as i64);
            if let Some(found) = series.and_then(|series| answer(&series)) {
                *value = found;
            }
        }
        plane
    }
}

impl Scorer for History {
    fn halo(&self) -> usize {
        self.params.window_px / 2
    }

    fn score(&self, seen: &Seen, core: &Rect) -> Plane<i16> {
        self.map(seen, core, SCORE_NODATA, |series| self.stored(series))
    }

    fn onset(&self, seen: &Seen, core: &Rect) -> Option<Plane<Option<Onset>>> {
        Some(self.map(seen, core, None, |series| Some(self.dated(series))))
    }
}

/// How much of an independent observation each further one in a row is: `p^n = P` for the probabilities that one, and that all of a
/// run, lie beyond [`RUN_SIGMA`]. Deviations of successive dates go together.
fn further(runs: &[Vec<f64>], single: Calibration) -> f64 {
    let longest = runs.iter().map(Vec::len).max().unwrap_or(0);
    let beyond = |sigma: &f64| (sigma - single.centre) / single.scale > RUN_SIGMA;
    let runs: Vec<&Vec<f64>> = runs.iter().filter(|run| run.len() == longest).collect();
    let all = runs.iter().filter(|run| run.iter().all(beyond)).count() as f64 / runs.len() as f64;
    let one =
        runs.iter().flat_map(|run| run.iter()).filter(|s| beyond(s)).count() as f64 / (runs.len() * longest) as f64;
    let found = (libm::log(all) / libm::log(one) - 1.0) / (longest as f64 - 1.0);
    if found.is_nan() { 1.0 } else { found.clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::stage::laws::normal_upper;

    const EDGE: usize = 40;

    /// Values of a normal law in scrambled order (a linear congruential generator, Numerical Recipes "ranqd1").
    fn noise(seed: u32) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            normal_upper((f64::from(state >> 8) + 0.5) / f64::from(1_u32 << 24))
        }
    }

    /// Dates every `step` days: ground of different levels with noise of 0.1 and what `more` adds by (date, row, column); each date
    /// has a gain and an offset of its own.
    fn seen(dates: usize, more: impl Fn(usize, usize, usize) -> f64) -> Seen {
        let mut noise = noise(7);
        let dates = (0..dates).map(|date| {
            let mut band = |shift: f64| {
                Array2::from_shape_fn((EDGE, EDGE), |(row, column)| {
                    let ground = (row % 5) as f64 + shift + 0.1 * noise() + more(date, row, column);
                    ((1.0 + 0.02 * date as f64) * ground + 0.3 * (date % 3) as f64) as f32
                })
            };
            vec![band(0.0), band(1.0)]
        });
        let rect = Rect::new(0, 0, EDGE, EDGE);
        Seen {
            rect,
            dates: dates.collect(),
            flags: Plane::filled(rect, flags::CLEAR),
        }
    }

    fn fitted(seen: &Seen, step: f64, consecutive: usize) -> History {
        let days: Vec<f64> = (0..seen.dates.len()).map(|date| step * date as f64).collect();
        let params = HistoryParams {
            window_px: 1,
            consecutive,
            common_gain: true,
        };
        let cell = Cell {
            core: seen.rect,
            seen: seen.clone(),
        };
        History::fit(&[cell], &days, &[SensorNoise::default(); 2], &params).unwrap()
    }

    fn sorted(scores: &Plane<i16>) -> Vec<f64> {
        let mut all: Vec<f64> = scores.data.iter().map(|s| f64::from(*s) / 100.0).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    #[test]
    fn without_change_scores_are_standard_normal_or_quieter() {
        for (dates, step) in [(5, 16.0), (9, 16.0), (30, 30.0)] {
            for consecutive in [1, 2] {
                let seen = seen(dates, |_, _, _| 0.0);
                let found = sorted(&fitted(&seen, step, consecutive).score(&seen, &seen.rect));
                for (q, z) in [(0.5, 0.0), (0.8413, 1.0), (0.9772, 2.0), (0.9987, 3.0)] {
                    let at = found[(q * found.len() as f64) as usize];
                    assert!(
                        at < z + 0.4 && at > 0.6 * z - 0.5,
                        "{dates}, {consecutive}: {at} at {z}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_step_is_dated_between_the_clear_dates_around_it() {
        let changed = |row: usize, column: usize| row < 6 && column < 6;
        let mut seen = seen(
            12,
            |date, row, column| if date >= 8 && changed(row, column) { 1.5 } else { 0.0 },
        );
        for cloudy in [7, 8] {
            seen.dates[cloudy].iter_mut().for_each(|band| band[[2, 3]] = f32::NAN);
        }
        let history = fitted(&seen, 16.0, 1);
        let onset = history.onset(&seen, &seen.rect).unwrap();
        let score = history.score(&seen, &seen.rect);
        let dated = |last_unchanged, first_changed| {
            Some(Onset {
                last_unchanged,
                first_changed,
            })
        };
        assert_eq!((onset.data[[2, 3]], onset.data[[4, 4]]), (dated(6, 9), dated(7, 8)));
        let right = (0..36).filter(|i| onset.data[[i / 6, i % 6]] == dated(7, 8)).count();
        assert!(right >= 33, "{right} of 35");
        assert!((0..36).all(|i| score.data[[i / 6, i % 6]] > 500));
        let elsewhere = onset
            .data
            .indexed_iter()
            .filter(|((y, x), o)| !changed(*y, *x) && o.is_some());
        assert!(elsewhere.count() < EDGE * EDGE / 50);
    }

    #[test]
    fn what_is_seen_on_one_date_is_no_change_where_two_are_asked_for() {
        let seen = seen(12, |date, row, column| {
            let spike = date == 11 && row < 6;
            let step = date >= 10 && column < 6 && row > 32;
            if spike || step { 1.5 } else { 0.0 }
        });
        let [one, two] = [1, 2].map(|k| fitted(&seen, 16.0, k).score(&seen, &seen.rect));
        assert!(
            one.data[[3, 20]] > 400 && two.data[[3, 20]] < 200,
            "{}, {}",
            one.data[[3, 20]],
            two.data[[3, 20]]
        );
        assert!(one.data[[36, 3]] > 400 && two.data[[36, 3]] > 400);
    }

    #[test]
    fn the_season_of_a_field_is_no_change() {
        // A third of the ground is green for some weeks of the year, and is so on the newest date; a step comes on top in a corner.
        let season = |date: usize, row: usize, column: usize| {
            let angle = 2.0 * core::f64::consts::PI * (date as f64 * 30.0 - 870.0) / 365.25;
            let wave: f64 = [1.0, 2.0, 3.0].iter().map(|k| libm::cos(k * angle)).sum();
            let step = if date == 29 && row < 4 && column < 4 { 2.0 } else { 0.0 };
            step + if row.is_multiple_of(3) { 0.5 * wave } else { 0.0 }
        };
        let seen = seen(30, season);
        let yearly = fitted(&seen, 30.0, 1);
        assert!(yearly.yearly);
        let mut level = yearly.clone();
        level.yearly = false;
        let [yearly, level] = [yearly, level].map(|history| history.score(&seen, &seen.rect));
        let loud = |plane: &Plane<i16>| {
            plane
                .data
                .indexed_iter()
                .filter(|((row, _), s)| *row > 4 && **s > 250)
                .count()
        };
        assert!(
            loud(&yearly) < 40 && loud(&level) > 400,
            "{}, {}",
            loud(&yearly),
            loud(&level)
        );
        assert!(yearly.data[[0, 0]] > 400 && yearly.data[[1, 1]] > 400);
    }

    #[test]
    fn tiles_give_what_the_whole_gives() {
        let seen = seen(8, |date, row, _| if date == 7 && row < 6 { 1.0 } else { 0.0 });
        let mut history = fitted(&seen, 16.0, 1);
        history.params.window_px = 3;
        let inside = Rect::new(1, 1, EDGE - 2, EDGE - 2);
        let (whole, dates) = (history.score(&seen, &inside), history.onset(&seen, &inside).unwrap());
        for core in [Rect::new(1, 1, 10, 7), Rect::new(11, 8, 20, 30)] {
            let wide = core.grow(history.halo());
            let cut = |band: &Array2<f32>| crate::raster::plane::view(band, &seen.rect, &wide).to_owned();
            let tile = Seen {
                rect: wide,
                dates: seen.dates.iter().map(|date| date.iter().map(cut).collect()).collect(),
                flags: seen.flags.crop(&core),
            };
            assert_eq!(history.score(&tile, &core), whole.crop(&core));
            assert_eq!(history.onset(&tile, &core).unwrap(), dates.crop(&core));
        }
    }

    #[test]
    fn what_has_no_past_is_not_judged() {
        let mut seen = seen(6, |_, _, _| 0.0);
        let mut cloud = |dates: &[usize], at: [usize; 2]| dates.iter().for_each(|d| seen.dates[*d][1][at] = f32::NAN);
        cloud(&[5], [0, 0]);
        cloud(&[0, 2, 4], [0, 1]);
        cloud(&[0, 4], [0, 2]);
        seen.flags.data[[0, 3]] = flags::CLOUD;
        let history = fitted(&seen, 16.0, 1);
        let score = history.score(&seen, &seen.rect);
        let judged = [0, 1, 2, 3, 4].map(|column| score.data[[0, column]] != SCORE_NODATA);
        assert_eq!(judged, [false, false, true, false, true]);

        let sensor = [SensorNoise::default(); 2];
        let few = History::fit(&[], &[0.0, 1.0, 2.0], &sensor, &history.params);
        assert_eq!(few, Err(HistoryError::TooFewDates { expected: 4, found: 3 }));
        let none = History::fit(&[], &[0.0, 1.0, 2.0, 3.0], &sensor, &history.params);
        assert_eq!(
            none,
            Err(HistoryError::TooFewPixels {
                expected: 100,
                found: 0
            })
        );
    }

    #[test]
    fn a_constant_scene_is_quiet() {
        let mut seen = seen(6, |_, _, _| 0.0);
        seen.dates.iter_mut().flatten().for_each(|band| band.fill(2.0));
        let found = sorted(&fitted(&seen, 16.0, 1).score(&seen, &seen.rect));
        assert!(found.iter().all(|s| *s <= 0.0), "{found:?}");
    }
}
