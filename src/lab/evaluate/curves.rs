//! What every other cutoff would have given: points of curves.

use super::objects::{Claim, Ground, Object};
use super::pixels::{Counts, Labelled};

/// Points (recall, precision), from the highest score to the lowest; empty where nothing changed. Pixels of one score are one step.
pub fn precision_recall(counts: &Counts) -> Vec<(f64, f64)> {
    let changed = counts.judged().changed as f64;
    let point = |taken: Labelled| {
        (
            taken.changed as f64 / changed,
            taken.changed as f64 / taken.all() as f64,
        )
    };
    let points = steps(counts).map(point);
    if changed > 0.0 { points.collect() } else { Vec::new() }
}

/// Points (false alarms over unchanged pixels, recall), from the highest score to the lowest; empty where either is missing.
pub fn receiver(counts: &Counts) -> Vec<(f64, f64)> {
    let judged = counts.judged();
    let (changed, unchanged) = (judged.changed as f64, judged.unchanged as f64);
    let points = steps(counts).map(|taken| (taken.unchanged as f64 / unchanged, taken.changed as f64 / changed));
    if changed > 0.0 && unchanged > 0.0 {
        points.collect()
    } else {
        Vec::new()
    }
}

/// Pixels at or above each score, highest score first.
fn steps(counts: &Counts) -> impl Iterator<Item = Labelled> {
    counts.scores.values().rev().scan(Labelled::default(), |taken, step| {
        *taken += *step;
        Some(*taken)
    })
}

/// Points (false regions per square kilometre, hit rate) of the anomalies whose peak reaches a cutoff, from above the highest peak
/// down to what was claimed; empty where there is no object, or no unchanged ground.
pub fn free_response(objects: &[Object], claims: &[Claim], unchanged_km2: f64) -> Vec<(f64, f64)> {
    let judged = objects.iter().filter(|object| object.judged).count() as f64;
    let found = objects.iter().filter_map(|object| Some((object.found?, true)));
    let wrong = claims.iter().filter(|claim| claim.ground == Ground::NoChange);
    let mut events: Vec<(i16, bool)> = found.chain(wrong.map(|claim| (claim.peak, false))).collect();
    events.sort_unstable_by_key(|(peak, _)| -i32::from(*peak));
    if judged == 0.0 || unchanged_km2 <= 0.0 {
        return Vec::new();
    }
    let (mut hits, mut false_regions) = (0.0, 0.0);
    let mut points = vec![(0.0, 0.0)];
    for step in events.chunk_by(|a, b| a.0 == b.0) {
        let hit = step.iter().filter(|(_, hit)| *hit).count();
        hits += hit as f64;
        false_regions += (step.len() - hit) as f64;
        points.push((false_regions / unchanged_km2, hits / judged));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::super::label::Label;
    use super::*;

    fn near(found: &[(f64, f64)], expected: &[(f64, f64)]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (a, b) in found.iter().zip(expected) {
            assert!((a.0 - b.0).abs() < 1e-8 && (a.1 - b.1).abs() < 1e-8, "{found:?}");
        }
    }

    #[test]
    fn the_points_are_those_of_scikit_learn() {
        // y = [0,0,1,1,0,1,0,0], s = [1,4,3.5,8,3.5,2,2,0]; scikit-learn 1.9.1: precision_recall_curve(y, s) without its last
        // point, and roc_curve(y, s, drop_intermediate=False) without its first.
        let (y, s) = ([0, 0, 1, 1, 0, 1, 0, 0], [100, 400, 350, 800, 350, 200, 200, 0]);
        let mut counts = Counts::default();
        for (y, s) in y.iter().zip(s) {
            let label = if *y == 1 { Label::Changed } else { Label::Unchanged };
            counts.add(label, Some(s), false);
        }
        let third = 1.0 / 3.0;
        let expected = [
            (third, 1.0),
            (third, 0.5),
            (2.0 * third, 0.5),
            (1.0, 0.5),
            (1.0, 0.42857143),
            (1.0, 0.375),
        ];
        near(&precision_recall(&counts), &expected);
        let expected = [
            (0.0, third),
            (0.2, third),
            (0.4, 2.0 * third),
            (0.6, 1.0),
            (0.8, 1.0),
            (1.0, 1.0),
        ];
        near(&receiver(&counts), &expected);
        assert_eq!(precision_recall(&Counts::default()), []);
    }

    #[test]
    fn objects_come_and_false_regions_come_as_the_cutoff_falls() {
        let object = |found| Object {
            area_m2: 100.0,
            judged: true,
            found,
        };
        let mut objects = vec![object(Some(900)), object(Some(500)), object(Some(500)), object(None)];
        let claim = |peak, ground| Claim { peak, ground };
        let claims = [
            claim(900, Ground::Change),
            claim(700, Ground::NoChange),
            claim(600, Ground::Unknown),
            claim(500, Ground::NoChange),
        ];
        let expected = [(0.0, 0.0), (0.0, 0.25), (0.5, 0.25), (1.0, 0.75)];
        assert_eq!(free_response(&objects, &claims, 2.0), expected);
        assert_eq!(free_response(&objects, &claims, 0.0), []);
        objects.clear();
        assert_eq!(free_response(&objects, &claims, 2.0), []);
    }
}
