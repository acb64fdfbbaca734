//! The JSON of a STAC Item's assets, of version 1.0 or 1.1, as plain descriptions of files and bands.

use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Checksum;
use crate::fault::Fault;
use crate::intake;
use crate::seal::multihash::Multihash;

pub(super) type Object = Map<String, Value>;

/// Media types that hold no raster of measurements. Unknown types may (an ENVI raster has none of its own).
const NO_RASTER_TYPES: [&str; 8] = [
    "text/",
    "application/json",
    "application/geo+json",
    "application/xml",
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/vnd.apache",
];

/// Why an item is no scene.
#[derive(Debug)]
pub(super) struct Unusable {
    pub faults: Vec<Fault>,
    /// A file that should be readable is not.
    pub unreadable: bool,
}

pub(super) struct Reader<'a> {
    pub base: &'a Path,
    pub faults: Vec<Fault>,
    /// A file that should be readable is not.
    pub unreadable: bool,
}

/// One asset that a scene could use.
pub(super) struct Asset<'v> {
    pub key: &'v str,
    pub at: String,
    pub href: Option<&'v str>,
    pub roles: Vec<String>,
    pub raster: bool,
    pub bands: Vec<Band<'v>>,
    pub stated: Option<Checksum>,
}

/// One band of an asset, as the item describes it.
pub(super) struct Band<'v> {
    pub index: usize,
    pub name: String,
    pub common: Option<&'v str>,
    pub data_type: Option<String>,
    pub unit: Option<&'v str>,
    pub nodata: Option<f64>,
    pub scale: Option<f64>,
    pub offset: Option<f64>,
    pub gsd: Option<f64>,
    pub classes: Option<Vec<(i64, String)>>,
}

/// `key` below `at`, as a JSON path.
pub(super) fn under(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}

/// A file on disk that `href` names: never a URL, never one of GDAL's virtual file systems.
///
/// # Errors
/// What the href is instead.
pub(super) fn local_path(href: &str, base: &Path) -> Result<PathBuf, String> {
    let scheme = href.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))
    });
    if let Some(scheme) = scheme {
        return Err(format!(
            "`{href}` has the scheme `{scheme}:`; only files on disk are read: download it and give its path relative to the item"
        ));
    }
    if href.starts_with("/vsi") || href.starts_with("\\\\") || href.starts_with("//") {
        return Err(format!(
            "`{href}` is not a plain path; only files on disk are read: give a path relative to the item"
        ));
    }
    if href.is_empty() || href.chars().any(char::is_control) || href.contains('<') {
        return Err(format!("`{}` is not a path", href.escape_debug()));
    }
    let joined = base.join(href);
    Ok(joined.components().filter(|part| *part != Component::CurDir).collect())
}

impl Reader<'_> {
    pub(super) fn fault<T>(&mut self, place: String, message: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(place, message));
        None
    }

    pub(super) fn text<'v>(&mut self, object: &'v Object, at: &str, key: &str) -> Option<&'v str> {
        match object.get(key)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => self.fault(under(at, key), format!("expected a string, found {}", kind_of(other))),
        }
    }

    pub(super) fn number(&mut self, object: &Object, at: &str, key: &str) -> Option<f64> {
        match object.get(key)? {
            Value::Null => None,
            Value::Number(number) => number.as_f64(),
            other => self.fault(under(at, key), format!("expected a number, found {}", kind_of(other))),
        }
    }

    pub(super) fn list<'v>(&mut self, object: &'v Object, at: &str, key: &str) -> &'v [Value] {
        match object.get(key) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.faults.push(Fault::new(
                    under(at, key),
                    format!("expected an array, found {}", kind_of(other)),
                ));
                &[]
            }
        }
    }

    pub(super) fn time(&mut self, object: &Object, at: &str, key: &str) -> Option<Timestamp> {
        let text = self.text(object, at, key)?;
        match text.parse() {
            Ok(time) => Some(time),
            Err(_) => self.fault(
                under(at, key),
                format!(
                    "expected a time as in 2024-05-01T10:20:30Z, found `{}`",
                    text.escape_debug()
                ),
            ),
        }
    }

    /// The assets in key order.
    pub(super) fn assets<'v>(&mut self, item: &'v Object, at: &str) -> Vec<Asset<'v>> {
        let at = under(at, "assets");
        let Some(assets) = item.get("assets").and_then(Value::as_object) else {
            self.faults.push(Fault::new(at, "expected an object"));
            return Vec::new();
        };
        // serde_json keeps objects in key order; sorted here all the same, should a dependency switch that off.
        let mut found: Vec<Asset> = assets
            .iter()
            .filter_map(|(key, value)| self.asset(key, value, under(&at, key)))
            .collect();
        found.sort_by_key(|asset| asset.key);
        found
    }

    fn asset<'v>(&mut self, key: &'v str, value: &'v Value, at: String) -> Option<Asset<'v>> {
        let Some(asset) = value.as_object() else {
            return self.fault(at, format!("expected an object, found {}", kind_of(value)));
        };
        let roles = self
            .list(asset, &at, "roles")
            .iter()
            .filter_map(|role| role.as_str().map(str::to_ascii_lowercase))
            .collect();
        let media = self.text(asset, &at, "type").unwrap_or_default().to_ascii_lowercase();
        let raster = !NO_RASTER_TYPES.iter().any(|no| media.starts_with(no));
        let href = self.text(asset, &at, "href");
        let mut bands = Vec::new();
        if raster {
            // 1.1 has `bands`; 1.0 has two arrays in step, one for the eye and one for the numbers.
            let (seen, stored) = match self.list(asset, &at, "bands") {
                [] => (
                    ("eo:bands", self.list(asset, &at, "eo:bands")),
                    ("raster:bands", self.list(asset, &at, "raster:bands")),
                ),
                bands => (("bands", bands), ("bands", &[][..])),
            };
            let count = seen.1.len().max(stored.1.len());
            for number in 0..count.max(1) {
                let layers: Vec<(String, &Object)> = [seen, stored]
                    .iter()
                    .filter_map(|(list, bands)| {
                        Some((format!("{at}.{list}[{number}]"), bands.get(number)?.as_object()?))
                    })
                    .chain([(at.clone(), asset)])
                    .collect();
                let whole = count <= 1;
                bands.push(self.band(key, number + 1, whole, &layers));
            }
        }
        let stated = raster.then(|| self.stated(asset, &at)).flatten();
        Some(Asset {
            key,
            stated,
            at,
            href,
            roles,
            raster,
            bands,
        })
    }

    /// `file:size` and `file:checksum`.
    fn stated(&mut self, asset: &Object, at: &str) -> Option<Checksum> {
        let bytes = self.number(asset, at, "file:size").map(|bytes| bytes as u64);
        let hash = match self.text(asset, at, "file:checksum").map(Multihash::read) {
            Some(Err(message)) => self.fault(under(at, "file:checksum"), message),
            Some(Ok(hash)) => Some(hash),
            None => None,
        };
        (bytes.is_some() || hash.is_some()).then_some(Checksum { bytes, hash })
    }

    /// One band; each field is taken from the first of `layers` (band objects, then the asset) that has it.
    fn band<'v>(&mut self, key: &str, index: usize, whole: bool, layers: &[(String, &'v Object)]) -> Band<'v> {
        let mut band = Band {
            index,
            name: if whole {
                key.to_owned()
            } else {
                format!("{key}_{index}")
            },
            common: None,
            data_type: None,
            unit: None,
            nodata: None,
            scale: None,
            offset: None,
            gsd: None,
            classes: None,
        };
        let last = layers.len() - 1;
        for (depth, (at, object)) in layers.iter().enumerate() {
            let of_asset = depth == last;
            if !of_asset
                && depth == 0
                && let Some(name) = self.text(object, at, "name").filter(|name| !name.is_empty())
            {
                band.name = name.to_owned();
            }
            for common in ["eo:common_name", "common_name"] {
                band.common = band
                    .common
                    .or_else(|| self.text(object, at, common).filter(|name| !name.is_empty()));
            }
            if band.data_type.is_none() {
                band.data_type = self.text(object, at, "data_type").map(str::to_ascii_lowercase);
            }
            band.unit = band.unit.or_else(|| self.text(object, at, "unit"));
            band.nodata = band.nodata.or_else(|| self.nodata(object, at));
            band.scale = band.scale.or_else(|| self.number(object, at, "raster:scale"));
            band.offset = band.offset.or_else(|| self.number(object, at, "raster:offset"));
            if !of_asset {
                band.scale = band.scale.or_else(|| self.number(object, at, "scale"));
                band.offset = band.offset.or_else(|| self.number(object, at, "offset"));
            }
            band.gsd = band.gsd.or_else(|| self.number(object, at, "gsd"));
            if band.classes.is_none() && object.contains_key("classification:classes") {
                band.classes = Some(self.classes(object, at));
            }
            if band.scale == Some(0.0) {
                self.faults.push(Fault::new(
                    under(at, "raster:scale"),
                    "is 0: every value would be the same",
                ));
                band.scale = None;
            }
        }
        band
    }

    fn nodata(&mut self, object: &Object, at: &str) -> Option<f64> {
        match object.get("nodata")? {
            Value::Null => None,
            Value::Number(number) => number.as_f64(),
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "nan" => Some(f64::NAN),
                "inf" => Some(f64::INFINITY),
                "-inf" => Some(f64::NEG_INFINITY),
                _ => self.fault(
                    under(at, "nodata"),
                    format!(
                        "expected a number, \"nan\", \"inf\" or \"-inf\", found `{}`",
                        text.escape_debug()
                    ),
                ),
            },
            other => self.fault(
                under(at, "nodata"),
                format!("expected a number or \"nan\", found {}", kind_of(other)),
            ),
        }
    }

    fn classes(&mut self, object: &Object, at: &str) -> Vec<(i64, String)> {
        let mut classes = Vec::new();
        for (number, class) in self.list(object, at, "classification:classes").iter().enumerate() {
            let name = ["name", "title", "description"]
                .iter()
                .find_map(|key| class.get(key)?.as_str());
            match (class.get("value").and_then(Value::as_i64), name) {
                (Some(value), Some(name)) => classes.push((value, name.to_owned())),
                _ => self.faults.push(Fault::new(
                    format!("{at}.classification:classes[{number}]"),
                    "expected an integer `value` and a `name`",
                )),
            }
        }
        classes
    }

    pub(super) fn path(&mut self, asset: &Asset) -> Option<PathBuf> {
        let place = under(&asset.at, "href");
        let Some(href) = asset.href else {
            return self.fault(place, "expected a path relative to the item");
        };
        match local_path(href, self.base) {
            Err(message) => self.fault(place, message),
            Ok(path) => match intake::about(&path) {
                Ok(Some(_)) => Some(path),
                Ok(None) => {
                    self.unreadable = true;
                    self.fault(place, format!("no file {}", path.display()))
                }
                Err(error) => {
                    self.unreadable = true;
                    self.fault(place, format!("cannot read {}: {error}", path.display()))
                }
            },
        }
    }
}

pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
