//! The same ground on both dates, as the page shows it: pictures, outlines, and what is written over them.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::svg::{self, Window};
use crate::report::english::labels as say;
use crate::report::pictures::gallery::{Chip, Outlines, Rings};
use crate::report::pictures::rendition::Rendition;

/// Pins that show their numbers on the whole picture, at most.
const MAX_NUMBERS: usize = 60;

/// A picture of each date, to be laid beside or over each other.
pub(super) struct Viewer {
    /// What it shows, for those who do not see it.
    pub label: String,
    pub before: Side,
    pub after: Side,
    /// What is visible at first, in pixels of the site grid.
    pub window: Window,
    /// What the pictures cover.
    pub frame: Window,
    /// Edge of a pixel of the grid, metres.
    pub pixel_m: f64,
    /// Classes that tell which renditions there are, each with a blank before it.
    pub ways: String,
    pub outlines: Vec<Outline>,
    pub pins: Vec<Mark>,
    pub tags: Vec<Mark>,
}

/// One date.
pub(super) struct Side {
    pub class: &'static str,
    pub label: String,
    /// Written over the picture.
    pub date: String,
    pub caption: &'static str,
    pub scene: String,
    pub images: Vec<Image>,
    pub score: Option<String>,
}

/// A picture: its class in the style sheet, and the address that holds it.
pub(super) struct Image {
    pub class: &'static str,
    pub uri: String,
}

/// A shape that is drawn by reference.
pub(super) struct Outline {
    pub id: String,
    pub class: String,
}

/// A word at a place: in pixels of the site grid, and in per cent of the window.
pub(super) struct Mark {
    pub text: String,
    pub class: &'static str,
    pub x: f64,
    pub y: f64,
    pub left: f64,
    pub top: f64,
}

impl Mark {
    pub(super) fn new(window: &Window, text: String, class: &'static str, (x, y): (f64, f64)) -> Self {
        let (left, top) = window.place(x, y);
        Self {
            text,
            class,
            x,
            y,
            left,
            top,
        }
    }
}

/// Names of both dates: scenes and days.
pub(super) struct Dates<'a> {
    pub scenes: [&'a str; 2],
    pub days: [String; 2],
}

impl Viewer {
    /// A viewer of `chip`, or of outlines alone; `None` when it would show nothing at all.
    pub(super) fn new(
        what: &str,
        dates: &Dates<'_>,
        window: Window,
        chip: Option<&Chip>,
        pixel_m: f64,
    ) -> Option<Self> {
        let frame = match chip {
            Some(chip) => Window::new(chip.window_px.map(|v| v as f64), pixel_m)?,
            None => window.clone(),
        };
        let side = |place: usize, class: &'static str, caption: &'static str| Side {
            class,
            caption,
            label: format!("{what}, {caption} {}", dates.days[place]),
            date: format!("{caption} {}", dates.days[place]),
            scene: dates.scenes[place].to_owned(),
            images: chip.map_or(Vec::new(), |chip| images(chip, place)),
            score: chip.and_then(|chip| chip.score.as_deref()).map(data_uri),
        };
        let ways = chip.into_iter().flat_map(|chip| &chip.dates);
        Some(Self {
            label: format!("{what}: {}", say::VIEWER),
            before: side(0, "before", say::BEFORE),
            after: side(1, "after", say::AFTER),
            ways: ways.map(|(way, _)| format!(" has-{}", way.word())).collect(),
            window,
            frame,
            pixel_m,
            outlines: Vec::new(),
            pins: Vec::new(),
            tags: Vec::new(),
        })
    }

    /// The class of its pins where there are so many that numbers would hide the ground until it is zoomed.
    pub(super) fn crowd(&self) -> &'static str {
        if self.pins.len() > MAX_NUMBERS { " many" } else { "" }
    }

    /// The renditions of its pictures.
    pub(super) fn renditions(chip: &Chip) -> impl Iterator<Item = Rendition> + '_ {
        chip.dates.iter().map(|(way, _)| *way)
    }
}

fn images(chip: &Chip, date: usize) -> Vec<Image> {
    let image = |(way, dates): &(Rendition, [Vec<u8>; 2])| Image {
        class: way.word(),
        uri: data_uri(&dates[date]),
    };
    chip.dates.iter().map(image).collect()
}

/// A picture as an address that holds it.
fn data_uri(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let kind = match image::guess_format(bytes) {
        Ok(image::ImageFormat::Jpeg) => "jpeg",
        _ => "png",
    };
    format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
}

/// A shape of the page, defined once.
pub(super) struct Shape {
    pub id: String,
    pub path: String,
}

impl Shape {
    pub(super) fn new(id: String, rings: &Rings) -> Self {
        Self {
            id,
            path: svg::path(rings),
        }
    }
}

/// Names of shapes in the page.
pub(super) const SITE_SHAPE: &str = "site-outline";

/// The name of the shape of the activity `id`; `None` when it has none.
pub(super) fn activity_shape(outlines: &Outlines, id: &str) -> Option<String> {
    let place = outlines.activities.keys().position(|known| known == id)?;
    Some(format!("d{}", place + 1))
}

/// The name of the shape of the anomaly with this number.
pub(super) fn anomaly_shape(number: usize) -> String {
    format!("o{number}")
}
