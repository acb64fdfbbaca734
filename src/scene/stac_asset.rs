//! The JSON of a STAC Item's assets, of version 1.0 or 1.1, as plain descriptions of files and bands.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Checksum;
use super::file_date::{Interval, interval_of_tag};
use super::href::local_path;
use super::radiometry::{Statement, Unit, add};
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

/// Why an asset names no file on disk.
#[derive(Debug)]
pub(super) struct NoFile {
    pub fault: Fault,
    /// It should be there and is not; false where it lies elsewhere.
    pub unreadable: bool,
}

/// One asset that a scene could use.
pub(super) struct Asset<'v> {
    pub key: &'v str,
    pub at: String,
    /// The file on disk that it names, or why there is none.
    pub file: Result<PathBuf, NoFile>,
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
    /// What is stated of its stored numbers.
    pub stated: Statement,
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
            // Catalogues write numbers as text.
            Value::String(text) if text.trim().parse().is_ok_and(f64::is_finite) => text.trim().parse().ok(),
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

    /// The instant that the text of `key` tells, or the first and the last second of a day; UTC where it names no zone.
    pub(super) fn time(&mut self, object: &Object, at: &str, key: &str) -> Option<Interval> {
        let text = self.text(object, at, key)?;
        match interval_of_tag(text) {
            Ok(interval) => Some(interval),
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
            // 1.1 has `bands`; 1.0 has two arrays in step, one for the eye and one for the numbers. Items that were migrated have both.
            let mut lists = ["bands", "eo:bands", "raster:bands"].map(|list| (list, self.list(asset, &at, list)));
            let count = match lists[0].1.len() {
                0 => lists[1].1.len().max(lists[2].1.len()),
                count => {
                    let in_step = |bands: &[Value]| bands.len() == count;
                    lists
                        .iter_mut()
                        .filter(|(_, bands)| !in_step(bands))
                        .for_each(|(_, bands)| *bands = &[]);
                    count
                }
            };
            for number in 0..count.max(1) {
                let layers: Vec<(String, &Object)> = lists
                    .iter()
                    .filter_map(|(list, bands)| {
                        Some((format!("{at}.{list}[{number}]"), bands.get(number)?.as_object()?))
                    })
                    .chain([(at.clone(), asset)])
                    .collect();
                let whole = count <= 1;
                let own = lists[0].1.get(number).and_then(Value::as_object);
                bands.push(self.band(key, number + 1, whole, &layers, own));
            }
        }
        let stated = raster.then(|| self.stated(asset, &at)).flatten();
        Some(Asset {
            key,
            stated,
            file: self.file(href, &at),
            at,
            roles,
            raster,
            bands,
        })
    }

    /// The file on disk that `href`, of the asset at `at`, names.
    fn file(&self, href: Option<&str>, at: &str) -> Result<PathBuf, NoFile> {
        let no_file = |message: String, unreadable: bool| NoFile {
            fault: Fault::new(under(at, "href"), message),
            unreadable,
        };
        let href = href.ok_or_else(|| no_file("expected a path relative to the item".into(), false))?;
        let path = local_path(href, self.base).map_err(|message| no_file(message, false))?;
        match intake::about(&path) {
            Ok(Some(_)) => Ok(path),
            Ok(None) => Err(no_file(format!("no file {}", path.display()), true)),
            Err(error) => Err(no_file(format!("cannot read {}: {error}", path.display()), true)),
        }
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

    /// One band; each field is taken from the first of `layers` (band objects, then the asset) that has it, but for what is stated of its
    /// numbers: all of that counts.
    /// What `own`, a band object of 1.1, states stands in place of its asset's.
    fn band<'v>(
        &mut self,
        key: &str,
        index: usize,
        whole: bool,
        layers: &[(String, &'v Object)],
        own: Option<&Object>,
    ) -> Band<'v> {
        let mut band = Band {
            index,
            name: if whole {
                key.to_owned()
            } else {
                format!("{key}_{index}")
            },
            common: None,
            stated: Statement::default(),
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
            self.numbers(object, at, of_asset.then_some(own), &mut band.stated);
            band.gsd = band.gsd.or_else(|| self.number(object, at, "gsd"));
            if band.classes.is_none() && object.contains_key("classification:classes") {
                band.classes = Some(self.classes(object, at));
            }
        }
        band
    }

    /// Adds to `stated` what `object` states of stored numbers; `asset_of` is given where it is an asset: the band object of 1.1 there is.
    fn numbers(&mut self, object: &Object, at: &str, asset_of: Option<Option<&Object>>, stated: &mut Statement) {
        if stated.data_type.is_none() {
            stated.data_type = self.text(object, at, "data_type").map(str::to_ascii_lowercase);
        }
        stated.unit = stated
            .unit
            .or_else(|| self.text(object, at, "unit").and_then(Unit::of_item));
        self.nodata(object, at)
            .into_iter()
            .for_each(|value| add(&mut stated.nodata, value));
        for (short, key) in [("scale", "raster:scale"), ("offset", "raster:offset")] {
            let keys = match asset_of {
                None => &[key, short][..],
                Some(Some(own)) if own.contains_key(key) || own.contains_key(short) => &[],
                Some(_) => &[key],
            };
            for key in keys {
                match self.number(object, at, key) {
                    None => {}
                    Some(0.0) if short == "scale" => self
                        .faults
                        .push(Fault::new(under(at, key), "is 0: every value would be the same")),
                    Some(value) if short == "scale" => add(&mut stated.scale, value),
                    Some(value) => add(&mut stated.offset, value),
                }
            }
        }
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
