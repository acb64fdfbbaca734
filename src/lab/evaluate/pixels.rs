//! Figures of pixels: of the scores, and of what is claimed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::estimate::Estimate;
use super::intervals::{Replicates, percentiles};
use super::label::Label;
use crate::number::round;
use crate::raster::stats::SCORE_SCALE;

/// Labelled pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Labelled {
    /// Those that changed.
    pub changed: u64,
    /// Those that did not.
    pub unchanged: u64,
}

impl Labelled {
    /// Counts one pixel, if it is labelled.
    pub fn add(&mut self, label: Label) {
        match label {
            Label::Changed => self.changed += 1,
            Label::Unchanged => self.unchanged += 1,
            Label::Unlabelled => {}
        }
    }

    /// Both together.
    pub fn all(&self) -> u64 {
        self.changed + self.unchanged
    }
}

impl std::ops::AddAssign for Labelled {
    fn add_assign(&mut self, other: Self) {
        self.changed += other.changed;
        self.unchanged += other.unchanged;
    }
}

/// Counts of the labelled pixels of a block, a site or all sites.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Judged pixels, by stored score.
    pub scores: BTreeMap<i16, Labelled>,
    /// Judged pixels that anomalies cover.
    pub claimed: Labelled,
    /// Pixels without a score.
    pub not_judged: Labelled,
}

impl Counts {
    /// Counts a pixel; `score` is `None` where it was not judged.
    pub fn add(&mut self, label: Label, score: Option<i16>, claimed: bool) {
        if label == Label::Unlabelled {
            return;
        }
        let Some(score) = score else {
            self.not_judged.add(label);
            return;
        };
        self.scores.entry(score).or_default().add(label);
        if claimed {
            self.claimed.add(label);
        }
    }

    /// All of `parts` together.
    pub fn sum<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for part in parts {
            for (score, counts) in &part.scores {
                *all.scores.entry(*score).or_default() += *counts;
            }
            all.claimed += part.claimed;
            all.not_judged += part.not_judged;
        }
        all
    }

    /// Judged pixels.
    pub fn judged(&self) -> Labelled {
        let mut all = Labelled::default();
        self.scores.values().for_each(|counts| all += *counts);
        all
    }
}

/// Figures of pixels; absent where there is nothing to count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PixelFigures {
    /// Area under the receiver operating characteristic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auroc: Option<Estimate>,
    /// Average precision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_precision: Option<Estimate>,
    /// The best F1 that any cutoff on the score gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_f1: Option<Estimate>,
    /// That cutoff, sigma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_f1_sigma: Option<f64>,
    /// Blocks that were drawn for the intervals.
    pub blocks: usize,
    /// Of what was claimed: the pixels of all anomalies.
    pub claimed: ClaimedFigures,
    /// Labelled pixels that were judged.
    pub judged: Labelled,
    /// Labelled pixels that were not: they enter no other figure.
    pub not_judged: Labelled,
}

/// Figures of a yes or no map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimedFigures {
    /// Claimed pixels that did not change, over pixels that did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_alarm_rate: Option<Estimate>,
    /// Harmonic mean of precision and recall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1: Option<Estimate>,
    /// Cohen's kappa ("A coefficient of agreement for nominal scales", 1960).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kappa: Option<Estimate>,
    /// Labelled pixels that were claimed.
    pub pixels: u64,
    /// Claimed pixels that changed, over claimed pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Estimate>,
    /// Claimed pixels that changed, over pixels that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<Estimate>,
}

/// AUROC, average precision, best F1, precision, recall, F1, kappa, false alarm rate.
type Sample = [Option<f64>; 8];

/// The figures of the pixels of `blocks`, with intervals by drawing blocks.
pub fn figures(blocks: &[&Counts]) -> PixelFigures {
    let all = Counts::sum(blocks.iter().copied());
    let (sample, best) = sample(all.scores.iter().rev().map(|(s, c)| (*s, *c)), all.claimed);
    let mut intervals = bootstrap(blocks).into_iter();
    let mut estimates = sample.into_iter().map(|value| {
        let interval = intervals.next().flatten();
        Some(Estimate::new(value?, interval, |v| round(v, 6)))
    });
    let mut next = || estimates.next().flatten();
    let (auroc, average_precision, best_f1) = (next(), next(), next());
    let (precision, recall, f1, kappa, false_alarm_rate) = (next(), next(), next(), next(), next());
    PixelFigures {
        auroc,
        average_precision,
        best_f1,
        best_f1_sigma: best.map(|score| round(f64::from(score) * SCORE_SCALE, 2)),
        blocks: blocks.len(),
        claimed: ClaimedFigures {
            false_alarm_rate,
            f1,
            kappa,
            pixels: all.claimed.all(),
            precision,
            recall,
        },
        judged: all.judged(),
        not_judged: all.not_judged,
    }
}

/// The figures of counts by score, highest first, and of what is claimed; the score of the best F1. Pixels of one score are one
/// step of the curves, as scikit-learn has it.
fn sample(scores: impl Iterator<Item = (i16, Labelled)> + Clone, claimed: Labelled) -> (Sample, Option<i16>) {
    let mut judged = Labelled::default();
    scores.clone().for_each(|(_, counts)| judged += counts);
    let (changed, unchanged) = (judged.changed as f64, judged.unchanged as f64);
    let mut taken = Labelled::default();
    let (mut area, mut precisions) = (0.0, 0.0);
    let mut best = (0.0, None);
    for (score, step) in scores {
        // Trapezoid under (false alarms, hits); precision at this step times the recall gained.
        area += step.unchanged as f64 * (taken.changed as f64 + step.changed as f64 / 2.0);
        taken += step;
        precisions += step.changed as f64 * taken.changed as f64 / taken.all() as f64;
        let f1 = 2.0 * taken.changed as f64 / (taken.all() as f64 + changed);
        if f1 > best.0 {
            best = (f1, Some(score));
        }
    }
    let ratio = |a: f64, b: f64| (b > 0.0).then(|| a / b);
    let (hits, false_alarms, n) = (claimed.changed as f64, claimed.unchanged as f64, changed + unchanged);
    let agreement = (hits + unchanged - false_alarms) / n;
    let by_chance = ((hits + false_alarms) * changed + (n - hits - false_alarms) * unchanged) / (n * n);
    let figures = [
        ratio(area, changed * unchanged),
        ratio(precisions, changed),
        (changed > 0.0).then_some(best.0),
        ratio(hits, hits + false_alarms),
        ratio(hits, changed),
        ratio(2.0 * hits, hits + false_alarms + changed),
        ratio(agreement - by_chance, 1.0 - by_chance),
        ratio(false_alarms, unchanged),
    ];
    (figures, best.1)
}

/// 95 % intervals of a [`Sample`]: the figures of as many blocks, drawn with replacement, many times over.
fn bootstrap(blocks: &[&Counts]) -> Vec<Option<[f64; 2]>> {
    let Some(replicates) = Replicates::of(blocks.len()) else {
        return Vec::new();
    };
    let scores = || blocks.iter().flat_map(|block| block.scores.keys());
    let (lowest, highest) = (
        scores().min().copied().unwrap_or(0),
        scores().max().copied().unwrap_or(0),
    );
    let mut dense = vec![Labelled::default(); (i32::from(highest) - i32::from(lowest) + 1) as usize];
    let place = |score: i16| (i32::from(score) - i32::from(lowest)) as usize;
    // Vectors are read faster than trees, a thousand times over.
    let flat: Vec<Vec<(usize, Labelled)>> = blocks
        .iter()
        .map(|block| block.scores.iter().map(|(s, c)| (place(*s), *c)).collect())
        .collect();
    let mut found: Vec<Vec<f64>> = vec![Vec::new(); 8];
    for drawn in replicates {
        dense.fill(Labelled::default());
        let mut claimed = Labelled::default();
        for block in drawn {
            flat[block].iter().for_each(|(place, counts)| dense[*place] += *counts);
            claimed += blocks[block].claimed;
        }
        let steps = dense.iter().enumerate().rev().filter(|(_, counts)| counts.all() > 0);
        let (sample, _) = sample(steps.map(|(place, counts)| (place as i16, *counts)), claimed);
        for (values, value) in found.iter_mut().zip(sample) {
            values.extend(value);
        }
    }
    found.into_iter().map(percentiles).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::random::SplitMix;

    fn value(estimate: &Option<Estimate>) -> f64 {
        estimate.as_ref().unwrap().value
    }

    #[test]
    fn the_figures_are_those_of_scikit_learn() {
        // y = [0,0,1,1,0,1,0,0], s = [1,4,3.5,8,3.5,2,2,0], claimed = s >= 3.5:
        // scikit-learn 1.9.1: roc_auc_score, average_precision_score, precision_score, recall_score, f1_score and
        // cohen_kappa_score of these give 0.7333, 0.6667, 0.5, 0.6667, 0.5714 and 0.25.
        let labels = [0, 0, 1, 1, 0, 1, 0, 0];
        let scores = [100, 400, 350, 800, 350, 200, 200, 0];
        let mut counts = Counts::default();
        for (label, score) in labels.iter().zip(scores) {
            let label = if *label == 1 { Label::Changed } else { Label::Unchanged };
            counts.add(label, Some(score), score >= 350);
        }
        counts.add(Label::Unlabelled, Some(800), true);
        counts.add(Label::Changed, None, true);
        let figures = figures(&[&counts]);
        assert_eq!((figures.judged.changed, figures.judged.unchanged), (3, 5));
        assert_eq!((figures.not_judged.changed, figures.not_judged.unchanged), (1, 0));
        assert_eq!(value(&figures.auroc), 0.733333);
        assert_eq!(value(&figures.average_precision), 0.666667);
        assert_eq!((value(&figures.best_f1), figures.best_f1_sigma), (0.666667, Some(2.0)));
        let claimed = &figures.claimed;
        assert_eq!(claimed.pixels, 4);
        assert_eq!((value(&claimed.precision), value(&claimed.recall)), (0.5, 0.666667));
        assert_eq!((value(&claimed.f1), value(&claimed.kappa)), (0.571429, 0.25));
        assert_eq!(
            figures.auroc.unwrap().interval,
            None,
            "one block says nothing of the spread"
        );
    }

    /// `n` blocks of 30 changed and 70 unchanged pixels; scores of those that changed are higher by `lift` on average.
    fn blocks(n: usize, lift: i16, random: &mut SplitMix) -> Vec<Counts> {
        let mut block = || {
            // The blocks differ: some are easy, some are not.
            let ease = (random.unit() * 400.0) as i16;
            let mut counts = Counts::default();
            for i in 0..100 {
                let label = if i < 30 { Label::Changed } else { Label::Unchanged };
                let up = if i < 30 { lift + ease } else { 0 };
                let score = (random.unit() * 1000.0) as i16 + up;
                counts.add(label, Some(score), score > 800);
            }
            counts
        };
        (0..n).map(|_| block()).collect()
    }

    #[test]
    fn intervals_hold_what_a_large_sample_shows_about_as_often_as_they_say() {
        let mut random = SplitMix(5);
        let long: Vec<Counts> = blocks(4000, 300, &mut random);
        let all = Counts::sum(&long);
        let (truth, _) = sample(all.scores.iter().rev().map(|(s, c)| (*s, *c)), all.claimed);
        let (auroc, precision, kappa) = (truth[0].unwrap(), truth[3].unwrap(), truth[6].unwrap());
        let mut held = [0; 3];
        let tries = 60;
        for _ in 0..tries {
            let few = blocks(40, 300, &mut random);
            let found = figures(&few.iter().collect::<Vec<_>>());
            let holds = |estimate: &Option<Estimate>, value: f64| {
                let [low, high] = estimate.unwrap().interval.unwrap();
                u32::from(low <= value && value <= high)
            };
            held[0] += holds(&found.auroc, auroc);
            held[1] += holds(&found.claimed.precision, precision);
            held[2] += holds(&found.claimed.kappa, kappa);
        }
        // Binomial with p = 0.95 and n = 60: fewer than 50 or a full 60 of each figure in less than 1 of 100.
        assert!(
            held.iter().all(|n| *n >= 50) && held.iter().sum::<u32>() < 3 * tries,
            "{held:?}"
        );
    }

    #[test]
    fn more_blocks_narrow_an_interval_and_the_same_blocks_give_the_same() {
        let mut random = SplitMix(9);
        let many = blocks(160, 300, &mut random);
        let width = |blocks: &[Counts]| {
            let [low, high] = figures(&blocks.iter().collect::<Vec<_>>())
                .auroc
                .unwrap()
                .interval
                .unwrap();
            high - low
        };
        let (few, all) = (width(&many[..20]), width(&many));
        assert!(all < few / 2.0, "{all} of {few}");
        assert_eq!(width(&many), all);
    }
}
