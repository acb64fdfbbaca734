//! Sensors as data: what a product's bands are called, how raw values become physical ones, and how the product is recognised.
//!
//! Each sensor is one TOML file under `sensors/`; a user's files of the same form add sensors or replace them by id.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{Coding, Kind, SceneError, coding, join};
use crate::fault::{Fault, did_you_mean, nearest};
use crate::intake::{self, Text, names};
use crate::seal::digest::Digest;

/// The sensor of whatever is not recognised: values as stored, bands by their own names.
pub const GENERIC: &str = "generic";

/// Name and text of each file under `sensors/`, by name.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sensors.rs"));

/// One product of one family of instruments.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    /// The name that scenes and pipelines use.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Optical or SAR.
    pub kind: Kind,
    /// The stored types (`uint16`, ...) that `scale`, `offset`, `nodata` and `saturated` hold for.
    #[serde(default)]
    pub data_types: Vec<String>,
    /// Physical units per raw unit.
    #[serde(default = "one")]
    pub scale: f64,
    /// Physical value of raw 0.
    #[serde(default)]
    pub offset: f64,
    /// The raw value that means no data.
    pub nodata: Option<f64>,
    /// Values are linear power, to be compared in decibels.
    #[serde(default)]
    pub decibel: bool,
    /// The raw value at and above which a pixel is saturated.
    pub saturated: Option<f64>,
    /// The physical range that values are clipped to.
    pub valid: Option<[f64; 2]>,
    /// Typical noise of one value, physical units.
    pub noise: Option<f64>,
    /// What comes to it from calibration and atmosphere, as a part of the value.
    #[serde(default)]
    pub noise_fraction: f64,
    /// How an item of this product is recognised.
    #[serde(default)]
    pub recognise: Recognise,
    /// A raw offset that only some versions of the product have.
    pub raw_offset: Option<RawOffset>,
    /// The bands, in the order in which scenes list them.
    #[serde(default)]
    pub bands: Vec<SensorBand>,
    /// The quality bands, the most trusted first.
    #[serde(default)]
    pub quality: Vec<SensorQuality>,
}

/// What an item of the product says of itself.
///
/// Nothing that the item states may contradict `platforms`, `constellations` or `instruments`. On top of that it must show which product it is:
/// by its collection, else by a property, else by an asset that only this product has. Letters and digits count, their case and what joins them
/// does not; of an item that shows its collection, names of satellites that no sensor has contradict nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recognise {
    /// `platform` is one of these.
    pub platforms: Vec<String>,
    /// `constellation` is one of these.
    pub constellations: Vec<String>,
    /// One of `instruments` is one of these.
    pub instruments: Vec<String>,
    /// The collection's id contains one of these.
    pub collections: Vec<String>,
    /// One of these properties has one of its values.
    pub properties: BTreeMap<String, Vec<String>>,
    /// One of these is an asset's key or a band's name.
    pub assets: Vec<String>,
}

/// A raw offset that a processing version brought in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawOffset {
    /// The item properties that may hold the version, the most trusted first.
    pub properties: Vec<String>,
    /// The first version that has the offset.
    pub from_version: f64,
    /// Added to raw values before scaling.
    pub value: f64,
    /// Item properties that, when true, say that it was added already.
    #[serde(default)]
    pub unless_true: Vec<String>,
    /// The collection's id contains one of these where it was added already.
    #[serde(default)]
    pub unless_collection: Vec<String>,
}

/// One band of a product.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorBand {
    /// The STAC common name; the product's own where there is none.
    pub name: String,
    /// Other names: asset keys and band names, any case.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Typical noise, where it differs from the sensor's.
    pub noise: Option<f64>,
}

/// One quality band of a product.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorQuality {
    /// Asset keys, any case; the first that an item has is taken.
    pub assets: Vec<String>,
    /// The band in the raster, from 1.
    #[serde(default = "first")]
    pub index: usize,
    /// What its values mean.
    #[serde(deserialize_with = "coding::written")]
    pub coding: Coding,
}

fn one() -> f64 {
    1.0
}

fn first() -> usize {
    1
}

/// The sensors that are known, by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensors(BTreeMap<String, Sensor>);

impl Sensors {
    /// The sensors that sitewatch comes with.
    ///
    /// # Errors
    /// A fault in a file that is part of the program; a test reads each of them.
    pub fn embedded() -> Result<Self, Fault> {
        let mut sensors = Self(BTreeMap::new());
        for &(name, text) in EMBEDDED {
            sensors.add(text).map_err(|faults| Fault::new(name, join(&faults)))?;
        }
        Ok(sensors)
    }

    /// Adds the sensor that `text` (TOML) describes, in place of one with the same id.
    ///
    /// # Errors
    /// All faults: unknown keys with their line and the nearest known key, contradictory values.
    pub fn add(&mut self, text: &str) -> Result<(), Vec<Fault>> {
        let sensor: Sensor = toml::from_str(text).map_err(|error| vec![Fault::of_toml(text, &error)])?;
        let faults = sensor.faults();
        if !faults.is_empty() {
            return Err(faults);
        }
        self.0.insert(sensor.id.clone(), sensor);
        Ok(())
    }

    /// Adds the sensor of a TOML file (see [`Sensors::add`]); the digest of what was read.
    ///
    /// # Errors
    /// The file cannot be read, is larger than 1 MiB, or has faults.
    pub fn add_file(&mut self, path: &Path) -> Result<Digest, SceneError> {
        let Text { text, digest } = intake::text(path, intake::MAX_TOML_BYTES)?;
        self.add(&text).map_err(|faults| SceneError::Sensor {
            name: path.display().to_string(),
            faults,
        })?;
        Ok(digest)
    }

    /// The sensor of that id.
    pub fn get(&self, id: &str) -> Option<&Sensor> {
        self.0.get(id)
    }

    /// The sensor that has a quality band of that name (any case) and none that has a measured one, where there is one.
    pub(super) fn of_mask(&self, name: &str) -> Option<&Sensor> {
        let is_band = self.iter().any(|sensor| sensor.band(name).is_some());
        self.iter().find(|sensor| !is_band && sensor.mask(name).is_some())
    }

    /// All sensors by id.
    pub fn iter(&self) -> impl Iterator<Item = &Sensor> {
        self.0.values()
    }

    /// What to say of an id that is not known.
    pub(super) fn unknown(&self, id: &str) -> String {
        let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
        let hint = nearest(id, known.iter().copied());
        format!(
            "unknown sensor `{id}`{}: one of {}",
            did_you_mean(hint),
            known.join(", ")
        )
    }

    /// The sensor whose product the item shows itself to be; a collection is better evidence than a property, a property than an asset.
    /// `None` when nothing shows it, or when it shows two alike (Landsat without a platform).
    pub(super) fn recognise(&self, about: &About) -> Option<&Sensor> {
        let lists = |sensor: &Sensor, name: &str| {
            let of = &sensor.recognise;
            let mut all = of.platforms.iter().chain(&of.constellations).chain(&of.instruments);
            all.any(|one| bare(one) == bare(name))
        };
        let is_known = |name: &str| self.iter().any(|sensor| lists(sensor, name));
        let evidence = |sensor: &&Sensor| sensor.recognise.evidence(about, &is_known);
        let best = self.iter().max_by_key(evidence)?;
        let rivals = self.iter().filter(|sensor| evidence(sensor) == evidence(&best)).count();
        (evidence(&best) > 0 && rivals == 1).then_some(best)
    }

    /// Optical, unless the item names a SAR satellite or instrument.
    pub(super) fn kind(&self, about: &About) -> Kind {
        let sar = about.sar_properties
            || self
                .iter()
                .any(|sensor| sensor.kind == Kind::Sar && sensor.recognise.family(about, &|_| true) == Some(true));
        if sar { Kind::Sar } else { Kind::Optical }
    }
}

/// What an item says of where it comes from, as far as sensors are recognised by it.
#[derive(Debug, Default)]
pub(super) struct About {
    pub platform: Option<String>,
    pub constellation: Option<String>,
    pub instruments: Vec<String>,
    pub collection: Option<String>,
    /// Properties with a text for a value.
    pub properties: BTreeMap<String, String>,
    pub sar_properties: bool,
    /// Asset keys and band names.
    pub names: Vec<String>,
}

impl Recognise {
    /// Whether the item's satellite and instrument are this sensor's, by those of its names that `count`; `None` when it names neither.
    fn family(&self, about: &About, count: &dyn Fn(&str) -> bool) -> Option<bool> {
        let among = |list: &[String], stated: &str| list.iter().any(|one| bare(one) == bare(stated));
        let checks = [
            (&self.platforms, about.platform.as_slice()),
            (&self.constellations, about.constellation.as_slice()),
            (&self.instruments, about.instruments.as_slice()),
        ];
        checks
            .iter()
            .filter(|(list, stated)| !list.is_empty() && stated.iter().any(|one| count(one)))
            .map(|(list, stated)| stated.iter().any(|one| among(list, one)))
            .reduce(|all, one| all && one)
    }

    /// 3 by collection, 2 by property, 1 by asset, 0 not this product. A name that no sensor has is a spelling that is not known, and less
    /// than the collection.
    fn evidence(&self, about: &About, is_known: &dyn Fn(&str) -> bool) -> u8 {
        let family = self.family(about, &|_| true);
        let collection = about.collection.as_deref().map(bare).unwrap_or_default();
        let by_property = |(name, values): (&String, &Vec<String>)| {
            let stated = about.properties.get(name).map(|value| bare(value));
            stated.is_some_and(|stated| values.iter().any(|value| bare(value) == stated))
        };
        if self.collections.iter().any(|part| collection.contains(&bare(part)))
            && self.family(about, is_known) != Some(false)
        {
            3
        } else if family == Some(false) {
            0
        } else if self.properties.iter().any(by_property) {
            2
        // Asset keys are too common to be evidence without a satellite.
        } else if family == Some(true) && about.names.iter().any(|name| contains(&self.assets, name)) {
            1
        } else {
            0
        }
    }
}

impl Sensor {
    /// The band of that name or key (any case), with its position.
    pub fn band(&self, name: &str) -> Option<(usize, &SensorBand)> {
        self.bands
            .iter()
            .enumerate()
            .find(|(_, band)| band.name.eq_ignore_ascii_case(name) || contains(&band.keys, name))
    }

    /// The coding of the quality band of that name (any case), the first where several lie in one file.
    pub(super) fn mask(&self, name: &str) -> Option<&Coding> {
        let is_one = |quality: &&SensorQuality| quality.index == 1 && contains(&quality.assets, name);
        self.quality.iter().find(is_one).map(|quality| &quality.coding)
    }

    /// Whether scale, offset, nodata and saturation hold for values that are stored so.
    pub(super) fn stores(&self, data_type: Option<&str>) -> bool {
        data_type.is_none_or(|stated| self.data_types.is_empty() || contains(&self.data_types, stated))
    }

    /// As [`Sensor::stores`], or in wider integers than the product comes in: tools that cut and stack its files write them so.
    pub(super) fn may_store(&self, data_type: Option<&str>) -> bool {
        let integers = |stored: &str| stored.contains("int") && !stored.ends_with("int8");
        self.stores(data_type) || data_type.is_some_and(integers) && self.data_types.iter().any(|own| integers(own))
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |place: &str, message: String| faults.push(Fault::new(place, message));
        if self.id.is_empty() || !self.id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            fault(
                "id",
                format!("`{}`: expected letters, digits, `-`, `_` and `.` only", self.id),
            );
        }
        if !self.scale.is_finite() || self.scale == 0.0 {
            fault("scale", format!("expected a number other than 0, found {}", self.scale));
        }
        if !self.offset.is_finite() {
            fault("offset", format!("expected a number, found {}", self.offset));
        }
        if let Some([low, high]) = self.valid
            && (low >= high || low.is_nan() || high.is_nan())
        {
            fault(
                "valid",
                format!("expected [low, high] with low < high, found [{low}, {high}]"),
            );
        }
        let noises = self.bands.iter().map(|band| band.noise).chain([self.noise]);
        for noise in noises.flatten().filter(|noise| !(noise.is_finite() && *noise > 0.0)) {
            fault("noise", format!("expected a number above 0, found {noise}"));
        }
        if !(0.0..1.0).contains(&self.noise_fraction) {
            fault(
                "noise_fraction",
                format!("expected a part of the value, 0 to 1, found {}", self.noise_fraction),
            );
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (at, band) in self.bands.iter().enumerate() {
            if let Err(wrong) = names::id(&band.name) {
                fault(&format!("bands[{at}].name"), format!("`{}` {wrong}", band.name));
            }
            for name in band.keys.iter().chain([&band.name]) {
                if let Some(other) = seen.insert(name.to_ascii_lowercase(), at)
                    && other != at
                {
                    fault(&format!("bands[{at}]"), format!("`{name}` is bands[{other}] already"));
                }
            }
        }
        for (at, quality) in self.quality.iter().enumerate() {
            if quality.assets.is_empty() || quality.index == 0 {
                fault(
                    &format!("quality[{at}]"),
                    "expected at least one asset key, and an index from 1".into(),
                );
            }
        }
        faults
    }
}

/// Letters and digits in lower case: catalogues spell one name in many ways.
pub(super) fn bare(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether `list` holds `name` in any case.
pub(super) fn contains(list: &[String], name: &str) -> bool {
    list.iter().any(|one| one.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
