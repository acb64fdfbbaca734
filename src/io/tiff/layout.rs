//! Where the blocks of a TIFF lie and how they are packed, as its directory says (TIFF 6.0, sections 2 and 15; BigTIFF).

use std::fs::File;
use std::path::Path;

use gdal::raster::GdalDataType;
use gdal::{Dataset, Metadata};

use super::directory::{Directory, Head, List};
use crate::geo::Rect;
use crate::io::{IoError, bands};

/// The sizes of all blocks take less, bytes: a raster whose blocks are more is refused before.
const MAX_SIZES: usize = 64 << 20;

/// How the pixels of a TIFF are packed, and the file itself.
#[derive(Debug)]
pub(in crate::io) struct Tiff {
    pub file: File,
    /// Columns and rows.
    pub size: (usize, usize),
    /// Columns and rows of a block: a tile, or a strip.
    pub block: (usize, usize),
    /// Values of a pixel, in all bands.
    pub samples: usize,
    /// Bits of a value.
    pub bits: usize,
    /// Whether each band has blocks of its own.
    pub is_apart: bool,
    pub is_tiled: bool,
    pub is_big_endian: bool,
    pub compression: u64,
    pub predictor: u64,
    /// How values make colours.
    pub photometric: u64,
    /// Whether the bits of each packed byte stand in reverse.
    pub is_reversed: bool,
    /// What GDAL makes of a value; `None` where its bands are not the file's samples.
    pub data_type: Option<GdalDataType>,
    /// Bytes that its tags take, those left out that say where blocks lie.
    pub tag_bytes: u64,
    /// Where each block lies.
    pub offsets: List,
    /// Bytes of each block.
    pub sizes: List,
}

/// A block of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::io) struct Place {
    /// Band from 1: the first of all whose pixels lie in it.
    pub band: usize,
    pub column: usize,
    pub row: usize,
    /// Its pixels, those beyond the edges of the raster left out.
    pub rect: Rect,
    /// Rows that it may hold: the last strip has those of the raster, or as many as the others.
    pub rows: (usize, usize),
}

impl Tiff {
    /// How `dataset`, which is the file `path`, is packed; `None` where it is no TIFF.
    ///
    /// # Errors
    /// A directory that cannot be read, or does not fit what GDAL made of it.
    pub fn of(dataset: &Dataset, path: &Path) -> Result<Option<Self>, IoError> {
        if dataset.driver().short_name() != "GTiff" {
            return Ok(None);
        }
        let refuse = |message: String| IoError::Open {
            path: path.to_owned(),
            message: format!("{message}; fetch the file again"),
        };
        let first = dataset
            .rasterband(1)
            .map_err(|error| IoError::gdal("opening", path, &error))?;
        let offset = first
            .metadata_item("IFD_OFFSET", "TIFF")
            .and_then(|offset| offset.parse().ok())
            .ok_or_else(|| refuse("its directory was not found".into()))?;
        let file = File::open(path).map_err(IoError::system(path))?;
        let mut tiff = Self::read(file, offset).map_err(refuse)?;
        if tiff.size != dataset.raster_size() {
            return Err(refuse(format!(
                "its directory says {:?} px where GDAL finds {:?}",
                tiff.size,
                dataset.raster_size()
            )));
        }
        tiff.data_type = (tiff.samples == dataset.raster_count()).then(|| first.band_type());
        Ok(Some(tiff))
    }

    /// How the mask of `dataset` is packed, which lies in the same file `path`; `None` where it has none.
    ///
    /// # Errors
    /// As [`Tiff::of`].
    pub fn of_mask(dataset: &Dataset, path: &Path) -> Result<Option<Self>, IoError> {
        let failed = |error| IoError::gdal("opening", path, &error);
        if dataset.driver().short_name() != "GTiff" {
            return Ok(None);
        }
        let first = dataset.rasterband(1).map_err(failed)?;
        if !bands::has_mask(&first).map_err(failed)? {
            return Ok(None);
        }
        let mask = first.open_mask_band().map_err(failed)?;
        // What GDAL makes of values has no directory.
        let Some(offset) = mask
            .metadata_item("IFD_OFFSET", "TIFF")
            .and_then(|offset| offset.parse().ok())
        else {
            return Ok(None);
        };
        let file = File::open(path).map_err(IoError::system(path))?;
        Self::read(file, offset).map(Some).map_err(|message| IoError::Open {
            path: path.to_owned(),
            message: format!("of its mask {message}; fetch the file again"),
        })
    }

    /// The numbers of `list`, one for each block.
    ///
    /// # Errors
    /// They cannot be read, in words.
    pub fn all(&self, list: &List) -> Result<Vec<u64>, String> {
        list.all(&self.file, MAX_SIZES, self.is_big_endian)
    }

    /// Whether blocks are left out, because nothing was written there.
    ///
    /// # Errors
    /// A directory that cannot be read, in words.
    pub fn is_sparse(&self) -> Result<bool, String> {
        Ok(self.all(&self.sizes)?.contains(&0))
    }

    /// Blocks of the file.
    pub fn blocks(&self) -> u64 {
        let bands = if self.is_apart { self.samples } else { 1 };
        let along = |length: usize, edge: usize| length.div_ceil(edge) as u64;
        along(self.size.0, self.block.0)
            .saturating_mul(along(self.size.1, self.block.1))
            .saturating_mul(bands as u64)
    }

    /// The directory at `offset` of `file`.
    ///
    /// # Errors
    /// What of the file cannot be read or does not fit together, in words.
    fn read(file: File, offset: u64) -> Result<Self, String> {
        let Some(head) = Head::read(&file)? else {
            return Err("it does not begin as a TIFF does".into());
        };
        let is_big_endian = head.is_big_endian;
        let directory = Directory::read(&file, head, offset)?;
        let find = |tag: u64| directory.find(tag);
        let get = |tag: u64, default: Option<u64>| match (find(tag)?, default) {
            (Some(list), _) => list.get(&file, 0, is_big_endian),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(format!("its tag {tag} is missing")),
        };
        let size = (get(256, None)? as usize, get(257, None)? as usize);
        let is_tiled = find(322)?.is_some();
        let block = match is_tiled {
            true => (get(322, None)?, get(323, None)?),
            false => (size.0 as u64, get(278, Some(u64::MAX))?.min(size.1 as u64)),
        };
        let block = (block.0 as usize, block.1 as usize);
        let list = |tag: u64| find(tag)?.ok_or_else(|| format!("its tag {tag} is missing"));
        let [offsets, sizes] = if is_tiled { [324, 325] } else { [273, 279] };
        let tiff = Self {
            size,
            block,
            samples: get(277, Some(1))? as usize,
            bits: get(258, Some(1))? as usize,
            is_apart: get(284, Some(1))? == 2,
            is_tiled,
            is_big_endian,
            compression: get(259, Some(1))?,
            predictor: get(317, Some(1))?,
            photometric: get(262, Some(1))?,
            is_reversed: get(266, Some(1))? == 2,
            data_type: None,
            tag_bytes: directory.tag_bytes(),
            offsets: list(offsets)?,
            sizes: list(sizes)?,
            file,
        };
        let most = 1 << 31;
        if [tiff.size.0, tiff.size.1, block.0, block.1, tiff.samples, tiff.bits]
            .iter()
            .any(|n| *n == 0 || *n >= most)
        {
            return Err("its directory holds sizes of nothing or beyond all measure".into());
        }
        for list in [&tiff.offsets, &tiff.sizes] {
            if list.count != tiff.blocks() {
                return Err(format!(
                    "its directory lists {} blocks where its size needs {}",
                    list.count,
                    tiff.blocks()
                ));
            }
        }
        Ok(tiff)
    }

    /// Bytes of a row of a block, unpacked.
    pub fn row_bytes(&self) -> u64 {
        let values = if self.is_apart { 1 } else { self.samples };
        (self.block.0 as u64)
            .saturating_mul(values as u64)
            .saturating_mul(self.bits as u64)
            .div_ceil(8)
    }

    /// The blocks that hold pixels of `rect` in `band`.
    pub fn places(&self, band: usize, rect: &Rect) -> impl Iterator<Item = Place> + use<> {
        let (w, h) = self.block;
        let raster = Rect::new(0, 0, self.size.0, self.size.1);
        let shared = rect.intersect(&raster);
        let along = |from: i64, to: i64, edge: usize| match to > from {
            true => from as usize / edge..(to as usize - 1) / edge + 1,
            false => 0..0,
        };
        let columns = along(shared.x, shared.right(), w);
        let rows = along(shared.y, shared.bottom(), h);
        let (band, is_tiled) = (if self.is_apart { band } else { 1 }, self.is_tiled);
        rows.flat_map(move |row| {
            columns.clone().map(move |column| {
                let rect = Rect::new((column * w) as i64, (row * h) as i64, w, h).intersect(&raster);
                Place {
                    band,
                    column,
                    row,
                    rect,
                    rows: (if is_tiled { h } else { rect.h }, h),
                }
            })
        })
    }

    /// Where in the file the bytes of the block at `place` begin, and how many they are; `None` where it is left out for want of data.
    ///
    /// # Errors
    /// What is wrong, in words: one number without the other, or none.
    pub fn find(&self, place: &Place) -> Result<Option<(u64, u64)>, String> {
        let across = self.size.0.div_ceil(self.block.0) as u64;
        let down = self.size.1.div_ceil(self.block.1) as u64;
        let index = (place.band as u64 - 1) * across * down + place.row as u64 * across + place.column as u64;
        let get = |list: &List| list.get(&self.file, index, self.is_big_endian);
        match (get(&self.offsets)?, get(&self.sizes)?) {
            (0, 0) => Ok(None),
            (0, size) => Err(format!("the directory gives {size} bytes of it and no place")),
            (offset, 0) => Err(format!("the directory gives its place, {offset}, and no bytes")),
            found => Ok(Some(found)),
        }
    }
}
