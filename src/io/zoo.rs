//! A zoo of rasters as programs write them: each is read with the right pixels flagged and the right values, or refused by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gdal::raster::{Buffer, ColorEntry, ColorInterpretation, ColorTable, GdalType, RasterCreationOptions};
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, DriverManager, Gcp, Metadata};

use super::blocks::Blocks;
use super::formats::USUAL;
use super::mapping::tests::target;
use super::open;
use super::source::SceneSource;
use crate::geo::Grid;
use crate::raster::{PixelSource, flags};
use crate::scene::select::tests::{band, scene};
use crate::scene::{Coding, QualityAsset, Scene};

/// Columns and rows.
const SIZE: (usize, usize) = (4, 2);
const PLACE: [f64; 6] = [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0];
const ONE_TO_EIGHT: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A raster in a folder of its own.
struct Made {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Made {
    /// Of `bands` of `size`, written by GDAL's `driver` with `options`, `finish` before it is closed.
    fn new<T: GdalType + Copy>(
        driver: &str,
        size: (usize, usize),
        bands: &[&[T]],
        options: Pairs,
        finish: impl FnOnce(&mut Dataset),
    ) -> Self {
        super::prepare();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scene.tif");
        let driver = DriverManager::get_driver_by_name(driver).unwrap();
        // Drivers look for headers that they have just made: the program hides them.
        gdal::config::set_thread_local_config_option("GDAL_DISABLE_READDIR_ON_OPEN", "NO").unwrap();
        let mut dataset = driver
            .create_with_band_type_with_options::<T, _>(&path, size.0, size.1, bands.len(), &creation(options))
            .unwrap();
        place(&mut dataset, &PLACE);
        for (index, pixels) in bands.iter().enumerate() {
            let mut buffer = Buffer::new(size, pixels.to_vec());
            let mut band = dataset.rasterband(index + 1).unwrap();
            band.write((0, 0), size, &mut buffer).unwrap();
        }
        finish(&mut dataset);
        dataset.close().unwrap();
        gdal::config::clear_thread_local_config_option("GDAL_DISABLE_READDIR_ON_OPEN").unwrap();
        Self { folder, path }
    }

    /// A GeoTIFF.
    fn tiff<T: GdalType + Copy>(bands: &[&[T]], options: Pairs, finish: impl FnOnce(&mut Dataset)) -> Self {
        Self::new("GTiff", SIZE, bands, options, finish)
    }

    /// A GeoTIFF of one band, where `nodata` means no data.
    fn of<T: GdalType + Copy>(pixels: &[T], nodata: f64) -> Self {
        Self::tiff(&[pixels], &[("COMPRESS", "DEFLATE")], |dataset| {
            let mut band = dataset.rasterband(1).unwrap();
            band.set_no_data_value(Some(nodata)).unwrap();
        })
    }

    /// A GeoTIFF of the numbers from 1 on.
    fn plain(finish: impl FnOnce(&mut Dataset)) -> Self {
        Self::tiff(&[&ONE_TO_EIGHT], &[], finish)
    }

    /// With a file beside it, whose name is the raster's and `extension`.
    fn beside(self, extension: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(super::header::formats::appended(&self.path, extension), text).unwrap();
        self
    }

    /// With GDAL's side file.
    fn with_pam(self, text: &str) -> Self {
        self.beside(".aux.xml", format!("<PAMDataset>{text}</PAMDataset>"))
    }

    /// What is read of its first band.
    fn shown(&self) -> String {
        self.shown_with(1, &[], None)
    }

    /// What is read of band `index` by which `nodata` values mean no data, and what a `quality` band of it says.
    fn shown_with(&self, index: usize, nodata: &[f64], quality: Option<(&Path, Coding)>) -> String {
        let quality = quality.map(|(path, coding)| QualityAsset {
            nodata: Vec::new(),
            path: path.to_owned(),
            index: 1,
            coding,
            stated: None,
        });
        let mut band = band("red");
        (band.path, band.index, band.nodata) = (self.path.clone(), index, nodata.to_vec());
        let scene = Scene {
            bands: vec![band],
            quality: quality.into_iter().collect(),
            ..scene("a", "2020-01-01")
        };
        shown(&scene, &self.path, 10.0).unwrap_or_else(|error| error)
    }
}

/// Each pixel of `scene` on the grid of pixels of `pixel_m` metres that the raster at `path` fills: its value, or why there is none.
fn shown(scene: &Scene, path: &Path, pixel_m: f64) -> Result<String, String> {
    let mut infos = BTreeMap::new();
    let quality = scene.quality.iter().map(|asset| asset.path.as_path());
    for path in quality.chain([path]) {
        let info = open::info(path, USUAL).map_err(|error| error.to_string())?;
        infos.insert(path.to_owned(), info);
    }
    let info = &infos[path];
    let grid = Grid {
        crs: "EPSG:32633".into(),
        left_m: PLACE[0],
        top_m: PLACE[3],
        pixel_m,
        width: (info.width as f64 * 10.0 / pixel_m) as usize,
        height: (info.height as f64 * 10.0 / pixel_m) as usize,
    };
    let blocks = Arc::new(Blocks::new(Arc::default(), 0));
    let names = ["red".to_owned()];
    let source = SceneSource::new(scene, &target(&grid, 0), 0, &names, &infos, blocks);
    let stack = source.map_err(|error| error.to_string())?;
    let stack = stack.read(&grid.rect()).map_err(|error| error.to_string())?;
    let all = stack
        .flags
        .values()
        .iter()
        .zip(stack.quality.values())
        .map(|(a, b)| a | b);
    let pixels = stack.bands[0].iter().zip(all);
    let told = pixels.map(|(value, flag)| match flags::first_reason(flag) {
        None => value.to_string(),
        Some(reason) => reason.to_owned(),
    });
    Ok(told.collect::<Vec<_>>().join(" "))
}

fn creation(options: Pairs) -> RasterCreationOptions {
    let mut all = RasterCreationOptions::new();
    for (key, value) in options {
        all.set_name_value(key, value).unwrap();
    }
    all
}

fn place(dataset: &mut Dataset, transform: &[f64; 6]) {
    dataset.set_geo_transform(transform).unwrap();
    dataset.set_spatial_ref(&SpatialRef::from_epsg(32633).unwrap()).unwrap();
}

/// Gives all bands of `dataset` one mask, or each its own: 0 where there is no data. Inside the file, or beside it.
fn mask(dataset: &mut Dataset, is_inside: bool, masks: &[&[u8]]) {
    const KEY: &str = "GDAL_TIFF_INTERNAL_MASK";
    gdal::config::set_thread_local_config_option(KEY, if is_inside { "YES" } else { "NO" }).unwrap();
    let size = dataset.raster_size();
    for (index, pixels) in masks.iter().enumerate() {
        let mut band = dataset.rasterband(index + 1).unwrap();
        band.create_mask_band(masks.len() == 1).unwrap();
        let mut mask = band.open_mask_band().unwrap();
        mask.write((0, 0), size, &mut Buffer::new(size, pixels.to_vec()))
            .unwrap();
    }
    gdal::config::clear_thread_local_config_option(KEY).unwrap();
}

/// The bit of each pixel of a mask that leaves out the second.
const ALL_BUT_SECOND: [u8; 8] = [255, 0, 255, 255, 255, 255, 255, 255];
const SHOWN: &str = "1 nodata 3 4 5 6 7 8";

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
    super::prepare();
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
    super::prepare();
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

/// A raster that nothing but `finish` ties to the ground.
fn unplaced(finish: impl FnOnce(&mut Dataset)) -> Made {
    super::prepare();
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
