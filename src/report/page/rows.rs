//! The rows of the page's tables, as they stand in them.

use std::collections::BTreeMap;

use crate::finding::{ActivityFinding, Coverage, DeclarationRecord, Normalisation, SceneRecord, SiteReport};
use crate::report::english::evidence::said;
use crate::report::english::{self, labels as say, likelihood as words};
use crate::report::format::{class, grouped, minute, three_figures};
use crate::report::likelihood;

/// One area of a coverage table: a bar of its observed part, and reasons for the rest.
pub(super) struct CoverageRow {
    pub name: String,
    pub observed: String,
    pub bar_percent: f64,
    pub reasons: String,
    pub pixels: String,
}

/// The table of a normalisation: band, then gain, offset, noise, correlation.
pub(super) struct Fit {
    pub caption: String,
    pub rows: Vec<(String, [String; 4])>,
}

/// A declared activity and what became of it.
pub(super) struct Activity<'a> {
    pub id: &'a str,
    pub what: &'a str,
    pub notified: String,
    pub days: String,
    pub class: &'static str,
    pub words: &'static str,
    pub reasons: Vec<String>,
    pub confidence: String,
    pub doubts: Vec<String>,
    pub observed: String,
    pub anomalies: Vec<usize>,
    pub others: String,
}

/// A scene that was compared.
pub(super) struct Scene<'a> {
    pub id: &'a str,
    pub acquired: String,
    pub sensor: String,
    pub orbit: String,
    pub alignment: String,
}

/// A declaration.
pub(super) struct Declaration<'a> {
    pub id: &'a str,
    pub party: &'a str,
    pub agreement: &'a str,
    pub issued: String,
    pub supersedes: &'a str,
}

/// An input file.
pub(super) struct Input<'a> {
    pub path: &'a str,
    pub sha256: &'a str,
    pub bytes: String,
}

/// A parameter as `section.key`, its value, and what it means.
pub(super) struct Parameter {
    pub key: String,
    pub value: String,
    pub meaning: String,
}

impl CoverageRow {
    pub(super) fn new(name: String, coverage: &Coverage) -> Self {
        Self {
            name,
            observed: english::share(coverage.observed, coverage.pixels),
            bar_percent: crate::number::round(100.0 * coverage.observed as f64 / coverage.pixels.max(1) as f64, 1),
            reasons: english::reasons(coverage).unwrap_or_else(|| say::NOTHING.to_owned()),
            pixels: grouped(coverage.pixels),
        }
    }
}

impl Fit {
    pub(super) fn new(fit: &Normalisation) -> Self {
        let row = |band: &crate::finding::BandFit| {
            let figures = [
                format!("{:.4}", band.gain),
                format!("{:+}", three_figures(band.offset)),
                three_figures(band.noise).to_string(),
                format!("{:.3}", band.correlation),
            ];
            (band.band.clone(), figures)
        };
        Self {
            caption: english::normalisation(fit),
            rows: fit.bands.iter().map(row).collect(),
        }
    }
}

impl<'a> Activity<'a> {
    pub(super) fn new(report: &'a SiteReport, finding: &'a ActivityFinding, numbers: &BTreeMap<&str, usize>) -> Self {
        let confidence = likelihood::of_activity(report, finding);
        let shown = finding
            .anomalies
            .iter()
            .filter_map(|id| numbers.get(id.as_str()).copied());
        let anomalies: Vec<usize> = shown.collect();
        let mut reasons: Vec<String> = finding
            .evidence
            .iter()
            .map(|e| {
                let text = said(e, Some(&finding.id));
                if e.supports { text } else { say::against(&text) }
            })
            .collect();
        if reasons.is_empty() {
            reasons.push(say::NO_REASON.to_owned());
        }
        Self {
            id: &finding.id,
            what: finding.what.word(),
            notified: say::notified(&english::day(finding.notified)),
            days: english::days(&finding.window),
            class: class(finding.verdict),
            words: english::of_activity(finding),
            reasons,
            confidence: words::confidence(confidence.as_ref()),
            doubts: confidence.iter().flat_map(|found| words::doubts(found)).collect(),
            observed: english::percent(finding.observed_fraction),
            others: say::others(anomalies.len(), finding.anomalies.len() - anomalies.len()),
            anomalies,
        }
    }
}

impl<'a> Scene<'a> {
    pub(super) fn new(scene: &'a SceneRecord) -> Self {
        let (start, end) = (minute(scene.acquired.start), minute(scene.acquired.end));
        let orbit = scene.relative_orbit.map(|orbit| orbit.to_string());
        let orbit: Vec<String> = orbit
            .into_iter()
            .chain(scene.pass.map(|pass| pass.word().to_owned()))
            .collect();
        let sensor = std::iter::once(&scene.sensor).chain(&scene.platform);
        let alignment = scene
            .alignment
            .iter()
            .map(|(band, how)| format!("{band}: {}", how.word()));
        Self {
            id: &scene.id,
            acquired: if start == end {
                start
            } else {
                format!("{start} – {end}")
            },
            sensor: sensor.map(String::as_str).collect::<Vec<_>>().join(", "),
            orbit: orbit.join(" "),
            alignment: alignment.collect::<Vec<_>>().join(", "),
        }
    }
}

/// What made the report, and where it lies.
pub(super) fn made(report: &SiteReport) -> Vec<(&'static str, String)> {
    let mut made = vec![
        (say::MADE_BY, say::program(&report.program)),
        (say::FORM, report.report_version.clone()),
        (say::RUN_KEY, report.run_key.clone()),
    ];
    if let Some(grid) = &report.grid {
        made.push((say::GRID, say::grid(grid)));
    }
    made
}

impl<'a> Declaration<'a> {
    pub(super) fn new(record: &'a DeclarationRecord) -> Self {
        Self {
            id: &record.id,
            party: &record.party,
            agreement: &record.agreement,
            issued: minute(record.issued),
            supersedes: record.supersedes.as_deref().unwrap_or(say::NONE),
        }
    }
}

impl<'a> Input<'a> {
    pub(super) fn new(record: &'a crate::finding::Input) -> Self {
        Self {
            path: &record.path,
            sha256: &record.sha256,
            bytes: grouped(record.bytes),
        }
    }
}

/// The parameters as `section.key`, their value, and what they mean.
pub(super) fn parameters(report: &SiteReport) -> Vec<Parameter> {
    let mut flat = BTreeMap::new();
    flatten("", &report.parameters, &mut flat);
    let parameter = |(key, value): (String, String)| Parameter {
        meaning: english::parameter_meaning(&key).unwrap_or_default(),
        key,
        value,
    };
    flat.into_iter().map(parameter).collect()
}

fn flatten(prefix: &str, value: &serde_json::Value, out: &mut BTreeMap<String, String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let name = if prefix.is_empty() {
                    key.clone()
                } else {
                    format!("{prefix}.{key}")
                };
                flatten(&name, value, out);
            }
        }
        serde_json::Value::String(text) => drop(out.insert(prefix.to_owned(), text.clone())),
        other => drop(out.insert(prefix.to_owned(), other.to_string())),
    }
}
