//! Where things lie: a site, its scenes and its change give the same anomalies wherever on the globe they are.

use std::fs;
use std::path::Path;

use geo::{Distance, Geodesic, Point};
use serde_json::{Value, json};
use sitewatch::finding::SiteReport;
use sitewatch::geo::Rect;
use sitewatch::io::crs::{Projector, WGS84, utm_zone};
use sitewatch::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};

use super::common::{only_report, survey};

/// Edge of a scene, pixels.
pub(super) const EDGE: usize = 100;
/// The site leaves so many pixels of a scene on each side.
const MARGIN: usize = 10;
/// First row and column of what was built, and its edge, pixels.
const BUILT: (usize, usize, usize) = (30, 56, 14);
pub(super) const BANDS: [&str; 4] = ["blue", "green", "red", "nir"];

/// A number from 0 to 1 for each place.
fn noise(x: usize, y: usize, of: usize) -> f32 {
    let mut z = (x as u64) << 42 ^ (y as u64) << 21 ^ of as u64;
    for factor in [0xbf58_476d_1ce4_e5b9_u64, 0x94d0_49bb_1331_11eb] {
        z = (z ^ z >> 30).wrapping_mul(factor);
    }
    (z >> 40) as f32 / (1 << 24) as f32
}

/// Reflectance of ground with parcels, times ten thousand.
pub(super) fn ground(x: usize, y: usize, band: usize, date: usize) -> f32 {
    let (row, column, edge) = BUILT;
    let is_built = date == 1 && (row..row + edge).contains(&y) && (column..column + edge).contains(&x);
    let cover = [0.06, 0.08, 0.09, 0.28][band] * (0.6 + noise(x / 9, y / 9, 7 + band));
    let value = if is_built {
        [0.36, 0.38, 0.40, 0.44][band]
    } else {
        cover
    };
    1e4 * value * (1.0 + 0.03 * (noise(x, y, 50 + band) - 0.5)) + 20.0 * (noise(x, y, 100 + 10 * date + band) - 0.5)
}

/// Writes both dates of a raster of `width` columns, in which those of the ground begin at column `first`, all others being empty.
fn scenes(folder: &Path, crs: &str, transform: [f64; 6], width: usize, first: i64) {
    fs::create_dir_all(folder.join("scenes")).unwrap();
    for (date, day) in ["20210601", "20210611"].iter().enumerate() {
        let layout = Layout {
            width,
            height: EDGE,
            bands: BANDS.len(),
            data_type: DataType::U16,
            transform,
            crs: crs.into(),
            nodata: Some(0.0),
            compression: Compression::Deflate(1),
            block: 256,
        };
        let path = folder.join(format!("scenes/{day}.tif"));
        let mut writer = GeoTiffWriter::create(&path, layout).unwrap();
        for band in 0..BANDS.len() {
            // Around the earth and on.
            let parts = [(first, 0), (first + width as i64, 0), (first - width as i64, 0)];
            for (start, _) in parts {
                let (from, to) = (start.max(0), (start + EDGE as i64).min(width as i64));
                if from >= to || (width == EDGE && start != first) {
                    continue;
                }
                let columns = (to - from) as usize;
                let value = |k: usize| ground((from - start) as usize + k % columns, k / columns, band, date).round();
                let values: Vec<f32> = (0..columns * EDGE).map(value).collect();
                writer
                    .write(band + 1, &Rect::new(from, 0, columns, EDGE), &values)
                    .unwrap();
            }
        }
        writer.finish().unwrap();
    }
}

/// Writes the declaration of the site whose corners are `corners`, and the pipeline; the report of a run.
fn report(folder: &Path, corners: &[[f64; 2]]) -> SiteReport {
    let on = |x: f64| (x + 180.0).rem_euclid(360.0) - 180.0;
    let wide = corners
        .iter()
        .any(|a| corners.iter().any(|b| (on(a[0]) - on(b[0])).abs() > 180.0));
    let ring = |clip: &dyn Fn(f64) -> f64| -> Vec<[f64; 2]> {
        let mut ring: Vec<[f64; 2]> = corners.iter().map(|[x, y]| [clip(*x), *y]).collect();
        ring.push(ring[0]);
        ring
    };
    // Corners are those of a box: cut where RFC 7946 has it.
    let east = |x: f64| x.rem_euclid(360.0);
    let geometry = match wide {
        true => {
            json!({"type": "MultiPolygon", "coordinates": [[ring(&|x| east(x).min(180.0))], [ring(&|x| east(x).max(180.0) - 360.0)]]})
        }
        false => json!({"type": "Polygon", "coordinates": [ring(&on)]}),
    };
    report_on(folder, &geometry, "utm")
}

/// The report on the site of that `geometry`, on a grid in `crs`.
fn report_on(folder: &Path, geometry: &Value, crs: &str) -> SiteReport {
    let declaration = json!({
        "type": "FeatureCollection",
        "declaration": {"id": "d", "party": "A", "agreement": "X", "issued": "2021-01-01"},
        "features": [{"type": "Feature", "geometry": geometry, "properties": {"kind": "site", "id": "depot", "name": "depot"}}],
    });
    fs::write(folder.join("declaration.geojson"), declaration.to_string()).unwrap();
    let pipeline = folder.join("pipeline.toml");
    let text = "[inputs]\ndeclarations = ['declaration.geojson']\n[[inputs.folder]]\nglob = 'scenes/*.tif'\n\
         bands = ['blue', 'green', 'red', 'nir']\ndate_pattern = '(\\d{8})'\nscale = 0.0001\n";
    fs::write(&pipeline, text).unwrap();
    let out = folder.join("out");
    survey(&pipeline, &out, |config| config.grid.crs = crs.into());
    only_report(&out)
}

/// Holds `report` to what was built at `middle`, of `area_m2`.
fn check(what: &str, report: &SiteReport, middle: [f64; 2], area_m2: f64, pixel_m: f64) {
    let [comparison] = report.comparisons.as_slice() else {
        panic!("{what}: {:?}", report.scenes)
    };
    assert!(
        comparison.coverage.observed_fraction > 0.999,
        "{what}: {:?}",
        comparison.coverage
    );
    let anomalies = &comparison.anomalies;
    let [found] = anomalies.as_slice() else {
        panic!("{what}: {} anomalies", anomalies.len())
    };
    let point = |at: [f64; 2]| Point::new(at[0], at[1]);
    let away_m = Geodesic.distance(point(found.centroid), point(middle));
    // Resampled ground differs by a row or column at the rim.
    assert!(
        away_m < 2.0 * pixel_m,
        "{what}: {away_m} m from {middle:?}, {:?}",
        found.centroid
    );
    // Pixels that mix both count or do not: a rim of up to one on each side, or half of one.
    let ratio = found.area_m2 / area_m2;
    assert!((0.8..1.4).contains(&ratio), "{what}: {} m2 of {area_m2}", found.area_m2);
    let parts = &found.geometry.coordinates;
    assert!(
        parts.iter().flatten().flatten().all(|[x, _]| x.abs() <= 180.0),
        "{what}: {parts:?}"
    );
}

/// Corners of the box of pixels from `from` to `to`, and its middle, by `place`.
fn box_of(place: &dyn Fn(f64, f64) -> [f64; 2], from: (f64, f64), to: (f64, f64)) -> ([[f64; 2]; 4], [f64; 2]) {
    let corners = [(from.0, to.1), (to.0, to.1), (to.0, from.1), (from.0, from.1)];
    (
        corners.map(|(x, y)| place(x, y)),
        place((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0),
    )
}

/// The site on a scene of which pixel (x, y) lies at `place`, and the middle of what was built.
fn site(place: &dyn Fn(f64, f64) -> [f64; 2]) -> ([[f64; 2]; 4], [f64; 2]) {
    let (margin, edge) = (MARGIN as f64, (EDGE - MARGIN) as f64);
    let (row, column, built) = (BUILT.0 as f64, BUILT.1 as f64, BUILT.2 as f64);
    let (corners, _) = box_of(place, (margin, margin), (edge, edge));
    let (_, middle) = box_of(place, (column, row), (column + built, row + built));
    (corners, middle)
}

fn on_globe(longitude: f64) -> f64 {
    (longitude + 180.0).rem_euclid(360.0) - 180.0
}

#[test]
fn degrees_may_be_counted_from_anywhere() {
    const STEP: f64 = 1e-4;
    const TOP: f64 = -16.8;
    let metres = |degrees: f64| 111_320.0 * degrees;
    let area = (BUILT.2 as f64 * metres(STEP)).powi(2) * f64::to_radians(TOP).cos();
    // Where the western edge of the scene lies, and as the raster counts it.
    for (left, counted) in [
        (3.0, 3.0),
        (-74.0, -74.0),
        (-74.0, 286.0),
        (3.0, 363.0),
        (179.995, 179.995),
        (179.995, -180.005),
        (-180.0, 180.0),
        (-0.004, 359.996),
        (-0.004, -0.004),
        (5.9963, 5.9963),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let transform = [counted, STEP, 0.0, TOP, 0.0, -STEP];
        scenes(folder.path(), "EPSG:4326", transform, EDGE, 0);
        let place = |x: f64, y: f64| [on_globe(left + STEP * x), TOP - STEP * y];
        let (corners, middle) = site(&place);
        let what = format!("{left} counted as {counted}");
        check(&what, &report(folder.path(), &corners), middle, area, metres(STEP));
    }
}

#[test]
fn a_raster_around_the_earth_may_begin_in_the_site() {
    const STEP: f64 = 0.01;
    const TOP: f64 = 0.5;
    let width = (360.0 / STEP) as usize;
    let metres = 111_320.0 * STEP;
    let area = (BUILT.2 as f64 * metres).powi(2);
    for (left, counted_from) in [(179.5, -180.0), (-0.55, 0.0)] {
        let folder = tempfile::tempdir().unwrap();
        let first = (f64::rem_euclid(left - counted_from, 360.0) / STEP).round() as i64;
        scenes(
            folder.path(),
            "EPSG:4326",
            [counted_from, STEP, 0.0, TOP, 0.0, -STEP],
            width,
            first,
        );
        let place = |x: f64, y: f64| [on_globe(left + STEP * x), TOP - STEP * y];
        let (corners, middle) = site(&place);
        let what = format!("{left} of a raster from {counted_from}");
        check(&what, &report(folder.path(), &corners), middle, area, metres);
    }
}

#[test]
fn zones_latitudes_and_the_antimeridian_change_nothing() {
    const PIXEL_M: f64 = 10.0;
    let area = (BUILT.2 as f64 * PIXEL_M).powi(2);
    // The scene's zone is that of its middle, or that beside it.
    for (longitude, latitude, zone) in [
        (3.0, 45.0, None),
        (-74.3, -8.4, None),
        (5.998, 60.5, Some("EPSG:32631")),
        (6.002, 45.0, Some("EPSG:32631")),
        (180.0, -17.0, Some("EPSG:32760")),
        (-179.999, 10.0, Some("EPSG:32660")),
        (179.998, 66.0, Some("EPSG:32601")),
        (20.0, 84.99, None),
        (-101.0, -84.9, None),
        // Landsat's south is counted from the equator.
        (-74.3, -8.4, Some("EPSG:32618")),
    ] {
        let crs = zone.map_or_else(|| utm_zone(longitude, latitude), str::to_owned);
        let (mut x, mut y) = ([longitude], [latitude]);
        Projector::new(WGS84, &crs).unwrap().project(&mut x, &mut y).unwrap();
        let half = PIXEL_M * EDGE as f64 / 2.0;
        let (left, top) = ((x[0] - half).round(), (y[0] + half).round());
        let folder = tempfile::tempdir().unwrap();
        scenes(folder.path(), &crs, [left, PIXEL_M, 0.0, top, 0.0, -PIXEL_M], EDGE, 0);
        let back = Projector::new(&crs, WGS84).unwrap();
        let place = |column: f64, row: f64| {
            let (mut x, mut y) = ([left + PIXEL_M * column], [top - PIXEL_M * row]);
            back.project(&mut x, &mut y).unwrap();
            [x[0], y[0]]
        };
        let (corners, middle) = site(&place);
        let what = format!("{longitude}, {latitude} in {crs}");
        check(&what, &report(folder.path(), &corners), middle, area, PIXEL_M);
    }
}

#[test]
fn a_site_may_hold_a_pole() {
    const PIXEL_M: f64 = 10.0;
    let half = PIXEL_M * EDGE as f64 / 2.0;
    let back = Projector::new("EPSG:3031", WGS84).unwrap();
    let place = |column: f64, row: f64| {
        let (mut x, mut y) = ([PIXEL_M * column - half], [half - PIXEL_M * row]);
        back.project(&mut x, &mut y).unwrap();
        [x[0], y[0]]
    };
    let (row, column, built) = (BUILT.0 as f64, BUILT.1 as f64, BUILT.2 as f64);
    let middle = place(column + built / 2.0, row + built / 2.0);
    // A metre of the map is 1.028 m on the ground there.
    let area = (BUILT.2 as f64 * PIXEL_M * 1.028).powi(2);
    let band = |west: f64, east: f64| {
        json!([[
            [west, -90.0],
            [east, -90.0],
            [east, -89.9962],
            [west, -89.9962],
            [west, -90.0]
        ]])
    };
    let whole = json!({"type": "Polygon", "coordinates": band(-180.0, 180.0)});
    let halves = json!({"type": "MultiPolygon", "coordinates": [band(-180.0, 0.0), band(0.0, 180.0)]});
    for (what, geometry, crs) in [
        ("whole", &whole, "EPSG:3031"),
        ("halves", &halves, "EPSG:3031"),
        ("whole, UTM", &whole, "utm"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        scenes(
            folder.path(),
            "EPSG:3031",
            [-half, PIXEL_M, 0.0, half, 0.0, -PIXEL_M],
            EDGE,
            0,
        );
        let report = report_on(folder.path(), geometry, crs);
        check(what, &report, middle, area, PIXEL_M);
        // A circle of 424 m.
        assert!(
            (report.site.area_m2 / 565_000.0 - 1.0).abs() < 0.01,
            "{what}: {} m2",
            report.site.area_m2
        );
    }
}
