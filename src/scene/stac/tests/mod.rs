mod bands;
mod numbers;
mod refused;

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
