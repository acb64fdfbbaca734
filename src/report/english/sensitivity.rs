//! How small a change would have been found, in words.

use super::words::{days, share, was_judged};
use crate::finding::{AreaSensitivity, ChangeSensitivity, Comparison, DetectableSize};
use crate::report::format::{grouped, three_figures};

/// The probability that the sentence tells.
const TOLD: f64 = 0.9;
/// From this contrast on darker and brighter ground is told of, sigma.
const MIN_CONTRAST: f64 = 2.0;
/// From this on where a sentence tells of it.
const STRONG: f64 = 6.0;

/// From which area on a change would have been found, in a sentence; `None` where that was not measured.
pub(in crate::report) fn of_sensitivity(comparison: &Comparison) -> Option<String> {
    let site = comparison.sensitivity.as_ref()?.areas.first()?;
    if !was_judged(comparison) {
        return None;
    }
    let days = days(&comparison.dates);
    let place = match share(comparison.coverage.observed, comparison.coverage.pixels) {
        all if all == "100 %" => format!("On the site, all of which was observed ({days})"),
        part => format!("In the {part} of the site that was observed ({days})"),
    };
    if site.injected == 0 {
        return Some(format!(
            "{place}, it was not measured how small a change would have been found: no place was left to try it."
        ));
    }
    let (found, missed): (Vec<_>, Vec<_>) = headline(site).into_iter().partition(|change| sure(change).is_some());
    let sizes = found.iter().filter_map(|change| {
        let (m2, least) = (sure(change)?, range_of(change)?.0);
        let words = if m2 <= least { " or less" } else { "" };
        Some(format!("{}, {}{words}", name(change), square_metres(m2)))
    });
    let sizes = sizes.collect::<Vec<_>>().join("; ");
    let names = missed.iter().map(|change| name(change)).collect::<Vec<_>>().join(", ");
    let largest = range(site).map_or_else(String::new, |(_, largest)| square_metres(largest));
    let claim = "an undeclared change would have been found with at least 90 % probability (at 95 % confidence)";
    Some(match (found.is_empty(), missed.is_empty()) {
        (true, _) => format!(
            "{place}, no area up to {largest} is shown to be enough for a change to be found with 90 % probability: {names}."
        ),
        (false, true) => format!("{place}, {claim} from these areas on: {sizes}."),
        (false, false) => format!(
            "{place}, {claim} from these areas on: {sizes}; no area up to {largest} is shown to be enough for: {names}."
        ),
    })
}

/// The area from which on at least 90 % are found, on the safe side: the upper end of the interval, as in tests of inspections (`a90/95`
/// of MIL-HDBK-1823A, "Nondestructive evaluation system reliability assessment", 2009).
fn sure(change: &ChangeSensitivity) -> Option<f64> {
    size_at(change, TOLD)?.high_m2
}

/// The changes that the sentence and the figure tell of: new surfaces; where there are none, much darker and brighter ground.
pub(in crate::report) fn headline(area: &AreaSensitivity) -> Vec<&ChangeSensitivity> {
    let surfaces: Vec<_> = area
        .changes
        .iter()
        .filter(|change| change.contrast_sigma.is_none())
        .collect();
    if surfaces.is_empty() {
        let strong = |change: &&ChangeSensitivity| change.contrast_sigma.is_some_and(|sigma| sigma >= STRONG);
        return area.changes.iter().filter(strong).collect();
    }
    surfaces
}

/// The changes that the table tells of.
pub(in crate::report) fn told(area: &AreaSensitivity) -> impl Iterator<Item = &ChangeSensitivity> {
    let tells = |change: &&ChangeSensitivity| change.contrast_sigma.is_none_or(|sigma| sigma >= MIN_CONTRAST);
    area.changes.iter().filter(tells)
}

fn size_at(change: &ChangeSensitivity, probability: f64) -> Option<&DetectableSize> {
    change.sizes.iter().find(|size| size.probability == probability)
}

/// The least and the greatest area that was tried, square metres.
pub(in crate::report) fn range(area: &AreaSensitivity) -> Option<(f64, f64)> {
    area.changes.iter().find_map(range_of)
}

fn range_of(change: &ChangeSensitivity) -> Option<(f64, f64)> {
    Some((change.tried.first()?.from_m2, change.tried.last()?.to_m2))
}

/// A kind of change.
pub(in crate::report) fn name(change: &ChangeSensitivity) -> String {
    match (change.change.as_str(), change.contrast_sigma) {
        ("roof", _) => "new roof".to_owned(),
        ("concrete", _) => "new concrete".to_owned(),
        ("bare_soil", _) => "bare soil".to_owned(),
        (word, Some(sigma)) => format!("{word} by {sigma} σ"),
        (word, None) => word.replace('_', " "),
    }
}

/// An area from which on a change is found with `probability`.
fn area(change: &ChangeSensitivity, probability: f64) -> String {
    match (
        size_at(change, probability).and_then(|size| size.size_m2),
        range_of(change),
    ) {
        (Some(m2), Some((least, _))) if m2 <= least => format!("{} or less", square_metres(m2)),
        (Some(m2), _) => square_metres(m2),
        (None, Some((_, most))) => format!("not up to {}", square_metres(most)),
        (None, None) => "not tried".to_owned(),
    }
}

/// The same with its interval.
pub(in crate::report) fn area_and_interval(change: &ChangeSensitivity, probability: f64) -> String {
    let size = size_at(change, probability);
    let over = range_of(change).map_or_else(String::new, |(_, most)| figure(most));
    let interval = match size.map(|size| (size.size_m2, size.low_m2, size.high_m2)) {
        Some((Some(_), Some(low), Some(high))) if low < high => format!(" ({} to {})", figure(low), figure(high)),
        Some((Some(_), Some(low), None)) => format!(" ({} to over {over})", figure(low)),
        _ => String::new(),
    };
    format!("{}{interval}", area(change, probability))
}

/// How many were found of those that were tried.
pub(in crate::report) fn found_of(change: &ChangeSensitivity) -> String {
    let found: u64 = change.tried.iter().map(|tried| tried.found).sum();
    let injected: u64 = change.tried.iter().map(|tried| tried.injected).sum();
    format!("{found} of {injected}")
}

fn figure(m2: f64) -> String {
    grouped(three_figures(m2).round() as u64)
}

/// An area in words.
pub(in crate::report) fn square_metres(m2: f64) -> String {
    format!("{} m²", figure(m2))
}

/// How it was measured.
pub(in crate::report) fn explained(area: &AreaSensitivity) -> Vec<String> {
    let (least, most) = range(area).map_or_else(Default::default, |(least, most)| {
        (square_metres(least), square_metres(most))
    });
    vec![
        format!(
            "{} squares of {least} to {most} were put into the later scene, one at a time, at places drawn evenly over the judged ground \
             without anomalies, and the whole measurement was run on them. A square counts as found when an anomaly touches it.",
            grouped(area.injected)
        ),
        "The areas come from a curve through the shares that were found; in brackets their 95 % intervals, of which the sentence above \
         takes the upper end. A probability of 90 % means \
         that of ten such changes at places taken at random nine are found: on ground that looks like the new surface already, none may be."
            .to_owned(),
        "Darker and brighter is every band, by so many σ of its no-change noise. New surfaces have a typical reflectance of their kind; real ones differ. Where a scene is \
         not corrected for the atmosphere, they are painted as they are on the ground."
            .to_owned(),
    ]
}

/// What was left out, as a sentence.
pub(in crate::report) fn note(note: &str) -> String {
    super::words::capitalised(format!("{note}."))
}

/// The figure in words.
pub(in crate::report) fn curves(names: &[&str]) -> String {
    format!("Curves of detection over the area of the change: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_sentence_says_what_is_sure_and_what_is_not() {
        let mut comparison = sample::full().comparisons.swap_remove(0);
        let said = |comparison: &Comparison| of_sensitivity(comparison).unwrap().replace('\u{202f}', " ");
        assert_eq!(
            said(&comparison),
            "In the 87.0 % of the site that was observed (2020-02-11 to 2020-07-05), an undeclared change would have been found with at \
             least 90 % probability (at 95 % confidence) from these areas on: new roof, 310 m²; bare soil, 1 720 m²."
        );
        let changes = |comparison: &mut Comparison, change: fn(&mut Vec<ChangeSensitivity>)| {
            change(&mut comparison.sensitivity.as_mut().unwrap().areas[0].changes);
        };
        changes(&mut comparison, |all| {
            all[1].sizes[1].high_m2 = Some(100.0);
            all[2].sizes[1].high_m2 = None;
        });
        let told = said(&comparison);
        assert!(
            told.ends_with("new roof, 100 m² or less; no area up to 6 400 m² is shown to be enough for: bare soil."),
            "{told}"
        );
        // Without spectra it is told of darker and brighter ground, here of darker alone.
        changes(&mut comparison, |all| {
            all.truncate(1);
            all[0].sizes[1].high_m2 = None;
        });
        let told = said(&comparison);
        assert!(
            told.contains("no area up to 6 400 m² is shown to be enough") && told.ends_with(": darker by 6 σ."),
            "{told}"
        );
        comparison.observable = false;
        assert_eq!(of_sensitivity(&comparison), None);
        comparison.sensitivity = None;
        assert_eq!(of_sensitivity(&comparison), None);
    }
}
