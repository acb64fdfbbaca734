//! What was measured in one comparison, in sentences.

use super::percent;
use crate::finding::{Comparison, CutoffRecord, Normalisation};
use crate::report::format::{grouped, three_figures};
use crate::stage::cutoff::Method;

/// How the comparison was made, how many false alarms are expected, and where the cutoff lies.
pub(in crate::report) fn measured(comparison: &Comparison) -> Vec<String> {
    let earlier = match comparison.earlier.len() {
        0 => String::new(),
        n => format!(", with {n} earlier scenes"),
    };
    let mut said = vec![
        format!(
            "Detector {}{earlier}; band {} of score.tif and flags.tif.",
            detectors(comparison),
            comparison.band
        ),
        super::of_registration(comparison.registration.as_ref()),
    ];
    match &comparison.cutoff {
        Some(cutoff) => {
            said.push(false_alarms(cutoff, comparison.anomalies.len()));
            said.push(cutoff_used(cutoff));
            let refused = cutoff.refusals.iter();
            said.extend(
                refused.map(|one| format!("The method {} was tried before it: {}.", one.method.word(), one.reason)),
            );
            said.push(format!(
                "Unchanged ground: {} of the pixels; its scores lie around {:.2} σ with a spread of {:.2} σ (1 when the pair is as quiet as its noise).",
                percent(cutoff.null_fraction),
                cutoff.null_centre_sigma,
                cutoff.null_scale_sigma
            ));
        }
        None => said.push("No cutoff: nothing could be compared.".to_owned()),
    }
    if comparison.normalisation.is_none() {
        said.push("No normalisation: nothing could be compared.".to_owned());
    }
    said
}

/// The detectors of a comparison by name; several with the rule that joins them.
pub(in crate::report) fn detectors(comparison: &Comparison) -> String {
    let words: Vec<&str> = comparison.detectors.iter().map(|one| one.word()).collect();
    match (words.as_slice(), comparison.rule) {
        ([], _) => "none".into(),
        (words, Some(rule)) => format!("{} ({})", words.join(" + "), rule.word()),
        (words, None) => words.join(" + "),
    }
}

/// How many of the anomalies of a comparison are expected to be none, in plain words.
fn false_alarms(cutoff: &CutoffRecord, anomalies: usize) -> String {
    let expected = three_figures(cutoff.expected_false_anomalies);
    let tail = cutoff.tail.as_ref().map_or_else(String::new, |tail| {
        format!(
            " This is told by the peaks of {} clusters of pixels at or above {:.2} σ, which lie {:.2} σ higher on average.",
            grouped(tail.clusters),
            tail.level_sigma,
            tail.mean_height_sigma
        )
    });
    let Some(seed) = cutoff.seed_sigma else {
        return format!(
            "No score is so high that a false discovery rate of {} could be kept, so no change was claimed; on ground like this, about \
             {expected} false anomalies are expected.{tail}",
            percent(cutoff.seed_fdr)
        );
    };
    let pixels = format!(
        "{} of {} judged pixels score {seed:.2} σ or more.",
        grouped(cutoff.claimed),
        grouped(cutoff.judged)
    );
    let found = match anomalies {
        0 => " None of them forms a region that is claimed as an anomaly.".to_owned(),
        1 => " 1 anomaly was found.".to_owned(),
        n => format!(" {n} anomalies were found."),
    };
    let dropped = match (cutoff.object_fdr, cutoff.dropped) {
        (Some(rate), n) if n > 0 => format!(
            " {} more were dropped, because among them more than {} would be expected to be false.",
            grouped(n),
            percent(rate)
        ),
        _ => String::new(),
    };
    format!(
        "{pixels}{found}{dropped} If nothing had changed, about {expected} false anomalies would be expected.{tail}"
    )
}

fn cutoff_used(cutoff: &CutoffRecord) -> String {
    let Some(seed) = cutoff.seed_sigma else {
        return "Cutoff used: none.".to_owned();
    };
    let grow = cutoff.grow_sigma.filter(|grow| *grow < seed);
    let grow = grow.map_or_else(String::new, |grow| format!(" and grows down to {grow:.2} σ"));
    let method = match cutoff.method {
        Some(Method::Fdr) => format!(
            ", set by the method fdr for a false discovery rate of {} of the pixels",
            percent(cutoff.seed_fdr)
        ),
        Some(method) => format!(", set by the method {}", method.word()),
        None if cutoff.max_expected_false_anomalies.is_some() => ", set by the method alarm-budget".to_owned(),
        None => String::new(),
    };
    format!("Cutoff used: a region must reach {seed:.2} σ{grow}{method}.")
}

/// From this scale on the page says that the pair is noisier than its noise.
const NOTED_SCALE: f64 = 1.3;

/// What the reader should know about the fit of a cutoff.
pub(in crate::report) fn cutoff_notes(cutoff: &CutoffRecord) -> Vec<String> {
    let mut notes = Vec::new();
    if cutoff.seed_sigma.is_none() {
        notes.push("every method of setting the cutoff refused: nothing is claimed".to_owned());
    }
    if cutoff.null_scale_sigma > NOTED_SCALE {
        notes.push(format!(
            "scores without change scatter {:.1} times as widely as the noise says: season, haze or misregistration is common to the pair, and small changes are missed",
            cutoff.null_scale_sigma
        ));
    }
    notes
}

/// What stands over the table of a normalisation.
pub(in crate::report) fn normalisation(fit: &Normalisation) -> String {
    format!(
        "Normalisation ({}): the earlier date × gain + offset, fitted to {} unchanged of {} sampled pixels",
        fit.method.word(),
        grouped(fit.unchanged),
        grouped(fit.sampled)
    )
}
