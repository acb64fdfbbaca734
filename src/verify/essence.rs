//! What of a report is held to: verdicts and what they rest on, not file hashes or sentences.

use serde_json::{Value, json};

use crate::finding::{Anomaly, Comparison, SiteReport};
use crate::geo::Rect;

/// Fractions of what was observed may differ by this: a boundary's pixel falls either way with another PROJ.
const FRACTION: f64 = 0.001;
/// Areas, peaks and cutoffs may differ by this part: another PROJ resamples a little differently.
const PART: f64 = 0.02;
/// Bounds may differ by so many pixels, and an area by as many at least: [`PART`] of a small region is less than one.
const PIXELS: f64 = 2.0;

/// Everything but the anomalies, whose order says nothing. The grid as text: it is the same or another.
fn essence(report: &SiteReport) -> Value {
    let comparisons = report.comparisons.iter().map(|c| {
        json!({
            "after": c.after, "before": c.before, "detectors": c.detectors, "rule": c.rule, "observable": c.observable,
            "observed_fraction": c.coverage.observed_fraction,
            "seed_sigma": c.cutoff.as_ref().and_then(|cutoff| cutoff.seed_sigma),
        })
    });
    let activities = report
        .activities
        .iter()
        .map(|a| json!({"id": a.id, "observed_fraction": a.observed_fraction, "verdict": a.verdict}));
    json!({
        "activities": activities.collect::<Vec<_>>(), "comparisons": comparisons.collect::<Vec<_>>(),
        "grid": json!(report.grid).to_string(), "site": report.site.id,
    })
}

fn of_anomaly(anomaly: &Anomaly) -> Value {
    let bounds = bounds(anomaly);
    json!({
        "activities": anomaly.activities, "area_m2": anomaly.area_m2, "bottom_px": bounds.bottom(), "left_px": bounds.x,
        "peak_sigma": anomaly.peak_sigma, "right_px": bounds.right(), "top_px": bounds.y, "verdict": anomaly.verdict,
        "zones": anomaly.zones,
    })
}

/// Where `found` departs from `expected` by more than is allowed, a sentence each.
pub fn departures(expected: &SiteReport, found: &SiteReport) -> Vec<String> {
    let mut departures = Vec::new();
    let pixel_m2 = pixel_m2(expected);
    compare("report", &essence(expected), &essence(found), pixel_m2, &mut departures);
    for (index, (a, b)) in expected.comparisons.iter().zip(&found.comparisons).enumerate() {
        departures.extend(anomalies(&format!("report.comparisons[{index}]"), a, b, pixel_m2));
    }
    departures
}

/// The band of the first comparison whose anomalies depart, of the newest one where none do; `None` without comparisons.
pub fn departing_band(expected: &SiteReport, found: &SiteReport) -> Option<usize> {
    let pixel_m2 = pixel_m2(expected);
    let mut pairs = expected.comparisons.iter().zip(&found.comparisons);
    let departing = pairs.find(|(a, b)| !anomalies("", a, b, pixel_m2).is_empty());
    departing
        .map(|(a, _)| a)
        .or(expected.comparisons.last())
        .map(|comparison| comparison.band)
}

fn pixel_m2(report: &SiteReport) -> f64 {
    report.grid.as_ref().map_or(0.0, |grid| grid.pixel_m * grid.pixel_m)
}

/// Where anomalies depart, each held against the one that lies in its place.
fn anomalies(place: &str, expected: &Comparison, found: &Comparison, pixel_m2: f64) -> Vec<String> {
    let mut departures = Vec::new();
    let (mut missing, mut left): (Vec<_>, Vec<_>) = (
        expected.anomalies.iter().map(Some).collect(),
        found.anomalies.iter().map(Some).collect(),
    );
    for (i, j) in nearest_first(&expected.anomalies, &found.anomalies) {
        if let (Some(a), Some(b)) = (missing[i], left[j]) {
            (missing[i], left[j]) = (None, None);
            let place = format!("{place}.anomaly at {:?}", a.bounds_px);
            compare(&place, &of_anomaly(a), &of_anomaly(b), pixel_m2, &mut departures);
        }
    }
    let words = |what: &str, one: &Anomaly| {
        let verdict = one.verdict.words();
        format!(
            "{place}: {what}: {verdict} anomaly of {} m2 at {:?}",
            one.area_m2, one.bounds_px
        )
    };
    departures.extend(
        missing
            .into_iter()
            .flatten()
            .map(|one| words("expected, not found", one)),
    );
    departures.extend(left.into_iter().flatten().map(|one| words("not expected, found", one)));
    departures
}

/// Those whose bounds meet, by index: first the two that share the largest part of the ground which either covers, among such the most
/// alike in area.
///
/// By part, not by pixels: a small region in the bounds of a large one is not the large one.
fn nearest_first(expected: &[Anomaly], found: &[Anomaly]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (i, a) in expected.iter().enumerate() {
        for (j, b) in found.iter().enumerate() {
            let shared = bounds(a).intersect(&bounds(b)).area() as f64;
            if shared > 0.0 {
                let either = bounds(a).area() as f64 + bounds(b).area() as f64 - shared;
                pairs.push((-shared / either, (a.area_m2 - b.area_m2).abs(), i, j));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    pairs.into_iter().map(|(_, _, i, j)| (i, j)).collect()
}

fn bounds(anomaly: &Anomaly) -> Rect {
    let [x, y, w, h] = anomaly.bounds_px;
    Rect::new(x, y, w.max(0) as usize, h.max(0) as usize)
}

fn compare(place: &str, expected: &Value, found: &Value, pixel_m2: f64, departures: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                compare(
                    &format!("{place}.{key}"),
                    value,
                    b.get(key).unwrap_or(&Value::Null),
                    pixel_m2,
                    departures,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{place}[{index}]"), a, b, pixel_m2, departures);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            departures.push(format!("{place}: expected {} entries, found {}", a.len(), b.len()));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) else {
                return;
            };
            let tolerance = match place.rsplit('.').next() {
                Some("observed_fraction") => FRACTION,
                Some("area_m2") => (PART * a.abs()).max(PIXELS * pixel_m2),
                Some(key) if key.ends_with("_px") => PIXELS,
                _ => PART * a.abs(),
            };
            if (a - b).abs() > tolerance {
                departures.push(format!("{place}: expected {a} +- {tolerance}, found {b}"));
            }
        }
        _ if expected == found => {}
        _ => departures.push(format!("{place}: expected {expected}, found {found}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_verdict_counts_and_a_hair_does_not() {
        let expected = json!({"a": {
            "observed_fraction": 0.5, "area_m2": 1000.0, "left_px": 7, "verdict": "undeclared", "list": [1, 2]
        }});
        let with_pixels_of = |pixel_m2: f64, key: &str, value: Value| {
            let mut found = expected.clone();
            found["a"][key] = value;
            let mut departures = Vec::new();
            compare("r", &expected, &found, pixel_m2, &mut departures);
            departures
        };
        let with = |key: &str, value: Value| with_pixels_of(9.0, key, value);
        assert!(with("area_m2", json!(1019.0)).is_empty() && with("observed_fraction", json!(0.5009)).is_empty());
        assert_eq!(
            with("area_m2", json!(1021.0)),
            ["r.a.area_m2: expected 1000 +- 20, found 1021"]
        );
        assert!(with_pixels_of(100.0, "area_m2", json!(1200.0)).is_empty(), "two pixels");
        assert_eq!(with_pixels_of(100.0, "area_m2", json!(1201.0)).len(), 1);
        assert!(with("left_px", json!(9)).is_empty());
        assert_eq!(with("left_px", json!(10)), ["r.a.left_px: expected 7 +- 2, found 10"]);
        assert_eq!(with("observed_fraction", json!(0.502)).len(), 1);
        assert_eq!(with("verdict", json!("consistent")).len(), 1);
        assert_eq!(with("list", json!([1])), ["r.a.list: expected 2 entries, found 1"]);
        assert_eq!(with("verdict", Value::Null).len(), 1);
    }

    fn told(change: impl Fn(&mut SiteReport)) -> Vec<String> {
        let expected = sample::full();
        let mut found = expected.clone();
        change(&mut found);
        departures(&expected, &found)
    }

    #[test]
    fn anomalies_are_told_by_their_place() {
        assert!(sample::full().comparisons[0].anomalies.len() > 1);
        assert_eq!(told(|_| ()), Vec::<String>::new());
        assert_eq!(told(|r| r.comparisons[0].anomalies.reverse()), Vec::<String>::new());
        let gone = told(|r| drop(r.comparisons[0].anomalies.remove(0)));
        assert!(gone.len() == 1 && gone[0].contains("expected, not found"), "{gone:?}");
        let moved = told(|r| r.comparisons[0].anomalies[0].bounds_px[0] += 100_000);
        assert!(moved.len() == 2, "{moved:?}");
        assert!(moved[1].contains("not expected, found"), "{moved:?}");
    }

    #[test]
    fn bounds_and_grid_are_held() {
        let wider = told(|r| r.comparisons[0].anomalies[0].bounds_px[2] += 3);
        assert!(
            wider.len() == 1 && wider[0].contains(".right_px: expected"),
            "{wider:?}"
        );
        assert_eq!(
            told(|r| r.comparisons[0].anomalies[0].bounds_px[2] += 2),
            Vec::<String>::new()
        );
        let beside = told(|r| r.grid.iter_mut().for_each(|grid| grid.left_m += 10.0));
        assert!(beside.len() == 1 && beside[0].starts_with("report.grid"), "{beside:?}");
        assert_eq!(told(|r| r.grid = None).len(), 1);
    }

    #[test]
    fn a_small_region_in_the_bounds_of_a_large_one_is_held_to_itself() {
        let mut expected = sample::full();
        let [large, small, ..] = expected.comparisons[0].anomalies.as_mut_slice() else {
            panic!("two anomalies");
        };
        (large.bounds_px, small.bounds_px) = ([0, 0, 50, 50], [10, 10, 4, 4]);
        expected.comparisons[0].anomalies.truncate(2);
        let mut found = expected.clone();
        found.comparisons[0].anomalies.reverse();
        assert_eq!(departures(&expected, &found), Vec::<String>::new());
        // The large one gone, the small one a pixel further: more of its pixels lie in the bounds of the large one.
        let mut gone = found.clone();
        gone.comparisons[0].anomalies.truncate(1);
        gone.comparisons[0].anomalies[0].bounds_px[0] += 1;
        let gone = departures(&expected, &gone);
        assert!(gone.len() == 1 && gone[0].ends_with("at [0, 0, 50, 50]"), "{gone:?}");
        // Two with the same bounds, interlocked: by area.
        for report in [&mut expected, &mut found] {
            for anomaly in &mut report.comparisons[0].anomalies {
                anomaly.bounds_px = [0, 0, 50, 50];
            }
        }
        let areas = expected.comparisons[0].anomalies.iter().map(|a| a.area_m2);
        let areas: Vec<f64> = areas.collect();
        assert!((areas[0] - areas[1]).abs() > 1.0, "{areas:?}");
        assert_eq!(departures(&expected, &found), Vec::<String>::new());
    }

    #[test]
    fn the_comparison_whose_anomalies_depart_is_shown() {
        let expected = sample::full();
        let mut found = expected.clone();
        assert_eq!(departing_band(&expected, &found), Some(2), "the newest");
        found.comparisons[0].anomalies.clear();
        assert_eq!(departing_band(&expected, &found), Some(1));
    }
}
