//! The IR-MAD detector: its chi-square statistic on smoothed dates, answered in sigma.
//!
//! On real imagery the distribution of the statistic Z is wider than chi-square, so the score is Z^(1/3), which is close to normal for a
//! chi-square distribution on any scale (Wilson and Hilferty, "The distribution of chi-square", 1931), on the scale of its own centre and lower
//! spread over the training sample; but never finer than the theory says.

use ndarray::Zip;

use super::Irmad;
use super::mad::Kernel;
use crate::geo::Rect;
use crate::raster::stats::SCORE_NODATA;
use crate::raster::{Plane, flags};
use crate::stage::detect::calibrate::Calibration;
use crate::stage::detect::smooth;
use crate::stage::detect::{DetectParams, Diagnostics, Scorer, ScreenedStack};
use crate::stage::normalise::Sample;

/// The fitted detector.
#[derive(Debug, Clone, PartialEq)]
pub struct IrmadScorer {
    irmad: Irmad,
    params: DetectParams,
    /// Of the cube root of Z over the training sample.
    calibration: Calibration,
}

impl IrmadScorer {
    /// The detector of a transform and the sample that it was fitted on; both dates are smoothed as `params` say, so the sample must
    /// have been.
    pub fn fit(irmad: Irmad, sample: &Sample, params: &DetectParams) -> Self {
        fn used<'a>(bands: &[usize], date: &'a [Vec<f32>]) -> Vec<&'a [f32]> {
            bands
                .iter()
                .filter_map(|band| date.get(*band))
                .map(Vec::as_slice)
                .collect()
        }
        let of = |date| used(&irmad.bands, date);
        let mut roots = vec![f64::NAN; sample.len()];
        Kernel::new(&irmad.mad, irmad.shrinkage).run(&of(&sample.before), &of(&sample.after), &mut roots);
        roots.retain(|z| z.is_finite());
        roots.iter_mut().for_each(|z| *z = libm::cbrt(*z));
        // Wilson and Hilferty: the cube root of chi-square over its degrees has the mean 1 - v and the variance v.
        let degrees = irmad.degrees() as f64;
        let (unit, v) = (libm::cbrt(degrees), 2.0 / (9.0 * degrees));
        let calibration = Calibration::fit(&mut roots, unit * (1.0 - v), unit * v.sqrt());
        Self {
            irmad,
            params: params.clone(),
            calibration,
        }
    }

    /// The transform.
    pub fn irmad(&self) -> &Irmad {
        &self.irmad
    }
}

impl Scorer for IrmadScorer {
    fn diagnostics(&self) -> Diagnostics {
        let dropped = self.irmad.dropped.iter();
        Diagnostics {
            rounds: self.irmad.history.iter().map(|round| round.rho.clone()).collect(),
            dropped: dropped.map(|(band, why)| (*band, why.to_string())).collect(),
            looks: Vec::new(),
        }
    }

    fn halo(&self) -> usize {
        smooth::halo(&self.params)
    }

    fn score(&self, stack: &ScreenedStack, core: &Rect) -> Plane<i16> {
        let [before, after] = stack.sides().map(|date| {
            let used = self.irmad.used(&date);
            smooth::smooth(&used, &stack.rect, &stack.flags, core, &self.params).values
        });
        let z = self.irmad.of_used(&before, &after, (core.h, core.w));
        let scores = Zip::from(&z).and(stack.flags.part(core)).map_collect(|z, flag| {
            match *flag == flags::CLEAR && z.is_finite() {
                true => self.calibration.stored(libm::cbrt(*z)),
                false => SCORE_NODATA,
            }
        });
        Plane::of(*core, scores)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::tests::pair;
    use super::super::{IrmadParams, fit};
    use super::*;

    #[test]
    fn scores_are_standard_normal_without_change_and_the_same_from_any_tile() {
        let (width, height, bands) = (90, 70, 4);
        let sample = pair(10, bands, width * height, usize::MAX);
        let params = DetectParams {
            smooth_px: 0.0,
            ..DetectParams::default()
        };
        let scorer = IrmadScorer::fit(fit(&sample, &IrmadParams::default()).unwrap(), &sample, &params);
        let rect = Rect::new(-3, 5, width, height);
        let date = |bands: &[Vec<f32>]| -> Vec<Array2<f32>> {
            bands
                .iter()
                .map(|b| Array2::from_shape_vec((height, width), b.clone()).unwrap())
                .collect()
        };
        let mut stack = ScreenedStack {
            rect,
            dates: vec![date(&sample.before), date(&sample.after)],
            flags: Plane::filled(rect, flags::CLEAR),
        };
        stack.flags[[30, 40]] = flags::CLOUD;
        stack.dates[0][2][[31, 40]] = f32::NAN;
        let core = Rect::new(-1, 7, width - 4, height - 4);
        let whole = scorer.score(&stack, &core);
        assert_eq!(scorer.halo(), 1);
        assert_eq!([whole[[28, 38]], whole[[29, 38]]], [SCORE_NODATA; 2]);
        let mut clear: Vec<i16> = whole.values().iter().copied().filter(|s| *s != SCORE_NODATA).collect();
        assert_eq!(clear.len(), core.area() - 2);
        clear.sort_unstable();
        for (q, z) in [(0.0228, -200), (0.1587, -100), (0.5, 0), (0.8413, 100), (0.9772, 200)] {
            let at = clear[(q * clear.len() as f64) as usize];
            assert!((at - z).abs() < 20, "{q}: {at} against {z}");
        }
        let tile = Rect::new(20, 20, 13, 17);
        let around = tile.grow(1);
        assert_eq!(scorer.score(&stack.crop(&around), &tile), whole.crop(&tile));
        assert!(
            scorer
                .score(&ScreenedStack::nothing(&rect), &core)
                .values()
                .iter()
                .all(|s| *s == SCORE_NODATA)
        );
    }
}
