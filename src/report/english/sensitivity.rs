//! How small a change would have been found, in words.

use super::{days, share, was_judged};
use crate::finding::{AreaSensitivity, ChangeSensitivity, Comparison, DetectableSize};
use crate::report::format::{grouped, three_figures};

/// The probability that the sentence tells.
const TOLD: f64 = 0.9;
/// Contrasts of which the sizes are told, sigma.
const CONTRASTS: [f64; 2] = [3.0, 6.0];

/// From which area on a change would have been found, in a sentence; `None` where that was not measured.
pub(in crate::report) fn of_sensitivity(comparison: &Comparison) -> Option<String> {
    let site = comparison.sensitivity.as_ref()?.areas.first()?;
    if !was_judged(comparison) {
        return None;
    }
    let told: Vec<(&ChangeSensitivity, &DetectableSize)> = headline(site)
        .into_iter()
        .filter(|(_, size)| size.probability == TOLD)
        .collect();
    let (found, missed): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, size)| size.size_m2.is_some());
    let days = days(&comparison.dates);
    let place = match share(comparison.coverage.observed, comparison.coverage.pixels) {
        all if all == "100 %" => format!("On the site, all of which was observed ({days})"),
        part => format!("In the {part} of the site that was observed ({days})"),
    };
    let names = |list: &[(&ChangeSensitivity, &DetectableSize)]| {
        let names = list.iter().map(|(change, size)| name(change, size.contrast_sigma));
        names.collect::<Vec<_>>().join(", ")
    };
    let sizes: Vec<String> = found
        .iter()
        .map(|(change, size)| format!("{}, {}", name(change, size.contrast_sigma), area(size, change)))
        .collect();
    let largest = |list: &[(&ChangeSensitivity, &DetectableSize)]| {
        let areas = list
            .iter()
            .filter_map(|(change, _)| range(change))
            .map(|(_, largest)| largest);
        square_metres(areas.fold(0.0, f64::max))
    };
    Some(match (sizes.is_empty(), missed.is_empty()) {
        (true, true) => format!(
            "{place}, it was not measured how small a change would have been found: no place was left to try it."
        ),
        (true, false) => format!(
            "{place}, none of these changes would have been found with 90 % probability at any area up to {}: {}.",
            largest(&missed),
            names(&missed)
        ),
        (false, true) => format!(
            "{place}, an undeclared change would have been found with 90 % probability from these areas on: {}.",
            sizes.join("; ")
        ),
        (false, false) => format!(
            "{place}, an undeclared change would have been found with 90 % probability from these areas on: {}; not so often at any area up to {}: {}.",
            sizes.join("; "),
            largest(&missed),
            names(&missed)
        ),
    })
}

/// The changes that the sentence and the figure tell of: new surfaces; where there are none, darker and brighter ground.
pub(in crate::report) fn headline(area: &AreaSensitivity) -> Vec<(&ChangeSensitivity, &DetectableSize)> {
    let told = told(area);
    let surfaces = told.iter().filter(|(_, size)| size.contrast_sigma.is_none());
    let surfaces: Vec<_> = surfaces.copied().collect();
    if surfaces.is_empty() { told } else { surfaces }
}

/// The changes and sizes that the table tells of.
pub(in crate::report) fn told(area: &AreaSensitivity) -> Vec<(&ChangeSensitivity, &DetectableSize)> {
    let tells = |size: &&DetectableSize| size.contrast_sigma.is_none_or(|sigma| CONTRASTS.contains(&sigma));
    let of = |change| move |size| (change, size);
    let changes = area.changes.iter();
    changes
        .flat_map(|change| change.sizes.iter().filter(tells).map(of(change)))
        .collect()
}

/// A kind of change.
pub(in crate::report) fn name(change: &ChangeSensitivity, contrast_sigma: Option<f64>) -> String {
    match (change.change.as_str(), contrast_sigma) {
        ("roof", _) => "new roof".to_owned(),
        ("concrete", _) => "new concrete".to_owned(),
        ("bare_soil", _) => "bare soil".to_owned(),
        (word, Some(sigma)) => format!("{word} by {sigma} σ in every band"),
        (word, None) => word.replace('_', " "),
    }
}

/// The least and the greatest area that was tried, square metres.
fn range(change: &ChangeSensitivity) -> Option<(f64, f64)> {
    let sizes = || change.tried.iter().map(|tried| tried.size_m2);
    Some((sizes().reduce(f64::min)?, sizes().reduce(f64::max)?))
}

/// An area from which on a change is found.
fn area(size: &DetectableSize, change: &ChangeSensitivity) -> String {
    match (size.size_m2, range(change)) {
        (Some(m2), Some((least, _))) if m2 <= least => format!("{} or less", square_metres(m2)),
        (Some(m2), _) => square_metres(m2),
        (None, Some((_, most))) => format!("not up to {}", square_metres(most)),
        (None, None) => "not tried".to_owned(),
    }
}

/// The same with its interval.
pub(in crate::report) fn area_and_interval(size: &DetectableSize, change: &ChangeSensitivity) -> String {
    let interval = match (size.low_m2, size.high_m2) {
        (Some(low), Some(high)) if low == high => String::new(),
        (Some(low), Some(high)) => format!(" ({} to {})", figure(low), figure(high)),
        (Some(low), None) => format!(" ({} to more than was tried)", figure(low)),
        (None, _) => String::new(),
    };
    format!("{}{interval}", area(size, change))
}

/// How many were found of those that were tried.
pub(in crate::report) fn found_of(change: &ChangeSensitivity, contrast_sigma: Option<f64>) -> String {
    let same = || {
        change
            .tried
            .iter()
            .filter(|tried| tried.contrast_sigma == contrast_sigma)
    };
    let sum = |of: fn(&crate::finding::Tried) -> u64| same().map(of).sum::<u64>();
    format!("{} of {}", sum(|tried| tried.found), sum(|tried| tried.injected))
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
    let range = area.changes.iter().find_map(range);
    let (least, most) = range.map_or_else(Default::default, |(least, most)| {
        (square_metres(least), square_metres(most))
    });
    vec![
        format!(
            "{} squares of {least} to {most} were put into the later scene, one at a time, at places drawn evenly over the judged ground \
             without anomalies, and the whole measurement was run on them. A square counts as found when an anomaly touches it.",
            grouped(area.injected)
        ),
        "The areas come from a curve through the shares that were found; in brackets their 95 % intervals. A probability of 90 % means \
         that of ten such changes at places taken at random nine are found: on ground that looks like the new surface already, none may be."
            .to_owned(),
        "σ is the no-change noise of each band. New surfaces have a typical reflectance of their kind; real ones differ. Where a scene is \
         not corrected for the atmosphere, they are painted as they are on the ground."
            .to_owned(),
    ]
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
    fn the_sentence_says_what_was_reached_and_what_was_not() {
        let mut comparison = sample::full().comparisons.swap_remove(0);
        assert_eq!(
            of_sensitivity(&comparison).unwrap(),
            "In the 87.0 % of the site that was observed (2020-02-11 to 2020-07-05), an undeclared change would have been found with 90 % \
             probability from these areas on: new roof, 240 m²; bare soil, 1\u{202f}130 m²."
        );
        let site = &mut comparison.sensitivity.as_mut().unwrap().areas[0];
        site.changes[2].sizes[1].size_m2 = None;
        site.changes[1].sizes[1].size_m2 = Some(100.0);
        let said = of_sensitivity(&comparison).unwrap();
        assert!(
            said.ends_with("new roof, 100 m² or less; not so often at any area up to 6\u{202f}400 m²: bare soil."),
            "{said}"
        );
        // Without spectra it is told of darker and brighter ground, here of darker alone, which is not reached.
        let site = &mut comparison.sensitivity.as_mut().unwrap().areas[0];
        site.changes.truncate(1);
        site.changes[0].sizes[1].size_m2 = None;
        let said = of_sensitivity(&comparison).unwrap();
        assert!(
            said.ends_with(
                "none of these changes would have been found with 90 % probability at any area up to 6\u{202f}400 m²: darker by 6 σ in every band."
            ),
            "{said}"
        );
        comparison.observable = false;
        assert_eq!(of_sensitivity(&comparison), None);
        comparison.sensitivity = None;
        assert_eq!(of_sensitivity(&comparison), None);
    }
}
