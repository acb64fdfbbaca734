//! `junit.xml`: the record as test results, for a CI that shows them. What needs review has failed.

use std::io::Write;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::finding::{ActivityFinding, Anomaly, Comparison, Evidence, SiteReport, Verdict};
use crate::report::ReportError;
use crate::report::english::evidence::said;
use crate::report::english::{days, of_activity, reasons, summary, was_judged};

/// Writes JUnit XML to `out`: a suite for each comparison and one for the declared activities.
///
/// | case | passes | fails | skipped |
/// |---|---|---|---|
/// | `observed`, of a comparison | it was judged | | it could not be |
/// | an anomaly | consistent | needs review | not observable |
/// | a declared activity | seen | not seen | not observable, or its window is open |
///
/// A case fails exactly when [`SiteReport::needs_review`]. Cases have the id of the site as class and their own id as name, so
/// that a CI follows them from run to run. There is no time in it.
///
/// # Errors
/// When `out` cannot be written.
pub fn junit_xml(report: &SiteReport, mut out: impl Write) -> Result<(), ReportError> {
    let mut suites: Vec<TestSuite> = report.comparisons.iter().map(|c| of_comparison(report, c)).collect();
    if suites.is_empty() {
        let mut suite = TestSuite::new(format!("{}: observation", plain(&report.site.id)));
        suite.add_test_case(case(report, "observed", skipped(&summary(report).join(" "))));
        suites.push(suite);
    }
    if !report.activities.is_empty() {
        let mut suite = TestSuite::new(format!("{}: declared activities", plain(&report.site.id)));
        suite.add_test_cases(report.activities.iter().map(|a| case(report, &a.id, of_declared(a))));
        suites.push(suite);
    }
    let mut xml = Report::new(format!("sitewatch: {}", plain(&report.site.name)));
    xml.add_test_suites(suites);
    let what = "junit.xml";
    // Into memory first: quick-junit does not tell a full disk from a fault of its own.
    let written = xml.to_string().map_err(|error| ReportError::Write {
        what,
        source: std::io::Error::other(error),
    })?;
    out.write_all(written.as_bytes())
        .map_err(|source| ReportError::Write { what, source })
}

fn of_comparison(report: &SiteReport, comparison: &Comparison) -> TestSuite {
    let (before, after) = (plain(&comparison.before), plain(&comparison.after));
    let mut suite = TestSuite::new(format!("{}: {before} to {after}", plain(&report.site.id)));
    let observed = if was_judged(comparison) {
        TestCaseStatus::success()
    } else {
        let mut why = comparison.notes.clone();
        why.extend(reasons(&comparison.coverage).map(|reasons| format!("not observed: {reasons}")));
        skipped(&why.join("; "))
    };
    let name = format!("observed {}", days(&comparison.dates));
    suite.add_test_case(case(report, &name, observed));
    suite.add_test_cases(comparison.anomalies.iter().map(|a| case(report, &a.id, of_anomaly(a))));
    suite
}

fn of_anomaly(anomaly: &Anomaly) -> TestCaseStatus {
    let [lon, lat] = anomaly.centroid;
    let sentence = format!(
        "{} change: {:.0} m² at {lat:.5}, {lon:.5}, {}",
        anomaly.verdict.words(),
        anomaly.area_m2,
        days(&anomaly.dates),
    );
    match anomaly.verdict {
        Verdict::Consistent => TestCaseStatus::success(),
        Verdict::NotObservable => skipped(&sentence),
        verdict => failure(verdict, &sentence, &anomaly.evidence, None),
    }
}

fn of_declared(activity: &ActivityFinding) -> TestCaseStatus {
    let sentence = format!(
        "declared {} {}: {}",
        activity.what,
        days(&activity.window),
        of_activity(activity)
    );
    match activity.verdict {
        Verdict::Consistent => TestCaseStatus::success(),
        Verdict::NotObservable | Verdict::Inconclusive => skipped(&sentence),
        verdict => failure(verdict, &sentence, &activity.evidence, Some(&activity.id)),
    }
}

fn case(report: &SiteReport, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(plain(name), status);
    case.set_classname(plain(&report.site.id));
    case
}

fn skipped(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(plain(why));
    status
}

fn failure(verdict: Verdict, sentence: &str, evidence: &[Evidence], own: Option<&str>) -> TestCaseStatus {
    let reason = |e: &Evidence| {
        format!(
            "{} ({}): {}",
            if e.supports { "for" } else { "against" },
            e.fact.topic().word(),
            said(e, own)
        )
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(verdict.words());
    status.set_message(plain(sentence));
    status.set_description(plain(&evidence.iter().map(reason).collect::<Vec<_>>().join("\n")));
    status
}

/// `text` without the two characters that XML 1.0 forbids and quick-junit lets through; the others it takes out itself.
fn plain(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Fact;
    use crate::report::sample;

    fn written(report: &SiteReport) -> String {
        let mut bytes = Vec::new();
        junit_xml(report, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn read(report: &SiteReport) -> Report {
        Report::deserialize_from_str(&written(report)).unwrap()
    }

    /// Cases that passed, failed and were skipped.
    fn counts(report: &SiteReport) -> [usize; 3] {
        let xml = read(report);
        [xml.tests - xml.failures - xml.skipped, xml.failures, xml.skipped]
    }

    #[test]
    fn what_needs_review_fails_and_what_was_not_seen_is_skipped() {
        // Passed: the first comparison, sw-9be2400c, act-1. Failed: three anomalies, act-3. Skipped: the second comparison, act-4, act-5.
        let report = sample::full();
        assert_eq!(counts(&report), [3, 4, 3]);
        let xml = read(&report);
        let suites: Vec<&str> = xml.test_suites.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            suites,
            [
                "plant-7: S2B_31UDQ_20200211_0_L2A to S2B_31UDQ_20200705_0_L2A",
                "plant-7: S2B_31UDQ_20200705_0_L2A to S2B_31UDQ_20200814_0_L2A",
                "plant-7: declared activities",
            ]
        );
        let TestCaseStatus::NonSuccess {
            message,
            ty,
            description,
            ..
        } = &xml.test_suites[0].test_cases[1].status
        else {
            panic!("it failed");
        };
        assert_eq!(ty.as_deref(), Some("undeclared"));
        let sentence = "undeclared change: 11997 m² at 48.79775, 2.00356, 2020-02-11 to 2020-07-05";
        assert_eq!(message.as_deref(), Some(sentence));
        assert!(
            description
                .as_deref()
                .unwrap()
                .ends_with("\nagainst (edge): 8 % of its edge borders on ground that was not observed")
        );
        let TestCaseStatus::Skipped { message, .. } = &xml.test_suites[1].test_cases[0].status else {
            panic!("it was skipped");
        };
        assert_eq!(
            message.as_deref(),
            Some("4.0 % of the site was observed, 50.0 % are needed; not observed: 91.0 % cloud, 5.0 % shadow")
        );
    }

    #[test]
    fn there_is_always_a_case() {
        assert_eq!(counts(&sample::quiet()), [1, 0, 0]);
        assert_eq!(counts(&sample::unobserved()), [0, 0, 1]);
        let mut report = sample::quiet();
        report.comparisons.clear();
        assert_eq!(counts(&report), [0, 0, 1]);
    }

    #[test]
    fn a_case_fails_exactly_when_there_is_something_to_review() {
        let mut open = sample::quiet();
        open.activities = sample::full().activities;
        open.activities.retain(|a| a.verdict != Verdict::DeclaredNotSeen);
        for report in [sample::full(), sample::quiet(), sample::unobserved(), open] {
            assert_eq!(read(&report).failures > 0, report.needs_review());
        }
    }

    #[test]
    fn hostile_text_and_characters_that_xml_forbids_do_no_harm() {
        let mut report = sample::full();
        report.site.name = "</testsuites><script>\u{0}\u{1b}[31m\u{ffff}\u{fffe}\"'&".into();
        report.activities[1].id = "]]>\u{8}".into();
        report.comparisons[0].anomalies[0].evidence[0].fact = Fact::Notice {
            activity: "<![CDATA[ & ]]> \u{b}\u{ffff}".into(),
            notified: jiff::Timestamp::UNIX_EPOCH,
        };
        let text = written(&report);
        let forbidden =
            |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
        assert!(!text.contains(forbidden) && !text.contains("<script"));
        let xml = read(&report);
        assert_eq!(xml.name.as_deref(), Some("sitewatch: </testsuites><script>\"'&"));
        assert_eq!(xml.test_suites[2].test_cases[1].name.as_str(), "]]>");
        assert_eq!(counts(&report), counts(&sample::full()));
    }
}
