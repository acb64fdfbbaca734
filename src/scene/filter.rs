//! Which scenes, and which pairs of them, may be compared at all.

use ::geo::{BoundingRect, Intersects};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::acquisition::{are_of_one_pass, is_one_platform, is_short};
use super::{BandAsset, Kind, Pass, Scene};

/// Radar of one track comes back to a place at the same time of day, within so many seconds (neighbouring tracks of Sentinel-1 are 8 minutes apart).
const SAME_TRACK_S: i64 = 3 * 60;

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
    /// Of [`Which::NewestAgainstPeriod`](super::Which::NewestAgainstPeriod): the period, its end not part of it.
    pub period: Option<[Timestamp; 2]>,
    /// Nothing that began before this.
    pub from: Option<Timestamp>,
    /// Nothing that ended after this.
    pub to: Option<Timestamp>,
    /// Names of the bands to compare; empty for all that are measured. A scene that has none of them fails.
    pub bands: Vec<String>,
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

    /// Whether the scene lies wholly in the period, where there is one.
    pub(super) fn has_in_period(&self, scene: &Scene) -> bool {
        self.period
            .is_none_or(|[from, to]| scene.start >= from && scene.end <= to)
    }

    fn compared<'s>(&'s self, scene: &'s Scene) -> impl Iterator<Item = &'s str> {
        let bands = scene.bands.iter().filter(|band| self.compares(band));
        bands.map(|band| band.name.as_str())
    }

    /// Why this scene is not to be used at all.
    pub fn refuses(&self, scene: &Scene) -> Option<String> {
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
        if !self.platforms.is_empty() && !self.platforms.iter().any(|one| is_one_platform(one, platform)) {
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
    pub(super) fn refuses_pair(&self, before: &Scene, after: &Scene) -> Option<String> {
        not_after(before, after).or_else(|| self.differ(before, after))
    }

    /// Why these two are not to be compared, whichever came first.
    pub(super) fn differ(&self, before: &Scene, after: &Scene) -> Option<String> {
        if before.kind != after.kind {
            return Some("one is optical, the other SAR".to_owned());
        }
        if let Some(why) = other_track(before, after) {
            return Some(why);
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

/// Why `after` did not come after `before`, which began no later.
pub(super) fn not_after(before: &Scene, after: &Scene) -> Option<String> {
    overlap(before, after).or_else(|| {
        let one = are_of_one_pass(before, after);
        one.then(|| "they are pieces of one overpass".to_owned())
    })
}

/// Why it is not known which of two, of which `before` began no later, came first.
pub(super) fn overlap(before: &Scene, after: &Scene) -> Option<String> {
    (before.end > after.start || before.start >= after.start).then(|| {
        format!(
            "their acquisition intervals overlap ({} to {}, {} to {}), so that it is not known which came first",
            before.start, before.end, after.start, after.end
        )
    })
}

/// Whether nothing tells of which track a scene is: radar of unknown orbit, known by day, month or year.
pub fn is_of_unknown_track(scene: &Scene) -> bool {
    scene.kind == Kind::Sar && scene.relative_orbit.is_none() && !is_short(scene)
}

/// Why two SAR scenes are not of one track: their orbits or passes differ, one alone is known, or none is and they came at other times of day.
/// Of those whose orbit and time of day are not known nothing tells ([`is_of_unknown_track`]).
fn other_track(before: &Scene, after: &Scene) -> Option<String> {
    if before.kind != Kind::Sar {
        return None;
    }
    if (before.relative_orbit, before.pass) != (after.relative_orbit, after.pass) {
        return Some(format!(
            "SAR of relative orbit {} {} is not compared with orbit {} {}",
            text(before.relative_orbit),
            pass_text(before.pass),
            text(after.relative_orbit),
            pass_text(after.pass)
        ));
    }
    if before.relative_orbit.is_some() || !(is_short(before) || is_short(after)) {
        return None;
    }
    if !(is_short(before) && is_short(after)) {
        return Some("neither states its relative orbit, and of one alone the time of day is known".to_owned());
    }
    const DAY_S: i64 = 86_400;
    let apart = (after.start.as_second() - before.start.as_second()).rem_euclid(DAY_S);
    (apart.min(DAY_S - apart) > SAME_TRACK_S).then(|| {
        format!(
            "neither states its relative orbit, and they came at other times of day ({}, {}): SAR of one track comes at one",
            before.start, after.start
        )
    })
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
