//! Which assets are bands, indices and masks, and what they are called.

use super::*;

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
