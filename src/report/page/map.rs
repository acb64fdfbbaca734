//! The site from above: both dates of the newest comparison, and what is declared and found, drawn on them.

use super::card::Card;
use super::svg::{self, Window};
use super::viewer::{Dates, Mark, Outline, SITE_SHAPE, Shape, Viewer, activity_shape, anomaly_shape};
use crate::finding::{SiteReport, VERDICTS};
use crate::report::english::{self, labels as say};
use crate::report::pictures::gallery::{Gallery, Outlines, Rings};

/// The site from above.
pub(super) struct Map {
    pub viewer: Viewer,
    /// Every shape that the page draws.
    pub shapes: Vec<Shape>,
    pub caption: String,
    pub legend: Vec<Entry>,
}

/// A kind of line and what it stands for.
pub(super) struct Entry {
    pub class: String,
    pub words: String,
}

impl Map {
    /// `None` without a site grid or a comparison: there is nothing to draw on.
    pub(super) fn new(
        report: &SiteReport,
        gallery: &Gallery,
        outlines: &Outlines,
        cards: &[&Card<'_>],
        not_shown: usize,
    ) -> Option<Self> {
        let grid = report.grid.as_ref()?;
        let newest = report.comparisons.last()?;
        let window = Window::new([0.0, 0.0, grid.width as f64, grid.height as f64], grid.pixel_m)?;
        let dates = Dates::of(report, newest);
        let mut viewer = Viewer::new(
            &say::map(cards.len()),
            &dates,
            window.clone(),
            gallery.site.as_ref(),
            grid.pixel_m,
        )?;

        let mut shapes = Vec::new();
        let mut draw = |id: String, class: &str, rings: &Rings| {
            shapes.push(Shape::new(id.clone(), rings));
            viewer.outlines.push(Outline {
                id,
                class: class.to_owned(),
            });
        };
        for (place, rings) in outlines.zones.values().enumerate() {
            draw(format!("z{}", place + 1), "zone", rings);
        }
        for (id, rings) in &outlines.activities {
            if let Some(shape) = activity_shape(outlines, id) {
                draw(shape, "activity", rings);
            }
        }
        draw(SITE_SHAPE.to_owned(), "site", &outlines.site);
        for card in cards {
            if let Some(rings) = outlines.anomalies.get(&card.anomaly.id) {
                draw(anomaly_shape(card.number), &format!("v-{}", card.class), rings);
            }
        }

        let tag = |(id, rings): (&String, &Rings), class: &'static str, low: bool| {
            let [left, top, _, bottom] = svg::bounds(rings)?;
            let place = (left, if low { bottom } else { top });
            Some(Mark::new(&window, id.clone(), class, place))
        };
        let zones = outlines.zones.iter().filter_map(|zone| tag(zone, "of-zone", false));
        let activities = outlines.activities.iter();
        viewer.tags = zones
            .chain(activities.filter_map(|one| tag(one, "of-activity", true)))
            .collect();
        // What has to be reviewed lies on top.
        viewer.pins = cards.iter().rev().map(|card| pin(card, &window)).collect();
        Some(Self {
            caption: say::map_caption(newest.normalisation.is_some(), cards.len(), not_shown),
            legend: legend(outlines, cards),
            viewer,
            shapes,
        })
    }
}

impl<'a> Dates<'a> {
    /// Those of a comparison.
    pub(super) fn of(report: &'a SiteReport, comparison: &'a crate::finding::Comparison) -> Self {
        let scenes = [comparison.before.as_str(), comparison.after.as_str()];
        let day = |id: &str| {
            let scene = report.scenes.iter().find(|scene| scene.id == id);
            scene.map_or_else(String::new, |scene| english::days(&scene.acquired))
        };
        Self {
            days: scenes.map(day),
            scenes,
        }
    }
}

fn pin(card: &Card<'_>, window: &Window) -> Mark {
    let [x, y, w, h] = card.anomaly.bounds_px.map(|v| v as f64);
    Mark::new(window, card.number.to_string(), card.class, (x + w / 2.0, y + h / 2.0))
}

fn legend(outlines: &Outlines, cards: &[&Card<'_>]) -> Vec<Entry> {
    let entry = |class: &str, words: &str| Entry {
        class: class.to_owned(),
        words: words.to_owned(),
    };
    let mut legend = vec![entry("site", say::SITE_BOUNDARY)];
    if !outlines.zones.is_empty() {
        legend.push(entry("zone", say::ZONE));
    }
    if !outlines.activities.is_empty() {
        legend.push(entry("activity", say::ACTIVITY_AREA));
    }
    for verdict in VERDICTS.iter().map(|row| row.verdict) {
        if let Some(card) = cards.iter().find(|card| card.anomaly.verdict == verdict) {
            legend.push(entry(&format!("v-{}", card.class), &say::change_of(verdict)));
        }
    }
    legend
}
