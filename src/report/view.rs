//! What report.html is given: the record without the anomalies that it does not show, and what is drawn and said about them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::card::Card;
use super::format::{class, grouped, three_figures};
use super::map::Map;
use super::pictures::Pictures;
use super::{ReportError, words};
use crate::finding::{
    ActivityFinding, Comparison, Coverage, CutoffRecord, DeclarationRecord, GridRecord, Input, Interval, Normalisation,
    Program, RefusedScene, SceneRecord, SiteRecord, SiteReport, Verdict,
};

/// What the template is given: the record, and what is drawn and said about it.
#[derive(Serialize)]
pub(super) struct View<'a> {
    report: Record<'a>,
    standing: (&'static str, &'static str),
    summary: Vec<String>,
    unobserved: bool,
    counts: Vec<Count>,
    span: Option<Interval>,
    map: Option<Map>,
    groups: Vec<Group<'a>>,
    anomalies: usize,
    not_shown: usize,
    activities: Vec<Activity<'a>>,
    parameters: BTreeMap<String, String>,
}

/// The record's own fields, as far as they stand on the page.
#[derive(Serialize)]
struct Record<'a> {
    declarations: &'a [DeclarationRecord],
    grid: Option<&'a GridRecord>,
    inputs: &'a [Input],
    program: &'a Program,
    refused: &'a [RefusedScene],
    report_version: &'a str,
    run_key: &'a str,
    scenes: &'a [SceneRecord],
    site: &'a SiteRecord,
}

impl<'a> Record<'a> {
    fn of(report: &'a SiteReport) -> Self {
        Self {
            declarations: &report.declarations,
            grid: report.grid.as_ref(),
            inputs: &report.inputs,
            program: &report.program,
            refused: &report.refused,
            report_version: &report.report_version,
            run_key: &report.run_key,
            scenes: &report.scenes,
            site: &report.site,
        }
    }
}

/// A comparison's own fields, as far as they stand on the page.
#[derive(Serialize)]
struct Compared<'a> {
    after: &'a str,
    band: usize,
    before: &'a str,
    cutoff: Option<&'a CutoffRecord>,
    detector: &'a str,
    /// Scenes of a series before `before`.
    earlier: usize,
    registration: String,
    normalisation: Option<&'a Normalisation>,
    notes: &'a [String],
}

/// A verdict: its class in the style sheet, its words, how often.
#[derive(Serialize)]
struct Count {
    class: &'static str,
    words: &'static str,
    number: usize,
}

/// A comparison and what was found in it.
#[derive(Serialize)]
struct Group<'a> {
    comparison: Compared<'a>,
    days: String,
    judged: bool,
    observed: String,
    cards: Vec<Card<'a>>,
    coverage: Vec<CoverageRow>,
    false_alarms: Option<String>,
}

#[derive(Serialize)]
struct Activity<'a> {
    finding: &'a ActivityFinding,
    class: &'static str,
    words: &'static str,
    days: String,
    anomalies: Vec<(usize, &'a str)>,
    not_shown: usize,
}

/// One area of a coverage table: a bar of its observed part, and reasons for the rest.
#[derive(Serialize)]
struct CoverageRow {
    name: String,
    observed: String,
    bar_percent: f64,
    reasons: Option<String>,
    pixels: u64,
}

impl<'a> View<'a> {
    pub(super) fn new(report: &'a SiteReport, pictures: &Pictures) -> Result<Self, ReportError> {
        let pixel_m = report.grid.as_ref().map(|g| g.pixel_m);
        let most = report.parameters.pointer("/report/max_shown").and_then(|n| n.as_u64());
        let most = most.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        // Newest comparison first, and in it what has to be reviewed first; the numbers follow that order.
        let mut number = 0;
        let mut numbers = BTreeMap::new();
        let mut groups = Vec::new();
        for comparison in report.comparisons.iter().rev() {
            let mut cards = Vec::new();
            for index in super::shown(&comparison.anomalies, most) {
                let anomaly = &comparison.anomalies[index];
                number += 1;
                numbers.insert(anomaly.id.as_str(), number);
                cards.push(Card::new(number, anomaly, pixel_m, pictures));
            }
            groups.push(Group::new(comparison, cards));
        }
        let activities = report.activities.iter().map(|a| {
            let shown = a
                .anomalies
                .iter()
                .filter_map(|id| Some((*numbers.get(id.as_str())?, id.as_str())));
            let shown: Vec<_> = shown.collect();
            Activity {
                finding: a,
                class: class(a.verdict),
                words: words::of_activity(a),
                days: words::days(&a.window),
                not_shown: a.anomalies.len() - shown.len(),
                anomalies: shown,
            }
        });
        let found = report.comparisons.iter().map(|c| c.anomalies.len()).sum::<usize>();
        let counted = report.verdicts();
        let counts = VERDICTS.iter().map(|v| Count {
            class: class(*v),
            words: v.words(),
            number: counted.get(v).copied().unwrap_or(0),
        });
        let judged = || report.comparisons.iter().filter(|c| words::was_judged(c));
        let start = judged().map(|c| c.dates.start.clone()).min();
        let end = judged().map(|c| c.dates.end.clone()).max();
        let mut parameters = BTreeMap::new();
        flatten("", &report.parameters, &mut parameters);
        Ok(Self {
            report: Record::of(report),
            standing: standing(report),
            summary: words::summary(report),
            unobserved: judged().next().is_none(),
            counts: counts.collect(),
            span: start.zip(end).map(|(start, end)| Interval { start, end }),
            map: Map::new(report, pictures, groups.iter().flat_map(|group| &group.cards))?,
            anomalies: found,
            not_shown: found - number,
            activities: activities.collect(),
            groups,
            parameters,
        })
    }
}

const VERDICTS: [Verdict; 6] = [
    Verdict::Undeclared,
    Verdict::OverRun,
    Verdict::DeclaredNotSeen,
    Verdict::Inconclusive,
    Verdict::NotObservable,
    Verdict::Consistent,
];

/// How the site stands: class and words. What was not seen keeps a site from being called clear.
fn standing(report: &SiteReport) -> (&'static str, &'static str) {
    let hidden = |v| v == Verdict::NotObservable;
    let whole = |c: &Comparison| words::was_judged(c) && c.coverage.observed == c.coverage.pixels;
    if report.needs_review() {
        ("undeclared", "needs review")
    } else if !report.comparisons.iter().any(words::was_judged) {
        ("not-observable", "could not be observed")
    } else if report.comparisons.iter().all(whole) && !report.activities.iter().any(|a| hidden(a.verdict)) {
        ("consistent", "nothing to review")
    } else {
        ("consistent", "nothing to review in what was observed")
    }
}

impl<'a> Group<'a> {
    fn new(comparison: &'a Comparison, cards: Vec<Card<'a>>) -> Self {
        let mut coverage = vec![CoverageRow::new("whole site".to_owned(), &comparison.coverage)];
        let zones = comparison.zones.iter();
        coverage.extend(zones.map(|z| CoverageRow::new(format!("{} ({})", z.id, z.role), &z.coverage)));
        Self {
            comparison: Compared {
                after: &comparison.after,
                band: comparison.band,
                before: &comparison.before,
                cutoff: comparison.cutoff.as_ref(),
                detector: &comparison.detector,
                earlier: comparison.earlier.len(),
                registration: words::of_registration(comparison.registration.as_ref()),
                normalisation: comparison.normalisation.as_ref(),
                notes: &comparison.notes,
            },
            days: words::days(&comparison.dates),
            judged: words::was_judged(comparison),
            observed: words::share(comparison.coverage.observed, comparison.coverage.pixels),
            coverage,
            false_alarms: comparison
                .cutoff
                .as_ref()
                .map(|c| false_alarms(c, comparison.anomalies.len())),
            cards,
        }
    }
}

/// How many of the anomalies of a comparison are expected to be none, in plain words.
fn false_alarms(cutoff: &CutoffRecord, anomalies: usize) -> String {
    let Some(seed) = cutoff.seed_sigma else {
        return format!(
            "No score is so high that a false discovery rate of {} could be kept, so no change was claimed.",
            words::percent(cutoff.seed_fdr)
        );
    };
    let pixels = format!(
        "{} of {} judged pixels score {seed:.2} sigma or more; by the scores of unchanged ground, {} of them would do so by chance.",
        grouped(cutoff.claimed),
        grouped(cutoff.judged),
        three_figures(cutoff.expected_false_pixels)
    );
    let expected = three_figures(cutoff.expected_false_anomalies);
    match anomalies {
        0 => format!("{pixels} None of them forms a region that is large enough to be an anomaly."),
        1 => format!("{pixels} That is about {expected} false alarms expected, where 1 anomaly was found."),
        n => format!("{pixels} That is about {expected} false alarms expected among the {n} anomalies found."),
    }
}

impl CoverageRow {
    fn new(name: String, coverage: &Coverage) -> Self {
        Self {
            name,
            observed: words::share(coverage.observed, coverage.pixels),
            bar_percent: crate::finding::round(100.0 * coverage.observed as f64 / coverage.pixels.max(1) as f64, 1),
            reasons: words::reasons(coverage),
            pixels: coverage.pixels,
        }
    }
}

/// The parameters as `section.key` and their value.
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
