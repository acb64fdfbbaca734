//! What an Item is recognised as: its sensor's product, and whether that is optical or radar.

use serde_json::Value;

use crate::fault::one_line;
use crate::scene::sensor::{About, GENERIC, Sensor, Sensors};
use crate::scene::stac::asset::Asset;
use crate::scene::stac::bands::version_of;
use crate::scene::stac::hints::Hints;
use crate::scene::stac::object::Object;
use crate::scene::statement::Version;
use crate::scene::{BandAsset, Kind};

/// What an item is recognised as.
pub(in crate::scene) struct Product<'s> {
    /// Its sensor; `None` where none is recognised.
    pub recognised: Option<&'s Sensor>,
    /// What its values are read by: its sensor, else the generic one.
    pub sensor: Option<&'s Sensor>,
    pub kind: Kind,
    pub version: Version,
}

impl<'s> Product<'s> {
    /// That of an item that says this of itself.
    pub(in crate::scene) fn of(about: &About, properties: &Object, sensors: &'s Sensors) -> Self {
        let recognised = sensors.recognise(about);
        Self {
            recognised,
            sensor: recognised.or(sensors.get(GENERIC)),
            kind: recognised.map_or_else(|| sensors.kind(about), |sensor| sensor.kind),
            version: recognised.map_or(Version::Untold, |sensor| {
                version_of(sensor, properties, about.collection.as_deref())
            }),
        }
    }

    pub(in crate::scene) fn sensor_id(&self) -> &str {
        self.recognised.map_or(GENERIC, |sensor| &sensor.id)
    }

    /// Whether nobody tells what the values of its optical `bands` may be.
    pub(in crate::scene) fn is_unknown(&self, bands: &[BandAsset]) -> bool {
        self.recognised.is_none()
            && self.kind == Kind::Optical
            && bands.iter().any(|band| !band.derived && band.valid.is_none())
    }
}

/// What an item says of where it comes from.
pub(in crate::scene) fn about(properties: &Object, hints: &Hints, assets: &[Asset]) -> About {
    let names = |asset: &Asset| -> Vec<String> {
        let bands = asset.bands.iter().map(|band| band.name.clone());
        bands.chain([asset.key.to_owned()]).collect()
    };
    About {
        platform: hints.platform.clone(),
        constellation: hints.constellation.clone(),
        instruments: match properties.get("instruments") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        },
        collection: hints.collection.clone(),
        properties: properties
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
        sar_properties: properties.keys().any(|key| key.starts_with("sar:")),
        names: assets.iter().flat_map(names).collect(),
    }
}

/// What to know of items that no sensor is recognised by.
pub(in crate::scene) fn unknown(about: &About) -> String {
    let said = |what: &str, value: &Option<String>| {
        let value = value.as_deref().filter(|value| !value.is_empty());
        value.map_or(format!("no {what}"), |value| format!("{what} {}", one_line(value)))
    };
    format!(
        "items with {} and {}: no sensor is recognised, so that values are taken as item and file state them (`{GENERIC}`), noise is only measured, and \
         masks are read only where the items explain their values",
        said("collection", &about.collection),
        said("platform", &about.platform)
    )
}
