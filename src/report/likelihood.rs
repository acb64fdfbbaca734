//! How likely it is that an anomaly is change at all, and how much confidence its verdict deserves: two statements, kept apart
//! (Office of the Director of National Intelligence, "Analytic Standards", Intelligence Community Directive 203, 2015, D.6.e.(2)).
//!
//! Both come from the record alone. The likelihood follows from the scores; the confidence from what the record itself holds
//! against the comparison and the verdict.

use crate::declaration::Role;
use crate::finding::{
    ActivityFinding, Anomaly, Comparison, Coverage, Evidence, Interval, RegistrationOutcome, RegistrationRecord,
    SiteReport, Topic, Verdict,
};
use crate::stage::detect::Detector;

/// Least and greatest likelihood that is ever stated: the scale has no word for what is impossible or sure.
pub(super) const BOUNDS: [f64; 2] = [0.01, 0.99];

/// From this scale of the null distribution on a pair counts as noisy: the same at which `stage/cutoff` writes its note.
const NOISY_SCALE: f64 = 1.3;
/// With less of the site observed, the null distributions rest on little ground: half way from what `[judge]` needs to all.
const MIN_OF_SITE: f64 = 0.75;
/// With less of its area observed, an activity that was not seen may have been hidden.
const MIN_OF_AREA: f64 = 0.9;
/// Fewer pixels than a square of three have no pixel inside that is free of the mixed ones on the edge.
const FEW_PIXELS: u64 = 9;

/// For each anomaly of `comparison`, in their order, the likelihood that it is change beyond noise and season, in [`BOUNDS`]; `None`
/// where there are no q-values.
///
/// It is `1 - q`, where `q` is the false discovery rate of the set of all anomalies whose peak is as high or higher (Benjamini
/// and Hochberg, "Controlling the false discovery rate", 1995; Storey and Tibshirani, "Statistical significance for genomewide
/// studies", 2003), by the tail of the clusters of the comparison.
pub(super) fn real_change(comparison: &Comparison) -> Option<Vec<f64>> {
    comparison.cutoff.as_ref()?.seed_sigma?;
    let likelihood = |anomaly: &Anomaly| Some((1.0 - anomaly.q_value?).clamp(BOUNDS[0], BOUNDS[1]));
    comparison.anomalies.iter().map(likelihood).collect()
}

/// How much confidence a verdict deserves: `High` with no doubt on record, `Moderate` with one, `Low` with two or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    High,
    Moderate,
    Low,
}

/// Something on record that weakens a verdict.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Doubt<'a> {
    /// Evidence against it.
    Against(&'a Evidence),
    /// A change that is taken for declared touches a zone that was declared not to change: id and role.
    Zone(&'a str, Role),
    /// Detectors that do not find the anomaly.
    Dissent(Vec<Detector>),
    /// The scenes lie beside each other not well enough, or it could not be measured.
    Registration(&'a RegistrationRecord),
    /// Unchanged ground scatters so many times as widely as its noise.
    Noise(f64),
    /// Little of the site was observed.
    Coverage(&'a Coverage),
    /// Little of an activity's area was observed: the fraction.
    Area(f64),
    /// The anomaly has so few pixels.
    Small(u64),
    /// Notes of the comparison.
    Notes(&'a [String]),
}

/// The doubts about a verdict, each of which counts once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Confidence<'a> {
    pub(super) doubts: Vec<Doubt<'a>>,
}

impl Confidence<'_> {
    /// What the number of doubts comes to.
    pub(super) fn level(&self) -> Level {
        match self.doubts.len() {
            0 => Level::High,
            1 => Level::Moderate,
            _ => Level::Low,
        }
    }
}

/// The confidence in the verdict on `anomaly`; `None` where the verdict itself is that it cannot be told.
pub(super) fn of_anomaly<'a>(comparison: &'a Comparison, anomaly: &'a Anomaly) -> Option<Confidence<'a>> {
    if matches!(anomaly.verdict, Verdict::Inconclusive | Verdict::NotObservable) {
        return None;
    }
    let mut doubts = against(anomaly.verdict, &anomaly.evidence);
    if anomaly.verdict == Verdict::Consistent {
        let still = comparison
            .zones
            .iter()
            .find(|zone| anomaly.zones.contains(&zone.id) && matches!(zone.role, Role::Exclusion | Role::Reference));
        doubts.extend(still.map(|zone| Doubt::Zone(&zone.id, zone.role)));
    }
    doubts.extend(of_finding(comparison, anomaly));
    Some(Confidence { doubts })
}

/// The confidence in what is said of a declared activity: of one that was seen, as the best of its anomalies was measured; of one
/// that was not, as the best comparison over its window was. `None` where the verdict itself is that it cannot be told, or where
/// nothing of the kind is on record.
pub(super) fn of_activity<'a>(report: &'a SiteReport, activity: &'a ActivityFinding) -> Option<Confidence<'a>> {
    let mut doubts = against(activity.verdict, &activity.evidence);
    let measured: Vec<Vec<Doubt<'a>>> = match activity.verdict {
        Verdict::Consistent => report
            .comparisons
            .iter()
            .flat_map(|c| c.anomalies.iter().map(move |a| (c, a)))
            .filter(|(_, anomaly)| activity.anomalies.contains(&anomaly.id))
            .map(|(comparison, anomaly)| of_finding(comparison, anomaly))
            .collect(),
        Verdict::DeclaredNotSeen => {
            if activity.observed_fraction < MIN_OF_AREA {
                doubts.push(Doubt::Area(activity.observed_fraction));
            }
            report
                .comparisons
                .iter()
                .filter(|comparison| meet(&activity.window, &comparison.dates))
                .map(of_comparison)
                .collect()
        }
        _ => return None,
    };
    doubts.extend(measured.into_iter().min_by_key(Vec::len)?);
    Some(Confidence { doubts })
}

/// The evidence that weakens `verdict`: not all that is marked as speaking against it does.
///
/// - `notice`: a late notice is a fault of the declaration; the change is no less the declared one.
/// - `zone`: in which zone a change lies is told for the reader; where it matters, [`Doubt::Zone`] counts it.
/// - `area`, `window` of an over-run: by definition it lies partly in a declared area or window.
/// - `area`, `window` elsewhere: when none of the same rule supports the verdict, for another activity may explain the change.
///
/// The rest counts: an edge on ground that was not observed.
fn against(verdict: Verdict, evidence: &[Evidence]) -> Vec<Doubt<'_>> {
    let supported = |topic: Topic| evidence.iter().any(|one| one.supports && one.fact.topic() == topic);
    let counts = |one: &&Evidence| match one.fact.topic() {
        _ if one.supports => false,
        Topic::Notice | Topic::Zone => false,
        topic @ (Topic::Area | Topic::Window) => verdict != Verdict::OverRun && !supported(topic),
        Topic::Edge => true,
    };
    evidence.iter().filter(counts).map(Doubt::Against).collect()
}

/// Doubts about the measurement of an anomaly.
fn of_finding<'a>(comparison: &'a Comparison, anomaly: &'a Anomaly) -> Vec<Doubt<'a>> {
    let mut doubts = Vec::new();
    let dissent = anomaly.votes.iter().filter(|vote| vote.finds == Some(false));
    let dissent: Vec<Detector> = dissent.map(|vote| vote.detector).collect();
    if !dissent.is_empty() {
        doubts.push(Doubt::Dissent(dissent));
    }
    if anomaly.pixels < FEW_PIXELS {
        doubts.push(Doubt::Small(anomaly.pixels));
    }
    doubts.extend(of_comparison(comparison));
    doubts
}

/// Doubts about a comparison. That methods of setting the cutoff refused before one did not is how they work, and no doubt; nor is
/// that registration was not to be measured (radar, series). Notes count where they can say more than registration and coverage
/// that count by themselves, for these have notes too.
fn of_comparison(comparison: &Comparison) -> Vec<Doubt<'_>> {
    let mut doubts = Vec::new();
    let registration = comparison.registration.as_ref();
    doubts.extend(
        registration
            .filter(|r| r.outcome != RegistrationOutcome::Pass)
            .map(Doubt::Registration),
    );
    if comparison.coverage.observed_fraction < MIN_OF_SITE {
        doubts.push(Doubt::Coverage(&comparison.coverage));
    }
    if doubts.is_empty() && !comparison.notes.is_empty() {
        doubts.push(Doubt::Notes(&comparison.notes));
    }
    let noise = comparison.cutoff.as_ref().map_or(0.0, |cutoff| cutoff.null_scale_sigma);
    if noise > NOISY_SCALE {
        doubts.push(Doubt::Noise(noise));
    }
    doubts
}

/// Whether the half-open `window` meets the time span `dates`.
fn meet(window: &Interval, dates: &Interval) -> bool {
    window.start <= dates.end && dates.start < window.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Fact;
    use crate::report::sample;

    #[test]
    fn the_likelihood_is_what_the_false_discovery_rate_leaves() {
        let mut pair = sample::crowded(4).comparisons.swap_remove(0);
        for (anomaly, q) in pair.anomalies.iter_mut().zip([1e-9, 0.02, 0.4, 1.0]) {
            anomaly.q_value = Some(q);
        }
        assert_eq!(real_change(&pair), Some(vec![0.99, 0.98, 0.6, 0.01]));
        pair.anomalies[2].q_value = None;
        assert_eq!(real_change(&pair), None);
        pair.cutoff = None;
        assert_eq!(real_change(&pair), None);
    }

    #[test]
    fn each_doubt_costs_a_level() {
        let report = sample::full();
        let mut pair = report.comparisons[0].clone();
        pair.notes.clear();
        let mut anomaly = pair.anomalies[2].clone();
        let level = |pair: &Comparison, anomaly: &Anomaly| of_anomaly(pair, anomaly).unwrap().level();
        assert_eq!(
            (anomaly.verdict, level(&pair, &anomaly)),
            (Verdict::Consistent, Level::High)
        );
        anomaly.pixels = 8;
        assert_eq!(level(&pair, &anomaly), Level::Moderate);
        pair.cutoff.as_mut().unwrap().null_scale_sigma = 1.31;
        assert_eq!(level(&pair, &anomaly), Level::Low);
        anomaly.verdict = Verdict::Inconclusive;
        assert_eq!(of_anomaly(&pair, &anomaly), None);
    }

    #[test]
    fn a_note_does_not_count_beside_what_it_repeats() {
        let mut pair = sample::full().comparisons.swap_remove(0);
        assert!(matches!(of_comparison(&pair).as_slice(), [Doubt::Notes(_)]));
        pair.coverage.observed_fraction = 0.6;
        assert!(matches!(of_comparison(&pair).as_slice(), [Doubt::Coverage(_)]));
    }

    #[test]
    fn only_evidence_that_weakens_a_verdict_counts() {
        let one = |fact: &Fact, supports| Evidence {
            fact: fact.clone(),
            supports,
        };
        let count = |verdict, evidence: &[Evidence]| against(verdict, evidence).len();
        let zone = Fact::Zone {
            fraction: 1.0,
            role: Role::Building,
            zone: "hall-1".into(),
        };
        let notice = Fact::Notice {
            activity: "act-1".into(),
            notified: jiff::Timestamp::UNIX_EPOCH,
        };
        let edge = Fact::Edge {
            decides: false,
            fraction: 0.1,
        };
        let all = [Fact::NoArea, Fact::BegunBefore, zone, notice, edge].map(|fact| one(&fact, false));
        assert_eq!(count(Verdict::OverRun, &all), 1);
        assert_eq!(count(Verdict::Consistent, &all), 3);
        let explained = [one(&Fact::BegunBefore, false), one(&Fact::NoPair, true)];
        assert_eq!(count(Verdict::Consistent, &explained), 0);
    }

    #[test]
    fn a_declared_change_on_ground_that_must_not_change_is_doubted() {
        let mut pair = sample::full().comparisons.swap_remove(0);
        pair.notes.clear();
        pair.zones[0].role = Role::Reference;
        let mut anomaly = pair.anomalies[2].clone();
        anomaly.zones = vec!["hall-1".into()];
        let doubts = of_anomaly(&pair, &anomaly).unwrap().doubts;
        assert_eq!(doubts, [Doubt::Zone("hall-1", Role::Reference)]);
    }

    #[test]
    fn activities_are_as_sure_as_what_they_rest_on() {
        let mut report = sample::full();
        report.comparisons[0].notes.clear();
        let level = |report: &SiteReport, index: usize| {
            of_activity(report, &report.activities[index]).map(|confidence| confidence.level())
        };
        assert_eq!(
            [0, 1, 2, 3].map(|index| level(&report, index)),
            [Some(Level::High), Some(Level::High), None, None]
        );
        report.activities[1].observed_fraction = 0.8;
        report.comparisons[0].coverage.observed_fraction = 0.6;
        assert_eq!(
            [0, 1].map(|index| level(&report, index)),
            [Some(Level::Moderate), Some(Level::Low)]
        );
        // Comparisons after its window tell nothing of it.
        let late = report.activities[1].window.end;
        report.comparisons.iter_mut().for_each(|c| {
            c.dates.start = late;
            c.dates.end = late;
        });
        assert_eq!(level(&report, 1), None);
    }
}
