//! Golden cases: simulated scenes, a run, and what must come out. `SITEWATCH_UPDATE=1` rewrites what is expected.
//!
//! Compared layer by layer: verdicts and counts exactly, areas and scores within 2 percent (another GDAL or PROJ resamples a
//! little differently), coverage within a thousandth.

use serde_json::{Value, json};
use sitewatch::finding::SiteReport;

use super::common::{only_report, root, simulate, survey};

/// What of a report is held to: small enough to read in a diff.
fn essence(report: &SiteReport) -> Value {
    let comparisons = report.comparisons.iter().map(|c| {
        let anomalies = c.anomalies.iter().map(|a| {
            json!({"verdict": a.verdict, "area_m2": a.area_m2, "peak_sigma": a.peak_sigma, "activities": a.activities, "zones": a.zones})
        });
        json!({
            "before": c.before, "after": c.after, "observable": c.observable,
            "observed_fraction": c.coverage.observed_fraction,
            "anomalies": anomalies.collect::<Vec<_>>(),
        })
    });
    let activities = report
        .activities
        .iter()
        .map(|a| json!({"id": a.id, "verdict": a.verdict, "observed_fraction": a.observed_fraction}));
    json!({"comparisons": comparisons.collect::<Vec<_>>(), "activities": activities.collect::<Vec<_>>()})
}

/// Where `found` departs from `expected` by more than its layer allows.
fn differences(place: &str, expected: &Value, found: &Value, wrong: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter()
                .for_each(|(key, value)| differences(&format!("{place}.{key}"), value, &b[key], wrong));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter()
                .zip(b)
                .enumerate()
                .for_each(|(i, (a, b))| differences(&format!("{place}[{i}]"), a, b, wrong));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            let tolerance = if place.ends_with("observed_fraction") {
                0.001
            } else {
                0.02 * a.abs()
            };
            if (a - b).abs() > tolerance {
                wrong.push(format!("{place}: expected {a} +- {tolerance}, found {b}"));
            }
        }
        _ if expected == found => {}
        _ => wrong.push(format!("{place}: expected {expected}, found {found}")),
    }
}

#[test]
fn golden_cases() {
    let mut wrong = Vec::new();
    let mut cases: Vec<_> = std::fs::read_dir(root().join("testdata/cases"))
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() >= 8);
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let folder = tempfile::tempdir().unwrap();
        let pipeline = simulate(&case.join("recipe.toml"), folder.path());
        let out = folder.path().join("out");
        survey(&pipeline, &out, |_| {});
        let found = essence(&only_report(&out));
        let golden = case.join("expected.json");
        if std::env::var_os("SITEWATCH_UPDATE").is_some() {
            std::fs::write(&golden, format!("{found:#}\n")).unwrap();
        }
        let text = std::fs::read_to_string(&golden)
            .unwrap_or_else(|_| panic!("{name}: no expected.json; make it with SITEWATCH_UPDATE=1"));
        differences(&name, &serde_json::from_str(&text).unwrap(), &found, &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
