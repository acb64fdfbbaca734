//! Where rasters lie: rows that run north, control points, side files.

use gdal::{Gcp, Metadata};

use super::*;

#[test]
fn rows_may_run_north_and_pixels_be_points() {
    let south_up = Made::plain(|dataset| {
        place(dataset, &[500_000.0, 10.0, 0.0, 4_999_980.0, 0.0, 10.0]);
    });
    assert_eq!(south_up.shown(), "5 6 7 8 1 2 3 4");
    let points = Made::plain(|dataset| {
        dataset.set_metadata_item("AREA_OR_POINT", "Point", "").unwrap();
    });
    assert_eq!(points.shown(), "1 2 3 4 5 6 7 8");
}

/// A raster that nothing but `finish` ties to the ground.
fn unplaced(finish: impl FnOnce(&mut Dataset)) -> Made {
    crate::io::prepare();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scene.tif");
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut dataset = driver.create_with_band_type::<u16, _>(&path, 4, 2, 1).unwrap();
    finish(&mut dataset);
    dataset.close().unwrap();
    Made { folder, path }
}

#[test]
fn what_is_tied_to_the_ground_by_points_or_polynomials_alone_is_refused_with_the_way() {
    let point = |pixel: f64, line: f64| Gcp {
        id: "p".into(),
        info: String::new(),
        pixel,
        line,
        x: 13.0 + pixel,
        y: 48.0 - line,
        z: 0.0,
    };
    let points = unplaced(|dataset| {
        let points = vec![point(0.0, 0.0), point(4.0, 0.5), point(0.3, 2.0), point(4.0, 2.0)];
        dataset.set_gcps(points, &SpatialRef::from_epsg(4326).unwrap()).unwrap();
    });
    let polynomials = unplaced(|dataset| {
        let coefficients = ["1"; 20].join(" ");
        let keys = ["LINE", "SAMP"]
            .map(|what| ["NUM", "DEN"].map(|part| (format!("{what}_{part}_COEFF"), coefficients.clone())));
        let numbers = ["LINE", "SAMP", "LAT", "LONG", "HEIGHT"]
            .map(|what| ["OFF", "SCALE"].map(|part| (format!("{what}_{part}"), "1".to_owned())));
        for (key, value) in keys.concat().into_iter().chain(numbers.concat()) {
            dataset.set_metadata_item(&key, &value, "RPC").unwrap();
        }
    });
    let nothing = unplaced(|_| {});
    let beside = unplaced(|_| {});
    fs::write(beside.path.with_extension("RPB"), "satId = \"WV02\";").unwrap();
    for (made, way) in [
        (points, "gdalwarp -tps"),
        (polynomials, "gdalwarp -rpc -to RPC_DEM="),
        (beside, "gdalwarp -rpc -to RPC_DEM="),
        (nothing, "nothing says where it lies"),
    ] {
        let told = made.shown();
        assert!(told.contains(way) && !told.contains("-a_ullr"), "{told}");
    }
}

#[test]
fn a_side_file_places_a_raster_that_does_not_and_contradicts_none() {
    let place = |left: f64| format!("<SRS>EPSG:32633</SRS><GeoTransform>{left}, 10, 0, 5000000, 0, -10</GeoTransform>");
    let placed = unplaced(|_| {}).with_pam(&place(500_000.0));
    assert_eq!(placed.shown(), ["0"; 8].join(" "));
    assert_eq!(
        Made::plain(|_| {}).with_pam(&place(500_000.0)).shown(),
        "1 2 3 4 5 6 7 8"
    );
    let moved = Made::plain(|_| {}).with_pam(&place(500_020.0)).shown();
    assert!(moved.contains("places the raster 2.0 px from where"), "{moved}");
    let scale = "<PAMRasterBand band='1'><Offset>0</Offset><Scale>0.2</Scale></PAMRasterBand>";
    // Of scales GDAL hands out a TIFF's own.
    let own = Made::plain(|dataset| dataset.rasterband(1).unwrap().set_scale(0.1).unwrap()).with_pam(scale);
    let none = Made::plain(|_| {}).with_pam(scale);
    let scales = [own, none].map(|made| open::info(&made.path, USUAL).unwrap().scales);
    assert_eq!(scales, [[[Some(0.1), None]], [[Some(0.2), None]]]);
}
