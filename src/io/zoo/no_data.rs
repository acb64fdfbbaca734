//! Values that mean no data, whoever states them, and what was never written.

use gdal::Metadata;

use super::*;

#[test]
fn every_type_has_its_values_and_its_no_data_value() {
    let shown = [
        Made::of(&[1_u8, 0, 3, 4, 5, 6, 7, 255], 0.0),
        Made::of(&[1_u16, 0, 3, 4, 5, 6, 7, 255], 0.0),
        Made::of(&[1_i16, -9999, 3, 4, 5, 6, 7, 255], -9999.0),
        Made::of(&[1_u32, u32::MAX, 3, 4, 5, 6, 7, 255], f64::from(u32::MAX)),
        Made::of(&[1_i32, i32::MIN, 3, 4, 5, 6, 7, 255], f64::from(i32::MIN)),
        Made::of(&[1_u64, 0, 3, 4, 5, 6, 7, 255], 0.0),
        Made::of(&[1_i64, -9999, 3, 4, 5, 6, 7, 255], -9999.0),
        Made::of(&[1_f32, f32::MIN, 3.0, 4.0, 5.0, 6.0, 7.0, 255.0], f64::from(f32::MIN)),
        Made::of(&[1_f32, f32::NAN, 3.0, 4.0, 5.0, 6.0, 7.0, 255.0], f64::NAN),
        Made::of(&[1_f64, -1.7e308, 3.0, 4.0, 5.0, 6.0, 7.0, 255.0], -1.7e308),
    ]
    .map(|made| made.shown());
    assert_eq!(shown, ["1 nodata 3 4 5 6 7 255"; 10]);
}

#[test]
fn what_a_narrower_type_cannot_hold_is_told_apart() {
    // These two are one 32-bit float.
    let near = Made::of(&[u32::MAX, u32::MAX - 1, 3, 4, 5, 6, 7, 8], f64::from(u32::MAX));
    assert_eq!(near.shown(), "nodata 4294967300 3 4 5 6 7 8");
    let signed = [("PIXELTYPE", "SIGNEDBYTE")];
    let signed = Made::tiff(&[&[1_u8, 0x80, 0xff, 4, 5, 6, 7, 8]], &signed, |dataset| {
        let mut band = dataset.rasterband(1).unwrap();
        band.set_no_data_value(Some(-128.0)).unwrap();
    });
    assert_eq!(signed.shown(), "1 nodata -1 4 5 6 7 8");
    let twelve = [("NBITS", "12"), ("COMPRESS", "DEFLATE")];
    let twelve = Made::tiff(&[&[1_u16, 0, 4095, 4, 5, 6, 7, 8]], &twelve, |dataset| {
        let mut band = dataset.rasterband(1).unwrap();
        band.set_no_data_value(Some(0.0)).unwrap();
    });
    assert_eq!(twelve.shown(), "1 nodata 4095 4 5 6 7 8");
    let half = Made::tiff(
        &[&[1_f32, f32::NAN, 0.5, 4.0, 5.0, 6.0, f32::INFINITY, 8.0]],
        &[("NBITS", "16")],
        |_| {},
    );
    assert_eq!(half.shown(), "1 nodata 0.5 4 5 6 invalid 8");
}

#[test]
fn values_that_a_type_cannot_hold_mean_nothing() {
    for nodata in [f64::NAN, -9999.0, 70_000.0, 2.5, f64::INFINITY] {
        let made = Made::of(&[1_u16, 2, 3, 4, 55_537, 6, 4464, 65_535], nodata);
        assert_eq!(made.shown(), "1 2 3 4 55537 6 4464 65535", "{nodata}");
    }
}

#[test]
fn all_who_state_a_value_are_heard() {
    let made = Made::of(&[0_u16, 1, 9999, 4, 5, 6, 7, 8], 0.0);
    assert_eq!(made.shown_with(1, &[9999.0], None), "nodata 1 nodata 4 5 6 7 8");
    let made = made.with_pam("<PAMRasterBand band='1'><NoDataValue>7</NoDataValue></PAMRasterBand>");
    assert_eq!(
        made.shown_with(1, &[9999.0, 8.0], None),
        "nodata 1 nodata 4 5 6 nodata nodata"
    );
}

#[test]
fn a_side_file_states_values_for_the_bands_that_it_names() {
    let made = Made::tiff(&[&ONE_TO_EIGHT[..]; 3], &[], |_| {})
        .with_pam("<PAMRasterBand band='2'><NoDataValue>2</NoDataValue></PAMRasterBand>");
    let shown = [1, 2, 3].map(|index| made.shown_with(index, &[], None));
    assert_eq!(shown, ["1 2 3 4 5 6 7 8", SHOWN, "1 2 3 4 5 6 7 8"]);
    let files = open::info(&made.path, USUAL).unwrap().files;
    assert_eq!(files, [made.path.clone(), made.folder.path().join("scene.tif.aux.xml")]);
    // Statistics harm nothing.
    let made = Made::of(&[1_u8, 2, 3, 4, 5, 6, 7, 8], 2.0).with_pam(
        "<PAMRasterBand band='1'><Histograms><HistItem><HistMin>1</HistMin><HistMax>8</HistMax><BucketCount>2</BucketCount>\
         <IncludeOutOfRange>0</IncludeOutOfRange><Approximate>0</Approximate><HistCounts>4|4</HistCounts></HistItem></Histograms>\
         <Metadata><MDI key='STATISTICS_MEAN'>4.5</MDI></Metadata></PAMRasterBand>",
    );
    assert_eq!(made.shown(), SHOWN);
    for (text, why) in [
        ("<PAMDataset", "it is not XML as GDAL writes it"),
        (
            "<PAMDataset><Metadata><MDI key='NODATA_VALUES'>0</MDI></Metadata></PAMDataset>",
            "NODATA_VALUES",
        ),
    ] {
        let told = Made::plain(|_| {}).beside(".aux.xml", text).shown();
        assert!(told.contains("scene.tif.aux.xml") && told.contains(why), "{told}");
    }
}

#[test]
fn values_that_mean_no_data_together_mask_where_all_bands_have_them() {
    let made = Made::tiff(
        &[&[9_u8, 9, 3, 4, 5, 6, 7, 8], &[1, 9, 3, 4, 5, 6, 7, 8]],
        &[],
        |dataset| {
            dataset.set_metadata_item("NODATA_VALUES", "9 9", "").unwrap();
        },
    );
    assert_eq!(made.shown(), "9 nodata 3 4 5 6 7 8");
    let together = |values: &'static str| {
        move |dataset: &mut Dataset| {
            dataset.set_metadata_item("NODATA_VALUES", values, "").unwrap();
        }
    };
    // They add up with a mask inside, of which GDAL shows one alone, and with a value of one band.
    for options in [&[][..], &[("INTERLEAVE", "BAND"), ("COMPRESS", "DEFLATE")]] {
        let bands: [&[i16]; 2] = [&[-9, 2, 3, 4, 5, 6, 7, 8], &[-8, -8, 3, 4, 5, 6, 7, 8]];
        let made = Made::tiff(&bands, options, |dataset| {
            together("-9 -8")(dataset);
            dataset.rasterband(1).unwrap().set_no_data_value(Some(8.0)).unwrap();
            mask(dataset, true, &[&ALL_BUT_SECOND]);
        });
        assert_eq!(made.shown(), "nodata nodata 3 4 5 6 7 nodata", "{options:?}");
    }
    let floats = [0.1_f32, f32::NAN, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let made = Made::tiff(&[&floats[..], &floats], &[], together("0.1 0.1"));
    assert_eq!(made.shown(), "nodata nodata 3 4 5 6 7 8");
    let bytes = ONE_TO_EIGHT.map(|byte| if byte == 1 { 200 } else { byte });
    let signed = Made::tiff(&[&bytes], &[("PIXELTYPE", "SIGNEDBYTE")], together("-56"));
    assert_eq!(signed.shown(), "nodata 2 3 4 5 6 7 8");
    // One value for two bands is none.
    let made = Made::tiff(&[&ONE_TO_EIGHT[..], &ONE_TO_EIGHT], &[], together("1"));
    assert_eq!(made.shown(), "1 2 3 4 5 6 7 8");
}

#[test]
fn blocks_that_were_never_written_are_no_data() {
    let size = (32, 16);
    crate::io::prepare();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scene.tif");
    let options = [
        ("SPARSE_OK", "TRUE"),
        ("TILED", "YES"),
        ("BLOCKXSIZE", "16"),
        ("BLOCKYSIZE", "16"),
    ];
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut dataset = driver
        .create_with_band_type_with_options::<u16, _>(&path, size.0, size.1, 1, &creation(&options))
        .unwrap();
    place(&mut dataset, &PLACE);
    let mut left = Buffer::new((16, 16), vec![7_u16; 256]);
    dataset
        .rasterband(1)
        .unwrap()
        .write((0, 0), (16, 16), &mut left)
        .unwrap();
    dataset.close().unwrap();
    let shown = Made { folder, path }.shown();
    let row = [["7"; 16], ["nodata"; 16]].concat();
    assert_eq!(shown.split(' ').take(32).collect::<Vec<_>>(), row);
}

#[test]
fn raw_pixels_and_jpeg_2000_have_their_no_data_values_and_masks() {
    let envi = Made::new("ENVI", SIZE, &[&ONE_TO_EIGHT[..]], &[], |dataset| {
        dataset.rasterband(1).unwrap().set_no_data_value(Some(8.0)).unwrap();
    });
    let mask = Made::tiff(&[&ALL_BUT_SECOND], &[], |_| {});
    let bytes = fs::read(&mask.path).unwrap();
    assert_eq!(envi.beside(".msk", &bytes).shown(), "1 nodata 3 4 5 6 7 nodata");
    let source = Made::plain(|_| {});
    let path = source.folder.path().join("scene.jp2");
    let driver = DriverManager::get_driver_by_name("JP2OpenJPEG").unwrap();
    let options = creation(&[("QUALITY", "100"), ("REVERSIBLE", "YES")]);
    let whole = open::open(&source.path, USUAL).unwrap();
    whole.create_copy(&driver, &path, &options).unwrap().close().unwrap();
    let jp2 = Made {
        path,
        folder: source.folder,
    };
    let jp2 = jp2.with_pam("<PAMRasterBand band='1'><NoDataValue>8</NoDataValue></PAMRasterBand>");
    assert_eq!(jp2.beside(".msk", &bytes).shown(), "1 nodata 3 4 5 6 7 nodata");
}
