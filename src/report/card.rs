//! An anomaly as report.html shows it: its place, both dates, and what speaks for the verdict and against it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::format::{class, place};
use super::pictures::Pictures;
use super::svg::{self, Window};
use crate::finding::{Anomaly, Evidence};

/// One anomaly.
#[derive(Serialize)]
pub(super) struct Card<'a> {
    pub number: usize,
    pub anomaly: &'a Anomaly,
    pub class: &'static str,
    pub words: &'static str,
    place: String,
    size: Option<String>,
    pair: Option<Pair>,
    supports: Vec<&'a Evidence>,
    against: Vec<&'a Evidence>,
}

#[derive(Serialize)]
struct Pair {
    before: String,
    after: String,
    window: Window,
    outline: String,
    declared: String,
}

impl<'a> Card<'a> {
    pub(super) fn new(number: usize, anomaly: &'a Anomaly, pixel_m: Option<f64>, pictures: &Pictures) -> Self {
        let pair = pixel_m
            .zip(pictures.chips.get(&anomaly.id))
            .and_then(|(pixel_m, chip)| {
                let declared = anomaly
                    .activities
                    .iter()
                    .filter_map(|id| pictures.activity_outlines.get(id));
                Some(Pair {
                    before: data_uri(&chip.before),
                    after: data_uri(&chip.after),
                    window: Window::new(chip.window_px.map(|v| v as f64), pixel_m)?,
                    outline: pictures
                        .outlines
                        .get(&anomaly.id)
                        .map(|rings| svg::path(rings))
                        .unwrap_or_default(),
                    declared: declared.map(|rings| svg::path(rings)).collect(),
                })
            });
        let [_, _, w, h] = anomaly.bounds_px.map(|v| v as f64);
        let (supports, against) = anomaly.evidence.iter().partition(|e| e.supports);
        Self {
            number,
            anomaly,
            class: class(anomaly.verdict),
            words: anomaly.verdict.words(),
            place: place(anomaly.centroid),
            size: pixel_m
                .and_then(|m| Window::new([0.0, 0.0, w, h], m))
                .map(|window| window.size),
            pair,
            supports,
            against,
        }
    }
}

/// A picture as an address that holds it.
pub(super) fn data_uri(bytes: &[u8]) -> String {
    let kind = match image::guess_format(bytes) {
        Ok(image::ImageFormat::Jpeg) => "jpeg",
        _ => "png",
    };
    format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
}
