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
        refused(&format!("{quality}classes = [{{ value = 1, flag = \"clowd\" }}]\n")).contains("did you mean 'cloud'?")
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
