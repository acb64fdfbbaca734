//! From tie points to a registration: outliers rejected, the simplest model that holds (`consensus`), and what is left.

use super::consensus::{
    Place, affine_holds, agreeing, chosen, held_out, least_squares, length, middle, points_of, root_mean_square,
    shift_holds,
};
use super::model::{Model, Outcome, Registration, Shifts, Unmeasured};
use super::rejected::{MIN_CLEAR, Reason, Rejected};
use super::spread::judge_spread;
use super::{CoregisterParams, TiePoint};
use crate::geo::{Affine, Rect};

/// The least part of the tie points that must agree.
const MIN_AGREEING: f64 = 0.5;

/// The registration that the measured and the rejected windows of `area` say.
///
/// Deterministic: outliers are rejected about the median, in rounds; no random sample is drawn.
pub fn fit(points: &[TiePoint], rejected: &[Rejected], area: Rect, params: &CoregisterParams) -> Registration {
    let centre = [area.x as f64 + area.w as f64 / 2.0, area.y as f64 + area.h as f64 / 2.0];
    measured(points, rejected, area, centre, params).unwrap_or_else(|why| Registration {
        outcome: Outcome::Unmeasured(why),
        model: Model::Identity,
        source: Affine::IDENTITY,
        shift_px: [0.0; 2],
        unmoved_px: f64::NAN,
        residual_px: f64::NAN,
        circular_error_90_px: f64::NAN,
        held_out_px: f64::NAN,
        used: Vec::new(),
        outliers: points.to_vec(),
    })
}

fn measured(
    points: &[TiePoint],
    rejected: &[Rejected],
    area: Rect,
    centre: [f64; 2],
    params: &CoregisterParams,
) -> Result<Registration, Unmeasured> {
    measurable(points, rejected, area, params)?;
    let places: Vec<Place> = points.iter().map(Place::of).collect();
    let (mut model, mut kept) = (Model::Affine, agreeing(&places, centre, Model::Affine));
    if !affine_holds(&chosen(&places, &kept), centre, area) {
        (model, kept) = (Model::Shift, agreeing(&places, centre, Model::Shift));
    }
    let used = chosen(&places, &kept);
    let expected = params
        .min_tie_points
        .max(((MIN_AGREEING * places.len() as f64).ceil()) as usize)
        .max(1);
    let (agreeing, points_found) = (used.len(), places.len());
    let no_consensus = Unmeasured::NoConsensus {
        expected,
        agreeing,
        points: points_found,
    };
    if agreeing < expected {
        return Err(no_consensus);
    }
    let looked_at = points
        .iter()
        .map(|p| &p.window)
        .chain(rejected.iter().map(|r| &r.window));
    judge_spread(&points_of(&used), &looked_at.map(middle).collect::<Vec<_>>(), area)?;
    let mut map = least_squares(&used, centre, model).ok_or(no_consensus)?;
    let shift_px = [map.x[0], map.y[0]];
    if model == Model::Shift && !shift_holds(&used, &map) {
        (model, map) = (Model::Identity, Shifts::constant(centre, [0.0; 2]));
    }
    let mut distances: Vec<f64> = used.iter().map(|p| p.distance(&map)).collect();
    distances.sort_by(f64::total_cmp);
    let residual_px = root_mean_square(&distances);
    let by = |wanted: bool| {
        points
            .iter()
            .zip(&kept)
            .filter(|(_, k)| **k == wanted)
            .map(|(p, _)| p.clone())
            .collect()
    };
    Ok(Registration {
        outcome: match residual_px {
            r if r <= params.pass_px => Outcome::Pass,
            r if r <= params.refuse_px => Outcome::Degraded,
            _ => Outcome::Refused,
        },
        model,
        source: map.source(),
        shift_px,
        unmoved_px: root_mean_square(&used.iter().map(|p| length(p.shift)).collect::<Vec<_>>()),
        residual_px,
        circular_error_90_px: distances[(0.9 * agreeing as f64).ceil() as usize - 1],
        held_out_px: held_out(&used, centre, model).unwrap_or(f64::NAN),
        used: by(true),
        outliers: by(false),
    })
}

/// Whether there is enough to fit anything on.
fn measurable(
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
    if clear < MIN_CLEAR {
        return Err(Unmeasured::Cloud { found: 100.0 * clear });
    }
    let (expected, found) = (params.min_tie_points.max(1), points.len());
    if found < expected {
        let reason = most_frequent(rejected);
        return Err(Unmeasured::TooFew {
            expected,
            found,
            windows,
            reason,
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

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect {
        x: 0,
        y: 0,
        w: 700,
        h: 700,
    };

    fn params() -> CoregisterParams {
        CoregisterParams {
            window_px: 128,
            max_shift_px: 5,
            min_tie_points: 8,
            pass_px: 0.3,
            refuse_px: 1.0,
        }
    }

    /// Tie points of a 7 x 7 lattice, shifted as `shift` says of the middle of each window.
    fn lattice(shift: impl Fn(f64, f64) -> [f64; 2]) -> Vec<TiePoint> {
        let at = |i: i64| TiePoint {
            window: Rect::new(i % 7 * 100, i / 7 * 100, 100, 100),
            shift_px: shift((i % 7 * 100 + 50) as f64, (i / 7 * 100 + 50) as f64),
            error_px: 0.02,
            similarity: [0.5, 0.9],
            reliability: 20.0,
            matched: (0, false),
            clear: 1.0,
        };
        (0..49).map(at).collect()
    }

    /// A scatter without a generator: equidistant values from -size to size, in scrambled order. Its standard deviation
    /// is 2/3 of size.
    fn scatter(x: f64, y: f64, size: f64) -> [f64; 2] {
        let (i, j) = (x as i64 / 100, y as i64 / 100);
        [(3 * i + 5 * j) % 7, (i + 2 * j) % 7].map(|k| (k - 3) as f64 / 3.0 * size)
    }

    fn rejected(point: &TiePoint, reason: Reason) -> Rejected {
        Rejected {
            window: point.window,
            clear: 1.0,
            reason,
        }
    }

    #[test]
    fn outliers_are_named_and_do_not_count() {
        let mut points = lattice(|x, y| [2.0 + scatter(x, y, 0.05)[0], -1.0 + scatter(x, y, 0.05)[1]]);
        points.iter_mut().step_by(4).for_each(|p| p.shift_px = [-3.0, 4.0]);
        let found = fit(&points, &[], AREA, &params());
        assert_eq!(
            (&found.outcome, found.model, found.outliers.len()),
            (&Outcome::Pass, Model::Shift, 13)
        );
        assert!(
            (found.shift_px[0] - 2.0).abs() < 0.02 && (found.shift_px[1] + 1.0).abs() < 0.02,
            "{found:?}"
        );
        let expected = 0.05 * 2.0 / 3.0 * 2_f64.sqrt();
        assert!(
            (found.residual_px / expected - 1.0).abs() < 0.1,
            "{}",
            found.residual_px
        );
        assert!((found.unmoved_px - 5.0_f64.sqrt()).abs() < 0.02);
        assert!(found.held_out_px > found.residual_px && found.circular_error_90_px > found.residual_px);
        assert_eq!(
            found.source.apply(10.0, 10.0),
            (10.0 - found.shift_px[0], 10.0 - found.shift_px[1])
        );
    }

    #[test]
    fn a_slope_is_affine_and_a_trace_of_it_is_not() {
        let sloped = |slope: f64| {
            lattice(move |x, y| {
                [
                    1.0 + slope * (x - 350.0),
                    scatter(x, y, 0.05)[1] - 2.0 * slope * (y - 350.0),
                ]
            })
        };
        let mut points = sloped(0.002);
        points.iter_mut().step_by(6).for_each(|p| p.shift_px = [-3.0, 4.0]);
        let found = fit(&points, &[], AREA, &params());
        assert_eq!((&found.outcome, found.model), (&Outcome::Pass, Model::Affine));
        let (x, y) = found.source.apply(700.0, 0.0);
        assert!((x - 698.3).abs() < 0.02 && (y + 1.4).abs() < 0.02, "{x} {y}");
        assert_eq!(fit(&sloped(0.0001), &[], AREA, &params()).model, Model::Shift);
    }

    #[test]
    fn a_shift_within_its_error_is_not_applied() {
        // The same shift, measured well and badly.
        let shifted = |size: f64| {
            fit(
                &lattice(|x, y| [0.08 + scatter(x, y, size)[0], scatter(x, y, size)[1]]),
                &[],
                AREA,
                &params(),
            )
        };
        assert_eq!(
            (shifted(0.05).model, shifted(0.4).model),
            (Model::Shift, Model::Identity)
        );
        assert!(shifted(0.4).shift_px[0] > 0.05 && shifted(0.4).source.apply(5.0, 5.0) == (5.0, 5.0));
    }

    #[test]
    fn the_gate_goes_by_the_residual() {
        for (size, expected) in [(0.2, Outcome::Pass), (0.5, Outcome::Degraded), (1.2, Outcome::Refused)] {
            let found = fit(&lattice(|x, y| scatter(x, y, size)), &[], AREA, &params());
            assert_eq!(found.outcome, expected, "{size}: {}", found.residual_px);
        }
    }

    #[test]
    fn few_or_clustered_or_contradicting_points_move_nothing() {
        let all = lattice(|_, _| [2.0, 1.0]);
        let split = |keep: &dyn Fn(&TiePoint) -> bool| {
            let (points, rest): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|p| keep(p));
            let rest: Vec<Rejected> = rest.iter().map(|p| rejected(p, Reason::Flat)).collect();
            fit(&points, &rest, AREA, &params())
        };
        let few = split(&|p| p.window.x == p.window.y);
        let flat = Some(Reason::Flat);
        let expected = Unmeasured::TooFew {
            expected: 8,
            found: 7,
            windows: 49,
            reason: flat,
        };
        assert_eq!(few.outcome, Outcome::Unmeasured(expected.clone()));
        assert_eq!(
            expected.to_string(),
            "expected at least 8 tie points, found 7 of 49 windows; most were rejected: no texture to match"
        );
        for clustered in [
            split(&|p| p.window.x < 200),
            split(&|p| p.window.x < 400 && p.window.y < 300),
        ] {
            assert!(
                matches!(clustered.outcome, Outcome::Unmeasured(Unmeasured::Clustered { .. })),
                "{clustered:?}"
            );
            assert_eq!(clustered.source.apply(7.0, 8.0), (7.0, 8.0));
        }
        let torn = lattice(|x, _| {
            if x < 340.0 {
                [-2.0 - (x / 100.0).floor(), 0.0]
            } else {
                [2.0 + (x / 100.0).floor(), 0.0]
            }
        });
        let torn: Vec<TiePoint> = torn
            .into_iter()
            .map(|mut p| {
                p.shift_px[1] = ((p.window.x * 7 + p.window.y * 3) % 11) as f64;
                p
            })
            .collect();
        assert!(!matches!(
            fit(&torn, &[], AREA, &params()).outcome,
            Outcome::Pass | Outcome::Degraded
        ));
        assert!(matches!(
            fit(&[], &[], AREA, &params()).outcome,
            Outcome::Unmeasured(Unmeasured::TooSmall { .. })
        ));
    }
}
