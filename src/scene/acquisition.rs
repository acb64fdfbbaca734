//! Scenes that are pieces of one acquisition: tiles of an overpass, rows of a path, slices of a datatake. They are one date.

use super::Scene;
use crate::raster::flags;

/// Pieces whose items name one pass began less than this apart (an orbit takes about 100 minutes).
const ONE_OVERPASS_S: i64 = 30 * 60;
/// As do those of one platform that name none: a satellite images one place once in a few minutes, a geostationary one every ten.
const WITHIN_MINUTES_S: i64 = 5 * 60;

/// One date over a site.
#[derive(Debug, Clone, PartialEq)]
pub struct Acquisition {
    /// All of it as one scene: its id joins those of the pieces by `+`, its time spans theirs, its bands are those that all have. Where they lie
    /// is told by the pieces alone.
    pub whole: Scene,
    /// The scenes, by start and id: where several show a pixel, it is that of the first in which it can be judged.
    pub pieces: Vec<Scene>,
}

impl Acquisition {
    /// The acquisition of `pieces`; `None` of none.
    pub fn of(mut pieces: Vec<Scene>) -> Option<Self> {
        pieces.sort_by(|a, b| (a.start, a.end, &a.id).cmp(&(b.start, b.end, &b.id)));
        let first = pieces.first()?;
        if pieces.len() == 1 {
            return Some(Self {
                whole: first.clone(),
                pieces,
            });
        }
        let ids: Vec<&str> = pieces.iter().map(|piece| piece.id.as_str()).collect();
        let clouds: Option<Vec<f64>> = pieces.iter().map(|piece| piece.cloud_fraction).collect();
        let outlines: Option<Vec<_>> = pieces.iter().map(|piece| piece.footprint.clone()).collect();
        // What is known of its clouds is what the piece knows that knows least.
        let tells_cloud = |piece: &&Scene| piece.quality.iter().any(|q| q.coding.reasons() & flags::CLOUD != 0);
        let least = pieces.iter().find(|piece| !tells_cloud(piece)).unwrap_or(first);
        let has = |piece: &Scene, name: &str| piece.bands.iter().any(|band| band.name == name);
        let bands = first.bands.iter();
        let whole = Scene {
            id: ids.join("+"),
            end: pieces.iter().map(|piece| piece.end).max().unwrap_or(first.end),
            platform: pieces.iter().find_map(|piece| piece.platform.clone()),
            relative_orbit: pieces.iter().find_map(|piece| piece.relative_orbit),
            pass: pieces.iter().find_map(|piece| piece.pass),
            cloud_fraction: clouds.map(|clouds| clouds.iter().sum::<f64>() / clouds.len() as f64),
            footprint: outlines.map(|outlines| outlines.into_iter().flatten().collect()),
            bands: bands
                .filter(|band| pieces.iter().all(|piece| has(piece, &band.name)))
                .cloned()
                .collect(),
            quality: least.quality.clone(),
            ..first.clone()
        };
        Some(Self { whole, pieces })
    }
}

/// `scenes` in groups, each the pieces of one acquisition, by the time of their first; `same_ground` tells whether two rasters lie alike.
///
/// Pieces are of one sensor and share a band, no two state different platforms, orbits or passes, and they belong together by the first of
/// these that holds: their items name one pass ([`Scene::overpass`], or platform and relative orbit) and they began within 30 minutes; they are of one
/// platform and began within 5 minutes; the platform is not known, they began within 5 minutes or have the same day, month or year, and they do not lie alike.
pub fn pieces(scenes: &[&Scene], same_ground: &dyn Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..scenes.len()).collect();
    order.sort_by(|a, b| {
        let key = |at: usize| (scenes[at].start, scenes[at].end, &scenes[at].id);
        key(*a).cmp(&key(*b))
    });
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for at in order {
        let fits = |group: &&mut Vec<usize>| {
            group
                .iter()
                .all(|one| belong_together(scenes[*one], scenes[at], &|| same_ground(*one, at)))
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups
}

/// Whether `a` and `b`, which began no earlier, are pieces of one acquisition.
fn belong_together(a: &Scene, b: &Scene, same_ground: &dyn Fn() -> bool) -> bool {
    // The time first: most scenes of a large catalogue are of other days.
    let Some(apart) = apart_s(a, b) else { return false };
    let differ = apart >= ONE_OVERPASS_S
        || a.sensor != b.sensor
        || contradict(&a.platform, &b.platform)
        || contradict(&a.relative_orbit, &b.relative_orbit)
        || contradict(&a.pass, &b.pass)
        || !a
            .bands
            .iter()
            .any(|band| b.bands.iter().any(|other| other.name == band.name));
    if differ {
        return false;
    }
    let one_is_unknown = a.platform.is_none() || b.platform.is_none();
    are_of_one_pass(a, b) || one_is_unknown && apart < WITHIN_MINUTES_S && !same_ground()
}

/// Whether two scenes, of which `a` began no later, are parts of one pass of one platform, whatever they hold.
pub(super) fn are_of_one_pass(a: &Scene, b: &Scene) -> bool {
    let same_platform = a.platform.is_some() && a.platform == b.platform;
    let same_orbit = same_platform && a.relative_orbit.is_some() && a.relative_orbit == b.relative_orbit;
    let same_pass = a.overpass.is_some() && a.overpass == b.overpass;
    apart_s(a, b).is_some_and(|apart| {
        apart < ONE_OVERPASS_S && (same_pass || same_orbit) || apart < WITHIN_MINUTES_S && same_platform
    })
}

fn contradict<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
    a.is_some() && b.is_some() && a != b
}

/// Seconds from the start of `a` to that of `b`; of scenes whose time is known by day, month or year alone, 0 where it is the same, else nothing.
fn apart_s(a: &Scene, b: &Scene) -> Option<i64> {
    let is_short = |scene: &Scene| scene.end.as_second() - scene.start.as_second() < ONE_OVERPASS_S;
    if is_short(a) && is_short(b) {
        return Some(b.start.as_second() - a.start.as_second());
    }
    ((a.start, a.end) == (b.start, b.end)).then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::select::tests::{band, scene};
    use crate::scene::{Kind, Pass};

    fn at(id: &str, time: &str) -> Scene {
        Scene {
            start: time.parse().unwrap(),
            end: time.parse().unwrap(),
            ..scene(id, "2021-06-10")
        }
    }

    fn of(platform: &str, scene: Scene) -> Scene {
        Scene {
            platform: Some(platform.into()),
            ..scene
        }
    }

    /// Ids of each group; rasters of scenes whose ids begin alike lie alike.
    fn groups(scenes: &[Scene]) -> Vec<String> {
        let refs: Vec<&Scene> = scenes.iter().collect();
        let alike = |a: usize, b: usize| scenes[a].id[..1] == scenes[b].id[..1];
        let named = |group: Vec<usize>| {
            group
                .iter()
                .map(|at| scenes[*at].id.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        pieces(&refs, &alike).into_iter().map(named).collect()
    }

    #[test]
    fn tiles_of_one_platform_within_minutes_are_one_date_in_any_order() {
        let mut scenes = vec![
            of("s2a", at("a", "2021-06-10T10:56:19Z")),
            of("s2a", at("b", "2021-06-10T10:56:33Z")),
            of("s2b", at("c", "2021-06-10T10:56:40Z")),
            of("s2a", at("d", "2021-06-10T11:02:00Z")),
            of("s2a", at("e", "2021-06-15T10:56:19Z")),
        ];
        let expected = ["a b", "c", "d", "e"];
        assert_eq!(groups(&scenes), expected);
        scenes.reverse();
        assert_eq!(groups(&scenes), expected);
    }

    #[test]
    fn what_items_say_of_the_pass_joins_what_lies_half_an_hour_apart() {
        let stated = |id: &str, time: &str, pass: &str| Scene {
            overpass: Some(pass.into()),
            ..at(id, time)
        };
        let scenes = [
            stated("a", "2021-06-10T10:50:00Z", "datatake 7"),
            stated("b", "2021-06-10T11:05:00Z", "datatake 7"),
            stated("c", "2021-06-10T11:25:00Z", "datatake 7"),
            stated("d", "2021-06-10T12:40:00Z", "datatake 8"),
        ];
        assert_eq!(groups(&scenes), ["a b", "c", "d"]);
        let orbit = |scene: Scene| Scene {
            relative_orbit: Some(94),
            ..of("s2a", scene)
        };
        let scenes = [
            orbit(at("a", "2021-06-10T10:50:00Z")),
            orbit(at("b", "2021-06-10T11:10:00Z")),
        ];
        assert_eq!(groups(&scenes), ["a b"]);
    }

    #[test]
    fn without_a_platform_time_and_ground_tell() {
        let day = |id: &str, day: &str| Scene {
            end: format!("{day}T23:59:59Z").parse().unwrap(),
            ..scene(id, day)
        };
        let scenes = [
            day("left", "2021-06-01"),
            day("right", "2021-06-01"),
            day("again", "2021-06-01"),
            day("another", "2021-06-01"),
            at("left2", "2021-06-01T10:00:30Z"),
            day("left3", "2021-06-02"),
        ];
        // Two files of one ground on one day are no mosaic; an instant is not a day.
        assert_eq!(groups(&scenes), ["again left right", "another", "left2", "left3"]);
    }

    #[test]
    fn what_contradicts_is_no_piece() {
        let sar = |id: &str, orbit: Option<u32>, pass: Pass| Scene {
            kind: Kind::Sar,
            relative_orbit: orbit,
            pass: Some(pass),
            bands: vec![band("VV")],
            ..at(id, "2021-06-10T05:00:00Z")
        };
        let scenes = [
            sar("a", Some(22), Pass::Ascending),
            sar("b", Some(95), Pass::Ascending),
            sar("c", Some(22), Pass::Descending),
            sar("d", None, Pass::Ascending),
        ];
        assert_eq!(groups(&scenes), ["a d", "b", "c"]);
        let other_band = Scene {
            bands: vec![band("nir")],
            ..at("b", "2021-06-10T10:00:00Z")
        };
        assert_eq!(groups(&[at("a", "2021-06-10T10:00:00Z"), other_band]), ["a", "b"]);
    }

    #[test]
    fn an_acquisition_is_told_as_one_scene() {
        let second = Scene {
            bands: vec![band("nir"), band("red")],
            cloud_fraction: Some(0.2),
            ..of("s2a", at("b", "2021-06-10T10:00:14Z"))
        };
        let first = Scene {
            bands: vec![band("red"), band("blue")],
            cloud_fraction: Some(0.4),
            ..at("a", "2021-06-10T10:00:00Z")
        };
        let one = Acquisition::of(vec![second, first]).unwrap();
        assert_eq!(one.whole.id, "a+b");
        assert_eq!(one.whole.end.to_string(), "2021-06-10T10:00:14Z");
        assert_eq!(one.whole.platform.as_deref(), Some("s2a"));
        assert_eq!(one.whole.bands, [band("red")]);
        assert!((one.whole.cloud_fraction.unwrap() - 0.3).abs() < 1e-12);
        assert_eq!(
            one.pieces.iter().map(|piece| piece.id.as_str()).collect::<String>(),
            "ab"
        );
    }
}
