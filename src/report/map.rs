//! The site from above: its pictures, and what is declared and found, drawn on them.

use std::io::Cursor;

use serde::Serialize;

use super::card::{Card, data_uri};
use super::pictures::{Pictures, Rings};
use super::svg::{self, Window};
use super::{ReportError, words};
use crate::finding::SiteReport;

/// The site from above.
#[derive(Serialize)]
pub(super) struct Map {
    window: Window,
    picture: Option<Layer>,
    before: Option<Layer>,
    scene: Option<String>,
    scene_before: Option<String>,
    site: String,
    zones: Vec<Mark>,
    activities: Vec<Mark>,
    anomalies: Vec<Mark>,
}

/// A picture and its size in pixels of the site grid.
#[derive(Serialize)]
struct Layer {
    uri: String,
    width: f64,
    height: f64,
}

/// An outline with its label, placed in per cent of the map.
#[derive(Serialize)]
struct Mark {
    number: usize,
    class: &'static str,
    label: String,
    path: String,
    left: f64,
    top: f64,
}

impl Map {
    /// `None` without a site grid: there is nothing to draw on.
    pub(super) fn new<'a>(
        report: &SiteReport,
        pictures: &Pictures,
        cards: impl Iterator<Item = &'a Card<'a>>,
    ) -> Result<Option<Self>, ReportError> {
        let Some(grid) = &report.grid else { return Ok(None) };
        let Some(window) = Window::new([0.0, 0.0, grid.width as f64, grid.height as f64], grid.pixel_m) else {
            return Ok(None);
        };
        let mark =
            |number: usize, class: &'static str, label: String, rings: &Rings, corner: fn([f64; 4]) -> (f64, f64)| {
                let (x, y) = corner(svg::bounds(rings)?);
                let (left, top) = window.place(x, y);
                Some(Mark {
                    number,
                    class,
                    label,
                    path: svg::path(rings),
                    left,
                    top,
                })
            };
        let top_left = |[l, t, _, _]: [f64; 4]| (l, t);
        let bottom_left = |[l, _, _, b]: [f64; 4]| (l, b);
        let zones = pictures
            .zone_outlines
            .iter()
            .filter_map(|(id, rings)| mark(0, "zone", id.clone(), rings, top_left));
        let activities = report.activities.iter().filter_map(|a| {
            mark(
                0,
                "activity",
                a.id.clone(),
                pictures.activity_outlines.get(&a.id)?,
                bottom_left,
            )
        });
        let anomalies = cards.map(|card| {
            let [x, y, w, _] = card.anomaly.bounds_px.map(|v| v as f64);
            let (left, top) = window.place(x + w / 2.0, y);
            let outline = pictures.outlines.get(&card.anomaly.id);
            Mark {
                number: card.number,
                class: card.class,
                label: format!("anomaly {}: {}", card.number, card.words),
                path: outline.map(|rings| svg::path(rings)).unwrap_or_default(),
                left,
                top,
            }
        });
        let newest = report.comparisons.last();
        let scene = |id: Option<&String>| {
            id.map(|id| match report.scenes.iter().find(|s| s.id == *id) {
                Some(scene) => format!("{id}, {}", words::days(&scene.acquired)),
                None => id.clone(),
            })
        };
        let layer = |png: &Option<Vec<u8>>, what: &str| {
            png.as_ref()
                .map(|bytes| Layer::new(bytes, pictures.overview_scale, what))
                .transpose()
        };
        Ok(Some(Self {
            picture: layer(&pictures.overview, "the overview of the newest scene")?,
            before: layer(&pictures.overview_before, "the overview of the scene before")?,
            scene: scene(newest.map(|c| &c.after)),
            scene_before: scene(newest.map(|c| &c.before)),
            site: svg::path(&pictures.site_outline),
            zones: zones.collect(),
            activities: activities.collect(),
            anomalies: anomalies.collect(),
            window,
        }))
    }
}

impl Layer {
    fn new(bytes: &[u8], scale: f64, what: &str) -> Result<Self, ReportError> {
        if !(scale > 0.0 && scale.is_finite()) {
            let message = format!("expected a positive scale (picture pixels per grid pixel), found {scale}");
            return Err(ReportError::Picture {
                what: what.to_owned(),
                message,
            });
        }
        let failed = |source| ReportError::Image {
            what: what.to_owned(),
            source,
        };
        let reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format();
        let size = reader
            .map_err(image::ImageError::IoError)
            .and_then(|r| r.into_dimensions());
        let (width, height) = size.map_err(failed)?;
        Ok(Self {
            uri: data_uri(bytes),
            width: f64::from(width) / scale,
            height: f64::from(height) / scale,
        })
    }
}
