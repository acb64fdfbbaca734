//! Masks inside and beside files, alpha, and what lies under a coarse pixel.

use gdal::raster::ColorInterpretation;

use super::*;

#[test]
fn masks_in_the_file_and_beside_it_count() {
    let numbers = &ONE_TO_EIGHT[..];
    for is_inside in [true, false] {
        for options in [
            &[][..],
            &[("COMPRESS", "DEFLATE")],
            &[("COMPRESS", "LERC"), ("INTERLEAVE", "BAND")],
        ] {
            let made = Made::tiff(&[numbers, numbers], options, |dataset| {
                mask(dataset, is_inside, &[&ALL_BUT_SECOND]);
            });
            let shown = [1, 2].map(|index| made.shown_with(index, &[], None));
            assert_eq!(shown, [SHOWN; 2], "inside: {is_inside}, {options:?}");
            let files = open::info(&made.path, USUAL).unwrap().files.len();
            assert_eq!(files, if is_inside { 1 } else { 2 });
        }
    }
    // JPEG loses nothing of one value.
    let made = Made::tiff(&[&[100_u8; 8]], &[("COMPRESS", "JPEG")], |dataset| {
        mask(dataset, true, &[&ALL_BUT_SECOND]);
    });
    assert_eq!(made.shown(), "100 nodata 100 100 100 100 100 100");
    // A no-data value holds beside a mask, which GDAL asks first.
    let made = Made::plain(|dataset| {
        dataset.rasterband(1).unwrap().set_no_data_value(Some(8.0)).unwrap();
        mask(dataset, true, &[&ALL_BUT_SECOND]);
    });
    assert_eq!(made.shown(), "1 nodata 3 4 5 6 7 nodata");
}

#[test]
fn each_band_may_have_a_mask_of_its_own() {
    let numbers = &ONE_TO_EIGHT[..];
    let all = [255; 8];
    let made = Made::tiff(&[numbers, numbers], &[], |dataset| {
        mask(dataset, false, &[&all, &ALL_BUT_SECOND]);
    });
    let shown = [1, 2].map(|index| made.shown_with(index, &[], None));
    assert_eq!(shown, ["1 2 3 4 5 6 7 8", SHOWN]);
}

#[test]
fn a_mask_beside_that_is_none_refuses_the_raster() {
    let other = Made::new("GTiff", (3, 2), &[&[255_u8; 6][..]], &[], |_| {});
    let wide = Made::tiff(&[&[255_u16; 8]], &[], |_| {});
    for (bytes, why) in [
        (fs::read(&other.path).unwrap(), "no mask of it: expected 4 x 2 px"),
        (
            fs::read(&wide.path).unwrap(),
            "no mask of it: expected 4 x 2 px of bytes",
        ),
        (b"Mask: none".to_vec(), "it is text"),
    ] {
        let told = Made::plain(|_| {}).beside(".msk", bytes).shown();
        assert!(told.contains("scene.tif.msk") && told.contains(why), "{told}");
    }
}

#[test]
fn a_cloud_optimised_file_with_overviews_has_its_mask() {
    let size = (600, 600);
    let pixels: Vec<u16> = (0..size.0 * size.1).map(|at| 1 + (at % 600) as u16).collect();
    let valid: Vec<u8> = (0..size.0 * size.1).map(|at| if at == 1 { 0 } else { 255 }).collect();
    let source = Made::new("GTiff", size, &[&pixels[..]], &[("TILED", "YES")], |dataset| {
        mask(dataset, true, &[&valid]);
    });
    let path = source.folder.path().join("cog.tif");
    let driver = DriverManager::get_driver_by_name("COG").unwrap();
    let whole = open::open(&source.path, USUAL).unwrap();
    let copied = whole.create_copy(&driver, &path, &creation(&[("COMPRESS", "DEFLATE")]));
    copied.unwrap().close().unwrap();
    let made = Made {
        path,
        folder: source.folder,
    };
    let shown = made.shown();
    let first: Vec<&str> = shown.split(' ').collect();
    assert_eq!(first[..4], ["1", "nodata", "3", "4"]);
    assert_eq!(first.iter().filter(|told| **told == "nodata").count(), 1);
}

#[test]
fn alpha_masks_where_it_is_nothing() {
    let alpha = |dataset: &mut Dataset| {
        let mut band = dataset.rasterband(2).unwrap();
        band.set_color_interpretation(ColorInterpretation::AlphaBand).unwrap();
    };
    let bytes = Made::tiff(
        &[&ONE_TO_EIGHT, &[1, 0, 255, 128, 255, 255, 255, 255]],
        &[("ALPHA", "YES")],
        alpha,
    );
    let numbers: [u16; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
    let wide: [u16; 8] = [256, 0, 65_535, 1, 65_535, 65_535, 65_535, 65_535];
    let wide = Made::tiff(&[&numbers, &wide], &[("ALPHA", "YES")], alpha);
    assert_eq!([bytes.shown(), wide.shown()], [SHOWN; 2]);
    let other: [u16; 8] = [9, 9, 9, 9, 9, 9, 9, 0];
    let first: [u16; 8] = [9, 0, 9, 9, 9, 9, 9, 9];
    let two = Made::tiff(&[&numbers, &first, &other], &[("ALPHA", "NO")], |dataset| {
        for index in [2, 3] {
            let mut band = dataset.rasterband(index).unwrap();
            band.set_color_interpretation(ColorInterpretation::AlphaBand).unwrap();
        }
    });
    assert_eq!(two.shown(), "1 nodata 3 4 5 6 7 nodata");
    // The item may list it as a band: then it is one.
    assert_eq!(bytes.shown_with(2, &[], None), "1 0 255 128 255 255 255 255");
}

#[test]
fn a_coarse_pixel_is_no_observation_where_any_of_its_samples_is_none() {
    let size = (24, 12);
    let mut pixels = vec![5_f32; size.0 * size.1];
    // In the corners of three pixels of 60 m: a no-data value, what is masked, and no number.
    let [nodata, masked, nan] = [0, 24 + 11, 24 * 11 + 12];
    (pixels[nodata], pixels[nan]) = (0.0, f32::NAN);
    let mut valid = vec![255_u8; pixels.len()];
    valid[masked] = 0;
    let made = Made::new("GTiff", size, &[&pixels[..]], &[], |dataset| {
        dataset.rasterband(1).unwrap().set_no_data_value(Some(0.0)).unwrap();
        mask(dataset, true, &[&valid]);
    });
    let mut scene = scene("a", "2020-01-01");
    scene.bands[0].path = made.path.clone();
    let expected = "nodata nodata 5 5 5 5 nodata 5";
    assert_eq!(shown(&scene, &made.path, 60.0).as_deref(), Ok(expected));
}
