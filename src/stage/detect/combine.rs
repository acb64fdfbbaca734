//! Several detectors joined by a stated rule into one score in sigma of no-change noise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibrate::Calibration;
use crate::geo::Rect;
use crate::raster::Plane;
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};

/// How scores are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The least: every detector has to find it.
    All,
    /// The greatest: one detector is enough.
    Any,
    /// The weighted sum: what each has to say is added up (Stouffer, "The American soldier", 1949; Lipták, "On the combination of
    /// independent tests", 1958, for the weights).
    Sum,
}

impl Rule {
    /// The word that names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::Sum => "sum",
        }
    }
}

/// The most that one detector adds to a sum, sigma: certainty of one does not outweigh the doubts of all others.
const MAX_SIGMA: f64 = 30.0;

/// A fitted rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Combination {
    rule: Rule,
    /// Of each detector, for the sum.
    weights: Vec<f64>,
    calibration: Calibration,
}

impl Combination {
    /// The rule for detectors of these `weights` whose scores of the training sample are `samples`: of each cell one plane a detector.
    ///
    /// Scores of several detectors hang together, so the joined score is put on the scale of its own centre and lower spread.
    pub fn fit(rule: Rule, weights: Vec<f64>, samples: &[Vec<Plane<i16>>]) -> Self {
        let plain = Self {
            rule,
            weights,
            calibration: Calibration::NONE,
        };
        let mut joined = Vec::new();
        for scores in samples {
            let Some(first) = scores.first() else { continue };
            for index in 0..first.rect().area() {
                joined.extend(plain.joined(scores, index));
            }
        }
        if joined.is_empty() {
            return plain;
        }
        // The least of two scores has a negative centre; that is where it lies without change.
        Self {
            calibration: Calibration::fit(&mut joined, f64::NEG_INFINITY, 1e-6),
            ..plain
        }
    }

    /// One plane of stored scores of `scores`, which all hold the same pixels; a single one stays as it is.
    pub fn join(&self, mut scores: Vec<Plane<i16>>) -> Plane<i16> {
        if scores.len() == 1 {
            return scores.remove(0);
        }
        let rect = scores.first().map_or(Rect::new(0, 0, 0, 0), Plane::rect);
        let joined = (0..rect.area()).map(|index| self.joined(&scores, index));
        let stored = joined.map(|sigma| sigma.map_or(SCORE_NODATA, |sigma| self.calibration.stored(sigma)));
        Plane::new(rect, stored.collect())
    }

    /// The joined score of the pixel at `index`, sigma; `None` where the first detector, that of the judged scenes, has none.
    fn joined(&self, scores: &[Plane<i16>], index: usize) -> Option<f64> {
        let of = |plane: &Plane<i16>| match plane.values().get(index) {
            Some(score) if *score != SCORE_NODATA => Some(f64::from(*score) * SCORE_SCALE),
            _ => None,
        };
        of(scores.first()?)?;
        let heard = || scores.iter().filter_map(of);
        Some(match self.rule {
            Rule::All => heard().fold(f64::INFINITY, f64::min),
            Rule::Any => heard().fold(f64::NEG_INFINITY, f64::max),
            Rule::Sum => {
                let weighted = scores.iter().zip(&self.weights);
                weighted
                    .filter_map(|(plane, weight)| Some(weight * of(plane)?.min(MAX_SIGMA)))
                    .sum()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two detectors of 1000 pixels: uniform scores on +-1 sigma in unlike order, and one pixel that both, and one that only the
    /// second finds; one that only the first could judge.
    fn scores() -> Vec<Plane<i16>> {
        let rect = Rect::new(0, 0, 1000, 1);
        let plane = |step: i64, last: [i16; 3]| {
            let mut plane = Plane::from_fn(rect, |[_, x]| ((x as i64 * step) % 201 - 100) as i16);
            plane.values_mut()[997..].copy_from_slice(&last);
            plane
        };
        vec![plane(37, [900, -50, 900]), plane(91, [800, 900, SCORE_NODATA])]
    }

    #[test]
    fn every_rule_hears_what_it_should() {
        let found = |rule| {
            let joined = Combination::fit(rule, vec![1.0, 1.0], &[scores()]).join(scores());
            [997, 998, 999].map(|x| f64::from(*joined.get(x, 0).unwrap()) / 100.0)
        };
        let [both, one, alone] = found(Rule::All);
        assert!(both > 5.0 && one < 1.0 && alone > 5.0, "{both} {one} {alone}");
        let [both, one, _] = found(Rule::Any);
        assert!(both > 5.0 && one > 5.0, "{both} {one}");
        let [both, one, _] = found(Rule::Sum);
        assert!(both > one && one > 3.0, "{both} {one}");
    }

    #[test]
    fn what_the_judged_scenes_do_not_show_is_not_judged_and_a_single_detector_speaks_for_itself() {
        let mut two = scores();
        two[0][[0, 5]] = SCORE_NODATA;
        let joined = Combination::fit(Rule::Any, vec![1.0, 1.0], &[two.clone()]).join(two.clone());
        assert_eq!(joined.get(5, 0), Some(&SCORE_NODATA));
        let alone = vec![two.remove(1)];
        assert_eq!(
            Combination::fit(Rule::Sum, vec![1.0], std::slice::from_ref(&alone)).join(alone.clone()),
            alone[0]
        );
        assert!(
            Combination::fit(Rule::Sum, vec![], &[])
                .join(vec![])
                .values()
                .is_empty()
        );
    }
}
