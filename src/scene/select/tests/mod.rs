mod passed_over;

use jiff::Timestamp;

use super::*;
use crate::scene::{BandAsset, Kind, Pass};

/// An optical scene of one band, `red`.
pub(crate) fn scene(id: &str, start: &str) -> Scene {
    let start: Timestamp = format!("{start}T10:00:00Z").parse().unwrap();
    Scene {
        id: id.into(),
        start,
        end: start,
        sensor: "generic".into(),
        kind: Kind::Optical,
        collection: None,
        platform: None,
        relative_orbit: None,
        pass: None,
        overpass: None,
        cloud_fraction: None,
        footprint: None,
        bands: vec![band("red")],
        absent: vec![],
        notes: vec![],
        quality: vec![],
        href: None,
        source: format!("{id}.tif").into(),
    }
}

/// A band of values as they are stored.
pub(crate) fn band(name: &str) -> BandAsset {
    BandAsset {
        name: name.into(),
        path: "x.tif".into(),
        index: 1,
        scale: 1.0,
        ..BandAsset::default()
    }
}

/// An index of values as they are stored.
fn index(name: &str) -> BandAsset {
    BandAsset {
        derived: true,
        ..band(name)
    }
}

fn sar(id: &str, start: &str, orbit: u32, pass: Pass) -> Scene {
    Scene {
        kind: Kind::Sar,
        relative_orbit: Some(orbit),
        pass: Some(pass),
        bands: vec![band("VV")],
        ..scene(id, start)
    }
}

fn run(scenes: &[Scene], which: Which, filter: Filter) -> (Vec<String>, Vec<String>) {
    let selection = select(scenes, &all_shown(scenes), which, &filter);
    (
        selection
            .pairs
            .iter()
            .map(|(before, after)| format!("{} {}", scenes[*before].id, scenes[*after].id))
            .collect(),
        selection
            .refused
            .iter()
            .map(|refusal| format!("{}: {}", refusal.id, refusal.reason))
            .collect(),
    )
}

/// Every scene shows the whole site.
pub(crate) fn all_shown(scenes: &[Scene]) -> Vec<Shown> {
    scenes.iter().map(|scene| Shown::of(scene, &[true])).collect()
}

const NOTHING: [&str; 0] = [];

/// What else a series of the pair holds.
fn before_them(scenes: &[Scene], shown: &[Shown], pair: [usize; 2], filter: &Filter) -> Vec<usize> {
    history(scenes, shown, pair, &[], filter).0
}

/// A scene of a day of which no more is known.
fn of_a_day(id: &str, day: &str) -> Scene {
    Scene {
        start: format!("{day}T00:00:00Z").parse().unwrap(),
        end: format!("{day}T23:59:59Z").parse().unwrap(),
        ..scene(id, day)
    }
}

fn year() -> Vec<Scene> {
    vec![
        scene("c", "2024-07-10"),
        scene("a", "2023-01-05"),
        scene("b", "2023-07-01"),
        scene("d", "2024-12-28"),
    ]
}

#[test]
fn the_three_choices() {
    let (pairs, refused) = run(&year(), Which::NewestAgainstPrevious, Filter::default());
    assert_eq!(pairs, ["c d"]);
    assert_eq!(refused, NOTHING);
    let period = Filter {
        period: Some(["2023-01-01T00:00:00Z", "2024-01-01T00:00:00Z"].map(|day| day.parse().unwrap())),
        ..Filter::default()
    };
    assert_eq!(run(&year(), Which::NewestAgainstPeriod, period).0, ["b d"]);
    let (pairs, refused) = run(&year(), Which::EveryConsecutivePair, Filter::default());
    assert_eq!(pairs, ["a b", "b c", "c d"]);
    assert_eq!(refused, NOTHING);
}

#[test]
fn a_history_holds_what_the_newest_can_be_compared_with() {
    let mut scenes = year();
    scenes.push(sar("s", "2024-01-01", 22, Pass::Ascending));
    assert_eq!(
        before_them(&scenes, &all_shown(&scenes), [0, 3], &Filter::default()),
        [1, 2]
    );
    let (pairs, _) = run(&scenes, Which::NewestAgainstHistory, Filter::default());
    assert_eq!(pairs, ["c d"]);
}

#[test]
fn seasons_lie_on_a_circle() {
    let filter = Filter {
        max_season_distance_days: Some(15.0),
        ..Filter::default()
    };
    let (pairs, refused) = run(&year(), Which::NewestAgainstPrevious, filter.clone());
    assert_eq!(pairs, ["a d"]);
    assert!(
        refused[0].starts_with("b: not compared with d: they are 181 days apart in season, 15 allowed"),
        "{refused:?}"
    );
    assert_eq!(run(&year(), Which::EveryConsecutivePair, filter).0, ["b c", "a d"]);
}

#[test]
fn scenes_that_the_filter_leaves_out_are_named() {
    let mut scenes = year();
    scenes[0].cloud_fraction = Some(0.4);
    scenes[1].platform = Some("S2A".into());
    let (pairs, refused) = run(
        &scenes,
        Which::NewestAgainstPrevious,
        Filter {
            max_cloud_fraction: Some(0.3),
            ..Filter::default()
        },
    );
    assert_eq!(pairs, ["b d"]);
    assert_eq!(refused, ["c: cloud fraction 0.4 exceeds 0.3"]);
    let only = |filter: Filter| run(&scenes, Which::NewestAgainstPrevious, filter).1.join("; ");
    assert!(
        only(Filter {
            platforms: vec!["s2a".into()],
            ..Filter::default()
        })
        .contains("d: platform unknown is not among s2a")
    );
    assert!(
        only(Filter {
            relative_orbits: vec![7],
            ..Filter::default()
        })
        .contains("a: relative orbit unknown is not among 7")
    );
    assert!(
        only(Filter {
            pass: Some(Pass::Ascending),
            ..Filter::default()
        })
        .contains("a: pass is unknown, ascending wanted")
    );
    assert!(
        only(Filter {
            sensors: vec!["x".into()],
            ..Filter::default()
        })
        .contains("sensor generic is not among x")
    );
    let from = Some("2024-01-01T00:00:00Z".parse().unwrap());
    assert!(
        only(Filter {
            from,
            ..Filter::default()
        })
        .contains("a: began 2023-01-05T10:00:00Z, before 2024")
    );
    assert!(
        only(Filter {
            to: from,
            ..Filter::default()
        })
        .contains("d: ended 2024-12-28T10:00:00Z, after 2024")
    );
}

#[test]
fn sar_pairs_within_one_orbit_and_pass_and_never_with_optical() {
    let scenes = [
        sar("a", "2024-01-01", 22, Pass::Ascending),
        sar("b", "2024-01-05", 95, Pass::Descending),
        scene("c", "2024-01-06"),
        sar("d", "2024-01-13", 22, Pass::Ascending),
        sar("e", "2024-01-14", 22, Pass::Descending),
    ];
    let (pairs, refused) = run(&scenes, Which::EveryConsecutivePair, Filter::default());
    assert_eq!(pairs, ["a d"]);
    assert!(
        refused
            .iter()
            .any(|reason| reason.starts_with("e: none of 4 earlier scenes")),
        "{refused:?}"
    );
    assert!(
        refused
            .iter()
            .any(|reason| reason.starts_with("c: ") && reason.contains("one is optical")),
        "{refused:?}"
    );
}

#[test]
fn pieces_of_one_overpass_other_bands_and_other_places_are_not_compared() {
    let track = |id: &str, time: &str| Scene {
        platform: Some("s2a".into()),
        relative_orbit: Some(8),
        start: time.parse().unwrap(),
        end: time.parse().unwrap(),
        ..scene(id, "2024-01-01")
    };
    let mut other_band = scene("x", "2024-01-04");
    other_band.bands = vec![band("nir")];
    let square = |x: f64| {
        Some(::geo::MultiPolygon(vec![
            ::geo::Rect::new((x, 0.0), (x + 1.0, 1.0)).to_polygon(),
        ]))
    };
    let mut scenes = [
        Scene {
            footprint: square(0.0),
            ..scene("old", "2023-01-01")
        },
        Scene {
            footprint: square(5.0),
            ..scene("away", "2023-06-01")
        },
        track("piece", "2024-01-11T10:00:00Z"),
        Scene {
            footprint: square(0.5),
            ..track("new", "2024-01-11T10:00:14Z")
        },
        other_band,
    ];
    let (pairs, refused) = run(&scenes, Which::NewestAgainstPrevious, Filter::default());
    assert_eq!(pairs, ["old new"]);
    assert_eq!(
        refused,
        [
            "away: not compared with new: their footprints do not meet",
            "x: not compared with new: they share no band (nir and red)",
            "piece: not compared with new: they are pieces of one overpass"
        ]
    );
    scenes[2].start = "2024-01-01T10:00:00Z".parse().unwrap();
    scenes[2].end = scenes[2].start;
    assert_eq!(
        run(&scenes, Which::NewestAgainstPrevious, Filter::default()).0,
        ["piece new"]
    );
}

#[test]
fn derived_bands_are_compared_only_where_they_are_named() {
    let with = |id: &str, start: &str, bands: &[BandAsset]| Scene {
        bands: bands.to_vec(),
        ..scene(id, start)
    };
    let scenes = [
        with("a", "2023-01-01", &[band("red"), index("ndvi")]),
        with("b", "2023-02-01", &[band("red")]),
        with("c", "2023-03-01", &[index("ndvi")]),
        with("d", "2023-04-01", &[band("nir"), index("ndvi")]),
        with("e", "2023-05-01", &[index("ndvi")]),
    ];
    let only_index = "holds derived indices only (ndvi): name them in compare.bands to compare them";
    let (pairs, refused) = run(&scenes, Which::EveryConsecutivePair, Filter::default());
    assert_eq!(pairs, ["a b"]);
    // `d` shares no measured band with the others, although all but `b` have the index.
    assert_eq!(
        refused,
        [
            format!("c: {only_index}"),
            "d: none of 2 earlier scenes can be compared with it; the latest, b: they share no band (red and nir)"
                .into(),
            format!("e: {only_index}"),
        ]
    );
    let named = |name: &str| Filter {
        bands: vec![name.into()],
        ..Filter::default()
    };
    let (pairs, refused) = run(&scenes, Which::EveryConsecutivePair, named("ndvi"));
    assert_eq!(pairs, ["a c", "c d", "d e"]);
    assert_eq!(refused, ["b: has none of the bands ndvi (found: red)"]);
    assert_eq!(
        before_them(&scenes, &all_shown(&scenes), [3, 4], &named("ndvi")),
        [0, 2]
    );
    assert!(before_them(&scenes, &all_shown(&scenes), [0, 1], &Filter::default()).is_empty());
    // The newest scene is the newest that has what is compared.
    let (pairs, _) = run(&scenes, Which::NewestAgainstPrevious, named("red"));
    assert_eq!(pairs, ["a b"]);
}

#[test]
fn one_scene_alone_has_nothing_to_be_compared_with() {
    let (pairs, refused) = run(
        &[scene("a", "2024-01-01")],
        Which::EveryConsecutivePair,
        Filter::default(),
    );
    assert_eq!(pairs, NOTHING);
    assert_eq!(refused, ["a: there is no earlier scene to compare it with"]);
    assert_eq!(
        select(&[], &[], Which::NewestAgainstPrevious, &Filter::default()),
        Selection::default()
    );
}
