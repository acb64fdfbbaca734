//! Which scenes are compared: a stated choice of pairs, and why each scene that is in none is left out.

use std::collections::BTreeMap;

use ::geo::{BoundingRect, Intersects};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{BandAsset, Kind, Pass, Refusal, Scene};

/// Two scenes of one platform and orbit that began less than this apart are two pieces of one overpass (an orbit takes about 100 minutes).
const ONE_OVERPASS_S: i64 = 30 * 60;

/// The pairs to compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Compare {
    /// The newest scene with the latest earlier one that it can be compared with.
    NewestAgainstPrevious,
    /// The newest scene with the latest one that lies wholly in the period and that it can be compared with.
    NewestAgainstPeriod {
        /// The period's start.
        from: Timestamp,
        /// The period's end, not part of it.
        to: Timestamp,
    },
    /// The newest scene with all earlier ones that it can be compared with; the pair names the latest of them, [`history`] all.
    NewestAgainstHistory,
    /// Each scene with the latest earlier one that it can be compared with.
    EveryConsecutivePair,
}

/// Which scenes, and which pairs of them, may be compared. Empty lists and `None` let everything pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// The largest distance between the days of the year of a pair, days; the end of December is near the beginning of January.
    pub max_season_distance_days: Option<f64>,
    /// The largest cloud fraction, 0 to 1. A scene that does not state its own passes.
    pub max_cloud_fraction: Option<f64>,
    /// Sensor ids.
    pub sensors: Vec<String>,
    /// Platforms, any case. A scene that does not state its own fails; likewise for orbit and pass.
    pub platforms: Vec<String>,
    /// Relative orbits.
    pub relative_orbits: Vec<u32>,
    /// The direction of flight.
    pub pass: Option<Pass>,
    /// Nothing that began before this.
    pub from: Option<Timestamp>,
    /// Nothing that ended after this.
    pub to: Option<Timestamp>,
    /// Names of the bands to compare; empty for all that are measured. A scene that has none of them fails.
    pub bands: Vec<String>,
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

/// The pairs of `scenes` that are to be compared.
///
/// Two scenes are comparable when one ended before the other began, they are not pieces of one overpass, their footprints (where both are known)
/// meet, they share a band that the filter [compares](Filter::compares) by name, both are optical or both SAR, and their seasons are near enough. SAR scenes also
/// need the same relative orbit and pass: another geometry is another picture.
pub fn select(scenes: &[Scene], compare: &Compare, filter: &Filter) -> Selection {
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

    let mut pairs = Vec::new();
    let mut pair = |after: usize, earlier: &[usize]| {
        let partner = partner(scenes, after, earlier, filter);
        reasons.extend(partner.tried);
        match partner.found {
            Some(before) => pairs.push((before, after)),
            None => drop(reasons.insert(after, partner.why_none)),
        }
    };
    match (compare, usable.split_last()) {
        (_, None) => {}
        (Compare::NewestAgainstPrevious | Compare::NewestAgainstHistory, Some((newest, earlier))) => {
            pair(*newest, earlier);
        }
        (Compare::NewestAgainstPeriod { from, to }, Some((newest, earlier))) => {
            let within: Vec<usize> = earlier
                .iter()
                .copied()
                .filter(|at| scenes[*at].start >= *from && scenes[*at].end <= *to)
                .collect();
            pair(*newest, &within);
        }
        (Compare::EveryConsecutivePair, Some(_)) => {
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

/// Positions of all scenes before `newest` that it can be compared with, in order of time.
pub fn history(scenes: &[Scene], newest: usize, filter: &Filter) -> Vec<usize> {
    let mut earlier: Vec<usize> = (0..scenes.len())
        .filter(|at| filter.refuses(&scenes[*at]).is_none())
        .filter(|at| filter.refuses_pair(&scenes[*at], &scenes[newest]).is_none())
        .collect();
    earlier.sort_by(|a, b| {
        let order = |at: usize| (scenes[at].start, scenes[at].end, &scenes[at].id);
        order(*a).cmp(&order(*b))
    });
    earlier
}

struct Partner {
    found: Option<usize>,
    /// Later than what was found, and why not they.
    tried: Vec<(usize, String)>,
    why_none: String,
}

/// The latest of `earlier` (in order of time) that `after` can be compared with.
fn partner(scenes: &[Scene], after: usize, earlier: &[usize], filter: &Filter) -> Partner {
    let newer = &scenes[after];
    let mut tried = Vec::new();
    for before in earlier.iter().rev() {
        match filter.refuses_pair(&scenes[*before], newer) {
            None => {
                return Partner {
                    found: Some(*before),
                    tried,
                    why_none: String::new(),
                };
            }
            Some(reason) => tried.push((*before, format!("not compared with {}: {reason}", newer.id))),
        }
    }
    let why_none = match tried.first() {
        None => "there is no earlier scene to compare it with".to_owned(),
        Some((latest, _)) => format!(
            "none of {} earlier scene{} can be compared with it; the latest, {}: {}",
            tried.len(),
            if tried.len() == 1 { "" } else { "s" },
            scenes[*latest].id,
            filter.refuses_pair(&scenes[*latest], newer).unwrap_or_default()
        ),
    };
    Partner {
        found: None,
        tried,
        why_none,
    }
}

impl Filter {
    /// Whether the band is one of those to compare: named in [`Filter::bands`]; where none is named, measured and not derived.
    pub fn compares(&self, band: &BandAsset) -> bool {
        if self.bands.is_empty() {
            !band.derived
        } else {
            self.bands.contains(&band.name)
        }
    }

    fn compared<'s>(&'s self, scene: &'s Scene) -> impl Iterator<Item = &'s str> {
        let bands = scene.bands.iter().filter(|band| self.compares(band));
        bands.map(|band| band.name.as_str())
    }

    /// Why this scene is not to be used at all.
    fn refuses(&self, scene: &Scene) -> Option<String> {
        if let (Some(most), Some(found)) = (self.max_cloud_fraction, scene.cloud_fraction)
            && found > most
        {
            return Some(format!("cloud fraction {found} exceeds {most}"));
        }
        if !self.sensors.is_empty() && !self.sensors.contains(&scene.sensor) {
            return Some(format!(
                "sensor {} is not among {}",
                scene.sensor,
                self.sensors.join(", ")
            ));
        }
        let platform = scene.platform.as_deref().unwrap_or("unknown");
        if !self.platforms.is_empty() && !self.platforms.iter().any(|one| one.eq_ignore_ascii_case(platform)) {
            return Some(format!(
                "platform {platform} is not among {}",
                self.platforms.join(", ")
            ));
        }
        if !self.relative_orbits.is_empty()
            && !scene
                .relative_orbit
                .is_some_and(|orbit| self.relative_orbits.contains(&orbit))
        {
            let found = text(scene.relative_orbit);
            let wanted: Vec<String> = self.relative_orbits.iter().map(ToString::to_string).collect();
            return Some(format!("relative orbit {found} is not among {}", wanted.join(", ")));
        }
        if self.pass.is_some() && scene.pass != self.pass {
            return Some(format!(
                "pass is {}, {} wanted",
                pass_text(scene.pass),
                pass_text(self.pass)
            ));
        }
        if self.compared(scene).next().is_none() {
            let found = joined(scene.bands.iter().map(|band| band.name.as_str()));
            return Some(if self.bands.is_empty() {
                format!("holds derived indices only ({found}): name them in compare.bands to compare them")
            } else {
                format!("has none of the bands {} (found: {found})", self.bands.join(", "))
            });
        }
        if let Some(from) = self.from.filter(|from| scene.start < *from) {
            return Some(format!("began {}, before {from}", scene.start));
        }
        if let Some(to) = self.to.filter(|to| scene.end > *to) {
            return Some(format!("ended {}, after {to}", scene.end));
        }
        None
    }

    /// Why these two, `before` having begun no later than `after`, are not to be compared.
    fn refuses_pair(&self, before: &Scene, after: &Scene) -> Option<String> {
        if before.end > after.start || before.start >= after.start {
            return Some(format!(
                "their acquisition intervals overlap ({} to {}, {} to {}), so that it is not known which came first",
                before.start, before.end, after.start, after.end
            ));
        }
        let one_track = before.platform.is_some()
            && before.platform == after.platform
            && before.relative_orbit.is_some()
            && before.relative_orbit == after.relative_orbit;
        if one_track && after.start.as_second() - before.start.as_second() < ONE_OVERPASS_S {
            return Some("they are pieces of one overpass".to_owned());
        }
        if before.kind != after.kind {
            return Some("one is optical, the other SAR".to_owned());
        }
        if before.kind == Kind::Sar && (before.relative_orbit, before.pass) != (after.relative_orbit, after.pass) {
            return Some(format!(
                "SAR of relative orbit {} {} is not compared with orbit {} {}",
                text(before.relative_orbit),
                pass_text(before.pass),
                text(after.relative_orbit),
                pass_text(after.pass)
            ));
        }
        if !self
            .compared(before)
            .any(|name| self.compared(after).any(|other| other == name))
        {
            return Some(format!(
                "they share no band ({} and {})",
                joined(self.compared(before)),
                joined(self.compared(after))
            ));
        }
        if let Some(most) = self.max_season_distance_days {
            let found = season_distance_days(before, after);
            if found > most {
                return Some(format!("they are {found:.0} days apart in season, {most} allowed"));
            }
        }
        if let (Some(one), Some(other)) = (&before.footprint, &after.footprint) {
            // The boxes first: most scenes of a large catalogue are elsewhere.
            let boxes = one.bounding_rect().zip(other.bounding_rect());
            if !(boxes.is_some_and(|(a, b)| a.intersects(&b)) && one.intersects(other)) {
                return Some("their footprints do not meet".to_owned());
            }
        }
        None
    }
}

fn text(orbit: Option<u32>) -> String {
    orbit.map_or_else(|| "unknown".to_owned(), |orbit| orbit.to_string())
}

fn pass_text(pass: Option<Pass>) -> &'static str {
    match pass {
        Some(Pass::Ascending) => "ascending",
        Some(Pass::Descending) => "descending",
        None => "unknown",
    }
}

fn joined<'s>(names: impl Iterator<Item = &'s str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}

/// Days between the middles of two acquisitions within the year, the year being a circle: 0 to 183.
fn season_distance_days(one: &Scene, other: &Scene) -> f64 {
    const YEAR: f64 = 365.25;
    let apart = (day_of_year(one) - day_of_year(other)).abs();
    apart.min(YEAR - apart)
}

fn day_of_year(scene: &Scene) -> f64 {
    let middle = (scene.start.as_second() + scene.end.as_second()) / 2;
    let middle = Timestamp::from_second(middle)
        .unwrap_or(scene.start)
        .to_zoned(TimeZone::UTC);
    f64::from(middle.day_of_year()) + f64::from(middle.hour()) / 24.0
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An optical scene of one band, `red`.
    pub(crate) fn scene(id: &str, start: &str) -> Scene {
        let start: Timestamp = format!("{start}T10:00:00Z").parse().unwrap();
        Scene {
            id: id.into(),
            start,
            end: start,
            sensor: "generic".into(),
            kind: Kind::Optical,
            platform: None,
            relative_orbit: None,
            pass: None,
            cloud_fraction: None,
            footprint: None,
            bands: vec![band("red")],
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
            offset: 0.0,
            nodata: Vec::new(),
            decibel: false,
            saturated: None,
            valid: None,
            noise: None,
            noise_fraction: 0.0,
            derived: false,
            stated: None,
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

    fn run(scenes: &[Scene], compare: Compare, filter: Filter) -> (Vec<String>, Vec<String>) {
        let selection = select(scenes, &compare, &filter);
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

    const NOTHING: [&str; 0] = [];

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
        let (pairs, refused) = run(&year(), Compare::NewestAgainstPrevious, Filter::default());
        assert_eq!(pairs, ["c d"]);
        assert_eq!(refused, NOTHING);
        let period = Compare::NewestAgainstPeriod {
            from: "2023-01-01T00:00:00Z".parse().unwrap(),
            to: "2024-01-01T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(run(&year(), period, Filter::default()).0, ["b d"]);
        let (pairs, refused) = run(&year(), Compare::EveryConsecutivePair, Filter::default());
        assert_eq!(pairs, ["a b", "b c", "c d"]);
        assert_eq!(refused, NOTHING);
    }

    #[test]
    fn a_history_holds_what_the_newest_can_be_compared_with() {
        let mut scenes = year();
        scenes.push(sar("s", "2024-01-01", 22, Pass::Ascending));
        assert_eq!(history(&scenes, 3, &Filter::default()), [1, 2, 0]);
        let (pairs, _) = run(&scenes, Compare::NewestAgainstHistory, Filter::default());
        assert_eq!(pairs, ["c d"]);
    }

    #[test]
    fn seasons_lie_on_a_circle() {
        let filter = Filter {
            max_season_distance_days: Some(15.0),
            ..Filter::default()
        };
        let (pairs, refused) = run(&year(), Compare::NewestAgainstPrevious, filter.clone());
        assert_eq!(pairs, ["a d"]);
        assert!(
            refused[0].starts_with("b: not compared with d: they are 181 days apart in season, 15 allowed"),
            "{refused:?}"
        );
        assert_eq!(run(&year(), Compare::EveryConsecutivePair, filter).0, ["b c", "a d"]);
    }

    #[test]
    fn scenes_that_the_filter_leaves_out_are_named() {
        let mut scenes = year();
        scenes[0].cloud_fraction = Some(0.4);
        scenes[1].platform = Some("S2A".into());
        let (pairs, refused) = run(
            &scenes,
            Compare::NewestAgainstPrevious,
            Filter {
                max_cloud_fraction: Some(0.3),
                ..Filter::default()
            },
        );
        assert_eq!(pairs, ["b d"]);
        assert_eq!(refused, ["c: cloud fraction 0.4 exceeds 0.3"]);
        let only = |filter: Filter| run(&scenes, Compare::NewestAgainstPrevious, filter).1.join("; ");
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
        let (pairs, refused) = run(&scenes, Compare::EveryConsecutivePair, Filter::default());
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
        let (pairs, refused) = run(&scenes, Compare::NewestAgainstPrevious, Filter::default());
        assert_eq!(pairs, NOTHING);
        assert!(refused[0].contains("overlap"), "{refused:?}");
        // The same instant is no order either.
        let (pairs, refused) = run(
            &[scene("a", "2024-01-01"), scene("b", "2024-01-01")],
            Compare::EveryConsecutivePair,
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
        let (pairs, refused) = run(&scenes, Compare::NewestAgainstPrevious, Filter::default());
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
            run(&scenes, Compare::NewestAgainstPrevious, Filter::default()).0,
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
        let (pairs, refused) = run(&scenes, Compare::EveryConsecutivePair, Filter::default());
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
        let (pairs, refused) = run(&scenes, Compare::EveryConsecutivePair, named("ndvi"));
        assert_eq!(pairs, ["a c", "c d", "d e"]);
        assert_eq!(refused, ["b: has none of the bands ndvi (found: red)"]);
        assert_eq!(history(&scenes, 4, &named("ndvi")), [0, 2, 3]);
        assert_eq!(history(&scenes, 1, &Filter::default()), [0]);
        // The newest scene is the newest that has what is compared.
        let (pairs, _) = run(&scenes, Compare::NewestAgainstPrevious, named("red"));
        assert_eq!(pairs, ["a b"]);
    }

    #[test]
    fn one_scene_alone_has_nothing_to_be_compared_with() {
        let (pairs, refused) = run(
            &[scene("a", "2024-01-01")],
            Compare::EveryConsecutivePair,
            Filter::default(),
        );
        assert_eq!(pairs, NOTHING);
        assert_eq!(refused, ["a: there is no earlier scene to compare it with"]);
        assert_eq!(
            select(&[], &Compare::NewestAgainstPrevious, &Filter::default()),
            Selection::default()
        );
    }
}
