//! What a training sample says of a series: what is common to each date, and how deviations scatter without change.

use super::past::{Kind, MIN_PAST, Past, Series, independent, line, memory};
use super::{Common, History, HistoryError, HistoryParams, MEMORY_CAP, NoiseModel};
use crate::raster::stats::{median, median_and_sigma};
use crate::stage::detect::Cell;
use crate::stage::detect::calibrate::Calibration;
use crate::stage::normalise::SensorNoise;

/// Pixels of the training sample without which there is no noise model.
const MIN_PIXELS: usize = 100;
/// At most about this many pixels enter the training sample: the noise models are those of medians, good to half a percent.
const TRAINING_PIXELS: usize = 1 << 14;
/// Least part of an observation's variance that a course leaves to its residual: one that decides the course has next to none.
const MIN_FREE: f64 = 0.2;
/// Rounds of fitting what is common to the dates and the pixels' medians in turn.
const COMMON_ROUNDS: usize = 2;
/// Gains outside these bounds are no radiometry (as in the normalisation of a pair).
const GAIN_BOUNDS: (f64, f64) = (0.2, 5.0);
/// A pixel's typical variance is never taken below this part of that of the dates: constant and quantised bands.
const MIN_RATIO: f64 = 0.01;
/// Beyond this, runs of observations are counted, sigma: where the training sample has many.
const RUN_SIGMA: f64 = 1.0;

impl History {
    /// The detector for `days` (any origin, ascending, the judged date last), by a training sample; `sensor` is the noise of each band that the
    /// sensor states.
    ///
    /// # Errors
    /// Fewer than three earlier dates; too few pixels that can be judged.
    pub fn fit(
        cells: &[Cell],
        days: &[f64],
        sensor: &[SensorNoise],
        params: &HistoryParams,
    ) -> Result<Self, HistoryError> {
        if days.len() <= MIN_PAST {
            return Err(HistoryError::TooFewDates {
                expected: MIN_PAST + 1,
                found: days.len(),
            });
        }
        let bands = sensor.len();
        let model = NoiseModel {
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
            models: [model.clone(), model],
        };
        let mut sample = history.sample(cells);
        if sample.len() < MIN_PIXELS {
            return Err(HistoryError::TooFewPixels {
                expected: MIN_PIXELS,
                found: sample.len(),
            });
        }
        history.fit_common(&mut sample);
        let pays = |series: &&Series| series.coefficients(history.past_len(series)).is_some();
        let (yearly, rest): (Vec<&Series>, Vec<&Series>) = sample.iter().partition(pays);
        history.yearly = yearly.len() >= MIN_PIXELS && history.follows_the_year(&yearly);
        let level = if history.yearly { rest } else { sample.iter().collect() };
        if history.yearly {
            history.fit_noise(Kind::Yearly, &yearly);
        }
        // A kind of which the training sample holds too few takes the noise model of the other.
        if level.len() < MIN_PIXELS {
            history.models[Kind::Level as usize] = history.models[Kind::Yearly as usize].clone();
        } else {
            history.fit_noise(Kind::Level, &level);
        }
        Ok(history)
    }

    /// Pixels that can be judged, from a lattice over the site grid, in a fixed order.
    fn sample(&self, cells: &[Cell]) -> Vec<Series> {
        let pixels: usize = cells.iter().map(|cell| cell.core.area()).sum();
        let stride = (1..)
            .find(|stride| pixels / (stride * stride) <= TRAINING_PIXELS)
            .unwrap_or(1) as i64;
        let mut sample = Vec::new();
        for Cell { core, stack } in cells {
            for y in (core.y..core.bottom()).filter(|y| y % stride == 0) {
                let row = (core.x..core.right()).filter(|x| x % stride == 0);
                sample.extend(row.filter_map(|x| self.series(stack, x, y)));
            }
        }
        sample
    }

    /// Fits what is common to each date, and removes it.
    fn fit_common(&mut self, sample: &mut [Series]) {
        for band in (0..self.sensor.len()).cycle().take(COMMON_ROUNDS * self.sensor.len()) {
            let mut pairs = vec![Vec::new(); self.days.len()];
            for series in sample.iter() {
                let values = &series.bands[band];
                let usual = median(&mut values[..values.len() - 1].to_vec()).unwrap_or(0.0);
                let stack = series.places.iter().zip(values);
                stack.for_each(|(place, value)| pairs[*place].push((usual, *value)));
            }
            // Of few pixels a gain says little.
            let with_gain = |pairs: &[(f64, f64)]| self.params.common_gain && pairs.len() >= MIN_PIXELS;
            let found: Vec<(f64, f64)> = pairs
                .iter()
                .map(|pairs| line(pairs, if with_gain(pairs) { GAIN_BOUNDS } else { (1.0, 1.0) }))
                .collect();
            for series in sample.iter_mut() {
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

    /// Variance over the training sample of each date and band, around what is expected of one kind.
    fn variances(&self, kind: Kind, sample: &[&Series]) -> Vec<Vec<f64>> {
        let bands = self.sensor.len();
        let mut residuals = vec![vec![Vec::new(); bands]; self.days.len()];
        for series in sample {
            let upto = self.past_len(series);
            let Some(shape) = series.shape(upto, kind) else {
                continue;
            };
            for (at, (place, day)) in series.places.iter().zip(&series.days).enumerate() {
                // What is fitted to lies nearer to the expectation, and what is foretold farther off, than its noise.
                let lever = shape.lever(upto, *day);
                let unit = if at < upto {
                    (1.0 - lever).max(MIN_FREE)
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
            Some((_, sigma)) if of.len() >= MIN_PIXELS => sigma.max(least) * sigma.max(least),
            _ => f64::NAN,
        };
        let mut table: Vec<Vec<f64>> = residuals
            .iter_mut()
            .map(|date| date.iter_mut().map(variance).collect())
            .collect();
        // A date that the training sample hardly sees scatters like the others.
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
    fn follows_the_year(&self, sample: &[&Series]) -> bool {
        let newest = |kind| self.variances(kind, sample).pop().unwrap_or_default();
        let both = newest(Kind::Yearly).into_iter().zip(newest(Kind::Level));
        both.fold(1.0, |product, (yearly, level)| product * yearly / level) < 1.0
    }

    /// Fits the noise model of one kind by the pixels that are judged by it; each step needs those before it.
    fn fit_noise(&mut self, kind: Kind, sample: &[&Series]) {
        let (bands, model) = (self.sensor.len(), kind as usize);
        self.models[model].variance = self.variances(kind, sample);
        let (sample, pasts): (Vec<&Series>, Vec<Past>) = sample
            .iter()
            .filter_map(|series| Some((*series, self.past(series, self.past_len(series))?)))
            .unzip();
        let pixels = || sample.iter().copied().zip(&pasts);
        for band in 0..bands {
            let mut ratios: Vec<f64> = pasts.iter().map(|past| past.ratio[band]).collect();
            self.models[model].prior[band] = median(&mut ratios).unwrap_or(1.0).max(MIN_RATIO);
        }
        let both: Vec<[Vec<f64>; 2]> = pixels()
            .map(|(s, past)| [past.n - 1, s.places.len() - 1].map(|at| self.deviations(s, past, at)))
            .collect();
        for band in 0..bands {
            let pair = |[last, newest]: &[Vec<f64>; 2]| (last[band].clamp(-MEMORY_CAP, MEMORY_CAP), newest[band]);
            self.models[model].memory[band] = memory(&both.iter().map(pair).collect::<Vec<_>>());
        }
        let newest = |(s, past): (&Series, &Past)| self.normal_deviations(s, past, s.places.len() - 1);
        self.models[model].independent = independent(&pixels().map(newest).collect::<Vec<_>>(), bands);
        let run = |(s, past): (&Series, &Past)| self.run(s, past);
        let runs: Vec<Vec<f64>> = pixels().map(run).collect();
        self.models[model].single = Calibration::fit(&mut runs.concat(), 0.0, 1.0);
        self.models[model].further = further(&runs, self.models[model].single);
        let mut joint: Vec<f64> = runs.iter().map(|run| self.in_a_row(kind, run)).collect();
        self.models[model].joint = Calibration::fit(&mut joint, 0.0, 1.0);
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
