//! An anomaly as report.html shows it: both dates, how likely and how sure, what speaks for the verdict and against it.

use super::svg::Window;
use super::viewer::{Dates, Outline, Viewer, activity_shape, anomaly_shape};
use crate::finding::{Anomaly, Comparison, SiteReport};
use crate::number::round;
use crate::report::english::{self, labels as say, likelihood as words};
use crate::report::format::{class, grouped, place, three_figures};
use crate::report::likelihood::{self, Level};
use crate::report::pictures::gallery::{Gallery, Outlines};

/// One anomaly.
pub(super) struct Card<'a> {
    pub number: usize,
    pub anomaly: &'a Anomaly,
    pub class: &'static str,
    pub words: &'static str,
    /// Rank of the verdict, most urgent first.
    pub severity: usize,
    pub headline: String,
    pub previous: Option<usize>,
    pub next: Option<usize>,
    pub viewer: Option<Viewer>,
    pub pictures_caption: String,
    pub probability: f64,
    pub likelihood: Option<String>,
    pub likelihood_words: String,
    pub confidence_rank: usize,
    pub confidence_words: &'static str,
    pub confidence: String,
    pub doubts: Vec<String>,
    pub supports: Vec<String>,
    pub against: Vec<String>,
    pub area: String,
    pub peak: String,
    pub between: String,
    pub zones: String,
    pub activities: String,
    pub facts: Vec<(&'static str, String)>,
    pub change_label: String,
    /// Band, mean change, the same in sigma.
    pub change: Vec<[String; 3]>,
}

/// What cards of one comparison share.
pub(super) struct Deck<'a> {
    pub report: &'a SiteReport,
    pub comparison: &'a Comparison,
    pub gallery: &'a Gallery,
    pub outlines: &'a Outlines,
    /// The likelihood of each anomaly.
    pub likelihoods: Option<Vec<f64>>,
}

impl<'a> Deck<'a> {
    /// The card of the anomaly at `index` in the record, with its number on the page.
    pub(super) fn card(&self, number: usize, index: usize) -> Card<'a> {
        let anomaly = &self.comparison.anomalies[index];
        let pixel_m = self.report.grid.as_ref().map(|grid| grid.pixel_m);
        let probability = self.likelihoods.as_ref().and_then(|all| all.get(index)).copied();
        let confidence = likelihood::of_anomaly(self.comparison, anomaly);
        let level = confidence.as_ref().map(|found| found.level());
        let texts = |supports: bool| {
            let said = english::evidence::reasons(&anomaly.evidence, supports, None);
            said.into_iter().map(english::capitalised).collect()
        };
        let area = grouped(anomaly.area_m2.max(0.0).round() as u64);
        let peak = format!("{:.1}", round(anomaly.peak_sigma, 1));
        let viewer = pixel_m.and_then(|pixel_m| self.viewer(number, anomaly, pixel_m));
        let declared = anomaly
            .activities
            .iter()
            .any(|id| self.outlines.activities.contains_key(id));
        Card {
            number,
            anomaly,
            class: class(anomaly.verdict),
            words: anomaly.verdict.words(),
            severity: anomaly.verdict.severity(),
            headline: say::headline(&area, &peak),
            previous: None,
            next: None,
            pictures_caption: say::pictures_caption(self.comparison.normalisation.is_some(), declared),
            viewer,
            probability: probability.unwrap_or(0.0),
            likelihood: probability.map(|p| words::likelihood(p, &anomaly.dates)),
            likelihood_words: probability.map_or_else(|| say::UNKNOWN.to_owned(), words::likelihood_words),
            confidence_rank: match level {
                None => 0,
                Some(Level::Low) => 1,
                Some(Level::Moderate) => 2,
                Some(Level::High) => 3,
            },
            confidence_words: words::confidence_words(level),
            confidence: words::confidence(confidence.as_ref()),
            doubts: confidence.iter().flat_map(|found| words::doubts(found)).collect(),
            supports: texts(true),
            against: texts(false),
            between: say::between(&anomaly.dates),
            zones: say::list(&anomaly.zones),
            activities: say::list(&anomaly.activities),
            facts: facts(anomaly, pixel_m, &area),
            change_label: say::change_label(number),
            change: anomaly.change.iter().map(change).collect(),
            area,
            peak,
        }
    }

    fn viewer(&self, number: usize, anomaly: &Anomaly, pixel_m: f64) -> Option<Viewer> {
        let chip = self.gallery.chips.get(&anomaly.id)?;
        let window = Window::new(chip.window_px.map(|v| v as f64), pixel_m)?;
        let dates = Dates::of(self.report, self.comparison);
        let mut viewer = Viewer::new(&say::anomaly(number), &dates, window, Some(chip), pixel_m)?;
        for id in &anomaly.activities {
            if let Some(id) = activity_shape(self.outlines, id) {
                viewer.outlines.push(Outline {
                    id,
                    class: "activity".to_owned(),
                });
            }
        }
        if self.outlines.anomalies.contains_key(&anomaly.id) {
            viewer.outlines.push(Outline {
                id: anomaly_shape(number),
                class: format!("v-{}", class(anomaly.verdict)),
            });
        }
        Some(viewer)
    }
}

fn facts(anomaly: &Anomaly, pixel_m: Option<f64>, area: &str) -> Vec<(&'static str, String)> {
    let [_, _, w, h] = anomaly.bounds_px.map(|v| v as f64);
    let size = pixel_m
        .and_then(|m| Window::new([0.0, 0.0, w, h], m))
        .map(|window| window.size);
    let mut facts = vec![
        (say::CHANGED_BETWEEN, say::between(&anomaly.dates)),
        (say::CENTRE, place(anomaly.centroid)),
        (say::AREA, say::area(area, anomaly.pixels, size.as_deref())),
        (say::SCORES, say::scores(anomaly.peak_sigma, anomaly.mean_sigma)),
        (say::ZONES, say::list(&anomaly.zones)),
        (say::ACTIVITIES, say::list(&anomaly.activities)),
    ];
    if let Some((p, q)) = anomaly.p_value.zip(anomaly.q_value) {
        facts.insert(4, (say::CHANCE, say::chance(p, q)));
    }
    if !anomaly.votes.is_empty() {
        facts.push((say::DETECTORS, say::votes(&anomaly.votes)));
    }
    if let Some(course) = &anomaly.course {
        facts.push((say::COURSE, say::course(course)));
    }
    facts
}

fn change(band: &crate::finding::BandChange) -> [String; 3] {
    let signed = |value: f64| format!("{:+}", three_figures(value));
    let unit = band.unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
    [band.band.clone(), signed(band.mean) + &unit, signed(band.mean_sigma)]
}
