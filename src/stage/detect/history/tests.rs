use ndarray::Array2;

use super::*;
use crate::stage::detect::Cell;

const EDGE: usize = 40;

/// Values of a normal distribution in scrambled order (a linear congruential generator, Numerical Recipes "ranqd1").
fn noise(seed: u32) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        normal_upper((f64::from(state >> 8) + 0.5) / f64::from(1_u32 << 24))
    }
}

/// Dates every `step` days: ground of different levels with noise of 0.1 and what `more` adds by (date, row, column); each date
/// has a gain and an offset of its own.
fn stack(dates: usize, more: impl Fn(usize, usize, usize) -> f64) -> ScreenedStack {
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
    ScreenedStack {
        rect,
        dates: dates.collect(),
        flags: Plane::filled(rect, flags::CLEAR),
    }
}

fn fitted(stack: &ScreenedStack, step: f64, consecutive: usize) -> History {
    let days: Vec<f64> = (0..stack.dates.len()).map(|date| step * date as f64).collect();
    let params = HistoryParams {
        window_px: 1,
        consecutive,
        common_gain: true,
    };
    let cell = Cell {
        core: stack.rect,
        stack: stack.clone(),
    };
    History::fit(&[cell], &days, &[SensorNoise::default(); 2], &params).unwrap()
}

fn sorted(scores: &Plane<i16>) -> Vec<f64> {
    let mut all: Vec<f64> = scores.values().iter().map(|s| f64::from(*s) / 100.0).collect();
    all.sort_by(f64::total_cmp);
    all
}

#[test]
fn without_change_scores_are_standard_normal_or_quieter() {
    for (dates, step) in [(5, 16.0), (9, 16.0), (30, 30.0)] {
        for consecutive in [1, 2] {
            let stack = stack(dates, |_, _, _| 0.0);
            let found = sorted(&fitted(&stack, step, consecutive).score(&stack, &stack.rect));
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
    let mut stack = stack(
        12,
        |date, row, column| if date >= 8 && changed(row, column) { 1.5 } else { 0.0 },
    );
    for cloudy in [7, 8] {
        stack.dates[cloudy].iter_mut().for_each(|band| band[[2, 3]] = f32::NAN);
    }
    let history = fitted(&stack, 16.0, 1);
    let break_date = history.break_date(&stack, &Plane::filled(stack.rect, true)).unwrap();
    let score = history.score(&stack, &stack.rect);
    let dated = |last_unchanged, first_changed| {
        Some(BreakDate {
            last_unchanged,
            first_changed,
        })
    };
    assert_eq!((break_date[[2, 3]], break_date[[4, 4]]), (dated(6, 9), dated(7, 8)));
    let right = (0..36).filter(|i| break_date[[i / 6, i % 6]] == dated(7, 8)).count();
    assert!(right >= 33, "{right} of 35");
    assert!((0..36).all(|i| score[[i / 6, i % 6]] > 500));
    let elsewhere = break_date
        .indexed_iter()
        .filter(|((y, x), o)| !changed(*y, *x) && o.is_some());
    assert!(elsewhere.count() < EDGE * EDGE / 50);
}

#[test]
fn what_is_seen_on_one_date_is_no_change_where_two_are_asked_for() {
    let stack = stack(12, |date, row, column| {
        let spike = date == 11 && row < 6;
        let step = date >= 10 && column < 6 && row > 32;
        if spike || step { 1.5 } else { 0.0 }
    });
    let [one, two] = [1, 2].map(|k| fitted(&stack, 16.0, k).score(&stack, &stack.rect));
    assert!(
        one[[3, 20]] > 400 && two[[3, 20]] < 200,
        "{}, {}",
        one[[3, 20]],
        two[[3, 20]]
    );
    assert!(one[[36, 3]] > 400 && two[[36, 3]] > 400);
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
    let stack = stack(30, season);
    let yearly = fitted(&stack, 30.0, 1);
    assert!(yearly.yearly);
    let mut level = yearly.clone();
    level.yearly = false;
    let [yearly, level] = [yearly, level].map(|history| history.score(&stack, &stack.rect));
    let loud = |plane: &Plane<i16>| {
        plane
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
    assert!(yearly[[0, 0]] > 400 && yearly[[1, 1]] > 400);
}

#[test]
fn tiles_give_what_the_whole_gives() {
    let stack = stack(8, |date, row, _| if date == 7 && row < 6 { 1.0 } else { 0.0 });
    let mut history = fitted(&stack, 16.0, 1);
    history.params.window_px = 3;
    let inside = Rect::new(1, 1, EDGE - 2, EDGE - 2);
    let whole = history.score(&stack, &inside);
    let dates = history.break_date(&stack, &Plane::filled(inside, true)).unwrap();
    for core in [Rect::new(1, 1, 10, 7), Rect::new(11, 8, 20, 30)] {
        let wide = core.grow(history.halo());
        let tile = stack.crop(&wide);
        assert_eq!(history.score(&tile, &core), whole.crop(&core));
        let mut wanted = Plane::filled(core, true);
        assert_eq!(history.break_date(&tile, &wanted).unwrap(), dates.crop(&core));
        wanted[[0, 1]] = false;
        let some = history.break_date(&tile, &wanted).unwrap();
        assert_eq!((some[[0, 0]], some[[0, 1]]), (dates.crop(&core)[[0, 0]], None));
    }
}

#[test]
fn what_has_no_past_is_not_judged() {
    let mut stack = stack(6, |_, _, _| 0.0);
    let mut cloud = |dates: &[usize], at: [usize; 2]| dates.iter().for_each(|d| stack.dates[*d][1][at] = f32::NAN);
    cloud(&[5], [0, 0]);
    cloud(&[0, 2, 4], [0, 1]);
    cloud(&[0, 4], [0, 2]);
    stack.flags[[0, 3]] = flags::CLOUD;
    let history = fitted(&stack, 16.0, 1);
    let score = history.score(&stack, &stack.rect);
    let judged = [0, 1, 2, 3, 4].map(|column| score[[0, column]] != SCORE_NODATA);
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
    let mut stack = stack(6, |_, _, _| 0.0);
    stack.dates.iter_mut().flatten().for_each(|band| band.fill(2.0));
    let found = sorted(&fitted(&stack, 16.0, 1).score(&stack, &stack.rect));
    assert!(found.iter().all(|s| *s <= 0.0), "{found:?}");
}
