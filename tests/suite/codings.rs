//! Who states scale, offset and nodata of a scene, and who wins (docs/ingestion.md): two dates of one ground with a roof that was built
//! between them, coded in many ways. It is found, or the dates are refused with the reason.

use std::fs;
use std::path::Path;

use gdal::raster::{Buffer, GdalType};
use gdal::spatial_ref::SpatialRef;
use gdal::{DriverManager, Metadata};
use serde_json::{Value, json};
use sitewatch::config::Config;
use sitewatch::finding::SiteReport;
use sitewatch::plan::inputs;
use sitewatch::plan::plan_sites;

use super::common::{only_report, survey};

/// Edge of the scenes, pixels of 10 m.
const EDGE: usize = 64;
/// The roof, pixels: the same rows and columns.
const ROOF: std::ops::Range<usize> = 25..36;
const BANDS: [&str; 4] = ["blue", "green", "red", "nir"];

/// Numbers from 0 to 1 that look drawn, the same for the same `n`.
fn drawn(n: usize) -> f64 {
    let mixed = (n as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 40) as f64 / (1_u64 << 24) as f64
}

/// Reflectance of [`BANDS`] on a date: parcels of fields, with a roof on the later one.
fn optical(is_later: bool) -> Vec<Vec<f64>> {
    const COVERS: [[f64; 4]; 3] = [
        [0.05, 0.08, 0.06, 0.38],
        [0.09, 0.11, 0.14, 0.24],
        [0.04, 0.06, 0.05, 0.30],
    ];
    let value = |band: usize, at: usize| {
        let (row, column) = (at / EDGE, at % EDGE);
        let cover = COVERS[(drawn(row / 13 * 100 + column / 13) * 3.0) as usize][band];
        let ground = match is_later && ROOF.contains(&row) && ROOF.contains(&column) {
            true => [0.34, 0.36, 0.38, 0.42][band] * (0.97 + 0.06 * drawn(at + 70_000)),
            false => cover * (0.9 + 0.2 * drawn(at)),
        };
        ground + 0.003 * (drawn(at + 9_000 * band + if is_later { 500_000 } else { 100_000 }) - 0.5)
    };
    (0..4)
        .map(|band| (0..EDGE * EDGE).map(|at| value(band, at)).collect())
        .collect()
}

/// Linear radar power of two bands on a date, of eight looks; the roof is bright.
fn radar(is_later: bool) -> Vec<Vec<f64>> {
    let value = |band: usize, at: usize| {
        let (row, column) = (at / EDGE, at % EDGE);
        let roof = is_later && ROOF.contains(&row) && ROOF.contains(&column);
        let first = at * 8 + band * 50_000 + if is_later { 900_000 } else { 300_000 };
        let looks = (0..8).map(|look| -drawn(first + look).max(1e-6).ln());
        [0.06, 0.015][band] * if roof { 12.0 } else { 1.0 } * looks.sum::<f64>() / 8.0
    };
    (0..2)
        .map(|band| (0..EDGE * EDGE).map(|at| value(band, at)).collect())
        .collect()
}

/// Writes `bands` as a GeoTIFF, each value as `stored` has it.
fn write<T: GdalType + Copy>(path: &Path, bands: &[Vec<f64>], stored: impl Fn(f64) -> T) {
    sitewatch::io::prepare();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut file = driver
        .create_with_band_type::<T, _>(path, EDGE, EDGE, bands.len())
        .unwrap();
    file.set_spatial_ref(&SpatialRef::from_epsg(32633).unwrap()).unwrap();
    file.set_geo_transform(&[500_000.0, 10.0, 0.0, 5_400_000.0, 0.0, -10.0])
        .unwrap();
    for (index, band) in bands.iter().enumerate() {
        let mut values = Buffer::new((EDGE, EDGE), band.iter().map(|value| stored(*value)).collect());
        file.rasterband(index + 1)
            .unwrap()
            .write((0, 0), (EDGE, EDGE), &mut values)
            .unwrap();
    }
}

/// Tells `path`, a raster of `bands` bands, that its numbers have that scale and offset.
fn tag(path: &Path, bands: usize, scale: f64, offset: f64) {
    let mut file = gdal::Dataset::open_ex(
        path,
        gdal::DatasetOptions {
            open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE,
            ..Default::default()
        },
    )
    .unwrap();
    file.set_metadata_item("made", "by a test", "").unwrap();
    for band in 1..=bands {
        let mut band = file.rasterband(band).unwrap();
        band.set_scale(scale).unwrap();
        band.set_offset(offset).unwrap();
    }
}

fn digital(value: f64) -> u16 {
    (10_000.0 * value).round() as u16
}

fn declare(folder: &Path, swapped: bool) {
    let ring = [
        [15.000_6, 48.747_6],
        [15.008_1, 48.747_6],
        [15.008_1, 48.752_6],
        [15.000_6, 48.752_6],
        [15.000_6, 48.747_6],
    ];
    let ring = ring.map(|[x, y]| if swapped { [y, x] } else { [x, y] });
    let declaration = json!({
        "type": "FeatureCollection",
        "declaration": {"id": "d-1", "party": "A", "agreement": "X", "issued": "2021-01-01"},
        "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
                      "properties": {"kind": "site", "id": "depot", "name": "Depot"}}]
    });
    fs::write(folder.join("declaration.geojson"), declaration.to_string()).unwrap();
}

/// Runs the pipeline of `folder` whose inputs beside the declaration are `inputs`.
fn ran(folder: &Path, inputs: &str) -> SiteReport {
    let pipeline = pipeline(folder, inputs);
    let out = folder.join("out");
    survey(&pipeline, &out, |config| config.compute.threads = 1);
    only_report(&out)
}

fn pipeline(folder: &Path, inputs: &str) -> std::path::PathBuf {
    if !folder.join("declaration.geojson").exists() {
        declare(folder, false);
    }
    let path = folder.join("pipeline.toml");
    // A straight line finds a roof as a network does, sooner.
    let text = format!("[inputs]\ndeclarations = ['declaration.geojson']\n{inputs}\n[detect.regression]\nhidden = 0\n");
    fs::write(&path, text).unwrap();
    path
}

/// `roof`, where it is found; else all that is said of why not.
fn told(report: &SiteReport) -> String {
    let hits = report
        .comparisons
        .iter()
        .flat_map(|comparison| &comparison.anomalies)
        .any(|anomaly| {
            let [_, _, w, h] = anomaly.bounds_px;
            (8..=18).contains(&w) && (8..=18).contains(&h)
        });
    if hits {
        return "roof".into();
    }
    let notes = report
        .comparisons
        .iter()
        .flat_map(|comparison| comparison.notes.clone());
    let refused = report
        .refused
        .iter()
        .map(|scene| format!("{}: {}", scene.id, scene.reason));
    notes.chain(refused).collect::<Vec<_>>().join("\n")
}

fn folder_of(sensor: &str, more: &str) -> String {
    let sensor = if sensor.is_empty() {
        String::new()
    } else {
        format!("sensor = '{sensor}'\n")
    };
    format!(
        "[[inputs.folder]]\nglob = 'scenes/*.tif'\nbands = ['blue', 'green', 'red', 'nir']\ndate_pattern = '(\\d{{8}})'\n{sensor}{more}"
    )
}

/// How a date of a folder is stored.
#[derive(Clone, Copy)]
enum Stored {
    /// As the product stores it.
    Digital,
    /// As the product stores it from baseline 04.00 on: 1000 more.
    DigitalAndOffset,
    /// Reflectance.
    Float,
    /// The product's numbers as floats.
    FloatDigital,
    /// Reflectance in percent.
    Percent,
    /// Thousandths, as the file's own tags say.
    Tagged,
}

fn store(path: &Path, is_later: bool, how: Stored) {
    let bands = optical(is_later);
    match how {
        Stored::Digital => write(path, &bands, digital),
        Stored::DigitalAndOffset => write(path, &bands, |value| digital(value + 0.1)),
        Stored::Float => write(path, &bands, |value| value as f32),
        Stored::FloatDigital => write(path, &bands, |value| (10_000.0 * value) as f32),
        Stored::Percent => write(path, &bands, |value| (100.0 * value) as f32),
        Stored::Tagged => {
            write(path, &bands, |value| (1000.0 * value + 50.0).round() as u16);
            tag(path, bands.len(), 0.001, -0.05);
        }
    }
}

#[test]
fn dates_of_a_folder_are_read_as_they_are_coded_or_refused() {
    const S2: &str = "sentinel-2-l2a";
    use Stored::{Digital, DigitalAndOffset, Float, FloatDigital, Percent, Tagged};
    for (sensor, more, before, after, expected) in [
        (S2, "", Digital, Digital, "roof"),
        // What a product stores as integers is reflectance where it is floats.
        (S2, "", Float, Float, "roof"),
        (S2, "", Digital, Float, "roof"),
        (S2, "scale = 0.0001", FloatDigital, FloatDigital, "roof"),
        ("", "", Digital, Digital, "roof"),
        ("", "", Float, Float, "roof"),
        ("", "", Tagged, Float, "roof"),
        // Nobody says how they are coded, and they are coded differently.
        (
            "",
            "",
            Digital,
            Float,
            "not compared: the two dates are coded differently: in every band a_20210601 is",
        ),
        ("", "", Float, Percent, "in every band b_20210611 is"),
        ("", "", Digital, DigitalAndOffset, "in every band b_20210611 is 100"),
        (
            S2,
            "",
            DigitalAndOffset,
            Digital,
            "in every band b_20210611 is 0.1 less than a_20210601",
        ),
        // What they are said to be, they are not.
        (
            S2,
            "",
            FloatDigital,
            FloatDigital,
            "the numbers of a_20210601 are not reflectance",
        ),
        (S2, "", Float, Percent, "the numbers of b_20210611 are not reflectance"),
        (
            S2,
            "scale = 0.0001",
            Float,
            Float,
            "in every band nearly all are below 0.0005, darker than any ground",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        store(&folder.path().join("scenes/a_20210601.tif"), false, before);
        store(&folder.path().join("scenes/b_20210611.tif"), true, after);
        let report = ran(folder.path(), &folder_of(sensor, more));
        let found = told(&report);
        assert!(found.contains(expected), "{sensor} {more}, {expected}: {found}");
        let quiet = report.comparisons.iter().any(|comparison| comparison.observable) && found != "roof";
        assert!(!quiet, "{sensor} {more}: what is refused was not observed");
    }
}

#[test]
fn radar_is_power_or_decibels_as_it_is_stated_and_says_so_where_it_is_not() {
    let decibels = |value: f64| (10.0 * value.log10()) as f32;
    let power = |value: f64| value as f32;
    const RTC: &str = "sentinel-1-rtc";
    for (sensor, more, in_decibels, expected) in [
        (RTC, "", [false, false], "roof"),
        (RTC, "unit = 'linear'", [false, false], "roof"),
        (RTC, "unit = 'decibel'", [true, true], "roof"),
        (
            RTC,
            "",
            [true, true],
            "these look like decibels: state unit = \"decibel\"",
        ),
        (RTC, "", [false, true], "the numbers of b_20210613 are not power"),
        (RTC, "unit = 'decibel'", [false, false], "these look like power"),
        (
            RTC,
            "unit = 'decibel'",
            [true, false],
            "the numbers of b_20210613 are not decibels",
        ),
        // Polarisations are radar, in decibels unless something else is stated.
        ("", "", [true, true], "roof"),
        ("", "", [false, false], "these look like power: state unit = \"linear\""),
        ("", "unit = 'linear'", [false, false], "roof"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for (name, is_later, in_decibels) in [
            ("a_20210601", false, in_decibels[0]),
            ("b_20210613", true, in_decibels[1]),
        ] {
            let path = folder.path().join(format!("scenes/{name}.tif"));
            match in_decibels {
                true => write(&path, &radar(is_later), decibels),
                false => write(&path, &radar(is_later), power),
            }
        }
        let spec = folder_of(sensor, more).replace("'blue', 'green', 'red', 'nir'", "'VV', 'VH'");
        let found = told(&ran(folder.path(), &spec));
        assert!(
            found.contains(expected),
            "{sensor} {more} {in_decibels:?}, {expected}: {found}"
        );
    }
}

/// An item of Sentinel-2 whose bands lie in one file each, as `href` names them.
fn item(id: &str, day: &str, properties: &Value, offset: f64, href: impl Fn(&str) -> String) -> Value {
    let asset = |name: &&str| {
        let asset = json!({
            "href": href(name), "type": "image/tiff; application=geotiff", "roles": ["data", "reflectance"],
            "eo:bands": [{"name": name, "common_name": name}],
            "raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": offset}]
        });
        ((*name).to_owned(), asset)
    };
    let mut all =
        json!({"datetime": format!("{day}T10:56:19Z"), "platform": "sentinel-2b", "constellation": "sentinel-2"});
    all.as_object_mut()
        .unwrap()
        .extend(properties.as_object().unwrap().clone());
    json!({
        "type": "Feature", "stac_version": "1.0.0", "id": id, "collection": "sentinel-2-l2a", "geometry": null,
        "properties": all, "links": [],
        "assets": BANDS.iter().map(asset).collect::<serde_json::Map<_, _>>()
    })
}

/// Two dates with an asset a band, below `folder`; the items have the same `properties`, state `offset`, and `href` names the files.
fn items(folder: &Path, properties: &Value, offset: f64, href: impl Fn(&str, &str) -> String) {
    let mut features = Vec::new();
    for (id, day, is_later) in [("A", "2021-06-05", false), ("B", "2021-06-20", true)] {
        for (name, band) in BANDS.iter().zip(optical(is_later)) {
            write(&folder.join(format!("scenes {id}/{name}.tif")), &[band], digital);
        }
        features.push(item(id, day, properties, offset, |name| href(id, name)));
    }
    let all = json!({"type": "FeatureCollection", "features": features});
    fs::write(folder.join("items.json"), all.to_string()).unwrap();
}

const STAC: &str = "stac = ['items.json']";

#[test]
fn an_item_that_says_that_its_offset_was_taken_off_is_believed() {
    for (properties, offset) in [
        (
            json!({"earthsearch:boa_offset_applied": true, "s2:processing_baseline": "04.00"}),
            -0.1,
        ),
        (json!({"s2:processing_baseline": "03.01"}), -0.1),
        (json!({"eo:cloud_cover": -1}), 0.0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        items(folder.path(), &properties, offset, |id, name| {
            format!("scenes {id}/{name}.tif")
        });
        let found = told(&ran(folder.path(), STAC));
        assert_eq!(found, "roof", "{properties}");
    }
}

#[test]
fn hrefs_on_disk_are_read_and_what_lies_elsewhere_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().to_str().unwrap().to_owned();
    items(folder.path(), &json!({}), 0.0, |id, name| match (id, name) {
        ("A", "blue") => format!("file://{whole}/scenes%20A/blue.tif"),
        ("A", "green") => format!("file:{whole}/scenes A/green.tif"),
        ("B", "blue") => format!("./scenes%20B/{name}.tif"),
        ("B", "red") => format!("https://example.org/{name}.tif"),
        _ => format!("scenes {id}/{name}.tif"),
    });
    let report = ran(folder.path(), STAC);
    assert_eq!(told(&report), "roof");
    let notes = &report.comparisons[0].notes;
    assert!(
        notes
            .iter()
            .any(|note| note.contains("B: without the bands red, whose files are missing")),
        "{notes:?}"
    );
    // The one that is asked for by name is needed.
    let needed = format!("{STAC}\n[compare]\nbands = ['red', 'nir']");
    let found = told(&ran(folder.path(), &needed));
    assert!(
        found.contains("B: its band red: ") && found.contains("has the scheme `https:`"),
        "{found}"
    );
}

/// What a run would leave out, one reason a line, known without a pixel.
fn foreseen(folder: &Path, inputs: &str) -> String {
    let config = Config::read(&pipeline(folder, inputs)).unwrap();
    let inputs = inputs::gather(&config).unwrap();
    let mut said: Vec<String> = inputs::notes(&inputs.scenes).into_iter().map(str::to_owned).collect();
    for plan in plan_sites(&config, &inputs) {
        let plan = plan.unwrap();
        said.extend(plan.refused.iter().map(|one| format!("{}: {}", one.id, one.reason)));
        said.push(format!("{} pairs", plan.pairs.len()));
    }
    said.join("\n")
}

#[test]
fn what_headers_and_names_tell_is_known_before_a_run() {
    let folder = tempfile::tempdir().unwrap();
    for (name, is_later) in [("a_20210601", false), ("b_20210611", true), ("c_20210611", true)] {
        store(
            &folder.path().join(format!("scenes/{name}.tif")),
            is_later,
            Stored::Digital,
        );
    }
    fs::write(
        folder.path().join("scenes/d_20210620.tif"),
        "<VRTDataset rasterXSize=\"9\"></VRTDataset>",
    )
    .unwrap();
    let bands = |list: &str| folder_of("", "").replace("'blue', 'green', 'red', 'nir'", list);
    for (inputs, expected) in [
        (
            folder_of("", ""),
            &[
                "no sensor is named",
                "1 pairs",
                "d_20210620: opening scenes/d_20210620.tif: it is a VRT",
            ][..],
        ),
        // Two files of one time and ground.
        (
            folder_of("", ""),
            &["b_20210611: not used beside c_20210611: their acquisition intervals overlap"],
        ),
        (
            bands("'blue', 'green', 'red', 'nir', 'swir16'"),
            &["expected band 5 (swir16)", "0 pairs"],
        ),
        (
            bands("'blue', 'green'"),
            &["the file has 4 bands, of which the first 2 are named (blue green)"],
        ),
        (
            folder_of("", "").replace("scenes/*", "scene/*"),
            &["scene/*.tif: no file matches", "0 pairs"],
        ),
    ] {
        let said = foreseen(folder.path(), &inputs);
        for part in expected {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    declare(folder.path(), true);
    let said = foreseen(folder.path(), &folder_of("", ""));
    assert!(
        said.contains("a_20210601: it does not cover the site, but would if its latitude and longitude were swapped"),
        "{said}"
    );
}
