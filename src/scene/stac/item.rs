//! One STAC Item becomes a scene: its time, its sensor, which assets are bands, and which say what cannot be judged.
//!
//! Read by walking the JSON: the `stac` crate would bring 83 packages, and would stop at the first fault of an item.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use crate::fault::{Fault, one_line};
use crate::intake::names;
use crate::scene::radiometry::is_float;
use crate::scene::sensor::{About, GENERIC, Sensor, Sensors, contains};
use crate::scene::stac::bands::{Chosen, bands_of, bands_of_any, version_of};
use crate::scene::stac::footprint::footprint;
use crate::scene::stac::indices::{INDEX_RANGE, indices_of};
use crate::scene::stac::object::{Object, Reader, Unusable, kind_of, under};
use crate::scene::statement::{Statements, Version};
use crate::scene::{AbsentBand, BandAsset, Kind, Pass, Scene, join, last_second};

/// The scene of an Item. `at` is its place in its file; relative paths are looked up in `base`.
///
/// # Errors
/// Everything that is wrong with it, each with its JSON path.
pub(in crate::scene) fn scene(
    item: &Value,
    at: &str,
    source: &Path,
    base: &Path,
    sensors: &Sensors,
) -> Result<Scene, Unusable> {
    let mut reader = Reader {
        base,
        faults: Vec::new(),
        unreadable: false,
    };
    let scene = reader.scene(item, at, source, sensors);
    match scene {
        Some(scene) if reader.faults.is_empty() => Ok(scene),
        _ => Err(Unusable {
            faults: reader.faults,
            unreadable: reader.unreadable,
        }),
    }
}

/// Where an item says that it is on the web; what is not an address of the web is no use to others.
fn self_link(item: &Object) -> Option<String> {
    let links = item.get("links")?.as_array()?.iter();
    let own = links.filter(|link| link.get("rel").and_then(Value::as_str) == Some("self"));
    let mut addresses = own.filter_map(|link| link.get("href")?.as_str());
    let is_web = |address: &&str| address.starts_with("https://") || address.starts_with("http://");
    addresses.find(is_web).map(str::to_owned)
}

/// What an item says of the pass that it is a piece of.
fn overpass(properties: &Object) -> Option<String> {
    let value = |key: &str| match properties.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let keys = [
        "s2:datatake_id",
        "sat:absolute_orbit",
        "landsat:wrs_path",
        "pl:strip_id",
    ];
    keys.iter().find_map(|key| {
        let value = value(key)?;
        // Of a Sentinel-2 datatake (GS2A_20210610T105621_031163_N05.00) the last part is the version of the processor.
        let value = value.split_once("_N").map_or(value.as_str(), |(pass, _)| pass);
        Some(format!("{key} {value}"))
    })
}

/// What to know of items that no sensor is recognised by.
fn unknown(about: &About) -> String {
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

impl Reader<'_> {
    fn scene(&mut self, item: &Value, at: &str, source: &Path, sensors: &Sensors) -> Option<Scene> {
        let Some(item) = item.as_object() else {
            return self.fault(at.to_owned(), format!("expected an Item, found {}", kind_of(item)));
        };
        let id = match item.get("id") {
            Some(Value::String(id)) if !id.is_empty() => match names::id(id) {
                Ok(()) => Some(id.clone()),
                Err(wrong) => self.fault(under(at, "id"), wrong),
            },
            _ => self.fault(under(at, "id"), "expected a string that is not empty"),
        };
        if let Some(version) = self.text(item, at, "stac_version")
            && !(version.starts_with("1.0") || version.starts_with("1.1"))
        {
            self.faults.push(Fault::new(
                under(at, "stac_version"),
                format!("expected 1.0 or 1.1, found `{version}`: migrate the item"),
            ));
        }
        // What only helps to choose among scenes costs none of them.
        let mut notes = Vec::new();
        let footprint = footprint(item.get("geometry")).unwrap_or_else(|why| {
            notes.push(format!("the ground of its geometry is not known: {why}"));
            None
        });
        let place = under(at, "properties");
        let Some(properties) = item.get("properties").and_then(Value::as_object) else {
            return self.fault(place, "expected an object");
        };
        let times = self.times(properties, &place);
        let mut hint = |object: &Object, key: &str| match object.get(key)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            other => {
                notes.push(format!(
                    "its {key} is not read: expected a string, found {}",
                    kind_of(other)
                ));
                None
            }
        };
        let orbit = hint(properties, "sat:relative_orbit");
        let state = hint(properties, "sat:orbit_state").map(|state| state.to_ascii_lowercase());
        let platform = hint(properties, "platform").map(|name| one_line(&name).into_owned());
        let constellation = hint(properties, "constellation");
        let collection = hint(item, "collection");
        let relative_orbit = orbit.and_then(|orbit| {
            let number: Option<f64> = orbit.trim().parse().ok();
            let whole = number.filter(|one| one.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(one));
            if whole.is_none() {
                let found = one_line(&orbit);
                notes.push(format!(
                    "its sat:relative_orbit is not read: expected a whole number, found {found}"
                ));
            }
            whole.map(|orbit| orbit as u32)
        });
        let pass = match state.as_deref() {
            Some("ascending") => Some(Pass::Ascending),
            Some("descending") => Some(Pass::Descending),
            _ => None,
        };
        // Catalogues write -1 or a word where it was not computed, and numbers as text.
        let cloud_percent = properties.get("eo:cloud_cover").and_then(|value| match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        });
        let cloud_fraction = cloud_percent
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(|percent| percent / 100.0);
        let overpass = overpass(properties);
        let common = self.common_numbers(properties, &place);
        let assets = self.assets(item, at, &common);
        let about = About {
            platform: platform.clone(),
            constellation,
            instruments: match properties.get("instruments") {
                Some(Value::String(one)) => vec![one.clone()],
                Some(Value::Array(all)) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
                _ => Vec::new(),
            },
            collection,
            properties: properties
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
            sar_properties: properties.keys().any(|key| key.starts_with("sar:")),
            names: assets
                .iter()
                .flat_map(|asset| {
                    asset
                        .bands
                        .iter()
                        .map(|band| band.name.clone())
                        .chain([asset.key.to_owned()])
                })
                .collect(),
        };

        let product = sensors.recognise(&about);
        let kind = product.map_or_else(|| sensors.kind(&about), |sensor| sensor.kind);
        let chosen = match product {
            Some(sensor) => bands_of(sensor, &assets),
            None => bands_of_any(kind, &assets, sensors),
        };
        let mut indices = match kind {
            Kind::Optical => indices_of(&assets),
            Kind::Sar => Vec::new(),
        };
        indices.retain(|index| chosen.iter().all(|band| band.name != index.name));
        let at_assets = under(at, "assets");
        if chosen.is_empty() && indices.is_empty() {
            let keys: Vec<&str> = assets.iter().map(|asset| asset.key).collect();
            let wanted = match (product, kind) {
                (Some(sensor), _) => format!("band of {}", sensor.id),
                (None, Kind::Sar) => "backscatter band (VV, VH, HH or HV)".into(),
                (None, Kind::Optical) => "reflectance band and no index".into(),
            };
            let found = if keys.is_empty() {
                "no asset".into()
            } else {
                keys.join(", ")
            };
            return self.fault(
                at_assets,
                format!("holds no {wanted}, only masks, derived products or previews (found: {found})"),
            );
        }
        let sensor = product.or(sensors.get(GENERIC));
        let version = product.map_or(Version::Untold, |sensor| {
            version_of(sensor, properties, about.collection.as_deref())
        });
        let (mut bands, mut absent) = (Vec::new(), Vec::new());
        for (one, derived) in chosen
            .iter()
            .map(|one| (one, false))
            .chain(indices.iter().map(|one| (one, true)))
        {
            let before = self.faults.len();
            let read = match &one.asset.file {
                Ok(path) => self.band_asset(one, path, (sensor.filter(|_| !derived), kind), version),
                Err(why) => self.fault(why.fault.place.clone(), why.fault.message.clone()),
            };
            // The scene is good without what lies elsewhere, and without an index that cannot be had.
            if read.is_none() && (derived || one.asset.file.is_err()) {
                let why = self.faults.drain(before..).collect::<Vec<_>>();
                let band = AbsentBand {
                    name: one.name.clone(),
                    reason: join(&why),
                    unreadable: one.asset.file.as_ref().is_err_and(|why| why.unreadable),
                    derived,
                };
                absent.push((band, why));
            }
            bands.extend(read);
        }
        if bands.is_empty() && self.faults.is_empty() {
            self.unreadable |= absent.iter().any(|(band, _)| band.unreadable);
            self.faults.extend(absent.drain(..).flat_map(|(_, why)| why));
        }
        let quality = self.quality(&assets, product, sensors, &mut notes);
        let (start, end) = times?;
        let id = id?;
        let notes = notes.into_iter().map(|note| format!("{id}: {note}"));
        let is_unknown = product.is_none()
            && kind == Kind::Optical
            && bands.iter().any(|band| !band.derived && band.valid.is_none());
        Some(Scene {
            notes: notes.chain(is_unknown.then(|| unknown(&about))).collect(),
            id,
            start,
            end,
            sensor: product.map_or(GENERIC, |sensor| &sensor.id).to_owned(),
            kind,
            collection: item.get("collection").and_then(Value::as_str).map(str::to_owned),
            platform,
            relative_orbit,
            pass,
            overpass,
            cloud_fraction,
            footprint,
            bands,
            absent: absent.into_iter().map(|(band, _)| band).collect(),
            quality,
            source: source.to_path_buf(),
            href: self_link(item),
        })
    }

    /// The acquisition interval: `start_datetime` to `end_datetime` where both are given, else `datetime`: an instant, or a whole day.
    fn times(&mut self, properties: &Object, at: &str) -> Option<(Timestamp, Timestamp)> {
        let before = self.faults.len();
        let instant = self.time(properties, at, "datetime");
        let start = self.time(properties, at, "start_datetime");
        let end = self.time(properties, at, "end_datetime");
        match (start, end, instant) {
            (Some((start, _)), Some((_, end)), _) if start > end => self.fault(
                under(at, "start_datetime"),
                format!("{start} is after end_datetime, {end}"),
            ),
            (Some((start, _)), Some((_, end)), _) => Some((start, last_second(start, end))),
            (_, _, Some(instant)) => Some(instant),
            _ if self.faults.len() > before => None,
            _ => self.fault(
                under(at, "datetime"),
                "expected a time, or null with start_datetime and end_datetime",
            ),
        }
    }

    /// A band that lies in `path`, and how its values become physical; `None` where that cannot be told. `sensor` is that of measured bands;
    /// of an index the asset alone tells: the sensor's scale and noise are those of reflectance.
    fn band_asset(
        &mut self,
        chosen: &Chosen,
        path: &Path,
        (sensor, kind): (Option<&Sensor>, Kind),
        version: Version,
    ) -> Option<BandAsset> {
        let Chosen { asset, band, .. } = chosen;
        self.band_name(chosen)?;
        if let Some(wrong) = &asset.wrong {
            return self.fault(asset.at.clone(), wrong.clone());
        }
        let derived = sensor.is_none();
        let product = sensor.filter(|sensor| sensor.id != GENERIC);
        // Integers that do not state their scale stay as they are stored.
        let is_physical = !band.stated.scale.is_empty() || band.stated.data_type.as_deref().is_some_and(is_float);
        let valid = match (product, derived) {
            (Some(sensor), _) => sensor.valid,
            (None, true) => is_physical.then_some(INDEX_RANGE),
            (None, false) => (is_physical && contains(&asset.roles, "reflectance")).then_some([0.0, 1.0]),
        };
        let mut asset_band = BandAsset {
            name: chosen.name.clone(),
            path: path.to_owned(),
            index: band.index,
            radiometry: Statements {
                item: band.stated.clone(),
                version,
                ..Statements::default()
            },
            valid,
            noise: product.and_then(|sensor| chosen.of_sensor.and_then(|band| band.noise).or(sensor.noise)),
            noise_fraction: product.map_or(0.0, |sensor| sensor.noise_fraction),
            derived,
            stated: asset.stated.clone(),
            ..BandAsset::default()
        };
        match asset_band.settle(sensor, kind, None) {
            Ok(()) => Some(asset_band),
            Err(why) => self.fault(asset.at.clone(), why),
        }
    }

    /// Bands are told apart by their names.
    fn band_name(&mut self, chosen: &Chosen) -> Option<()> {
        let at = || format!("{}, its band {}", chosen.asset.at, chosen.band.index);
        match names::id(&chosen.name) {
            Ok(()) => Some(()),
            Err(wrong) => self.fault(at(), format!("its name {wrong}")),
        }
    }
}
