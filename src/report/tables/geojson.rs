//! `anomalies.geojson`: anomalies, and declared activities that were not seen or could not be observed, for a map program.

use std::io::Write;

use serde_json::{Value, json};

use crate::finding::{ActivityFinding, Anomaly, Comparison, Evidence, Geometry, SiteReport, Verdict};
use crate::report::ReportError;
use crate::report::english::evidence::said;
use crate::report::numbered::numbered;

/// Writes a FeatureCollection (RFC 7946) to `out`, one feature a line. Properties are flat: lists of ids are joined by `, `.
///
/// Anomalies stand in the order of the page, and `number` is their number there; likelihood and confidence are in the page's words.
/// `kind` is `anomaly` or `activity`. Dates are RFC 3339; of an activity `from` and `to` are its declared window. Nothing says
/// the CRS: WGS 84 is the only one that RFC 7946 knows.
///
/// # Errors
/// When `out` cannot be written.
pub fn anomalies_geojson(report: &SiteReport, mut out: impl Write) -> Result<(), ReportError> {
    let anomalies = numbered(report).into_iter().map(|numbered| {
        let (c, a) = (numbered.comparison, numbered.anomaly);
        let properties = json!({
            "kind": "anomaly",
            "number": numbered.number,
            "id": a.id,
            "site": report.site.id,
            "verdict": a.verdict,
            "needs_review": a.verdict.needs_review(),
            "likelihood": numbered.likelihood,
            "confidence": numbered.confidence,
            "peak_sigma": a.peak_sigma,
            "mean_sigma": a.mean_sigma,
            "p_value": a.p_value,
            "q_value": a.q_value,
            "area_m2": a.area_m2,
            "from": a.dates.start,
            "to": a.dates.end,
            "before": c.before,
            "after": c.after,
            "zones": a.zones.join(", "),
            "activities": a.activities.join(", "),
            "evidence": first(&a.evidence, None),
        });
        feature(&a.id, &a.geometry, properties)
    });
    let activities = without_a_trace(report).map(|a| {
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
            "evidence": first(&a.evidence, Some(&a.id)),
        });
        feature(&a.id, &a.geometry, properties)
    });

    let what = "anomalies.geojson";
    let failed = |source| ReportError::Write { what, source };
    out.write_all(b"{\"type\":\"FeatureCollection\",").map_err(failed)?;
    if let Some(bbox) = bbox(geometries(report)) {
        write!(out, "\"bbox\":{},", json!(bbox)).map_err(failed)?;
    }
    out.write_all(b"\"features\":[").map_err(failed)?;
    for (i, mut feature) in anomalies.chain(activities).enumerate() {
        feature.sort_all_objects();
        out.write_all(if i == 0 { b"\n" } else { b",\n" }).map_err(failed)?;
        serde_json::to_writer(&mut out, &feature).map_err(|source| ReportError::json(what, source))?;
    }
    out.write_all(b"\n]}\n").map_err(failed)
}

/// Every anomaly with the comparison that found it, in the order of the record.
pub(super) fn anomalies(report: &SiteReport) -> impl Iterator<Item = (&Comparison, &Anomaly)> {
    let comparisons = report.comparisons.iter();
    comparisons.flat_map(|c| c.anomalies.iter().map(move |a| (c, a)))
}

/// Declared activities that no anomaly tells of: not seen, or not observable.
pub(super) fn without_a_trace(report: &SiteReport) -> impl Iterator<Item = &ActivityFinding> {
    let unseen = |v| matches!(v, Verdict::DeclaredNotSeen | Verdict::NotObservable);
    report.activities.iter().filter(move |a| unseen(a.verdict))
}

fn geometries(report: &SiteReport) -> impl Iterator<Item = &Geometry> {
    let anomalies = anomalies(report).map(|(_, a)| &a.geometry);
    anomalies.chain(without_a_trace(report).map(|a| &a.geometry))
}

/// `[west, south, east, north]`, degrees, around what is shown; `None` around nothing. West of a box that holds the antimeridian
/// is greater than east (RFC 7946, 5.2).
pub(super) fn bbox<'a>(geometries: impl Iterator<Item = &'a Geometry>) -> Option<[f64; 4]> {
    let corners: Vec<[f64; 2]> = geometries
        .flat_map(|g| g.coordinates.iter().flatten().flatten().copied())
        .collect();
    let within = |corners: &mut dyn Iterator<Item = f64>| {
        corners.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        })
    };
    let (south, north) = within(&mut corners.iter().map(|c| c[1]));
    let (west, east) = within(&mut corners.iter().map(|c| c[0]));
    let (west, east) = if east - west > 180.0 {
        // A site is never that wide: its parts lie on both sides of the antimeridian.
        let (west, _) = within(&mut corners.iter().map(|c| c[0]).filter(|lon| *lon >= 0.0));
        let (_, east) = within(&mut corners.iter().map(|c| c[0]).filter(|lon| *lon < 0.0));
        (west, east)
    } else {
        (west, east)
    };
    (!corners.is_empty()).then_some([west, south, east, north])
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

fn first(evidence: &[Evidence], own: Option<&str>) -> Option<String> {
    evidence.first().map(|one| said(one, own))
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
        for (name, value) in [
            ("verdict", json!("undeclared")),
            ("number", json!(1)),
            ("likelihood", json!("almost certain")),
            ("confidence", json!("low")),
        ] {
            assert_eq!(features[0].property(name).unwrap(), &value);
        }
    }

    #[test]
    fn no_anomaly_is_an_empty_collection() {
        let empty = collection(&sample::quiet());
        assert_eq!((empty.features, empty.bbox), (vec![], None));
    }

    #[test]
    fn a_feature_without_a_place_has_no_geometry() {
        let mut report = sample::full();
        report.comparisons[0].anomalies[0].geometry.coordinates.clear();
        assert_eq!(collection(&report).features[0].geometry, None);
    }

    /// RFC 7946, 4 and 5; rings are turned in `finding/geometry.rs`.
    #[test]
    fn the_box_holds_every_feature_and_no_crs_is_named() {
        let collection = collection(&sample::full());
        assert_eq!(collection.foreign_members, None);
        // The sample's anomalies and act-3, act-4: x 14 to 100, y 16 to 75 on its grid.
        assert_eq!(collection.bbox.unwrap(), [2.001_918, 48.793_25, 2.013_7, 48.798_56]);
    }

    #[test]
    fn a_box_over_the_antimeridian_is_as_narrow_as_the_site() {
        let part = |west: f64, east: f64| {
            vec![vec![
                [west, -17.0],
                [east, -17.0],
                [east, -16.0],
                [west, -16.0],
                [west, -17.0],
            ]]
        };
        let taveuni = Geometry {
            kind: "MultiPolygon".into(),
            coordinates: vec![part(179.5, 180.0), part(-180.0, -179.8)],
        };
        assert_eq!(bbox([&taveuni].into_iter()), Some([179.5, -17.0, -179.8, -16.0]));
    }
}
