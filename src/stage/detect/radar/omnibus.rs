//! The omnibus test of a series of radar dates, answered in sigma: does the newest differ from what held before.
//!
//! What is common to each date is taken off, power is averaged over a window (multilook), each pixel runs its sequence of tests
//! ([`super::sequence`]), and the evidence is averaged over a second window and set on its own centre and spread over the training sample, never
//! finer than the tests alone give.
//! One series holds the dates of one relative orbit and pass; platforms may mix.

use ndarray::{Array2, Zip};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::looks::{
    RadarError, calibrate, gains_db, independent, log_looks, looks_after, power, radius, sample_step, window_mean,
};
use super::sequence::{Changes, Sequence, Speckle};
use crate::geo::Rect;
use crate::raster::stats::SCORE_NODATA;
use crate::raster::{Plane, flags, plane};
use crate::stage::detect::calibrate::Calibration;
use crate::stage::detect::{BreakDate, Cell, Course, Diagnostics, Scorer, ScreenedStack};

/// `[detect.omnibus]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OmnibusParams {
    /// Side of the window over which power is averaged, pixels, odd; 1 for none.
    #[schemars(range(min = 1, max = 21), extend("unit" = "pixels"))]
    pub window_px: usize,
    /// Side of the window over which the evidence of change is averaged, pixels, odd; 1 for none.
    #[schemars(range(min = 1, max = 19), extend("unit" = "pixels"))]
    pub evidence_px: usize,
    /// Probability of ending a segment by chance, for each date and pixel.
    pub alpha: f64,
    /// The newest dates, of which a change on any counts as new; 1 for the judged date alone.
    pub judged_dates: usize,
}

#[cfg(test)]
impl Default for OmnibusParams {
    fn default() -> Self {
        Self {
            window_px: 3,
            evidence_px: 3,
            alpha: 1e-4,
            judged_dates: 1,
        }
    }
}

const NAME: &str = "omnibus";

/// A fitted detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Omnibus {
    params: OmnibusParams,
    radius: usize,
    evidence_radius: usize,
    /// What is common to each date, decibels, by date and band.
    gains_db: Vec<Vec<f64>>,
    speckle: Speckle,
    calibration: Calibration,
}

impl Omnibus {
    /// The detector for the series of the training sample `cells`, which hold [`Scorer::halo`] pixels around their cores.
    ///
    /// # Errors
    /// [`RadarError`] when a window is even, `alpha` no probability, when there are fewer than two dates, or when no pixel is clear.
    pub fn fit(cells: &[Cell], params: &OmnibusParams) -> Result<Self, RadarError> {
        if !(params.alpha > 0.0 && params.alpha < 1.0) {
            return Err(RadarError::Alpha { alpha: params.alpha });
        }
        let gains_db = gains_db(cells)?;
        let (dates, bands) = (gains_db.len(), gains_db.first().map_or(0, Vec::len));
        if dates < 2 {
            return Err(RadarError::Dates {
                detector: NAME,
                expected: "2 or more",
                found: dates,
            });
        }
        let mut fitted = Self {
            params: params.clone(),
            radius: radius("window_px", params.window_px)?,
            evidence_radius: radius("evidence_px", params.evidence_px)?,
            gains_db,
            speckle: Speckle::default(),
            calibration: Calibration::NONE,
        };
        let looks = (0..bands).map(|band| fitted.looks_of(cells, band)).collect();
        fitted.speckle = Speckle::new(looks, dates, params.alpha);
        let mut statistics = Vec::new();
        for Cell { core, stack } in cells {
            let found = fitted.statistic(stack, core);
            statistics.extend(found.iter().copied().filter(|v| v.is_finite()));
        }
        if statistics.is_empty() {
            return Err(RadarError::Nothing { detector: NAME });
        }
        let least = 1.0 / independent(fitted.radius, fitted.evidence_radius).sqrt();
        fitted.calibration = calibrate(&mut statistics, 0.0, least);
        Ok(fitted)
    }

    /// Looks of each band after averaging: for the record.
    pub fn looks(&self) -> &[f64] {
        self.speckle.looks()
    }

    fn looks_of(&self, cells: &[Cell], band: usize) -> f64 {
        let mut found = Vec::new();
        let mut ratios = Vec::new();
        let step = sample_step(cells);
        for Cell { core, stack } in cells {
            let mut last: Option<Array2<f64>> = None;
            for (date, gains) in stack.dates.iter().zip(&self.gains_db) {
                found.extend(log_looks(&power(plane::view(&date[band], &stack.rect, core), 0.0)));
                let next = self.averaged(stack, core, &date[band], gains[band]);
                if let Some(before) = last {
                    let pairs = before.iter().zip(&next).step_by(step).map(|(a, b)| libm::log(b / a));
                    ratios.extend(pairs.filter(|v| v.is_finite()));
                }
                last = Some(next);
            }
        }
        looks_after(found, self.params.window_px, &mut ratios)
    }

    /// Power of one band of one date on `area`, averaged, without what is common to the date.
    fn averaged(&self, stack: &ScreenedStack, area: &Rect, band: &Array2<f32>, gain_db: f64) -> Array2<f64> {
        let wide = area.grow(self.radius).intersect(&stack.rect);
        let mean = window_mean(&power(plane::view(band, &stack.rect, &wide), gain_db), self.radius);
        plane::view(&mean, &wide, area).to_owned()
    }

    /// What the sequence says of every pixel of `area`.
    fn sequences<T>(&self, stack: &ScreenedStack, area: &Rect, mut told: impl FnMut(Sequence) -> T) -> Plane<T> {
        // Single precision holds the averages: it is finer than speckle by four digits, and half the memory.
        let series: Vec<Vec<Array2<f32>>> = stack
            .dates
            .iter()
            .zip(&self.gains_db)
            .map(|(date, gains)| {
                let averaged =
                    |(band, gain): (&Array2<f32>, &f64)| self.averaged(stack, area, band, *gain).mapv(|v| v as f32);
                date.iter().zip(gains).map(averaged).collect()
            })
            .collect();
        let mut dates = Vec::with_capacity(series.len());
        let mut values = Vec::with_capacity(series.len() * self.looks().len());
        let mut all = Vec::with_capacity(area.area());
        for y in 0..area.h {
            for x in 0..area.w {
                dates.clear();
                values.clear();
                for (date, bands) in series.iter().enumerate() {
                    if bands.iter().all(|band| band[[y, x]] > 0.0 && band[[y, x]].is_finite()) {
                        dates.push(date);
                        values.extend(bands.iter().map(|band| f64::from(band[[y, x]])));
                    }
                }
                all.push(told(self.speckle.sequence(
                    &dates,
                    &values,
                    series.len(),
                    self.params.judged_dates,
                )));
            }
        }
        Plane::new(*area, all)
    }

    /// The evidence on `core`.
    fn statistic(&self, stack: &ScreenedStack, core: &Rect) -> Array2<f64> {
        let wide = core.grow(self.evidence_radius).intersect(&stack.rect);
        let sigma = self.sequences(stack, &wide, |sequence| sequence.sigma).into_array();
        plane::view(&window_mean(&sigma, self.evidence_radius), &wide, core).to_owned()
    }

    /// Whether `stack` holds the dates and bands that this was fitted to.
    fn fits(&self, stack: &ScreenedStack) -> bool {
        stack.dates.len() == self.gains_db.len() && stack.dates.iter().all(|date| date.len() == self.looks().len())
    }

    /// All changes of every pixel of `core`, of the whole series; the places of dates are those in `stack`.
    pub fn changes(&self, stack: &ScreenedStack, core: &Rect) -> Plane<Changes> {
        if !self.fits(stack) {
            return Plane::filled(*core, Changes::default());
        }
        self.sequences(stack, core, |sequence| sequence.changes)
    }
}

impl Scorer for Omnibus {
    fn halo(&self) -> usize {
        self.radius + self.evidence_radius
    }

    fn score(&self, stack: &ScreenedStack, core: &Rect) -> Plane<i16> {
        if !self.fits(stack) {
            return Plane::filled(*core, SCORE_NODATA);
        }
        let scores = Zip::from(&self.statistic(stack, core))
            .and(stack.flags.part(core))
            .map_collect(|statistic, flag| match *flag == flags::CLEAR && statistic.is_finite() {
                true => self.calibration.stored(*statistic),
                false => SCORE_NODATA,
            });
        Plane::of(*core, scores)
    }

    /// The strongest step of the judged dates.
    fn course(&self, stack: &ScreenedStack, core: &Rect) -> Option<Plane<Option<Course>>> {
        let course = |changes: &Changes| {
            let ((first, _), (_, direction)) = (changes.all.first()?, changes.all.last()?);
            Some(Course {
                changes: changes.all.len() as u16,
                first: *first,
                direction: *direction,
            })
        };
        Some(self.changes(stack, core).map(course))
    }

    fn diagnostics(&self) -> Diagnostics {
        Diagnostics {
            looks: self.looks().to_vec(),
            ..Diagnostics::default()
        }
    }

    fn break_date(&self, stack: &ScreenedStack, wanted: &Plane<bool>) -> Option<Plane<Option<BreakDate>>> {
        let is_fit = self.fits(stack);
        is_fit.then(|| self.sequences(stack, &wanted.rect(), |sequence| sequence.step))
    }
}

#[cfg(test)]
mod tests {
    use super::super::looks::tests::cell;
    use super::*;
    use crate::stage::detect::Direction;

    fn params(evidence_px: usize) -> OmnibusParams {
        OmnibusParams {
            evidence_px,
            ..OmnibusParams::default()
        }
    }

    fn fit(cell: &Cell, params: &OmnibusParams) -> Omnibus {
        Omnibus::fit(std::slice::from_ref(cell), params).unwrap()
    }

    /// Adds decibels by band to a block of the core from a date on.
    fn change(cell: &mut Cell, from: usize, db: [f32; 2]) {
        let halo = (cell.core.x - cell.stack.rect.x) as usize;
        for date in &mut cell.stack.dates[from..] {
            for (band, db) in date.iter_mut().zip(db) {
                let mut block = band.slice_mut(ndarray::s![20 + halo..30 + halo, 20 + halo..30 + halo]);
                block.mapv_inplace(|v| v + db);
            }
        }
    }

    #[test]
    fn speckle_alone_scores_as_a_normal_law_whatever_the_number_of_dates() {
        for (dates, evidence_px) in [(2, 1), (4, 3), (12, 1), (12, 3)] {
            let mut cell = cell(dates, 2, 4, 100, 2);
            cell.stack.dates[dates - 1]
                .iter_mut()
                .for_each(|band| band.mapv_inplace(|v| v - 2.0));
            let fitted = fit(&cell, &params(evidence_px));
            let mut all: Vec<i16> = fitted.score(&cell.stack, &cell.core).values().to_vec();
            all.sort_unstable();
            // Never finer than theory; and not coarser where the series is long enough to tell how restless a pixel is.
            for (part, sigma) in [(0.8413, 1.0), (0.9772, 2.0), (0.9987, 3.0)] {
                let at = f64::from(all[(part * all.len() as f64) as usize]) / 100.0;
                assert!(at < sigma + 0.35, "{dates} dates, {evidence_px}: {at} against {sigma}");
                assert!(
                    dates < 12 || at > sigma - 0.7,
                    "{dates} dates, {evidence_px}: {at} against {sigma}"
                );
            }
            let changed = fitted
                .changes(&cell.stack, &cell.core)
                .values()
                .iter()
                .filter(|c| !c.all.is_empty())
                .count();
            // alpha a date and pixel, 10^4 pixels.
            assert!(changed <= 3 * dates, "{changed} of {dates} dates");
        }
    }

    #[test]
    fn a_step_is_dated_between_two_dates_with_its_direction() {
        for (db, direction) in [
            ([8.0, 8.0], Direction::Positive),
            ([-8.0, -8.0], Direction::Negative),
            ([8.0, -8.0], Direction::Indefinite),
        ] {
            let mut cell = cell(10, 2, 4, 60, 1);
            change(&mut cell, 6, db);
            let fitted = fit(&cell, &params(1));
            let changes = fitted.changes(&cell.stack, &cell.core);
            let at = BreakDate {
                last_unchanged: 5,
                first_changed: 6,
            };
            let inside = &changes[[25, 25]];
            assert_eq!(inside.all, [(at, direction)]);
            assert!(changes[[50, 50]].all.is_empty());
            // It is history, not news, until more dates are judged.
            let news = |judged_dates| {
                let fitted = fit(
                    &cell,
                    &OmnibusParams {
                        judged_dates,
                        ..params(1)
                    },
                );
                let break_date = fitted.break_date(&cell.stack, &Plane::filled(cell.core, true)).unwrap()[[25, 25]];
                (fitted.score(&cell.stack, &cell.core)[[25, 25]], break_date)
            };
            assert!(news(1).0 < 350 && news(4).0 > 400, "{:?} {:?}", news(1), news(4));
            assert_eq!(news(4).1, Some(at));
        }
    }

    #[test]
    fn dates_that_are_not_clear_are_passed_over() {
        let mut cell = cell(8, 2, 4, 60, 1);
        change(&mut cell, 7, [8.0, 8.0]);
        let halo = 1;
        cell.stack.dates[6][1]
            .slice_mut(ndarray::s![18 + halo..32 + halo, 18 + halo..32 + halo])
            .fill(f32::NAN);
        cell.stack.dates[7][0][[40 + halo, 40 + halo]] = f32::NAN;
        cell.stack.dates[..7]
            .iter_mut()
            .for_each(|date| date[0][[45 + halo, 45 + halo]] = f32::NAN);
        let fitted = fit(&cell, &params(1));
        let at = BreakDate {
            last_unchanged: 5,
            first_changed: 7,
        };
        assert_eq!(
            fitted.break_date(&cell.stack, &Plane::filled(cell.core, true)).unwrap()[[25, 25]],
            Some(at)
        );
        let scores = fitted.score(&cell.stack, &cell.core);
        assert!(scores[[25, 25]] > 400);
        assert_eq!((scores[[40, 40]], scores[[45, 45]]), (SCORE_NODATA, SCORE_NODATA));
        assert!(scores[[50, 50]] != SCORE_NODATA);
    }

    #[test]
    fn restless_ground_is_not_called_changed() {
        // A block that moves by 6 dB up or down on every date.
        let mut cell = cell(12, 2, 4, 60, 2);
        for date in 0..12 {
            let db = if (date * 7) % 5 < 2 { 6.0 } else { -6.0 };
            change(&mut cell, date, [db, db]);
            if date < 11 {
                change(&mut cell, date + 1, [-db, -db]);
            }
        }
        let restless = fit(&cell, &params(3)).score(&cell.stack, &cell.core)[[25, 25]];
        assert!(restless < 300, "{restless}");
    }

    #[test]
    fn a_tile_scores_as_the_whole() {
        let mut cell = cell(6, 2, 4, 50, 2);
        change(&mut cell, 5, [5.0, 5.0]);
        let fitted = fit(&cell, &params(3));
        let whole = fitted.score(&cell.stack, &cell.core);
        let tile = Rect::new(11, 23, 20, 14);
        let around = tile.grow(fitted.halo());
        let stack = cell.stack.crop(&around);
        assert_eq!(fitted.score(&stack, &tile), whole.crop(&tile));
        let break_dates = fitted.break_date(&cell.stack, &Plane::filled(cell.core, true)).unwrap();
        assert_eq!(
            fitted.break_date(&stack, &Plane::filled(tile, true)).unwrap(),
            break_dates.crop(&tile)
        );
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let one = cell(1, 1, 4, 20, 2);
        assert!(matches!(
            Omnibus::fit(&[one], &params(1)),
            Err(RadarError::Dates { .. })
        ));
        let mut dark = cell(3, 1, 4, 20, 2);
        dark.stack.dates[2][0].fill(f32::NAN);
        assert!(matches!(
            Omnibus::fit(std::slice::from_ref(&dark), &params(1)),
            Err(RadarError::Nothing { .. })
        ));
        let wrong = OmnibusParams {
            alpha: 0.0,
            ..params(1)
        };
        assert!(matches!(Omnibus::fit(&[dark], &wrong), Err(RadarError::Alpha { .. })));
        let clear = cell(3, 1, 4, 20, 2);
        let nothing = ScreenedStack::nothing(&clear.core);
        assert!(
            fit(&clear, &params(3))
                .score(&nothing, &clear.core)
                .values()
                .iter()
                .all(|s| *s == SCORE_NODATA)
        );
    }
}
