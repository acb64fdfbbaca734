//! Which assets of a STAC Item say what cannot be judged: the sensor's quality bands, then the masks whose values the item explains.

use std::path::Path;

use crate::raster::flags::{self, Flags};
use crate::scene::sensor::{Sensor, Sensors};
use crate::scene::stac::asset::{Asset, Band};
use crate::scene::stac::object::Reader;
use crate::scene::stac::values::Values;
use crate::scene::{Coding, QualityAsset};

/// Words of names that masks alone have, without the numbers that may end them (`QA60`, `udm2`).
const MASK_WORDS: [&str; 10] = [
    "mask",
    "msk",
    "fmask",
    "cfmask",
    "cloudmask",
    "qa",
    "bqa",
    "quality",
    "scl",
    "udm",
];

/// Roles of assets that no mask of pixels has.
const NO_MASK_ROLES: [&str; 4] = ["thumbnail", "overview", "visual", "metadata"];

/// Whether a band or an asset that is called so is a mask: some sensor's, or by a word of its name.
pub(in crate::scene) fn is_mask_name(name: &str, sensors: &Sensors) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    words.any(|word| MASK_WORDS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit())))
        || sensors.of_mask(name).is_some()
}

/// A band that says why pixels cannot be judged.
struct Candidate<'i, 'v> {
    asset: &'i Asset<'v>,
    index: usize,
    coding: Coding,
    by_sensor: bool,
}

/// The sensor's quality bands: files of their names, else bands of their names in files of several; what is here comes first.
fn of_sensor<'i, 'v>(sensor: &Sensor, assets: &'i [Asset<'v>]) -> Vec<Candidate<'i, 'v>> {
    let find = |key: &str, index: usize, here: bool| {
        let mut rasters = assets.iter().filter(|asset| asset.raster && asset.file.is_ok() == here);
        let whole = rasters.clone().find(|asset| asset.key.eq_ignore_ascii_case(key));
        let is_named = |band: &&Band| index == 1 && band.name.eq_ignore_ascii_case(key);
        whole
            .map(|asset| (asset, index))
            .or_else(|| rasters.find_map(|asset| Some((asset, asset.bands.iter().find(is_named)?.index))))
    };
    let quality = sensor.quality.iter().filter_map(|quality| {
        let keys = || quality.assets.iter();
        let here = keys().find_map(|key| find(key, quality.index, true));
        let (asset, index) = here.or_else(|| keys().find_map(|key| find(key, quality.index, false)))?;
        Some(Candidate {
            asset,
            index,
            coding: quality.coding.clone(),
            by_sensor: true,
        })
    });
    quality.collect()
}

/// The masks whose values the item explains; what is no mask by role or name (a map of land cover) only if it tells clouds or their shadows.
fn by_item<'i, 'v>(assets: &'i [Asset<'v>], sensors: &Sensors) -> impl Iterator<Item = Candidate<'i, 'v>> {
    let masks = assets
        .iter()
        .filter(|asset| asset.raster && !has_role(asset, &NO_MASK_ROLES));
    let bands = masks.flat_map(|asset| asset.bands.iter().map(move |band| (asset, band)));
    bands.filter_map(|(asset, band)| {
        let coding = band.values.as_ref()?.coding()?;
        let is_mask = expected(asset, sensors) != flags::CLEAR
            || coding.reasons() & (flags::CLOUD | flags::SHADOW) != flags::CLEAR;
        is_mask.then_some(Candidate {
            asset,
            index: band.index,
            coding,
            by_sensor: false,
        })
    })
}

fn has_role(asset: &Asset, roles: &[&str]) -> bool {
    asset.roles.iter().any(|role| roles.contains(&role.as_str()))
}

/// What the masks of an asset may tell, by its roles and names; nothing where it has none.
fn expected(asset: &Asset, sensors: &Sensors) -> Flags {
    let of_role = |role: &String| match role.as_str() {
        "cloud-shadow" => flags::SHADOW,
        "snow-ice" => flags::SNOW,
        "saturation" => flags::SATURATED,
        "data-mask" => flags::NODATA,
        "mask" | "quality" => flags::CLOUD,
        role if role.contains("cloud") => flags::CLOUD,
        _ => flags::CLEAR,
    };
    let by_roles = asset.roles.iter().fold(flags::CLEAR, |all, role| all | of_role(role));
    let names = || asset.bands.iter().map(|band| band.name.as_str()).chain([asset.key]);
    match by_roles {
        _ if has_role(asset, &NO_MASK_ROLES) => flags::CLEAR,
        flags::CLEAR if asset.raster && names().any(|name| is_mask_name(name, sensors)) => flags::CLOUD,
        by_roles => by_roles,
    }
}

impl Reader<'_> {
    /// The quality bands of an item of that `product`.
    ///
    /// Each must code a reason that none before it codes, or lie in a file of which a band is taken already: the bands of one file are
    /// parts of one mask, and two of them may mean the same (cloud and heavy haze in UDM2). Several files that code the same are
    /// answers of several algorithms, of which the first is believed, the sensor's before others.
    ///
    /// A mask that lies elsewhere or whose values nobody explains is left out, which `notes` say; one that should be here and is not is a fault.
    pub(in crate::scene) fn quality(
        &mut self,
        assets: &[Asset],
        product: Option<&Sensor>,
        sensors: &Sensors,
        notes: &mut Vec<String>,
    ) -> Vec<QualityAsset> {
        let by_sensor = product.map_or(Vec::new(), |sensor| of_sensor(sensor, assets));
        let mut masks = Masks::default();
        // Also those that lie elsewhere: that has been said of them.
        let mut looked_at: Vec<&str> = Vec::new();
        for one in by_sensor.into_iter().chain(by_item(assets, sensors)) {
            if !masks.lack(&one) {
                continue;
            }
            looked_at.push(one.asset.key);
            match &one.asset.file {
                Ok(path) => masks.take(one, path),
                Err(why) if why.unreadable => {
                    self.unreadable = true;
                    self.faults.push(why.fault.clone());
                }
                Err(why) => {
                    let (key, why) = (one.asset.key, &why.fault.message);
                    add_note(notes, format!("without the mask {key}, whose file is missing ({why})"));
                }
            }
        }
        let others = assets.iter().filter(|asset| !looked_at.contains(&asset.key));
        for asset in others.filter(|asset| !is_explained(asset)) {
            let expected = expected(asset, sensors);
            if expected != flags::CLEAR && expected & masks.coded == flags::CLEAR {
                add_note(notes, unexplained(asset));
            }
        }
        masks.taken.into_iter().map(|taken| taken.mask).collect()
    }
}

/// A mask that is read.
struct Taken {
    mask: QualityAsset,
    by_sensor: bool,
}

/// The masks that are read of an item.
#[derive(Default)]
struct Masks {
    taken: Vec<Taken>,
    /// All reasons that they code.
    coded: Flags,
}

impl Masks {
    /// Whether `one` adds to them.
    fn lack(&self, one: &Candidate) -> bool {
        let path = one.asset.file.as_ref().ok();
        let mut of_file = self.taken.iter().filter(|taken| path == Some(&taken.mask.path));
        let is_taken = of_file.clone().any(|taken| taken.mask.index == one.index);
        let of_taken_file = of_file.any(|taken| taken.by_sensor == one.by_sensor);
        let is_new = one.coding.reasons() & !self.coded != flags::CLEAR;
        (one.by_sensor || !is_taken) && (is_new || of_taken_file)
    }

    fn take(&mut self, one: Candidate, path: &Path) {
        self.coded |= one.coding.reasons();
        if one.by_sensor {
            // A product's own masks are the word on which of its pixels are no good (retrievals of aerosol that failed are).
            self.coded |= flags::INVALID;
        }
        let bands = &one.asset.bands;
        let described = bands.get(one.index - 1).or(bands.first());
        let mask = QualityAsset {
            path: path.to_owned(),
            index: one.index,
            coding: one.coding,
            nodata: described.map_or(Vec::new(), |band| band.stated.nodata.clone()),
            stated: one.asset.stated.clone(),
        };
        // Two assets may name one file.
        if self.taken.iter().all(|taken| taken.mask != mask) {
            let by_sensor = one.by_sensor;
            self.taken.push(Taken { mask, by_sensor });
        }
    }
}

fn is_explained(asset: &Asset) -> bool {
    let explains = |values: &Values| values.coding().is_some();
    asset
        .bands
        .iter()
        .any(|band| band.values.as_ref().is_some_and(explains))
}

fn unexplained(asset: &Asset) -> String {
    format!(
        "without the mask `{}`: neither a sensor nor its item tells which values cannot be judged \
         (`classification:classes`, `classification:bitfields`)",
        asset.key
    )
}

fn add_note(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::scene::Scene;
    use crate::scene::stac::tests::{folder, item, names, one};

    fn with(asset: Value, more: Value) -> Value {
        let (mut asset, Value::Object(more)) = (asset, more) else {
            panic!()
        };
        asset.as_object_mut().unwrap().extend(more);
        asset
    }

    fn named(name: &str) -> bool {
        is_mask_name(name, &Sensors::embedded().unwrap())
    }

    #[test]
    fn names_tell_masks() {
        for name in [
            "SCL",
            "scl_20m",
            "QA_PIXEL",
            "state_qa",
            "QA60",
            "oa_fmask",
            "Fmask",
            "udm2",
            "MSK_CLDPRB",
            "cloud_mask",
            "CLM",
            "qa_radsat",
            "oa_nbart_quality",
        ] {
            assert!(named(name), "{name}");
        }
        for name in [
            "red",
            "B08",
            "nbart_red",
            "SR_B4",
            "swir16",
            "aqua",
            "muscle",
            "VV",
            "ms_1",
        ] {
            assert!(!named(name), "{name}");
        }
    }

    fn classes() -> Value {
        json!([{"value": 0, "name": "clear"}, {"value": 2, "name": "cloud"}])
    }

    /// A scene of no known product with this asset beside its reflectance.
    fn beside(key: &str, asset: Value) -> Scene {
        let dir = folder(&["a.tif", "m.tif"]);
        let ms = json!({"href": "a.tif", "roles": ["data", "reflectance"], "data_type": "uint16", "bands": [
            {"name": "red", "raster:scale": 0.0001}]});
        let mask = with(json!({"href": "m.tif"}), asset);
        one(&dir, &item("a", json!({}), json!({"ms": ms, key: mask})))
    }

    #[test]
    fn masks_that_an_item_explains_are_read_whatever_their_role() {
        let bits = json!([{"name": "cloud", "offset": 1, "length": 1, "classes": [{"value": 0, "name": "not_cloud"}, {"value": 1, "name": "cloud"}]}]);
        let listed = json!([{"values": [0], "summary": "clear"}, {"values": [2], "summary": "cloud"}]);
        for (asset, other) in [
            (
                json!({"roles": ["cloud", "quality"], "classification:bitfields": bits}),
                flags::CLEAR,
            ),
            (
                json!({"roles": ["mask"], "classification:classes": classes()}),
                flags::INVALID,
            ),
            (
                json!({"roles": ["quality"], "classification:classes": classes()}),
                flags::INVALID,
            ),
            (
                json!({"roles": ["data"], "classification:classes": classes()}),
                flags::INVALID,
            ),
            (json!({"classification:classes": classes()}), flags::INVALID),
            (
                json!({"roles": ["cloud"], "raster:bands": [{"classification:bitfields": bits}]}),
                flags::CLEAR,
            ),
            (
                json!({"roles": ["cloud"], "bands": [{"name": "m", "classification:classes": classes()}]}),
                flags::INVALID,
            ),
            (json!({"roles": ["cloud"], "file:values": listed}), flags::INVALID),
        ] {
            let scene = beside("m", asset.clone());
            let [mask] = &scene.quality[..] else { panic!("{asset}") };
            assert_eq!(
                [0.0, 2.0, 9.0].map(|raw| mask.coding.decode(raw)),
                [flags::CLEAR, flags::CLOUD, other],
                "{asset}"
            );
            assert_eq!(
                (names(&scene), scene.notes.len()),
                (vec!["red"], 0),
                "{asset}: {:?}",
                scene.notes
            );
        }
    }

    #[test]
    fn a_mask_that_nobody_explains_is_named_and_never_compared() {
        for (key, asset) in [
            ("m", json!({"roles": ["cloud"]})),
            ("m", json!({"roles": ["data-mask"]})),
            ("m", json!({"roles": ["cloud"], "type": "application/gml+xml"})),
            ("m", json!({"roles": ["cloud"], "type": "application/geo+json"})),
            ("SCL", json!({"roles": ["data"]})),
            (
                "oa_fmask",
                json!({"roles": ["data"], "bands": [{"name": "oa_fmask", "eo:common_name": "x"}]}),
            ),
            ("m", json!({"roles": ["data"], "eo:bands": [{"name": "QA_PIXEL"}]})),
        ] {
            let scene = beside(key, asset.clone());
            assert_eq!((names(&scene), scene.quality.len()), (vec!["red"], 0), "{asset}");
            let note = format!("a: without the mask `{key}`");
            assert!(
                scene.notes.iter().any(|one| one.starts_with(&note)),
                "{asset}: {:?}",
                scene.notes
            );
        }
        // A preview is none, nor are bits that say nothing of clouds a measurement.
        assert_eq!(beside("SCL", json!({"roles": ["overview"]})).notes.len(), 0);
        let covers =
            json!([{"value": 0, "name": "no data"}, {"value": 1, "name": "trees"}, {"value": 2, "name": "snow"}]);
        let land = beside("cover", json!({"roles": ["data"], "classification:classes": covers}));
        assert_eq!(
            (names(&land), land.quality.len(), land.notes.len()),
            (vec!["red"], 0, 0)
        );
        let bits = json!([{"name": "water", "offset": 0, "length": 1}]);
        let land = beside("state", json!({"roles": ["data"], "classification:bitfields": bits}));
        assert_eq!((names(&land), land.quality.len()), (vec!["red"], 0));
    }

    #[test]
    fn a_sensors_mask_may_be_a_band_of_its_file() {
        let dir = folder(&["a.tif", "SCL.tif"]);
        let bands = json!([{"name": "B02"}, {"name": "SCL"}, {"name": "B04"}]);
        for list in ["bands", "eo:bands"] {
            let mut assets = json!({"image": {"href": "a.tif", "roles": ["data"], list: bands}});
            let of = |assets: &Value| {
                let scene = one(
                    &dir,
                    &with(
                        item("a", json!({}), assets.clone()),
                        json!({"collection": "sentinel-2-l2a"}),
                    ),
                );
                let masks: Vec<_> = scene
                    .quality
                    .iter()
                    .map(|mask| (mask.path.ends_with("a.tif"), mask.index))
                    .collect();
                (names(&scene).join(" "), masks)
            };
            assert_eq!(of(&assets), ("blue red".into(), vec![(true, 2)]));
            // A file of that name is the product's own, where it is here.
            assets["SCL"] = json!({"href": "https://example.org/SCL.tif"});
            assert_eq!(of(&assets).1, [(true, 2)]);
            assets["SCL"] = json!({"href": "SCL.tif"});
            assert_eq!(of(&assets).1, [(false, 1)]);
        }
    }

    #[test]
    fn masks_by_classes_tell_what_no_mask_of_the_sensor_that_is_here_tells() {
        let dir = folder(&["a.tif", "r.tif", "q.tif", "c.tif"]);
        let shadow = json!([{"value": 0, "name": "clear"}, {"value": 2, "name": "cloud_shadow"}]);
        let field = |name: &str, offset: u8, no: &str, yes: &str| json!({"name": name, "offset": offset, "length": 1, "classes": [{"value": 0, "name": no}, {"value": 1, "name": yes}]});
        let landsat = |more: Value| {
            let assets = json!({"red": {"href": "a.tif"}, "qa_radsat": {"href": "r.tif", "roles": ["saturation"]}});
            let about = json!({"platform": "landsat-8", "landsat:correction": "L2SP"});
            let scene = one(&dir, &item("a", about, with(assets, more)));
            assert_eq!(scene.sensor, "landsat-8-9-c2l2");
            let files = scene
                .quality
                .iter()
                .map(|mask| mask.path.file_name().unwrap().to_str().unwrap().to_owned());
            (files.collect::<Vec<_>>().join(" "), scene.notes.len())
        };
        let other = json!({"href": "c.tif", "roles": ["cloud"], "classification:classes": shadow});
        assert_eq!(landsat(json!({"sr_cloud_qa": other})), ("r.tif c.tif".into(), 0));
        // Beside the product's own mask, others that say the same are not read, and that is no loss; nor is a retrieval that failed.
        let fill = field("fill", 0, "not_fill", "fill");
        let own = json!({"href": "q.tif", "roles": ["cloud"], "classification:bitfields": [fill, field("cloud", 3, "not_cloud", "cloud")]});
        let aerosol = json!({"href": "c.tif", "roles": ["data-mask"], "classification:bitfields": [fill, field("retrieval", 1, "not_valid", "valid")]});
        let both = json!({"qa_pixel": own, "qa_aerosol": aerosol, "sr_cloud_qa": other});
        assert_eq!(landsat(both), ("q.tif r.tif".into(), 0));
        // The sensor's lies elsewhere: it is named, and the other counts.
        let away = json!({"href": "https://example.org/q.tif"});
        assert_eq!(
            landsat(json!({"qa_pixel": away, "m": other})),
            ("r.tif c.tif".into(), 1)
        );
    }

    #[test]
    fn what_an_item_states_as_no_data_of_a_mask_is_known() {
        let mask = json!({"roles": ["cloud"], "classification:classes": classes(), "raster:bands": [{"nodata": 255}]});
        assert_eq!(beside("m", mask).quality[0].nodata, [255.0]);
    }
}
