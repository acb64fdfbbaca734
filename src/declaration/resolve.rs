//! What can only be seen in the whole: references, and zones and activities on the ground of their site.

use std::collections::BTreeMap;

use geo::PreparedGeometry;

use super::geometry::{overlaps, sticks_out};
use super::{Activity, Declaration, Kind, Placed, Site, Zone, quote};
use crate::fault::{Fault, nearest};

/// How many unresolved references get a suggestion: each is sought among all ids.
const MOST_SUGGESTIONS: usize = 100;

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
    zones: Vec<Placed<Zone>>,
    activities: Vec<Placed<Activity>>,
    missing: Missing,
    place_in: &dyn Fn(&str, &str) -> String,
) -> (Vec<Site>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    kinds.extend(sites.iter().map(|s| (s.item.id.clone(), Kind::Site)));
    kinds.extend(zones.iter().map(|z| (z.item.id.clone(), Kind::Zone)));
    kinds.extend(activities.iter().map(|a| (a.item.id.clone(), Kind::Activity)));

    let mut suggestions = 0;
    // Whether `id` is of the wanted kind; a fault if it is not.
    let mut refers = |id: &str, wanted: Kind, place: String, label: &str, faults: &mut Vec<Fault>| -> bool {
        let message = match kinds.get(id) {
            Some(kind) if *kind == wanted => return true,
            Some(kind) => format!(
                "{label}: expected the id of a {wanted}, but {} is the id of a {kind}",
                quote(id)
            ),
            None if missing == Missing::Ignore => return false,
            None => {
                suggestions += 1;
                let of_kind = kinds
                    .iter()
                    .filter(|(_, kind)| **kind == wanted)
                    .map(|(id, _)| id.as_str());
                let hint = if suggestions <= MOST_SUGGESTIONS {
                    nearest(id, of_kind)
                } else {
                    None
                };
                let hint = hint.map(|id| format!(" (is {} meant?)", quote(id))).unwrap_or_default();
                format!("{label}: no {wanted} with the id {} is declared{hint}", quote(id))
            }
        };
        faults.push(Fault::new(place, message));
        false
    };

    let mut zones_of: BTreeMap<String, Vec<(String, Zone)>> = BTreeMap::new();
    let mut zone_sites: BTreeMap<String, String> = BTreeMap::new();
    for Placed { place, site, item } in zones {
        let place = place_in(&item.declared_in, &place);
        let label = format!("zone {}", quote(&item.id));
        zone_sites.insert(item.id.clone(), site.clone());
        if refers(
            &site,
            Kind::Site,
            format!("{place}.properties.site"),
            &label,
            &mut faults,
        ) {
            zones_of.entry(site).or_default().push((place, item));
        }
    }
    let mut activities_of: BTreeMap<String, Vec<(String, Activity)>> = BTreeMap::new();
    for Placed { place, site, item } in activities {
        let place = place_in(&item.declared_in, &place);
        let label = format!("activity {}", quote(&item.id));
        let site_found = refers(
            &site,
            Kind::Site,
            format!("{place}.properties.site"),
            &label,
            &mut faults,
        );
        if let Some(zone) = &item.zone {
            let zone_place = format!("{place}.properties.zone");
            if !refers(zone, Kind::Zone, zone_place.clone(), &label, &mut faults) {
                continue;
            }
            if let Some(other) = zone_sites.get(zone).filter(|other| **other != site) {
                let (zone, other, site) = (quote(zone), quote(other), quote(&site));
                faults.push(Fault::new(
                    zone_place,
                    format!("{label}: the zone {zone} belongs to the site {other}, not to {site}"),
                ));
                continue;
            }
        }
        if site_found {
            activities_of.entry(site).or_default().push((place, item));
        }
    }

    let mut found: Vec<Site> = Vec::with_capacity(sites.len());
    for Placed { item: mut site, .. } in sites {
        let zones = zones_of.remove(&site.id).unwrap_or_default();
        let activities = activities_of.remove(&site.id).unwrap_or_default();
        let (zones, activities) = settle(&site, zones, activities, &mut faults);
        site.zones = zones;
        site.activities = activities;
        found.push(site);
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    (found, faults)
}

/// The zones and activities of one site by id, each activity with its polygon.
fn settle(
    site: &Site,
    zones: Vec<(String, Zone)>,
    activities: Vec<(String, Activity)>,
    faults: &mut Vec<Fault>,
) -> (Vec<Zone>, Vec<Activity>) {
    let prepared = PreparedGeometry::from(&site.boundary);
    let of_site = format!(
        "its site {} as declared in {}",
        quote(&site.id),
        quote(&site.declared_in)
    );
    let mut settled: BTreeMap<String, Zone> = BTreeMap::new();
    for (place, zone) in zones {
        if let Some(how) = sticks_out(&zone.polygon, &site.boundary, &prepared) {
            let message = format!("zone {}: expected to lie in {of_site}, but {how}", quote(&zone.id));
            faults.push(Fault::new(format!("{place}.geometry"), message));
        }
        settled.insert(zone.id.clone(), zone);
    }
    let mut done = Vec::with_capacity(activities.len());
    for (place, mut activity) in activities {
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
    (settled.into_values().collect(), done)
}
