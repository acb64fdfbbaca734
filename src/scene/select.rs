//! Which scenes are compared: a stated choice of pairs, and why each scene that is in none is left out.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::filter::{Filter, not_after, overlap};
use super::{Refusal, Scene, Shown};

/// The newest scene is passed over when it shows less of the site than this part of what the best one shows, and a partner when it shows
/// less than this part of what the judged scene shows: a sliver is no view of a site.
const MIN_PART: f64 = 0.5;

/// Which scenes are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The newest scene against the one before it.
    NewestAgainstPrevious,
    /// The newest scene against the newest of a period.
    NewestAgainstPeriod,
    /// The newest scene against all before it.
    NewestAgainstHistory,
    /// Each scene against the one before it.
    EveryConsecutivePair,
}

/// The pairs, and what was left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Selection {
    /// Positions (before, after) among the scenes that were given, in order of time of `after`.
    pub pairs: Vec<(usize, usize)>,
    /// Scenes that the filter leaves out or that could not be paired, and why, in order of time.
    ///
    /// A scene that is in no pair merely because the choice does not ask for it (older than the previous one, outside the period) is not refused.
    pub refused: Vec<Refusal>,
}

/// The pairs of `scenes`, each one date, that are to be compared; `shown` tells what each shows of the site.
///
/// Two scenes are comparable when one ended before the other began, they are not pieces of one overpass, their footprints (where both are known)
/// meet, they share a band that the filter [compares](Filter::compares) by name, both are optical or both SAR, their seasons are near enough, and both show
/// some of the same ground. SAR scenes also need the same relative orbit and pass: another geometry is another picture.
///
/// Of scenes whose times overlap and that show the same ground one is used: the shorter, then the one that shows more, then the later by name.
///
/// The newest scene is the latest that shows at least half of what the best one shows; its partner the latest that shows at least half of
/// the ground that it shows, else the one that shows most of it.
pub fn select(scenes: &[Scene], shown: &[Shown], which: Which, filter: &Filter) -> Selection {
    let mut reasons: BTreeMap<usize, String> = BTreeMap::new();
    let mut usable: Vec<usize> = Vec::new();
    for (at, scene) in scenes.iter().enumerate() {
        match filter.refuses(scene) {
            Some(reason) => drop(reasons.insert(at, reason)),
            None => usable.push(at),
        }
    }
    let order = |at: &usize| (scenes[*at].start, scenes[*at].end, &scenes[*at].id);
    usable.sort_by(|a, b| order(a).cmp(&order(b)));
    reasons.extend(pass_over_doubles(scenes, shown, filter, &mut usable));
    if which != Which::EveryConsecutivePair {
        reasons.extend(pass_over_slivers(scenes, shown, &mut usable));
    }

    let mut pairs = Vec::new();
    let mut pair = |after: usize, earlier: &[usize]| {
        let partner = partner(scenes, shown, after, earlier, filter);
        reasons.extend(partner.tried);
        match partner.found {
            Some(before) => pairs.push((before, after)),
            None => drop(reasons.insert(after, partner.why_none)),
        }
    };
    match (which, usable.split_last()) {
        (_, None) => {}
        (Which::NewestAgainstPrevious | Which::NewestAgainstHistory, Some((newest, earlier))) => {
            pair(*newest, earlier);
        }
        (Which::NewestAgainstPeriod, Some((newest, earlier))) => {
            let in_period = |at: &usize| filter.has_in_period(&scenes[*at]);
            let within: Vec<usize> = earlier.iter().copied().filter(in_period).collect();
            pair(*newest, &within);
        }
        (Which::EveryConsecutivePair, Some(_)) => {
            for (position, after) in usable.iter().enumerate().skip(usize::from(usable.len() > 1)) {
                pair(*after, &usable[..position]);
            }
        }
    }
    // A scene that found its partner is used, whatever others said of it.
    for (before, after) in &pairs {
        reasons.remove(before);
        reasons.remove(after);
    }
    let mut refused: Vec<usize> = reasons.keys().copied().collect();
    refused.sort_by(|a, b| order(a).cmp(&order(b)));
    Selection {
        pairs,
        refused: refused
            .into_iter()
            .map(|at| Refusal {
                id: scenes[at].id.clone(),
                source: scenes[at].source.clone(),
                reason: reasons.remove(&at).unwrap_or_default(),
                unreadable: false,
            })
            .collect(),
    }
}

/// Takes from `usable`, in order of time, the latest scenes that show too little of the site beside the best; and why.
fn pass_over_slivers(scenes: &[Scene], shown: &[Shown], usable: &mut Vec<usize>) -> Vec<(usize, String)> {
    let mut best: Option<usize> = None;
    for at in usable.iter().rev() {
        if best.is_none_or(|best| shown[*at].share() > shown[best].share()) {
            best = Some(*at);
        }
    }
    let mut passed = Vec::new();
    while let (Some(best), Some(last)) = (best, usable.last().copied()) {
        let (share, most) = (shown[last].share(), shown[best].share());
        if share >= MIN_PART * most {
            break;
        }
        usable.pop();
        passed.push((
            last,
            format!(
                "passed over: it shows {} of the site, {} {}",
                percent(share),
                scenes[best].id,
                percent(most)
            ),
        ));
    }
    passed
}

/// Takes from `usable`, in order of time, what cannot be told in time from another that shows the same ground: it is no date of its own; and why.
fn pass_over_doubles(
    scenes: &[Scene],
    shown: &[Shown],
    filter: &Filter,
    usable: &mut Vec<usize>,
) -> Vec<(usize, String)> {
    let mut passed: BTreeMap<usize, String> = BTreeMap::new();
    for (position, first) in usable.iter().enumerate() {
        let later = usable[position + 1..].iter();
        for second in later.take_while(|second| scenes[**second].start <= scenes[*first].end) {
            let (one, other) = (&scenes[*first], &scenes[*second]);
            let is_settled = passed.contains_key(first) || passed.contains_key(second);
            let Some(why) = overlap(one, other).filter(|_| !is_settled) else {
                continue;
            };
            let (used, double) = match worth(scenes, shown, *first) > worth(scenes, shown, *second) {
                true => (*first, *second),
                false => (*second, *first),
            };
            let is_there = shown[used].shared(&shown[double]) >= MIN_PART * shown[double].share();
            if is_there && filter.differ(one, other).is_none() {
                passed.insert(double, format!("not used beside {}: {why}", scenes[used].id));
            }
        }
    }
    usable.retain(|at| !passed.contains_key(at));
    passed.into_iter().collect()
}

/// What is used of scenes of one time: the shorter, then what shows more, then the later.
fn worth<'a>(scenes: &'a [Scene], shown: &[Shown], at: usize) -> impl PartialOrd + use<'a> {
    let scene = &scenes[at];
    let length_s = scene.end.as_second() - scene.start.as_second();
    (-length_s, shown[at].share(), scene.start, scene.end, &scene.id)
}

/// What else a series holds of the pair `before`, `newest`: the scenes before the newest that it can be compared with in all `bands` and that follow
/// each other, in order of time; and what else is passed over, and why.
pub fn history(
    scenes: &[Scene],
    shown: &[Shown],
    [before, newest]: [usize; 2],
    bands: &[String],
    filter: &Filter,
) -> (Vec<usize>, Vec<(usize, String)>) {
    let mut others: Vec<usize> = (0..scenes.len())
        .filter(|at| *at != before && filter.refuses(&scenes[*at]).is_none())
        .filter(|at| filter.refuses_pair(&scenes[*at], &scenes[newest]).is_none())
        .filter(|at| shown[*at].shared(&shown[newest]) > 0.0)
        .collect();
    let mut passed = Vec::new();
    others.retain(|at| {
        let has = |name: &&String| scenes[*at].bands.iter().any(|band| band.name == **name);
        let missing = bands.iter().find(|name| !has(name));
        passed.extend(missing.map(|name| (*at, format!("it has no band `{name}`, which the series compares"))));
        missing.is_none()
    });
    let compared = |a: &usize, b: &usize| worth(scenes, shown, *b).partial_cmp(&worth(scenes, shown, *a));
    others.sort_by(|a, b| compared(a, b).unwrap_or(Ordering::Equal));
    let order = |at: usize| (scenes[at].start, scenes[at].end, &scenes[at].id);
    // In order of time. What is kept does not overlap, so that neighbours tell.
    let mut kept = vec![before];
    for at in others {
        let place = kept.partition_point(|one| order(*one) < order(at));
        let neighbours = [place.checked_sub(1), Some(place)].into_iter().flatten();
        let why = neighbours.filter_map(|one| kept.get(one)).find_map(|one| {
            let (first, second) = if order(*one) < order(at) {
                (*one, at)
            } else {
                (at, *one)
            };
            let why = not_after(&scenes[first], &scenes[second])?;
            Some(format!("no date of the series beside {}: {why}", scenes[*one].id))
        });
        match why {
            Some(why) => passed.push((at, why)),
            None => kept.insert(place, at),
        }
    }
    kept.retain(|at| *at != before);
    (kept, passed)
}

struct Partner {
    found: Option<usize>,
    /// Later than what was found, and why not they.
    tried: Vec<(usize, String)>,
    why_none: String,
}

/// The latest of `earlier` (in order of time) that `after` can be compared with and that shows enough of its ground, else the one that shows most.
fn partner(scenes: &[Scene], shown: &[Shown], after: usize, earlier: &[usize], filter: &Filter) -> Partner {
    let newer = &scenes[after];
    let enough = MIN_PART * shown[after].share();
    let mut tried = Vec::new();
    let mut best: Option<(usize, f64)> = None;
    for before in earlier.iter().rev() {
        let shared = shown[*before].shared(&shown[after]);
        let why = match filter.refuses_pair(&scenes[*before], newer) {
            Some(reason) => reason,
            None if shared <= 0.0 => "they show no common ground of the site".into(),
            None => {
                if best.is_none_or(|(_, most)| shared > most) {
                    best = Some((*before, shared));
                }
                if shared >= enough {
                    break;
                }
                format!("they have {} of the site in common", percent(shared))
            }
        };
        tried.push((*before, why));
    }
    let why_none = match tried.first() {
        None => "there is no earlier scene to compare it with".to_owned(),
        Some((latest, why)) => format!(
            "none of {} earlier scene{} can be compared with it; the latest, {}: {why}",
            tried.len(),
            if tried.len() == 1 { "" } else { "s" },
            scenes[*latest].id,
        ),
    };
    // What is older than what was found was not asked for.
    let found = best.map(|(before, _)| before);
    let place = |at: usize| earlier.iter().position(|one| *one == at);
    tried.retain(|(at, _)| found.is_none_or(|found| place(*at) > place(found)));
    let told = tried
        .into_iter()
        .map(|(at, why)| (at, format!("not compared with {}: {why}", newer.id)));
    Partner {
        found,
        tried: told.collect(),
        why_none,
    }
}

/// A part of a site, as it is said.
fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

#[cfg(test)]
pub(crate) mod tests {
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
    fn a_sliver_is_neither_judged_nor_a_partner_while_there_is_better() {
        let scenes = [
            scene("old", "2021-05-01"),
            scene("half", "2021-06-01"),
            scene("whole", "2021-06-05"),
            scene("left", "2021-06-07"),
            scene("sliver", "2021-06-10"),
        ];
        let points =
            |covered: std::ops::Range<usize>| -> Vec<bool> { (0..100).map(|at| covered.contains(&at)).collect() };
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
}
