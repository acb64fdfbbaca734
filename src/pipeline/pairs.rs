//! Which scenes are compared with which, and in which bands.

use super::config::{Config, Which};
use crate::finding::RefusedScene;
use crate::scene::{self, Compare, Filter, Kind, Pass, Scene};

/// Scenes that are compared, by their place in the inputs, and the bands of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Scenes before `before` that belong to the comparison, oldest first; empty unless a series is compared.
    pub history: Vec<usize>,
    /// The latest earlier scene.
    pub before: usize,
    /// The judged scene.
    pub after: usize,
    /// Names of the bands.
    pub bands: Vec<String>,
    /// Optical or SAR.
    pub kind: Kind,
    /// Comparisons of other scenes whose evidence is joined to this one's.
    pub beside: Vec<Pair>,
}

impl Pair {
    /// Its scenes, oldest first, the judged one last.
    pub fn scenes(&self) -> Vec<usize> {
        let pair = [self.before, self.after];
        self.history.iter().copied().chain(pair).collect()
    }

    /// All scenes that it reads, those of the comparisons beside it included.
    pub fn all_scenes(&self) -> Vec<usize> {
        let beside = self.beside.iter().flat_map(Self::scenes);
        self.scenes().into_iter().chain(beside).collect()
    }

    /// Whether more than two dates are compared.
    pub fn is_series(&self) -> bool {
        !self.history.is_empty()
    }
}

/// The comparisons of `scenes`, each with its place in the inputs, and which scenes are left out and why.
pub fn pairs(scenes: &[(usize, &Scene)], config: &Config) -> (Vec<Pair>, Vec<RefusedScene>) {
    if !config.detect.joins_tracks() {
        return pairs_of(scenes, config);
    }
    let (optical, radar): (Vec<_>, Vec<_>) = scenes.iter().partition(|(_, scene)| scene.kind == Kind::Optical);
    let (mut pairs, mut refused) = pairs_of(&optical, config);
    let track = |scene: &Scene| (scene.relative_orbit, scene.pass.map(|pass| pass == Pass::Ascending));
    let mut tracks: Vec<_> = radar.iter().map(|(_, scene)| track(scene)).collect();
    tracks.sort();
    tracks.dedup();
    for wanted in tracks {
        let one: Vec<_> = radar
            .iter()
            .filter(|(_, scene)| track(scene) == wanted)
            .copied()
            .collect();
        let (found, left_out) = pairs_of(&one, config);
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

fn pairs_of(scenes: &[(usize, &Scene)], config: &Config) -> (Vec<Pair>, Vec<RefusedScene>) {
    let plain: Vec<Scene> = scenes.iter().map(|(_, scene)| (*scene).clone()).collect();
    let (compare, filter) = (compare(config), filter(config));
    let selection = scene::select(&plain, &compare, &filter);
    let mut refused: Vec<RefusedScene> = selection.refused.iter().map(Into::into).collect();
    let mut pairs = Vec::new();
    for (before, after) in selection.pairs {
        let bands = shared_bands(&plain[before], &plain[after], &filter);
        if bands.is_empty() {
            let reason = format!("it shares no band to compare with {}", plain[after].id);
            refused.push(RefusedScene {
                id: plain[before].id.clone(),
                reason,
                unreadable: false,
            });
            continue;
        }
        let mut history = Vec::new();
        if compare == Compare::NewestAgainstHistory {
            for earlier in scene::select::history(&plain, after, &filter) {
                let has = |name: &String| plain[earlier].bands.iter().any(|band| band.name == *name);
                match bands.iter().find(|name| !has(name)) {
                    _ if earlier == before => {}
                    None => history.push(scenes[earlier].0),
                    Some(missing) => refused.push(RefusedScene {
                        id: plain[earlier].id.clone(),
                        reason: format!("it has no band `{missing}`, which the series compares"),
                        unreadable: false,
                    }),
                }
            }
        }
        pairs.push(Pair {
            history,
            before: scenes[before].0,
            after: scenes[after].0,
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
    let day = |text: &Option<String>| text.as_deref().and_then(|text| super::config::instant(text).ok());
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
