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
mod tests {
    use super::*;
    use crate::raster::flags;

    fn coding(sensor: &str, asset: &str) -> Coding {
        let sensors = Sensors::embedded().unwrap();
        let sensor = sensors.get(sensor).unwrap();
        sensor
            .quality
            .iter()
            .find(|quality| contains(&quality.assets, asset))
            .unwrap()
            .coding
            .clone()
    }

    #[test]
    fn every_embedded_sensor_is_read() {
        let sensors = Sensors::embedded().unwrap();
        assert!(sensors.get(GENERIC).is_some());
        let l2a = sensors.get("sentinel-2-l2a").unwrap();
        assert_eq!(l2a.band("b08").unwrap().1.name, "nir");
        assert_eq!(l2a.band("B8A_20m").unwrap().1.name, "nir08");
        assert!(l2a.band("B10").is_none());
        assert_eq!(
            sensors.get("landsat-8-9-c2l2").unwrap().band("SR_B4").unwrap().1.name,
            "red"
        );
        assert_eq!(
            sensors.get("landsat-5-7-c2l2").unwrap().band("SR_B4").unwrap().1.name,
            "nir08"
        );
    }

    #[test]
    fn a_sensors_id_is_the_name_of_its_file() {
        for (name, text) in EMBEDDED {
            let sensor: Sensor = toml::from_str(text).unwrap();
            assert_eq!(format!("{}.toml", sensor.id), *name);
        }
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scene/sensors");
        assert_eq!(EMBEDDED.len(), std::fs::read_dir(folder).unwrap().count());
    }

    #[test]
    fn scene_classification_is_decoded() {
        let scl = coding("sentinel-2-l2a", "SCL");
        let names: Vec<&str> = (0..=12)
            .map(|class| flags::first_reason(scl.decode(f64::from(class))).unwrap_or("clear"))
            .collect();
        assert_eq!(
            names,
            [
                "nodata",
                "saturated",
                "clear",
                "shadow",
                "clear",
                "clear",
                "clear",
                "clear",
                "cloud",
                "cloud",
                "cirrus",
                "snow",
                "invalid"
            ]
        );
        // Fill after a warp, or a number between classes, is no class.
        for raw in [255.0, -1.0, 8.5, f64::NAN] {
            assert_eq!(scl.decode(raw), flags::INVALID, "{raw}");
        }
    }

    #[test]
    fn landsat_bits_are_decoded() {
        let pixel = coding("landsat-8-9-c2l2", "QA_PIXEL");
        // Values of real products: clear land, clear water, cloud of high confidence, shadow, dilated cloud, fill, cirrus with cloud.
        assert_eq!(pixel.decode(21824.0), flags::CLEAR);
        assert_eq!(pixel.decode(21952.0), flags::CLEAR);
        assert_eq!(pixel.decode(22280.0), flags::CLOUD);
        assert_eq!(pixel.decode(23888.0), flags::SHADOW);
        assert_eq!(pixel.decode(21762.0), flags::NEAR_CLOUD);
        assert_eq!(pixel.decode(1.0), flags::NODATA);
        assert_eq!(pixel.decode(54796.0), flags::CLOUD | flags::CIRRUS);
        assert_eq!(pixel.decode(-1.0), flags::INVALID);
        let saturation = coding("landsat-5-7-c2l2", "qa_radsat");
        assert_eq!(saturation.decode(0.0), flags::CLEAR);
        assert_eq!(saturation.decode(4.0), flags::SATURATED);
        // The thermal band alone.
        assert_eq!(saturation.decode(256.0), flags::CLEAR);
    }

    #[test]
    fn hls_bits_are_decoded() {
        for sensor in ["hls-l30", "hls-s30"] {
            let fmask = coding(sensor, "FMASK");
            // Clear land and water under each level of aerosol.
            for raw in [0.0, 32.0, 64.0, 96.0, 128.0, 160.0, 192.0, 224.0] {
                assert_eq!(fmask.decode(raw), flags::CLEAR, "{raw}");
            }
            assert_eq!(fmask.decode(194.0), flags::CLOUD);
            assert_eq!(fmask.decode(68.0), flags::NEAR_CLOUD);
            assert_eq!(fmask.decode(72.0), flags::SHADOW);
            assert_eq!(fmask.decode(80.0), flags::SNOW);
            assert_eq!(fmask.decode(206.0), flags::CLOUD | flags::NEAR_CLOUD | flags::SHADOW);
            // Fill is no cloud, or the buffer around cloud would eat into the scene.
            assert_eq!(fmask.decode(255.0), flags::NODATA);
        }
    }

    #[test]
    fn every_band_of_a_mask_has_its_reason() {
        let sensors = Sensors::embedded().unwrap();
        let reasons = |sensor: &str, asset: &str, raw: f64| {
            let quality = sensors.get(sensor).unwrap().quality.iter();
            let mut named: Vec<(usize, &str)> = quality
                .filter(|quality| contains(&quality.assets, asset))
                .map(|quality| {
                    let flag = quality.coding.decode(raw);
                    (quality.index, flags::first_reason(flag).unwrap_or("clear"))
                })
                .collect();
            named.sort();
            named
        };
        assert_eq!(
            reasons("planetscope-sr", "ortho_udm2", 1.0),
            [
                (2, "snow"),
                (3, "shadow"),
                (4, "cirrus"),
                (5, "cloud"),
                (6, "cloud"),
                (8, "nodata")
            ]
        );
        assert_eq!(reasons("planetscope-sr", "udm2", 2.0)[5], (8, "clear"));
        assert_eq!(reasons("planetscope-sr", "udm2", 64.0)[5], (8, "invalid"));
        assert!(
            reasons("planetscope-sr", "udm2", 0.0)
                .iter()
                .all(|(_, reason)| *reason == "clear")
        );
        assert_eq!(
            reasons("sentinel-2-l1c", "msk_classi_b00", 1.0),
            [(1, "cloud"), (2, "cirrus"), (3, "snow")]
        );
    }

    #[test]
    fn a_probability_is_flagged_at_and_above_its_threshold() {
        let cloud = coding("sentinel-2-l2a", "cloud");
        assert_eq!(cloud.decode(39.9), flags::CLEAR);
        assert_eq!(cloud.decode(40.0), flags::CLOUD);
        for sensor in ["sentinel-2-l1c", "sentinel-2-l2a"] {
            // Sentinel Hub has 255ths.
            let probability = coding(sensor, "CLP");
            assert_eq!(
                [101.0, 102.0, 255.0].map(|raw| probability.decode(raw)),
                [flags::CLEAR, flags::CLOUD, flags::CLOUD]
            );
            let mask = coding(sensor, "CLM");
            assert_eq!(
                [0.0, 1.0, 255.0].map(|raw| mask.decode(raw)),
                [flags::CLEAR, flags::CLOUD, flags::NODATA]
            );
        }
    }

    const OWN: &str = "id = \"mine\"\ntitle = \"Mine\"\nkind = \"optical\"\n";

    #[test]
    fn a_users_file_adds_and_replaces() {
        let mut sensors = Sensors::embedded().unwrap();
        sensors.add(OWN).unwrap();
        sensors.add(&OWN.replace("\"Mine\"", "\"Mine, again\"")).unwrap();
        assert_eq!(sensors.get("mine").unwrap().title, "Mine, again");
        assert_eq!(sensors.iter().count(), EMBEDDED.len() + 1);
    }

    #[test]
    fn an_unknown_key_is_refused_with_line_and_nearest_key() {
        let faults = Sensors::embedded()
            .unwrap()
            .add(&format!("{OWN}saturatd = 255\n"))
            .unwrap_err();
        assert_eq!(faults[0].place, "line 4, column 1");
        assert!(faults[0].message.contains("did you mean 'saturated'?"), "{}", faults[0]);
    }

    #[test]
    fn wrong_values_are_refused() {
        let refused = |more: &str| {
            let faults = Sensors::embedded().unwrap().add(&format!("{OWN}{more}")).unwrap_err();
            assert_eq!(faults.len(), 1, "{faults:?}");
            faults[0].to_string()
        };
        assert!(refused("scale = 0\n").contains("other than 0"));
        assert!(refused("valid = [1, 0]\n").contains("low < high"));
        assert!(refused("[[bands]]\nname = \"re\\u001bd\"\n").contains("U+001B"));
        assert!(refused("noise = nan\n").contains("above 0"));
        assert!(
            refused("[[bands]]\nname = \"red\"\n[[bands]]\nname = \"nir\"\nkeys = [\"RED\"]\n")
                .contains("bands[0] already")
        );
        let quality = "[[quality]]\nassets = [\"q\"]\n[quality.coding]\n";
        assert!(refused(&format!("{quality}bits = [{{ bit = 32, flag = \"cloud\" }}]\n")).contains("0 to 31"));
        assert!(
            refused(&format!(
                "{quality}bits = [{{ mask = 1, equals = 2, flag = \"cloud\" }}]\n"
            ))
            .contains("bits of the mask")
        );
        assert!(
            refused(&format!("{quality}classes = [{{ value = 1, flag = \"clowd\" }}]\n"))
                .contains("did you mean 'cloud'?")
        );
        assert!(refused(quality).contains("exactly one of"));
    }

    #[test]
    fn a_product_is_recognised_however_it_is_spelled() {
        let sensors = Sensors::embedded().unwrap();
        let id = |platform: &str, instrument: &str, collection: &str| {
            let text = |value: &str| Some(value.to_owned()).filter(|value| !value.is_empty());
            let about = About {
                platform: text(platform),
                instruments: text(instrument).into_iter().collect(),
                collection: text(collection),
                ..About::default()
            };
            sensors.recognise(&about).map_or("none", |sensor| &sensor.id).to_owned()
        };
        for (platform, instrument, collection, sensor) in [
            ("S2A", "MSI", "S2_MSI_L2A", "sentinel-2-l2a"),
            ("Sentinel2A", "msi", "sentinel-2-l2a", "sentinel-2-l2a"),
            ("SENTINEL_2B", "", "Sentinel-2-L1C", "sentinel-2-l1c"),
            // A spelling that nobody knows is less than the collection,
            ("Sentinel-2 (A)", "MSI 2", "sentinel-2-l2a", "sentinel-2-l2a"),
            // another satellite is not.
            ("landsat-8", "", "sentinel-2-l2a", "none"),
            ("", "", "COPERNICUS/S2_SR_HARMONIZED", "sentinel-2-l2a"),
            ("", "", "COPERNICUS/S2_SR", "sentinel-2-l2a"),
            ("", "", "COPERNICUS/S2_HARMONIZED", "sentinel-2-l1c"),
            ("L8", "OLI", "LANDSAT_C2L2", "landsat-8-9-c2l2"),
            ("Landsat8", "oli", "landsat-c2-l2", "landsat-8-9-c2l2"),
            ("LE07", "", "landsat-c2l2-sr", "landsat-5-7-c2l2"),
            ("", "", "LANDSAT/LC08/C02/T1_L2", "landsat-8-9-c2l2"),
            ("LANDSAT_5", "", "LANDSAT/LT05/C02/T1_L2", "landsat-5-7-c2l2"),
            ("", "", "landsat-c2-l2", "none"),
            ("S1A", "C-SAR", "sentinel-1-rtc", "sentinel-1-rtc"),
        ] {
            assert_eq!(
                id(platform, instrument, collection),
                sensor,
                "{platform} {instrument} {collection}"
            );
        }
        // Level 2 of another satellite is another product.
        let about = About {
            platform: Some("enmap".into()),
            properties: [("processing:level".to_string(), "L2A".to_string())].into(),
            ..About::default()
        };
        assert_eq!(sensors.recognise(&about), None);
    }

    #[test]
    fn a_product_is_recognised_by_what_the_item_states() {
        let sensors = Sensors::embedded().unwrap();
        let id = |about: &About| sensors.recognise(about).map(|sensor| sensor.id.clone());
        let text = |value: &str| Some(value.to_string());
        // The family alone does not tell the product.
        let mut about = About {
            platform: text("Sentinel-2A"),
            instruments: vec!["msi".into()],
            ..About::default()
        };
        assert_eq!(id(&about), None);
        about.names = vec!["scl".into()];
        assert_eq!(id(&about).as_deref(), Some("sentinel-2-l2a"));
        about.properties.insert("processing:level".into(), "L1C".into());
        assert_eq!(id(&about).as_deref(), Some("sentinel-2-l1c"));
        // One collection of two families of instruments.
        let mut about = About {
            collection: text("landsat-c2-l2"),
            platform: text("LANDSAT_5"),
            ..About::default()
        };
        assert_eq!(id(&about).as_deref(), Some("landsat-5-7-c2l2"));
        about.platform = None;
        assert_eq!(id(&about), None);
        about.platform = text("landsat-9");
        assert_eq!(id(&about).as_deref(), Some("landsat-8-9-c2l2"));
        about.collection = text("landsat-c2-l1");
        assert_eq!(id(&about), None);
        // A harmonised product keeps the satellites of what it was made from.
        let mut about = About {
            collection: text("HLSS30_2.0"),
            platform: text("sentinel-2b"),
            names: vec!["B10".into(), "Fmask".into()],
            ..About::default()
        };
        assert_eq!(id(&about).as_deref(), Some("hls-s30"));
        about.collection = text("hls2-l30");
        about.platform = text("landsat-9");
        assert_eq!(id(&about).as_deref(), Some("hls-l30"));
        // Band 10 of the one and the mask of the other contradict each other.
        about.collection = None;
        about.platform = text("sentinel-2b");
        assert_eq!(id(&about), None);
        // Radiance is not reflectance.
        let mut about = About {
            constellation: text("PlanetScope"),
            instruments: vec!["PSB.SD".into()],
            names: vec!["ortho_analytic_8b_sr".into()],
            ..About::default()
        };
        assert_eq!(id(&about).as_deref(), Some("planetscope-sr"));
        about.names = vec!["ortho_analytic_8b".into()];
        assert_eq!(id(&about), None);
        // A terrain-corrected product keeps the product type of what it was made from.
        let about = About {
            collection: text("sentinel-1-rtc"),
            constellation: text("Sentinel-1"),
            properties: [("sar:product_type".to_string(), "GRD".to_string())].into(),
            ..About::default()
        };
        assert_eq!(id(&about).as_deref(), Some("sentinel-1-rtc"));
    }
}
