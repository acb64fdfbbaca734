//! Which scenes are compared with which, and in which bands.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::{CompareParams, Config};
use crate::finding::RefusedScene;
use crate::scene::acquisition::{self, Rasters};
use crate::scene::{self, Acquisition, Filter, Kind, Pass, Scene, Shown, Which, fineness, is_of_unknown_track};
use crate::stage::detect;

/// Acquisitions that are compared, and the bands of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Acquisitions before `before` that belong to the comparison, oldest first; empty unless a series is compared.
    pub history: Vec<Arc<Acquisition>>,
    /// The latest earlier acquisition.
    pub before: Arc<Acquisition>,
    /// The judged acquisition.
    pub after: Arc<Acquisition>,
    /// Names of the bands.
    pub bands: Vec<String>,
    /// Optical or SAR.
    pub kind: Kind,
    /// Comparisons of other scenes whose evidence is joined to this one's.
    pub companions: Vec<Pair>,
    /// What whoever reads it should know, beside the notes of its scenes.
    pub notes: Vec<String>,
}

impl Pair {
    /// Its dates, oldest first, the judged one last.
    pub fn dates(&self) -> Vec<&Acquisition> {
        let pair = [&self.before, &self.after];
        self.history.iter().chain(pair).map(Arc::as_ref).collect()
    }

    /// Its dates, each as one scene, oldest first.
    pub fn scenes(&self) -> Vec<&Scene> {
        self.dates().into_iter().map(|date| &date.whole).collect()
    }

    /// The pieces of all dates that it reads, those of the comparisons beside it included.
    pub fn pieces(&self) -> Vec<&Scene> {
        let beside = self.companions.iter().flat_map(Self::dates);
        self.dates()
            .into_iter()
            .chain(beside)
            .flat_map(|date| &date.pieces)
            .collect()
    }

    /// Whether more than two dates are compared.
    pub fn is_series(&self) -> bool {
        !self.history.is_empty()
    }
}

/// A scene that covers the site, and what it shows of it.
#[derive(Clone)]
pub struct Candidate<'a> {
    /// The scene.
    pub scene: &'a Scene,
    /// What it shows of the site.
    pub shown: Shown,
    /// Edge of its finest pixels there, metres; `None` where that is not known.
    pub pixel_m: Option<f64>,
}

/// How the rasters of two scenes lie beside each other.
type Lie<'a> = dyn Fn(&Scene, &Scene) -> Rasters + 'a;

/// The comparisons of `scenes` on a site of `area_m2`, and which scenes are left out and why; `rasters` tells how those of two lie.
pub fn pairs(
    scenes: &[Candidate<'_>],
    area_m2: f64,
    rasters: &Lie<'_>,
    config: &Config,
) -> (Vec<Pair>, Vec<RefusedScene>) {
    let pairs_of = |scenes: &[Candidate<'_>]| pairs_of(scenes, area_m2, rasters, &config.compare);
    if !detect::joins_tracks(&config.detect) {
        return pairs_of(scenes);
    }
    let (optical, radar): (Vec<_>, Vec<_>) = scenes.iter().cloned().partition(|one| one.scene.kind == Kind::Optical);
    let (mut pairs, mut refused) = pairs_of(&optical);
    let track = |scene: &Scene| (scene.relative_orbit, scene.pass.map(|pass| pass == Pass::Ascending));
    let mut tracks: Vec<_> = radar.iter().map(|one| track(one.scene)).collect();
    tracks.sort();
    tracks.dedup();
    for wanted in tracks {
        let one: Vec<_> = radar.iter().filter(|one| track(one.scene) == wanted).cloned().collect();
        let (found, left_out) = pairs_of(&one);
        refused.extend(left_out);
        // The newest of each track is heard beside the newest comparison: that of the optical scenes, else of the first track.
        let Some(newest) = found.into_iter().next_back() else {
            continue;
        };
        match pairs.last_mut() {
            Some(judged) => judged.companions.push(newest),
            None => pairs.push(newest),
        }
    }
    (pairs, refused)
}

/// One date, and what it shows of the site.
struct Date {
    acquisition: Arc<Acquisition>,
    shown: Shown,
    /// Edge of its finest pixels, metres.
    pixel_m: Option<f64>,
    /// What whoever reads a comparison of it should know.
    note: Option<String>,
}

/// The dates that `scenes` make, and the scenes that the filter leaves out.
fn dates(scenes: &[Candidate<'_>], area_m2: f64, rasters: &Lie<'_>, filter: &Filter) -> (Vec<Date>, Vec<RefusedScene>) {
    let (mut usable, mut refused) = (Vec::new(), Vec::new());
    for one in scenes {
        match filter.refuses(one.scene) {
            None => usable.push(one),
            Some(reason) => refused.push(left_out(one.scene, reason)),
        }
    }
    if let Some(reason) = of_two_tracks(&usable, rasters) {
        let (unknown, known) = usable.into_iter().partition(|one| is_of_unknown_track(one.scene));
        let unknown: Vec<&Candidate<'_>> = unknown;
        refused.extend(unknown.into_iter().map(|one| left_out(one.scene, reason.to_owned())));
        usable = known;
    }
    let plain: Vec<&Scene> = usable.iter().map(|one| one.scene).collect();
    let groups = acquisition::pieces(&plain, &|a, b| rasters(plain[a], plain[b]));
    let mut dates = Vec::with_capacity(groups.len());
    for group in groups {
        let mut pieces: Vec<&Candidate<'_>> = group.into_iter().map(|at| usable[at]).collect();
        let (poor, note) = without_the_poor(&mut pieces, filter);
        refused.extend(poor);
        let acquisition = Acquisition::of(pieces.iter().map(|one| one.scene.clone()).collect());
        let Some(acquisition) = acquisition else { continue };
        dates.push(Date {
            acquisition: Arc::new(acquisition),
            shown: Shown::together(pieces.iter().map(|one| &one.shown)),
            pixel_m: pieces.iter().filter_map(|one| one.pixel_m).min_by(f64::total_cmp),
            note,
        });
    }
    refused.extend(without_the_coarse(&mut dates, area_m2));
    (dates, refused)
}

/// Why radar of which neither orbit nor time of day is known is not compared: several show the site in one time, or they do not lie alike, as those
/// of two tracks do.
fn of_two_tracks(usable: &[&Candidate<'_>], rasters: &Lie<'_>) -> Option<&'static str> {
    let unknown = usable.iter().map(|one| one.scene);
    let mut unknown: Vec<&Scene> = unknown.filter(|scene| is_of_unknown_track(scene)).collect();
    unknown.sort_by_key(|scene| (scene.start, scene.end));
    let is_one = |pair: &[&Scene]| pair[0].end < pair[1].start && rasters(pair[0], pair[1]) == Rasters::Alike;
    (!unknown.windows(2).all(is_one)).then_some(
        "neither its relative orbit nor its time of day is known, and radar of another orbit is another picture: put the time of day into the \
         files' names and date_pattern, or state sat:relative_orbit in items",
    )
}

/// Takes from `dates` those whose pixels are far longer, or shorter, than those of the others of their kind.
fn without_the_coarse(dates: &mut Vec<Date>, area_m2: f64) -> Vec<RefusedScene> {
    let mut far: BTreeMap<usize, String> = BTreeMap::new();
    for kind in [Kind::Optical, Kind::Sar] {
        let of_kind = dates.iter().enumerate();
        let of_kind: Vec<(usize, &Date)> = of_kind
            .filter(|(_, date)| date.acquisition.whole.kind == kind)
            .collect();
        let ids: Vec<&str> = of_kind
            .iter()
            .map(|(_, date)| date.acquisition.whole.id.as_str())
            .collect();
        let pixels: Vec<Option<f64>> = of_kind.iter().map(|(_, date)| date.pixel_m).collect();
        let told = fineness::passed_over(&pixels, area_m2, &ids).into_iter();
        far.extend(told.map(|(at, why)| (of_kind[at].0, why)));
    }
    let mut kept = Vec::with_capacity(dates.len());
    let mut refused = Vec::with_capacity(far.len());
    for (at, date) in std::mem::take(dates).into_iter().enumerate() {
        match far.remove(&at) {
            Some(why) => refused.push(left_out(&date.acquisition.whole, why)),
            None => kept.push(date),
        }
    }
    *dates = kept;
    refused
}

/// A piece that lacks bands which others have is left out where those show this part of what all show; else it costs the date its bands.
const ENOUGH_WITHOUT: f64 = 0.9;

/// Takes from the `pieces` of a date those that lack bands of the others and show little that these do not; or what the bands are that it goes
/// without.
fn without_the_poor(pieces: &mut Vec<&Candidate<'_>>, filter: &Filter) -> (Vec<RefusedScene>, Option<String>) {
    let bands = |one: &Candidate<'_>| shared_bands(one.scene, one.scene, filter);
    let mut all: Vec<String> = pieces.iter().flat_map(|one| bands(one)).collect();
    all.sort();
    all.dedup();
    let missing = |one: &Candidate<'_>| -> Vec<&str> {
        let has = |name: &String| one.scene.bands.iter().any(|band| band.name == *name);
        all.iter().filter(|name| !has(name)).map(String::as_str).collect()
    };
    let (rich, poor): (Vec<&Candidate<'_>>, Vec<&Candidate<'_>>) =
        pieces.iter().copied().partition(|one| missing(one).is_empty());
    if poor.is_empty() {
        return (Vec::new(), None);
    }
    let share = |some: &[&Candidate<'_>]| Shown::together(some.iter().map(|one| &one.shown)).share();
    if !rich.is_empty() && share(&rich) >= ENOUGH_WITHOUT * share(pieces) {
        let others: Vec<&str> = rich.iter().map(|one| one.scene.id.as_str()).collect();
        let told = poor.iter().map(|one| {
            let reason = format!(
                "left out of the acquisition with {}, of which it lacks the bands {}",
                others.join("+"),
                missing(one).join(" ")
            );
            left_out(one.scene, reason)
        });
        let told = told.collect();
        *pieces = rich;
        return (told, None);
    }
    let each = poor
        .iter()
        .map(|one| format!("{} ({})", one.scene.id, missing(one).join(" ")));
    let note = format!(
        "bands that a piece of the acquisition lacks are not compared anywhere: {}",
        each.collect::<Vec<_>>().join(", ")
    );
    (Vec::new(), Some(note))
}

fn left_out(scene: &Scene, reason: String) -> RefusedScene {
    RefusedScene {
        id: scene.id.clone(),
        reason,
        unreadable: false,
    }
}

fn pairs_of(
    scenes: &[Candidate<'_>],
    area_m2: f64,
    rasters: &Lie<'_>,
    compare: &CompareParams,
) -> (Vec<Pair>, Vec<RefusedScene>) {
    let filter = compare.filter();
    let (dates, mut refused) = dates(scenes, area_m2, rasters, &filter);
    let plain: Vec<Scene> = dates.iter().map(|date| date.acquisition.whole.clone()).collect();
    let shown: Vec<Shown> = dates.iter().map(|date| date.shown.clone()).collect();
    let selection = scene::select(&plain, &shown, compare.which, &filter);
    refused.extend(selection.refused.iter().map(Into::into));
    let mut pairs = Vec::new();
    for (before, after) in selection.pairs {
        let bands = shared_bands(&plain[before], &plain[after], &filter);
        if bands.is_empty() {
            let reason = format!("it shares no band to compare with {}", plain[after].id);
            refused.push(left_out(&plain[before], reason));
            continue;
        }
        let mut history = Vec::new();
        let mut notes = Vec::new();
        if compare.which == Which::NewestAgainstHistory {
            let (earlier, passed) = scene::select::history(&plain, &shown, [before, after], &bands, &filter);
            history.extend(earlier.iter().map(|at| dates[*at].acquisition.clone()));
            notes.extend(earlier.iter().filter_map(|at| dates[*at].note.clone()));
            let known: Vec<&str> = selection.refused.iter().map(|one| one.id.as_str()).collect();
            let passed = passed
                .into_iter()
                .filter(|(at, _)| !known.contains(&plain[*at].id.as_str()));
            refused.extend(passed.map(|(at, why)| left_out(&plain[at], why)));
        }
        notes.extend([before, after].into_iter().filter_map(|at| dates[at].note.clone()));
        notes.extend(minutes_apart(&plain[before], &plain[after]));
        notes.extend(is_of_unknown_track(&plain[after]).then(|| UNKNOWN_TRACK.to_owned()));
        pairs.push(Pair {
            history,
            before: dates[before].acquisition.clone(),
            after: dates[after].acquisition.clone(),
            bands,
            kind: plain[after].kind,
            companions: Vec::new(),
            notes,
        });
    }
    (pairs, refused)
}

/// What is said of radar of which nothing tells the track.
const UNKNOWN_TRACK: &str = "neither relative orbit nor time of day of the radar is known, and it is taken to be of one orbit: dates of two would \
     look like change; put the time of day into the files' names and date_pattern";

/// Two dates that are nearer to each other than this are two looks at one state of the ground, seconds.
const ONE_STATE_S: i64 = 60 * 60;

/// What is said of dates that show hardly any time between them.
fn minutes_apart(before: &Scene, after: &Scene) -> Option<String> {
    let apart_s = after.start.as_second() - before.start.as_second();
    (apart_s < ONE_STATE_S).then(|| {
        format!(
            "the dates are {apart_s} s apart ({} and {}): what changed before is seen in neither; compare.period names earlier ones",
            before.start, after.start
        )
    })
}

/// Bands that tell land cover and are not swayed by the atmosphere; every optical land sensor has some of them.
const LAND_BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir16", "swir22"];
/// With fewer of them all shared bands are compared.
const MIN_LAND_BANDS: usize = 3;

fn shared_bands(before: &Scene, after: &Scene, filter: &Filter) -> Vec<String> {
    let compared = |scene: &Scene| -> Vec<String> {
        let bands = scene.bands.iter().filter(|band| filter.compares(band));
        bands.map(|band| band.name.clone()).collect()
    };
    let after = compared(after);
    let mut shared = compared(before);
    shared.retain(|name| after.contains(name));
    if !filter.bands.is_empty() {
        return shared;
    }
    let land: Vec<String> = shared
        .iter()
        .filter(|name| LAND_BANDS.contains(&name.as_str()))
        .cloned()
        .collect();
    if land.len() >= MIN_LAND_BANDS { land } else { shared }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::select::tests::{band, scene};

    /// A piece that shows so many of a hundred points, and has these bands.
    fn piece(id: &str, bands: &[&str]) -> Scene {
        Scene {
            bands: bands.iter().map(|name| band(name)).collect(),
            ..scene(id, "2021-06-10")
        }
    }

    fn shown(scene: &Scene, covers: impl Fn(usize) -> bool) -> Candidate<'_> {
        let points: Vec<bool> = (0..100).map(covers).collect();
        Candidate {
            scene,
            shown: Shown::of(scene, &points),
            pixel_m: Some(10.0),
        }
    }

    #[test]
    fn a_piece_that_lacks_bands_is_left_out_where_little_is_lost_else_it_is_told() {
        let rich = piece("rich", &["blue", "green", "red", "nir", "rededge1"]);
        let poor = piece("poor", &["nir"]);
        let plain = piece("plain", &["blue", "green", "red", "nir"]);
        let filter = Filter::default();
        let told = |pieces: &mut Vec<&Candidate<'_>>| {
            let (refused, note) = without_the_poor(pieces, &filter);
            let refused: Vec<String> = refused
                .iter()
                .map(|one| format!("{}: {}", one.id, one.reason))
                .collect();
            (refused, note)
        };
        let (most, sliver) = (shown(&rich, |at| at < 95), shown(&poor, |at| at >= 92));
        let mut pieces = vec![&most, &sliver];
        let (refused, note) = told(&mut pieces);
        assert_eq!(
            refused,
            ["poor: left out of the acquisition with rich, of which it lacks the bands blue green red"]
        );
        assert_eq!((pieces.len(), note), (1, None));
        // Half of the site is not given up for three bands, but what it costs is told.
        let (left, right) = (shown(&rich, |at| at < 50), shown(&poor, |at| at >= 50));
        let mut pieces = vec![&left, &right];
        let (refused, note) = told(&mut pieces);
        assert_eq!((pieces.len(), refused.len()), (2, 0));
        assert_eq!(
            note.as_deref(),
            Some("bands that a piece of the acquisition lacks are not compared anywhere: poor (blue green red)")
        );
        // What is not compared anyway is not missed.
        let (left, right) = (shown(&rich, |at| at < 95), shown(&plain, |at| at >= 92));
        let mut pieces = vec![&left, &right];
        assert_eq!(told(&mut pieces), (vec![], None));
        assert_eq!(pieces.len(), 2);
    }

    #[test]
    fn radar_by_day_is_compared_where_it_lies_alike_and_comes_once_a_day() {
        let radar = |id: &str, day: &str| Scene {
            kind: Kind::Sar,
            start: format!("{day}T00:00:00Z").parse().unwrap(),
            end: format!("{day}T23:59:59Z").parse().unwrap(),
            ..scene(id, day)
        };
        let scenes = [
            radar("a", "2021-06-01"),
            radar("b", "2021-06-07"),
            radar("other b", "2021-06-07"),
        ];
        let each: Vec<Candidate<'_>> = scenes.iter().map(|scene| shown(scene, |_| true)).collect();
        let each: Vec<&Candidate<'_>> = each.iter().collect();
        let alike = |_: &Scene, _: &Scene| Rasters::Alike;
        assert_eq!(of_two_tracks(&each[..2], &alike), None);
        assert!(of_two_tracks(&each, &alike).is_some());
        assert!(
            of_two_tracks(&each[..2], &|_, _| Rasters::Adjacent)
                .unwrap()
                .contains("time of day")
        );
    }

    #[test]
    fn dates_within_an_hour_are_told() {
        let at = |time: &str| Scene {
            start: format!("2021-06-10T{time}Z").parse().unwrap(),
            end: format!("2021-06-10T{time}Z").parse().unwrap(),
            ..scene("a", "2021-06-10")
        };
        let told = |a: &str, b: &str| minutes_apart(&at(a), &at(b));
        assert!(
            told("10:00:00", "10:01:30")
                .unwrap()
                .starts_with("the dates are 90 s apart")
        );
        assert_eq!(told("10:00:00", "17:00:00"), None);
    }
}
