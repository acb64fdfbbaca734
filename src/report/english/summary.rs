//! What the record says, in plain sentences: read first, so true in every combination.

use std::collections::BTreeMap;

use super::parties::of_refused_features;
use super::sensitivity::of_sensitivity;
use super::words::{capitalised, day, days, named, of_reason, plural, share, was_judged};
use crate::declaration::Role;
use crate::finding::{ActivityFinding, Comparison, Coverage, NOT_COMPARED, NOT_COVERING, SiteReport, Topic, Verdict};

/// The record in sentences, by what they are about.
pub struct Sentences {
    /// What has to be reviewed; empty when nothing has.
    pub review: Vec<String>,
    /// What was observed and what was not. There is always at least one sentence.
    pub observed: Vec<String>,
    /// What was declared and what is seen of it.
    pub declared: Vec<String>,
}

/// The record in sentences, what has to be reviewed first. There is always at least one.
pub fn summary(report: &SiteReport) -> Vec<String> {
    let sentences = sentences(report);
    [sentences.review, sentences.observed, sentences.declared].concat()
}

/// The record in sentences, by what they are about.
pub fn sentences(report: &SiteReport) -> Sentences {
    let changes = changes(report);
    let review = of_review(report, &changes);
    let observed = of_observation(report, &changes);
    let declared = of_declared(report, &changes);
    let finished = |sentences: Vec<String>| sentences.into_iter().map(capitalised).collect();
    Sentences {
        review: finished(review),
        observed: finished(observed),
        declared: finished(declared),
    }
}

fn with_verdict(report: &SiteReport, verdict: Verdict) -> Vec<&ActivityFinding> {
    report.activities.iter().filter(|a| a.verdict == verdict).collect()
}

fn of_review(report: &SiteReport, changes: &BTreeMap<Verdict, usize>) -> Vec<String> {
    let mut said = Vec::new();
    let review: Vec<_> = changes.iter().filter(|(verdict, _)| verdict.needs_review()).collect();
    match review.as_slice() {
        [] => {}
        [(verdict, 1)] => said.push(format!("1 change needs review: {}.", verdict.words())),
        kinds => {
            let all: usize = kinds.iter().map(|(_, n)| **n).sum();
            let kinds: Vec<String> = kinds.iter().map(|(v, n)| format!("{n} {}", v.words())).collect();
            let subject = plural(all, "change needs", "changes need");
            said.push(format!("{subject} review: {}.", kinds.join(", ")));
        }
    }
    let unseen = with_verdict(report, Verdict::DeclaredNotSeen);
    said.extend(of_activities(&unseen, "was not seen", "were not seen"));
    let odd = [Verdict::Undeclared, Verdict::OverRun].map(|verdict| with_verdict(report, verdict));
    said.extend(of_activities(&odd.concat(), "needs review", "need review"));
    said
}

fn of_observation(report: &SiteReport, changes: &BTreeMap<Verdict, usize>) -> Vec<String> {
    let (judged, blind): (Vec<_>, Vec<_>) = report.comparisons.iter().partition(|c| was_judged(c));
    let mut said = Vec::new();
    if judged.is_empty() {
        said.push(format!("The site could not be {}.", why_unobserved(report, &blind)));
    } else if changes.keys().any(|verdict| verdict.needs_review()) {
        said.push(format!("{}.", observed(&judged)));
    } else {
        let none = if changes.is_empty() {
            "No change"
        } else {
            "No undeclared change"
        };
        let place = where_observed(&judged);
        said.push(format!("{none} stood out from the noise in {place}."));
    }
    if let [only] = judged.as_slice()
        && let Some(reasons) = reasons(&only.coverage)
    {
        let rest = only.coverage.pixels.saturating_sub(only.coverage.observed);
        let rest = share(rest, only.coverage.pixels);
        said.push(format!("{rest} of the site was not observed: {reasons}."));
    }
    said.extend(judged.last().and_then(|newest| of_sensitivity(newest)));
    if !judged.is_empty() && !blind.is_empty() {
        let dates: Vec<String> = blind.iter().map(|c| days(&c.dates)).collect();
        let n = plural(report.comparisons.len(), "comparison", "comparisons");
        let (some, dates) = (blind.len(), named(&dates));
        said.push(format!("{some} of {n} could not be judged: {dates}."));
    }
    let zones = unseen_zones(&judged);
    if !zones.is_empty() {
        let subject = plural(zones.len(), "zone was", "zones were");
        said.push(format!("{subject} not observed at all: {}.", named(&zones)));
    }
    let hidden = with_verdict(report, Verdict::NotObservable);
    said.extend(of_activities(&hidden, "could not be observed", "could not be observed"));
    if let Some(n) = changes.get(&Verdict::NotObservable) {
        let subject = plural(*n, "change could", "changes could");
        said.push(format!("{subject} not be judged."));
    }
    let refused = report.refused.iter().filter(|one| one.reason != NOT_COVERING).count();
    if refused > 0 {
        said.push(format!("{} refused.", plural(refused, "scene was", "scenes were")));
    }
    said
}

fn of_declared(report: &SiteReport, changes: &BTreeMap<Verdict, usize>) -> Vec<String> {
    let mut said = Vec::new();
    let seen = with_verdict(report, Verdict::Consistent);
    said.extend(of_activities(&seen, "was seen", "were seen"));
    if let Some(n) = changes.get(&Verdict::Consistent) {
        let subject = plural(*n, "change is", "changes are");
        said.push(format!("{subject} consistent with what was declared."));
    }
    let (open, unclear): (Vec<_>, Vec<_>) = with_verdict(report, Verdict::Inconclusive)
        .into_iter()
        .partition(|activity| is_open(activity));
    said.extend(of_activities(
        &open,
        "is still in its window",
        "are still in their window",
    ));
    said.extend(of_activities(&unclear, "is inconclusive", "are inconclusive"));
    said.extend(of_refused_features(report));
    said
}

/// What is to be said of a run: its sites, those to review, that failed, that were not observed.
pub(in crate::report) fn of_run(sites: usize, review: usize, failed: usize, unseen: usize) -> String {
    let mut said = match (sites, review) {
        (0, _) => return "The run had no sites.".to_owned(),
        (1, 0) => "The site needs no review".to_owned(),
        (1, _) => "The site needs review".to_owned(),
        (_, 0) => format!("None of {} needs review", plural(sites, "site", "sites")),
        (_, n) => format!(
            "{n} of {} {} review",
            plural(sites, "site", "sites"),
            if n == 1 { "needs" } else { "need" }
        ),
    };
    if failed > 0 {
        said.push_str(&format!("; {failed} failed"));
    }
    if unseen > 0 {
        said.push_str(&format!("; {unseen} could not be observed"));
    }
    said + "."
}

/// Whether an activity is inconclusive because its window is still open.
pub(in crate::report) fn is_open(activity: &ActivityFinding) -> bool {
    activity.verdict == Verdict::Inconclusive && activity.evidence.iter().any(|e| e.fact.topic() == Topic::Window)
}

/// What became of a declared activity, in words.
pub(in crate::report) fn of_activity(activity: &ActivityFinding) -> &'static str {
    match activity.verdict {
        Verdict::Consistent => "seen",
        Verdict::DeclaredNotSeen => "not seen",
        Verdict::Inconclusive if is_open(activity) => "window still open",
        other => other.words(),
    }
}

/// Why an area was not observed, the largest reason first; `None` when all of it was.
pub(in crate::report) fn reasons(coverage: &Coverage) -> Option<String> {
    let mut reasons: Vec<(&String, u64)> = coverage
        .not_observed
        .iter()
        .map(|(r, n)| (r, *n))
        .filter(|(_, n)| *n > 0)
        .collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let words: Vec<String> = reasons
        .iter()
        .map(|(r, n)| format!("{} {}", share(*n, coverage.pixels), of_reason(r)))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// How many anomalies of each verdict there are, over all comparisons.
fn changes(report: &SiteReport) -> BTreeMap<Verdict, usize> {
    let mut counts = BTreeMap::new();
    for anomaly in report.comparisons.iter().flat_map(|c| &c.anomalies) {
        *counts.entry(anomaly.verdict).or_insert(0) += 1;
    }
    counts
}

/// What became of several activities; nothing of none.
fn of_activities(activities: &[&ActivityFinding], one: &str, many: &str) -> Option<String> {
    let names: Vec<String> = activities
        .iter()
        .map(|a| format!("{} ({}, {})", a.id, a.what, days(&a.window)))
        .collect();
    let subject = plural(activities.len(), "declared activity", "declared activities");
    let verb = if activities.len() == 1 { one } else { many };
    (!names.is_empty()).then(|| format!("{subject} {verb}: {}.", named(&names)))
}

/// The end of `The site could not be ...`.
fn why_unobserved(report: &SiteReport, blind: &[&Comparison]) -> String {
    match (blind, report.scenes.len()) {
        ([], 0) => "observed: no scene could be used".to_owned(),
        ([], 1) => "observed: only one scene could be used, and a comparison needs two".to_owned(),
        ([], _) => "observed: no two of its scenes could be compared".to_owned(),
        ([only], _) => {
            if let Some(why) = why_not_compared(only) {
                return format!("judged: {why} ({})", days(&only.dates));
            }
            let enough = if only.coverage.observed > 0 { " well enough" } else { "" };
            match reasons(&only.coverage) {
                Some(why) if !only.observable => format!("observed{enough}: {why} ({})", days(&only.dates)),
                _ => format!("judged: its scenes could not be compared ({})", days(&only.dates)),
            }
        }
        (all, _) => format!(
            "observed: none of {} comparisons could be judged ({})",
            all.len(),
            span(all)
        ),
    }
}

/// Why the dates of `comparison` were not compared, where a note says so.
fn why_not_compared(comparison: &Comparison) -> Option<&str> {
    let mut notes = comparison.notes.iter();
    notes.find_map(|note| note.strip_prefix(NOT_COMPARED))
}

/// From the first day to the last day of `comparisons`.
fn span(comparisons: &[&Comparison]) -> String {
    let first = comparisons.iter().map(|c| day(c.dates.start)).min().unwrap_or_default();
    let last = comparisons.iter().map(|c| day(c.dates.end)).max().unwrap_or_default();
    if first == last {
        first
    } else {
        format!("{first} to {last}")
    }
}

/// The least and the greatest share of the site that was observed.
fn range(judged: &[&Comparison]) -> (String, String) {
    let mut by_share: Vec<&Coverage> = judged.iter().map(|c| &c.coverage).collect();
    // a/b < c/d as a*d < c*b: exact.
    let cross = |a: &Coverage, b: &Coverage| u128::from(a.observed) * u128::from(b.pixels);
    by_share.sort_by(|a, b| cross(a, b).cmp(&cross(b, a)));
    let words = |c: Option<&&Coverage>| c.map_or_else(|| "0 %".to_owned(), |c| share(c.observed, c.pixels));
    (words(by_share.first()), words(by_share.last()))
}

/// `87.0 % of the site was observed (from to)`.
fn observed(judged: &[&Comparison]) -> String {
    let span = span(judged);
    let how_often = if judged.len() == 1 {
        String::new()
    } else {
        format!(" in each of {} comparisons", judged.len())
    };
    match range(judged) {
        (low, high) if low != high => format!("Between {low} and {high} of the site was observed{how_often} ({span})"),
        (all, _) if all == "100 %" => format!("The whole site was observed{how_often} ({span})"),
        (part, _) => format!("{part} of the site was observed{how_often} ({span})"),
    }
}

/// `the 87.0 % of the site that was observed (from to)`.
fn where_observed(judged: &[&Comparison]) -> String {
    let span = span(judged);
    let n = judged.len();
    match (n, range(judged)) {
        (1, (all, _)) if all == "100 %" => format!("the site, all of which was observed ({span})"),
        (1, (part, _)) => format!("the {part} of the site that was observed ({span})"),
        (_, (low, high)) if low != high => {
            format!("what was observed of the site: {low} to {high} in each of {n} comparisons ({span})")
        }
        (_, (all, _)) if all == "100 %" => {
            format!("the site, all of which was observed in each of {n} comparisons ({span})")
        }
        (_, (part, _)) => format!("what was observed of the site: {part} in each of {n} comparisons ({span})"),
    }
}

/// Zones of which no judged comparison saw anything.
fn unseen_zones(judged: &[&Comparison]) -> Vec<String> {
    let mut zones: BTreeMap<&str, (Role, u64)> = BTreeMap::new();
    for zone in judged.iter().flat_map(|c| &c.zones) {
        zones.entry(&zone.id).or_insert((zone.role, 0)).1 += zone.coverage.observed;
    }
    zones
        .iter()
        .filter(|(_, (_, seen))| *seen == 0)
        .map(|(id, (role, _))| format!("{id} ({role})"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Fact;
    use crate::{
        finding::{Evidence, RefusedScene},
        report::sample,
    };

    #[test]
    fn what_needs_review_comes_first() {
        assert_eq!(
            summary(&sample::full()),
            [
                "3 changes need review: 1 undeclared, 1 over-run, 1 inconclusive.",
                "1 declared activity was not seen: act-3 (construction, 2020-03-01 to 2020-06-01).",
                "87.0 % of the site was observed (2020-02-11 to 2020-07-05).",
                "13.0 % of the site was not observed: 10.0 % cloud, 3.0 % near cloud.",
                "In the 87.0 % of the site that was observed (2020-02-11 to 2020-07-05), an undeclared change would have been found \
                 with at least 90 % probability (at 95 % confidence) from these areas on: new roof, 310 m²; bare soil, 1\u{202f}720 m².",
                "1 of 2 comparisons could not be judged: 2020-07-05 to 2020-08-14.",
                "1 zone was not observed at all: silo-2 (storage).",
                "1 declared activity could not be observed: act-4 (demolition, 2020-03-01 to 2020-06-01).",
                "1 scene was refused.",
                "1 declared activity was seen: act-1 (construction, 2020-03-01 to 2020-06-01).",
                "1 change is consistent with what was declared.",
                "1 declared activity is still in its window: act-5 (earthworks, 2020-07-01 to 2020-12-01).",
            ]
        );
    }

    #[test]
    fn nothing_found_is_said_of_what_was_observed_only() {
        let mut report = sample::quiet();
        assert_eq!(
            summary(&report)[0],
            "No change stood out from the noise in the 87.0 % of the site that was observed (2020-02-11 to 2020-07-05)."
        );
        let mut consistent = sample::full().comparisons[0].anomalies[0].clone();
        consistent.verdict = Verdict::Consistent;
        report.comparisons[0].anomalies = vec![consistent];
        assert!(summary(&report)[0].starts_with("No undeclared change stood out from the noise in the 87.0 %"));

        let coverage = &mut report.comparisons[0].coverage;
        coverage.observed = coverage.pixels;
        coverage.not_observed.clear();
        report.comparisons[0].anomalies.clear();
        assert_eq!(
            summary(&report),
            ["No change stood out from the noise in the site, all of which was observed (2020-02-11 to 2020-07-05)."]
        );

        let mut second = report.comparisons[0].clone();
        second.coverage.observed /= 2;
        report.comparisons.push(second);
        assert!(
            summary(&report)[0].contains("50.0 % to 100 % in each of 2 comparisons"),
            "{:?}",
            summary(&report)
        );
    }

    #[test]
    fn what_was_not_compared_is_never_called_quiet() {
        let mut report = sample::quiet();
        report.comparisons[0].cutoff = None;
        assert!(summary(&report)[0].starts_with("The site could not be judged: its scenes could not be compared"));
        report.comparisons[0]
            .notes
            .push(format!("{NOT_COMPARED}they are coded differently"));
        assert!(summary(&report)[0].starts_with("The site could not be judged: they are coded differently (2020-"));
        report.comparisons[0].notes.clear();
        report.comparisons[0].observable = false;
        assert!(summary(&report)[0].starts_with("The site could not be observed well enough: 10.0 % cloud"));
        report.comparisons.clear();
        assert_eq!(
            summary(&report)[0],
            "The site could not be observed: no two of its scenes could be compared."
        );
        report.scenes.truncate(1);
        assert!(summary(&report)[0].contains("only one scene could be used"));
        report.scenes.clear();
        report.refused = vec![RefusedScene {
            id: "a".into(),
            reason: "b".into(),
            unreadable: false,
        }];
        assert_eq!(
            summary(&report),
            [
                "The site could not be observed: no scene could be used.",
                "1 scene was refused."
            ]
        );
        assert!(
            summary(&sample::unobserved())[0]
                .starts_with("The site could not be observed: 96.0 % cloud, 4.0 % no data")
        );
    }

    #[test]
    fn long_lists_are_cut_and_said_to_be() {
        let mut report = sample::quiet();
        let activity = sample::full()
            .activities
            .into_iter()
            .find(|a| a.verdict == Verdict::DeclaredNotSeen)
            .unwrap();
        report.activities = vec![activity; 8];
        let said = summary(&report);
        assert!(
            said[0].starts_with("8 declared activities were not seen: act-3") && said[0].ends_with("and 3 more."),
            "{said:?}"
        );
    }

    #[test]
    fn inconclusive_is_an_open_window_only_when_the_evidence_says_so() {
        let mut report = sample::full();
        let activity = report
            .activities
            .iter_mut()
            .find(|a| a.verdict == Verdict::Inconclusive)
            .unwrap();
        assert_eq!(of_activity(activity), "window still open");
        activity.evidence = vec![Evidence {
            fact: Fact::NoArea,
            supports: true,
        }];
        assert_eq!(of_activity(activity), "inconclusive");
    }
}
