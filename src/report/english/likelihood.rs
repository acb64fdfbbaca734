//! Words of likelihood and of confidence, never both in one sentence (Office of the Director of National Intelligence, "Analytic
//! Standards", Intelligence Community Directive 203, 2015, D.6.e.(2)).

use super::{day, percent, plural};
use crate::declaration::Role;
use crate::finding::Interval;
use crate::finding::RegistrationOutcome;
use crate::report::english::evidence::said;
use crate::report::likelihood::{Confidence, Doubt, Level};

/// A step of the scale: from which probability on, how its sentence begins, the words, and the range.
struct Step(f64, &'static str, &'static str, &'static str);

/// The scale of the directive.
const SCALE: [Step; 7] = [
    Step(0.0, "There is", "almost no chance", "1 to 5 %"),
    Step(0.05, "It is", "very unlikely", "5 to 20 %"),
    Step(0.20, "It is", "unlikely", "20 to 45 %"),
    Step(0.45, "There is a", "roughly even chance", "45 to 55 %"),
    Step(0.55, "It is", "likely", "55 to 80 %"),
    Step(0.80, "It is", "very likely", "80 to 95 %"),
    Step(0.95, "It is", "almost certain", "95 to 99 %"),
];

/// The step of `p`. A value on a bound belongs to the higher one.
fn step(p: f64) -> &'static Step {
    SCALE.iter().rfind(|step| p >= step.0).unwrap_or(&SCALE[0])
}

/// The likelihood `p` in words alone: `almost certain`.
pub(in crate::report) fn likelihood_words(p: f64) -> String {
    step(p).2.to_owned()
}

/// The likelihood `p` that an anomaly with these dates is change beyond noise, in a sentence.
pub(in crate::report) fn likelihood(p: f64, dates: &Interval) -> String {
    let Step(_, begin, words, range) = step(p);
    let (start, end) = (day(dates.start), day(dates.end));
    let when = if start == end {
        format!("on {start}")
    } else {
        format!("between {start} and {end}")
    };
    format!(
        "{begin} {words} ({range}) that this ground changed by more than noise {when}, whatever caused it and whether or not it was declared."
    )
}

/// The confidence in a verdict, in a sentence; `None` stands for a verdict that it cannot be told.
pub(in crate::report) fn confidence(confidence: Option<&Confidence>) -> String {
    let Some(confidence) = confidence else {
        return "No confidence is stated: the verdict itself is that this cannot be told.".to_owned();
    };
    match confidence.level() {
        Level::High => "Confidence in this verdict is high: none of the doubts that count is on record.".to_owned(),
        Level::Moderate => "Confidence in this verdict is moderate, for one reason:".to_owned(),
        Level::Low => format!(
            "Confidence in this verdict is low, for {} reasons:",
            confidence.doubts.len()
        ),
    }
}

/// A level in a word.
pub(in crate::report) fn confidence_words(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::High) => "high",
        Some(Level::Moderate) => "moderate",
        Some(Level::Low) => "low",
        None => "not stated",
    }
}

/// The reasons that follow [`confidence`], one for each doubt.
pub(in crate::report) fn doubts(confidence: &Confidence) -> Vec<String> {
    confidence.doubts.iter().map(reason).collect()
}

fn reason(doubt: &Doubt) -> String {
    match doubt {
        Doubt::Against(evidence) => said(evidence, None),
        Doubt::Zone(id, role) => {
            let must = if *role == Role::Exclusion {
                "to stay empty"
            } else {
                "not to change"
            };
            format!("it touches zone {id} ({role}), which was declared {must}")
        }
        Doubt::Dissent(detectors) => {
            let verb = if detectors.len() == 1 { "does" } else { "do" };
            let words: Vec<&str> = detectors.iter().map(|one| one.word()).collect();
            format!("{} {verb} not find it", words.join(", "))
        }
        Doubt::Registration(found) => match (found.outcome, found.residual_px) {
            (RegistrationOutcome::Unmeasured, _) => {
                "how its two scenes lie beside each other could not be measured".to_owned()
            }
            (outcome, Some(px)) => {
                format!(
                    "its two scenes do not lie well on each other: {px:.2} pixels are left ({})",
                    outcome.word()
                )
            }
            (outcome, None) => format!("its two scenes do not lie well on each other ({})", outcome.word()),
        },
        Doubt::Noise(times) => format!(
            "unchanged ground scatters {times:.1} times as widely as its noise: season, haze or misregistration is common to the pair"
        ),
        Doubt::Coverage(coverage) => format!("only {} of the site was observed", percent(coverage.observed_fraction)),
        Doubt::Area(fraction) => format!("only {} of its area was observed", percent(*fraction)),
        Doubt::Small(pixels) => format!("it has only {}", plural(*pixels as usize, "pixel", "pixels")),
        Doubt::Notes(notes) => format!("the comparison has a note: {}", notes.join("; ")),
    }
}

/// How both are arrived at, for the reader of the methods. No sentence speaks of both.
pub(in crate::report) fn explained() -> Vec<String> {
    [
        "The likelihood of an anomaly is that it is change and not noise.",
        "It is one minus the share of false anomalies that is expected among those that peak as high or higher: the peaks of all \
         clusters of pixels of the site are taken for exponentially distributed, and the number of clusters expected above each \
         peak is set against the number of anomalies found there (false discovery rate, Benjamini and Hochberg 1995, Storey and \
         Tibshirani 2003).",
        "That share is a mean over the set, so its weakest member is less sure than the words say.",
        "What changed lengthens that tail itself: where change is common, as over years, it is more likely than the words say.",
        "Its words and ranges are those of Intelligence Community Directive 203: almost no chance 1 to 5 %, very unlikely 5 to \
         20 %, unlikely 20 to 45 %, roughly even chance 45 to 55 %, likely 55 to 80 %, very likely 80 to 95 %, almost certain 95 \
         to 99 %; less than 1 % and more than 99 % are never stated.",
        "It says nothing of the cause: a ploughed field is change like a new hall.",
        "Confidence is another matter: it tells how well the record bears the verdict.",
        "It is high when nothing on record weakens the verdict, moderate with one reason, and low with two or more.",
        "Each of these is a reason: evidence against the verdict (but for a late notice, the mere name of a zone, and the part of an \
         over-run that lies inside what was declared); change taken for declared in a zone that must not change; detectors that do \
         not find it; fewer than 9 pixels; scenes that do not lie well on each other or could not be measured; less than 75 % of \
         the site observed; for an activity that was not seen, less than 90 % of its area observed; unchanged ground that scatters more \
         than 1.3 times as widely as its noise; and any other note of the comparison.",
        "Of a declared activity that was seen, the anomaly that was measured best counts, and of one that was not seen, the best \
         comparison over its window.",
        "Where the verdict is that something cannot be told, no confidence is stated.",
    ]
    .map(str::to_owned)
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Evidence, Fact, RegistrationRecord};
    use crate::report::likelihood::{BOUNDS, of_anomaly};
    use crate::report::sample;
    use crate::stage::coregister::Model;
    use crate::stage::detect::Detector;

    fn dates(start: &str, end: &str) -> Interval {
        Interval {
            start: format!("{start}T10:00:00Z").parse().unwrap(),
            end: format!("{end}T10:00:00Z").parse().unwrap(),
        }
    }

    #[test]
    fn bounds_of_the_scale_are_exact() {
        let said = |p: f64| likelihood(p, &dates("2020-02-11", "2020-07-05"));
        let whole = "It is almost certain (95 to 99 %) that this ground changed by more than noise between 2020-02-11 and 2020-07-05, \
                     whatever caused it and whether or not it was declared.";
        assert_eq!(said(0.99), whole);
        let steps = [
            (0.05, "no chance (1 to 5 %)", "very unlikely (5 to 20 %)"),
            (0.20, "very unlikely", "It is unlikely (20 to 45 %)"),
            (0.45, "It is unlikely", "a roughly even chance (45 to 55 %)"),
            (0.55, "even chance", "It is likely (55 to 80 %)"),
            (0.80, "It is likely", "very likely (80 to 95 %)"),
            (0.95, "very likely", "almost certain (95 to 99 %)"),
        ];
        for (bound, below, from) in steps {
            assert!(said(bound - 1e-9).contains(below), "{bound}: {}", said(bound - 1e-9));
            assert!(said(bound).contains(from), "{bound}: {}", said(bound));
        }
        assert!(
            BOUNDS
                .map(said)
                .iter()
                .all(|one| !one.contains("(0") && !one.contains("100 %"))
        );
        assert!(likelihood(0.6, &dates("2020-02-11", "2020-02-11")).contains("noise on 2020-02-11,"));
        assert_eq!(
            [-1.0, 0.5, 2.0].map(likelihood_words),
            ["almost no chance", "roughly even chance", "almost certain"]
        );
    }

    /// Whether a sentence speaks of both.
    fn mixed(sentence: &str) -> bool {
        let text = sentence.to_lowercase();
        text.contains("confidence") && ["likel", "chance", "certain"].iter().any(|word| text.contains(word))
    }

    #[test]
    fn likelihood_and_confidence_stand_in_different_sentences() {
        let mut said = explained();
        let full = sample::full();
        let pair = &full.comparisons[0];
        for anomaly in &pair.anomalies {
            said.push(likelihood(0.5, &anomaly.dates));
            said.push(confidence(of_anomaly(pair, anomaly).as_ref()));
        }
        said.push(confidence(None));
        assert!(said.iter().any(|one| one.contains("onfidence")) && said.iter().any(|one| one.contains("chance")));
        assert!(mixed("It is likely, with high confidence."));
        assert_eq!(said.iter().find(|one| mixed(one)), None);
        // One sentence each, so that none hides behind another.
        assert_eq!(said.iter().find(|one| one.contains(". ")), None);
    }

    #[test]
    fn every_doubt_has_its_words() {
        let evidence = Evidence {
            fact: Fact::Edge {
                decides: false,
                fraction: 0.08,
            },
            supports: false,
        };
        let registration = RegistrationRecord {
            circular_error_90_px: None,
            held_out_px: None,
            model: Model::Shift,
            moved: "s".into(),
            outcome: RegistrationOutcome::Degraded,
            outliers: 0,
            reason: None,
            rejected: Default::default(),
            residual_px: Some(0.4),
            shift_px: None,
            tie_points: 9,
        };
        let full = sample::full();
        let all = vec![
            Doubt::Against(&evidence),
            Doubt::Zone("<b>", Role::Exclusion),
            Doubt::Dissent(vec![Detector::Irmad, Detector::Rcva]),
            Doubt::Registration(&registration),
            Doubt::Noise(1.52),
            Doubt::Coverage(&full.comparisons[1].coverage),
            Doubt::Small(1),
            Doubt::Notes(&full.comparisons[1].notes),
        ];
        let found = Confidence { doubts: all };
        assert_eq!(
            confidence(Some(&found)),
            "Confidence in this verdict is low, for 8 reasons:"
        );
        assert_eq!(
            doubts(&found),
            [
                "8 % of its edge borders on ground that was not observed",
                "it touches zone <b> (exclusion), which was declared to stay empty",
                "irmad, rcva do not find it",
                "its two scenes do not lie well on each other: 0.40 pixels are left (degraded)",
                "unchanged ground scatters 1.5 times as widely as its noise: season, haze or misregistration is common to the pair",
                "only 4.0 % of the site was observed",
                "it has only 1 pixel",
                "the comparison has a note: 4.0 % of the site was observed, 50.0 % are needed",
            ]
        );
    }
}
