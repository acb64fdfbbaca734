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
pub(crate) mod tests;
