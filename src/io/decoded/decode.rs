//! One cell of a raster made pixels of: its bands, and what says where they hold no data.

use gdal::Metadata;
use gdal::raster::{GdalDataType, GdalType};

use super::blocked::Blocked;
use super::pool::{self, Handle};
use crate::geo::Rect;
use crate::io::IoError;
use crate::io::bands::{self, Layer};
use crate::io::stored::StoredPixel;
use crate::io::tiff::{Tiff, inflate, pixels};
use crate::raster::Plane;

/// Pixels as they are stored, where that takes fewer bytes; as 64-bit floats what no 32-bit float holds.
pub(in crate::io) enum Block {
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
pub(in crate::io) fn cell(
    handle: &Handle,
    file: &Blocked,
    layers: &[Layer],
    index: (usize, usize),
) -> Result<Vec<Block>, IoError> {
    let cell = Cell {
        handle,
        file,
        index,
        rect: file.rect(index.0, index.1),
    };
    let bands: Vec<usize> = match layers {
        [Layer::Mask(band)] => return Ok(vec![cell.mask(*band)?]),
        [Layer::Stored(band)] => return Ok(vec![cell.written(*band)?]),
        [Layer::Together] => return Ok(vec![cell.together()?]),
        _ => layers
            .iter()
            .filter_map(|layer| match layer {
                Layer::Band(band) | Layer::Mask(band) | Layer::Stored(band) => Some(*band),
                Layer::Together => None,
            })
            .collect(),
    };
    cell.of_bands(&bands)
}

/// A cell of an open file.
struct Cell<'a> {
    handle: &'a Handle,
    file: &'a Blocked,
    /// Its column and row.
    index: (usize, usize),
    /// Its pixels.
    rect: Rect,
}

impl Cell<'_> {
    /// 0 where all bands hold the values that mean no data together.
    fn together(&self) -> Result<Block, IoError> {
        let values = bands::nodata_together(&self.handle.dataset).unwrap_or_default();
        let bands: Vec<usize> = (1..=values.len()).collect();
        // A block of one band brings the others, or none.
        let at_once = match self.handle.tiff.as_ref().is_some_and(|tiff| tiff.is_apart) {
            true => 1,
            false => bands.len().max(1),
        };
        let mut is_measured = Plane::filled(self.rect, if bands.is_empty() { u8::MAX } else { 0 });
        for (bands, values) in bands.chunks(at_once).zip(values.chunks(at_once)) {
            for (block, value) in self.of_bands(bands)?.iter().zip(values) {
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

    /// The pixels of `bands`.
    fn of_bands(&self, bands: &[usize]) -> Result<Vec<Block>, IoError> {
        let mut blocks = self.as_gdal_has_them(bands)?;
        if self.file.has_signed_bytes {
            for block in &mut blocks {
                if let Block::U8(plane) = block {
                    *block = Block::I16(plane.map(|byte| i16::from(byte.cast_signed())));
                }
            }
        }
        Ok(blocks)
    }

    fn as_gdal_has_them(&self, bands: &[usize]) -> Result<Vec<Block>, IoError> {
        if let Some(tiff) = self.handle.deflate() {
            if let Some(blocks) = self.unpacked(tiff, bands)? {
                return Ok(blocks);
            }
            for band in bands {
                inflate::verify(tiff, &self.file.path, *band, &self.rect)?;
            }
        }
        bands
            .iter()
            .map(|band| self.by_gdal(*band).map_err(|error| packed(self.handle, error)))
            .collect()
    }

    /// What GDAL has as the mask of `band`.
    fn mask(&self, band: usize) -> Result<Block, IoError> {
        let (path, rect) = (&self.file.path, &self.rect);
        if let Some(tiff) = self.handle.mask.as_ref().filter(|tiff| inflate::is_deflate(tiff)) {
            inflate::verify(tiff, path, 1, rect)?;
        }
        let size = (rect.w, rect.h);
        let values = self
            .handle
            .dataset
            .rasterband(band)
            .and_then(|band| {
                band.open_mask_band()?
                    .read_as::<u8>((rect.x as isize, rect.y as isize), size, size, None)
            })
            .map_err(|error| IoError::gdal("reading the mask of", path, &error))?;
        Ok(Block::U8(Plane::new(*rect, values.into_shape_and_vec().1)))
    }

    /// 0 where the file leaves out the block of `band`.
    fn written(&self, band: usize) -> Result<Block, IoError> {
        let rect = &self.rect;
        let mut plane = Plane::filled(*rect, u8::MAX);
        let Some(tiff) = &self.handle.tiff else {
            return Ok(Block::U8(plane));
        };
        for place in tiff.places(band, rect) {
            let found = tiff.find(&place).map_err(|message| IoError::Damaged {
                path: self.file.path.to_path_buf(),
                place: format!("the block in column {} and row {}", place.column, place.row),
                message,
            })?;
            if found.is_none() {
                plane.part_mut(&place.rect.intersect(rect)).fill(0);
            }
        }
        Ok(Block::U8(plane))
    }

    /// The pixels of each of `bands` past GDAL; `None` where it has to read them.
    fn unpacked(&self, tiff: &Tiff, bands: &[usize]) -> Result<Option<Vec<Block>>, IoError> {
        match tiff.data_type {
            Some(GdalDataType::UInt8) => self.unpacked_as(tiff, bands, Block::U8),
            Some(GdalDataType::UInt16) => self.unpacked_as(tiff, bands, Block::U16),
            Some(GdalDataType::Int16) => self.unpacked_as(tiff, bands, Block::I16),
            Some(GdalDataType::Float32) => self.unpacked_as(tiff, bands, Block::F32),
            _ => Ok(None),
        }
    }

    fn unpacked_as<T: StoredPixel>(
        &self,
        tiff: &Tiff,
        bands: &[usize],
        block: fn(Plane<T>) -> Block,
    ) -> Result<Option<Vec<Block>>, IoError> {
        let planes = pixels::read(tiff, &self.file.path, bands, &self.rect)?;
        Ok(planes.map(|planes| planes.into_iter().map(block).collect()))
    }

    /// The pixels of `band` as GDAL reads them.
    fn by_gdal(&self, band: usize) -> Result<Block, IoError> {
        let raster = self.handle.dataset.rasterband(band);
        let raster = raster.map_err(|error| IoError::gdal("reading", &self.file.path, &error))?;
        // Bands of one file may be cut differently.
        let is_block = raster.block_size() == self.file.cell;
        Ok(match raster.band_type() {
            GdalDataType::UInt8 => Block::U8(self.by_gdal_as(band, is_block)?),
            GdalDataType::UInt16 => Block::U16(self.by_gdal_as(band, is_block)?),
            GdalDataType::Int16 => Block::I16(self.by_gdal_as(band, is_block)?),
            GdalDataType::Float32 => Block::F32(self.by_gdal_as(band, is_block)?),
            _ => Block::F64(self.by_gdal_as(band, false)?),
        })
    }

    fn by_gdal_as<T: GdalType + Copy>(&self, band: usize, is_block: bool) -> Result<Plane<T>, IoError> {
        let (dataset, path) = (&self.handle.dataset, &*self.file.path);
        match is_block {
            true => pool::read_block(dataset, path, band, self.index, &self.rect),
            false => pool::read_window(dataset, path, band, &self.rect),
        }
    }
}

/// Sets `differs` where `plane` holds another number than `value`, as a text rounds it to that of a 32-bit float.
fn differ<T: Copy + Into<f64>>(plane: &Plane<T>, value: f64, differs: &mut Plane<u8>) {
    let near = value.abs() * f64::from(f32::EPSILON);
    differs.zip_mut_with(plane, |differs, stored| {
        let stored: f64 = (*stored).into();
        let is_value = (stored - value).abs() <= near || stored == value || stored.is_nan() && value.is_nan();
        *differs |= if is_value { 0 } else { u8::MAX };
    });
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
