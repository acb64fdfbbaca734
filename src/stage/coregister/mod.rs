//! Co-registration: the sub-pixel shift of one date against another, measured at tie points spread over the site.
//!
//! [`windows`] says where to look, [`tie_point`] measures one window, [`fit()`] draws the model from all of them and
//! judges it. A window that cannot be measured is rejected with its reason, and a site that cannot be measured is not
//! moved.
//!
//! The order is that of AROSICS (Scheffler et al., "AROSICS: An automated and robust open-source image co-registration
//! software for multi-sensor satellite data", Remote Sensing 2017): phase correlation finds the whole pixel
//! (`correlate`), a finer measure the rest (`refine`), and what fails a test is thrown out before a model is fitted
//! (`fit`).

mod consensus;
mod correlate;
mod field;
mod fit;
mod model;
mod refine;
mod rejected;
mod spread;
#[cfg(test)]
mod trials;

use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::geo::Rect;

pub use fit::fit;
pub use model::{Model, Outcome, Registration, Unmeasured};
use rejected::MIN_CLEAR;
pub use rejected::{Reason, Rejected};

/// `[coregister]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoregisterParams {
    /// Side of a window, pixels: a power of two, 32 at least. It is halved where the site is narrower than three
    /// windows.
    #[schemars(range(min = 32, max = 1024), extend("unit" = "pixels"))]
    pub window_px: usize,
    /// Shifts larger than this are refused, pixels on either axis; a quarter of a window at most.
    #[schemars(range(min = 1, max = 256), extend("unit" = "pixels"))]
    pub max_shift_px: usize,
    /// Fewer tie points than this: the scene is not moved.
    pub min_tie_points: usize,
    /// A scene whose tie points are left with at most this residual passes, pixels.
    pub pass_px: f64,
    /// One with a larger residual than this is refused, pixels; between the two it is degraded.
    pub refuse_px: f64,
}

/// The most windows along an axis: two for each of the three cells in which the spread of tie points is judged, and
/// one. On a scene of 10980 x 10980 pixels windows of 128 then hold 0.7 % of it, and touch a tenth of its blocks of 512
/// x 512.
const MAX_ALONG: usize = 7;
/// Windows are no smaller than this: a smaller one holds too little ground beside the shifts that are looked for.
const MIN_WINDOW: usize = 32;
/// The largest disagreement of forward and backward measure, pixels (ALGORITHMS.md section 3).
const MAX_ROUND_TRIP_PX: f64 = 0.2;
/// The largest standard error of a tie point, pixels on the worse axis: stripes and near flat ground.
const MAX_ERROR_PX: f64 = 0.2;
/// The least correlation of both dates once shifted.
const MIN_SIMILARITY: f64 = 0.3;
/// Correlations that differ by less are the same: the ground compared is not quite the same before and after.
const SAME_SIMILARITY: f64 = 0.005;
/// Two shifts at which both dates correlate by this: a pattern that repeats.
const PERIODIC_SIMILARITY: f64 = 0.5;

/// The shift of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct TiePoint {
    /// Where.
    pub window: Rect,
    /// What to add to the position of the target's content, pixels: x right, y down.
    pub shift_px: [f64; 2],
    /// Standard error of the shift on the worse axis, pixels: from what is left after the shift, and the gradients.
    pub error_px: f64,
    /// Correlation of both dates as they came, and once shifted.
    pub similarity: [f64; 2],
    /// Height of the peak of phase correlation over the rest of the surface, in standard deviations of the rest.
    pub reliability: f64,
    /// Which of the given bands, and whether its gradient magnitude was matched in place of its values.
    pub matched: (usize, bool),
    /// The part of the window that is clear on both dates.
    pub clear: f64,
}

/// Where to look: square windows of the site grid inside `area`, on a regular lattice, row by row; none where the site
/// is narrower than three windows of 32 pixels.
///
/// The side is `window_px`, halved until three windows fit into the width and the height. Windows overlap by half at
/// most, so that there are 5 to 7 along each axis, wide apart on a large site.
pub fn windows(area: Rect, params: &CoregisterParams) -> Vec<Rect> {
    let least_side = area.w.min(area.h);
    let mut side = params.window_px.max(MIN_WINDOW);
    while side > MIN_WINDOW && least_side / 3 < side {
        side = (side / 2).max(MIN_WINDOW);
    }
    if least_side / 3 < side {
        return Vec::new();
    }
    let starts = |origin: i64, length: usize| {
        let n = ((length - side) / (side / 2) + 1).min(MAX_ALONG);
        (0..n).map(move |i| origin + ((length - side) * i / (n - 1)) as i64)
    };
    starts(area.y, area.h)
        .flat_map(|y| starts(area.x, area.w).map(move |x| Rect::new(x, y, side, side)))
        .collect()
}

/// The shift of `target` against `reference` in one window.
///
/// Both hold the same bands of the same pixels of the site grid, those of `window`; NaN = cloud, no data. Every band
/// and its gradient magnitude is correlated, and the one with the highest peak over the rest of its surface is
/// measured.
///
/// # Errors
/// The reason why the window cannot be measured: that of the best band.
pub fn tie_point(
    reference: &[Array2<f32>],
    target: &[Array2<f32>],
    window: Rect,
    params: &CoregisterParams,
) -> Result<TiePoint, Rejected> {
    let mut clear = 0.0_f64;
    let mut best: Option<Candidate> = None;
    let mut reason = Reason::TooFewClear;
    for (band, (r, t)) in reference.iter().zip(target).enumerate() {
        let shared = field::shared(r, t);
        clear = clear.max(shared);
        if shared < MIN_CLEAR {
            continue;
        }
        let fields = field::of_band(r).into_iter().zip(field::of_band(t));
        for (gradient, (r, t)) in [false, true].into_iter().zip(fields) {
            let Some((r, t)) = r.zip(t) else {
                reason = Reason::Flat;
                continue;
            };
            let peak = correlate::peak(&r, &t);
            if best.as_ref().is_none_or(|b| peak.reliability > b.peak.reliability) {
                let matched = (band, gradient);
                best = Some(Candidate { r, t, peak, matched });
            }
        }
    }
    let measured = best.ok_or(reason).and_then(|best| Ok((measure(&best, params)?, best)));
    match measured {
        Ok((measured, best)) => Ok(TiePoint {
            window,
            shift_px: measured.shift,
            error_px: measured.error,
            similarity: measured.similarity,
            reliability: best.peak.reliability,
            matched: best.matched,
            clear,
        }),
        Err(reason) => Err(Rejected { window, clear, reason }),
    }
}

/// A band or its gradient magnitude, and the whole-pixel shift found in it.
struct Candidate {
    r: field::Field,
    t: field::Field,
    peak: correlate::Peak,
    matched: (usize, bool),
}

/// What passed the tests.
struct Measured {
    shift: [f64; 2],
    error: f64,
    similarity: [f64; 2],
}

/// The sub-pixel shift of a candidate, put to the tests.
fn measure(c: &Candidate, params: &CoregisterParams) -> Result<Measured, Reason> {
    let place = |shift: [i64; 2]| shift.map(|s| s as f64);
    let start = place(c.peak.shift);
    let solid = refine::Solid::of(&c.r, &c.t);
    c.peak.judge(params.max_shift_px).map_err(|reason| {
        // Of a pattern that repeats no peak stands out either: but then more than one matches.
        let matches = |shift| refine::similarity(&c.r, &c.t, &solid, shift) >= PERIODIC_SIMILARITY;
        let periodic = reason == Reason::Unreliable && matches(start) && matches(place(c.peak.other));
        if periodic { Reason::Ambiguous } else { reason }
    })?;
    let forward = refine::refine(&c.r, &c.t, &solid, start).ok_or(Reason::Undetermined)?;
    let back = forward.shift.map(|s| -s);
    let backward = refine::refine(&c.t, &c.r, &solid.turned(), back).ok_or(Reason::Undetermined)?;
    let error = forward.error.max(backward.error);
    if error > MAX_ERROR_PX {
        return Err(Reason::Undetermined);
    }
    let (f, b) = (forward.shift, backward.shift);
    let trip = [f[0] + b[0], f[1] + b[1]];
    if (trip[0] * trip[0] + trip[1] * trip[1]).sqrt() > MAX_ROUND_TRIP_PX {
        return Err(Reason::RoundTrip);
    }
    // What one direction errs by for having its own noise in the gradients, the other errs by the other way.
    let shift = [(f[0] - b[0]) / 2.0, (f[1] - b[1]) / 2.0];
    if shift.iter().any(|s| s.abs() > params.max_shift_px as f64 + 0.5) {
        return Err(Reason::BeyondMaxShift);
    }
    let similarity = [[0.0; 2], shift].map(|shift| refine::similarity(&c.r, &c.t, &solid, shift));
    let [before, after] = similarity;
    if after < MIN_SIMILARITY || after + SAME_SIMILARITY < before {
        return Err(Reason::NotImproved);
    }
    Ok(Measured {
        shift,
        error,
        similarity,
    })
}
