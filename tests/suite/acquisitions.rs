//! Pieces of one overpass, each in its own reference system and with its own cloud mask, are one date: what a mosaic by an independent program gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sitewatch::config::Config;
use sitewatch::finding::{Anomaly, SiteReport};
use sitewatch::geo::Rect;
use sitewatch::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
use sitewatch::plan::{inputs, plan_sites};

use super::common::{only_report, survey};
use super::places::{BANDS, EDGE, ground};

const PIXEL_M: f64 = 10.0;
const LEFT_TOP: [f64; 2] = [765_000.0, 5_000_000.0];
const CRS: &str = "EPSG:32631";
/// Columns of the western and the eastern tile; what was built lies on the eastern edge of the first.
const TILES: [std::ops::Range<usize>; 2] = [0..60, 40..100];
const DATES: [&str; 2] = ["2021-06-01", "2021-06-11"];
/// Clouds of each tile on the second date, columns and rows: each hides ground of the overlap that the other shows.
const CLOUDS: [Rect; 2] = [
    Rect {
        x: 30,
        y: 60,
        w: 26,
        h: 14,
    },
    Rect {
        x: 44,
        y: 78,
        w: 30,
        h: 10,
    },
];

fn is_cloud(tile: usize, date: usize, x: usize, y: usize) -> bool {
    date == 1 && CLOUDS[tile].contains(x as i64, y as i64)
}

/// Writes `bands` bands of `value` for the columns of a tile.
fn write(path: &Path, columns: &std::ops::Range<usize>, bands: usize, value: impl Fn(usize, usize, usize) -> f32) {
    let layout = Layout {
        width: columns.len(),
        height: EDGE,
        bands,
        data_type: DataType::U16,
        transform: [
            LEFT_TOP[0] + PIXEL_M * columns.start as f64,
            PIXEL_M,
            0.0,
            LEFT_TOP[1],
            0.0,
            -PIXEL_M,
        ],
        crs: CRS.into(),
        nodata: Some(0.0),
        compression: Compression::Deflate(1),
        block: 64,
    };
    let mut writer = GeoTiffWriter::create(path, layout).unwrap();
    let width = columns.len();
    for band in 0..bands {
        let all = (0..width * EDGE).map(|k| value(columns.start + k % width, k / width, band).round());
        writer
            .write(band + 1, &Rect::new(0, 0, width, EDGE), &all.collect::<Vec<f32>>())
            .unwrap();
    }
    writer.finish().unwrap();
}

fn warp(from: &[PathBuf], to: &Path, options: &[&str]) {
    let mut command = Command::new("gdalwarp");
    command
        .args(["-q", "-srcnodata", "0", "-dstnodata", "0"])
        .args(options)
        .args(from)
        .arg(to);
    assert!(command.status().unwrap().success(), "{command:?}");
}

/// An item of that name whose bands are in `name.tif` and whose scene classification is in `name_SCL.tif`.
fn item(name: &str, date: usize, second: usize) -> Value {
    let bands = BANDS.map(|band| json!({"name": band, "eo:common_name": band}));
    let assets = json!({
        "bands": {
            "href": format!("./{name}.tif"), "type": "image/tiff; application=geotiff", "roles": ["data"], "bands": bands,
            "data_type": "uint16", "nodata": 0, "raster:scale": 0.0001, "raster:offset": 0,
        },
        "scl": {"href": format!("./{name}_SCL.tif"), "type": "image/tiff; application=geotiff", "roles": ["data-mask"], "nodata": 0},
    });
    json!({
        "type": "Feature", "stac_version": "1.1.0", "id": name, "collection": "sentinel-2-l2a", "geometry": null, "links": [], "assets": assets,
        "properties": {
            "datetime": format!("{}T10:56:{second:02}Z", DATES[date]), "platform": "sentinel-2a", "instruments": ["msi"], "constellation": "sentinel-2",
            "s2:datatake_id": format!("GS2A_{}", DATES[date]), "s2:processing_baseline": "03.01",
        },
    })
}

/// The report on `items` in their order.
fn report(folder: &Path, items: &[Value], name: &str) -> SiteReport {
    report_of(folder, items, name, |_| {})
}

/// As [`report`], on the lattice of the tiles, of dates that are not moved onto each other: not a pixel is resampled.
fn as_they_lie(folder: &Path, items: &[Value], name: &str) -> SiteReport {
    report_of(folder, items, name, |config| {
        config.grid.crs = CRS.into();
        config.coregister.min_tie_points = usize::MAX;
    })
}

fn report_of(folder: &Path, items: &[Value], name: &str, change: impl FnOnce(&mut Config)) -> SiteReport {
    let catalogue = json!({"type": "FeatureCollection", "features": items});
    fs::write(folder.join(format!("{name}.json")), catalogue.to_string()).unwrap();
    let pipeline = folder.join(format!("{name}.toml"));
    let text = format!(
        "[inputs]\ndeclarations = ['declaration.geojson']\nstac = ['{name}.json']\n[screen]\ncloud_buffer_m = 0.0\n"
    );
    fs::write(&pipeline, text).unwrap();
    let out = folder.join(name);
    survey(&pipeline, &out, change);
    only_report(&out)
}

fn anomalies(report: &SiteReport) -> &[Anomaly] {
    let [comparison] = report.comparisons.as_slice() else {
        panic!("{} comparisons", report.comparisons.len())
    };
    &comparison.anomalies
}

/// Tiles of both dates in `folder`, the eastern one in `east_crs`, and mosaics of them by gdalwarp in which clouds are no data.
fn scenes(folder: &Path, east_crs: &str) {
    for date in 0..2 {
        let mut clear = Vec::new();
        for (tile, columns) in TILES.iter().enumerate() {
            let value = |x, y, band| ground(x, y, band, date);
            let class = |x, y, _| if is_cloud(tile, date, x, y) { 9.0 } else { 4.0 };
            let without = |x, y, band| {
                if is_cloud(tile, date, x, y) {
                    0.0
                } else {
                    value(x, y, band)
                }
            };
            let path = |what: &str| folder.join(format!("{date}{tile}{what}.tif"));
            write(&path(""), columns, BANDS.len(), value);
            write(&path("_SCL"), columns, 1, class);
            write(&path("_clear"), columns, BANDS.len(), without);
            clear.push(path("_clear"));
            if tile == 1 && east_crs != CRS {
                for (what, kernel) in [("", "cubic"), ("_SCL", "near")] {
                    fs::rename(path(what), path("_before")).unwrap();
                    warp(
                        &[path("_before")],
                        &path(what),
                        &["-t_srs", east_crs, "-tr", "10", "10", "-tap", "-r", kernel],
                    );
                }
            }
        }
        // Of several the last one is on top.
        clear.reverse();
        warp(&clear, &folder.join(format!("{date}whole.tif")), &[]);
        // Clear all over: what is cloud is no data already.
        write(
            &folder.join(format!("{date}whole_SCL.tif")),
            &(0..EDGE),
            1,
            |_, _, _| 4.0,
        );
    }
    let place = |x: f64, y: f64| {
        let way = sitewatch::io::crs::Projector::new(CRS, sitewatch::io::crs::WGS84).unwrap();
        let (mut x, mut y) = ([LEFT_TOP[0] + PIXEL_M * x], [LEFT_TOP[1] - PIXEL_M * y]);
        way.project(&mut x, &mut y).unwrap();
        [x[0], y[0]]
    };
    let ring = [
        place(8.0, 92.0),
        place(92.0, 92.0),
        place(92.0, 8.0),
        place(8.0, 8.0),
        place(8.0, 92.0),
    ];
    let declaration = json!({
        "type": "FeatureCollection",
        "declaration": {"id": "d", "party": "A", "agreement": "X", "issued": "2021-01-01"},
        "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"kind": "site", "id": "depot", "name": "depot"}}],
    });
    fs::write(folder.join("declaration.geojson"), declaration.to_string()).unwrap();
}

/// Items of the tiles of both dates.
fn tiles() -> Vec<Value> {
    let all = (0..4).map(|k| item(&format!("{}{}", k / 2, k % 2), k / 2, 10 + 14 * (k % 2)));
    all.collect()
}

#[test]
fn two_tiles_of_an_overpass_are_one_date_and_a_mosaic() {
    let folder = tempfile::tempdir().unwrap();
    scenes(folder.path(), CRS);
    let found = as_they_lie(folder.path(), &tiles(), "tiles");
    let mosaics = [item("0whole", 0, 10), item("1whole", 1, 10)];
    let expected = as_they_lie(folder.path(), &mosaics, "mosaics");
    let [before, after] = found.scenes.as_slice() else {
        panic!("{} dates", found.scenes.len())
    };
    assert_eq!([before.id.as_str(), after.id.as_str()], ["00+01", "10+11"]);
    assert_eq!(
        after.pieces.iter().map(|piece| piece.id.as_str()).collect::<Vec<_>>(),
        ["10", "11"]
    );
    assert_eq!(
        found.comparisons[0].coverage.observed_fraction,
        expected.comparisons[0].coverage.observed_fraction
    );
    // What both tiles call cloud is not observed, what one shows is.
    assert!((0.9..1.0).contains(&found.comparisons[0].coverage.observed_fraction));
    let essence = |report: &SiteReport| -> Vec<_> {
        let each = anomalies(report).iter();
        each.map(|one| (one.geometry.clone(), one.pixels, one.peak_sigma, one.verdict))
            .collect()
    };
    assert_eq!(anomalies(&expected).len(), 1);
    assert_eq!(essence(&found), essence(&expected));
    // Whatever the order of the catalogue, and of the names.
    let mut turned = tiles();
    turned.reverse();
    let again = as_they_lie(folder.path(), &turned, "turned");
    assert_eq!(
        serde_json::to_value(&again.comparisons).unwrap(),
        serde_json::to_value(&found.comparisons).unwrap()
    );
}

#[test]
fn tiles_of_two_zones_are_one_date_too() {
    let folder = tempfile::tempdir().unwrap();
    scenes(folder.path(), "EPSG:32632");
    let found = report(folder.path(), &tiles(), "tiles");
    let expected = report(
        folder.path(),
        &[item("0whole", 0, 10), item("1whole", 1, 10)],
        "mosaics",
    );
    let coverage = [&found, &expected].map(|report| report.comparisons[0].coverage.observed_fraction);
    assert!((coverage[0] - coverage[1]).abs() < 0.02, "{coverage:?}");
    let ([one], [other]) = (anomalies(&found), anomalies(&expected)) else {
        panic!(
            "{} and {} anomalies",
            anomalies(&found).len(),
            anomalies(&expected).len()
        )
    };
    // Within resampling: a rim of half a pixel around 14 x 14.
    let ratio = one.area_m2 / other.area_m2;
    assert!((0.85..1.18).contains(&ratio), "{} m2 of {}", one.area_m2, other.area_m2);
    let away = (0..2)
        .map(|axis| (one.centroid[axis] - other.centroid[axis]).abs())
        .fold(0.0, f64::max);
    assert!(away < 1e-4, "{:?} and {:?}", one.centroid, other.centroid);
}

#[test]
fn a_tile_that_is_coded_otherwise_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    scenes(folder.path(), CRS);
    // A tenth more of reflectance, as the offset of another processing.
    let more = |x, y, band| ground(x, y, band, 1) + 1000.0;
    write(&folder.path().join("11.tif"), &TILES[1], BANDS.len(), more);
    let found = as_they_lie(folder.path(), &tiles(), "tiles");
    let [comparison] = found.comparisons.as_slice() else {
        panic!("{} comparisons", found.comparisons.len())
    };
    let why = comparison.notes.join("; ");
    assert!(
        why.contains("the two dates are coded differently: in every band 11 is 0.1 more than"),
        "{why}"
    );
    assert!(comparison.anomalies.is_empty());
}

/// What is compared in folders of tiles, as `before after` by ids, and what is left out; each folder is a pattern.
fn planned(folder: &Path, patterns: &[&str]) -> (Vec<String>, Vec<String>) {
    let of = |pattern: &&str| {
        format!(
            "[[inputs.folder]]\nglob = '{pattern}'\nbands = ['{}']\ndate_pattern = '_(\\d{{8}})'\n",
            BANDS.join("', '")
        )
    };
    let folders: Vec<String> = patterns.iter().map(of).collect();
    let pipeline = folder.join("folders.toml");
    let text = format!("[inputs]\ndeclarations = ['declaration.geojson']\n{}", folders.concat());
    fs::write(&pipeline, text).unwrap();
    let config = Config::read(&pipeline).unwrap();
    let inputs = inputs::gather(&config).unwrap();
    let plan = plan_sites(&config, &inputs).remove(0).unwrap();
    let pairs = plan.pairs.iter();
    (
        pairs
            .map(|pair| format!("{} {}", pair.before.whole.id, pair.after.whole.id))
            .collect(),
        plan.refused
            .iter()
            .map(|one| format!("{}: {}", one.id, one.reason))
            .collect(),
    )
}

#[test]
fn folders_of_unknown_platforms_are_no_pieces_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    scenes(folder.path(), CRS);
    for tile in ["west", "east"] {
        fs::create_dir(folder.path().join(tile)).unwrap();
    }
    for (date, day) in ["20210601", "20210611"].into_iter().enumerate() {
        for (tile, name) in ["west", "east"].into_iter().enumerate() {
            let to = folder.path().join(name).join(format!("{name}_{day}.tif"));
            fs::copy(folder.path().join(format!("{date}{tile}.tif")), to).unwrap();
        }
    }
    let (together, _) = planned(folder.path(), &["*st/*_2021*.tif"]);
    assert_eq!(
        together,
        ["east-east_20210601+west-west_20210601 east-east_20210611+west-west_20210611"]
    );
    let (apart, _) = planned(folder.path(), &["west/*.tif", "east/*.tif"]);
    assert_eq!(apart.len(), 1);
    assert!(!apart[0].contains('+'), "{apart:?}");
    // Pixels of another size are those of another instrument, in one folder too.
    let coarse = ["-tr", "30", "30"];
    for day in ["20210601", "20210611"] {
        let from = folder.path().join(format!("east/east_{day}.tif"));
        warp(std::slice::from_ref(&from), &folder.path().join("other.tif"), &coarse);
        fs::rename(folder.path().join("other.tif"), from).unwrap();
    }
    let (apart, _) = planned(folder.path(), &["*st/*_2021*.tif"]);
    assert!(!apart[0].contains('+'), "{apart:?}");
}

#[test]
fn pixels_far_coarser_are_passed_over_by_name() {
    let folder = tempfile::tempdir().unwrap();
    scenes(folder.path(), CRS);
    fs::create_dir(folder.path().join("all")).unwrap();
    for (date, day) in ["20210601", "20210611"].into_iter().enumerate() {
        let to = folder.path().join(format!("all/fine_{day}.tif"));
        fs::copy(folder.path().join(format!("{date}whole.tif")), to).unwrap();
    }
    for day in ["20210608", "20210620"] {
        let to = folder.path().join(format!("all/coarse_{day}.tif"));
        warp(&[folder.path().join("0whole.tif")], &to, &["-tr", "250", "250"]);
    }
    let (pairs, refused) = planned(folder.path(), &["all/*.tif"]);
    assert_eq!(pairs, ["fine_20210601 fine_20210611"]);
    let told = "passed over: its pixels are 250 m, 25 times coarser than those of fine_20210611";
    assert_eq!(
        refused,
        [format!("coarse_20210608: {told}"), format!("coarse_20210620: {told}")]
    );
}
