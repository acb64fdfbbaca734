//! One STAC Item becomes a scene: its time, its sensor, which assets are bands, and which say what cannot be judged.
//!
//! Read by walking the JSON: the `stac` crate would bring 83 packages, and would stop at the first fault of an item.

use std::path::Path;

use ::geo::CoordsIter;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::sensor::{About, GENERIC, Sensor, Sensors, contains};
use super::stac_asset::{Asset, Object, Reader, Unusable, kind_of, local_path, under};
use super::stac_bands::{
    Chosen, bands_of, bands_of_any, coding_of, is_float, is_stored_as, raw_offset, sensor_quality,
};
use super::stac_indices::{INDEX_RANGE, indices_of};
use super::{BandAsset, Coding, Kind, Pass, QualityAsset, Scene, each_once};
use crate::fault::{Fault, one_line};
use crate::intake::names;
use crate::raster::flags;

/// The scene of an Item. `at` is its place in its file; relative paths are looked up in `base`.
///
/// # Errors
/// Everything that is wrong with it, each with its JSON path.
pub(super) fn scene(item: &Value, at: &str, source: &Path, base: &Path, sensors: &Sensors) -> Result<Scene, Unusable> {
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
        let footprint = self.footprint(item, at);
        let place = under(at, "properties");
        let Some(properties) = item.get("properties").and_then(Value::as_object) else {
            return self.fault(place, "expected an object");
        };
        let times = self.times(properties, &place);
        let relative_orbit = self.number(properties, &place, "sat:relative_orbit").and_then(|orbit| {
            if orbit.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&orbit) {
                return Some(orbit as u32);
            }
            self.fault(
                under(&place, "sat:relative_orbit"),
                format!("expected a whole number, found {orbit}"),
            )
        });
        let pass = match self
            .text(properties, &place, "sat:orbit_state")
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("ascending") => Some(Pass::Ascending),
            Some("descending") => Some(Pass::Descending),
            _ => None,
        };
        let cloud_fraction = self.number(properties, &place, "eo:cloud_cover").and_then(|percent| {
            if (0.0..=100.0).contains(&percent) {
                return Some(percent / 100.0);
            }
            self.fault(
                under(&place, "eo:cloud_cover"),
                format!("expected 0 to 100 percent, found {percent}"),
            )
        });
        let platform = self
            .text(properties, &place, "platform")
            .map(|name| one_line(name).into_owned());
        let assets = self.assets(item, at);
        let about = About {
            platform: platform.clone(),
            constellation: self.text(properties, &place, "constellation").map(str::to_owned),
            instruments: self
                .list(properties, &place, "instruments")
                .iter()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect(),
            collection: self.text(item, at, "collection").map(str::to_owned),
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

        let product = sensors.recognise(&about).filter(|sensor| is_stored_as(sensor, &assets));
        let kind = product.map_or_else(|| sensors.kind(&about), |sensor| sensor.kind);
        let taken = product.map_or(Vec::new(), |sensor| sensor_quality(sensor, &assets));
        let chosen = match product {
            Some(sensor) => bands_of(sensor, &assets),
            None => bands_of_any(kind, &assets),
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
        let raw_offset = product.map_or(0.0, |sensor| raw_offset(sensor, properties));
        let mut bands: Vec<BandAsset> = chosen
            .iter()
            .filter_map(|chosen| self.band_asset(chosen, product, kind, raw_offset))
            .collect();
        let (before, unreadable) = (self.faults.len(), self.unreadable);
        let indices: Vec<BandAsset> = indices.iter().filter_map(|index| self.index_asset(index)).collect();
        if !(chosen.is_empty() && indices.is_empty()) {
            // Nobody asked for the indices whose files are not here: the scene is good without them.
            self.faults.truncate(before);
            self.unreadable = unreadable;
        }
        bands.extend(indices);
        let quality = self.quality(&assets, taken);
        let (start, end) = times?;
        Some(Scene {
            id: id?,
            start,
            end,
            sensor: product.map_or(GENERIC, |sensor| &sensor.id).to_owned(),
            kind,
            platform,
            relative_orbit,
            pass,
            cloud_fraction,
            footprint,
            bands,
            quality,
            source: source.to_path_buf(),
            href: self_link(item),
        })
    }

    /// The acquisition interval: `start_datetime` to `end_datetime` where both are given, else the instant `datetime`.
    fn times(&mut self, properties: &Object, at: &str) -> Option<(Timestamp, Timestamp)> {
        let before = self.faults.len();
        let instant = self.time(properties, at, "datetime");
        let start = self.time(properties, at, "start_datetime");
        let end = self.time(properties, at, "end_datetime");
        match (start, end, instant) {
            (Some(start), Some(end), _) if start > end => self.fault(
                under(at, "start_datetime"),
                format!("{start} is after end_datetime, {end}"),
            ),
            (Some(start), Some(end), _) => Some((start, end)),
            (_, _, Some(instant)) => Some((instant, instant)),
            _ if self.faults.len() > before => None,
            _ => self.fault(
                under(at, "datetime"),
                "expected a time, or null with start_datetime and end_datetime",
            ),
        }
    }

    fn footprint(&mut self, item: &Object, at: &str) -> Option<::geo::MultiPolygon<f64>> {
        let value = item.get("geometry").filter(|value| !value.is_null())?;
        let place = under(at, "geometry");
        // Not by way of the geojson crate: its conversion panics at a position of one number.
        let polygons = match Outline::deserialize(value) {
            Ok(Outline::Polygon { coordinates }) => vec![coordinates],
            Ok(Outline::MultiPolygon { coordinates }) => coordinates,
            Err(error) => {
                return self.fault(place, format!("expected a Polygon or a MultiPolygon, or null: {error}"));
            }
        };
        let Some(footprint) = polygons
            .into_iter()
            .map(polygon)
            .collect::<Option<::geo::MultiPolygon<f64>>>()
        else {
            return self.fault(
                place,
                "expected rings of at least four positions, each of longitude and latitude",
            );
        };
        match footprint
            .coords_iter()
            .find(|at| !(at.x.abs() <= 180.0 && at.y.abs() <= 90.0))
        {
            None => Some(footprint),
            Some(at) => self.fault(
                place,
                format!(
                    "({}, {}) is not on the globe: expected WGS 84 degrees, longitude first",
                    at.x, at.y
                ),
            ),
        }
    }

    /// Where the band lies and how its values become physical. Order of trust: the asset, the item's properties, the sensor.
    fn band_asset(
        &mut self,
        chosen: &Chosen,
        product: Option<&Sensor>,
        kind: Kind,
        raw_offset: f64,
    ) -> Option<BandAsset> {
        let Chosen { asset, band, .. } = chosen;
        self.band_name(chosen)?;
        let in_decibels = band.unit.is_some_and(|unit| unit.eq_ignore_ascii_case("db"));
        let integers = band.data_type.as_deref().is_some_and(|stored| !is_float(stored));
        if kind == Kind::Sar && integers && band.scale.is_none() && !in_decibels {
            return self.fault(
                asset.at.clone(),
                "holds raw amplitudes; expected calibrated backscatter: calibrate to sigma0 or gamma0 and terrain-correct it, or state raster:scale",
            );
        }
        // What the sensor says of stored values holds only for the types that the product is stored in.
        let stored = product.filter(|sensor| sensor.stores(band.data_type.as_deref()));
        let scale = band.scale.or(stored.map(|sensor| sensor.scale)).unwrap_or(1.0);
        let default_offset = stored
            .filter(|sensor| sensor.scale == scale)
            .map(|sensor| sensor.offset + raw_offset * scale);
        let unit_is_power = band.unit.is_some_and(|unit| ["1", "linear", "power"].contains(&unit));
        let decibel = !in_decibels && product.map_or(kind == Kind::Sar && unit_is_power, |sensor| sensor.decibel);
        let is_reflectance = contains(&asset.roles, "reflectance")
            && (band.scale.is_some() || band.data_type.as_deref().is_some_and(is_float));
        let path = self.path(asset)?;
        Some(BandAsset {
            name: chosen.name.clone(),
            path,
            index: band.index,
            scale,
            offset: band.offset.or(default_offset).unwrap_or(0.0),
            nodata: each_once([band.nodata, stored.and_then(|sensor| sensor.nodata)]),
            decibel,
            saturated: stored.and_then(|sensor| sensor.saturated),
            valid: product.map_or(is_reflectance.then_some([0.0, 1.0]), |sensor| sensor.valid),
            noise: product.and_then(|sensor| chosen.of_sensor.and_then(|band| band.noise).or(sensor.noise)),
            noise_fraction: product.map_or(0.0, |sensor| sensor.noise_fraction),
            derived: false,
            stated: asset.stated.clone(),
        })
    }

    /// Bands are told apart by their names.
    fn band_name(&mut self, chosen: &Chosen) -> Option<()> {
        let at = || format!("{}, its band {}", chosen.asset.at, chosen.band.index);
        match names::id(&chosen.name) {
            Ok(()) => Some(()),
            Err(wrong) => self.fault(at(), format!("its name {wrong}")),
        }
    }

    /// Where an index lies and how its values become physical, by the asset alone: the sensor's scale and noise are those of reflectance.
    fn index_asset(&mut self, chosen: &Chosen) -> Option<BandAsset> {
        let Chosen { asset, band, .. } = chosen;
        self.band_name(chosen)?;
        // Integers that do not state their scale stay as they are stored.
        let physical = band.scale.is_some() || band.data_type.as_deref().is_some_and(is_float);
        Some(BandAsset {
            name: chosen.name.clone(),
            path: self.path(asset)?,
            index: band.index,
            scale: band.scale.unwrap_or(1.0),
            offset: band.offset.unwrap_or(0.0),
            nodata: each_once([band.nodata]),
            decibel: false,
            saturated: None,
            valid: physical.then_some(INDEX_RANGE),
            noise: None,
            noise_fraction: 0.0,
            derived: true,
            stated: asset.stated.clone(),
        })
    }

    /// The sensor's quality bands, else the masks whose classes have telling names.
    ///
    /// Each must code a reason that none before it codes, or lie in a file of which a band is taken already: the bands of one file are
    /// parts of one mask, and two of them may mean the same (cloud and heavy haze in UDM2). Several files that code the same are
    /// answers of several algorithms, of which the first is believed.
    fn quality(&mut self, assets: &[Asset], by_sensor: Vec<(&Asset, usize, Coding)>) -> Vec<QualityAsset> {
        let by_classes = assets
            .iter()
            .filter(|asset| {
                asset.raster
                    && asset
                        .roles
                        .iter()
                        .any(|role| role.contains("cloud") || role == "data-mask")
            })
            .flat_map(|asset| asset.bands.iter().map(move |band| (asset, band)))
            .filter_map(|(asset, band)| Some((asset, band.index, coding_of(band.classes.as_ref()?)?)));
        let candidates: Vec<(&Asset, usize, Coding)> = if by_sensor.is_empty() {
            by_classes.collect()
        } else {
            by_sensor
        };
        let mut coded = flags::CLEAR;
        let mut quality: Vec<QualityAsset> = Vec::new();
        for (asset, index, coding) in candidates {
            let path = asset.href.and_then(|href| local_path(href, self.base).ok());
            let of_taken_file = quality.iter().any(|taken| path.as_ref() == Some(&taken.path));
            if !of_taken_file && coding.reasons() & !coded == flags::CLEAR {
                continue;
            }
            coded |= coding.reasons();
            if let Some(path) = self.path(asset) {
                let stated = asset.stated.clone();
                let mask = QualityAsset {
                    path,
                    index,
                    coding,
                    stated,
                };
                // Two assets may name one file.
                if !quality.contains(&mask) {
                    quality.push(mask);
                }
            }
        }
        quality
    }
}

/// The shapes that a footprint may have.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Outline {
    Polygon { coordinates: Vec<Vec<Vec<f64>>> },
    MultiPolygon { coordinates: Vec<Vec<Vec<Vec<f64>>>> },
}

/// `None` when a ring is too short, or a position has less than two numbers.
fn polygon(rings: Vec<Vec<Vec<f64>>>) -> Option<::geo::Polygon<f64>> {
    let line = |ring: Vec<Vec<f64>>| -> Option<::geo::LineString<f64>> {
        let positions: Option<Vec<(f64, f64)>> = ring
            .iter()
            .map(|position| Some((*position.first()?, *position.get(1)?)))
            .collect();
        positions.filter(|positions| positions.len() >= 4).map(Into::into)
    };
    let mut lines = rings.into_iter().map(line).collect::<Option<Vec<_>>>()?.into_iter();
    Some(::geo::Polygon::new(lines.next()?, lines.collect()))
}
