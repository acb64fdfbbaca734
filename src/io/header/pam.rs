//! What GDAL's side file (`.aux.xml`) says of a raster beside what the raster says itself.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};

use super::bands::{self, Called, Content, Scale};
use super::formats::{self, Format};
use super::open::{Opened, absolute};
use super::recognise::format_of;
use crate::intake;
use crate::io::IoError;
use crate::io::crs::Projector;
use crate::io::placement::Placement;

/// Larger ones are not read, bytes: GDAL makes a tree of it, and histograms of a hundred bands take half a MiB.
const MAX_BYTES: u64 = 2 << 20;

/// Two statements of where a raster lies that differ by less are one, pixels.
const SAME_PX: f64 = 0.05;

/// Turns GDAL's side files on for as long as it lives, in this thread alone.
struct SideFiles;

const KEY: &str = "GDAL_PAM_ENABLED";

impl SideFiles {
    fn on() -> gdal::errors::Result<Self> {
        gdal::config::set_thread_local_config_option(KEY, "YES")?;
        Ok(Self)
    }
}

impl Drop for SideFiles {
    fn drop(&mut self) {
        // It can fail for a key with a zero byte only.
        let _ = gdal::config::clear_thread_local_config_option(KEY);
    }
}

/// What a raster says of itself with its side file.
pub(super) struct Stated {
    /// The side file.
    pub file: PathBuf,
    /// No-data value of each band.
    pub nodata: Vec<Option<f64>>,
    /// What each band holds.
    pub content: Vec<Content>,
    /// What it calls each band.
    pub called: Vec<Called>,
    /// Scale and offset of each band.
    pub scales: Vec<Scale>,
    /// From pixels to the reference system.
    pub geotransform: Option<[f64; 6]>,
    /// Well-known text; empty where there is none.
    pub crs_wkt: String,
    /// Whether control points tie it to the ground.
    pub has_control_points: bool,
}

/// What the raster `path`, which is `opened` without it, says of itself with its side file, if one lies there.
///
/// # Errors
/// A side file that is too large or none of GDAL's; one that says what is not read.
pub(super) fn beside(path: &Path, formats: &[Format], opened: &Opened) -> Result<Option<Stated>, IoError> {
    let Some(side_file) = formats::first_file(path, [formats::appended(path, ".aux.xml")])? else {
        return Ok(None);
    };
    let refuse = |message: String| refused(&side_file, message);
    let text = intake::text(&side_file, MAX_BYTES).map_err(|error| refuse(error.problem.to_string()))?;
    if formats::root(&text.text) != Some("PAMDataset") || !is_xml(&text.text) {
        return Err(refuse("it is not XML as GDAL writes it (PAMDataset)".into()));
    }
    let whole = absolute(path).map_err(IoError::refused(path))?;
    let format = format_of(path, formats)?;
    let names = opened.files.iter().chain([&side_file]);
    let siblings: Vec<&str> = names.filter_map(|file| file.file_name()?.to_str()).collect();
    let failed = |error| IoError::gdal("opening", path, &error);
    let _on = SideFiles::on().map_err(failed)?;
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_READONLY | GdalOpenFlags::GDAL_OF_RASTER,
        allowed_drivers: Some(&[format.name()]),
        open_options: Some(format.options_with_pam()),
        sibling_files: Some(&siblings),
    };
    let dataset = Dataset::open_ex(&whole, options).map_err(failed)?;
    let values = |dataset: &Dataset| dataset.metadata_item("NODATA_VALUES", "");
    if values(&dataset) != values(&opened.dataset) {
        return Err(refuse(
            "it states NODATA_VALUES, values that mean no data together".into(),
        ));
    }
    let mut stated = Stated {
        file: side_file.clone(),
        nodata: Vec::new(),
        content: Vec::new(),
        called: Vec::new(),
        scales: Vec::new(),
        geotransform: dataset.geo_transform().ok(),
        crs_wkt: dataset.projection(),
        has_control_points: !dataset.gcps().is_empty(),
    };
    for index in 1..=dataset.raster_count() {
        let band = dataset.rasterband(index).map_err(failed)?;
        stated.nodata.push(band.no_data_value());
        stated.content.push(Content::of(&band));
        stated.called.push(Called::of(&band));
        stated.scales.push(bands::scale_of(&band));
    }
    Ok(Some(stated))
}

impl Stated {
    /// The scale and offset of band `index`, from 1: its `own`, or where it states none those that its raster has with the side file.
    ///
    /// # Errors
    /// Both state some, and they differ.
    pub fn scale(&self, index: usize, own: Scale) -> Result<Scale, IoError> {
        const NONE: Scale = [None, None];
        match (own, self.scales.get(index - 1).copied().unwrap_or_default()) {
            (NONE, other) | (other, NONE) => Ok(other),
            (own, beside) if own == beside => Ok(own),
            (own, beside) => {
                let [own, beside] = [own, beside].map(|[scale, offset]| [scale.unwrap_or(1.0), offset.unwrap_or(0.0)]);
                Err(refused(
                    &self.file,
                    format!(
                        "it states scale and offset {beside:?}, and the raster itself {own:?}, and only one can be right"
                    ),
                ))
            }
        }
    }

    /// Holds where the side file places a raster of so many columns and rows against where the raster places itself, `own`.
    ///
    /// # Errors
    /// It is placed elsewhere.
    pub fn check_place(&self, (width, height): (usize, usize), own: Placement) -> Result<(), IoError> {
        let Some(other) = &self.geotransform else {
            return Ok(());
        };
        let (right, bottom) = (width as f64, height as f64);
        let corners = [(0.0, 0.0), (right, 0.0), (0.0, bottom), (right, bottom)];
        let [x0, a, b, y0, c, d] = *own.geotransform;
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = corners
            .iter()
            .map(|(u, v)| (x0 + a * u + b * v, y0 + c * u + d * v))
            .unzip();
        if !self.crs_wkt.is_empty() && self.crs_wkt != own.crs_wkt {
            Projector::new(own.crs_wkt, &self.crs_wkt)?.project(&mut x, &mut y)?;
        }
        let [x0, a, b, y0, c, d] = *other;
        let determinant = a * d - b * c;
        let beside = corners.iter().zip(x.iter().zip(&y)).map(|((u, v), (x, y))| {
            let (x, y) = (x - x0, y - y0);
            ((d * x - b * y) / determinant - u).hypot((a * y - c * x) / determinant - v)
        });
        let most = beside.fold(0.0, f64::max);
        if most <= SAME_PX {
            return Ok(());
        }
        Err(refused(
            &self.file,
            format!("it places the raster {most:.1} px from where the raster places itself, and only one can be right"),
        ))
    }
}

fn refused(side_file: &Path, message: String) -> IoError {
    IoError::Open {
        path: side_file.to_owned(),
        message: format!("{message}; take it away, or write what is true into the raster itself with gdal_translate"),
    }
}

/// Whether `text` can be parsed as GDAL does: what it cannot parse it passes over without a word.
fn is_xml(text: &str) -> bool {
    let Ok(text) = CString::new(text) else {
        return false;
    };
    // SAFETY: the text ends with a zero and lives as long as the call; the tree is freed once, a null one too.
    unsafe {
        let tree = gdal_sys::CPLParseXMLString(text.as_ptr());
        let parsed = !tree.is_null();
        gdal_sys::CPLDestroyXMLNode(tree);
        parsed
    }
}
