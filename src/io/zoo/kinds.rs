//! What is no raster of measurements, or holds several, is refused or told by name.

use gdal::Metadata;
use gdal::raster::{ColorEntry, ColorInterpretation, ColorTable};

use super::*;

fn coloured(dataset: &mut Dataset) {
    let mut table = ColorTable::default();
    table.set_color_entry(1, &ColorEntry::rgba(0, 100, 0, 255));
    table.set_color_entry(8, &ColorEntry::rgba(0, 0, 200, 255));
    dataset.rasterband(1).unwrap().set_color_table(&table);
}

const CATEGORIES: &str = "<PAMRasterBand band='1'><CategoryNames><Category>none</Category><Category>tree cover</Category>\
                          </CategoryNames></PAMRasterBand>";

#[test]
fn pixels_that_are_no_measurements_are_refused_by_name() {
    let palette = Made::plain(coloured);
    let told = palette.shown();
    assert!(
        told.contains("table of colours") && told.contains("-expand rgb"),
        "{told}"
    );
    let table = "<PAMRasterBand band='1'><GDALRasterAttributeTable>\
         <FieldDefn index='0'><Name>Value</Name><Type>0</Type><Usage>5</Usage></FieldDefn>\
         <FieldDefn index='1'><Name>Class</Name><Type>2</Type><Usage>2</Usage></FieldDefn>\
         <Row index='0'><F>1</F><F>tree cover</F></Row></GDALRasterAttributeTable></PAMRasterBand>";
    // Many programs give the columns of their tables no use, and say of none that it is of classes.
    let unused = table.replace("<Usage>2</Usage>", "<Usage>0</Usage>");
    let thematic = unused.replace("Table>", "Table tableType='thematic'>").replace(
        "</GDALRasterAttributeTable tableType='thematic'>",
        "</GDALRasterAttributeTable>",
    );
    let layer = "<PAMRasterBand band='1'><Metadata><MDI key='LAYER_TYPE'>thematic</MDI></Metadata></PAMRasterBand>";
    for names in [CATEGORIES, table, &unused, &thematic, layer] {
        let told = Made::plain(|_| {}).with_pam(names).shown();
        assert!(told.contains("numbers of classes"), "{told}");
    }
    // A histogram, as programs leave it beside measurements.
    let histogram = "<PAMRasterBand band='1'><GDALRasterAttributeTable tableType='athematic'>\
         <FieldDefn index='0'><Name>Histogram</Name><Type>1</Type><Usage>1</Usage></FieldDefn>\
         <Row index='0'><F>12</F></Row></GDALRasterAttributeTable></PAMRasterBand>";
    assert_eq!(Made::plain(|_| {}).with_pam(histogram).shown(), "1 2 3 4 5 6 7 8");
    for code in [
        gdal_sys::GDALDataType::GDT_CInt16,
        gdal_sys::GDALDataType::GDT_CInt32,
        gdal_sys::GDALDataType::GDT_CFloat32,
        gdal_sys::GDALDataType::GDT_CFloat64,
    ] {
        let told = complex(code).shown();
        assert!(told.contains("complex numbers") && told.contains("amplitude"), "{told}");
    }
    for head in [&b"\x89HDF\r\n\x1a\n"[..], b"CDF\x01", b"\x0e\x03\x13\x01"] {
        let made = Made::plain(|_| {});
        fs::write(&made.path, [head, &[0; 64]].concat()).unwrap();
        let told = made.shown();
        assert!(
            told.contains("rasters inside") && told.contains("gdal_translate"),
            "{told}"
        );
    }
}

#[test]
fn a_file_of_several_rasters_is_told_and_a_preview_refused() {
    let behind = |size: (usize, usize)| {
        let made = Made::plain(|_| {});
        let pixels: Vec<u8> = vec![7; size.0 * size.1];
        let other = Made::new("GTiff", size, &[&pixels[..]], &[], |_| {});
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let options = creation(&[("APPEND_SUBDATASET", "YES")]);
        let whole = open::open(&other.path, USUAL).unwrap();
        whole
            .create_copy(&driver, &made.path, &options)
            .unwrap()
            .close()
            .unwrap();
        made
    };
    let page = behind((4, 2));
    assert_eq!(open::info(&page.path, USUAL).unwrap().pages, 2);
    assert_eq!(page.shown(), "1 2 3 4 5 6 7 8");
    let told = behind((40, 20)).shown();
    assert!(
        told.contains("the first, of 4 x 2 px, is smaller than one of 40 x 20 px")
            && told.contains("GTIFF_DIR:2:scene.tif"),
        "{told}"
    );
    // Overviews and masks are no rasters of their own.
    let masked = Made::plain(|dataset| mask(dataset, true, &[&ALL_BUT_SECOND]));
    assert_eq!(open::info(&masked.path, USUAL).unwrap().pages, 1);
}

#[test]
fn what_a_raster_calls_its_bands_is_known() {
    let made = Made::tiff(&[&ONE_TO_EIGHT[..]; 3], &[("PHOTOMETRIC", "MINISBLACK")], |dataset| {
        dataset.rasterband(1).unwrap().set_description("B4").unwrap();
        let mut band = dataset.rasterband(2).unwrap();
        band.set_color_interpretation(ColorInterpretation::BlueBand).unwrap();
    });
    let made = made.with_pam("<PAMRasterBand band='3'><Description>nir</Description></PAMRasterBand>");
    let called = open::info(&made.path, USUAL).unwrap().called;
    let told: Vec<_> = called
        .iter()
        .map(|band| (band.description.as_str(), band.colour))
        .collect();
    assert_eq!(told, [("B4", None), ("", Some("blue")), ("nir", None)]);
}

/// A raster of complex numbers.
fn complex(code: gdal_sys::GDALDataType::Type) -> Made {
    crate::io::prepare();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scene.tif");
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    // SAFETY: the driver is registered, the name lives as long as the call, and the handle is given to a dataset, which closes it.
    let mut dataset = unsafe {
        let driver = driver.c_driver();
        Dataset::from_c_dataset(gdal_sys::GDALCreate(
            driver,
            name.as_ptr(),
            4,
            2,
            1,
            code,
            std::ptr::null_mut(),
        ))
    };
    place(&mut dataset, &PLACE);
    dataset.close().unwrap();
    Made { folder, path }
}

#[test]
fn a_codec_that_gdal_lacks_is_named_with_another() {
    let made = Made::plain(|_| {});
    let mut bytes = fs::read(&made.path).unwrap();
    let whole = |bytes: &[u8]| bytes.iter().rev().fold(0, |all, byte| all << 8 | usize::from(*byte));
    let first = whole(&bytes[4..8]);
    let entries = (0..whole(&bytes[first..first + 2])).map(|entry| first + 2 + 12 * entry);
    let compression = entries
        .into_iter()
        .find(|at| whole(&bytes[*at..*at + 2]) == 259)
        .unwrap();
    // JPEG XL.
    bytes[compression + 8..compression + 10].copy_from_slice(&50_002_u16.to_le_bytes());
    fs::write(&made.path, bytes).unwrap();
    let told = made.shown();
    assert!(
        told.contains("packed by JXL, which") && told.contains("COMPRESS=DEFLATE"),
        "{told}"
    );
}

#[test]
fn a_quality_band_may_have_colours_names_and_a_value_for_nothing() {
    let made = Made::plain(|_| {});
    let coding = || Coding::Classes([(3, flags::CLOUD)].into());
    let told = |quality: &Made| made.shown_with(1, &[], Some((&quality.path, coding())));
    let quality = Made::plain(coloured).with_pam(CATEGORIES);
    assert_eq!(told(&quality), "1 2 cloud 4 5 6 7 8");
    let told_of_none = told(&complex(gdal_sys::GDALDataType::GDT_CInt16));
    assert!(told_of_none.contains("complex numbers"), "{told_of_none}");
    let quality = Made::of(&[0_u8, 255, 3, 0, 0, 0, 0, 0], 255.0);
    assert_eq!(told(&quality), "1 nodata cloud 4 5 6 7 8");
    // The item's word counts as the file's does.
    let quality = Made::of(&[0_u8, 255, 3, 0, 0, 0, 0, 0], 77.0);
    assert_eq!(told(&quality), "1 2 cloud 4 5 6 7 8");
    let stated = QualityAsset {
        path: quality.path.clone(),
        index: 1,
        coding: coding(),
        nodata: vec![0.0, 255.0],
        stated: None,
    };
    let mut judged = scene("a", "2020-01-01");
    (judged.bands[0].path, judged.quality) = (made.path.clone(), vec![stated]);
    assert_eq!(
        shown(&judged, &made.path, 10.0).as_deref(),
        Ok("1 nodata cloud 4 5 6 7 8")
    );
    // Programs state 0 so that clear ground is drawn transparent.
    let quality = Made::of(&[0_u8, 0, 3, 0, 0, 0, 0, 0], 0.0);
    assert_eq!(told(&quality), "1 2 cloud 4 5 6 7 8");
    let quality = Made::plain(|dataset| mask(dataset, true, &[&ALL_BUT_SECOND]));
    assert_eq!(told(&quality), "1 nodata cloud 4 5 6 7 8");
}
