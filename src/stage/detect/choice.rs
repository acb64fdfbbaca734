//! Which of the named detectors a comparison uses, and why it does not use the others.

use super::DetectParams;
use super::params::Detector;
use super::table::{MadeFor, Row, row};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Radar scenes, not optical ones.
    pub radar: bool,
    /// A series, not a pair.
    pub series: bool,
}

impl Row {
    fn is_of_kind(&self, radar: bool) -> bool {
        match self.made_for {
            MadeFor::Any => true,
            MadeFor::Radar => radar,
            MadeFor::Optical => !radar,
        }
    }

    fn suits(&self, setting: Setting) -> bool {
        self.is_of_kind(setting.radar) && (setting.series || !self.needs_series)
    }
}

/// The detectors of a comparison; `best` where none is named that suits it.
pub fn chosen(params: &DetectParams, setting: Setting, best: Detector) -> Vec<Detector> {
    let suit = |word: &Detector| row(*word).is_some_and(|row| row.suits(setting));
    let suitable: Vec<Detector> = named(params).iter().copied().filter(suit).collect();
    if suitable.is_empty() { vec![best] } else { suitable }
}

/// Which of the named detectors none of the comparisons can use, and why.
pub fn unused(params: &DetectParams, comparisons: &[Setting]) -> Vec<(Detector, &'static str)> {
    let why = |row: &Row| {
        if !comparisons.iter().any(|setting| row.is_of_kind(setting.radar)) {
            return Some(match row.made_for {
                MadeFor::Radar => "it is made for radar, and these scenes are optical",
                _ => "it is made for optical scenes, and these are radar",
            });
        }
        let is_used = comparisons.iter().any(|setting| row.suits(*setting));
        (!is_used).then_some("it needs a series: compare.which = \"newest-against-history\"")
    };
    let rows = named(params).iter().filter_map(|word| row(*word));
    rows.filter_map(|row| Some((row.detector, why(row)?))).collect()
}

/// Whether all tracks of radar scenes, and optical scenes where there are any, are judged together.
pub fn joins_tracks(params: &DetectParams) -> bool {
    let is_radar = |word: &Detector| row(*word).is_some_and(|row| row.made_for == MadeFor::Radar);
    params.detector == Detector::Combine && params.combine.iter().any(is_radar)
}

fn named(params: &DetectParams) -> &[Detector] {
    match params.detector {
        Detector::Combine => &params.combine,
        _ => std::slice::from_ref(&params.detector),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_that_does_not_fit_is_told_with_the_reason() {
        let told = |detector: Detector, combine: &[Detector], comparisons: &[Setting]| {
            let params = DetectParams {
                detector,
                combine: combine.to_vec(),
                ..DetectParams::default()
            };
            let all = unused(&params, comparisons).into_iter();
            all.map(|(word, why)| (word, why.split(',').next().unwrap().split(':').next().unwrap()))
                .collect::<Vec<_>>()
        };
        const PAIR: Setting = Setting {
            radar: false,
            series: false,
        };
        const RADAR_PAIR: Setting = Setting { radar: true, ..PAIR };
        const RADAR_SERIES: Setting = Setting {
            series: true,
            ..RADAR_PAIR
        };
        let one = |detector| told(detector, &[], &[PAIR]);
        assert_eq!(one(Detector::Omnibus), [(Detector::Omnibus, "it is made for radar")]);
        assert_eq!(one(Detector::Logratio), [(Detector::Logratio, "it is made for radar")]);
        assert_eq!(one(Detector::History), [(Detector::History, "it needs a series")]);
        assert!(one(Detector::Auto).is_empty() && one(Detector::Regression).is_empty());
        let rcva = told(Detector::Rcva, &[], &[RADAR_SERIES]);
        assert_eq!(rcva, [(Detector::Rcva, "it is made for optical scenes")]);
        let both = [Detector::Regression, Detector::Logratio];
        assert!(told(Detector::Combine, &both, &[PAIR, RADAR_PAIR]).is_empty());
        assert_eq!(
            told(Detector::Combine, &both, &[PAIR]),
            [(Detector::Logratio, "it is made for radar")]
        );
    }
}
