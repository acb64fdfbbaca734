//! Which scenes are compared with which, and in which bands.

use std::sync::Arc;

use crate::config::{Config, Which};
use crate::finding::RefusedScene;
use crate::scene::{self, Acquisition, Compare, Filter, Kind, Pass, Scene, Shown, acquisition};

/// Acquisitions that are compared, and the bands of them.
#[derive(Debug, Clone, PartialEq)]
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
    pub beside: Vec<Pair>,
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
        let beside = self.beside.iter().flat_map(Self::dates);
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
}

/// The comparisons of `scenes`, and which scenes are left out and why; `same_ground` tells whether the rasters of two lie alike.
pub fn pairs(
    scenes: &[Candidate<'_>],
    same_ground: &dyn Fn(&Scene, &Scene) -> bool,
    config: &Config,
) -> (Vec<Pair>, Vec<RefusedScene>) {
    if !config.detect.joins_tracks() {
        return pairs_of(scenes, same_ground, config);
    }
    let (optical, radar): (Vec<_>, Vec<_>) = scenes.iter().cloned().partition(|one| one.scene.kind == Kind::Optical);
    let (mut pairs, mut refused) = pairs_of(&optical, same_ground, config);
    let track = |scene: &Scene| (scene.relative_orbit, scene.pass.map(|pass| pass == Pass::Ascending));
    let mut tracks: Vec<_> = radar.iter().map(|one| track(one.scene)).collect();
    tracks.sort();
    tracks.dedup();
    for wanted in tracks {
        let one: Vec<_> = radar.iter().filter(|one| track(one.scene) == wanted).cloned().collect();
        let (found, left_out) = pairs_of(&one, same_ground, config);
        refused.extend(left_out);
        // The newest of each track is heard beside the newest comparison: that of the optical scenes, else of the first track.
        let Some(newest) = found.into_iter().next_back() else {
            continue;
        };
        match pairs.last_mut() {
            Some(judged) => judged.beside.push(newest),
            None => pairs.push(newest),
        }
    }
    (pairs, refused)
}

/// One date, and what it shows of the site.
struct Date {
    acquisition: Arc<Acquisition>,
    shown: Shown,
}

/// The dates that `scenes` make, and the scenes that the filter leaves out.
fn dates(
    scenes: &[Candidate<'_>],
    same_ground: &dyn Fn(&Scene, &Scene) -> bool,
    filter: &Filter,
) -> (Vec<Date>, Vec<RefusedScene>) {
    let (mut usable, mut refused) = (Vec::new(), Vec::new());
    for one in scenes {
        match filter.refuses(one.scene) {
            None => usable.push(one),
            Some(reason) => refused.push(left_out(one.scene, reason)),
        }
    }
    let plain: Vec<&Scene> = usable.iter().map(|one| one.scene).collect();
    let alike = |a: usize, b: usize| same_ground(plain[a], plain[b]);
    let groups = acquisition::pieces(&plain, &alike);
    let date = |group: Vec<usize>| {
        Some(Date {
            acquisition: Arc::new(Acquisition::of(group.iter().map(|at| plain[*at].clone()).collect())?),
            shown: Shown::together(group.iter().map(|at| &usable[*at].shown)),
        })
    };
    (groups.into_iter().filter_map(date).collect(), refused)
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
    same_ground: &dyn Fn(&Scene, &Scene) -> bool,
    config: &Config,
) -> (Vec<Pair>, Vec<RefusedScene>) {
    let (compare, filter) = (compare(config), filter(config));
    let (dates, mut refused) = dates(scenes, same_ground, &filter);
    let plain: Vec<Scene> = dates.iter().map(|date| date.acquisition.whole.clone()).collect();
    let shown: Vec<Shown> = dates.iter().map(|date| date.shown.clone()).collect();
    let selection = scene::select(&plain, &shown, &compare, &filter);
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
        if compare == Compare::NewestAgainstHistory {
            for earlier in scene::select::history(&plain, &shown, after, &filter) {
                let has = |name: &String| plain[earlier].bands.iter().any(|band| band.name == *name);
                match bands.iter().find(|name| !has(name)) {
                    _ if earlier == before => {}
                    None => history.push(dates[earlier].acquisition.clone()),
                    Some(missing) => refused.push(left_out(
                        &plain[earlier],
                        format!("it has no band `{missing}`, which the series compares"),
                    )),
                }
            }
        }
        pairs.push(Pair {
            history,
            before: dates[before].acquisition.clone(),
            after: dates[after].acquisition.clone(),
            bands,
            kind: plain[after].kind,
            beside: Vec::new(),
        });
    }
    (pairs, refused)
}

fn compare(config: &Config) -> Compare {
    match (config.compare.which, config.period()) {
        (Which::EveryConsecutivePair, _) => Compare::EveryConsecutivePair,
        (Which::NewestAgainstHistory, _) => Compare::NewestAgainstHistory,
        (Which::NewestAgainstPeriod, Some((from, to))) => Compare::NewestAgainstPeriod { from, to },
        _ => Compare::NewestAgainstPrevious,
    }
}

fn filter(config: &Config) -> Filter {
    let compare = &config.compare;
    let day = |text: &Option<String>| text.as_deref().and_then(|text| crate::config::instant(text).ok());
    Filter {
        max_season_distance_days: compare.max_season_distance_days,
        max_cloud_fraction: Some(compare.max_cloud_fraction),
        sensors: compare.sensors.clone(),
        platforms: compare.platforms.clone(),
        relative_orbits: compare.relative_orbits.clone(),
        bands: compare.bands.clone(),
        pass: compare.pass.map(Into::into),
        from: day(&compare.from),
        to: day(&compare.to),
    }
}

/// Bands that tell land cover and are not swayed by the atmosphere; every optical land sensor has some of them.
const LAND_BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir16", "swir22"];
/// With fewer of them all shared bands are compared.
const LEAST_LAND_BANDS: usize = 3;

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
    if land.len() >= LEAST_LAND_BANDS { land } else { shared }
}
