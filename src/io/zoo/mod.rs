//! A zoo of rasters as programs write them: each is read with the right pixels flagged and the right values, or refused by name.

mod kinds;
mod masks;
mod no_data;
mod placed;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gdal::raster::{Buffer, GdalType, RasterCreationOptions};
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, DriverManager};

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
