//! Scenes that are pieces of one acquisition: tiles of an overpass, rows of a path, slices of a datatake. They are one date.

use serde::{Deserialize, Serialize};

use super::Scene;
use crate::raster::flags;

/// Pieces whose items name one pass began less than this apart (an orbit takes about 100 minutes).
const ONE_OVERPASS_S: i64 = 30 * 60;
/// As do those of one platform that name none: a satellite images one place once in a few minutes, a geostationary one every ten.
const WITHIN_MINUTES_S: i64 = 5 * 60;
/// As do those of an unknown platform that show the same ground: the strips of a tile that was received in parts are seconds apart.
const ONE_INSTANT_S: i64 = 60;

/// How the rasters of two scenes lie beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rasters {
    /// Their pixels are in the same places, and of one type and scale.
    Alike,
    /// They lie elsewhere; their pixels are of one size, type and scale.
    Adjacent,
    /// Their pixels are of another size, type or scale: those of two products.
    Unlike,
}

/// One date over a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
        let mut notes: Vec<String> = Vec::new();
        for note in pieces.iter().flat_map(|piece| &piece.notes) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
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
            notes,
            ..first.clone()
        };
        Some(Self { whole, pieces })
    }
}

/// `scenes` in groups, each the pieces of one acquisition, by the time of their first; `rasters` tells how those of two lie.
///
/// Pieces are of one sensor and share a band, no two state different platforms, orbits or passes, and they belong together by the first of
/// these that holds: their items name one pass ([`Scene::overpass`], or platform and relative orbit) and they began within 30 minutes; they are of one
/// platform and began within 5 minutes; the platform is not known, they are of one [collection](Scene::collection), their pixels are of one
/// kind, and they began within 5 minutes or have the same day, month or year and lie elsewhere, or began within a minute and lie alike.
pub fn pieces(scenes: &[&Scene], rasters: &dyn Fn(usize, usize) -> Rasters) -> Vec<Vec<usize>> {
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
                .all(|one| belong_together(scenes[*one], scenes[at], &|| rasters(*one, at)))
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups
}

/// Whether `a` and `b`, which began no earlier, are pieces of one acquisition.
fn belong_together(a: &Scene, b: &Scene, rasters: &dyn Fn() -> Rasters) -> bool {
    // The time first: most scenes of a large catalogue are of other days.
    let Some(apart) = apart_s(a, b) else { return false };
    let differ = apart >= ONE_OVERPASS_S
        || a.sensor != b.sensor
        || contradict(&a.platform, &b.platform, |a, b| is_one_platform(a, b))
        || contradict(&a.relative_orbit, &b.relative_orbit, PartialEq::eq)
        || contradict(&a.pass, &b.pass, PartialEq::eq)
        || !a
            .bands
            .iter()
            .any(|band| b.bands.iter().any(|other| other.name == band.name));
    if differ {
        return false;
    }
    let one_is_unknown = a.platform.is_none() || b.platform.is_none();
    let may_be = || match rasters() {
        Rasters::Alike => apart < ONE_INSTANT_S && is_short(a) && is_short(b),
        Rasters::Adjacent => apart < WITHIN_MINUTES_S,
        Rasters::Unlike => false,
    };
    // Unknown is not equal: what nobody names must at least come from one place and look alike.
    are_of_one_pass(a, b) || one_is_unknown && a.collection == b.collection && may_be()
}

/// Whether two scenes, of which `a` began no later, are parts of one pass of one platform, whatever they hold.
pub(super) fn are_of_one_pass(a: &Scene, b: &Scene) -> bool {
    let platforms = a.platform.as_ref().zip(b.platform.as_ref());
    let same_platform = platforms.is_some_and(|(a, b)| is_one_platform(a, b));
    let same_orbit = same_platform && a.relative_orbit.is_some() && a.relative_orbit == b.relative_orbit;
    let same_pass = a.overpass.is_some() && a.overpass == b.overpass;
    apart_s(a, b).is_some_and(|apart| {
        apart < ONE_OVERPASS_S && (same_pass || same_orbit) || apart < WITHIN_MINUTES_S && same_platform
    })
}

/// Whether two names are those of one platform, in any case and with any marks between (`sentinel-2a`, `Sentinel_2A`).
pub fn is_one_platform(a: &str, b: &str) -> bool {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    a == b || plain(a) == plain(b) && !plain(a).is_empty()
}

fn contradict<T>(a: &Option<T>, b: &Option<T>, is_one: impl Fn(&T, &T) -> bool) -> bool {
    a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| !is_one(a, b))
}

/// Whether it is known at what time of day a scene was acquired: it took less than half an hour.
pub(super) fn is_short(scene: &Scene) -> bool {
    scene.end.as_second() - scene.start.as_second() < ONE_OVERPASS_S
}

/// Seconds from the start of `a` to that of `b`; of scenes whose time is known by day, month or year alone, 0 where it is the same, else nothing.
fn apart_s(a: &Scene, b: &Scene) -> Option<i64> {
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

    /// Ids of each group; rasters of scenes whose ids begin alike lie alike, and those that say `coarse` have other pixels.
    fn groups(scenes: &[Scene]) -> Vec<String> {
        let refs: Vec<&Scene> = scenes.iter().collect();
        let rasters = |a: usize, b: usize| {
            let (a, b) = (&scenes[a].id, &scenes[b].id);
            match a[..1] == b[..1] {
                _ if a.contains("coarse") != b.contains("coarse") => Rasters::Unlike,
                true => Rasters::Alike,
                false => Rasters::Adjacent,
            }
        };
        let named = |group: Vec<usize>| {
            group
                .iter()
                .map(|at| scenes[*at].id.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        pieces(&refs, &rasters).into_iter().map(named).collect()
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
    fn unknown_is_not_equal() {
        let from = |collection: &str, scene: Scene| Scene {
            collection: Some(collection.into()),
            ..scene
        };
        let day = |id: &str| Scene {
            end: "2021-06-01T23:59:59Z".parse().unwrap(),
            ..scene(id, "2021-06-01")
        };
        let scenes = [day("left"), day("right"), day("way coarse")];
        assert_eq!(groups(&scenes), ["left right", "way coarse"]);
        let scenes = [from("a/*.tif", day("left")), from("b/*.tif", day("right"))];
        assert_eq!(groups(&scenes), ["left", "right"]);
        // One names its platform, the other does not.
        let scenes = [
            from("x", of("s2a", at("a", "2021-06-10T10:00:00Z"))),
            from("y", at("b", "2021-06-10T10:00:10Z")),
        ];
        assert_eq!(groups(&scenes), ["a", "b"]);
    }

    #[test]
    fn strips_of_a_tile_at_one_instant_are_one_date() {
        let scenes = [
            at("tile_0", "2021-06-10T10:00:31Z"),
            at("tile_1", "2021-06-10T10:00:31Z"),
            at("tile_2", "2021-06-10T10:00:45Z"),
            at("tile_3", "2021-06-10T10:02:00Z"),
        ];
        assert_eq!(groups(&scenes), ["tile_0 tile_1 tile_2", "tile_3"]);
    }

    #[test]
    fn a_platform_has_one_name_however_it_is_spelled() {
        let scenes = [
            of("sentinel-2a", at("a", "2021-06-10T10:00:00Z")),
            of("Sentinel_2A", at("b", "2021-06-10T10:00:14Z")),
            of("SENTINEL-2B", at("c", "2021-06-10T10:00:15Z")),
        ];
        assert_eq!(groups(&scenes), ["a b", "c"]);
        assert!(!is_one_platform("--", "-"));
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
