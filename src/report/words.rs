//! What the record says, in plain sentences: read first, so true in every combination.

use std::collections::BTreeMap;

use crate::finding::{
    ActivityFinding, Comparison, Coverage, Interval, NOT_COVERING, RegistrationRecord, SiteReport, Verdict,
};

/// Activities, zones or comparisons that a sentence names before it says "and n more".
const MAX_NAMED: usize = 5;

/// The record in sentences, what has to be reviewed first. There is always at least one.
pub fn summary(report: &SiteReport) -> Vec<String> {
    let (judged, blind): (Vec<_>, Vec<_>) = report.comparisons.iter().partition(|c| was_judged(c));
    let changes = changes(report);
    let activities = |verdict| {
        report
            .activities
            .iter()
            .filter(move |a| a.verdict == verdict)
            .collect::<Vec<_>>()
    };
    let mut said = Vec::new();

    let review: Vec<(Verdict, usize)> = changes
        .iter()
        .map(|(v, n)| (*v, *n))
        .filter(|(v, _)| v.needs_review())
        .collect();
    let to_review: usize = review.iter().map(|(_, n)| n).sum();
    match review.as_slice() {
        [] => {}
        [(verdict, 1)] => said.push(format!("1 change needs review: {}.", verdict.words())),
        kinds => {
            let kinds: Vec<String> = kinds.iter().map(|(v, n)| format!("{n} {}", v.words())).collect();
            said.push(format!(
                "{} review: {}.",
                plural(to_review, "change needs", "changes need"),
                kinds.join(", ")
            ));
        }
    }
    let unseen = activities(Verdict::DeclaredNotSeen);
    if !unseen.is_empty() {
        said.push(of_activities(&unseen, "was not seen", "were not seen"));
    }
    let odd: Vec<_> = [Verdict::Undeclared, Verdict::OverRun]
        .into_iter()
        .flat_map(activities)
        .collect();
    if !odd.is_empty() {
        said.push(of_activities(&odd, "needs review", "need review"));
    }

    if judged.is_empty() {
        said.push(format!("The site could not be {}.", why_unobserved(report, &blind)));
    } else if to_review > 0 {
        said.push(format!("{}.", observed(&judged)));
    } else {
        let none = if changes.is_empty() {
            "No change"
        } else {
            "No undeclared change"
        };
        said.push(format!(
            "{none} stood out from the noise in {}.",
            where_observed(&judged)
        ));
    }
    if let [only] = judged.as_slice()
        && let Some(reasons) = reasons(&only.coverage)
    {
        let rest = only.coverage.pixels.saturating_sub(only.coverage.observed);
        said.push(format!(
            "{} of the site was not observed: {reasons}.",
            share(rest, only.coverage.pixels)
        ));
    }
    if !judged.is_empty() && !blind.is_empty() {
        let dates: Vec<String> = blind.iter().map(|c| days(&c.dates)).collect();
        let n = plural(report.comparisons.len(), "comparison", "comparisons");
        said.push(format!(
            "{} of {n} could not be judged: {}.",
            blind.len(),
            named(&dates)
        ));
    }
    let zones = unseen_zones(&judged);
    if !zones.is_empty() {
        said.push(format!(
            "{} not observed at all: {}.",
            plural(zones.len(), "zone was", "zones were"),
            named(&zones)
        ));
    }
    let hidden = activities(Verdict::NotObservable);
    if !hidden.is_empty() {
        said.push(of_activities(&hidden, "could not be observed", "could not be observed"));
    }
    let (open, unclear): (Vec<_>, Vec<_>) = activities(Verdict::Inconclusive).into_iter().partition(|a| is_open(a));
    if !open.is_empty() {
        said.push(of_activities(
            &open,
            "is still in its window",
            "are still in their window",
        ));
    }
    if !unclear.is_empty() {
        said.push(of_activities(&unclear, "is inconclusive", "are inconclusive"));
    }
    let seen = activities(Verdict::Consistent);
    if !seen.is_empty() {
        said.push(of_activities(&seen, "was seen", "were seen"));
    }
    if let Some(n) = changes.get(&Verdict::Consistent) {
        said.push(format!(
            "{} consistent with what was declared.",
            plural(*n, "change is", "changes are")
        ));
    }
    if let Some(n) = changes.get(&Verdict::NotObservable) {
        said.push(format!(
            "{} not be judged.",
            plural(*n, "change could", "changes could")
        ));
    }
    let refused = report.refused.iter().filter(|one| one.reason != NOT_COVERING).count();
    if refused > 0 {
        said.push(format!("{} refused.", plural(refused, "scene was", "scenes were")));
    }
    said.into_iter().map(capitalised).collect()
}

fn capitalised(sentence: String) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// Whether a comparison can carry a statement that nothing was found: observed, and really compared.
pub(super) fn was_judged(comparison: &Comparison) -> bool {
    comparison.observable && comparison.cutoff.is_some()
}

/// Whether an activity is inconclusive because its window is still open.
pub(super) fn is_open(activity: &ActivityFinding) -> bool {
    activity.verdict == Verdict::Inconclusive && activity.evidence.iter().any(|e| e.rule == "window")
}

/// What became of a declared activity, in words.
pub(super) fn of_activity(activity: &ActivityFinding) -> &'static str {
    match activity.verdict {
        Verdict::Consistent => "seen",
        Verdict::DeclaredNotSeen => "not seen",
        Verdict::Inconclusive if is_open(activity) => "window still open",
        other => other.words(),
    }
}

/// How the scenes of a comparison lie beside each other, in words.
pub(super) fn of_registration(registration: Option<&RegistrationRecord>) -> String {
    let Some(found) = registration else {
        return "The scenes were compared where their own georeference puts them.".to_owned();
    };
    let Some([x, y]) = found.shift_px else {
        let why = found.reason.as_deref().unwrap_or("no reason is recorded");
        return format!("How the scenes lie beside each other could not be measured: {why}. Neither was moved.");
    };
    let (across, down) = (
        if x < 0.0 { "left" } else { "right" },
        if y < 0.0 { "up" } else { "down" },
    );
    let done = match found.model.as_str() {
        "identity" => "too little to resample for, and was left where it is".to_owned(),
        model => format!("and was moved ({model}) in the same resampling that brings it onto the site grid"),
    };
    let left = found
        .residual_px
        .map_or_else(String::new, |px| format!(" {px:.2} pixels are left at them."));
    format!(
        "{} has to move {:.2} pixels {across} and {:.2} {down} to lie on the earlier scene, {done}: {}.{left}",
        found.moved,
        x.abs(),
        y.abs(),
        plural(found.tie_points as usize, "tie point agrees", "tie points agree"),
    )
}

/// `part` of `whole` in per cent with one decimal. Only all is `100 %`, and only nothing is `0 %`.
pub(super) fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".to_owned();
    }
    if part >= whole {
        return "100 %".to_owned();
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    tenths(((part * 1000 + whole / 2) / whole) as u64)
}

/// A fraction in per cent, by the same rules as [`share`].
pub(super) fn percent(fraction: f64) -> String {
    match fraction {
        f if f.is_nan() => "unknown".to_owned(),
        f if f <= 0.0 => "0 %".to_owned(),
        f if f >= 1.0 => "100 %".to_owned(),
        f => tenths((f * 1000.0).round() as u64),
    }
}

fn tenths(n: u64) -> String {
    match n.min(999) {
        0 => "less than 0.1 %".to_owned(),
        n => format!("{}.{} %", n / 10, n % 10),
    }
}

/// The name of a reason in words: `near_cloud` is `near cloud`.
pub(super) fn of_reason(reason: &str) -> String {
    match reason {
        "not_covered" => "not covered by the scene".to_owned(),
        "nodata" => "no data".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Why an area was not observed, the largest reason first; `None` when all of it was.
pub(super) fn reasons(coverage: &Coverage) -> Option<String> {
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

/// The day of an RFC 3339 instant.
pub(super) fn day(instant: &str) -> &str {
    instant.get(..10).unwrap_or(instant)
}

/// `2016-06-08 to 2017-06-21`, or one day.
pub(super) fn days(interval: &Interval) -> String {
    let (start, end) = (day(&interval.start), day(&interval.end));
    if start == end {
        start.to_owned()
    } else {
        format!("{start} to {end}")
    }
}

/// `1 change`, `2 changes`.
pub(super) fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// How many anomalies of each verdict there are, over all comparisons.
fn changes(report: &SiteReport) -> BTreeMap<Verdict, usize> {
    let mut counts = BTreeMap::new();
    for anomaly in report.comparisons.iter().flat_map(|c| &c.anomalies) {
        *counts.entry(anomaly.verdict).or_insert(0) += 1;
    }
    counts
}

fn named(names: &[String]) -> String {
    match names.len().saturating_sub(MAX_NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MAX_NAMED].join(", ")),
    }
}

fn of_activities(activities: &[&ActivityFinding], one: &str, many: &str) -> String {
    let names: Vec<String> = activities
        .iter()
        .map(|a| format!("{} ({}, {})", a.id, a.what, days(&a.window)))
        .collect();
    let subject = plural(activities.len(), "declared activity", "declared activities");
    format!(
        "{subject} {}: {}.",
        if activities.len() == 1 { one } else { many },
        named(&names)
    )
}

/// The end of `The site could not be ...`.
fn why_unobserved(report: &SiteReport, blind: &[&Comparison]) -> String {
    match (blind, report.scenes.len()) {
        ([], 0) => "observed: no scene could be used".to_owned(),
        ([], 1) => "observed: only one scene could be used, and a comparison needs two".to_owned(),
        ([], _) => "observed: no two of its scenes could be compared".to_owned(),
        ([only], _) => {
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

/// From the first day to the last day of `comparisons`.
fn span(comparisons: &[&Comparison]) -> String {
    let first = comparisons
        .iter()
        .map(|c| day(&c.dates.start))
        .min()
        .unwrap_or_default();
    let last = comparisons.iter().map(|c| day(&c.dates.end)).max().unwrap_or_default();
    if first == last {
        first.to_owned()
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
    let mut zones: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    for zone in judged.iter().flat_map(|c| &c.zones) {
        zones.entry(&zone.id).or_insert((&zone.role, 0)).1 += zone.coverage.observed;
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
                "1 of 2 comparisons could not be judged: 2020-07-05 to 2020-08-14.",
                "1 zone was not observed at all: silo-2 (storage).",
                "1 declared activity could not be observed: act-4 (demolition, 2020-03-01 to 2020-06-01).",
                "1 declared activity is still in its window: act-5 (earthworks, 2020-07-01 to 2020-12-01).",
                "1 declared activity was seen: act-1 (construction, 2020-03-01 to 2020-06-01).",
                "1 change is consistent with what was declared.",
                "1 scene was refused.",
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
    fn an_alignment_says_what_was_done_and_what_was_not() {
        assert!(of_registration(None).contains("their own georeference"));
        let mut found = RegistrationRecord {
            circular_error_90_px: None,
            held_out_px: None,
            model: "shift".into(),
            moved: "s-2".into(),
            outcome: "pass".into(),
            outliers: 0,
            reason: None,
            rejected: BTreeMap::new(),
            residual_px: Some(0.123),
            shift_px: Some([0.5, -1.25]),
            tie_points: 20,
        };
        assert_eq!(
            of_registration(Some(&found)),
            "s-2 has to move 0.50 pixels right and 1.25 up to lie on the earlier scene, and was moved (shift) in the same resampling that brings it onto the site grid: 20 tie points agree. 0.12 pixels are left at them."
        );
        found.model = "identity".into();
        assert!(of_registration(Some(&found)).contains("was left where it is"));
        (found.shift_px, found.reason) = (None, Some("too few tie points".into()));
        assert!(
            of_registration(Some(&found)).contains("could not be measured: too few tie points. Neither was moved.")
        );
    }

    #[test]
    fn all_is_all_and_nothing_is_nothing() {
        assert_eq!(share(9_999, 10_000), "99.9 %");
        assert_eq!(share(10_000, 10_000), "100 %");
        assert_eq!(share(1, 10_000), "less than 0.1 %");
        assert_eq!(share(0, 10_000), "0 %");
        assert_eq!(share(0, 0), "0 %");
        assert_eq!(share(u64::MAX - 1, u64::MAX), "99.9 %");
        assert_eq!(percent(0.99999), "99.9 %");
        assert_eq!(percent(f64::NAN), "unknown");
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
            rule: "strength".into(),
            text: String::new(),
            supports: true,
        }];
        assert_eq!(of_activity(activity), "inconclusive");
    }
}
