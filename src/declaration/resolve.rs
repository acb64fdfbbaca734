//! What can only be seen in the whole: references, and zones and activities on the ground of their site.

use std::collections::BTreeMap;

use geo::PreparedGeometry;

use super::inside::{overlaps, sticks_out};
use super::{Activity, Declaration, Kind, Placed, Site, Zone, quote};
use crate::fault::{Fault, nearest};

/// How many unresolved references get a suggestion: each is sought among all ids.
const MAX_SUGGESTIONS: usize = 100;

/// What is wrong with a declaration when it stands alone: references that this one file does not resolve, and
/// zones and activities that do not lie on their site. `supersedes` is not looked at.
///
/// A file that only adds to an earlier one has such faults and is good nevertheless: [`super::merge()`] tells.
pub fn check_alone(declaration: &Declaration) -> Vec<Fault> {
    let Declaration {
        sites,
        zones,
        activities,
        ..
    } = declaration.clone();
    resolve(sites, zones, activities, Missing::Fault, &|_, place| place.to_owned()).1
}

/// What is wrong among the features of one file, leaving out references to what is not there.
pub(super) fn check_among(declaration: &Declaration) -> Vec<Fault> {
    let Declaration {
        sites,
        zones,
        activities,
        ..
    } = declaration.clone();
    resolve(sites, zones, activities, Missing::Ignore, &|_, place| place.to_owned()).1
}

/// What to make of a reference to an id that is not there.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Missing {
    Fault,
    Ignore,
}

/// The sites by id with their zones and activities, and everything that does not fit together.
///
/// `place_in` makes the place of a fault from the id of a declaration and a place in its file.
pub(super) fn resolve(
    sites: Vec<Placed<Site>>,
    mut zones: Vec<Placed<Zone>>,
    mut activities: Vec<Placed<Activity>>,
    missing: Missing,
    place_in: &dyn Fn(&str, &str) -> String,
) -> (Vec<Site>, Vec<Fault>) {
    let mut references = References::among(&sites, &zones, &activities, missing);
    for zone in &mut zones {
        zone.place = place_in(&zone.item.declared_in, &zone.place);
    }
    for activity in &mut activities {
        activity.place = place_in(&activity.item.declared_in, &activity.place);
    }
    zones.retain(|zone| references.of_zone(zone));
    activities.retain(|activity| references.of_activity(activity));
    let (mut zones, mut activities) = (by_site(zones), by_site(activities));
    let mut faults = references.faults;
    let of_site = |Placed { item: site, .. }: Placed<Site>| {
        let zones = zones.remove(&site.id).unwrap_or_default();
        let activities = activities.remove(&site.id).unwrap_or_default();
        settle(site, zones, activities, &mut faults)
    };
    let mut settled: Vec<Site> = sites.into_iter().map(of_site).collect();
    settled.sort_by(|a, b| a.id.cmp(&b.id));
    (settled, faults)
}

fn by_site<T>(features: Vec<Placed<T>>) -> BTreeMap<String, Vec<Placed<T>>> {
    let mut by_site: BTreeMap<String, Vec<Placed<T>>> = BTreeMap::new();
    for feature in features {
        by_site.entry(feature.site.clone()).or_default().push(feature);
    }
    by_site
}

/// What references may lead to, and what is wrong with those that were looked at.
struct References {
    kinds: BTreeMap<String, Kind>,
    /// The site of each zone.
    zone_sites: BTreeMap<String, String>,
    missing: Missing,
    suggestions: usize,
    faults: Vec<Fault>,
}

impl References {
    fn among(
        sites: &[Placed<Site>],
        zones: &[Placed<Zone>],
        activities: &[Placed<Activity>],
        missing: Missing,
    ) -> Self {
        let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
        kinds.extend(sites.iter().map(|s| (s.item.id.clone(), Kind::Site)));
        kinds.extend(zones.iter().map(|z| (z.item.id.clone(), Kind::Zone)));
        kinds.extend(activities.iter().map(|a| (a.item.id.clone(), Kind::Activity)));
        Self {
            kinds,
            zone_sites: zones.iter().map(|z| (z.item.id.clone(), z.site.clone())).collect(),
            missing,
            suggestions: 0,
            faults: Vec::new(),
        }
    }

    /// Whether the zone is on a site.
    fn of_zone(&mut self, zone: &Placed<Zone>) -> bool {
        let label = format!("zone {}", quote(&zone.item.id));
        self.lead(
            &zone.site,
            Kind::Site,
            &label,
            format!("{}.properties.site", zone.place),
        )
    }

    /// Whether the activity is on a site, and in a zone of it where it names one.
    fn of_activity(&mut self, activity: &Placed<Activity>) -> bool {
        let Placed { place, site, item } = activity;
        let label = format!("activity {}", quote(&item.id));
        let is_on_site = self.lead(site, Kind::Site, &label, format!("{place}.properties.site"));
        let Some(zone) = &item.zone else {
            return is_on_site;
        };
        let zone_place = format!("{place}.properties.zone");
        if !self.lead(zone, Kind::Zone, &label, zone_place.clone()) {
            return false;
        }
        if let Some(other) = self.zone_sites.get(zone).filter(|other| *other != site) {
            let (zone, other, site) = (quote(zone), quote(other), quote(site));
            self.faults.push(Fault::new(
                zone_place,
                format!("{label}: the zone {zone} belongs to the site {other}, not to {site}"),
            ));
            return false;
        }
        is_on_site
    }

    /// Whether `id` is of the wanted kind; a fault at `place` of what is called `label` if it is not.
    fn lead(&mut self, id: &str, wanted: Kind, label: &str, place: String) -> bool {
        let message = match self.kinds.get(id) {
            Some(kind) if *kind == wanted => return true,
            Some(kind) => format!(
                "{label}: expected the id of a {wanted}, but {} is the id of a {kind}",
                quote(id)
            ),
            None if self.missing == Missing::Ignore => return false,
            None => {
                let hint = self.suggestion(id, wanted);
                format!("{label}: no {wanted} with the id {} is declared{hint}", quote(id))
            }
        };
        self.faults.push(Fault::new(place, message));
        false
    }

    /// Which id may have been meant, in words; nothing where that is not known, or was asked often.
    fn suggestion(&mut self, id: &str, wanted: Kind) -> String {
        self.suggestions += 1;
        if self.suggestions > MAX_SUGGESTIONS {
            return String::new();
        }
        let of_kind = self.kinds.iter().filter(|(_, kind)| **kind == wanted);
        let near = nearest(id, of_kind.map(|(id, _)| id.as_str()));
        near.map(|id| format!(" (is {} meant?)", quote(id))).unwrap_or_default()
    }
}

/// The site with its zones and activities by id, each activity with its polygon.
fn settle(
    mut site: Site,
    zones: Vec<Placed<Zone>>,
    activities: Vec<Placed<Activity>>,
    faults: &mut Vec<Fault>,
) -> Site {
    let prepared = PreparedGeometry::from(&site.boundary);
    let of_site = format!(
        "its site {} as declared in {}",
        quote(&site.id),
        quote(&site.declared_in)
    );
    let mut settled: BTreeMap<String, Zone> = BTreeMap::new();
    for Placed { place, item: zone, .. } in zones {
        if let Some(how) = sticks_out(&zone.polygon, &site.boundary, &prepared) {
            let message = format!("zone {}: expected to lie in {of_site}, but {how}", quote(&zone.id));
            faults.push(Fault::new(format!("{place}.geometry"), message));
        }
        settled.insert(zone.id.clone(), zone);
    }
    let mut done = Vec::with_capacity(activities.len());
    for Placed { place, item, .. } in activities {
        let mut activity = item;
        if !activity.polygon.0.is_empty() {
            if !overlaps(&prepared, &activity.polygon) {
                let message = format!(
                    "activity {}: expected to overlap {of_site}, but lies outside",
                    quote(&activity.id)
                );
                faults.push(Fault::new(format!("{place}.geometry"), message));
            }
        } else if let Some(zone) = activity.zone.as_ref().and_then(|id| settled.get(id)) {
            activity.polygon = zone.polygon.clone();
        }
        done.push(activity);
    }
    done.sort_by(|a, b| a.id.cmp(&b.id));
    site.zones = settled.into_values().collect();
    site.activities = done;
    site
}
