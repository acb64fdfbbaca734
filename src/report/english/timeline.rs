//! What the time line says.

use super::{day, plural, was_judged};
use crate::finding::{SiteReport, Verdict};

/// Numbers and names that are told before it says "and n more".
const MAX_NUMBERS: usize = 5;

pub(in crate::report) const ACTIVITIES: &str = "Declared activities, by their windows";
pub(in crate::report) const CHANGES: &str = "Anomalies: when the change happened";
pub(in crate::report) const FIRST: &str = "Anomalies: first change in the series";
pub(in crate::report) const CUT: &str = "An arrow stands where a time span goes on beyond the time line.";

pub(in crate::report) fn scenes(past: bool) -> &'static str {
    if past {
        "Scenes (hollow: the past of a series)"
    } else {
        "Scenes"
    }
}

pub(in crate::report) fn comparisons(blind: bool) -> &'static str {
    if blind {
        "Comparisons (dashed: not judged)"
    } else {
        "Comparisons"
    }
}

pub(in crate::report) fn comparison(days: &str, judged: bool) -> String {
    format!("{days}, {}", if judged { "judged" } else { "not judged" })
}

pub(in crate::report) fn outside(ids: &[String]) -> String {
    let named: Vec<&str> = ids.iter().take(MAX_NUMBERS).map(String::as_str).collect();
    let more = match ids.len() - named.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let subject = plural(ids.len(), "declared window lies", "declared windows lie");
    format!("{subject} beyond the time line: {}{more}.", named.join(", "))
}

pub(in crate::report) fn more(n: usize, most: usize, title: &str) -> String {
    let verb = plural(n, "more time span is", "more time spans are");
    format!("{title}: {verb} not drawn; the first {most} are.")
}

/// `No. 1, 4 and 7 more: undeclared`.
pub(in crate::report) fn changes(numbers: &[usize], all: usize, verdict: Verdict) -> String {
    let named: Vec<String> = numbers.iter().take(MAX_NUMBERS).map(usize::to_string).collect();
    let who = match (named.len(), all - named.len()) {
        (0, n) => format!("{n} not shown"),
        (_, 0) => format!("No. {}", named.join(", ")),
        (_, n) => format!("No. {} and {n} more", named.join(", ")),
    };
    format!("{who}: {}", verdict.words())
}

/// The picture in words: how much of each there is, and the changes.
pub(in crate::report) fn account(report: &SiteReport, changes: &[&str]) -> String {
    let first = report
        .scenes
        .iter()
        .map(|s| day(s.acquired.start))
        .min()
        .unwrap_or_default();
    let last = report
        .scenes
        .iter()
        .map(|s| day(s.acquired.end))
        .max()
        .unwrap_or_default();
    let judged = report.comparisons.iter().filter(|c| was_judged(c)).count();
    let mut said = format!(
        "Time line from {first} to {last}: {}, {} of which {judged} {} judged, {}, {}.",
        plural(report.scenes.len(), "scene", "scenes"),
        plural(report.comparisons.len(), "comparison", "comparisons"),
        if judged == 1 { "was" } else { "were" },
        plural(report.activities.len(), "declared activity", "declared activities"),
        plural(
            report.comparisons.iter().map(|c| c.anomalies.len()).sum(),
            "anomaly",
            "anomalies"
        ),
    );
    let titles: Vec<&str> = changes.iter().take(MAX_NUMBERS).copied().collect();
    if !titles.is_empty() {
        let more = match changes.len() - titles.len() {
            0 => String::new(),
            n => format!("; and {n} more"),
        };
        said = format!("{said} Changes: {}{more}.", titles.join("; "));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_up_to_five() {
        assert_eq!(changes(&[3], 1, Verdict::OverRun), "No. 3: over-run");
        assert_eq!(
            changes(&[1, 2, 3, 4, 5, 6], 9, Verdict::Consistent),
            "No. 1, 2, 3, 4, 5 and 4 more: consistent"
        );
        assert_eq!(changes(&[], 2, Verdict::Undeclared), "2 not shown: undeclared");
        let ids: Vec<String> = (0..7).map(|n| format!("a{n}")).collect();
        assert_eq!(
            outside(&ids),
            "7 declared windows lie beyond the time line: a0, a1, a2, a3, a4 and 2 more."
        );
    }
}
