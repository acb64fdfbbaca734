use super::*;
use crate::raster::flags;
use std::path::Path;

/// Real imagery lies beside the repository, or where `SITEWATCH_IMAGERY` says.
fn imagery(set: &str) -> Option<Catalogue> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/imagery");
    let root = std::env::var_os("SITEWATCH_IMAGERY").map_or(beside, PathBuf::from);
    let items = root.join(set).join("items.json");
    if !items.is_file() {
        println!("skipped: no {}", items.display());
        return None;
    }
    let catalogue = read_stac(&items, &Sensors::embedded().unwrap()).unwrap();
    for scene in &catalogue.scenes {
        println!("{set} {} {} {}/{}", scene.id, scene.sensor, scene.start, scene.end);
        println!(
            "  {:?} {:?} {:?} cloud {:?}",
            scene.platform, scene.relative_orbit, scene.pass, scene.cloud_fraction
        );
        for band in &scene.bands {
            println!("  {band:?}");
        }
        for quality in &scene.quality {
            println!("  {quality:?}");
        }
    }
    for refusal in &catalogue.refused {
        println!("{set} REFUSED {} {}", refusal.id, refusal.reason);
    }
    Some(catalogue)
}

fn names(scene: &Scene) -> String {
    scene
        .bands
        .iter()
        .map(|band| band.name.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn pairs(catalogue: &Catalogue) -> Vec<String> {
    let selection = select(
        &catalogue.scenes,
        &select::tests::all_shown(&catalogue.scenes),
        Which::EveryConsecutivePair,
        &Filter::default(),
    );
    let id = |at: usize| catalogue.scenes[at].id.as_str();
    selection
        .pairs
        .iter()
        .map(|(before, after)| format!("{} {}", id(*before), id(*after)))
        .collect()
}

/// Each scene has this sensor, these bands and this scale and offset.
fn all_are(catalogue: &Catalogue, sensor: &str, bands: &str, scale: f64, offset: f64) {
    for scene in &catalogue.scenes {
        assert_eq!(scene.sensor, sensor, "{}", scene.id);
        assert_eq!(names(scene), bands, "{}", scene.id);
        assert!(
            scene
                .bands
                .iter()
                .all(|band| band.scale == scale && band.offset == offset),
            "{}",
            scene.id
        );
        assert!(scene.footprint.is_some() && scene.bands.iter().all(|band| band.path.is_file()));
    }
}

const MSI: &str = "coastal blue green red rededge071 rededge075 rededge078 nir nir08 nir09 cirrus swir16 swir22";

#[test]
fn a_day_ends_before_the_next_begins() {
    let last = |start: &str, end: &str| last_second(start.parse().unwrap(), end.parse().unwrap()).to_string();
    let day = "2015-07-04T00:00:00Z";
    assert_eq!(last(day, "2015-07-05T00:00:00Z"), "2015-07-04T23:59:59Z");
    assert_eq!(last(day, day), day, "an instant");
    assert_eq!(last(day, "2015-07-05T00:00:01Z"), "2015-07-05T00:00:01Z");
}

#[test]
fn a_band_has_the_unit_of_its_physical_values() {
    let reflectance = BandAsset {
        valid: Some([0.0, 1.0]),
        scale: 1e-4,
        ..BandAsset::default()
    };
    let power = BandAsset {
        decibel: true,
        scale: 1.0,
        ..BandAsset::default()
    };
    let raw = BandAsset {
        scale: 1.0,
        ..BandAsset::default()
    };
    let index = BandAsset {
        derived: true,
        ..raw.clone()
    };
    assert_eq!(reflectance.unit(Kind::Optical), Some("reflectance"));
    assert_eq!(power.unit(Kind::Sar), Some("dB"));
    assert_eq!(raw.unit(Kind::Optical), Some("digital numbers"));
    assert_eq!((index.unit(Kind::Optical), raw.unit(Kind::Sar)), (None, None));
}

#[test]
fn real_sentinel_2_l1c_pairs() {
    let Some(oscd) = imagery("oscd") else { return };
    // Two dates of each city; the set has grown.
    assert!(oscd.scenes.len() >= 12 && oscd.scenes.len().is_multiple_of(2));
    assert_eq!(oscd.refused, []);
    all_are(&oscd, "sentinel-2-l1c", MSI, 0.0001, 0.0);
    let band = &oscd.scenes[0].bands[0];
    assert_eq!(
        (band.nodata.clone(), band.saturated, band.valid),
        (vec![0.0], Some(28000.0), Some([0.0, 1.0]))
    );
    // Cities apart do not pair.
    let pairs = pairs(&oscd);
    for city in ["abudhabi", "nantes", "pisa", "rennes"] {
        assert!(pairs.contains(&format!("oscd-{city}-1 oscd-{city}-2")), "{pairs:?}");
    }
}

#[test]
fn real_sentinel_2_of_no_stated_product() {
    let Some(pair) = imagery("arosics_s2_pair") else { return };
    assert_eq!((pair.scenes.len(), pair.refused.len()), (2, 0));
    all_are(&pair, "generic", "green", 0.0001, 0.0);
    assert_eq!(
        (pair.scenes[0].bands[0].nodata.clone(), pair.scenes[0].bands[0].valid),
        (vec![0.0], Some([0.0, 1.0]))
    );
    assert_eq!(pairs(&pair), ["arosics-tgt arosics-ref"]);
}

#[test]
fn real_patches_with_indices_are_scenes_and_compared_by_name() {
    let Some(patch) = imagery("eolearn_s2_patch") else {
        return;
    };
    assert_eq!((patch.scenes.len(), patch.refused.len()), (68, 0));
    let is_index = |scene: &&Scene| scene.bands.iter().all(|band| band.derived);
    let (indices, measured): (Vec<&Scene>, Vec<&Scene>) = patch.scenes.iter().partition(is_index);
    let part = |scenes: Vec<&Scene>| Catalogue::new(scenes.into_iter().cloned().collect(), vec![]);
    let (indices, measured) = (part(indices), part(measured));
    assert_eq!((indices.scenes.len(), measured.scenes.len()), (63, 5));
    all_are(&indices, "generic", "ndvi", 1.0, 0.0);
    all_are(&measured, "sentinel-2-l1c", &format!("{MSI} ndvi"), 1.0, 0.0);
    for scene in &patch.scenes {
        let ndvi = scene.bands.last().unwrap();
        assert!(ndvi.derived && scene.bands.iter().filter(|band| band.derived).count() == 1);
        assert_eq!(
            (scene.kind, ndvi.valid, ndvi.noise),
            (Kind::Optical, Some([-1.0, 1.0]), None)
        );
        let [quality] = &scene.quality[..] else {
            panic!("{:?}", scene.quality)
        };
        assert!(quality.path.ends_with("cloud.tif"));
        assert_eq!(
            [0.0, 1.0].map(|raw| quality.coding.decode(raw)),
            [flags::CLEAR, flags::CLOUD]
        );
    }
    // By default as if there were no index at all.
    let compared = select(
        &patch.scenes,
        &select::tests::all_shown(&patch.scenes),
        Which::EveryConsecutivePair,
        &Filter::default(),
    );
    assert_eq!(pairs(&patch), pairs(&measured));
    assert_eq!((compared.pairs.len(), compared.refused.len()), (4, 63));
    assert!(
        compared.refused[0]
            .reason
            .starts_with("holds derived indices only (ndvi)")
    );
    let ndvi = Filter {
        bands: vec!["ndvi".into()],
        ..Filter::default()
    };
    let newest = patch.scenes.len() - 1;
    let shown = select::tests::all_shown(&patch.scenes);
    let (earlier, passed) = select::history(&patch.scenes, &shown, [newest - 1, newest], &ndvi.bands, &ndvi);
    assert_eq!((earlier.len(), passed.len()), (newest - 1, 0));
}

#[test]
fn real_raw_numbers_are_no_collection_2() {
    if let Some(taizhou) = imagery("taizhou") {
        assert_eq!((taizhou.scenes.len(), taizhou.refused.len()), (2, 0));
        all_are(&taizhou, "generic", "blue green red nir swir16 swir22", 1.0, 0.0);
        assert_eq!(taizhou.scenes[0].bands[0].valid, None);
        assert_eq!(pairs(&taizhou), ["taizhou-2000 taizhou-2003"]);
    }
    if let Some(ucayali) = imagery("landsat_ucayali") {
        assert_eq!((ucayali.scenes.len(), ucayali.refused.len()), (8, 0));
        all_are(&ucayali, "generic", "swir16 nir red b4", 1.0, 0.0);
        assert_eq!(ucayali.scenes[0].bands[3].nodata, [0.0]);
        assert_eq!(pairs(&ucayali).len(), 7);
    }
    if let Some(juelich) = imagery("landsat7_juelich") {
        assert_eq!((juelich.scenes.len(), juelich.refused.len()), (2, 0));
        all_are(&juelich, "generic", "b1 b2 b3", 1.0, 0.0);
        assert_eq!(pairs(&juelich).len(), 1);
    }
    if let Some(esfahan) = imagery("aster_esfahan") {
        assert_eq!((esfahan.scenes.len(), esfahan.refused.len()), (2, 0));
        all_are(&esfahan, "generic", "green red nir", 1.0, 0.0);
        assert_eq!(pairs(&esfahan).len(), 1);
    }
}

#[test]
fn real_backscatter() {
    if let Some(grd) = imagery("oscd_s1") {
        // The set has grown.
        assert!(grd.scenes.len() >= 26);
        assert_eq!(grd.refused, []);
        all_are(&grd, "sentinel-1-grd", "VV", 30.0, -25.0);
        assert!(
            grd.scenes
                .iter()
                .all(|scene| scene.kind == Kind::Sar && !scene.bands[0].decibel)
        );
        assert!(pairs(&grd).len() >= 13);
    }
    if let Some(rtc) = imagery("dist_s1_stack") {
        assert_eq!((rtc.scenes.len(), rtc.refused.len()), (88, 0));
        all_are(&rtc, "sentinel-1-rtc", "VV VH", 1.0, 0.0);
        assert!(
            rtc.scenes
                .iter()
                .all(|scene| { scene.bands.iter().all(|band| band.decibel && band.nodata[0].is_nan()) })
        );
        // 22 dates of four bursts in one track: bursts apart do not pair.
        let pairs = pairs(&rtc);
        let same_burst = pairs
            .iter()
            .filter(|pair| {
                pair.split(' ')
                    .map(|id| &id[..15])
                    .collect::<Vec<_>>()
                    .windows(2)
                    .all(|two| two[0] == two[1])
            })
            .count();
        assert_eq!((same_burst, pairs.len()), (84, 84), "{pairs:#?}");
    }
}

#[test]
fn real_alert_products_are_no_backscatter() {
    let Some(fire) = imagery("dist_s1_chile_fire") else {
        return;
    };
    assert_eq!((fire.scenes.len(), fire.refused.len()), (0, 10));
    assert!(fire.refused[0].reason.contains("holds no backscatter band"));
}
