//! How small a change would have been found: the table and the figure of the page.

use std::fmt::Write;

use crate::finding::{AreaSensitivity, ChangeSensitivity, Comparison};
use crate::number::round;
use crate::report::english::{labels, of_sensitivity, sensitivity as words};

/// What `sensitivity.html` shows of one comparison.
pub(super) struct Sensitivity {
    pub(super) sentence: String,
    pub(super) explained: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) figure: Option<Figure>,
}

/// A kind of change in an area.
pub(super) struct Row {
    pub(super) area: String,
    pub(super) change: String,
    pub(super) half: String,
    pub(super) most: String,
    pub(super) found: String,
}

/// Curves of detection over the area, on the whole site.
pub(super) struct Figure {
    pub(super) aria: String,
    pub(super) curves: Vec<CurveLine>,
    /// Where areas are written: place and words.
    pub(super) sizes: Vec<(f64, String)>,
    /// Where probabilities are written.
    pub(super) levels: Vec<(f64, String)>,
}

/// A curve: the number of its class, its name, its path, and the shares that were found, as points.
pub(super) struct CurveLine {
    pub(super) class: usize,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// The frame of the figure: left, top, width, height in its units.
const FRAME: [f64; 4] = [48.0, 12.0, 560.0, 200.0];
/// Steps of a curve.
const STEPS: u32 = 60;
/// A share of fewer changes than this is not drawn.
const MIN_DRAWN: u64 = 10;

impl Sensitivity {
    /// What is shown of `comparison`, on a grid of pixels of `pixel_m2`; `None` where it was not measured.
    pub(super) fn new(comparison: &Comparison, pixel_m2: f64) -> Option<Self> {
        let measured = comparison.sensitivity.as_ref()?;
        let site = measured.areas.first()?;
        let rows = measured.areas.iter().flat_map(|area| {
            let name = labels::area_of(area.zone.as_deref());
            words::told(area).map(move |change| Row {
                area: name.clone(),
                change: words::name(change),
                half: words::area_and_interval(change, 0.5),
                most: words::area_and_interval(change, 0.9),
                found: words::found_of(change),
            })
        });
        Some(Self {
            sentence: of_sensitivity(comparison).unwrap_or_default(),
            explained: words::explained(site),
            notes: measured.notes.iter().map(|note| words::note(note)).collect(),
            rows: rows.collect(),
            figure: Figure::new(site, pixel_m2),
        })
    }
}

impl Figure {
    fn new(site: &AreaSensitivity, pixel_m2: f64) -> Option<Self> {
        let [left, top, width, height] = FRAME;
        let (least, greatest) = words::range(site)?;
        let span = libm::log(greatest / least);
        if span.is_nan() || span <= 0.0 || pixel_m2.is_nan() || pixel_m2 <= 0.0 {
            return None;
        }
        let x = |m2: f64| round(left + width * libm::log(m2 / least) / span, 1);
        let y = |probability: f64| round(top + height * (1.0 - probability), 1);
        let curve = |(class, change): (usize, &ChangeSensitivity)| {
            let mut path = String::new();
            for step in 0..=STEPS {
                let m2 = least * libm::exp(span * f64::from(step) / f64::from(STEPS));
                let level = y(probability(change, m2 / pixel_m2));
                // Writing to a String cannot fail.
                let _ = write!(path, "{}{} {level}", if step == 0 { 'M' } else { 'L' }, x(m2));
            }
            let drawn = change.tried.iter().filter(|tried| tried.injected >= MIN_DRAWN);
            let middle = |from: f64, to: f64| (from * to).sqrt();
            CurveLine {
                class: class + 1,
                name: words::name(change),
                path,
                points: drawn
                    .map(|one| {
                        (
                            x(middle(one.from_m2, one.to_m2)),
                            y(one.found as f64 / one.injected as f64),
                        )
                    })
                    .collect(),
            }
        };
        let curves: Vec<CurveLine> = words::headline(site).into_iter().enumerate().map(curve).collect();
        let sizes = site
            .changes
            .first()?
            .tried
            .iter()
            .map(|tried| tried.from_m2)
            .chain([greatest]);
        // Every other size has room for its words.
        let sizes = sizes.step_by(2).map(|m2| (x(m2), words::square_metres(m2)));
        Some(Self {
            aria: words::curves(&curves.iter().map(|curve| curve.name.as_str()).collect::<Vec<_>>()),
            sizes: sizes.collect(),
            levels: [0.0, 0.5, 0.9]
                .map(|level| (y(level), format!("{:.0} %", 100.0 * level)))
                .into(),
            curves,
        })
    }
}

/// The probability that the record's curve gives a change of `pixels`; that of all or none where it has no curve.
fn probability(change: &ChangeSensitivity, pixels: f64) -> f64 {
    let Some(curve) = &change.curve else {
        return if change.tried.iter().any(|tried| tried.found > 0) {
            1.0
        } else {
            0.0
        };
    };
    let odds = curve.intercept + curve.size_slope * libm::log(pixels);
    (1.0 - curve.lapse) / (1.0 + libm::exp(-odds))
}
