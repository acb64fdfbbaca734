//! The registration of a whole site: outliers rejected, the simplest model that holds, and what is left.

use nalgebra::{Matrix3, Vector3};

use super::{CoregisterParams, Reason, Rejected, TiePoint};
use crate::geo::Rect;
use crate::raster::stats::{MAD_TO_SIGMA, median};

/// Which model was fitted: the simplest that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// The scene lies right, or was not measured: nothing is moved.
    Identity,
    /// The same shift everywhere.
    Shift,
    /// A shift that varies linearly over the site.
    Affine,
}

/// A shift for every point of the site grid: `shift = x0 + x1 x + x2 y` on either axis, about the middle of the site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// The middle of the site, grid pixels.
    pub centre: [f64; 2],
    /// Constant, slope along x, slope along y of the shift in x.
    pub x: [f64; 3],
    /// The same of the shift in y.
    pub y: [f64; 3],
}

impl Affine {
    fn constant(centre: [f64; 2], shift: [f64; 2]) -> Self {
        Self {
            centre,
            x: [shift[0], 0.0, 0.0],
            y: [shift[1], 0.0, 0.0],
        }
    }

    /// What to add to the position of the target's content so that it comes to (`x`, `y`) of the grid, pixels.
    pub fn shift_at(&self, x: f64, y: f64) -> [f64; 2] {
        let (u, v) = (x - self.centre[0], y - self.centre[1]);
        [self.x, self.y].map(|c| c[0] + c[1] * u + c[2] * v)
    }
}

/// What the residual says of the scene.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The residual is small.
    Pass,
    /// The residual is larger: the detector must be tolerant, and the report says so.
    Degraded,
    /// The residual is too large to compare the pair.
    Refused,
    /// It was not measured, and is not moved.
    Unmeasured(Unmeasured),
}

/// Why a site was not measured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unmeasured {
    /// No window fits in.
    #[error("the site of {w} x {h} pixels is too small to be measured; widen margin_m")]
    TooSmall {
        /// Columns of the site.
        w: usize,
        /// Rows.
        h: usize,
    },
    /// Clouds, no data.
    #[error(
        "expected at least {:.0} % of the ground clear on both dates, found {found:.0} %; choose a clearer scene",
        100.0 * LEAST_CLEAR
    )]
    Cloud {
        /// There, percent.
        found: f64,
    },
    /// Too few windows could be measured.
    #[error("expected at least {expected} tie points, found {found} of {windows} windows{}", most(.reason))]
    TooFew {
        /// Needed.
        expected: usize,
        /// Found.
        found: usize,
        /// Windows looked at.
        windows: usize,
        /// The most frequent reason of rejection.
        reason: Option<Reason>,
    },
    /// The tie points lie on one side.
    #[error(
        "expected tie points that agree in at least {LEAST_CELLS} of 9 cells of the site and around {:.0} % of it, found {cells} and {hull:.0} %",
        100.0 * LEAST_HULL
    )]
    Clustered {
        /// Cells of a 3 x 3 division of the site that hold a tie point.
        cells: usize,
        /// The area of the hull of the tie points, percent of that of all windows.
        hull: f64,
    },
    /// The tie points contradict each other.
    #[error("expected at least half of the tie points to agree, found {agreeing} of {points}")]
    NoConsensus {
        /// Tie points that the model holds for.
        agreeing: usize,
        /// Tie points.
        points: usize,
    },
}

fn most(reason: &Option<Reason>) -> String {
    reason.map_or(String::new(), |r| format!("; most were rejected because {r}"))
}

/// How the target lies against the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// Whether the pair can be compared.
    pub outcome: Outcome,
    /// The model that [`Registration::source_of`] applies.
    pub model: Model,
    /// What it applies.
    pub map: Affine,
    /// The measured shift to apply to the target in the middle of the site, pixels: x right, y down. It is measured but not applied where
    /// the model is [`Model::Identity`].
    pub shift_px: [f64; 2],
    /// Root mean square distance of the tie points from what is applied, pixels; NaN when not measured.
    pub residual_px: f64,
    /// 90 % of the tie points lie nearer than this, pixels (circular error); NaN when not measured.
    pub circular_error_90_px: f64,
    /// Root mean square distance of each tie point from the model fitted without it, pixels; NaN when not measured.
    pub held_out_px: f64,
    /// Tie points that agree with the model.
    pub used: Vec<TiePoint>,
    /// Tie points that do not.
    pub outliers: Vec<TiePoint>,
}

impl Registration {
    /// The point of the target's own, unshifted grid that shows what the reference shows at (`x`, `y`) of the site grid.
    pub fn source_of(&self, x: f64, y: f64) -> (f64, f64) {
        let [dx, dy] = self.map.shift_at(x, y);
        (x - dx, y - dy)
    }
}

/// Of nine cells, those that must hold a tie point (ALGORITHMS.md section 3; PEERS.md: AROSICS#12, #21).
const LEAST_CELLS: usize = 4;
/// The least area of the hull of the tie points, part of that of all windows (ALGORITHMS.md section 3).
const LEAST_HULL: f64 = 0.4;
/// The least clear part of the windows, on the mean.
const LEAST_CLEAR: f64 = 1.0 / 3.0;
/// The least part of the tie points that must agree.
const LEAST_AGREEING: f64 = 0.5;
/// A tie point further from the model than this many sigma on either axis is an outlier.
const OUTLIER_SIGMA: f64 = 3.0;
/// The spread of tie points is never taken below this, pixels: half of what the best of them err by on real imagery.
const LEAST_SPREAD_PX: f64 = 0.05;
/// Rounds of rejecting and fitting at most.
const MOST_ROUNDS: usize = 20;
/// AICc must fall by this for the affine model: the simpler then has no support left (Burnham and Anderson, "Model Selection and Multimodel
/// Inference", 2002).
const AICC_FALL: f64 = 10.0;
/// Cells that must hold a tie point before an affine model is tried: it is drawn out to the corners of the site.
const AFFINE_CELLS: usize = 6;
/// The affine model must move a corner of the site by more than this against the shift, pixels: less is not worth four parameters.
const AFFINE_BEND_PX: f64 = 0.1;
/// Tie points before an affine model is tried: two for each of its parameters.
const AFFINE_POINTS: usize = 12;
/// A shift shorter than this is left alone, pixels: resampling would blur one date more than the shift does harm.
const LEFT_ALONE_PX: f64 = 0.05;

/// The registration that the measured and the rejected windows of `area` say.
///
/// Deterministic: outliers are rejected about the median, in rounds; no random sample is drawn.
pub fn fit(points: &[TiePoint], rejected: &[Rejected], area: Rect, params: &CoregisterParams) -> Registration {
    let centre = [area.x as f64 + area.w as f64 / 2.0, area.y as f64 + area.h as f64 / 2.0];
    let places: Vec<Place> = points.iter().map(Place::of).collect();
    if let Err(why) = measurable(&places, points, rejected, area, params) {
        return unmeasured(why, centre, points);
    }
    let shift_kept = agreeing(&places, centre, Model::Shift);
    let affine_kept = agreeing(&places, centre, Model::Affine);
    let (model, kept) = if affine_holds(&chosen(&places, &affine_kept), centre, area) {
        (Model::Affine, affine_kept)
    } else {
        (Model::Shift, shift_kept)
    };
    let used = chosen(&places, &kept);
    let count = used.len();
    if (count as f64) < LEAST_AGREEING * places.len() as f64 || count < params.min_tie_points {
        return unmeasured(
            Unmeasured::NoConsensus {
                agreeing: count,
                points: places.len(),
            },
            centre,
            points,
        );
    }
    let all: Vec<[f64; 2]> = points
        .iter()
        .map(|p| &p.window)
        .chain(rejected.iter().map(|r| &r.window))
        .map(middle)
        .collect();
    if let Err(why) = spread(&used, &all, area) {
        return unmeasured(why, centre, points);
    }
    let Some(measured) = least_squares(&used, centre, model) else {
        return unmeasured(
            Unmeasured::NoConsensus {
                agreeing: 0,
                points: places.len(),
            },
            centre,
            points,
        );
    };
    let shift_px = [measured.x[0], measured.y[0]];
    let small = (shift_px[0] * shift_px[0] + shift_px[1] * shift_px[1]).sqrt() < LEFT_ALONE_PX;
    let (model, map) = if model == Model::Shift && small {
        (Model::Identity, Affine::constant(centre, [0.0; 2]))
    } else {
        (model, measured)
    };
    let mut distances: Vec<f64> = used.iter().map(|p| p.distance(&map)).collect();
    let residual_px = root_mean_square(&distances);
    distances.sort_by(f64::total_cmp);
    let place_90 = ((0.9 * count as f64).ceil() as usize).clamp(1, count) - 1;
    let outcome = if residual_px <= params.pass_px {
        Outcome::Pass
    } else if residual_px <= params.refuse_px {
        Outcome::Degraded
    } else {
        Outcome::Refused
    };
    let by = |wanted: bool| {
        points
            .iter()
            .zip(&kept)
            .filter(|(_, k)| **k == wanted)
            .map(|(p, _)| p.clone())
            .collect()
    };
    Registration {
        outcome,
        model,
        map,
        shift_px,
        residual_px,
        circular_error_90_px: distances[place_90],
        held_out_px: held_out(&used, centre, model).unwrap_or(f64::NAN),
        used: by(true),
        outliers: by(false),
    }
}

fn unmeasured(why: Unmeasured, centre: [f64; 2], points: &[TiePoint]) -> Registration {
    Registration {
        outcome: Outcome::Unmeasured(why),
        model: Model::Identity,
        map: Affine::constant(centre, [0.0; 2]),
        shift_px: [0.0; 2],
        residual_px: f64::NAN,
        circular_error_90_px: f64::NAN,
        held_out_px: f64::NAN,
        used: Vec::new(),
        outliers: points.to_vec(),
    }
}

/// A tie point as the fit sees it: where, and which shift.
#[derive(Clone, Copy)]
struct Place {
    at: [f64; 2],
    shift: [f64; 2],
}

impl Place {
    fn of(point: &TiePoint) -> Self {
        Self {
            at: middle(&point.window),
            shift: point.shift_px,
        }
    }

    fn off(&self, map: &Affine) -> [f64; 2] {
        let [x, y] = map.shift_at(self.at[0], self.at[1]);
        [self.shift[0] - x, self.shift[1] - y]
    }

    fn distance(&self, map: &Affine) -> f64 {
        let [x, y] = self.off(map);
        (x * x + y * y).sqrt()
    }
}

fn middle(window: &Rect) -> [f64; 2] {
    [
        window.x as f64 + window.w as f64 / 2.0,
        window.y as f64 + window.h as f64 / 2.0,
    ]
}

fn root_mean_square(distances: &[f64]) -> f64 {
    (distances.iter().map(|d| d * d).sum::<f64>() / distances.len() as f64).sqrt()
}

fn chosen(places: &[Place], kept: &[bool]) -> Vec<Place> {
    places
        .iter()
        .zip(kept)
        .filter(|(_, keep)| **keep)
        .map(|(p, _)| *p)
        .collect()
}

/// Whether there is enough to fit anything on.
fn measurable(
    places: &[Place],
    points: &[TiePoint],
    rejected: &[Rejected],
    area: Rect,
    params: &CoregisterParams,
) -> Result<(), Unmeasured> {
    let windows = points.len() + rejected.len();
    if windows == 0 {
        return Err(Unmeasured::TooSmall { w: area.w, h: area.h });
    }
    let clear: f64 = points
        .iter()
        .map(|p| p.clear)
        .chain(rejected.iter().map(|r| r.clear))
        .sum();
    let clear = clear / windows as f64;
    if clear < LEAST_CLEAR {
        return Err(Unmeasured::Cloud { found: 100.0 * clear });
    }
    if places.len() < params.min_tie_points.max(1) {
        return Err(Unmeasured::TooFew {
            expected: params.min_tie_points.max(1),
            found: places.len(),
            windows,
            reason: most_frequent(rejected),
        });
    }
    Ok(())
}

/// The reason that occurs most; the first of several.
fn most_frequent(rejected: &[Rejected]) -> Option<Reason> {
    let count = |reason: Reason| rejected.iter().filter(|r| r.reason == reason).count();
    rejected
        .iter()
        .map(|r| r.reason)
        .fold(None, |best: Option<Reason>, reason| match best {
            Some(b) if count(b) >= count(reason) => Some(b),
            _ => Some(reason),
        })
}

/// The cells of a 3 x 3 division of the site that hold a place.
fn cells(places: &[Place], area: Rect) -> usize {
    let along = |at: f64, from: i64, length: usize| ((at - from as f64) * 3.0 / length as f64).floor().clamp(0.0, 2.0);
    let mut held = [false; 9];
    for p in places {
        held[(along(p.at[1], area.y, area.h) * 3.0 + along(p.at[0], area.x, area.w)) as usize] = true;
    }
    held.iter().filter(|h| **h).count()
}

/// Whether the places are spread over the site; `all` are the middles of all windows.
fn spread(places: &[Place], all: &[[f64; 2]], area: Rect) -> Result<(), Unmeasured> {
    let cells = cells(places, area);
    let part = hull_area(&places.iter().map(|p| p.at).collect::<Vec<_>>()) / hull_area(all).max(f64::MIN_POSITIVE);
    if cells < LEAST_CELLS || part < LEAST_HULL {
        return Err(Unmeasured::Clustered {
            cells,
            hull: 100.0 * part,
        });
    }
    Ok(())
}

/// The area of the convex hull (Andrew, "Another efficient algorithm for convex hulls in two dimensions", 1979).
fn hull_area(points: &[[f64; 2]]) -> f64 {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let cross = |o: [f64; 2], a: [f64; 2], b: [f64; 2]| (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
    let chain = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut out: Vec<[f64; 2]> = Vec::new();
        for p in points {
            while let [.., o, a] = out[..] {
                if cross(o, a, p) > 0.0 {
                    break;
                }
                out.pop();
            }
            out.push(p);
        }
        out
    };
    let mut ring = chain(&mut sorted.iter().copied());
    ring.pop();
    ring.extend(chain(&mut sorted.iter().rev().copied()));
    ring.windows(2)
        .map(|w| if let [a, b] = w { a[0] * b[1] - a[1] * b[0] } else { 0.0 })
        .sum::<f64>()
        .abs()
        / 2.0
}

/// The least squares of `model` through the places; `None` when they do not determine it.
fn least_squares(places: &[Place], centre: [f64; 2], model: Model) -> Option<Affine> {
    if model != Model::Affine {
        let n = places.len() as f64;
        let mean = |axis: usize| places.iter().map(|p| p.shift[axis]).sum::<f64>() / n;
        return (n > 0.0).then(|| Affine::constant(centre, [mean(0), mean(1)]));
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
    Some(Affine {
        centre,
        x: [x[0], x[1], x[2]],
        y: [y[0], y[1], y[2]],
    })
}

/// Which places agree: within three sigma of the model on either axis, sigma from the median distance, fitted anew until none changes.
/// The rounds start at the median shift.
fn agreeing(places: &[Place], centre: [f64; 2], model: Model) -> Vec<bool> {
    let middle_of = |axis: usize| median(&mut places.iter().map(|p| p.shift[axis]).collect::<Vec<_>>()).unwrap_or(0.0);
    let mut map = Affine::constant(centre, [middle_of(0), middle_of(1)]);
    let mut kept = vec![true; places.len()];
    for _ in 0..MOST_ROUNDS {
        let off: Vec<[f64; 2]> = places.iter().map(|p| p.off(&map)).collect();
        let limit = |axis: usize| {
            let middle = median(&mut off.iter().map(|o| o[axis].abs()).collect::<Vec<_>>()).unwrap_or(0.0);
            OUTLIER_SIGMA * (MAD_TO_SIGMA * middle).max(LEAST_SPREAD_PX)
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

/// Whether the affine model is to be preferred on places that agree with it: there are enough, AICc (Hurvich and Tsai, "Regression and time
/// series model selection in small samples", 1989) falls far enough, the held-out errors fall, and a corner moves by more than can be left.
fn affine_holds(places: &[Place], centre: [f64; 2], area: Rect) -> bool {
    if places.len() < AFFINE_POINTS || cells(places, area) < AFFINE_CELLS {
        return false;
    }
    let judged = |model: Model, parameters: f64| {
        let map = least_squares(places, centre, model)?;
        let n = 2.0 * places.len() as f64;
        let squares: f64 = places.iter().map(|p| p.distance(&map) * p.distance(&map)).sum();
        let k = parameters + 1.0;
        let aicc = n * libm::log((squares / n).max(f64::MIN_POSITIVE)) + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0);
        Some((map, aicc, held_out(places, centre, model)?))
    };
    let (Some(shift), Some(affine)) = (judged(Model::Shift, 2.0), judged(Model::Affine, 6.0)) else {
        return false;
    };
    let bend = |c: [f64; 3]| (c[1] * area.w as f64 / 2.0).abs() + (c[2] * area.h as f64 / 2.0).abs();
    affine.1 < shift.1 - AICC_FALL && affine.2 < shift.2 && bend(affine.0.x).max(bend(affine.0.y)) > AFFINE_BEND_PX
}

/// Root mean square distance of each place from the model fitted to the others; `None` when they do not determine it.
fn held_out(places: &[Place], centre: [f64; 2], model: Model) -> Option<f64> {
    let mut distances = Vec::with_capacity(places.len());
    for (i, place) in places.iter().enumerate() {
        let others: Vec<Place> = places
            .iter()
            .enumerate()
            .filter(|(k, _)| *k != i)
            .map(|(_, p)| *p)
            .collect();
        let map = if model == Model::Identity {
            Affine::constant(centre, [0.0; 2])
        } else {
            least_squares(&others, centre, model)?
        };
        distances.push(place.distance(&map));
    }
    (!distances.is_empty()).then(|| root_mean_square(&distances))
}
