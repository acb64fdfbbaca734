//! The sub-pixel shift of a window by least squares.
//!
//! Lucas and Kanade, "An iterative image registration technique with an application to stereo vision", 1981, in its
//! inverse form (Baker and Matthews, "Lucas-Kanade 20 years on", IJCV 2004): gradients of the reference, the target
//! read anew each round, gain and offset free (Evangelidis and Psarakis, "Parametric image alignment using enhanced
//! correlation coefficient maximization", PAMI 2008).
//!
//! Why not the peak of phase correlation, upsampled (Guizar-Sicairos, Thurman and Fienup, Optics Letters 2008): it
//! gives every frequency the same weight, the aliased ones too, and imagery that was resampled to the nearest pixel
//! shares its lattice between the dates. A Sentinel-2 scene sampled so on pixels of 8.5 x 12.9 m and shifted by 0.37,
//! -0.28 px is measured as 0.17, -0.18 by it and as 0.34, -0.27 here.

use std::f64::consts::PI;

use nalgebra::{Matrix4, Vector4};

use super::field::{self, Field, Places, SIGMA};
use crate::raster::stats::{MAD_TO_SIGMA, median};

/// A shift below the pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Refined {
    /// What to add to the position of the target's content, pixels.
    pub shift: [f64; 2],
    /// Its standard error on the worse axis, pixels.
    pub error: f64,
}

/// Rounds at most; a window that has not settled by then is not determined.
const MAX_ROUNDS: usize = 30;
/// A round that moves less has settled, pixels.
const SETTLED_PX: f64 = 1e-3;
/// How far the least squares may go from the whole pixel they start at, pixels: further is another place.
const MAX_SHIFT_PX: f64 = 1.5;
/// Residuals beyond this many sigma weigh less: 95 % efficient on normal noise (Huber, "Robust estimation of a location
/// parameter", 1964). Weights that fall to 0 (Tukey's biweight) have several minima, and locked on to the lattice of
/// imagery that was resampled to the nearest pixel.
const HUBER: f64 = 1.345;
/// What is left is never taken below this part of the texture: rounding.
const MIN_SIGMA: f64 = 1e-6;
/// Fewer pixels than this determine nothing.
const MIN_PIXELS: usize = 256;
/// Pixels that share their noise after the Gaussian: its correlation exp(-r^2 / 4 sigma^2), summed. The standard error
/// is larger by the root.
const SHARED_NOISE: f64 = 4.0 * PI * SIGMA * SIGMA;

/// The shift of `t` against `r`, which can be read where `solid` says, near `start`; `None` when it is not determined.
///
/// What is compared is texture over the local mean of the pixels that are clear on both dates *once shifted*: taken
/// before the shift, the mean of either date would hold other ground near clouds and near the frame, and draw the shift
/// to 0.
pub(super) fn refine(r: &Field, t: &Field, solid: &Solid, start: [f64; 2]) -> Option<Refined> {
    let base = field::read(r, [0.0; 2]);
    let gradients = field::gradients(r.w, r.h, &r.values);
    let mut shift = start;
    let whole = |shift: [f64; 2]| [shift[0].round(), shift[1].round()];
    let rows_at = |whole| Rows::new(whole, solid.common(whole), &base, &gradients);
    let mut rows = rows_at(whole(start));
    let mut radiometry: Option<(f64, f64)> = None;
    for _ in 0..MAX_ROUNDS {
        if rows.whole != whole(shift) {
            rows = rows_at(whole(shift));
        }
        if rows.rows.len() < MIN_PIXELS {
            return None;
        }
        let read = rows.places.texture(&field::read(t, [-shift[0], -shift[1]]));
        // read = gain * base + gain * (distance . slopes) + offset: the target shows what lies `distance` further on
        // the reference. The first round takes all pixels alike; then those that do not follow the fit, as clouds and
        // changed ground, count less.
        let (mut limit, mut sigma) = (f64::INFINITY, 0.0);
        let mut left = vec![0.0; read.len()];
        if let Some((gain, offset)) = radiometry {
            left = rows
                .rows
                .iter()
                .zip(&read)
                .map(|(row, v)| v - gain * row[0] - offset)
                .collect();
            sigma = MAD_TO_SIGMA * median(&mut left.iter().map(|v| v.abs()).collect::<Vec<_>>())?;
            limit = HUBER * sigma.max(MIN_SIGMA);
        }
        let (x, inverse) = solve(&rows.rows, &read, |k| weight(left[k], limit))?;
        if x[0] <= 0.0 {
            return None;
        }
        let distance = [x[2] / x[0], x[3] / x[0]];
        shift = [shift[0] + distance[0], shift[1] + distance[1]];
        if (shift[0] - start[0]).abs() > MAX_SHIFT_PX || (shift[1] - start[1]).abs() > MAX_SHIFT_PX {
            return None;
        }
        if radiometry.is_some() && distance[0].abs() < SETTLED_PX && distance[1].abs() < SETTLED_PX {
            let worse = inverse[(2, 2)].max(inverse[(3, 3)]);
            return Some(Refined {
                shift,
                error: sigma / x[0] * (worse * SHARED_NOISE).sqrt(),
            });
        }
        radiometry = Some((x[0], x[1]));
    }
    None
}

/// Weighted least squares, and the inverse of the normal matrix; `None` when the rows do not determine it.
fn solve(rows: &[Vector4<f64>], values: &[f64], weight: impl Fn(usize) -> f64) -> Option<(Vector4<f64>, Matrix4<f64>)> {
    let (mut normal, mut right) = (Matrix4::zeros(), Vector4::zeros());
    for (k, (row, v)) in rows.iter().zip(values).enumerate() {
        let weighted = row * weight(k);
        normal += weighted * row.transpose();
        right += weighted * *v;
    }
    normal.cholesky().map(|factor| (factor.solve(&right), factor.inverse()))
}

/// The correlation of `r` with `t` once shifted, over the pixels that are clear on both; 0 when there are none.
pub(super) fn similarity(r: &Field, t: &Field, solid: &Solid, shift: [f64; 2]) -> f64 {
    let places = solid.common([shift[0].round(), shift[1].round()]);
    let a = places.texture(&field::read(r, [0.0; 2]));
    let b = places.texture(&field::read(t, [-shift[0], -shift[1]]));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (aa, bb) = (dot(&a, &a), dot(&b, &b));
    if aa > 0.0 && bb > 0.0 {
        dot(&a, &b) / (aa * bb).sqrt()
    } else {
        0.0
    }
}

/// Where both dates can be read, each on its own.
pub(super) struct Solid {
    w: usize,
    h: usize,
    r: Vec<bool>,
    t: Vec<bool>,
}

impl Solid {
    pub(super) fn of(r: &Field, t: &Field) -> Self {
        let solid = |f: &Field| field::solid(f.w, f.h, &f.clear);
        Self {
            w: r.w,
            h: r.h,
            r: solid(r),
            t: solid(t),
        }
    }

    /// Both dates in each other's place.
    pub(super) fn turned(&self) -> Self {
        Self {
            r: self.t.clone(),
            t: self.r.clone(),
            ..*self
        }
    }

    /// The places where the reference can be read, and the target once shifted by `whole` pixels.
    fn common(&self, whole: [f64; 2]) -> Places {
        let (w, h) = (self.w as i64, self.h as i64);
        let (dx, dy) = (-whole[0] as i64, -whole[1] as i64);
        let mut mask = vec![0.0; self.w * self.h];
        for y in (0..h).filter(|y| (0..h).contains(&(y + dy))) {
            for x in (0..w).filter(|x| (0..w).contains(&(x + dx))) {
                let (here, there) = ((y * w + x) as usize, ((y + dy) * w + x + dx) as usize);
                mask[here] = f64::from(u8::from(self.r[here] && self.t[there]));
            }
        }
        Places::new(self.w, self.h, mask)
    }
}

/// What the reference gives to the least squares, for one whole-pixel shift.
struct Rows {
    whole: [f64; 2],
    places: Places,
    /// Value, 1, gradients along x and y of every place.
    rows: Vec<Vector4<f64>>,
}

impl Rows {
    fn new(whole: [f64; 2], places: Places, base: &[f64], gradients: &[Vec<f64>; 2]) -> Self {
        let (base, gx, gy) = (
            places.texture(base),
            places.texture(&gradients[0]),
            places.texture(&gradients[1]),
        );
        let rows = (0..base.len())
            .map(|k| Vector4::new(base[k], 1.0, gx[k], gy[k]))
            .collect();
        Self { whole, places, rows }
    }
}

/// Huber's weight of a residual.
fn weight(residual: f64, limit: f64) -> f64 {
    if residual.abs() > limit {
        limit / residual.abs()
    } else {
        1.0
    }
}
