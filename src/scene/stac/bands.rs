//! Which assets of a STAC Item are its bands, and under which names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::scene::Kind;
use crate::scene::sensor::{Sensor, SensorBand, Sensors, bare};
use crate::scene::stac::asset::{Asset, Band};
use crate::scene::stac::masks::is_mask_name;
use crate::scene::stac::object::Object;
use crate::scene::statement::Version;

/// Roles whose assets are for people, for machines, or masks: never bands.
pub(in crate::scene) const NO_BAND_ROLES: [&str; 24] = [
    "thumbnail",
    "overview",
    "visual",
    "metadata",
    "cloud",
    "cloud-shadow",
    "snow-ice",
    "land-water",
    "water-mask",
    "data-mask",
    "mask",
    "saturation",
    "quality",
    "iso-19115",
    "index",
    "incidence-angle",
    "azimuth",
    "sun-azimuth",
    "sun-elevation",
    "date",
    "probability",
    "local-incidence-angle",
    "noise-power",
    "classification",
];

/// Modelled from bands or made for the eye: neither bands nor indices.
pub(in crate::scene) const PRODUCTS: [&str; 5] = ["lai", "fapar", "aot", "wvp", "tci"];

pub(in crate::scene) const POLARISATIONS: [&str; 4] = ["VV", "VH", "HH", "HV"];

/// Normalised indices of vegetation, water, snow, soil, built-up and burnt ground.
const INDICES: [&str; 14] = [
    "ndvi", "evi", "evi2", "savi", "msavi", "ndwi", "mndwi", "ndbi", "ndmi", "ndre", "nbr", "nbr2", "ndsi", "bsi",
];

/// A band of an asset under the name that it has in the scene.
pub(in crate::scene) struct Chosen<'i, 'v> {
    pub asset: &'i Asset<'v>,
    pub band: &'i Band<'v>,
    pub name: String,
    pub of_sensor: Option<&'i SensorBand>,
    /// An index, computed from bands.
    pub derived: bool,
}

/// Whether the asset may hold measured bands.
fn may_hold_bands(asset: &Asset) -> bool {
    asset.raster
        && !asset.roles.iter().any(|role| NO_BAND_ROLES.contains(&role.as_str()))
        && !is_derived(asset.key)
        && asset.key != "visual"
}

/// Computed from bands, not measured.
fn is_derived(name: &str) -> bool {
    index_name(name).is_some() || PRODUCTS.iter().any(|product| product.eq_ignore_ascii_case(name))
}

/// The name of the index that is called so, whatever the case.
pub(in crate::scene) fn index_name(name: &str) -> Option<&'static str> {
    INDICES.into_iter().find(|index| index.eq_ignore_ascii_case(name))
}

/// Of several files of one band the least is taken: one that is here before one that lies elsewhere, then the finest.
pub(in crate::scene) fn rank(asset: &Asset, band: &Band) -> (bool, f64) {
    (asset.file.is_err(), band.gsd.unwrap_or(f64::INFINITY))
}

/// The sensor's bands among the assets, in the sensor's order; of several files of one band the first by [`rank`], then by key.
pub(in crate::scene) fn bands_of<'i, 'v>(sensor: &'i Sensor, assets: &'i [Asset<'v>]) -> Vec<Chosen<'i, 'v>> {
    let mut found: BTreeMap<usize, Chosen> = BTreeMap::new();
    for asset in assets.iter().filter(|asset| may_hold_bands(asset)) {
        for band in asset.bands.iter().filter(|band| band.values.is_none()) {
            let key = if asset.bands.len() == 1 { asset.key } else { "" };
            let known = [key, &band.name, band.common.unwrap_or_default()]
                .into_iter()
                .find_map(|name| sensor.band(name));
            let Some((at, of_sensor)) = known else { continue };
            if found
                .get(&at)
                .is_none_or(|old| rank(asset, band) < rank(old.asset, old.band))
            {
                let name = of_sensor.name.clone();
                let of_sensor = Some(of_sensor);
                found.insert(
                    at,
                    Chosen {
                        asset,
                        band,
                        name,
                        of_sensor,
                        derived: false,
                    },
                );
            }
        }
    }
    found.into_values().collect()
}

/// The bands of an item whose product is not known, in key order.
///
/// Bands with common names if any asset has them, else all that is no mask, index or preview; polarisations where the item is SAR.
pub(in crate::scene) fn bands_of_any<'i, 'v>(
    kind: Kind,
    assets: &'i [Asset<'v>],
    sensors: &Sensors,
) -> Vec<Chosen<'i, 'v>> {
    let measured = |asset: &&Asset| may_hold_bands(asset) && !is_mask_name(asset.key, sensors);
    let some_common = assets
        .iter()
        .filter(measured)
        .flat_map(|asset| &asset.bands)
        .any(|band| band.common.is_some());
    let mut chosen: Vec<Chosen> = Vec::new();
    for asset in assets.iter().filter(measured) {
        let unnamed = asset.bands.iter().all(|band| band.common.is_none());
        if kind == Kind::Optical && some_common && unnamed {
            continue;
        }
        for band in asset
            .bands
            .iter()
            .filter(|band| band.values.is_none() && !is_derived(&band.name) && !is_mask_name(&band.name, sensors))
        {
            let name = match kind {
                Kind::Sar => {
                    let names = [band.name.as_str(), asset.key];
                    match POLARISATIONS
                        .iter()
                        .find(|known| names.iter().any(|name| known.eq_ignore_ascii_case(name)))
                    {
                        Some(polarisation) => (*polarisation).to_owned(),
                        None => continue,
                    }
                }
                Kind::Optical => band.common.unwrap_or(&band.name).to_owned(),
            };
            chosen.push(Chosen {
                asset,
                band,
                name,
                of_sensor: None,
                derived: false,
            });
        }
    }
    // A common name of several different bands (`rededge` in older items) tells none of them from the others.
    let mut owners: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for one in &chosen {
        owners.entry(one.name.clone()).or_default().insert(&one.band.name);
    }
    let ambiguous: BTreeSet<String> = owners
        .into_iter()
        .filter(|(_, own)| own.len() > 1)
        .map(|(name, _)| name)
        .collect();
    if kind == Kind::Optical {
        for one in chosen.iter_mut().filter(|one| ambiguous.contains(&one.name)) {
            one.name = one.band.name.clone();
        }
    }
    let mut best: Vec<Chosen> = Vec::new();
    for one in chosen {
        match best.iter_mut().find(|other| other.name == one.name) {
            None => best.push(one),
            Some(other) if rank(one.asset, one.band) < rank(other.asset, other.band) => *other = one,
            Some(_) => {}
        }
    }
    best
}

/// What an item's properties say of the raw offset that versions of the product have.
pub(in crate::scene) fn version_of(sensor: &Sensor, properties: &Object, collection: Option<&str>) -> Version {
    let Some(rule) = &sensor.raw_offset else {
        return Version::Untold;
    };
    let collection = bare(collection.unwrap_or_default());
    let by_collection = rule
        .unless_collection
        .iter()
        .any(|part| collection.contains(&bare(part)));
    let by_property = rule.unless_true.iter().find_map(|key| truth(properties.get(key)?));
    let taken_off = by_property.or(by_collection.then_some(true));
    let version = rule.properties.iter().find_map(|key| version(properties.get(key)?));
    match (taken_off, version.map(|version| version >= rule.from_version)) {
        (Some(true), _) => Version::TakenOff,
        (_, None) => Version::Untold,
        (_, Some(false)) => Version::Older,
        (Some(false), Some(true)) => Version::LeftIn,
        (None, Some(true)) => Version::Newer,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// A processing version as a number: `05.09`, `5.09` and `N0509` are all 5.09.
fn version(value: &Value) -> Option<f64> {
    let text = match value {
        Value::Number(number) => return number.as_f64(),
        Value::String(text) => text.trim().trim_start_matches(['N', 'n', 'V', 'v']),
        _ => return None,
    };
    if text.len() == 4 && text.bytes().all(|digit| digit.is_ascii_digit()) {
        return text.parse::<f64>().ok().map(|hundredths| hundredths / 100.0);
    }
    // `05.09.01`: the first two numbers count.
    let mut parts = text.splitn(3, '.');
    let (major, minor) = (parts.next()?, parts.next().unwrap_or("0"));
    format!("{major}.{minor}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_are_read_however_they_are_written() {
        assert_eq!(version(&json!("05.09")), Some(5.09));
        assert_eq!(version(&json!("N0400")), Some(4.0));
        assert_eq!(version(&json!("0301")), Some(3.01));
        assert_eq!(version(&json!("02.14.3")), Some(2.14));
        assert_eq!(version(&json!(5.1)), Some(5.1));
        assert_eq!(version(&json!("latest")), None);
        assert_eq!(version(&json!(["05.09"])), None);
    }
}
