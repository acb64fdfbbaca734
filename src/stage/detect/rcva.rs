//! Change vector analysis that a shift of up to some pixels does not upset (Thonfeld, Feilhauer, Braun and Menz, "Robust change
//! vector analysis (RCVA) for multi-sensor very high resolution optical satellite data", 2016), answered in sigma.
//!
//! Each pixel of one date is compared with the most similar one within the shift on the other, and the other way round. What
//! merely moved finds itself in both directions. Thonfeld takes the smaller of the two differences; here it is the larger: a
//! small new object finds its surroundings of before when it is looked for from the earlier date, so that the smaller one loses it.

use ndarray::Array2;

use super::calibrate::Calibration;
use super::smooth::{self, Smoothed};
use super::{Cell, DetectParams, Scorer, ScreenedStack};
use crate::geo::Rect;
use crate::raster::Plane;
use crate::raster::flags::CLEAR;
use crate::raster::stats::SCORE_NODATA;
use crate::stage::normalise::LinearFit;

/// A shift is looked for up to three times its measured standard deviation, but no further than this many pixels.
const WIDEST_PX: f64 = 3.0;

/// A fitted detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Rcva {
    params: DetectParams,
    fits: Vec<LinearFit>,
    /// How far a pixel is looked for, pixels.
    reach: usize,
    calibration: Calibration,
}

impl Rcva {
    /// The detector for a normalised pair, whose dates may lie `shift_px` pixels beside each other.
    pub fn fit(cells: &[Cell], fits: &[LinearFit], shift_px: f64, params: &DetectParams) -> Self {
        let mut scorer = Self {
            params: params.clone(),
            fits: fits.to_vec(),
            reach: (3.0 * shift_px).ceil().clamp(1.0, WIDEST_PX) as usize,
            calibration: Calibration::NONE,
        };
        let mut roots = Vec::new();
        for cell in cells {
            let magnitude = scorer.magnitude(&cell.stack, &cell.core);
            roots.extend(magnitude.iter().filter(|m| !m.is_nan()).map(|m| m.sqrt()));
        }
        // Of several alike pixels the most alike is taken: no distribution of the noise alone holds for that, so its own spread decides.
        scorer.calibration = Calibration::fit(&mut roots, 0.0, f64::from(f32::EPSILON));
        scorer
    }

    /// The squared difference of each pixel of `core` in units of the noise, the larger of both directions; NaN where it is not clear.
    fn magnitude(&self, stack: &ScreenedStack, core: &Rect) -> Array2<f64> {
        let wide = core.grow(self.reach);
        let [before, after] = stack
            .sides()
            .map(|bands| smooth::smooth(&bands, &stack.rect, &stack.flags, &wide, &self.params));
        let there = self.nearest(&before, &after, core, true);
        let back = self.nearest(&before, &after, core, false);
        let mut larger = there;
        larger.zip_mut_with(&back, |a, b| {
            if *b > *a {
                *a = *b;
            }
        });
        larger
    }

    /// The least squared difference between each pixel of one date (the earlier where `forward`) and those of the other around it.
    fn nearest(&self, before: &Smoothed, after: &Smoothed, core: &Rect, forward: bool) -> Array2<f64> {
        let r = self.reach;
        let mut least = Array2::from_elem((core.h, core.w), f64::NAN);
        let mut sum = Array2::<f64>::zeros((core.h, core.w));
        for (dy, dx) in (0..=2 * r).flat_map(|dy| (0..=2 * r).map(move |dx| (dy, dx))) {
            sum.fill(0.0);
            for (band, fit) in self.fits.iter().enumerate() {
                let middle = ndarray::s![r..r + core.h, r..r + core.w];
                let moved = ndarray::s![dy..dy + core.h, dx..dx + core.w];
                let (earlier, later) = if forward { (middle, moved) } else { (moved, middle) };
                let weight = 1.0 / (fit.noise * fit.noise);
                ndarray::Zip::from(&mut sum)
                    .and(before.values[band].slice(earlier))
                    .and(after.values[band].slice(later))
                    .for_each(|sum, x, y| {
                        let d = f64::from(*y) - fit.gain * f64::from(*x) - fit.offset;
                        *sum += weight * d * d;
                    });
            }
            least.zip_mut_with(&sum, |least, sum| {
                if least.is_nan() || *sum < *least {
                    *least = *sum;
                }
            });
        }
        least
    }
}

impl Scorer for Rcva {
    fn halo(&self) -> usize {
        smooth::halo(&self.params) + self.reach
    }

    fn score(&self, stack: &ScreenedStack, core: &Rect) -> Plane<i16> {
        let mut scores = Plane::filled(*core, SCORE_NODATA);
        let magnitude = self.magnitude(stack, core);
        let flags = stack.flags.part(core);
        for ((score, m), flag) in scores.values_mut().iter_mut().zip(&magnitude).zip(flags) {
            if *flag == CLEAR && !m.is_nan() {
                *score = self.calibration.stored(m.sqrt());
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::flags;

    const FIT: LinearFit = LinearFit {
        gain: 1.0,
        offset: 0.0,
        noise: 1.0,
        noise_fraction: 0.0,
        correlation: 1.0,
    };

    /// Ground of small steps, moved by (`dx`, `dy`), with a block of 4 x 4 pixels of `height` at (30, 30).
    fn date(dx: i64, dy: i64, height: f32) -> Vec<Array2<f32>> {
        vec![Array2::from_shape_fn((64, 64), |(y, x)| {
            let (u, v) = (x as i64 - dx, y as i64 - dy);
            let ground = ((u.div_euclid(5) * 7 + v.div_euclid(4) * 13).rem_euclid(11)) as f32 * 3.0;
            let block = (30..34).contains(&x) && (30..34).contains(&y);
            ground + if block { height } else { 0.0 }
        })]
    }

    fn stack(after: Vec<Array2<f32>>) -> ScreenedStack {
        let rect = Rect::new(0, 0, 64, 64);
        ScreenedStack {
            rect,
            dates: vec![date(0, 0, 0.0), after],
            flags: Plane::filled(rect, flags::CLEAR),
        }
    }

    #[test]
    fn what_moved_is_no_change_and_what_came_is() {
        let params = DetectParams {
            smooth_px: 0.0,
            ..DetectParams::default()
        };
        let core = Rect::new(8, 8, 48, 48);
        let cell = Cell {
            core,
            stack: stack(date(1, -1, 60.0)),
        };
        let scorer = Rcva::fit(std::slice::from_ref(&cell), &[FIT], 0.4, &params);
        let scores = scorer.score(&cell.stack, &core);
        for y in core.y..core.bottom() {
            for x in core.x..core.right() {
                let block = (30..34).contains(&x) && (30..34).contains(&y);
                let far = !(27..37).contains(&x) || !(27..37).contains(&y);
                let score = *scores.get(x, y).unwrap();
                assert!(!block || score > 1000, "the block at {x}, {y}: {score}");
                assert!(!far || score <= 0, "moved ground at {x}, {y}: {score}");
            }
        }
    }

    #[test]
    fn a_part_scores_as_in_the_whole() {
        let params = DetectParams::default();
        let core = Rect::new(8, 8, 48, 48);
        let mut stack = stack(date(1, 0, 40.0));
        stack.flags[[20, 20]] = flags::CLOUD;
        let cell = Cell { core, stack };
        let scorer = Rcva::fit(std::slice::from_ref(&cell), &[FIT], 0.5, &params);
        let whole = scorer.score(&cell.stack, &core);
        let part = Rect::new(17, 19, 9, 12);
        assert_eq!(scorer.score(&cell.stack, &part), whole.crop(&part));
        assert_eq!(whole.get(20, 20), Some(&SCORE_NODATA));
    }
}
