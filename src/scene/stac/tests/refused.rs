//! What is refused by name, unreadable or no STAC; links that are followed.

use super::*;

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
