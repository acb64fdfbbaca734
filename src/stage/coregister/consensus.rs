//! Which tie points agree on which model: outliers rejected in rounds, models weighed against each other.

use nalgebra::{Matrix3, Vector3};

use super::TiePoint;
use super::model::{Model, Shifts};
use super::spread::cells;
use crate::geo::Rect;
use crate::raster::stats::{MAD_TO_SIGMA, median};

/// A tie point further from the model than this many sigma on either axis is an outlier.
const OUTLIER_SIGMA: f64 = 3.0;
/// The spread of tie points is never taken below this, pixels: half of what the best of them err by on real imagery.
const MIN_SPREAD_PX: f64 = 0.05;
/// Rounds of rejecting and fitting at most.
const MAX_ROUNDS: usize = 20;
/// AICc must fall by this for the richer of two models: the simpler then has no support left (Burnham and Anderson,
/// "Model Selection and Multimodel Inference", 2002). Overlapping windows share their errors, so that a smaller fall
/// proves nothing.
const AICC_FALL: f64 = 10.0;
/// Cells that must hold a tie point before an affine model is tried: it is drawn out to the corners of the site.
const AFFINE_CELLS: usize = 6;
/// The affine model must move a corner of the site by more than this against the shift, pixels: less is not worth four
/// parameters.
const AFFINE_BEND_PX: f64 = 0.1;
/// Tie points before an affine model is tried: two for each of its parameters.
const AFFINE_POINTS: usize = 12;
/// A shift shorter than this is left alone, pixels: resampling would blur one date more than the shift does harm.
const LEFT_ALONE_PX: f64 = 0.05;

/// A tie point as the fit sees it: where, and which shift.
#[derive(Clone, Copy)]
pub struct Place {
    at: [f64; 2],
    pub shift: [f64; 2],
}

impl Place {
    pub fn of(point: &TiePoint) -> Self {
        Self {
            at: middle(&point.window),
            shift: point.shift_px,
        }
    }

    fn off(&self, map: &Shifts) -> [f64; 2] {
        let [x, y] = map.at(self.at[0], self.at[1]);
        [self.shift[0] - x, self.shift[1] - y]
    }

    pub fn distance(&self, map: &Shifts) -> f64 {
        length(self.off(map))
    }
}

pub fn middle(window: &Rect) -> [f64; 2] {
    [
        window.x as f64 + window.w as f64 / 2.0,
        window.y as f64 + window.h as f64 / 2.0,
    ]
}

pub fn points_of(places: &[Place]) -> Vec<[f64; 2]> {
    places.iter().map(|p| p.at).collect()
}

pub fn length([x, y]: [f64; 2]) -> f64 {
    (x * x + y * y).sqrt()
}

pub fn root_mean_square(distances: &[f64]) -> f64 {
    (distances.iter().map(|d| d * d).sum::<f64>() / distances.len() as f64).sqrt()
}

pub fn chosen(places: &[Place], kept: &[bool]) -> Vec<Place> {
    places
        .iter()
        .zip(kept)
        .filter(|(_, keep)| **keep)
        .map(|(p, _)| *p)
        .collect()
}

/// The least squares of `model` through the places; `None` when they do not determine it.
pub fn least_squares(places: &[Place], centre: [f64; 2], model: Model) -> Option<Shifts> {
    if model != Model::Affine {
        let n = places.len() as f64;
        let mean = |axis: usize| places.iter().map(|p| p.shift[axis]).sum::<f64>() / n;
        return (n > 0.0).then(|| Shifts::constant(centre, [mean(0), mean(1)]));
    }
    let (mut normal, mut right) = (Matrix3::zeros(), [Vector3::zeros(); 2]);
    for p in places {
        let row = Vector3::new(1.0, p.at[0] - centre[0], p.at[1] - centre[1]);
        normal += row * row.transpose();
        right[0] += row * p.shift[0];
        right[1] += row * p.shift[1];
    }
    let factor = normal.cholesky()?;
    let [x, y] = right.map(|r| factor.solve(&r));
    Some(Shifts {
        centre,
        x: [x[0], x[1], x[2]],
        y: [y[0], y[1], y[2]],
    })
}

/// Which places agree: within three sigma of the model on either axis, sigma from the median distance, fitted anew
/// until none changes. The rounds start at the median shift.
pub fn agreeing(places: &[Place], centre: [f64; 2], model: Model) -> Vec<bool> {
    let middle_of = |axis: usize| median(&mut places.iter().map(|p| p.shift[axis]).collect::<Vec<_>>()).unwrap_or(0.0);
    let mut map = Shifts::constant(centre, [middle_of(0), middle_of(1)]);
    let mut kept = vec![true; places.len()];
    for _ in 0..MAX_ROUNDS {
        let off: Vec<[f64; 2]> = places.iter().map(|p| p.off(&map)).collect();
        let limit = |axis: usize| {
            let middle = median(&mut off.iter().map(|o| o[axis].abs()).collect::<Vec<_>>()).unwrap_or(0.0);
            OUTLIER_SIGMA * (MAD_TO_SIGMA * middle).max(MIN_SPREAD_PX)
        };
        let (x, y) = (limit(0), limit(1));
        let next: Vec<bool> = off.iter().map(|o| o[0].abs() <= x && o[1].abs() <= y).collect();
        let same = next == kept;
        kept = next;
        match least_squares(&chosen(places, &kept), centre, model) {
            Some(fitted) => map = fitted,
            None => break,
        }
        if same {
            break;
        }
    }
    kept
}

/// Whether the affine model is to be preferred on places that agree with it: there are enough, AICc falls far enough,
/// the held-out errors fall, and a corner moves by more than can be left.
pub fn affine_holds(places: &[Place], centre: [f64; 2], area: Rect) -> bool {
    if places.len() < AFFINE_POINTS || cells(&points_of(places), area) < AFFINE_CELLS {
        return false;
    }
    let fitted = |model| least_squares(places, centre, model).zip(held_out(places, centre, model));
    let (Some((shift, shift_error)), Some((affine, affine_error))) = (fitted(Model::Shift), fitted(Model::Affine))
    else {
        return false;
    };
    let bend = |c: [f64; 3]| (c[1] * area.w as f64 / 2.0).abs() + (c[2] * area.h as f64 / 2.0).abs();
    aicc(places, &affine, 6.0) < aicc(places, &shift, 2.0) - AICC_FALL
        && affine_error < shift_error
        && bend(affine.x).max(bend(affine.y)) > AFFINE_BEND_PX
}

/// Whether a shift is to be preferred to none: it is long enough to do harm, and AICc falls far enough.
pub fn shift_holds(places: &[Place], shift: &Shifts) -> bool {
    let none = Shifts::constant(shift.centre, [0.0; 2]);
    length([shift.x[0], shift.y[0]]) >= LEFT_ALONE_PX && aicc(places, shift, 2.0) < aicc(places, &none, 0.0) - AICC_FALL
}

/// Akaike's criterion for small samples, of normal errors alike on both axes (Hurvich and Tsai, "Regression and time
/// series model selection in small samples", 1989). The spread is a parameter too.
fn aicc(places: &[Place], map: &Shifts, parameters: f64) -> f64 {
    let (n, k) = (2.0 * places.len() as f64, parameters + 1.0);
    let squares: f64 = places.iter().map(|p| p.distance(map) * p.distance(map)).sum();
    n * libm::log((squares / n).max(f64::MIN_POSITIVE)) + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0).max(1.0)
}

/// Root mean square distance of each place from the model fitted to the others; `None` when they do not determine it.
pub fn held_out(places: &[Place], centre: [f64; 2], model: Model) -> Option<f64> {
    let mut distances = Vec::with_capacity(places.len());
    for (i, place) in places.iter().enumerate() {
        let others: Vec<Place> = places
            .iter()
            .enumerate()
            .filter(|(k, _)| *k != i)
            .map(|(_, p)| *p)
            .collect();
        let map = if model == Model::Identity {
            Shifts::constant(centre, [0.0; 2])
        } else {
            least_squares(&others, centre, model)?
        };
        distances.push(place.distance(&map));
    }
    (!distances.is_empty()).then(|| root_mean_square(&distances))
}
