//! What the bands of a raster hold, and what says of their pixels that they hold nothing.

use std::path::PathBuf;

use gdal::raster::{ColorInterpretation, RasterBand};
use gdal::{Dataset, Metadata};

/// A layer of a raster file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The pixels of a band, from 1.
    Band(usize),
    /// What GDAL has as the mask of a band: 0 where it holds no data.
    Mask(usize),
    /// 0 where the file leaves out the block of a band, because nothing was written there.
    Stored(usize),
    /// 0 where all bands hold the values that mean no data together.
    Together,
}

/// What the numbers of a band are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Numbers that may be measurements.
    Numbers,
    /// How opaque a pixel is: 0 where there is none.
    Alpha,
    /// Places in a table of colours.
    Palette,
    /// Numbers of classes that have names.
    Classes,
    /// Complex numbers.
    Complex,
}

/// Where it stands which pixels of a raster are none.
#[derive(Debug, Clone, PartialEq)]
pub enum Mask {
    /// In the file: a mask that all its bands share, in blocks of so many columns and rows.
    Inside((usize, usize)),
    /// In the file: a band that tells how opaque a pixel is.
    Alpha(usize),
    /// In the file: blocks that are left out, because nothing was written there.
    Sparse,
    /// In the file: values that mean no data where all bands hold theirs (`NODATA_VALUES`).
    Together,
    /// In the file beside it (`.msk`), in blocks of so many columns and rows.
    SideFile {
        /// That file.
        path: PathBuf,
        /// Columns and rows of its blocks.
        block: (usize, usize),
        /// Whether each band has a mask of its own.
        of_each: bool,
    },
}

impl Mask {
    /// The layer that masks band `band`, of the file in which the mask is; `None` where that is the band itself.
    pub fn layer(&self, band: usize) -> Option<Layer> {
        match self {
            Self::Inside(_) => Some(Layer::Mask(band)),
            Self::Alpha(alpha) => (*alpha != band).then_some(Layer::Band(*alpha)),
            Self::Sparse => Some(Layer::Stored(band)),
            Self::Together => Some(Layer::Together),
            Self::SideFile { of_each, .. } => Some(Layer::Band(if *of_each { band } else { 1 })),
        }
    }

    /// The file that it is in, where that is one of its own.
    pub(super) fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::SideFile { path, .. } => Some(path),
            Self::Inside(_) | Self::Alpha(_) | Self::Sparse | Self::Together => None,
        }
    }
}

impl Content {
    /// What `band` holds, as GDAL has it.
    pub(in crate::io) fn of(band: &RasterBand) -> Self {
        // SAFETY: the band is open; the calls read of it, and names and the table of attributes stay GDAL's own.
        let (is_complex, has_names) = unsafe {
            let raw = band.c_rasterband();
            (
                gdal_sys::GDALDataTypeIsComplex(gdal_sys::GDALGetRasterDataType(raw)) != 0,
                !gdal_sys::GDALGetRasterCategoryNames(raw).is_null()
                    || names_classes(gdal_sys::GDALGetDefaultRAT(raw))
                    || band
                        .metadata_item("LAYER_TYPE", "")
                        .is_some_and(|kind| kind.eq_ignore_ascii_case("thematic")),
            )
        };
        match band.color_interpretation() {
            _ if is_complex => Self::Complex,
            ColorInterpretation::AlphaBand => Self::Alpha,
            ColorInterpretation::PaletteIndex => Self::Palette,
            _ if has_names => Self::Classes,
            _ => Self::Numbers,
        }
    }

    /// Why a band of this cannot be compared, and what to do; `None` where it can.
    pub fn refused(self) -> Option<&'static str> {
        match self {
            Self::Numbers | Self::Alpha => None,
            Self::Palette => Some(
                "holds places in a table of colours, which are no measurements; name the image that the table was made of, or expand it with \
                 gdal_translate -expand rgb (gray where it has no colours)",
            ),
            Self::Classes => {
                Some("holds numbers of classes, which are no measurements; name the image that was classified instead")
            }
            Self::Complex => Some(
                "holds complex numbers, whose phase is no measurement of the ground; make amplitude or power of them, calibrated and \
                 terrain-corrected where it is radar",
            ),
        }
    }
}

/// The bands, from 1, that tell how opaque pixels are, where bands hold `content`.
pub(super) fn alphas(content: &[Content]) -> impl Iterator<Item = usize> {
    let bands = (1..).zip(content);
    bands
        .filter(|(_, content)| **content == Content::Alpha)
        .map(|(band, _)| band)
}

/// Whether a table of attributes gives classes their names or colours: in a column of that use, or, of a table that is not said to be of
/// another kind (a histogram, a ramp of colours), in words.
///
/// # Safety
/// The table is null, or GDAL's own and alive.
unsafe fn names_classes(table: gdal_sys::GDALRasterAttributeTableH) -> bool {
    use gdal_sys::{GDALRATFieldType::GFT_String, GDALRATFieldUsage, GDALRATTableType::GRTT_THEMATIC};
    if table.is_null() {
        return false;
    }
    // SAFETY: the caller's.
    unsafe {
        let has = |usage| gdal_sys::GDALRATGetColOfUsage(table, usage) >= 0;
        let mut columns = 0..gdal_sys::GDALRATGetColumnCount(table);
        has(GDALRATFieldUsage::GFU_Name)
            || gdal_sys::GDALRATGetTableType(table) == GRTT_THEMATIC
                && (has(GDALRATFieldUsage::GFU_Red)
                    || columns.any(|column| gdal_sys::GDALRATGetTypeOfCol(table, column) == GFT_String))
    }
}

/// What a file calls one of its bands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Called {
    /// Its description; empty where it has none.
    pub description: String,
    /// The colour that it is shown in: `red`, `green` or `blue`.
    pub colour: Option<&'static str>,
}

impl Called {
    pub(in crate::io) fn of(band: &RasterBand) -> Self {
        Self {
            description: band.description().unwrap_or_default(),
            colour: match band.color_interpretation() {
                ColorInterpretation::RedBand => Some("red"),
                ColorInterpretation::GreenBand => Some("green"),
                ColorInterpretation::BlueBand => Some("blue"),
                _ => None,
            },
        }
    }
}

/// Scale and offset of a band, where they are stated.
pub type Scale = [Option<f64>; 2];

/// Scale and offset that GDAL has of `band`. What nobody states it tells as 1 and 0, and programs that state a scale alone write 0 beside it.
pub(in crate::io) fn scale_of(band: &RasterBand) -> Scale {
    match (band.scale().unwrap_or(1.0), band.offset().unwrap_or(0.0)) {
        (1.0, 0.0) => [None, None],
        (scale, 0.0) => [Some(scale), None],
        (scale, offset) => [Some(scale), Some(offset)],
    }
}

/// Whether GDAL has a mask of `band` that is made neither of values that mean no data nor of an alpha band.
pub(in crate::io) fn has_mask(band: &RasterBand) -> gdal::errors::Result<bool> {
    let flags = band.mask_flags()?;
    Ok(!flags.is_all_valid() && !flags.is_alpha() && !flags.is_nodata())
}

/// The values of `dataset` that mean no data where all bands hold theirs, one a band; `None` where it states none, and where GDAL takes none
/// from what it states: another number of them.
pub(in crate::io) fn nodata_together(dataset: &Dataset) -> Option<Vec<f64>> {
    let stated = dataset.metadata_item("NODATA_VALUES", "")?;
    let values: Vec<f64> = stated
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().ok())
        .collect::<Option<_>>()?;
    (!values.is_empty() && values.len() == dataset.raster_count()).then_some(values)
}

/// Whether the bytes of `band` have a sign, which GDAL before 3.7 says beside their type.
pub(in crate::io) fn has_signed_bytes(band: &RasterBand) -> bool {
    band.metadata_item("PIXELTYPE", "IMAGE_STRUCTURE").as_deref() == Some("SIGNEDBYTE")
}

/// The names of the rasters inside `dataset`, at most three, in words; nothing where it has none.
pub(in crate::io) fn rasters_inside(dataset: &Dataset) -> Option<String> {
    let entries = dataset.metadata_domain("SUBDATASETS")?;
    let names: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry.split_once('=').filter(|(key, _)| key.ends_with("_NAME")))
        .map(|(_, name)| name)
        .take(3)
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}
