//! The dates at which one pixel's series leaves its yearly course (`harmonic`).
//!
//! A break is a run of observations all of which lie off the prediction (the test of the program pyccd).

use super::harmonic::{
    MAX_COEFFICIENTS, MIN_DAYS, MIN_OBSERVATIONS, Model, PER_COEFFICIENT, YEAR_DAYS, fit, fit_robust, size,
};
use crate::raster::stats::median;

/// Observations nearest in the day of the year from which the spread is taken once the model is full (pyccd).
const NEAREST: usize = 24;
/// A full model is fitted anew when its span has grown by this factor (pyccd, COLD).
const REFIT_GROWTH: f64 = 4.0 / 3.0;
/// Observations closer than this say little of the noise between dates, days.
const VARIOGRAM_DAYS: f64 = 30.0;

/// How a break is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakParams {
    /// Observations in a row that must all lie off the course.
    pub consecutive: usize,
    /// Sum of squared deviations over the bands beyond which an observation lies off.
    pub change: f64,
    /// Beyond which a single one is no observation of the ground and is dropped.
    pub outlier: f64,
}

/// Those of COLD for five bands: six in a row beyond the 0.99 quantile of chi-square; dropped beyond that of 1 - 1e-6 (pyccd).
/// scipy.stats.chi2.ppf([0.99, 1 - 1e-6], 5) = 15.0863, 35.8882.
pub const COLD: BreakParams = BreakParams {
    consecutive: 6,
    change: 15.086_272_469_388_99,
    outlier: 35.888_186_874_500_41,
};

/// A change of course: between two observations, by their places in the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// The last observation on the old course.
    pub last_unchanged: usize,
    /// The first one off it.
    pub first_changed: usize,
    /// Observations of the old course.
    pub observations: usize,
}

/// One pixel's series under test; `kept` are the places of the observations that count.
struct Series<'a> {
    times: &'a [f64],
    bands: &'a [Vec<f64>],
    kept: Vec<usize>,
    /// The variogram of each band: the least spread.
    least: Vec<f64>,
    params: &'a BreakParams,
}

/// The breaks of a series: `bands` (one slice of values a band) on the days `times`, in order, of which `clear` ones count.
///
/// Too few observations for one model: no break is found.
pub fn breaks(times: &[f64], bands: &[Vec<f64>], clear: &[bool], params: &BreakParams) -> Vec<Break> {
    let kept: Vec<usize> = (0..times.len())
        .filter(|i| clear[*i] && bands.iter().all(|values| values[*i].is_finite()))
        .collect();
    let mut series = Series {
        least: bands.iter().map(|values| variogram(times, values, &kept)).collect(),
        times,
        bands,
        kept,
        params,
    };
    let mut found = Vec::new();
    let (mut start, mut ended) = (0, 0);
    while let Some((mut first, mut stop)) = series.initial(&mut start) {
        series.look_back(&mut first, &mut stop, ended);
        if first - ended >= params.consecutive && ended > 0 {
            found.push(series.broken(ended, first));
        }
        if !series.look_forward(first, &mut stop) {
            break;
        }
        found.push(series.broken(first, stop));
        (start, ended) = (stop, stop);
    }
    found
}

/// The noise between dates: the median difference of observations more than [`VARIOGRAM_DAYS`] apart, at the least lag at which most
/// pairs are (pycold, `adjust_median_variogram`); 0 where no lag has them.
fn variogram(times: &[f64], values: &[f64], kept: &[usize]) -> f64 {
    (1..kept.len())
        .find_map(|lag| {
            let pairs = kept.iter().zip(&kept[lag..]);
            let far = pairs.filter(|(a, b)| times[**b] - times[**a] > VARIOGRAM_DAYS);
            let mut steps: Vec<f64> = far.map(|(a, b)| (values[*b] - values[*a]).abs()).collect();
            (2 * steps.len() > kept.len() - lag).then(|| median(&mut steps))?
        })
        .unwrap_or(0.0)
}

impl Series<'_> {
    fn broken(&self, start: usize, stop: usize) -> Break {
        Break {
            last_unchanged: self.kept[stop - 1],
            first_changed: self.kept[stop],
            observations: stop - start,
        }
    }

    fn time(&self, at: usize) -> f64 {
        self.times[self.kept[at]]
    }

    fn fit(&self, start: usize, stop: usize, most: usize) -> Option<Model> {
        let used = size(stop - start, self.time(stop - 1) - self.time(start))?.min(most);
        fit(self.times, self.bands, &self.weights(start, stop), used)
    }

    fn weights(&self, start: usize, stop: usize) -> Vec<f64> {
        let mut weights = vec![0.0; self.times.len()];
        self.kept[start..stop].iter().for_each(|i| weights[*i] = 1.0);
        weights
    }

    fn residuals<'m>(&'m self, model: &'m Model, at: usize) -> impl Iterator<Item = f64> + 'm {
        let at = self.kept[at];
        let expected = model.predict(self.times[at]);
        self.bands.iter().zip(expected).map(move |(values, x)| values[at] - x)
    }

    /// Sum over the bands of squared residuals, each in units of the larger of `spread` and the variogram.
    fn magnitude(&self, model: &Model, spread: &[f64], at: usize) -> f64 {
        self.residuals(model, at)
            .zip(spread.iter().zip(&self.least))
            .map(|(r, (spread, least))| {
                let unit = spread.max(*least).max(f64::MIN_POSITIVE);
                (r / unit) * (r / unit)
            })
            .sum()
    }

    /// The first window from `start` on that holds enough and follows one course: its ends; outliers in it are dropped.
    fn initial(&mut self, start: &mut usize) -> Option<(usize, usize)> {
        loop {
            let mut stop = self.enough(*start)?;
            // What lies off a course that is fitted robustly is dropped (the part of Tmask, Zhu and Woodcock, 2014).
            if let Some(model) = fit_robust(self.times, self.bands, &self.weights(*start, stop), 4, 5) {
                let off = |at: &usize| self.magnitude(&model, &model.rmse, *at) > self.params.outlier;
                let outliers: Vec<usize> = (*start..stop).filter(off).collect();
                self.kept = (0..self.kept.len())
                    .filter(|at| !outliers.contains(at))
                    .map(|at| self.kept[at])
                    .collect();
                stop -= outliers.len();
                if !outliers.is_empty() && self.enough(*start) != Some(stop) {
                    continue;
                }
            }
            if self
                .fit(*start, stop, 4)
                .is_some_and(|model| self.stable(&model, *start, stop))
            {
                return Some((*start, stop));
            }
            *start += 1;
        }
    }

    /// The end of the shortest window from `start` that pays for a model.
    fn enough(&self, start: usize) -> Option<usize> {
        (start + MIN_OBSERVATIONS..=self.kept.len()).find(|stop| self.time(stop - 1) - self.time(start) >= MIN_DAYS)
    }

    /// Whether neither the trend nor the first and last residual show a change inside the window (pyccd `stable`).
    fn stable(&self, model: &Model, start: usize, stop: usize) -> bool {
        let years = (self.time(stop - 1) - self.time(start)) / YEAR_DAYS;
        let ends = self.residuals(model, start).zip(self.residuals(model, stop - 1));
        let sum: f64 = ends
            .enumerate()
            .map(|(band, (first, last))| {
                let unit = model.rmse[band].max(self.least[band]).max(f64::MIN_POSITIVE);
                let off = ((model.coefficients[band][1] * years).abs() + first.abs() + last.abs()) / unit;
                off * off
            })
            .sum();
        sum <= self.params.change
    }

    /// Grows the window backwards, to the end of the last course, as long as observations follow it.
    fn look_back(&mut self, first: &mut usize, stop: &mut usize, ended: usize) {
        while *first > ended {
            let Some(model) = self.fit(*first, *stop, MAX_COEFFICIENTS) else {
                return;
            };
            let run = self.params.consecutive.min(*first - ended);
            let off: Vec<f64> = (*first - run..*first)
                .rev()
                .map(|at| self.magnitude(&model, &model.rmse, at))
                .collect();
            if off.iter().all(|m| *m > self.params.change) {
                return;
            }
            *first -= 1;
            if off[0] > self.params.outlier {
                self.kept.remove(*first);
                *stop -= 1;
            }
        }
    }

    /// Grows the window forwards until all of a run lie off its course: whether they did before the series ended.
    fn look_forward(&mut self, first: usize, stop: &mut usize) -> bool {
        let mut fitted: Option<(Model, f64)> = None;
        while *stop + self.params.consecutive <= self.kept.len() {
            let span = self.time(*stop - 1) - self.time(first);
            let full = *stop - first >= PER_COEFFICIENT * MAX_COEFFICIENTS;
            if !full || fitted.as_ref().is_none_or(|(_, at)| span >= REFIT_GROWTH * at) {
                let Some(model) = self.fit(first, *stop, MAX_COEFFICIENTS) else {
                    return false;
                };
                // Until the model is full it is fitted anew at every step.
                fitted = Some((model, if full { span } else { 0.0 }));
            }
            let Some((model, _)) = &fitted else { return false };
            let spread = if full {
                self.seasonal(model, first, *stop)
            } else {
                model.rmse.clone()
            };
            let run: Vec<f64> = (*stop..*stop + self.params.consecutive)
                .map(|at| self.magnitude(model, &spread, at))
                .collect();
            if run.iter().all(|m| *m > self.params.change) {
                return true;
            }
            if run[0] > self.params.outlier {
                self.kept.remove(*stop);
            } else {
                *stop += 1;
            }
        }
        false
    }

    /// Root mean squared residual of the [`NEAREST`] observations of the window in the day of the year to the next one.
    fn seasonal(&self, model: &Model, first: usize, stop: usize) -> Vec<f64> {
        let apart = |at: usize| {
            let part = ((self.time(at) - self.time(stop)).abs() / YEAR_DAYS).fract();
            part.min(1.0 - part)
        };
        let mut window: Vec<usize> = (first..stop).collect();
        window.sort_by(|a, b| apart(*a).total_cmp(&apart(*b)).then(a.cmp(b)));
        let mut sums = vec![0.0; self.bands.len()];
        for at in window.iter().take(NEAREST) {
            sums.iter_mut()
                .zip(self.residuals(model, *at))
                .for_each(|(sum, r)| *sum += r * r);
        }
        sums.iter()
            .map(|sum| (sum / (NEAREST - model.used) as f64).sqrt())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::harmonic::tests::series;
    use super::*;

    #[test]
    fn a_lasting_step_is_a_break_and_a_passing_one_is_none() {
        let clear = vec![true; 120];
        let (times, bands) = series(120, 16.0, |i| if i >= 70 { 300.0 } else { 0.0 });
        let found = breaks(&times, &bands, &clear, &COLD);
        let expected = Break {
            last_unchanged: 69,
            first_changed: 70,
            observations: 70,
        };
        assert_eq!(found, [expected]);
        let (times, bands) = series(120, 16.0, |i| if (70..75).contains(&i) { 300.0 } else { 0.0 });
        assert_eq!(breaks(&times, &bands, &clear, &COLD), []);
        let (times, bands) = series(120, 16.0, |_| 0.0);
        assert_eq!(breaks(&times, &bands, &clear, &COLD), []);
    }

    #[test]
    fn a_break_lies_between_clear_observations() {
        let clear: Vec<bool> = (0..120).map(|i| !(66..72).contains(&i)).collect();
        let (times, bands) = series(120, 16.0, |i| if i >= 70 { 300.0 } else { 0.0 });
        let found = breaks(&times, &bands, &clear, &COLD);
        assert_eq!((found[0].last_unchanged, found[0].first_changed), (65, 72));
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn little_or_constant_data_has_no_break() {
        assert_eq!(breaks(&[], &[], &[], &COLD), []);
        let (times, bands) = series(11, 40.0, |_| 0.0);
        assert_eq!(breaks(&times, &bands, &[true; 11], &COLD), []);
        let times: Vec<f64> = (0..60).map(|i| f64::from(i) * 16.0).collect();
        assert_eq!(breaks(&times, &vec![vec![f64::NAN; 60]; 5], &[true; 60], &COLD), []);
        assert_eq!(breaks(&times, &vec![vec![0.0; 60]; 5], &[true; 60], &COLD), []);
    }
}
