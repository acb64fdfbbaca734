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
//! The score is their geometric mean, smoothed, on the scale of its own centre and lower spread over the training sample. To the
//! noise belong what the sensor states and what a shift between the dates makes of an edge that both have.

mod drawn;
mod evidence;
mod linear;
mod pair;
mod perceptron;
mod rows;
mod scale;

use multiversion::multiversion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibrate::Calibration;
use super::{Cell, Scorer, ScreenedStack};
use crate::geo::Rect;
use crate::raster::stats::SCORE_NODATA;
use crate::raster::{Plane, plane};
use crate::stage::normalise::SensorNoise;
use drawn::Samples;
use evidence::Evidence;
use pair::Standard;
use scale::Scale;

/// Pixels that the networks are trained on, about.
const SAMPLE: usize = 40_000;
/// Fewer pixels than this do not train a network: a line tells the dates from each other then.
const MIN_FOR_NETWORK: usize = 5_000;
/// Fewer pixels than this do not even give a line.
const MIN_TRAINING: usize = 100;
/// Without change, the statistic lies at this part of its nominal centre at least, and scatters by this part of it at least. On the
/// seven real pairs it lies at 0.70 to 0.83 of it and scatters by 0.12 to 0.21.
const MIN_CALIBRATION: [f64; 2] = [0.6, 0.12];

/// `[detect.regression]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionParams {
    /// Units of the network that tells one date from the other; 0 for a straight line.
    #[schemars(range(min = 0, max = 256), extend("unit" = "units"))]
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
    /// The detector for a pair of dates, fitted to the training sample `cells`.
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
        let bands = cells.iter().map(|cell| cell.stack.sides()[1].len()).max().unwrap_or(0);
        if found < MIN_TRAINING || bands == 0 {
            return Err(RegressionError::TooFew {
                expected: MIN_TRAINING,
                found,
            });
        }
        let standard = Standard::new([0, 1].map(|side| {
            (0..bands)
                .map(|band| {
                    let values = drawn::values_at(cells, &places, side, band);
                    Scale::fit(&values, noise.get(band).copied().unwrap_or_default())
                })
                .collect()
        }));
        let mut samples = [Samples::default(), Samples::default()];
        for (cell, places) in cells.iter().zip(&places) {
            if places.is_empty() {
                continue;
            }
            standard.walk(&cell.stack, &cell.core, |y, row| {
                let drawn = &places[places.partition_point(|(at, _)| *at < y)..];
                let drawn = drawn.iter().take_while(|(at, _)| *at == y);
                for (_, x) in drawn {
                    samples
                        .iter_mut()
                        .zip(&row.sides)
                        .for_each(|(samples, side)| samples.collect(side, *x));
                }
            });
        }
        let (n_in, n_out) = (3 * bands, bands);
        let learn = |from: &Samples, to: &Samples, seed: u64| {
            if params.hidden == 0 || found < MIN_FOR_NETWORK {
                linear::train(&from.inputs, &to.targets, n_in, n_out)
            } else {
                perceptron::train(&from.inputs, &to.targets, n_in, n_out, params.hidden, seed)
            }
        };
        let networks = [learn(&samples[0], &samples[1], 1), learn(&samples[1], &samples[0], 2)];
        let [before, after] = &samples;
        let residuals = [
            drawn::residuals_of(&after.targets, &drawn::told(&networks[0], &before.inputs, bands), bands),
            drawn::residuals_of(&before.targets, &drawn::told(&networks[1], &after.inputs, bands), bands),
            drawn::residuals_of(&after.targets, &before.targets, bands),
        ];
        let evidence = Evidence::new(standard, visible, networks, residuals, shift_px);
        let mut statistics = Vec::new();
        for cell in cells {
            if let Some((statistic, mask)) = evidence.statistic(&cell.stack, &cell.core) {
                let clear = statistic
                    .iter()
                    .zip(&mask.weights)
                    .filter(|(_, weight)| **weight == 1.0);
                statistics.extend(clear.map(|(u, _)| f64::from(*u)));
            }
        }
        let [centre, scale] = MIN_CALIBRATION.map(|part| part * evidence.nominal());
        let calibration = Calibration::fit(&mut statistics, centre, scale);
        Ok(Self { evidence, calibration })
    }
}

impl Scorer for Regression {
    fn halo(&self) -> usize {
        Evidence::halo()
    }

    fn fringe_px(&self) -> usize {
        Evidence::fringe()
    }

    fn score(&self, stack: &ScreenedStack, core: &Rect) -> Plane<i16> {
        let mut scores = Plane::filled(*core, SCORE_NODATA);
        if let Some((statistic, mask)) = self.evidence.statistic(stack, core) {
            let (statistic, weights) = (plane::values(&statistic), plane::values(&mask.weights));
            stored(&self.calibration, statistic, weights, scores.values_mut());
        }
        scores
    }
}

/// The stored score of each pixel that is clear.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn stored(calibration: &Calibration, statistic: &[f32], weights: &[f32], out: &mut [i16]) {
    for ((score, u), weight) in out.iter_mut().zip(statistic).zip(weights) {
        let stored = calibration.stored(f64::from(*u));
        *score = if *weight == 1.0 { stored } else { SCORE_NODATA };
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::raster::flags;
    use crate::stage::random::SplitMix;

    const SIDE: usize = 120;
    const HALO: usize = 17;
    const QUIET: SensorNoise = SensorNoise {
        floor: 0.0,
        fraction: 0.0,
    };

    /// Fields of 12 x 12 pixels, each of one of three covers.
    fn cover(x: i64, y: i64) -> usize {
        let field = (x.div_euclid(12) as u64) << 32 ^ (y.div_euclid(12) as u64 & 0xffff);
        (SplitMix(field).draw() % 3) as usize
    }

    /// A noise in [-1, 1] of its own for each pixel, band and date.
    fn noise(x: i64, y: i64, what: u64) -> f32 {
        let seed = (x as u64) << 40 ^ (y as u64 & 0xff_ffff) << 16 ^ what;
        SplitMix(seed).symmetric()
    }

    /// A pair in three bands; `after` gives the later value from place, band and earlier value.
    fn pair(after: impl Fn(i64, i64, usize, f32) -> f32) -> Cell {
        const BASE: [[f32; 3]; 3] = [[0.05, 0.08, 0.4], [0.12, 0.14, 0.25], [0.2, 0.22, 0.24]];
        let core = Rect::new(1000, -40, SIDE, SIDE);
        let rect = core.grow(HALO);
        let at = |x: usize, y: usize| (rect.x + x as i64, rect.y + y as i64);
        let band = |date: usize, band: usize| {
            Array2::from_shape_fn((rect.h, rect.w), |(y, x)| {
                let (x, y) = at(x, y);
                let before = BASE[cover(x, y)][band] + 0.02 * noise(x / 3, y / 3, band as u64);
                let value = if date == 0 { before } else { after(x, y, band, before) };
                value + 0.004 * noise(x, y, (10 * (date + 1) + band) as u64)
            })
        };
        let mut stack = ScreenedStack::nothing(&rect);
        stack.dates = (0..2).map(|date| (0..3).map(|b| band(date, b)).collect()).collect();
        stack.flags.values_mut().fill(flags::CLEAR);
        Cell { core, stack }
    }

    fn fitted(cell: &Cell, hidden: usize) -> Regression {
        let params = RegressionParams { hidden };
        Regression::fit(
            std::slice::from_ref(cell),
            &[QUIET; 3],
            &[true, true, false],
            0.2,
            &params,
        )
        .unwrap()
    }

    /// Scores in sigma of the pixels that `which` picks, ascending.
    fn scores(cell: &Cell, hidden: usize, which: impl Fn(i64, i64) -> bool) -> Vec<f64> {
        let stored = fitted(cell, hidden).score(&cell.stack, &cell.core);
        let mut out: Vec<f64> = stored
            .indexed_iter()
            .filter(|((y, x), s)| **s != SCORE_NODATA && which(cell.core.x + *x as i64, cell.core.y + *y as i64))
            .map(|(_, s)| f64::from(*s) / 100.0)
            .collect();
        out.sort_by(f64::total_cmp);
        out
    }

    fn built(x: i64, y: i64) -> bool {
        (1050..1058).contains(&x) && (10..18).contains(&y)
    }

    fn near_built(x: i64, y: i64) -> bool {
        (1043..1065).contains(&x) && (3..25).contains(&y)
    }

    #[test]
    fn another_light_is_no_change_and_a_new_building_is() {
        let cell = pair(|x, y, band, v| {
            if built(x, y) {
                [0.3, 0.32, 0.33][band]
            } else {
                1.3 * v + 0.05
            }
        });
        for hidden in [0, 16] {
            let new = scores(&cell, hidden, built);
            assert!(new[new.len() / 4] > 5.0, "{hidden}: {}", new[new.len() / 4]);
            let old = scores(&cell, hidden, |x, y| !near_built(x, y));
            let at = |q: f64| old[(q * old.len() as f64) as usize];
            assert!(
                at(0.5).abs() < 0.3 && at(0.999) < 5.0,
                "{hidden}: {} {}",
                at(0.5),
                at(0.999)
            );
        }
    }

    #[test]
    fn a_patch_of_numbers_that_nobody_states_as_no_data_hides_no_change() {
        let patch = |x: i64, y: i64| (1080..1105).contains(&x) && (40..65).contains(&y);
        for fill in [-9999.0, 255.0, -99.0] {
            let cell = pair(|x, y, band, v| match (built(x, y), patch(x, y)) {
                (true, _) => [0.3, 0.32, 0.33][band],
                (_, true) => fill,
                _ => 1.03 * v,
            });
            let new = scores(&cell, 0, built);
            assert!(new[new.len() / 4] > 5.0, "{fill}: {}", new[new.len() / 4]);
        }
    }

    #[test]
    fn what_a_whole_cover_does_counts_less_than_the_same_on_one_place() {
        // Every field of cover 0 turns bright; so does a spot of the other covers.
        let turned = |x: i64, y: i64| cover(x, y) == 0;
        let cell = pair(|x, y, _, v| if turned(x, y) || built(x, y) { v + 0.1 } else { v });
        let spot = scores(&cell, 16, |x, y| built(x, y) && !turned(x, y));
        let fields = scores(&cell, 16, |x, y| turned(x, y) && !near_built(x, y));
        assert!(spot.len() > 20 && fields.len() > 1000);
        let [spot, fields] = [spot, fields].map(|s| s[s.len() / 2]);
        assert!(spot > fields + 2.0, "{spot} {fields}");
    }

    #[test]
    fn tiles_give_the_bytes_of_the_whole_whatever_is_cloudy() {
        let mut cell = pair(|x, y, band, v| if built(x, y) { 0.3 } else { v + 0.01 * band as f32 });
        cell.stack.dates[0][1][[HALO + 34, HALO + 44]] = f32::NAN;
        cell.stack.dates[1][0][[HALO + 74, HALO + 4]] = f32::INFINITY;
        cell.stack.flags[[HALO + 54, HALO + 54]] = flags::CLOUD;
        let scorer = fitted(&cell, 8);
        assert!(scorer.halo() <= HALO);
        let whole = scorer.score(&cell.stack, &cell.core);
        for (y, x) in [(34, 44), (74, 4), (54, 54)] {
            assert_eq!(whole[[y, x]], SCORE_NODATA);
        }
        assert_eq!(whole.values().iter().filter(|s| **s == SCORE_NODATA).count(), 3);
        for core in [
            Rect::new(1000, -40, 37, 41),
            Rect::new(1051, 12, 1, 1),
            Rect::new(1037, 1, 83, 79),
        ] {
            let tile = core.grow(scorer.halo());
            assert_eq!(scorer.score(&cell.stack.crop(&tile), &core), whole.crop(&core));
        }
    }

    #[test]
    fn edges_that_a_known_shift_explains_count_less_and_a_new_building_does_not() {
        const BRIGHT: [f32; 3] = [0.1, 0.2, 0.35];
        let cell = pair(|x, y, band, v| {
            let moved = BRIGHT[cover(x + 1, y)] - BRIGHT[cover(x, y)];
            if built(x, y) {
                0.6 + 0.1 * band as f32
            } else {
                v + moved
            }
        });
        let beside = |x: i64, y: i64| cover(x + 1, y) != cover(x, y) && !near_built(x, y);
        let of = |shift: f64, which: &dyn Fn(i64, i64) -> bool| {
            let params = RegressionParams { hidden: 0 };
            let scorer = Regression::fit(std::slice::from_ref(&cell), &[], &[], shift, &params).unwrap();
            let stored = scorer.score(&cell.stack, &cell.core);
            let mut picked: Vec<i16> = stored
                .indexed_iter()
                .filter(|((y, x), _)| which(1000 + *x as i64, *y as i64 - 40))
                .map(|(_, s)| *s)
                .collect();
            picked.sort_unstable();
            picked[picked.len() / 2]
        };
        let [edge, told] = [0.0, 1.0].map(|shift| of(shift, &beside));
        let [new, still] = [0.0, 1.0].map(|shift| of(shift, &built));
        assert!(
            edge > 300 && told < edge / 2 && still > new / 2,
            "{edge} {told} {new} {still}"
        );
    }

    #[test]
    fn a_pair_quieter_than_its_sensor_claims_nothing() {
        let cell = pair(|x, y, _, v| if built(x, y) { v + 0.01 } else { v });
        let claimed = |floor: f64| {
            let noise = [SensorNoise { floor, fraction: 0.0 }; 3];
            let params = RegressionParams { hidden: 0 };
            let scorer = Regression::fit(std::slice::from_ref(&cell), &noise, &[], 0.0, &params).unwrap();
            scorer
                .score(&cell.stack, &cell.core)
                .values()
                .iter()
                .filter(|s| **s > 300)
                .count()
        };
        assert!(claimed(0.0) > 30);
        assert_eq!(claimed(0.05), 0);
    }

    #[test]
    fn what_cannot_be_fitted_is_said_and_what_cannot_be_judged_is_left_out() {
        let params = RegressionParams { hidden: 8 };
        let too_few = |found| Err(RegressionError::TooFew { expected: 100, found });
        assert_eq!(Regression::fit(&[], &[], &[], 0.0, &params), too_few(0));
        let mut cell = pair(|_, _, _, v| v);
        let one_band = {
            let mut cell = cell.clone();
            cell.stack.dates.iter_mut().for_each(|date| date.truncate(1));
            cell
        };
        let scorer = Regression::fit(std::slice::from_ref(&one_band), &[], &[], 0.0, &params).unwrap();
        assert!(
            scorer
                .score(&one_band.stack, &cell.core)
                .values()
                .iter()
                .all(|s| *s != SCORE_NODATA)
        );
        // Other bands than it was fitted to, and no date at all.
        for stack in [&cell.stack, &ScreenedStack::nothing(&cell.stack.rect)] {
            assert!(
                scorer
                    .score(stack, &cell.core)
                    .values()
                    .iter()
                    .all(|s| *s == SCORE_NODATA)
            );
        }
        cell.stack.dates[1][2].fill(0.5);
        let constant = fitted(&cell, 8).score(&cell.stack, &cell.core);
        assert!(constant.values().iter().all(|s| *s != SCORE_NODATA && s.abs() < 3000));
        cell.stack.flags.values_mut().fill(flags::CLOUD);
        cell.stack.flags[[30, 30]] = flags::CLEAR;
        assert_eq!(
            Regression::fit(std::slice::from_ref(&cell), &[], &[], 0.0, &params),
            too_few(1)
        );
    }
}
