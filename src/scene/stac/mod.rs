//! STAC 1.0 and 1.1 on disk: an Item, an ItemCollection, or a static Catalog or Collection. No URL is ever followed.

mod asset;
pub(super) mod bands;
mod footprint;
mod hints;
mod indices;
mod item;
mod masks;
mod measured;
mod object;
mod product;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fault::{Fault, one_line};
use crate::intake::{self, IntakeError, Text};
use crate::scene::href::local_path;
use crate::scene::sensor::Sensors;
use crate::scene::stac::item::scene;
use crate::scene::stac::object::{Unusable, under};
use crate::scene::{Catalogue, MAX_FILE_BYTES, MAX_SCENES, Refusal, Scene, SceneError, join};
use crate::seal::digest::Digest;

/// How far links are followed below the file that was given.
const MAX_DEPTH: usize = 8;

/// The scenes of a STAC file and of everything that it links to on disk; what cannot be used is refused by name, and the rest goes on.
///
/// # Errors
/// The given file itself cannot be read or is no STAC; or more than [`MAX_SCENES`] items.
pub fn read_stac(path: &Path, sensors: &Sensors) -> Result<Catalogue, SceneError> {
    let mut scenes = Vec::new();
    let mut refused = Vec::new();
    let walk = walk(path, sensors)?;
    for found in walk.found {
        match found.scene {
            Ok(scene) => scenes.push(scene),
            Err(Unusable { faults, unreadable }) => refused.push(Refusal {
                id: found.id,
                source: found.file,
                reason: join(&faults),
                unreadable,
            }),
        }
    }
    Ok(Catalogue {
        read: walk.read,
        ..Catalogue::new(scenes, refused)
    })
}

/// Everything that is wrong with a STAC file and with what it links to; empty when all is well.
pub fn check_stac(path: &Path, sensors: &Sensors) -> Vec<Fault> {
    let found = match walk(path, sensors) {
        Ok(walk) => walk.found,
        Err(SceneError::Content { fault, .. }) => return vec![fault],
        Err(SceneError::Read(IntakeError { problem, .. })) => return vec![problem.into()],
        Err(error) => return vec![Fault::new("", error.to_string())],
    };
    let mut faults = Vec::new();
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for found in found {
        // The root file is named by whoever prints the faults.
        let within = |place: &str| {
            if found.file == path {
                place.to_owned()
            } else {
                format!("{}: {place}", found.file.display())
            }
        };
        match found.scene {
            Ok(scene) => {
                let place = within(&under(&found.at, "id"));
                if let Some(other) = first.get(&scene.id) {
                    faults.push(Fault::new(
                        place,
                        format!("`{}` is the id at {other} already: give each item its own", scene.id),
                    ));
                } else {
                    first.insert(scene.id, place);
                }
            }
            Err(of_item) => faults.extend(
                of_item
                    .faults
                    .into_iter()
                    .map(|fault| Fault::new(within(&fault.place), fault.message)),
            ),
        }
    }
    faults
}

/// One item, or a link that leads to none.
struct ReadItem {
    file: PathBuf,
    /// The item's place in its file.
    at: String,
    /// The item's id; its place where it has none.
    id: String,
    scene: Result<Scene, Unusable>,
}

struct Walk<'a> {
    sensors: &'a Sensors,
    /// Real paths of files that were read: a catalogue may link to itself.
    seen: BTreeSet<PathBuf>,
    read: BTreeMap<PathBuf, Digest>,
    found: Vec<ReadItem>,
}

fn walk<'a>(path: &Path, sensors: &'a Sensors) -> Result<Walk<'a>, SceneError> {
    let mut walk = Walk {
        sensors,
        seen: BTreeSet::new(),
        read: BTreeMap::new(),
        found: Vec::new(),
    };
    walk.file(path, 0)?;
    Ok(walk)
}

impl Walk<'_> {
    /// Reads one file and what it links to. An `Err` is about this file; faults of what it links to are among `found`.
    fn file(&mut self, path: &Path, depth: usize) -> Result<(), SceneError> {
        let real = path.canonicalize().map_err(|error| IntakeError::system(path, error))?;
        if !self.seen.insert(real) {
            return Ok(());
        }
        self.count(path)?;
        let content = |place: &str, message: String| SceneError::Content {
            path: path.to_path_buf(),
            fault: Fault::new(place, message),
        };
        let Text { text, digest } = intake::text(path, MAX_FILE_BYTES)?;
        let value = intake::json(&text).map_err(|problem| IntakeError {
            path: path.to_path_buf(),
            problem,
        })?;
        drop(text);
        self.read.insert(path.to_path_buf(), digest);
        match value.get("type").and_then(Value::as_str) {
            Some("Feature") => self.item(&value, "", path),
            Some("FeatureCollection") => {
                let Some(items) = value.get("features").and_then(Value::as_array) else {
                    return Err(content("features", "expected an array of Items".into()));
                };
                for (number, item) in items.iter().enumerate() {
                    self.item(item, &format!("features[{number}]"), path)?;
                }
                Ok(())
            }
            Some("Catalog" | "Collection") => self.links(&value, path, depth),
            other => Err(content(
                "type",
                format!(
                    "expected Feature (an Item), FeatureCollection, Catalog or Collection, found {}",
                    other.map_or("nothing".into(), |found| format!("`{}`", found.escape_debug()))
                ),
            )),
        }
    }

    fn count(&self, path: &Path) -> Result<(), SceneError> {
        // Catalogues count as well: a tree of empty ones is no way around the limit.
        if self.found.len() > MAX_SCENES || self.seen.len() > 2 * MAX_SCENES {
            return Err(SceneError::TooMany {
                path: path.to_path_buf(),
                limit: MAX_SCENES,
            });
        }
        Ok(())
    }

    fn item(&mut self, item: &Value, at: &str, path: &Path) -> Result<(), SceneError> {
        let base = path.parent().unwrap_or(Path::new(""));
        let id = item.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        self.found.push(ReadItem {
            file: path.to_path_buf(),
            at: at.to_owned(),
            id: one_line(id.unwrap_or(if at.is_empty() { "(no id)" } else { at })).into_owned(),
            scene: scene(item, at, path, base, self.sensors),
        });
        self.count(path)
    }

    fn links(&mut self, catalog: &Value, path: &Path, depth: usize) -> Result<(), SceneError> {
        let base = path.parent().unwrap_or(Path::new(""));
        let links = catalog
            .get("links")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let mut followed = 0;
        for (number, link) in links.iter().enumerate() {
            if !matches!(
                link.get("rel").and_then(Value::as_str),
                Some("item" | "items" | "child")
            ) {
                continue;
            }
            followed += 1;
            let at = format!("links[{number}]");
            let Some(href) = link.get("href").and_then(Value::as_str) else {
                self.dead(path, &at, "", "expected a path in `href`".into(), false);
                continue;
            };
            match local_path(href, base) {
                Err(message) => self.dead(path, &at, href, message, false),
                Ok(_) if depth == MAX_DEPTH => {
                    self.dead(
                        path,
                        &at,
                        href,
                        format!("lies more than {MAX_DEPTH} levels below the first file: give a file nearer to it"),
                        false,
                    );
                }
                Ok(linked) => match self.file(&linked, depth + 1) {
                    Err(error @ SceneError::TooMany { .. }) => return Err(error),
                    Err(error) => self.dead(path, &at, href, error.to_string(), error.is_unreadable()),
                    Ok(()) => {}
                },
            }
        }
        if followed == 0 {
            self.dead(
                path,
                "links",
                "",
                "expected links to items or children, found none".into(),
                false,
            );
        }
        self.count(path)
    }

    /// A link that leads nowhere.
    fn dead(&mut self, path: &Path, at: &str, href: &str, message: String, unreadable: bool) {
        let id = if href.is_empty() { at } else { href };
        self.found.push(ReadItem {
            file: path.to_path_buf(),
            at: at.to_owned(),
            id: one_line(id).into_owned(),
            scene: Err(Unusable {
                faults: vec![Fault::new(at, message)],
                unreadable,
            }),
        });
    }
}

#[cfg(test)]
pub(in crate::scene) mod tests {
    use super::*;
    use crate::raster::flags;
    use crate::scene::{Coding, Kind, Pass};
    use serde_json::json;
    use tempfile::TempDir;

    /// A folder with empty files of these names.
    pub(in crate::scene) fn folder(files: &[&str]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        dir
    }

    fn write(dir: &TempDir, name: &str, value: &Value) -> PathBuf {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, value.to_string()).unwrap();
        path
    }

    pub(in crate::scene) fn item(id: &str, properties: Value, assets: Value) -> Value {
        let mut item = json!({
            "type": "Feature", "stac_version": "1.1.0", "id": id, "geometry": null,
            "properties": {"datetime": "2024-05-01T10:20:30Z"}, "assets": assets
        });
        item["properties"]
            .as_object_mut()
            .unwrap()
            .extend(properties.as_object().unwrap().clone());
        item
    }

    pub(in crate::scene) fn read(dir: &TempDir, value: &Value) -> Catalogue {
        read_stac(&write(dir, "items.json", value), &Sensors::embedded().unwrap()).unwrap()
    }

    pub(in crate::scene) fn one(dir: &TempDir, value: &Value) -> Scene {
        let mut catalogue = read(dir, value);
        assert_eq!(catalogue.refused, []);
        assert_eq!(catalogue.scenes.len(), 1);
        catalogue.scenes.remove(0)
    }

    pub(in crate::scene) fn names(scene: &Scene) -> Vec<&str> {
        scene.bands.iter().map(|band| band.name.as_str()).collect()
    }

    #[test]
    fn an_item_of_version_1_1_becomes_a_scene() {
        let dir = folder(&["ms.tif", "mask.tif"]);
        let mut value = item(
            "a",
            json!({"platform": "p1", "sat:relative_orbit": 7, "sat:orbit_state": "ascending", "eo:cloud_cover": 25}),
            json!({
                "ms": {"href": "./ms.tif", "type": "image/tiff", "roles": ["data", "reflectance"], "nodata": 0, "data_type": "uint16", "bands": [
                    {"name": "x", "eo:common_name": "red", "raster:scale": 0.001, "raster:offset": -0.1},
                    {"name": "y", "common_name": "nir", "raster:scale": 0.002, "nodata": "nan"}]},
                "mask": {"href": "mask.tif", "roles": ["data-mask", "cloud"], "classification:classes": [
                    {"value": 0, "name": "clear"}, {"value": 1, "name": "cloud"}, {"value": 2, "name": "cloud_shadow"}, {"value": 3, "name": "no_data"}]},
                "preview": {"href": "https://example.org/p.png", "type": "image/png", "roles": ["thumbnail"]}
            }),
        );
        value["geometry"] = json!({"type": "Polygon", "coordinates": [[[2, 48], [3, 48], [3, 49], [2, 48]]]});
        let scene = one(&dir, &value);
        assert_eq!((scene.sensor.as_str(), scene.kind), ("generic", Kind::Optical));
        assert_eq!((scene.relative_orbit, scene.pass), (Some(7), Some(Pass::Ascending)));
        assert_eq!(scene.cloud_fraction, Some(0.25));
        assert_eq!(scene.start, scene.end);
        assert_eq!(scene.footprint.as_ref().unwrap().0.len(), 1);
        assert_eq!(names(&scene), ["red", "nir"]);
        let [red, nir] = &scene.bands[..] else { panic!() };
        assert_eq!(
            (red.index, red.scale, red.offset, red.nodata.clone()),
            (1, 0.001, -0.1, vec![0.0])
        );
        assert_eq!((nir.index, nir.scale, nir.offset), (2, 0.002, 0.0));
        // What the asset states counts beside it.
        assert!(nir.nodata[0].is_nan() && nir.nodata[1] == 0.0);
        assert_eq!(red.valid, Some([0.0, 1.0]));
        assert_eq!(red.path, dir.path().join("ms.tif"));
        let [mask] = &scene.quality[..] else { panic!() };
        assert_eq!(
            [0.0, 1.0, 2.0, 3.0].map(|raw| mask.coding.decode(raw)),
            [0, flags::CLOUD, flags::SHADOW, flags::NODATA]
        );
        // A scene goes through JSON whole, a value that is no number included.
        let read: Scene = serde_json::from_str(&serde_json::to_string(&scene).unwrap()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{scene:?}"));
    }

    #[test]
    fn an_item_of_version_1_0_becomes_the_same_scene() {
        let dir = folder(&["B04.tif", "B08.tif"]);
        let band = |file: &str, name: &str, common: &str| {
            json!({"href": file, "type": "image/tiff; application=geotiff", "roles": ["data"],
                "eo:bands": [{"name": name, "common_name": common}],
                "raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}]})
        };
        let mut value = item(
            "a",
            json!({}),
            json!({"B08": band("B08.tif", "B08", "nir"), "B04": band("B04.tif", "B04", "red")}),
        );
        value["stac_version"] = json!("1.0.0");
        let scene = one(&dir, &value);
        assert_eq!(names(&scene), ["red", "nir"]);
        assert_eq!(
            (
                scene.bands[1].scale,
                scene.bands[1].offset,
                scene.bands[1].nodata.clone()
            ),
            (0.0001, -0.1, vec![0.0])
        );
    }

    fn sentinel_2(dir: &TempDir, properties: Value, band: Value) -> Scene {
        let mut b04 = json!({"href": "B04.tif", "roles": ["data"]});
        b04.as_object_mut().unwrap().extend(band.as_object().unwrap().clone());
        let mut value = item(
            "a",
            properties,
            json!({"B04": b04, "SCL": {"href": "SCL.tif", "roles": ["data"]}}),
        );
        value["collection"] = json!("sentinel-2-l2a");
        one(dir, &value)
    }

    #[test]
    fn the_baseline_offset_comes_from_asset_then_item_then_sensor() {
        let dir = folder(&["B04.tif", "SCL.tif"]);
        let offset = |properties: Value, band: Value| {
            let scene = sentinel_2(&dir, properties, band);
            assert_eq!(scene.sensor, "sentinel-2-l2a");
            assert_eq!(scene.bands[0].scale, 0.0001);
            assert_eq!(scene.bands[0].nodata, [0.0]);
            assert_eq!(scene.quality.len(), 1);
            scene.bands[0].offset
        };
        assert_eq!(offset(json!({}), json!({})), 0.0);
        assert_eq!(offset(json!({"s2:processing_baseline": "03.01"}), json!({})), 0.0);
        assert_eq!(offset(json!({"s2:processing_baseline": "04.00"}), json!({})), -0.1);
        assert_eq!(offset(json!({"processing:version": "N0510"}), json!({})), -0.1);
        assert_eq!(
            offset(
                json!({"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": true}),
                json!({})
            ),
            0.0
        );
        assert_eq!(
            offset(json!({"s2:processing_baseline": "05.09"}), json!({"raster:offset": 0})),
            0.0
        );
        assert_eq!(
            offset(
                json!({"s2:processing_baseline": "05.09"}),
                json!({"raster:bands": [{"scale": 0.0001}]})
            ),
            -0.1
        );
    }

    #[test]
    fn harmonised_collections_hold_no_raw_offset_and_unknown_products_are_told() {
        let dir = folder(&["B04.tif"]);
        let of = |collection: &str| {
            let mut value = item(
                "a",
                json!({"s2:processing_baseline": "05.09"}),
                json!({"B04": {"href": "B04.tif"}}),
            );
            value["collection"] = json!(collection);
            one(&dir, &value)
        };
        let harmonised = of("COPERNICUS/S2_SR_HARMONIZED");
        assert_eq!(
            (harmonised.sensor.as_str(), harmonised.bands[0].offset),
            ("sentinel-2-l2a", 0.0)
        );
        assert_eq!(of("COPERNICUS/S2_SR").bands[0].offset, -0.1);
        let unknown = of("cubes");
        assert!(
            unknown.notes[0].starts_with("items with collection cubes and no platform: no sensor is recognised"),
            "{:?}",
            unknown.notes
        );
    }

    #[test]
    fn what_an_item_says_of_its_pixels_wins_over_offsets_that_it_copies() {
        let dir = folder(&["B04.tif", "SCL.tif"]);
        let offset = |properties: Value, band: Value| sentinel_2(&dir, properties, band).bands[0].offset;
        let copied = json!({"raster:bands": [{"data_type": "uint16", "scale": 0.0001, "offset": -0.1}]});
        let taken_off = json!({"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": true});
        assert_eq!(offset(taken_off.clone(), copied.clone()), 0.0);
        assert_eq!(offset(json!({"s2:processing_baseline": "03.01"}), copied.clone()), 0.0);
        assert_eq!(offset(json!({"s2:processing_baseline": "05.09"}), copied), -0.1);
        // 1.1 and 1.0 forms side by side: they are statements of one band, of which a band object of 1.1 stands for its asset's.
        let both = json!({"bands": [{"raster:offset": 0}], "raster:bands": [{"scale": 0.0001, "offset": -0.1}]});
        assert_eq!(offset(taken_off, both.clone()), 0.0);
        let own = json!({"bands": [{"raster:offset": -0.05}], "raster:offset": 0});
        assert_eq!(offset(json!({}), own), -0.05);
        let mut asset = json!({"href": "B04.tif"});
        asset.as_object_mut().unwrap().extend(both.as_object().unwrap().clone());
        let mut value = item("a", json!({}), json!({"B04": asset}));
        value["collection"] = json!("sentinel-2-l2a");
        let refused = read(&dir, &value).refused;
        assert!(
            refused[0]
                .reason
                .contains("assets.B04: its item states offset 0 in one place and -0.1 in another"),
            "{refused:?}"
        );
    }

    #[test]
    fn a_product_that_is_here_in_part_is_a_scene_of_that_part() {
        let dir = folder(&["B04.tif", "B08.tif", "SCL.tif"]);
        let asset = |href: &str| json!({"href": href, "roles": ["data"]});
        let scene = |red: &str, scl: &str| {
            let mut value = item(
                "a",
                json!({}),
                json!({
                    "B02": asset("https://example.org/B02.tif"), "B03": asset("B03.tif"), "B04": asset(red), "B08": asset("B08.tif"),
                    "ndvi": asset("s3://bucket/ndvi.tif"), "SCL": asset(scl)
                }),
            );
            value["collection"] = json!("sentinel-2-l2a");
            read(&dir, &value)
        };
        let whole = scene("B04.tif", "SCL.tif");
        assert_eq!(names(&whole.scenes[0]), ["red", "nir"]);
        let absent: Vec<_> = whole.scenes[0]
            .absent
            .iter()
            .map(|one| (one.name.as_str(), one.unreadable, one.derived))
            .collect();
        assert_eq!(
            absent,
            [("blue", false, false), ("green", true, false), ("ndvi", false, true)]
        );
        assert_eq!((whole.scenes[0].notes.len(), whole.scenes[0].quality.len()), (0, 1));
        // A mask that lies elsewhere is missed, and that is said; one that is gone may come back.
        let no_mask = scene("B04.tif", "https://example.org/SCL.tif");
        assert!(
            no_mask.scenes[0].notes[0].contains("a: without the mask SCL"),
            "{no_mask:?}"
        );
        assert!(scene("B04.tif", "gone.tif").refused[0].unreadable);
        // A file that is here comes before one that is not.
        let mut value = item(
            "a",
            json!({}),
            json!({"B04": asset("https://example.org/B04.tif"), "B04_20m": asset("B04.tif")}),
        );
        value["collection"] = json!("sentinel-2-l2a");
        assert!(one(&dir, &value).bands[0].path.ends_with("B04.tif"));
    }

    #[test]
    fn what_only_helps_is_read_as_catalogues_write_it_and_costs_no_scene() {
        let dir = folder(&["a.tif"]);
        let of = |properties: Value, geometry: Value| {
            let asset = json!({"ms": {"href": "a.tif", "bands": [{"name": "r"}]}});
            let mut value = item("a", properties, asset);
            value["geometry"] = geometry;
            one(&dir, &value)
        };
        let scene = of(
            json!({"sat:relative_orbit": "94", "platform": 8, "instruments": "msi"}),
            json!({"type": "Point", "coordinates": [2, 1]}),
        );
        assert_eq!((scene.relative_orbit, scene.platform.as_deref()), (Some(94), Some("8")));
        assert!(scene.footprint.is_none() && scene.notes[0].contains("a: the ground of its geometry is not known"));
        let odd = of(json!({"sat:relative_orbit": "x", "platform": ["p"]}), Value::Null);
        assert_eq!((odd.relative_orbit, odd.platform.as_ref()), (None, None));
        for told in ["sat:relative_orbit", "platform"] {
            assert!(
                odd.notes
                    .iter()
                    .any(|note| note.starts_with("a: ") && note.contains(told)),
                "{:?}",
                odd.notes
            );
        }
        let times = |when: &str| {
            let scene = of(json!({"datetime": when}), Value::Null);
            [scene.start, scene.end].map(|at| at.to_string())
        };
        for (when, start, end) in [
            ("2024-05-01T10:20:30", "2024-05-01T10:20:30Z", "2024-05-01T10:20:30Z"),
            (
                "2024-05-01T10:20:30.5",
                "2024-05-01T10:20:30.5Z",
                "2024-05-01T10:20:30.5Z",
            ),
            ("2024-05-01 10:20:30", "2024-05-01T10:20:30Z", "2024-05-01T10:20:30Z"),
            (
                "2024-05-01T10:20:30+02:00",
                "2024-05-01T08:20:30Z",
                "2024-05-01T08:20:30Z",
            ),
            ("2024-05-01", "2024-05-01T00:00:00Z", "2024-05-01T23:59:59Z"),
        ] {
            assert_eq!(times(when), [start, end], "{when}");
        }
    }

    #[test]
    fn a_cloud_cover_that_is_none_is_not_stated() {
        let dir = folder(&["a.tif"]);
        let cover = |percent: Value| {
            let asset = json!({"ms": {"href": "a.tif", "bands": [{"name": "r"}]}});
            one(&dir, &item("a", json!({"eo:cloud_cover": percent}), asset)).cloud_fraction
        };
        assert_eq!([-1, 101].map(|percent| cover(json!(percent))), [None, None]);
        assert_eq!([0, 100].map(|percent| cover(json!(percent))), [Some(0.0), Some(1.0)]);
        assert_eq!(
            ["25", "n/a", "NaN"].map(|text| cover(json!(text))),
            [Some(0.25), None, None]
        );
    }

    #[test]
    fn a_products_scale_is_for_the_product_as_it_is_stored() {
        let dir = folder(&["B04.tif", "SCL.tif"]);
        let floats = sentinel_2(
            &dir,
            json!({"s2:processing_baseline": "05.09"}),
            json!({"data_type": "float32"}),
        );
        let red = &floats.bands[0];
        assert_eq!(
            (red.scale, red.offset, red.saturated, red.valid),
            (1.0, 0.0, None, Some([0.0, 1.0]))
        );
        assert_eq!(red.nodata, [0.0, -1000.0, -0.1]);
        // Whatever the item says of the type, it is the product with its masks; what counts is the file's type.
        for data_type in ["int16", "uint32", "uint8", "other"] {
            let other = sentinel_2(&dir, json!({}), json!({"data_type": data_type}));
            assert_eq!(
                (other.sensor.as_str(), other.quality.len()),
                ("sentinel-2-l2a", 1),
                "{data_type}"
            );
        }
    }

    #[test]
    fn landsat_collection_2_has_scale_and_both_quality_bands() {
        let dir = folder(&["r.tif", "t.tif", "q.tif", "s.tif"]);
        let value = item(
            "a",
            json!({"platform": "landsat-8", "landsat:correction": "L2SP"}),
            json!({
                "red": {"href": "r.tif", "roles": ["data"], "eo:bands": [{"name": "OLI_B4", "common_name": "red"}]},
                "lwir11": {"href": "t.tif", "roles": ["data"], "eo:bands": [{"name": "TIRS_B10", "common_name": "lwir11"}]},
                "qa_pixel": {"href": "q.tif", "roles": ["cloud"]}, "qa_radsat": {"href": "s.tif", "roles": ["saturation"]}
            }),
        );
        let scene = one(&dir, &value);
        assert_eq!(scene.sensor, "landsat-8-9-c2l2");
        assert_eq!(names(&scene), ["red"]);
        assert_eq!((scene.bands[0].scale, scene.bands[0].offset), (0.0000275, -0.2));
        assert_eq!(scene.quality.len(), 2);
        assert!(matches!(scene.quality[0].coding, Coding::Bits(_)));
    }

    #[test]
    fn of_several_files_of_one_band_the_finest_is_taken_and_an_index_comes_last() {
        let dir = folder(&["10.tif", "20.tif", "ndvi.tif"]);
        let value = item(
            "a",
            json!({"constellation": "sentinel-2", "processing:level": "L2A"}),
            json!({
                "A_B02_20m": {"href": "20.tif", "gsd": 20, "roles": ["data"], "bands": [{"name": "B02", "eo:common_name": "blue"}]},
                "B02_10m": {"href": "10.tif", "gsd": 10, "roles": ["data"], "bands": [{"name": "B02", "eo:common_name": "blue"}]},
                "A_ndvi": {"href": "ndvi.tif", "gsd": 10, "roles": ["data"], "bands": [{"name": "NDVI"}]}
            }),
        );
        let scene = one(&dir, &value);
        assert_eq!(names(&scene), ["blue", "ndvi"]);
        assert_eq!(
            [&scene.bands[0], &scene.bands[1]].map(|band| (band.path.clone(), band.derived)),
            [("10.tif", false), ("ndvi.tif", true)].map(|(file, derived)| (dir.path().join(file), derived))
        );
    }

    #[test]
    fn an_index_is_read_by_what_its_asset_says_and_not_as_reflectance() {
        let dir = folder(&["a.tif", "b.tif"]);
        let ndvi = |about: Value| {
            let mut asset = json!({"href": "a.tif", "roles": ["index"]});
            asset
                .as_object_mut()
                .unwrap()
                .extend(about.as_object().unwrap().clone());
            let red = json!({"href": "b.tif", "data_type": "uint16", "eo:bands": [{"name": "B04"}]});
            let mut value = item("a", json!({}), json!({"NDVI": asset, "red": red}));
            value["collection"] = json!("sentinel-2-l2a");
            let scene = one(&dir, &value);
            assert_eq!(
                (scene.sensor.as_str(), names(&scene)),
                ("sentinel-2-l2a", vec!["red", "ndvi"])
            );
            let red = &scene.bands[0];
            assert_eq!((red.scale, red.valid, red.derived), (0.0001, Some([0.0, 1.0]), false));
            let ndvi = &scene.bands[1];
            assert_eq!((ndvi.noise, ndvi.noise_fraction, ndvi.derived), (None, 0.0, true));
            (ndvi.scale, ndvi.offset, ndvi.nodata.clone(), ndvi.valid)
        };
        let range = Some([-1.0, 1.0]);
        assert_eq!(ndvi(json!({"data_type": "float32"})), (1.0, 0.0, vec![], range));
        let scaled = json!({"data_type": "uint8", "raster:scale": 0.008, "raster:offset": -1, "nodata": 255});
        assert_eq!(ndvi(scaled), (0.008, -1.0, vec![255.0], range));
        // Clipped to the range, integers of no stated scale would all be 1.
        assert_eq!(ndvi(json!({"data_type": "int16"})), (1.0, 0.0, vec![], None));
    }

    #[test]
    fn an_index_alone_is_a_scene_and_one_that_is_not_here_is_no_fault_of_the_others() {
        let dir = folder(&["a.tif", "mask.tif"]);
        let here = json!({"href": "a.tif", "roles": ["data"]});
        let away = json!({"href": "https://example.org/a.tif", "roles": ["data"]});
        let mask =
            json!({"href": "mask.tif", "roles": ["cloud"], "classification:classes": [{"value": 1, "name": "cloud"}]});
        let of = |assets: Value| one(&dir, &item("a", json!({}), assets));
        let alone = of(json!({"evi": here.clone(), "ndwi": away.clone(), "nbr": here.clone(), "clm": mask}));
        assert_eq!(names(&alone), ["evi", "nbr"]);
        assert_eq!((alone.kind, alone.quality.len()), (Kind::Optical, 1));
        assert_eq!(names(&of(json!({"red": here.clone(), "ndvi": away.clone()}))), ["red"]);
        let preview = json!({"href": "a.tif", "roles": ["overview"]});
        assert_eq!(names(&of(json!({"red": here, "ndvi": preview}))), ["red"]);
        let refused = read(&dir, &item("a", json!({}), json!({"ndvi": away}))).refused;
        assert!(refused[0].reason.contains("has the scheme `https:`"), "{refused:?}");
    }

    #[test]
    fn bands_of_one_mask_file_may_mean_the_same() {
        let dir = folder(&["sr.tif", "udm2.tif", "a.tif", "b.tif"]);
        let value = item(
            "a",
            json!({"constellation": "planetscope"}),
            json!({"ortho_analytic_4b_sr": {"href": "sr.tif", "eo:bands": [{"name": "blue"}, {"name": "green"}, {"name": "red"}, {"name": "nir"}]},
                "ortho_udm2": {"href": "udm2.tif", "roles": ["cloud"]}}),
        );
        let scene = one(&dir, &value);
        assert_eq!(scene.sensor, "planetscope-sr");
        let masks: Vec<usize> = scene.quality.iter().map(|mask| mask.index).collect();
        // Band 6 is cloud, and so is the heavy haze of band 5.
        assert_eq!(masks, [6, 3, 2, 4, 5, 8]);
        assert_eq!(scene.quality[4].coding.decode(1.0), flags::CLOUD);

        // Several files are several algorithms; two assets of one file and one band are one mask.
        let class = |name: &str| json!([{"value": 1, "name": name}]);
        let cloud = |href: &str| {
            json!({"href": href, "roles": ["cloud"], "bands": [
            {"name": "x", "classification:classes": class("cloud")}, {"name": "y", "classification:classes": class("heavy cloud")}]})
        };
        let value = item(
            "a",
            json!({}),
            json!({"red": {"href": "sr.tif"}, "m1": cloud("a.tif"), "m2": cloud("./a.tif"), "m3": cloud("b.tif")}),
        );
        let masks = one(&dir, &value)
            .quality
            .into_iter()
            .map(|mask| (mask.path, mask.index));
        assert_eq!(
            masks.collect::<Vec<_>>(),
            [(dir.path().join("a.tif"), 1), (dir.path().join("a.tif"), 2)]
        );
    }

    #[test]
    fn bands_of_an_unknown_product_keep_names_that_tell_them_apart() {
        let dir = folder(&["a.tif", "b.tif"]);
        let edges = json!({"href": "a.tif", "bands": [{"name": "e1", "eo:common_name": "rededge"}, {"name": "e2", "eo:common_name": "rededge"}]});
        assert_eq!(
            names(&one(&dir, &item("a", json!({}), json!({"ms": edges})))),
            ["e1", "e2"]
        );
        let partly = json!({"href": "a.tif", "bands": [{"name": "b1", "eo:common_name": "nir"}, {"name": "b2"}]});
        assert_eq!(
            names(&one(&dir, &item("a", json!({}), json!({"ms": partly})))),
            ["nir", "b2"]
        );
        let unnamed = json!({"href": "a.tif", "bands": [{}, {}]});
        assert_eq!(
            names(&one(&dir, &item("a", json!({}), json!({"ms": unnamed})))),
            ["ms_1", "ms_2"]
        );
        let both = json!({"a": {"href": "a.tif", "roles": ["data"], "bands": [{"name": "r", "eo:common_name": "red"}]},
            "dem": {"href": "b.tif", "roles": ["data"]}});
        assert_eq!(names(&one(&dir, &item("a", json!({}), both))), ["red"]);
    }

    #[test]
    fn backscatter_is_turned_into_decibels_unless_it_is_in_decibels() {
        let dir = folder(&["vv.tif"]);
        let scene = |band: Value| {
            let mut vv = json!({"href": "vv.tif", "roles": ["data"]});
            vv.as_object_mut().unwrap().extend(band.as_object().unwrap().clone());
            read(
                &dir,
                &item(
                    "a",
                    json!({"constellation": "sentinel-1", "sar:product_type": "RTC"}),
                    json!({"vv": vv}),
                ),
            )
        };
        let power = &scene(json!({"data_type": "float32"})).scenes[0];
        assert_eq!(
            (power.sensor.as_str(), power.kind, power.bands[0].decibel),
            ("sentinel-1-rtc", Kind::Sar, true)
        );
        assert_eq!(power.bands[0].name, "VV");
        assert!(!scene(json!({"unit": "dB"})).scenes[0].bands[0].decibel);
        assert!(
            scene(json!({"data_type": "uint16"})).refused[0]
                .reason
                .contains("raw amplitudes")
        );
    }

    #[test]
    fn bad_items_are_refused_by_name_and_the_rest_goes_on() {
        let dir = folder(&["a.tif"]);
        let good = json!({"ms": {"href": "a.tif", "eo:bands": [{"name": "r", "common_name": "red"}]}});
        let with_href = |href: &str| json!({"ms": {"href": href, "eo:bands": [{"name": "r", "common_name": "red"}]}});
        let mut backwards = item(
            "backwards",
            json!({"start_datetime": "2024-02-01T00:00:00Z", "end_datetime": "2024-01-01T00:00:00Z"}),
            good.clone(),
        );
        backwards["properties"]["datetime"] = Value::Null;
        let mut swapped = item("swapped", json!({}), good.clone());
        swapped["geometry"] = json!({"type": "Polygon", "coordinates": [[[48, 100], [49, 100], [49, 101], [48, 100]]]});
        let features = json!({"type": "FeatureCollection", "features": [
            item("good", json!({}), good.clone()),
            item("good", json!({"datetime": "2024-06-01T00:00:00Z"}), good.clone()),
            item("undated", json!({"datetime": null}), good.clone()),
            item("url", json!({}), with_href("https://example.org/a.tif")),
            item("vsi", json!({}), with_href("/vsicurl/x")),
            item("bucket", json!({}), with_href("s3://x/a.tif")),
            item("gdal", json!({}), with_href("GTIFF_DIR:1:a.tif")),
            item("absent", json!({}), with_href("none.tif")),
            item("product", json!({}), json!({"lai": {"href": "a.tif", "roles": ["data"]}})),
            item("index", json!({}), json!({"ndvi": {"href": "none.tif", "roles": ["data"]}})),
            item("orbit", json!({"sat:relative_orbit": 1.5}), good.clone()),
            backwards, swapped, 3
        ]});
        let catalogue = read(&dir, &features);
        let taken = |id: &str| catalogue.scenes.iter().find(|scene| scene.id == id).unwrap();
        assert_eq!(catalogue.scenes.len(), 3);
        assert!(taken("orbit").notes[0].contains("expected a whole number, found 1.5"));
        assert!(taken("swapped").notes[0].contains("longitude first") && taken("swapped").footprint.is_none());
        let reasons: Vec<String> = catalogue
            .refused
            .iter()
            .map(|refusal| format!("{}: {}", refusal.id, refusal.reason))
            .collect();
        let expected = [
            ("undated", "features[2].properties.datetime: expected a time, or null"),
            (
                "url",
                "features[3].assets.ms.href: `https://example.org/a.tif` has the scheme `https:`",
            ),
            ("vsi", "not a plain path"),
            ("bucket", "`s3:`"),
            ("gdal", "`GTIFF_DIR:`"),
            ("absent", "no file"),
            ("product", "holds no reflectance band and no index"),
            ("index", "features[9].assets.ndvi.href: no file"),
            ("backwards", "is after end_datetime"),
            ("features[13]", "expected an Item, found a number"),
            ("good", "is given twice"),
        ];
        assert_eq!(reasons.len(), expected.len(), "{reasons:#?}");
        for (reason, (id, part)) in reasons.iter().zip(expected) {
            assert!(reason.starts_with(id) && reason.contains(part), "{reason}");
        }
        let faults = check_stac(&dir.path().join("items.json"), &Sensors::embedded().unwrap());
        assert_eq!(faults.len(), expected.len());
        assert_eq!(
            faults[0].to_string(),
            "features[1].id: `good` is the id at features[0].id already: give each item its own"
        );
    }

    #[test]
    fn a_catalog_is_followed_on_disk_only_and_a_cycle_ends() {
        let dir = folder(&["a.tif"]);
        let catalog = |links: Value| json!({"type": "Catalog", "stac_version": "1.1.0", "id": "c", "description": "", "links": links});
        let root = catalog(json!([
            {"rel": "self", "href": "https://example.org/catalog.json"},
            {"rel": "child", "href": "./sub/catalog.json"},
            {"rel": "child", "href": "https://example.org/other.json"},
            {"rel": "item", "href": "absent.json"}
        ]));
        let path = write(&dir, "catalog.json", &root);
        write(
            &dir,
            "sub/catalog.json",
            &catalog(
                json!([{"rel": "child", "href": "../catalog.json"}, {"rel": "item", "href": "i.json"}, {"rel": "item", "href": "./i.json"}]),
            ),
        );
        write(
            &dir,
            "sub/i.json",
            &item(
                "a",
                json!({}),
                json!({"ms": {"href": "../a.tif", "bands": [{"name": "r"}]}}),
            ),
        );
        let catalogue = read_stac(&path, &Sensors::embedded().unwrap()).unwrap();
        assert_eq!(catalogue.scenes.len(), 1);
        assert_eq!(catalogue.refused.len(), 2);
        assert!(catalogue.refused[0].reason.contains("`https:`") && !catalogue.refused[0].unreadable);
        assert!(catalogue.refused[1].reason.contains("cannot read") && catalogue.refused[1].unreadable);
        let read: Vec<PathBuf> = ["catalog.json", "sub/catalog.json", "sub/i.json"]
            .map(|name| dir.path().join(name))
            .into();
        assert_eq!(catalogue.read.keys().cloned().collect::<Vec<_>>(), read);
        assert!(catalogue.read.contains_key(&catalogue.scenes[0].source));
        assert_eq!(catalogue.read[&path], Digest::of(&std::fs::read(&path).unwrap()));
    }

    #[test]
    fn what_is_gone_or_cut_short_is_unreadable() {
        let dir = folder(&["a.tif"]);
        let ms = |href: &str| json!({"ms": {"href": href, "bands": [{"name": "r"}]}});
        write(&dir, "gone.json", &item("gone", json!({}), ms("gone.tif")));
        write(
            &dir,
            "broken.json",
            &item("broken", json!({"datetime": 1.5}), ms("a.tif")),
        );
        let whole = item("cut", json!({}), ms("a.tif")).to_string();
        std::fs::write(dir.path().join("cut.json"), &whole[..whole.len() - 1]).unwrap();
        write(&dir, "other.json", &json!({"type": "Topology"}));
        // Refused by rule: it is there and whole.
        std::fs::write(
            dir.path().join("heavy.json"),
            format!("[{}]", "[],".repeat(2_200_000) + "[]"),
        )
        .unwrap();
        let links: Vec<Value> = ["gone", "broken", "cut", "other", "heavy"]
            .map(|name| json!({"rel": "item", "href": format!("{name}.json")}))
            .into();
        let refused = read(&dir, &json!({"type": "Catalog", "links": links})).refused;
        let refused: Vec<(&str, bool)> = refused.iter().map(|r| (r.id.as_str(), r.unreadable)).collect();
        let expected = [
            ("gone", true),
            ("broken", false),
            ("cut.json", true),
            ("other.json", false),
            ("heavy.json", false),
        ];
        assert_eq!(refused, expected);
    }

    #[test]
    fn ids_and_names_that_would_break_a_line_are_refused_and_told_escaped() {
        let dir = folder(&["a.tif"]);
        let ms = |band: &str| json!({"ms": {"href": "a.tif", "bands": [{"name": band}]}});
        let mut items = vec![
            item("a\n2024 ok", json!({}), ms("r")),
            item("b\u{202e}", json!({}), ms("r")),
            item("c", json!({}), ms("r\x1b[2J")),
            item(
                "d",
                json!({}),
                json!({"ms": {"href": "x\ny.tif", "bands": [{"name": "r"}]}}),
            ),
        ];
        items.push(item("e", json!({"platform": "p\nq"}), ms("r")));
        let catalogue = read(&dir, &json!({"type": "FeatureCollection", "features": items}));
        let ids: Vec<&str> = catalogue.refused.iter().map(|refusal| refusal.id.as_str()).collect();
        assert_eq!(ids, [r"a\n2024 ok", r"b\u{202e}", "c", "d"]);
        for (refusal, code) in catalogue
            .refused
            .iter()
            .zip(["U+000A", "U+202E", "U+001B", r"x\ny.tif"])
        {
            let reason = &refusal.reason;
            assert!(reason.contains(code) && !reason.contains(['\n', '\x1b']), "{reason}");
        }
        assert_eq!(catalogue.scenes[0].platform.as_deref(), Some(r"p\nq"));
    }

    #[test]
    fn a_deep_catalog_is_cut_off() {
        let dir = folder(&[]);
        for level in 0..12 {
            let links = json!([{"rel": "child", "href": format!("{}.json", level + 1)}]);
            write(
                &dir,
                &format!("{level}.json"),
                &json!({"type": "Catalog", "links": links}),
            );
        }
        let catalogue = read_stac(&dir.path().join("0.json"), &Sensors::embedded().unwrap()).unwrap();
        assert_eq!(catalogue.refused.len(), 1);
        assert!(catalogue.refused[0].reason.contains("more than 8 levels"));
        assert!(catalogue.refused[0].source.ends_with("8.json"));
    }

    /// `value` with each part of it replaced in turn.
    fn replaced(value: &Value, by: &Value) -> Vec<Value> {
        let mut all = vec![by.clone()];
        let children: Vec<(String, &Value)> = match value {
            Value::Object(object) => object.iter().map(|(key, child)| (key.clone(), child)).collect(),
            Value::Array(list) => list
                .iter()
                .enumerate()
                .map(|(at, child)| (at.to_string(), child))
                .collect(),
            _ => vec![],
        };
        for (key, child) in children {
            for changed in replaced(child, by) {
                let mut whole = value.clone();
                *whole.pointer_mut(&format!("/{key}")).unwrap() = changed;
                all.push(whole);
            }
        }
        all
    }

    #[test]
    fn junk_anywhere_is_a_fault_or_nothing_but_never_a_panic() {
        let dir = folder(&["a.tif"]);
        let mut whole = item(
            "a",
            json!({"platform": "landsat-8", "landsat:correction": "L2SP", "instruments": ["oli"], "s2:processing_baseline": "05.00",
                "sat:relative_orbit": 7, "sat:orbit_state": "ascending", "eo:cloud_cover": 25, "start_datetime": "2024-05-01T00:00:00Z"}),
            json!({
                "red": {"href": "a.tif", "type": "image/tiff", "roles": ["data"], "gsd": 30,
                    "bands": [{"name": "SR_B4", "eo:common_name": "red", "nodata": 0, "raster:scale": 1, "raster:offset": 0, "unit": "1"}]},
                "nir08": {"href": "a.tif", "eo:bands": [{"name": "SR_B5"}], "raster:bands": [{"scale": 1, "nodata": "nan", "data_type": "uint16"}]},
                "mask": {"href": "a.tif", "roles": ["cloud"], "classification:classes": [{"value": 1, "name": "cloud"}]}
            }),
        );
        whole["geometry"] = json!({"type": "Polygon", "coordinates": [[[2, 48], [3, 48], [3, 49], [2, 48]]]});
        assert_eq!(read(&dir, &whole).scenes.len(), 1);
        let sensors = Sensors::embedded().unwrap();
        for junk in [
            json!(null),
            json!(true),
            json!(-1.5),
            json!(1e300),
            json!(""),
            json!("\0/:<"),
            json!([]),
            json!({}),
            json!([[[]]]),
        ] {
            for item in replaced(&whole, &junk) {
                let found = scene(&item, "", Path::new("i.json"), dir.path(), &sensors);
                if let Ok(scene) = found {
                    select_with_itself(scene);
                }
            }
        }
    }

    fn select_with_itself(scene: Scene) {
        let later = Scene {
            start: "2030-01-01T00:00:00Z".parse().unwrap(),
            end: "2030-01-01T00:00:00Z".parse().unwrap(),
            ..scene.clone()
        };
        let filter = crate::scene::Filter {
            max_season_distance_days: Some(300.0),
            ..Default::default()
        };
        let scenes = [scene, later];
        let shown = crate::scene::select::tests::all_shown(&scenes);
        crate::scene::select(&scenes, &shown, crate::scene::Which::EveryConsecutivePair, &filter);
    }

    #[test]
    fn what_is_no_stac_is_an_error() {
        let dir = folder(&["empty.json"]);
        let read = |name: &str| {
            read_stac(&dir.path().join(name), &Sensors::embedded().unwrap())
                .unwrap_err()
                .to_string()
        };
        assert!(read("empty.json").contains("not JSON"));
        assert!(read("none.json").contains("cannot read"));
        assert!(read("").contains("not a regular file"));
        write(&dir, "topology.json", &json!({"type": "Topology"}));
        assert!(read("topology.json").contains("found `Topology`"));
    }
}
