use ndarray::Array2;

use super::*;
use crate::stage::detect::Cell;

const EDGE: usize = 40;

/// Values of a normal law in scrambled order (a linear congruential generator, Numerical Recipes "ranqd1").
fn noise(seed: u32) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        normal_upper((f64::from(state >> 8) + 0.5) / f64::from(1_u32 << 24))
    }
}

/// Dates every `step` days: ground of different levels with noise of 0.1 and what `more` adds by (date, row, column); each date
/// has a gain and an offset of its own.
fn seen(dates: usize, more: impl Fn(usize, usize, usize) -> f64) -> Seen {
    let mut noise = noise(7);
    let dates = (0..dates).map(|date| {
        let mut band = |shift: f64| {
            Array2::from_shape_fn((EDGE, EDGE), |(row, column)| {
                let ground = (row % 5) as f64 + shift + 0.1 * noise() + more(date, row, column);
                ((1.0 + 0.02 * date as f64) * ground + 0.3 * (date % 3) as f64) as f32
            })
        };
        vec![band(0.0), band(1.0)]
    });
    let rect = Rect::new(0, 0, EDGE, EDGE);
    Seen {
        rect,
        dates: dates.collect(),
        flags: Plane::filled(rect, flags::CLEAR),
    }
}

fn fitted(seen: &Seen, step: f64, consecutive: usize) -> History {
    let days: Vec<f64> = (0..seen.dates.len()).map(|date| step * date as f64).collect();
    let params = HistoryParams {
        window_px: 1,
        consecutive,
        common_gain: true,
    };
    let cell = Cell {
        core: seen.rect,
        seen: seen.clone(),
    };
    History::fit(&[cell], &days, &[SensorNoise::default(); 2], &params).unwrap()
}

fn sorted(scores: &Plane<i16>) -> Vec<f64> {
    let mut all: Vec<f64> = scores.data.iter().map(|s| f64::from(*s) / 100.0).collect();
    all.sort_by(f64::total_cmp);
    all
}

#[test]
fn without_change_scores_are_standard_normal_or_quieter() {
    for (dates, step) in [(5, 16.0), (9, 16.0), (30, 30.0)] {
        for consecutive in [1, 2] {
            let seen = seen(dates, |_, _, _| 0.0);
            let found = sorted(&fitted(&seen, step, consecutive).score(&seen, &seen.rect));
            for (q, z) in [(0.5, 0.0), (0.8413, 1.0), (0.9772, 2.0), (0.9987, 3.0)] {
                let at = found[(q * found.len() as f64) as usize];
                assert!(
                    at < z + 0.4 && at > 0.6 * z - 0.5,
                    "{dates}, {consecutive}: {at} at {z}"
                );
            }
        }
    }
}

#[test]
fn a_step_is_dated_between_the_clear_dates_around_it() {
    let changed = |row: usize, column: usize| row < 6 && column < 6;
    let mut seen = seen(
        12,
        |date, row, column| if date >= 8 && changed(row, column) { 1.5 } else { 0.0 },
    );
    for cloudy in [7, 8] {
        seen.dates[cloudy].iter_mut().for_each(|band| band[[2, 3]] = f32::NAN);
    }
    let history = fitted(&seen, 16.0, 1);
    let onset = history.onset(&seen, &Plane::filled(seen.rect, true)).unwrap();
    let score = history.score(&seen, &seen.rect);
    let dated = |last_unchanged, first_changed| {
        Some(Onset {
            last_unchanged,
            first_changed,
        })
    };
    assert_eq!((onset.data[[2, 3]], onset.data[[4, 4]]), (dated(6, 9), dated(7, 8)));
    let right = (0..36).filter(|i| onset.data[[i / 6, i % 6]] == dated(7, 8)).count();
    assert!(right >= 33, "{right} of 35");
    assert!((0..36).all(|i| score.data[[i / 6, i % 6]] > 500));
    let elsewhere = onset
        .data
        .indexed_iter()
        .filter(|((y, x), o)| !changed(*y, *x) && o.is_some());
    assert!(elsewhere.count() < EDGE * EDGE / 50);
}

#[test]
fn what_is_seen_on_one_date_is_no_change_where_two_are_asked_for() {
    let seen = seen(12, |date, row, column| {
        let spike = date == 11 && row < 6;
        let step = date >= 10 && column < 6 && row > 32;
        if spike || step { 1.5 } else { 0.0 }
    });
    let [one, two] = [1, 2].map(|k| fitted(&seen, 16.0, k).score(&seen, &seen.rect));
    assert!(
        one.data[[3, 20]] > 400 && two.data[[3, 20]] < 200,
        "{}, {}",
        one.data[[3, 20]],
        two.data[[3, 20]]
    );
    assert!(one.data[[36, 3]] > 400 && two.data[[36, 3]] > 400);
}

#[test]
fn the_season_of_a_field_is_no_change() {
    // A third of the ground is green for some weeks of the year, and is so on the newest date; a step comes on top in a corner.
    let season = |date: usize, row: usize, column: usize| {
        let angle = 2.0 * core::f64::consts::PI * (date as f64 * 30.0 - 870.0) / 365.25;
        let wave: f64 = [1.0, 2.0, 3.0].iter().map(|k| libm::cos(k * angle)).sum();
        let step = if date == 29 && row < 4 && column < 4 { 2.0 } else { 0.0 };
        step + if row.is_multiple_of(3) { 0.5 * wave } else { 0.0 }
    };
    let seen = seen(30, season);
    let yearly = fitted(&seen, 30.0, 1);
    assert!(yearly.yearly);
    let mut level = yearly.clone();
    level.yearly = false;
    let [yearly, level] = [yearly, level].map(|history| history.score(&seen, &seen.rect));
    let loud = |plane: &Plane<i16>| {
        plane
            .data
            .indexed_iter()
            .filter(|((row, _), s)| *row > 4 && **s > 250)
            .count()
    };
    assert!(
        loud(&yearly) < 40 && loud(&level) > 400,
        "{}, {}",
        loud(&yearly),
        loud(&level)
    );
    assert!(yearly.data[[0, 0]] > 400 && yearly.data[[1, 1]] > 400);
}

#[test]
fn tiles_give_what_the_whole_gives() {
    let seen = seen(8, |date, row, _| if date == 7 && row < 6 { 1.0 } else { 0.0 });
    let mut history = fitted(&seen, 16.0, 1);
    history.params.window_px = 3;
    let inside = Rect::new(1, 1, EDGE - 2, EDGE - 2);
    let whole = history.score(&seen, &inside);
    let dates = history.onset(&seen, &Plane::filled(inside, true)).unwrap();
    for core in [Rect::new(1, 1, 10, 7), Rect::new(11, 8, 20, 30)] {
        let wide = core.grow(history.halo());
        let tile = seen.crop(&wide);
        assert_eq!(history.score(&tile, &core), whole.crop(&core));
        let mut wanted = Plane::filled(core, true);
        assert_eq!(history.onset(&tile, &wanted).unwrap(), dates.crop(&core));
        wanted.data[[0, 1]] = false;
        let some = history.onset(&tile, &wanted).unwrap();
        assert_eq!(
            (some.data[[0, 0]], some.data[[0, 1]]),
            (dates.crop(&core).data[[0, 0]], None)
        );
    }
}

#[test]
fn what_has_no_past_is_not_judged() {
    let mut seen = seen(6, |_, _, _| 0.0);
    let mut cloud = |dates: &[usize], at: [usize; 2]| dates.iter().for_each(|d| seen.dates[*d][1][at] = f32::NAN);
    cloud(&[5], [0, 0]);
    cloud(&[0, 2, 4], [0, 1]);
    cloud(&[0, 4], [0, 2]);
    seen.flags.data[[0, 3]] = flags::CLOUD;
    let history = fitted(&seen, 16.0, 1);
    let score = history.score(&seen, &seen.rect);
    let judged = [0, 1, 2, 3, 4].map(|column| score.data[[0, column]] != SCORE_NODATA);
    assert_eq!(judged, [false, false, true, false, true]);

    let sensor = [SensorNoise::default(); 2];
    let few = History::fit(&[], &[0.0, 1.0, 2.0], &sensor, &history.params);
    assert_eq!(few, Err(HistoryError::TooFewDates { expected: 4, found: 3 }));
    let none = History::fit(&[], &[0.0, 1.0, 2.0, 3.0], &sensor, &history.params);
    assert_eq!(
        none,
        Err(HistoryError::TooFewPixels {
            expected: 100,
            found: 0
        })
    );
}

#[test]
fn a_constant_scene_is_quiet() {
    let mut seen = seen(6, |_, _, _| 0.0);
    seen.dates.iter_mut().flatten().for_each(|band| band.fill(2.0));
    let found = sorted(&fitted(&seen, 16.0, 1).score(&seen, &seen.rect));
    assert!(found.iter().all(|s| *s <= 0.0), "{found:?}");
}
