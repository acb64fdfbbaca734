//! One cell of a raster made pixels of: its bands, and what says where they hold no data.

use std::path::Path;

use gdal::raster::GdalDataType;
use gdal::{Dataset, Metadata};

use super::IoError;
use super::bands::{self, Layer};
use super::blocked::Blocked;
use super::inflate;
use super::pool::{self, Handle};
use super::stored::StoredPixel;
use super::tiff::Tiff;
use crate::geo::Rect;
use crate::raster::Plane;

/// Pixels as they are stored, where that takes fewer bytes; as 64-bit floats what no 32-bit float holds.
pub(super) enum Block {
    U8(Plane<u8>),
    U16(Plane<u16>),
    I16(Plane<i16>),
    F32(Plane<f32>),
    F64(Plane<f64>),
}

/// The cell at `index` of `file` in each of `layers`: several bands, or one layer.
///
/// # Errors
/// A file that cannot be read, or a block of it that is damaged.
pub(super) fn cell(
    handle: &Handle,
    file: &Blocked,
    layers: &[Layer],
    index: (usize, usize),
) -> Result<Vec<Block>, IoError> {
    let rect = file.rect(index.0, index.1);
    let bands: Vec<usize> = match layers {
        [Layer::Mask(band)] => return Ok(vec![mask(handle, file, *band, &rect)?]),
        [Layer::Written(band)] => return Ok(vec![written(handle, file, *band, &rect)?]),
        [Layer::Together] => return Ok(vec![together(handle, file, index, &rect)?]),
        _ => layers
            .iter()
            .filter_map(|layer| match layer {
                Layer::Band(band) | Layer::Mask(band) | Layer::Written(band) => Some(*band),
                Layer::Together => None,
            })
            .collect(),
    };
    of_bands(handle, file, &bands, index, &rect)
}

/// 0 on `rect` where all bands hold the values that mean no data together.
fn together(handle: &Handle, file: &Blocked, index: (usize, usize), rect: &Rect) -> Result<Block, IoError> {
    let values = bands::nodata_together(&handle.dataset).unwrap_or_default();
    let bands: Vec<usize> = (1..=values.len()).collect();
    // A block of one band brings the others, or none.
    let at_once = match handle.tiff.as_ref().is_some_and(|tiff| tiff.is_apart) {
        true => 1,
        false => bands.len().max(1),
    };
    let mut is_measured = Plane::filled(*rect, if bands.is_empty() { u8::MAX } else { 0 });
    for (bands, values) in bands.chunks(at_once).zip(values.chunks(at_once)) {
        for (block, value) in of_bands(handle, file, bands, index, rect)?.iter().zip(values) {
            match block {
                Block::U8(plane) => differ(plane, *value, &mut is_measured),
                Block::U16(plane) => differ(plane, *value, &mut is_measured),
                Block::I16(plane) => differ(plane, *value, &mut is_measured),
                Block::F32(plane) => differ(plane, *value, &mut is_measured),
                Block::F64(plane) => differ(plane, *value, &mut is_measured),
            }
        }
    }
    Ok(Block::U8(is_measured))
}

/// Sets `differs` where `plane` holds another number than `value`, as a text rounds it to that of a 32-bit float.
fn differ<T: Copy + Into<f64>>(plane: &Plane<T>, value: f64, differs: &mut Plane<u8>) {
    let near = value.abs() * f64::from(f32::EPSILON);
    differs.data.zip_mut_with(&plane.data, |differs, stored| {
        let stored: f64 = (*stored).into();
        let is_value = (stored - value).abs() <= near || stored == value || stored.is_nan() && value.is_nan();
        *differs |= if is_value { 0 } else { u8::MAX };
    });
}

/// The pixels of `bands` on `rect`.
fn of_bands(
    handle: &Handle,
    file: &Blocked,
    bands: &[usize],
    index: (usize, usize),
    rect: &Rect,
) -> Result<Vec<Block>, IoError> {
    let mut blocks = as_gdal_has_them(handle, file, bands, index, rect)?;
    if file.has_signed_bytes {
        for block in &mut blocks {
            if let Block::U8(plane) = block {
                let (rect, data) = (*rect, plane.data.mapv(|byte| i16::from(byte.cast_signed())));
                *block = Block::I16(Plane { rect, data });
            }
        }
    }
    Ok(blocks)
}

fn as_gdal_has_them(
    handle: &Handle,
    file: &Blocked,
    bands: &[usize],
    index: (usize, usize),
    rect: &Rect,
) -> Result<Vec<Block>, IoError> {
    if let Some(tiff) = handle.deflate() {
        if let Some(blocks) = unpacked(tiff, file, bands, rect)? {
            return Ok(blocks);
        }
        for band in bands {
            inflate::verify(tiff, &file.path, *band, rect)?;
        }
    }
    let all = bands.iter();
    all.map(|band| read_by_gdal(&handle.dataset, file, *band, index, rect).map_err(|error| packed(handle, error)))
        .collect()
}

/// Codecs that newer versions of their libraries write in ways that older ones cannot read.
const GROWING: [&str; 4] = ["LERC", "JXL", "WEBP", "ZSTD"];

/// Why a block could not be read: `error`, or the codec that it is packed by.
fn packed(handle: &Handle, error: IoError) -> IoError {
    let codec = handle
        .dataset
        .metadata_item("COMPRESSION", "IMAGE_STRUCTURE")
        .unwrap_or_default();
    match error {
        IoError::Gdal { path, message, .. } if GROWING.iter().any(|one| codec.starts_with(one)) => IoError::Open {
            path,
            message: format!(
                "{message}: it is packed by {codec}, which newer programs write in ways that this GDAL ({}) cannot unpack, or it is damaged; \
                 where a GDAL reads it, pack it otherwise, for example with gdal_translate -co COMPRESS=DEFLATE",
                gdal::version::VersionInfo::release_name()
            ),
        },
        error => error,
    }
}

/// What GDAL has as the mask of `band` on `rect`.
fn mask(handle: &Handle, file: &Blocked, band: usize, rect: &Rect) -> Result<Block, IoError> {
    if let Some(tiff) = handle.mask.as_ref().filter(|tiff| inflate::is_deflate(tiff)) {
        inflate::verify(tiff, &file.path, 1, rect)?;
    }
    let size = (rect.w, rect.h);
    let values = handle
        .dataset
        .rasterband(band)
        .and_then(|band| {
            band.open_mask_band()?
                .read_as::<u8>((rect.x as isize, rect.y as isize), size, size, None)
        })
        .map_err(|error| IoError::gdal("reading the mask of", &file.path, &error))?;
    Ok(Block::U8(pool::shaped(
        &file.path,
        *rect,
        values.into_shape_and_vec().1,
    )?))
}

/// Which pixels of `band` on `rect` lie in blocks that the file has.
fn written(handle: &Handle, file: &Blocked, band: usize, rect: &Rect) -> Result<Block, IoError> {
    let mut plane = Plane::filled(*rect, u8::MAX);
    for place in handle
        .tiff
        .iter()
        .flat_map(|tiff| tiff.places(band, rect).map(move |place| (tiff, place)))
    {
        let (tiff, place) = place;
        let found = tiff.find(&place).map_err(|message| IoError::Damaged {
            path: file.path.to_path_buf(),
            place: format!("the block in column {} and row {}", place.column, place.row),
            message,
        })?;
        if found.is_none() {
            let gap = place.rect.intersect(rect);
            let (x, y) = ((gap.x - rect.x) as usize, (gap.y - rect.y) as usize);
            plane.data.slice_mut(ndarray::s![y..y + gap.h, x..x + gap.w]).fill(0);
        }
    }
    Ok(Block::U8(plane))
}

/// The pixels of `rect` in each of `bands` past GDAL; `None` where it has to read them.
fn unpacked(tiff: &Tiff, file: &Blocked, bands: &[usize], rect: &Rect) -> Result<Option<Vec<Block>>, IoError> {
    fn of<T: StoredPixel>(
        (tiff, path, bands, rect): (&Tiff, &Path, &[usize], &Rect),
        block: fn(Plane<T>) -> Block,
    ) -> Result<Option<Vec<Block>>, IoError> {
        let planes = inflate::read(tiff, path, bands, rect)?;
        Ok(planes.map(|planes| planes.into_iter().map(block).collect()))
    }
    let what = (tiff, &*file.path, bands, rect);
    match tiff.data_type {
        Some(GdalDataType::UInt8) => of(what, Block::U8),
        Some(GdalDataType::UInt16) => of(what, Block::U16),
        Some(GdalDataType::Int16) => of(what, Block::I16),
        Some(GdalDataType::Float32) => of(what, Block::F32),
        _ => Ok(None),
    }
}

fn read_by_gdal(
    dataset: &Dataset,
    file: &Blocked,
    band: usize,
    index: (usize, usize),
    rect: &Rect,
) -> Result<Block, IoError> {
    fn of<T: StoredPixel>(
        (dataset, path, band): (&Dataset, &Path, usize),
        index_of_block: Option<(usize, usize)>,
        rect: &Rect,
    ) -> Result<Plane<T>, IoError> {
        match index_of_block {
            Some(index) => pool::read_block(dataset, path, band, index, rect),
            None => pool::read_window(dataset, path, band, rect),
        }
    }
    let failed = |error| IoError::gdal("reading", &file.path, &error);
    let raster = dataset.rasterband(band).map_err(failed)?;
    // Bands of one file may be cut differently.
    let index = (raster.block_size() == file.cell).then_some(index);
    let what = (dataset, &*file.path, band);
    Ok(match raster.band_type() {
        GdalDataType::UInt8 => Block::U8(of(what, index, rect)?),
        GdalDataType::UInt16 => Block::U16(of(what, index, rect)?),
        GdalDataType::Int16 => Block::I16(of(what, index, rect)?),
        GdalDataType::Float32 => Block::F32(of(what, index, rect)?),
        _ => Block::F64(pool::read_window(dataset, &file.path, band, rect)?),
    })
}
