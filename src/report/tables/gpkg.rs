//! `anomalies.gpkg`: what was found, what was declared and the site as layers for a map program, with styles that QGIS applies by itself.

use std::path::Path;

use jiff::Timestamp;

use crate::finding::{ActivityFinding, BandChange, Comparison, Evidence, SiteReport, Verdict, ZoneCoverage};
use crate::io::IoError;
use crate::io::vector::{FieldKind, Layer, Row, Value, write_gpkg};
use crate::report::english::{self, labels, of_activity, percent, reasons, summary};
use crate::report::numbered::{Numbered, numbered};

/// Layers with the styles that are embedded for them: name, what the style is called, QML.
const STYLES: [[&str; 3]; 4] = [
    ["anomalies", "By verdict", include_str!("qgis/anomalies.qml")],
    [
        "activities",
        "By what became of them",
        include_str!("qgis/activities.qml"),
    ],
    ["zones", "Zones", include_str!("qgis/zones.qml")],
    ["site", "Boundary", include_str!("qgis/site.qml")],
];

/// Writes the report as a GeoPackage to `path`, which is overwritten: [`layers`], in EPSG:4326. The same record, the same bytes.
///
/// # Errors
/// When the file cannot be written or does not read back; the caller then removes what is there.
pub fn anomalies_gpkg(report: &SiteReport, path: &Path) -> Result<(), IoError> {
    write_gpkg(path, &layers(report), &stamp(report))
}

/// The layers `anomalies`, `activities`, `zones` and `site`, and the table `layer_styles` in which QGIS looks for their styles.
///
/// Anomalies stand in the order of the page, and `number` is their number there. A zone has the coverage of the newest comparison that
/// tells of it. Lists of ids are joined by `, `, sentences by line ends. A layer of which there is nothing is empty.
pub fn layers(report: &SiteReport) -> Vec<Layer> {
    vec![
        anomalies(report),
        activities(report),
        zones(report),
        site(report),
        styles(report),
    ]
}

/// The instant that the file gives as that of its last change, UTC with milliseconds: the end of the newest acquisition, or the issue of
/// the newest declaration; the beginning of 1970 where neither is known.
fn stamp(report: &SiteReport) -> String {
    let acquired = report.scenes.iter().map(|scene| scene.acquired.end).max();
    acquired
        .or_else(|| report.declarations.iter().map(|one| one.issued).max())
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

fn anomalies(report: &SiteReport) -> Layer {
    let rows = numbered(report).into_iter().map(anomaly).collect();
    layer(
        "anomalies",
        "Anomalies: changes, judged",
        vec![
            ("number", FieldKind::Integer),
            ("id", FieldKind::Text),
            ("verdict", FieldKind::Text),
            ("verdict_words", FieldKind::Text),
            ("needs_review", FieldKind::Boolean),
            ("likelihood", FieldKind::Text),
            ("confidence", FieldKind::Text),
            ("area_m2", FieldKind::Real),
            ("pixels", FieldKind::Integer),
            ("peak_sigma", FieldKind::Real),
            ("mean_sigma", FieldKind::Real),
            ("p_value", FieldKind::Real),
            ("q_value", FieldKind::Real),
            ("from", FieldKind::DateTime),
            ("to", FieldKind::DateTime),
            ("before", FieldKind::Text),
            ("after", FieldKind::Text),
            ("zones", FieldKind::Text),
            ("activities", FieldKind::Text),
            ("evidence_for", FieldKind::Text),
            ("evidence_against", FieldKind::Text),
            ("change", FieldKind::Text),
            ("course", FieldKind::Text),
            ("detector", FieldKind::Text),
            ("votes", FieldKind::Text),
        ],
        rows,
    )
}

fn anomaly(numbered: Numbered<'_>) -> Row {
    let (comparison, anomaly) = (numbered.comparison, numbered.anomaly);
    Row {
        polygons: anomaly.geometry.coordinates.clone(),
        values: vec![
            numbered.number.map_or(Value::Null, count),
            text(&anomaly.id),
            code(anomaly.verdict),
            text(anomaly.verdict.words()),
            Value::Boolean(anomaly.verdict.needs_review()),
            numbered.likelihood.map_or(Value::Null, Value::Text),
            text(numbered.confidence),
            Value::Real(anomaly.area_m2),
            count(anomaly.pixels),
            Value::Real(anomaly.peak_sigma),
            Value::Real(anomaly.mean_sigma),
            anomaly.p_value.map_or(Value::Null, Value::Real),
            anomaly.q_value.map_or(Value::Null, Value::Real),
            instant(anomaly.dates.start),
            instant(anomaly.dates.end),
            text(&comparison.before),
            text(&comparison.after),
            Value::Text(anomaly.zones.join(", ")),
            Value::Text(anomaly.activities.join(", ")),
            evidence(&anomaly.evidence, true, None),
            evidence(&anomaly.evidence, false, None),
            lines(anomaly.change.iter().map(change)),
            anomaly
                .course
                .as_ref()
                .map_or(Value::Null, |course| Value::Text(labels::course(course))),
            Value::Text(english::detectors(comparison)),
            Value::Text(labels::votes(&anomaly.votes)),
        ],
    }
}

fn activities(report: &SiteReport) -> Layer {
    layer(
        "activities",
        "Declared activities and what became of them",
        vec![
            ("id", FieldKind::Text),
            ("what", FieldKind::Text),
            ("verdict", FieldKind::Text),
            ("verdict_words", FieldKind::Text),
            ("needs_review", FieldKind::Boolean),
            ("from", FieldKind::DateTime),
            ("to", FieldKind::DateTime),
            ("notified", FieldKind::DateTime),
            ("observed_fraction", FieldKind::Real),
            ("observed", FieldKind::Text),
            ("anomalies", FieldKind::Text),
            ("evidence_for", FieldKind::Text),
            ("evidence_against", FieldKind::Text),
        ],
        report.activities.iter().map(activity).collect(),
    )
}

fn activity(activity: &ActivityFinding) -> Row {
    // As the summary has it: one that is inconclusive is told by its anomalies, or its window is still open.
    let needs_review = activity.verdict.needs_review() && activity.verdict != Verdict::Inconclusive;
    Row {
        polygons: activity.geometry.coordinates.clone(),
        values: vec![
            text(&activity.id),
            text(activity.what.word()),
            code(activity.verdict),
            text(of_activity(activity)),
            Value::Boolean(needs_review),
            instant(activity.window.start),
            instant(activity.window.end),
            instant(activity.notified),
            Value::Real(activity.observed_fraction),
            Value::Text(percent(activity.observed_fraction)),
            Value::Text(activity.anomalies.join(", ")),
            evidence(&activity.evidence, true, Some(&activity.id)),
            evidence(&activity.evidence, false, Some(&activity.id)),
        ],
    }
}

fn zones(report: &SiteReport) -> Layer {
    let mut newest: Vec<(&Comparison, &ZoneCoverage)> = Vec::new();
    for comparison in report.comparisons.iter().rev() {
        for zone in &comparison.zones {
            if !newest.iter().any(|(_, known)| known.id == zone.id) {
                newest.push((comparison, zone));
            }
        }
    }
    let zone = |(comparison, zone): (&Comparison, &ZoneCoverage)| Row {
        polygons: zone.geometry.coordinates.clone(),
        values: vec![
            text(&zone.id),
            text(zone.role.word()),
            Value::Real(zone.coverage.observed_fraction),
            Value::Text(percent(zone.coverage.observed_fraction)),
            reasons(&zone.coverage).map_or(Value::Null, Value::Text),
            instant(comparison.dates.start),
            instant(comparison.dates.end),
        ],
    };
    layer(
        "zones",
        "Declared zones and how much of them was observed",
        vec![
            ("id", FieldKind::Text),
            ("role", FieldKind::Text),
            ("observed_fraction", FieldKind::Real),
            ("observed", FieldKind::Text),
            ("not_observed", FieldKind::Text),
            ("from", FieldKind::DateTime),
            ("to", FieldKind::DateTime),
        ],
        newest.into_iter().map(zone).collect(),
    )
}

fn site(report: &SiteReport) -> Layer {
    let declarations: Vec<&str> = report.declarations.iter().map(|one| one.id.as_str()).collect();
    let row = Row {
        polygons: report.site.geometry.coordinates.clone(),
        values: vec![
            text(&report.site.id),
            text(&report.site.name),
            Value::Boolean(report.needs_review()),
            lines(summary(report).into_iter()),
            Value::Real(report.site.area_m2),
            Value::Text(declarations.join(", ")),
            text(&report.run_key),
            text(&report.program.sitewatch),
        ],
    };
    layer(
        "site",
        "The site as declared",
        vec![
            ("id", FieldKind::Text),
            ("name", FieldKind::Text),
            ("needs_review", FieldKind::Boolean),
            ("summary", FieldKind::Text),
            ("area_m2", FieldKind::Real),
            ("declarations", FieldKind::Text),
            ("run_key", FieldKind::Text),
            ("sitewatch", FieldKind::Text),
        ],
        vec![row],
    )
}

/// The table as QGIS makes it (QGIS 3.22, `QgsVectorLayer::saveStyleToDatabase`): it looks a layer's default style up by these columns.
fn styles(report: &SiteReport) -> Layer {
    let row = |[name, title, qml]: [&str; 3]| Row {
        polygons: Vec::new(),
        values: vec![
            text(""),
            text(""),
            text(name),
            text("geom"),
            text(title),
            text(qml),
            Value::Null,
            Value::Boolean(true),
            text("as in the report"),
            text(""),
            Value::Null,
            Value::Text(stamp(report)),
        ],
    };
    Layer {
        key: "id",
        spatial: false,
        ..layer(
            "layer_styles",
            "layer_styles",
            vec![
                ("f_table_catalog", FieldKind::Text),
                ("f_table_schema", FieldKind::Text),
                ("f_table_name", FieldKind::Text),
                ("f_geometry_column", FieldKind::Text),
                ("styleName", FieldKind::Text),
                ("styleQML", FieldKind::Text),
                ("styleSLD", FieldKind::Text),
                ("useAsDefault", FieldKind::Boolean),
                ("description", FieldKind::Text),
                ("owner", FieldKind::Text),
                ("ui", FieldKind::Text),
                ("update_time", FieldKind::DateTime),
            ],
            STYLES.map(row).into(),
        )
    }
}

fn layer(name: &'static str, title: &'static str, fields: Vec<(&'static str, FieldKind)>, rows: Vec<Row>) -> Layer {
    Layer {
        name,
        title,
        key: "fid",
        spatial: true,
        fields,
        rows,
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn count(n: u64) -> Value {
    Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

/// The verdict as in the record, by which the styles tell features apart.
fn code(verdict: Verdict) -> Value {
    text(verdict.row().word)
}

fn lines(sentences: impl Iterator<Item = String>) -> Value {
    Value::Text(sentences.collect::<Vec<_>>().join("\n"))
}

fn evidence(evidence: &[Evidence], supports: bool, own: Option<&str>) -> Value {
    let said = english::evidence::reasons(evidence, supports, own);
    lines(said.into_iter().map(english::capitalised))
}

fn instant(instant: Timestamp) -> Value {
    Value::Text(instant.to_string())
}

fn change(change: &BandChange) -> String {
    let unit = change.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
    format!("{} {:+}{unit} ({:+} σ)", change.band, change.mean, change.mean_sigma)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::VERDICTS;
    use crate::report::sample;

    /// The values of a field, row by row.
    fn column<'a>(layers: &'a [Layer], layer: &str, field: &str) -> Vec<&'a Value> {
        let layer = layers.iter().find(|one| one.name == layer).unwrap();
        let at = layer.fields.iter().position(|(name, _)| *name == field).unwrap();
        layer.rows.iter().map(|row| &row.values[at]).collect()
    }

    #[test]
    fn every_row_has_a_value_for_every_field() {
        for report in [sample::full(), sample::quiet(), sample::unobserved()] {
            for layer in layers(&report) {
                let named = |row: &Row| row.values.len() == layer.fields.len();
                assert!(layer.rows.iter().all(named), "{}", layer.name);
                for row in &layer.rows {
                    for (value, (name, kind)) in row.values.iter().zip(&layer.fields) {
                        let fits = match value {
                            Value::Text(text) if *kind == FieldKind::DateTime => text.parse::<Timestamp>().is_ok(),
                            Value::Text(_) => *kind == FieldKind::Text,
                            Value::Real(_) => *kind == FieldKind::Real,
                            Value::Integer(_) => *kind == FieldKind::Integer,
                            Value::Boolean(_) => *kind == FieldKind::Boolean,
                            Value::Null => true,
                        };
                        assert!(fits, "{}.{name}: {value:?}", layer.name);
                    }
                }
            }
        }
    }

    #[test]
    fn anomalies_are_numbered_as_on_the_page() {
        let layers = layers(&sample::full());
        let verdicts = column(&layers, "anomalies", "verdict");
        let order = ["undeclared", "over_run", "inconclusive", "consistent"].map(text);
        assert_eq!(verdicts, order.iter().collect::<Vec<_>>());
        assert_eq!(column(&layers, "anomalies", "number")[3], &Value::Integer(4));
        let against = column(&layers, "anomalies", "evidence_against");
        assert_eq!(
            against[0],
            &text("8 % of its edge borders on ground that was not observed")
        );
        let change = column(&layers, "anomalies", "change")[0];
        assert!(
            matches!(change, Value::Text(lines) if lines.starts_with("blue +0.0832 reflectance (+9.14 σ)\n")),
            "{change:?}"
        );

        let mut cut = sample::full();
        cut.parameters = serde_json::json!({ "report": { "max_shown": 1 } });
        let layers = super::layers(&cut);
        assert_eq!(
            column(&layers, "anomalies", "number")[..2],
            [&Value::Integer(1), &Value::Null]
        );
    }

    #[test]
    fn activities_and_zones_tell_what_became_of_them() {
        let layers = layers(&sample::full());
        let words = column(&layers, "activities", "verdict_words");
        let expected = ["seen", "not seen", "not observable", "window still open"].map(text);
        assert_eq!(words, expected.iter().collect::<Vec<_>>());
        let review = column(&layers, "activities", "needs_review");
        assert_eq!(
            review,
            [false, true, false, false]
                .map(Value::Boolean)
                .iter()
                .collect::<Vec<_>>()
        );
        // The newest comparison of the sample tells of no zone.
        assert_eq!(column(&layers, "zones", "observed"), [&text("98.6 %"), &text("0 %")]);
        assert_eq!(column(&layers, "zones", "not_observed")[1], &text("100 % cloud"));
    }

    #[test]
    fn what_there_is_nothing_of_is_an_empty_layer() {
        let layers = layers(&sample::quiet());
        let rows: Vec<_> = layers.iter().map(|layer| (layer.name, layer.rows.len())).collect();
        let expected = [
            ("anomalies", 0),
            ("activities", 0),
            ("zones", 0),
            ("site", 1),
            ("layer_styles", 4),
        ];
        assert_eq!(rows, expected);
        let said = column(&layers, "site", "summary")[0];
        assert!(
            matches!(said, Value::Text(said) if said.contains("No change")),
            "{said:?}"
        );
    }

    #[test]
    fn the_date_is_that_of_the_newest_scene() {
        let mut report = sample::full();
        assert_eq!(stamp(&report), "2020-08-14T10:56:18.000Z");
        report.scenes.clear();
        assert_eq!(stamp(&report), "2020-01-15T00:00:00.000Z");
        report.declarations.clear();
        assert_eq!(stamp(&report), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn styles_know_every_verdict_in_the_colours_of_the_page() {
        let css = include_str!("../page/templates/style.css");
        for row in &VERDICTS {
            let (verdict, property) = (row.verdict, format!("--{}", row.class));
            let colour = css.split(&format!("{property}: #")).nth(1).unwrap().get(..6).unwrap();
            let [r, g, b] = [0, 2, 4].map(|i| u8::from_str_radix(&colour[i..i + 2], 16).unwrap());
            let Value::Text(code) = code(verdict) else {
                unreachable!()
            };
            for [name, _, qml] in &STYLES[..2] {
                // No change is a change that was not seen.
                if (*name, verdict) == ("anomalies", Verdict::DeclaredNotSeen) {
                    continue;
                }
                assert!(qml.contains(&format!("value=\"{code}\"")), "{name}: {code}");
                assert!(qml.contains(&format!("{r},{g},{b},255")), "{name}: {code} {colour}");
            }
        }
        let words = |verdict: Verdict| format!("label=\"{}", english::capitalised(verdict.words().to_owned()));
        assert!(STYLES[0][2].contains(&words(Verdict::OverRun)));
    }

    #[test]
    fn hostile_text_is_data_and_the_bytes_are_the_same() {
        let mut report = sample::full();
        let hostile = "<script>alert(1)</script>'; DROP TABLE site; --\0\n=cmd(),\"";
        report.site.name = hostile.into();
        report.comparisons[0].anomalies[0].id = hostile.into();
        report.comparisons[0].anomalies[1].geometry.coordinates.clear();
        report.activities[0].id = hostile.into();
        assert_eq!(column(&layers(&report), "site", "name"), [&text(hostile)]);
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            anomalies_gpkg(&report, &path).unwrap();
            std::fs::read(path).unwrap()
        };
        assert!(write("a.gpkg") == write("b.gpkg"), "two writes differ");
        // `SITEWATCH_SAMPLE=folder` keeps them, to be opened with QGIS.
        sample::write("hostile.gpkg", &write("a.gpkg"));
        for (name, report) in [
            ("full", sample::full()),
            ("quiet", sample::quiet()),
            ("unobserved", sample::unobserved()),
        ] {
            let path = folder.path().join(name);
            anomalies_gpkg(&report, &path).unwrap();
            sample::write(&format!("{name}.gpkg"), &std::fs::read(path).unwrap());
        }
    }
}
