//! What was measured in one comparison, in sentences.

use super::percent;
use crate::finding::{Comparison, CutoffRecord, Normalisation};
use crate::report::format::{grouped, three_figures};

/// How the comparison was made, how many false alarms are expected, and where the cutoff lies.
pub(in crate::report) fn measured(comparison: &Comparison) -> Vec<String> {
    let earlier = match comparison.earlier.len() {
        0 => String::new(),
        n => format!(", with {n} earlier scenes"),
    };
    let mut said = vec![
        format!(
            "Detector {}{earlier}; band {} of score.tif and flags.tif.",
            comparison.detector, comparison.band
        ),
        super::of_registration(comparison.registration.as_ref()),
    ];
    match &comparison.cutoff {
        Some(cutoff) => {
            said.push(false_alarms(cutoff, comparison.anomalies.len()));
            said.push(cutoff_used(cutoff));
            let refused = cutoff.refusals.iter();
            said.extend(refused.map(|one| format!("The method {} was tried before it: {}.", one.method, one.reason)));
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

/// How many of the anomalies of a comparison are expected to be none, in plain words.
fn false_alarms(cutoff: &CutoffRecord, anomalies: usize) -> String {
    let Some(seed) = cutoff.seed_sigma else {
        return format!(
            "No score is so high that a false discovery rate of {} could be kept, so no change was claimed.",
            percent(cutoff.seed_fdr)
        );
    };
    let pixels = format!(
        "{} of {} judged pixels score {seed:.2} σ or more; by the scores of unchanged ground, {} of them would do so by chance.",
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

fn cutoff_used(cutoff: &CutoffRecord) -> String {
    let Some(seed) = cutoff.seed_sigma else {
        return "Cutoff used: none.".to_owned();
    };
    let grow = cutoff.grow_sigma.filter(|grow| *grow < seed);
    let grow = grow.map_or_else(String::new, |grow| format!(" and grows down to {grow:.2} σ"));
    let method = match cutoff.method.as_deref() {
        Some("fdr") => format!(
            ", set by the method fdr for a false discovery rate of {} of the pixels",
            percent(cutoff.seed_fdr)
        ),
        Some(method) => format!(", set by the method {method}"),
        None => String::new(),
    };
    format!("Cutoff used: a region must reach {seed:.2} σ{grow}{method}.")
}

/// What stands over the table of a normalisation.
pub(in crate::report) fn normalisation(fit: &Normalisation) -> String {
    format!(
        "Normalisation ({}): the earlier date × gain + offset, fitted to {} unchanged of {} sampled pixels",
        fit.method,
        grouped(fit.unchanged),
        grouped(fit.sampled)
    )
}
