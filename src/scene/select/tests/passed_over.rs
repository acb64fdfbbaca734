//! Scenes that are passed over: slivers, doubles, radar of unknown orbits, overlapping times.

use super::*;

#[test]
fn overlapping_intervals_are_refused() {
    let mut scenes = [scene("a", "2023-01-01"), scene("b", "2024-01-01")];
    scenes[0].end = "2024-06-01T00:00:00Z".parse().unwrap();
    let (pairs, refused) = run(&scenes, Which::NewestAgainstPrevious, Filter::default());
    assert_eq!(pairs, NOTHING);
    assert!(refused[0].contains("overlap"), "{refused:?}");
    // The same instant is no order either.
    let (pairs, refused) = run(
        &[scene("a", "2024-01-01"), scene("b", "2024-01-01")],
        Which::EveryConsecutivePair,
        Filter::default(),
    );
    assert_eq!((pairs.len(), refused.len()), (0, 2));
}

#[test]
fn a_sliver_is_neither_judged_nor_a_partner_while_there_is_better() {
    let scenes = [
        scene("old", "2021-05-01"),
        scene("half", "2021-06-01"),
        scene("whole", "2021-06-05"),
        scene("left", "2021-06-07"),
        scene("sliver", "2021-06-10"),
    ];
    let points = |covered: std::ops::Range<usize>| -> Vec<bool> { (0..100).map(|at| covered.contains(&at)).collect() };
    let shown: Vec<Shown> = [0..100, 40..100, 0..100, 0..2, 97..100]
        .into_iter()
        .zip(&scenes)
        .map(|(covered, scene)| Shown::of(scene, &points(covered)))
        .collect();
    let selected = |which: Which, until: usize| {
        let selection = select(&scenes[..until], &shown[..until], which, &Filter::default());
        let id = |at: usize| scenes[at].id.as_str();
        let pairs = selection.pairs.iter().map(|(a, b)| format!("{} {}", id(*a), id(*b)));
        let refused = selection
            .refused
            .iter()
            .map(|one| format!("{}: {}", one.id, one.reason));
        (pairs.collect::<Vec<_>>(), refused.collect::<Vec<_>>())
    };
    let (pairs, refused) = selected(Which::NewestAgainstPrevious, 5);
    assert_eq!(pairs, ["half whole"]);
    assert_eq!(
        refused,
        [
            "left: passed over: it shows 2 % of the site, whole 100 %",
            "sliver: passed over: it shows 3 % of the site, whole 100 %"
        ]
    );
    // Where every pair is asked for, each is compared with what shows its ground.
    let (pairs, refused) = selected(Which::EveryConsecutivePair, 5);
    assert_eq!(pairs, ["old half", "half whole", "whole left", "whole sliver"]);
    assert_eq!(refused, NOTHING);
    // Nothing shows half of it: then the one that shows most.
    let shown: Vec<Shown> = [0..30, 0..0, 20..30, 0..100]
        .into_iter()
        .zip(&scenes)
        .map(|(covered, scene)| Shown::of(scene, &points(covered)))
        .collect();
    let selection = select(&scenes[..4], &shown, Which::NewestAgainstPrevious, &Filter::default());
    assert_eq!(selection.pairs, [(0, 3)]);
    assert_eq!(
        selection
            .refused
            .iter()
            .map(|one| one.reason.as_str())
            .collect::<Vec<_>>(),
        [
            "not compared with left: they show no common ground of the site",
            "not compared with left: they have 10 % of the site in common"
        ]
    );
    assert_eq!(before_them(&scenes[..4], &shown, [0, 3], &Filter::default()), [2]);
}

#[test]
fn sar_of_unknown_orbit_is_of_one_track_by_the_time_of_day_alone() {
    let unknown = |id: &str, time: &str| Scene {
        relative_orbit: None,
        pass: None,
        start: time.parse().unwrap(),
        end: time.parse().unwrap(),
        ..sar(id, "2024-01-01", 0, Pass::Ascending)
    };
    let scenes = [
        unknown("a", "2024-01-01T17:15:00Z"),
        unknown("b", "2024-01-07T05:50:00Z"),
        unknown("c", "2024-01-13T17:15:01Z"),
        sar("d", "2024-01-20", 22, Pass::Ascending),
    ];
    let (pairs, refused) = run(&scenes[..3], Which::EveryConsecutivePair, Filter::default());
    assert_eq!(pairs, ["a c"]);
    assert!(
        refused[0].contains("b: ") && refused[0].contains("other times of day"),
        "{refused:?}"
    );
    let (pairs, refused) = run(&scenes[2..], Which::EveryConsecutivePair, Filter::default());
    assert_eq!(pairs, NOTHING);
    assert!(
        refused[1].contains("orbit unknown unknown is not compared with orbit 22"),
        "{refused:?}"
    );
    // Known by the day alone, nothing says otherwise; a day and a time are not equal.
    let day = |id: &str, day: &str| Scene {
        end: format!("{day}T23:59:59Z").parse().unwrap(),
        ..unknown(id, &format!("{day}T00:00:00Z"))
    };
    let days = [day("a", "2024-01-01"), day("b", "2024-01-07")];
    assert_eq!(run(&days, Which::EveryConsecutivePair, Filter::default()).0, ["a b"]);
    let mixed = [days[0].clone(), scenes[1].clone()];
    let (pairs, refused) = run(&mixed, Which::EveryConsecutivePair, Filter::default());
    assert_eq!(pairs, NOTHING);
    assert!(
        refused[1].contains("of one alone the time of day is known"),
        "{refused:?}"
    );
}

#[test]
fn doubles_are_one_date() {
    let scenes = [
        of_a_day("a1", "2021-06-01"),
        of_a_day("b1", "2021-06-01"),
        of_a_day("a2", "2021-06-11"),
        of_a_day("b2", "2021-06-11"),
    ];
    let (pairs, refused) = run(&scenes, Which::EveryConsecutivePair, Filter::default());
    assert_eq!(pairs, ["b1 b2"]);
    assert!(
        refused[0].starts_with("a1: not used beside b1: their acquisition intervals overlap"),
        "{refused:?}"
    );
    assert!(refused[1].starts_with("a2: not used beside b2: "), "{refused:?}");
    // What shows other ground, or other bands, is no double.
    let elsewhere = [[true, false], [false, true], [true, true], [true, true]];
    let shown: Vec<Shown> = scenes
        .iter()
        .zip(elsewhere)
        .map(|(scene, points)| Shown::of(scene, &points))
        .collect();
    let selection = select(&scenes, &shown, Which::EveryConsecutivePair, &Filter::default());
    assert_eq!(selection.pairs, [(1, 3)]);
    assert_eq!(selection.refused.len(), 2);
    // A year is not preferred to a day in it.
    let year = Scene {
        end: "2021-12-31T23:59:59Z".parse().unwrap(),
        ..of_a_day("year", "2021-01-01")
    };
    let (pairs, refused) = run(
        &[scenes[0].clone(), year, scenes[2].clone()],
        Which::EveryConsecutivePair,
        Filter::default(),
    );
    assert_eq!(pairs, ["a1 a2"]);
    assert!(refused[0].starts_with("year: not used beside a1: "), "{refused:?}");
}

#[test]
fn a_series_counts_a_date_once() {
    let scenes = [
        of_a_day("a1", "2021-06-01"),
        of_a_day("b1", "2021-06-01"),
        of_a_day("a2", "2021-06-06"),
        of_a_day("b2", "2021-06-06"),
        of_a_day("new", "2021-06-11"),
    ];
    let told = |bands: &[String]| {
        let (kept, passed) = history(&scenes, &all_shown(&scenes), [3, 4], bands, &Filter::default());
        let passed = passed
            .into_iter()
            .map(|(at, why)| format!("{}: {}", scenes[at].id, &why[..32.min(why.len())]));
        (kept, passed.collect::<Vec<_>>())
    };
    assert_eq!(
        told(&["red".into()]),
        (
            vec![1],
            vec![
                "a2: no date of the series beside b2:".to_owned(),
                "a1: no date of the series beside b1:".to_owned()
            ]
        )
    );
    // What lacks a band that is compared takes no other's place.
    let (kept, passed) = told(&["red".into(), "nir".into()]);
    assert_eq!((kept.len(), passed.len()), (0, 3));
}
