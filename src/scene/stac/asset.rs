//! The JSON of a STAC Item's assets, of version 1.0 or 1.1, as plain descriptions of files and bands.

use std::path::PathBuf;

use serde_json::Value;

use crate::fault::Fault;
use crate::intake;
use crate::scene::href::local_path;
use crate::scene::stac::object::{Object, Reader, kind_of, under};
use crate::scene::stac::values::Values;
use crate::scene::statement::{Statement, Unit, add};
use crate::scene::{Checksum, no_data};
use crate::seal::multihash::Multihash;

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

/// Why an asset names no file on disk.
#[derive(Debug)]
pub(in crate::scene) struct NoFile {
    pub fault: Fault,
    /// It should be there and is not; false where it lies elsewhere.
    pub unreadable: bool,
}

/// One asset that a scene could use.
pub(in crate::scene) struct Asset<'v> {
    pub key: &'v str,
    pub at: String,
    /// The file on disk that it names, or why there is none.
    pub file: Result<PathBuf, NoFile>,
    pub roles: Vec<String>,
    pub raster: bool,
    pub bands: Vec<Band<'v>>,
    /// Why it cannot be told what the numbers of its bands are.
    pub wrong: Option<String>,
    pub stated: Option<Checksum>,
}

/// One band of an asset, as the item describes it.
pub(in crate::scene) struct Band<'v> {
    pub index: usize,
    pub name: String,
    pub common: Option<&'v str>,
    /// What is stated of its stored numbers.
    pub stated: Statement,
    pub gsd: Option<f64>,
    /// What its values mean, where they are no measurements.
    pub values: Option<Values>,
}

impl Reader<'_> {
    /// The assets in key order; `common` is what the item states of all numbers.
    pub(in crate::scene) fn assets<'v>(&mut self, item: &'v Object, at: &str, common: &Statement) -> Vec<Asset<'v>> {
        let at = under(at, "assets");
        let Some(assets) = item.get("assets").and_then(Value::as_object) else {
            self.faults.push(Fault::new(at, "expected an object"));
            return Vec::new();
        };
        // serde_json keeps objects in key order; sorted here all the same, should a dependency switch that off.
        let mut found: Vec<Asset> = assets
            .iter()
            .filter_map(|(key, value)| self.asset(key, value, under(&at, key), common))
            .collect();
        found.sort_by_key(|asset| asset.key);
        found
    }

    /// What an item's properties state of the numbers of all its assets (common metadata of 1.1).
    pub(in crate::scene) fn common_numbers(&mut self, properties: &Object, at: &str) -> Statement {
        let mut common = Statement::default();
        self.numbers(properties, at, Some(None), &mut common);
        common
    }

    fn asset<'v>(&mut self, key: &'v str, value: &'v Value, at: String, common: &Statement) -> Option<Asset<'v>> {
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
        let (mut bands, mut wrong) = (Vec::new(), None);
        if raster {
            // 1.1 has `bands`; 1.0 has two arrays in step, one for the eye and one for the numbers. Items that were migrated have both.
            let mut lists = ["bands", "eo:bands", "raster:bands"].map(|list| (list, self.list(asset, &at, list)));
            let [own, names, numbers] = lists.each_ref().map(|(_, list)| list.len());
            let count = if own > 0 { own } else { names.max(numbers) };
            if names != count && own > 0 {
                lists[1].1 = &[];
            }
            // Numbers that are stated once are those of all bands.
            let for_all = (numbers == 1 && count > 1).then(|| lists[2].1[0].as_object()).flatten();
            if for_all.is_some() {
                lists[2].1 = &[];
            } else if (1..count).contains(&numbers) {
                wrong = Some(format!(
                    "its raster:bands state the numbers of {numbers} bands, and it has {count}: state those of each, or once those of all"
                ));
            }
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
                let mut band = self.band(key, number + 1, whole, &layers, own);
                if let Some(numbers) = for_all {
                    self.numbers(numbers, &format!("{at}.raster:bands[0]"), None, &mut band.stated);
                }
                band.stated.complete(common);
                bands.push(band);
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
            wrong,
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
            values: None,
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
            if band.values.is_none() {
                band.values = self.values(object, at);
            }
        }
        // Of measurements it may be said which values are none.
        if let Some(nodata) = band.values.as_ref().and_then(Values::only_nodata) {
            nodata.into_iter().for_each(|value| add(&mut band.stated.nodata, value));
            band.values = None;
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
        let [scale, offset] = [("scale", "raster:scale"), ("offset", "raster:offset")].map(|(short, key)| {
            let keys = match asset_of {
                None => &[key, short][..],
                Some(Some(own)) if own.contains_key(key) || own.contains_key(short) => &[],
                Some(_) => &[key],
            };
            let mut values = Vec::new();
            for key in keys {
                match self.number(object, at, key) {
                    None => {}
                    Some(0.0) if short == "scale" => self
                        .faults
                        .push(Fault::new(under(at, key), "is 0: every value would be the same")),
                    Some(value) => values.push(value),
                }
            }
            values
        });
        // What programs write where nobody states a scale, as GDAL answers.
        let says_nothing =
            !scale.is_empty() && scale.iter().all(|one| *one == 1.0) && offset.iter().all(|one| *one == 0.0);
        if !says_nothing {
            scale.into_iter().for_each(|value| add(&mut stated.scale, value));
            offset.into_iter().for_each(|value| add(&mut stated.offset, value));
        }
    }

    fn nodata(&mut self, object: &Object, at: &str) -> Option<f64> {
        match object.get("nodata")? {
            Value::Null => None,
            Value::Number(number) => number.as_f64(),
            Value::String(text) => no_data::of_word(text).or_else(|| {
                self.fault(
                    under(at, "nodata"),
                    format!(
                        "expected a number, \"nan\", \"inf\" or \"-inf\", found `{}`",
                        text.escape_debug()
                    ),
                )
            }),
            other => self.fault(
                under(at, "nodata"),
                format!("expected a number or \"nan\", found {}", kind_of(other)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scene::stac::tests::{folder, item, one, read};

    /// `scale offset nodata` of each band of the asset, in an item with these properties.
    fn told(properties: Value, asset: Value) -> Vec<String> {
        let dir = folder(&["a.tif"]);
        let mut ms = json!({"href": "a.tif", "roles": ["data"]});
        ms.as_object_mut().unwrap().extend(asset.as_object().unwrap().clone());
        let scene = one(&dir, &item("a", properties, json!({"ms": ms})));
        let told = scene
            .bands
            .iter()
            .map(|band| format!("{} {} {:?}", band.scale, band.offset, band.nodata));
        told.collect()
    }

    const NAMES: [&str; 2] = ["bands", "eo:bands"];

    #[test]
    fn numbers_that_are_stated_once_are_those_of_all_bands() {
        let three = json!([{"name": "r"}, {"name": "g"}, {"name": "b"}]);
        let once = json!([{"scale": 0.001, "offset": -0.1, "nodata": 9000}]);
        for names in NAMES {
            let all = told(json!({}), json!({names: three, "raster:bands": once}));
            assert_eq!(all, ["0.001 -0.1 [9000.0]"; 3], "{names}");
            // Those of some alone are anybody's.
            let two = json!([{"scale": 0.001}, {"scale": 0.001}]);
            let dir = folder(&["a.tif"]);
            let ms = json!({"href": "a.tif", names: three, "raster:bands": two});
            let refused = read(&dir, &item("a", json!({}), json!({"ms": ms}))).refused;
            assert!(
                refused[0].reason.contains("state the numbers of 2 bands, and it has 3"),
                "{refused:?}"
            );
        }
        // One name and the numbers of an alpha band beside it.
        let alpha = json!({"eo:bands": [{"name": "r"}], "raster:bands": [{"scale": 0.001}, {"nodata": 7}]});
        assert_eq!(told(json!({}), alpha), ["0.001 0 []", "1 0 [7.0]"]);
    }

    #[test]
    fn what_the_properties_state_stands_where_no_band_does() {
        let common = json!({"nodata": 10000, "data_type": "uint16", "raster:scale": 0.0001, "raster:offset": -0.1});
        assert_eq!(
            told(common.clone(), json!({"bands": [{"name": "r"}, {"name": "g"}]})),
            ["0.0001 -0.1 [10000.0]"; 2]
        );
        let own = json!({"bands": [{"name": "r", "raster:scale": 0.5, "raster:offset": 1, "nodata": 0}]});
        assert_eq!(told(common, own), ["0.5 1 [0.0, 10000.0]"]);
    }

    #[test]
    fn a_scale_of_1_and_an_offset_of_0_state_nothing() {
        let dir = folder(&["a.tif"]);
        let scale = |numbers: Value| {
            let image = json!({"href": "a.tif", "roles": ["data"], "eo:bands": [{"name": "B02"}, {"name": "B04"}], "raster:bands": [numbers, numbers]});
            let mut value = item("a", json!({"s2:processing_baseline": "05.09"}), json!({"image": image}));
            value["collection"] = json!("sentinel-2-l2a");
            let band = one(&dir, &value).bands.remove(0);
            (band.scale, band.offset)
        };
        assert_eq!(
            scale(json!({"data_type": "uint16", "scale": 1.0, "offset": 0.0})),
            (0.0001, -0.1)
        );
        assert_eq!(scale(json!({"data_type": "uint16", "scale": 1})), (0.0001, -0.1));
        assert_eq!(
            scale(json!({"data_type": "uint16", "scale": 1, "offset": 5})),
            (1.0, 5.0)
        );
        assert_eq!(scale(json!({"data_type": "uint16", "offset": 0})), (0.0001, 0.0));
        // Integers of no stated scale are no reflectance, whoever calls them so.
        let image = json!({"href": "a.tif", "roles": ["data", "reflectance"], "data_type": "uint16", "bands": [{"name": "r", "raster:scale": 1, "raster:offset": 0}]});
        assert_eq!(
            one(&dir, &item("a", json!({}), json!({"image": image}))).bands[0].valid,
            None
        );
    }

    #[test]
    fn values_that_mean_no_data_are_no_classes() {
        let asset =
            json!({"bands": [{"name": "r", "nodata": 0}], "file:values": [{"values": [-9999], "summary": "no data"}]});
        assert_eq!(told(json!({}), asset), ["1 0 [0.0, -9999.0]"]);
    }
}
