//! How the result was come by, in plain words: only what is true of the report at hand.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{likelihood, plural};
use crate::finding::SiteReport;
use crate::stage::detect::Rule;

/// Headings, each with the sentences below it, in the order of the work. Those without a sentence are left out.
pub(in crate::report) fn methods(report: &SiteReport) -> Vec<(&'static str, Vec<String>)> {
    let mut sections = vec![
        ("Scenes", scenes(report)),
        ("Alignment", alignment(report)),
        ("What could not be judged", screen(report)),
        ("Normalisation", normalisation(report)),
        ("Detection", detection(report)),
        ("Cutoff", cutoff(report)),
        ("Regions", regions(report)),
        ("Verdicts", verdicts(report)),
    ];
    if report.comparisons.iter().any(|c| !c.anomalies.is_empty()) {
        sections.push(("Likelihood and confidence", likelihood::explained()));
    }
    sections.retain(|(_, sentences)| !sentences.is_empty());
    sections
}

/// The parameter at `pointer` as a number.
fn number(report: &SiteReport, pointer: &str) -> Option<f64> {
    report.parameters.pointer(pointer).and_then(Value::as_f64)
}

/// The parameter at `pointer` as words: itself, or the members of its list.
fn words<'a>(report: &'a SiteReport, pointer: &str) -> Vec<&'a str> {
    match report.parameters.pointer(pointer) {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A fraction in per cent, as it was stated: `30 %`, not `30.0 %`.
fn percent(fraction: f64) -> String {
    super::percent(fraction).replace(".0 %", " %")
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [some @ .., end] => format!("{} {last} {end}", some.join(", ")),
    }
}

fn scenes(report: &SiteReport) -> Vec<String> {
    let mut said = Vec::new();
    let period = words(report, "/compare/period");
    match (words(report, "/compare/which").as_slice(), period.as_slice()) {
        (["newest-against-previous"], _) => said.push("The newest scene was compared with the one before it.".into()),
        (["newest-against-period"], [from, to]) => said.push(format!(
            "The newest scene was compared with the newest of a period, {from} to {to}."
        )),
        (["newest-against-history"], _) => said.push("The newest scene was compared with all before it.".into()),
        (["every-consecutive-pair"], _) => said.push("Each scene was compared with the one before it.".into()),
        _ => {}
    }
    if let Some(days) = number(report, "/compare/max_season_distance_days") {
        said.push(format!(
            "Scenes whose days of the year lie more than {days} days apart were not compared."
        ));
    }
    if let Some(most) = number(report, "/compare/max_cloud_fraction").filter(|most| *most < 1.0) {
        said.push(format!(
            "Scenes that say that more than {} of them is cloud were refused.",
            percent(most)
        ));
    }
    let bands: BTreeSet<&str> = report
        .comparisons
        .iter()
        .filter_map(|c| c.normalisation.as_ref())
        .flat_map(|n| &n.bands)
        .map(|fit| fit.band.as_str())
        .collect();
    if !bands.is_empty() {
        let bands: Vec<&str> = bands.into_iter().collect();
        said.push(format!("Bands that were compared: {}.", bands.join(", ")));
    }
    said
}

fn alignment(report: &SiteReport) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(grid) = &report.grid {
        said.push(format!(
            "All scenes were brought onto one grid of pixels of {} m, {}.",
            grid.pixel_m, grid.crs
        ));
    }
    let (measured, unmeasured): (Vec<_>, Vec<_>) = report.comparisons.iter().partition(|c| c.registration.is_some());
    if !measured.is_empty() {
        let [window, shift, points, pass, refuse] =
            ["window_px", "max_shift_px", "min_tie_points", "pass_px", "refuse_px"]
                .map(|key| number(report, &format!("/coregister/{key}")));
        if let (Some(window), Some(shift)) = (window, shift) {
            said.push(format!(
                "Windows of {window} pixels (half of it on small sites), spread over the site, were matched on both dates by phase \
                 correlation and least squares, to find how far the later scene lies from the earlier one, up to {shift} pixels."
            ));
        }
        if let Some(points) = points {
            said.push(format!(
                "Where fewer than {points} windows agreed, the scene was not moved; else it was, by the simplest of no move, a shift \
                 and an affine map that holds."
            ));
        }
        if let (Some(pass), Some(refuse)) = (pass, refuse) {
            said.push(format!(
                "What is left at the windows passes up to {pass} px (root mean square); up to {refuse} px the pair is \
                 compared by rcva, which a shift does not upset; beyond that it is not compared."
            ));
        }
    }
    if !unmeasured.is_empty() {
        let which = if measured.is_empty() {
            "The scenes"
        } else {
            "Scenes of the other comparisons"
        };
        said.push(format!("{which} were compared where their own georeference puts them."));
    }
    said
}

fn screen(report: &SiteReport) -> Vec<String> {
    let mut said = vec!["Ground that a scene does not cover, and pixels without data, were not judged.".into()];
    let excluded = words(report, "/screen/exclude");
    if !excluded.is_empty() {
        said.push(format!(
            "Nor were pixels that the masks or the comparison of both dates take for {}.",
            listed(&excluded, "or")
        ));
    }
    let blurred = ["cloud", "cirrus", "shadow"]
        .into_iter()
        .filter(|one| excluded.contains(one));
    let blurred: Vec<&str> = blurred.collect();
    if let Some(metres) = number(report, "/screen/cloud_buffer_m").filter(|m| *m > 0.0 && !blurred.is_empty()) {
        said.push(format!(
            "Nor was what lies nearer than {metres} m to {}.",
            listed(&blurred, "or")
        ));
    }
    said
}

fn normalisation(report: &SiteReport) -> Vec<String> {
    let used: BTreeSet<&str> = report
        .comparisons
        .iter()
        .filter_map(|c| c.normalisation.as_ref())
        .map(|n| n.method.word())
        .collect();
    let mut said = Vec::new();
    for method in &used {
        said.push(match *method {
            "robust" => {
                let part = number(report, "/normalise/keep_fraction").map(percent);
                let part = part.map_or_else(String::new, |part| format!(" {part}"));
                format!(
                    "Both dates were brought to one brightness, band by band, by a gain and an offset for the earlier one: a straight \
                     line through the least changed{part} of the pixels, chosen and fitted in turn (robust)."
                )
            }
            "invariant" => "Both dates were brought to one brightness, band by band, by a gain and an offset for the earlier one: a \
                            straight line through the pixels that IR-MAD holds for unchanged, of which a third was held out to test \
                            it (invariant)."
                .into(),
            other => format!("Both dates were brought to one brightness by the method {other}."),
        });
    }
    let free = ["regression", "irmad"]
        .into_iter()
        .filter(|one| detectors(report).contains(one));
    let free: Vec<&str> = free.collect();
    if !used.is_empty() && !free.is_empty() {
        let who = if free.len() == 1 { "detector" } else { "detectors" };
        let verb = if free.len() == 1 { "does" } else { "do" };
        said.push(format!(
            "The change of each band is given after that; the {who} {} {verb} not need it for the score.",
            listed(&free, "and")
        ));
    }
    said
}

/// The detectors that gave scores.
fn detectors(report: &SiteReport) -> BTreeSet<&str> {
    let scored = report.comparisons.iter().filter(|c| c.cutoff.is_some());
    scored.flat_map(|c| &c.detectors).map(|one| one.word()).collect()
}

fn detection(report: &SiteReport) -> Vec<String> {
    let used = detectors(report);
    let mut said: Vec<String> = used.iter().filter_map(|one| detector(one)).map(str::to_owned).collect();
    let ways = [Rule::All, Rule::Any, Rule::Sum].into_iter().zip([
        "every one has to find it, so the least counts",
        "one is enough, so the greatest counts",
        "what each has to say is added up (Stouffer 1949, Lipták 1958)",
    ]);
    for (rule, way) in ways {
        if report.comparisons.iter().any(|c| c.rule == Some(rule)) {
            said.push(format!(
                "The scores of several detectors were joined ({}): {way}.",
                rule.word()
            ));
        }
    }
    let smoothed = ["difference", "rcva", "irmad"]
        .into_iter()
        .filter(|one| used.contains(one));
    let smoothed: Vec<&str> = smoothed.collect();
    if let Some(px) = number(report, "/detect/smooth_px").filter(|px| *px > 0.0 && !smoothed.is_empty()) {
        said.push(format!(
            "For {}, both dates were smoothed with a Gaussian of {px} pixels.",
            listed(&smoothed, "and")
        ));
    }
    if !said.is_empty() {
        said.push("Scores are in sigma: so many times the scatter of ground that did not change.".into());
    }
    said
}

/// What a detector does, in a sentence.
fn detector(word: &str) -> Option<&'static str> {
    Some(match word {
        "difference" => {
            "difference: how far each pixel changed over all bands, in units of its noise, to which belong the sensor's and what a \
             small shift makes of an edge (change vector analysis, Malila 1980)."
        }
        "rcva" => {
            "rcva: each pixel was compared with the most similar one around it on the other date, in both directions, so that what \
             merely moved does not count (Thonfeld et al. 2016)."
        }
        "irmad" => {
            "irmad: the combinations of bands that both dates have most in common were formed, and what they do not share counts, \
             with less and less say for what changed (Nielsen 2007)."
        }
        "regression" => {
            "regression: each date was told from the other by a small network trained on the pair itself, so that what is common \
             (season, harvest, haze) counts little; what it cannot tell counts where the visible light and the texture changed \
             too. A smooth, very large or purely infrared change scores lower than it does with difference."
        }
        "logratio" => {
            "logratio: the ratio of the power of two radar dates was tested against the law of speckle (Rignot and van Zyl 1993)."
        }
        "omnibus" => {
            "omnibus: the radar dates of one track were tested in their order for whether the newest ones differ from what held before \
             (Conradsen, Nielsen and Skriver 2016)."
        }
        "history" => {
            "history: the newest date was compared with what each pixel's own past lets expect, its median or its course through the \
             year, in units of what the pixel scatters."
        }
        _ => return None,
    })
}

fn cutoff(report: &SiteReport) -> Vec<String> {
    let cutoffs: Vec<_> = report.comparisons.iter().filter_map(|c| c.cutoff.as_ref()).collect();
    if cutoffs.is_empty() {
        return Vec::new();
    }
    let mut said = vec![
        "The scores of unchanged ground were taken for normally distributed; centre and scale were fitted to the scores \
         themselves (Efron 2004), so that what is common to the pair widens that law instead of being claimed."
            .to_owned(),
    ];
    let used: BTreeSet<&str> = cutoffs.iter().filter_map(|c| c.method).map(|one| one.word()).collect();
    let budget = cutoffs
        .iter()
        .any(|c| c.method.is_none() && c.max_expected_false_anomalies.is_some());
    for method in budget.then_some("alarm-budget").into_iter().chain(used) {
        said.push(match method {
            "fdr" => {
                let mut rates: Vec<f64> = cutoffs.iter().map(|c| c.seed_fdr).collect();
                rates.sort_by(f64::total_cmp);
                rates.dedup();
                let rates: Vec<String> = rates.into_iter().map(percent).collect();
                format!(
                    "fdr: change was claimed from the score on at which at most {} of the pixels that score as high are expected to be \
                     false (Benjamini and Hochberg 1995); a region grows from there down to a lower score.",
                    rates.join(" or ")
                )
            }
            "excess" => "excess: too many pixels exceeded no change for all of them to be wanted, as season does it; what is unusual \
                         among them was claimed."
                .into(),
            "minimum-error" => "minimum-error: the scores were parted where two normal laws would be told apart with the fewest errors \
                                (Kittler and Illingworth 1986)."
                .into(),
            "otsu" => "otsu: the scores were parted where the variance between both classes is largest (Otsu 1979).".into(),
            "rosin" => "rosin: the histogram of the scores was cut at its corner, where its long tail begins (Rosin 2001).".into(),
            "fixed" => "fixed: change was claimed from a stated score on.".into(),
            other => format!("The cutoff was set by the method {other}."),
        });
    }
    let none = cutoffs.iter().filter(|c| c.seed_sigma.is_none()).count();
    if none > 0 {
        said.push(format!(
            "In {} no score could be told from no change well enough, and nothing was claimed.",
            plural(none, "comparison", "comparisons")
        ));
    }
    said
}

fn regions(report: &SiteReport) -> Vec<String> {
    if report.comparisons.iter().all(|c| c.cutoff.is_none()) {
        return Vec::new();
    }
    let mut said = vec![
        "An anomaly is a group of neighbouring pixels, corners included, that score at least the lower cutoff and of which one reaches \
         the upper."
            .to_owned(),
    ];
    if let Some(area) = number(report, "/regions/min_area_m2") {
        said.push(format!("Smaller ones than {area} m² were dropped."));
    }
    said
}

fn verdicts(report: &SiteReport) -> Vec<String> {
    let [observed, outside, edge, seen] = [
        "min_observed_fraction",
        "max_outside_fraction",
        "max_unobserved_edge",
        "min_seen_m2",
    ]
    .map(|key| number(report, &format!("/judge/{key}")));
    let mut said = Vec::new();
    if let Some(part) = outside {
        said.push(format!(
            "A change is consistent when it lies in the areas of declared activities, each with its tolerance, whose windows meet the \
             time in which it happened; up to {} of it may lie outside.",
            percent(part)
        ));
        said.push(
            "It is an over-run when it touches a declared area but lies beyond it or its window, and undeclared when it touches none."
                .to_owned(),
        );
    }
    if let Some(part) = edge {
        said.push(format!(
            "One that is not consistent is inconclusive when {} or more of its edge borders on ground that was not observed.",
            percent(part)
        ));
    }
    if let Some(area) = seen.filter(|_| !report.activities.is_empty()) {
        said.push(format!(
            "A declared activity counts as seen from {area} m² of change in its area and window on, and as not seen when its window \
             has passed without."
        ));
    }
    if let Some(part) = observed {
        said.push(format!(
            "A site, or the area of an activity, of which less than {} was observed is not observable.",
            percent(part)
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::english::parameters::DEFAULTS;
    use crate::report::sample;
    use crate::stage::detect::Detector;

    /// The sample, with all parameters.
    fn report() -> SiteReport {
        let mut report = sample::full();
        report.parameters = toml::from_str(DEFAULTS).unwrap();
        report
    }

    fn all(report: &SiteReport) -> String {
        methods(report)
            .into_iter()
            .flat_map(|(_, sentences)| sentences)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn methods_say_what_is_true_of_this_report() {
        let said = all(&report());
        for part in [
            "The newest scene was compared with the one before it.",
            "pixels of 10 m, EPSG:32631",
            "georeference",
            "nearer than 60 m to cloud, cirrus or shadow",
            "the least changed 50 % of the pixels",
            "difference: how far",
            "at most 1 % of the pixels",
            "Smaller ones than 400 m²",
            "up to 10 % of it may lie outside",
            "almost certain 95 to 99 %",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
        for part in ["phase correlation", "irmad", "otsu", "joined", "In 1 comparison"] {
            assert!(!said.contains(part), "{part}");
        }
    }

    #[test]
    fn what_is_not_on_record_is_not_said() {
        let mut report = sample::unobserved();
        report.parameters = Value::Null;
        report.grid = None;
        let said: Vec<&str> = methods(&report).iter().map(|(heading, _)| *heading).collect();
        assert_eq!(said, ["Alignment", "What could not be judged"]);
        assert!(!all(&sample::quiet()).contains("chance"));
    }

    #[test]
    fn detectors_that_were_joined_are_told_one_by_one() {
        let mut report = report();
        report.comparisons[0].detectors = vec![Detector::Irmad, Detector::Rcva];
        report.comparisons[0].rule = Some(Rule::Sum);
        let said = all(&report);
        assert!(said.contains("irmad: the") && said.contains("rcva: each") && said.contains("joined (sum)"));
        assert!(said.contains("For rcva and irmad, both dates were smoothed"));
    }
}
