//! What of a report is held to: verdicts and what they rest on, not file hashes or sentences.

use serde_json::{Value, json};

use crate::finding::SiteReport;

/// Fractions of what was observed may differ by this: a boundary's pixel falls either way with another PROJ.
const FRACTION: f64 = 0.001;
/// Areas, peaks and cutoffs may differ by this part: another PROJ resamples a little differently.
const PART: f64 = 0.02;

fn essence(report: &SiteReport) -> Value {
    let comparisons = report.comparisons.iter().map(|c| {
        let anomalies = c.anomalies.iter().map(|a| {
            json!({"activities": a.activities, "area_m2": a.area_m2, "peak_sigma": a.peak_sigma, "verdict": a.verdict, "zones": a.zones})
        });
        json!({
            "after": c.after, "anomalies": anomalies.collect::<Vec<_>>(), "before": c.before, "detector": c.detector,
            "observable": c.observable, "observed_fraction": c.coverage.observed_fraction,
            "seed_sigma": c.cutoff.as_ref().and_then(|cutoff| cutoff.seed_sigma),
        })
    });
    let activities = report
        .activities
        .iter()
        .map(|a| json!({"id": a.id, "observed_fraction": a.observed_fraction, "verdict": a.verdict}));
    json!({
        "activities": activities.collect::<Vec<_>>(), "comparisons": comparisons.collect::<Vec<_>>(), "site": report.site.id,
    })
}

/// Where `found` departs from `expected` by more than is allowed, a sentence each.
pub fn departures(expected: &SiteReport, found: &SiteReport) -> Vec<String> {
    let mut departures = Vec::new();
    compare("report", &essence(expected), &essence(found), &mut departures);
    departures
}

fn compare(place: &str, expected: &Value, found: &Value, departures: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                compare(
                    &format!("{place}.{key}"),
                    value,
                    b.get(key).unwrap_or(&Value::Null),
                    departures,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{place}[{index}]"), a, b, departures);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            departures.push(format!("{place}: expected {} entries, found {}", a.len(), b.len()));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) else {
                return;
            };
            let tolerance = if place.ends_with("observed_fraction") {
                FRACTION
            } else {
                PART * a.abs()
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

    #[test]
    fn a_verdict_counts_and_a_hair_does_not() {
        let expected =
            json!({"a": {"observed_fraction": 0.5, "area_m2": 1000.0, "verdict": "undeclared", "list": [1, 2]}});
        let with = |key: &str, value: Value| {
            let mut found = expected.clone();
            found["a"][key] = value;
            let mut departures = Vec::new();
            compare("r", &expected, &found, &mut departures);
            departures
        };
        assert!(with("area_m2", json!(1019.0)).is_empty() && with("observed_fraction", json!(0.5009)).is_empty());
        assert_eq!(
            with("area_m2", json!(1021.0)),
            ["r.a.area_m2: expected 1000 +- 20, found 1021"]
        );
        assert_eq!(with("observed_fraction", json!(0.502)).len(), 1);
        assert_eq!(with("verdict", json!("consistent")).len(), 1);
        assert_eq!(with("list", json!([1])), ["r.a.list: expected 2 entries, found 1"]);
        assert_eq!(with("verdict", Value::Null).len(), 1);
    }
}
