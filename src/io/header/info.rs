//! What a raster file says of itself: size, place, and what its bands hold.

use std::path::{Path, PathBuf};

use gdal::Dataset;

use super::bands::{self, Called, Content, Mask, Scale};
use super::formats::Format;
use super::open::{Opened, open_plausible};
use super::pam::Stated;
use super::{masks, pam, place};
use crate::io::placement::Placement;
use crate::io::tiff::{self, Pages};
use crate::io::{IoError, crs, plain, stored};
use crate::scene::statement;

/// What a raster file says of itself, without reading a pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct RasterInfo {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bands.
    pub bands: usize,
    /// Affine transform from pixels to the CRS.
    pub geotransform: [f64; 6],
    /// The CRS as well-known text.
    pub crs_wkt: String,
    /// What each band holds.
    pub content: Vec<Content>,
    /// The values of each band that mean no data, as the file or GDAL's side file states them.
    pub nodata: Vec<Vec<f64>>,
    /// What else says which of its pixels are none.
    pub masks: Vec<Mask>,
    /// How the pixels are stored, as STAC has it: `uint16`, `float32`.
    pub data_type: String,
    /// Scale and offset of each band, where the file states them.
    pub scales: Vec<Scale>,
    /// What the file calls each band.
    pub called: Vec<Called>,
    /// Rasters that the file holds one behind the other, of which this is the first.
    pub pages: usize,
    /// Whether the pixels are floating point.
    pub float: bool,
    /// Whether its bytes are signed, which GDAL before 3.7 hands out as if they were not.
    pub has_signed_bytes: bool,
    /// Bytes of a pixel as it is kept once it is decoded.
    pub kept_bytes: usize,
    /// Block of the first band, columns x rows.
    pub block: (usize, usize),
    /// The files that it is read from: itself, then its side files, as its format has them, then GDAL's (`.aux.xml`) and a mask (`.msk`).
    pub files: Vec<PathBuf>,
    /// Bytes of its largest block, unpacked, with all bands that come with it.
    pub block_bytes: usize,
    /// Bands whose pixels lie in one block.
    pub bands_in_block: usize,
    /// Bytes that an open handle holds before anything is read.
    pub header_bytes: usize,
}

/// The point (`x`, `y`) of the CRS in pixels of a raster of that `geotransform`.
pub fn to_pixel(geotransform: &[f64; 6], x: f64, y: f64) -> (f64, f64) {
    let [x0, a, b, y0, c, d] = *geotransform;
    let (u, v, determinant) = (x - x0, y - y0, a * d - b * c);
    ((d * u - b * v) / determinant, (a * v - c * u) / determinant)
}

impl RasterInfo {
    /// The point (`x`, `y`) of its CRS, pixels.
    pub fn to_pixel(&self, x: f64, y: f64) -> (f64, f64) {
        to_pixel(&self.geotransform, x, y)
    }

    /// Where its pixels lie on the ground.
    pub fn placement(&self) -> Placement<'_> {
        Placement {
            geotransform: &self.geotransform,
            crs_wkt: &self.crs_wkt,
        }
    }

    /// Whether its pixels lie on the ground where those of `other` do.
    pub fn lies_as(&self, other: &Self) -> bool {
        let place = |info: &Self| (info.width, info.height, info.geotransform);
        place(self) == place(other) && self.crs_wkt == other.crs_wkt
    }

    /// What band `index` holds.
    ///
    /// # Errors
    /// There is no such band.
    pub fn find_band(&self, index: usize) -> Result<Content, String> {
        let found = index.checked_sub(1).and_then(|at| self.content.get(at));
        found.copied().ok_or_else(|| {
            format!(
                "expected a band {index}, found {} bands; check the scene's band list",
                self.bands
            )
        })
    }

    /// Looks whether band `index` is there and can be compared.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub fn check_band(&self, index: usize) -> Result<(), String> {
        match self.find_band(index)?.refused() {
            None => Ok(()),
            Some(why) => Err(format!("band {index} of the file {why}")),
        }
    }

    /// Looks whether band `index` is there and can say something of pixels: colours and names of its values are usual.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub fn check_quality(&self, index: usize) -> Result<(), String> {
        match self.find_band(index)? {
            Content::Complex => Err(format!(
                "band {index} of the file holds complex numbers; name the band of quality"
            )),
            Content::Numbers | Content::Alpha | Content::Palette | Content::Classes => Ok(()),
        }
    }

    /// The bands that tell how opaque pixels are.
    pub fn alphas(&self) -> impl Iterator<Item = usize> {
        bands::alphas(&self.content)
    }
}

/// What `path` says of itself.
///
/// # Errors
/// As [`open`](super::open::open); a raster without size, CRS or transform; a size that the file cannot hold; a side file that says what is not
/// read.
pub fn info(path: &Path, formats: &[Format]) -> Result<RasterInfo, IoError> {
    let opened = open_plausible(path, formats)?;
    let dataset = &opened.dataset;
    let (width, height) = dataset.raster_size();
    let stated = pam::beside(path, formats, &opened)?;
    let stated = stated.as_ref();
    let pages = pages(path, &opened)?;
    let said = BandsSaid::of(dataset, path, stated)?;
    let (geotransform, crs_wkt) = place_on_earth(dataset, path, stated)?;
    let masks = masks::of(path, &opened, pages.has_mask, &said.content)?;
    let beside = masks.all.iter().filter_map(Mask::file);
    let files = opened
        .files
        .iter()
        .chain(stated.map(|stated| &stated.file))
        .chain(beside);
    let files = files.cloned().collect();
    let first = dataset
        .rasterband(1)
        .map_err(|error| IoError::refused(path)(plain(&error)))?;
    let (data_type, has_signed_bytes) = (first.band_type(), bands::has_signed_bytes(&first));
    Ok(RasterInfo {
        width,
        height,
        bands: dataset.raster_count(),
        geotransform,
        crs_wkt,
        content: said.content,
        nodata: said.nodata,
        data_type: match data_type.name().to_ascii_lowercase() {
            _ if has_signed_bytes => "int8".into(),
            name if name == "byte" => "uint8".into(),
            name => name,
        },
        scales: said.scales,
        called: said.called,
        pages: pages.count.max(1),
        float: data_type.is_floating(),
        has_signed_bytes,
        kept_bytes: if has_signed_bytes {
            2
        } else {
            stored::kept_bytes(data_type)
        },
        block: first.block_size(),
        files,
        block_bytes: opened.bulk.block.max(masks.block_bytes),
        masks: masks.all,
        bands_in_block: opened.bulk.bands,
        header_bytes: opened.bulk.header,
    })
}

/// Which rasters the file `path` holds beside the first; none of a file that is no TIFF.
///
/// # Errors
/// The first is smaller than another.
fn pages(path: &Path, opened: &Opened) -> Result<Pages, IoError> {
    if opened.tiff.is_none() {
        return Ok(Pages::default());
    }
    let pages = tiff::look_through(path)?;
    let (width, height) = opened.dataset.raster_size();
    let (columns, rows) = pages.largest;
    if pages.count > 1 && columns.saturating_mul(rows) > width as u64 * height as u64 {
        return Err(IoError::refused(path)(format!(
            "it holds {} rasters one behind the other, and the first, of {width} x {height} px, is smaller than one of {columns} x {rows} px: a \
             preview? Make a GeoTIFF of the one that is wanted with gdal_translate GTIFF_DIR:2:{} (or 3, 4, ...)",
            pages.count,
            path.file_name().unwrap_or_default().display()
        )));
    }
    Ok(pages)
}

/// What a raster and its side file say of each band.
#[derive(Default)]
struct BandsSaid {
    nodata: Vec<Vec<f64>>,
    content: Vec<Content>,
    scales: Vec<Scale>,
    called: Vec<Called>,
}

impl BandsSaid {
    /// Of `dataset`, which is the file `path`, and `stated` by its side file.
    ///
    /// # Errors
    /// Both state a scale, and they differ.
    fn of(dataset: &Dataset, path: &Path, stated: Option<&Stated>) -> Result<Self, IoError> {
        let mut said = Self::default();
        for index in 1..=dataset.raster_count() {
            let band = dataset
                .rasterband(index)
                .map_err(|error| IoError::refused(path)(plain(&error)))?;
            let besides = stated.and_then(|stated| *stated.nodata.get(index - 1)?);
            let mut values = Vec::new();
            let stated_values = [band.no_data_value(), besides].into_iter().flatten();
            stated_values.for_each(|value| statement::add(&mut values, value));
            said.nodata.push(values);
            let besides = stated.and_then(|stated| stated.content.get(index - 1).copied());
            said.content.push(match Content::of(&band) {
                Content::Numbers => besides.unwrap_or(Content::Numbers),
                own => own,
            });
            let own = bands::scale_of(&band);
            said.scales.push(match stated {
                Some(stated) => stated.scale(index, own)?,
                None => own,
            });
            // GDAL has what the side file says beside what the raster itself does.
            let besides = stated.and_then(|stated| stated.called.get(index - 1).cloned());
            said.called.push(besides.unwrap_or_else(|| Called::of(&band)));
        }
        Ok(said)
    }
}

/// How `dataset`, which is the file `path`, lies on the ground, by itself and as `stated` by its side file.
///
/// # Errors
/// It lies nowhere, its CRS is none of this earth or names a file, or the side file places it elsewhere.
fn place_on_earth(dataset: &Dataset, path: &Path, stated: Option<&Stated>) -> Result<([f64; 6], String), IoError> {
    let refuse = IoError::refused(path);
    let (geotransform, crs_wkt) = place::of(dataset, path, stated)?;
    if let Some(named) = crs::names_a_file(&crs_wkt) {
        return Err(refuse(format!(
            "its coordinate reference system names a file or another definition ({named}), which is not read; set it anew with gdal_edit -a_srs"
        )));
    }
    crs::check_on_earth(&crs_wkt).map_err(refuse)?;
    if let Some(stated) = stated {
        let placement = Placement {
            geotransform: &geotransform,
            crs_wkt: &crs_wkt,
        };
        stated.check_place(dataset.raster_size(), placement)?;
    }
    Ok((geotransform, crs_wkt))
}
