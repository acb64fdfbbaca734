//! Figures of things: true changes that were found, and claims where nothing changed.

use serde::Serialize;

use super::estimate::Estimate;
use super::intervals::{binomial, poisson};
use crate::number::{round, significant};

/// Lower borders of the classes of size, square metres: 4, 16 and 64 pixels of 10 m.
const CLASSES_M2: [f64; 4] = [0.0, 400.0, 1600.0, 6400.0];

/// A change of the truth on one site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object {
    /// Its area in the plane of the site grid, square metres.
    pub area_m2: f64,
    /// Whether one of its pixels was judged.
    pub judged: bool,
    /// Highest stored score of the anomalies on its judged pixels; `None` where there is none.
    pub found: Option<i16>,
}

/// What an anomaly lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// A changed pixel at least.
    Change,
    /// No changed pixel, and at least half of it labelled unchanged: a false region.
    NoChange,
    /// Neither: nothing is known of it.
    Unknown,
}

/// An anomaly on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Its highest stored score.
    pub peak: i16,
    /// What it lies on.
    pub ground: Ground,
}

/// Figures of objects and anomalies; absent where there is nothing to count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObjectFigures {
    /// Changed objects of which a pixel was judged, by size.
    pub by_area: Vec<SizeClass>,
    /// Anomalies that lie on unchanged ground.
    pub false_regions: u64,
    /// The same over a square kilometre of judged unchanged ground.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_regions_per_km2: Option<Estimate>,
    /// Objects on which an anomaly lies.
    pub hit: u64,
    /// The same over `objects`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_rate: Option<Estimate>,
    /// Objects of which no pixel was judged: they count neither as hit nor as missed.
    pub not_judged: u64,
    /// Changed objects of which a pixel was judged.
    pub objects: u64,
    /// Anomalies that touch changed ground.
    pub true_regions: u64,
    /// Judged unchanged ground, square kilometres.
    pub unchanged_km2: f64,
    /// Anomalies of which nothing is known.
    pub unlabelled_regions: u64,
}

/// Objects of one class of size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SizeClass {
    /// Smallest area, square metres.
    pub from_m2: f64,
    /// Objects on which an anomaly lies.
    pub hit: u64,
    /// The same over `objects`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_rate: Option<Estimate>,
    /// Objects of which a pixel was judged.
    pub objects: u64,
    /// The area from which on the next class begins, square metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_m2: Option<f64>,
}

/// The figures of `objects` and `claims` on `unchanged_km2` of judged unchanged ground.
pub fn figures(objects: &[Object], claims: &[Claim], unchanged_km2: f64) -> ObjectFigures {
    let judged: Vec<&Object> = objects.iter().filter(|object| object.judged).collect();
    let by_area = CLASSES_M2.iter().enumerate().map(|(i, from)| {
        let to = CLASSES_M2.get(i + 1);
        let inside = |object: &&&Object| object.area_m2 >= *from && to.is_none_or(|to| object.area_m2 < *to);
        let class: Vec<&Object> = judged.iter().filter(inside).copied().collect();
        SizeClass {
            from_m2: *from,
            hit: hits(&class),
            hit_rate: hit_rate(&class),
            objects: class.len() as u64,
            to_m2: to.copied(),
        }
    });
    let count = |ground| claims.iter().filter(|claim| claim.ground == ground).count() as u64;
    let false_regions = count(Ground::NoChange);
    let per_km2 = |count: f64| count / unchanged_km2;
    ObjectFigures {
        by_area: by_area.collect(),
        false_regions,
        false_regions_per_km2: (unchanged_km2 > 0.0).then(|| {
            let interval = poisson(false_regions).map(per_km2);
            Estimate::new(per_km2(false_regions as f64), Some(interval), significant)
        }),
        hit: hits(&judged),
        hit_rate: hit_rate(&judged),
        not_judged: (objects.len() - judged.len()) as u64,
        objects: judged.len() as u64,
        true_regions: count(Ground::Change),
        unchanged_km2: round(unchanged_km2, 6),
        unlabelled_regions: count(Ground::Unknown),
    }
}

fn hits(objects: &[&Object]) -> u64 {
    objects.iter().filter(|object| object.found.is_some()).count() as u64
}

fn hit_rate(objects: &[&Object]) -> Option<Estimate> {
    let (hit, n) = (hits(objects), objects.len() as u64);
    let interval = binomial(hit, n)?;
    Some(Estimate::new(hit as f64 / n as f64, Some(interval), |v| round(v, 6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_claims_are_counted_by_what_they_are() {
        let object = |area_m2, judged, found| Object { area_m2, judged, found };
        let objects = [
            object(100.0, true, None),
            object(400.0, true, Some(700)),
            object(900.0, true, Some(500)),
            object(1600.0, false, None),
        ];
        let claim = |ground| Claim { peak: 500, ground };
        let claims = [
            claim(Ground::Change),
            claim(Ground::NoChange),
            claim(Ground::NoChange),
            claim(Ground::NoChange),
            claim(Ground::Unknown),
        ];
        let figures = figures(&objects, &claims, 1.5);
        assert_eq!((figures.objects, figures.hit, figures.not_judged), (3, 2, 1));
        assert_eq!(
            (figures.true_regions, figures.false_regions, figures.unlabelled_regions),
            (1, 3, 1)
        );
        let rate = figures.false_regions_per_km2.unwrap();
        assert_eq!((rate.value, rate.interval), (2.0, Some([0.412448, 5.84485])));
        let hit = figures.hit_rate.unwrap();
        assert_eq!((hit.value, hit.interval), (0.666667, Some([0.094299, 0.991596])));
        let classes: Vec<_> = figures.by_area.iter().map(|class| (class.objects, class.hit)).collect();
        assert_eq!(classes, [(1, 0), (2, 2), (0, 0), (0, 0)]);
        assert_eq!(figures.by_area[3].hit_rate, None);
    }

    #[test]
    fn a_site_without_unchanged_ground_has_no_rate() {
        let figures = figures(&[], &[], 0.0);
        assert_eq!((figures.false_regions_per_km2, figures.hit_rate), (None, None));
    }
}
