//! How small a change would have been found: the table and the figure of the page.

use std::fmt::Write;

use super::english::{of_sensitivity, sensitivity as words};
use crate::finding::{ChangeSensitivity, Comparison, DetectableSize, round};

/// What `sensitivity.html` shows of one comparison.
pub(super) struct Sensitivity<'a> {
    pub(super) sentence: String,
    pub(super) explained: Vec<String>,
    pub(super) notes: &'a [String],
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
const LEAST_DRAWN: u64 = 10;

impl<'a> Sensitivity<'a> {
    /// What is shown of `comparison`, on a grid of pixels of `pixel_m2`; `None` where it was not measured.
    pub(super) fn new(comparison: &'a Comparison, pixel_m2: f64) -> Option<Self> {
        let measured = comparison.sensitivity.as_ref()?;
        let site = measured.areas.first()?;
        let rows = measured.areas.iter().flat_map(|area| {
            let name = super::english::labels::area_of(area.zone.as_deref());
            let halves = words::told(area)
                .into_iter()
                .filter(|(_, size)| size.probability == 0.5);
            halves.map(move |(change, half)| Row {
                area: name.clone(),
                change: words::name(change, half.contrast_sigma),
                half: words::area_and_interval(half, change),
                most: most(change, half).map_or_else(String::new, |most| words::area_and_interval(most, change)),
                found: words::found_of(change, half.contrast_sigma),
            })
        });
        Some(Self {
            sentence: of_sensitivity(comparison).unwrap_or_default(),
            explained: words::explained(site),
            notes: &measured.notes,
            rows: rows.collect(),
            figure: Figure::new(&words::headline(site), pixel_m2),
        })
    }
}

/// The size of the same change that is found with 90 %.
fn most<'a>(change: &'a ChangeSensitivity, half: &DetectableSize) -> Option<&'a DetectableSize> {
    let same = |size: &&DetectableSize| size.probability > 0.5 && size.contrast_sigma == half.contrast_sigma;
    change.sizes.iter().find(same)
}

impl Figure {
    fn new(told: &[(&ChangeSensitivity, &DetectableSize)], pixel_m2: f64) -> Option<Self> {
        let [left, top, width, height] = FRAME;
        let areas = || {
            told.iter()
                .flat_map(|(change, _)| &change.tried)
                .map(|tried| tried.size_m2)
        };
        let (least, greatest) = (areas().reduce(f64::min)?, areas().reduce(f64::max)?);
        let span = libm::log(greatest / least);
        if span.is_nan() || span <= 0.0 || pixel_m2.is_nan() || pixel_m2 <= 0.0 {
            return None;
        }
        let x = |m2: f64| round(left + width * libm::log(m2 / least) / span, 1);
        let y = |probability: f64| round(top + height * (1.0 - probability), 1);
        let halves = told.iter().filter(|(_, size)| size.probability == 0.5);
        let curve = |(class, (change, size)): (usize, &(&ChangeSensitivity, &DetectableSize))| {
            let mut path = String::new();
            for step in 0..=STEPS {
                let m2 = least * libm::exp(span * f64::from(step) / f64::from(STEPS));
                let probability = probability(change, size.contrast_sigma, m2 / pixel_m2);
                // Writing to a String cannot fail.
                let _ = write!(
                    path,
                    "{}{} {}",
                    if step == 0 { 'M' } else { 'L' },
                    x(m2),
                    y(probability)
                );
            }
            let drawn = change
                .tried
                .iter()
                .filter(|tried| tried.contrast_sigma == size.contrast_sigma && tried.injected >= LEAST_DRAWN);
            CurveLine {
                class: class + 1,
                name: words::name(change, size.contrast_sigma),
                path,
                points: drawn
                    .map(|one| (x(one.size_m2), y(one.found as f64 / one.injected as f64)))
                    .collect(),
            }
        };
        let curves: Vec<CurveLine> = halves.enumerate().map(curve).collect();
        let mut sizes: Vec<f64> = areas().collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        // Every other size has room for its words.
        let sizes = sizes.into_iter().step_by(2).map(|m2| (x(m2), words::square_metres(m2)));
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
fn probability(change: &ChangeSensitivity, contrast_sigma: Option<f64>, pixels: f64) -> f64 {
    let Some(curve) = &change.curve else {
        return if change.tried.iter().any(|tried| tried.found > 0) {
            1.0
        } else {
            0.0
        };
    };
    let by_contrast = curve.contrast_slope.zip(contrast_sigma);
    let by_contrast = by_contrast.map_or(0.0, |(slope, sigma)| slope * libm::log(sigma));
    let odds = curve.intercept + curve.size_slope * libm::log(pixels) + by_contrast;
    (1.0 - curve.lapse) / (1.0 + libm::exp(-odds))
}
