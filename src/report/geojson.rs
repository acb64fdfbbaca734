//! `anomalies.geojson`: anomalies, and declared activities that were not seen or could not be observed, for a map program.

use std::io::Write;

use serde_json::{Value, json};

use super::ReportError;
use crate::finding::{Evidence, Geometry, SiteReport, Verdict};

/// Writes a FeatureCollection (RFC 7946) to `out`, one feature a line. Properties are flat: lists of ids are joined by `, `.
///
/// `kind` is `anomaly` or `activity`. Dates are RFC 3339; of an activity `from` and `to` are its declared window.
///
/// # Errors
/// When `out` cannot be written.
pub fn anomalies_geojson(report: &SiteReport, mut out: impl Write) -> Result<(), ReportError> {
    let anomalies = report
        .comparisons
        .iter()
        .flat_map(|c| c.anomalies.iter().map(move |a| (c, a)))
        .map(|(c, a)| {
            let properties = json!({
                "kind": "anomaly",
                "id": a.id,
                "site": report.site.id,
                "verdict": a.verdict,
                "needs_review": a.verdict.needs_review(),
                "peak_sigma": a.peak_sigma,
                "mean_sigma": a.mean_sigma,
                "area_m2": a.area_m2,
                "from": a.dates.start,
                "to": a.dates.end,
                "before": c.before,
                "after": c.after,
                "zones": a.zones.join(", "),
                "activities": a.activities.join(", "),
                "evidence": first(&a.evidence),
            });
            feature(&a.id, &a.geometry, properties)
        });
    let unseen = |v| matches!(v, Verdict::DeclaredNotSeen | Verdict::NotObservable);
    let activities = report.activities.iter().filter(|a| unseen(a.verdict)).map(|a| {
        let properties = json!({
            "kind": "activity",
            "id": a.id,
            "site": report.site.id,
            "verdict": a.verdict,
            "needs_review": a.verdict.needs_review(),
            "what": a.what,
            "from": a.window.start,
            "to": a.window.end,
            "notified": a.notified,
            "observed_fraction": a.observed_fraction,
            "evidence": first(&a.evidence),
        });
        feature(&a.id, &a.geometry, properties)
    });

    let what = "anomalies.geojson";
    let failed = |source| ReportError::Write { what, source };
    out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")
        .map_err(failed)?;
    for (i, mut feature) in anomalies.chain(activities).enumerate() {
        feature.sort_all_objects();
        out.write_all(if i == 0 { b"\n" } else { b",\n" }).map_err(failed)?;
        serde_json::to_writer(&mut out, &feature).map_err(|source| ReportError::json(what, source))?;
    }
    out.write_all(b"\n]}\n").map_err(failed)
}

fn feature(id: &str, geometry: &Geometry, properties: Value) -> Value {
    // RFC 7946, 3.2: a feature without a place has the geometry null.
    let geometry = if geometry.coordinates.is_empty() {
        Value::Null
    } else {
        json!(geometry)
    };
    json!({ "type": "Feature", "id": id, "geometry": geometry, "properties": properties })
}

fn first(evidence: &[Evidence]) -> Option<&str> {
    evidence.first().map(|e| e.text.as_str())
}

#[cfg(test)]
mod tests {
    use geojson::{FeatureCollection, GeoJson};

    use super::*;
    use crate::report::sample;

    fn collection(report: &SiteReport) -> FeatureCollection {
        let mut bytes = Vec::new();
        anomalies_geojson(report, &mut bytes).unwrap();
        match String::from_utf8(bytes).unwrap().parse().unwrap() {
            GeoJson::FeatureCollection(features) => features,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_anomaly_and_every_activity_without_a_trace_is_a_feature() {
        let report = sample::full();
        let features = collection(&report).features;
        let kinds = |kind: &str| features.iter().filter(|f| f.property("kind").unwrap() == kind).count();
        assert_eq!(
            kinds("anomaly"),
            report.comparisons.iter().map(|c| c.anomalies.len()).sum::<usize>()
        );
        assert_eq!(kinds("activity"), 2);
        let flat = features
            .iter()
            .flat_map(|f| f.properties.iter().flatten())
            .all(|(_, v)| !v.is_object() && !v.is_array());
        assert!(flat);
        assert_eq!(features[0].property("verdict").unwrap(), "undeclared");
    }

    #[test]
    fn no_anomaly_is_an_empty_collection() {
        assert_eq!(collection(&sample::quiet()).features, []);
    }

    #[test]
    fn a_feature_without_a_place_has_no_geometry() {
        let mut report = sample::full();
        report.comparisons[0].anomalies[0].geometry.coordinates.clear();
        assert_eq!(collection(&report).features[0].geometry, None);
    }
}
