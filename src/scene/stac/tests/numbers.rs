//! Scales, offsets, no-data values and units of bands.

use super::*;

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
