//! Where the blocks of a TIFF lie and how they are packed, as its directory says (TIFF 6.0, sections 2 and 15; BigTIFF).
//!
//! GDAL reads the directory too, but tells neither where the large strip lies that it hands out in rows, nor the order of bytes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use gdal::raster::GdalDataType;
use gdal::{Dataset, Metadata};

use super::{IoError, bands};
use crate::geo::Rect;

/// How the pixels of a TIFF are packed, and the file itself.
#[derive(Debug)]
pub(super) struct Tiff {
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

/// Numbers of a tag, read when they are needed: there may be millions.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    /// Where the first begins.
    pub at: u64,
    count: u64,
    /// Bytes of each.
    pub bytes: usize,
}

/// A block of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
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
        let bytes = list.count.saturating_mul(list.bytes as u64);
        let mut all = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX).min(MOST_SIZES)];
        self.file.read_exact_at(&mut all, list.at).map_err(unreadable)?;
        let numbers = all.chunks_exact(list.bytes);
        Ok(numbers.map(|bytes| whole(bytes, self.is_big_endian)).collect())
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

/// The sizes of all blocks take less, bytes: a raster whose blocks are more is refused before.
const MOST_SIZES: usize = 64 << 20;

/// Tags of more bytes are not believed: GDAL holds some thirty times as much of them.
const MOST_TAG_BYTES: u64 = 1 << 20;

/// So many directories are looked at: overviews and masks have one each.
const MOST_DIRECTORIES: usize = 1000;

/// What the directories of a TIFF are, beside the first.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Looked {
    /// One is a mask of the whole raster.
    pub has_mask: bool,
    /// So many are rasters of their own, the first too: neither overviews nor masks.
    pub pages: usize,
    /// Columns and rows of the largest of these.
    pub largest: (u64, u64),
}

/// What the directories of the file `path` are. Before GDAL reads any, they are held against what their tags may take; other files than TIFFs
/// pass.
///
/// # Errors
/// Tags of more than a MiB.
pub(super) fn look_through(path: &Path) -> Result<Looked, IoError> {
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
    let file = File::open(path).map_err(IoError::system(path))?;
    let Ok(Some(head)) = Head::read(&file) else {
        return Ok(Looked::default());
    };
    let mut offset = head.first;
    let mut sum = 0_u64;
    let mut looked = Looked::default();
    for _ in 0..MOST_DIRECTORIES {
        // What cannot be read is GDAL's to tell.
        let Ok(directory) = Directory::read(&file, head, offset) else {
            return Ok(looked);
        };
        match directory.kind(&file) {
            MASK => looked.has_mask = true,
            0 => {
                let [columns, rows] = [256, 257].map(|tag| directory.first(tag, &file).unwrap_or(0));
                looked.pages += 1;
                let is_larger = columns.saturating_mul(rows) > looked.largest.0.saturating_mul(looked.largest.1);
                looked.largest = if is_larger { (columns, rows) } else { looked.largest };
            }
            _ => {}
        }
        sum = sum.saturating_add(directory.tag_bytes());
        if sum > MOST_TAG_BYTES {
            return Err(refuse(format!(
                "its tags take {sum} bytes beside the pixels, more than {MOST_TAG_BYTES}; leave its metadata out, for example with \
                 gdal_translate -nomd"
            )));
        }
        offset = directory.next;
        if offset == 0 {
            break;
        }
    }
    Ok(looked)
}

/// Bits of what kind of image a directory is.
const OVERVIEW: u64 = 1;
const MASK: u64 = 4;

/// How a TIFF begins.
#[derive(Debug, Clone, Copy)]
struct Head {
    is_big_endian: bool,
    is_big: bool,
    /// Where the first directory lies.
    first: u64,
}

impl Head {
    /// The first bytes of `file`; `None` where they are not those of a TIFF.
    fn read(file: &File) -> Result<Option<Self>, String> {
        let mut head = [0; 8];
        file.read_exact_at(&mut head, 0).map_err(unreadable)?;
        let is_big_endian = head[0] == b'M';
        let is_big = match whole(&head[2..4], is_big_endian) {
            42 => false,
            43 => true,
            _ => return Ok(None),
        };
        if !matches!(&head[..2], b"II" | b"MM") {
            return Ok(None);
        }
        let mut first = head;
        if is_big {
            file.read_exact_at(&mut first, 8).map_err(unreadable)?;
        }
        let first = whole(if is_big { &first } else { &head[4..] }, is_big_endian);
        Ok(Some(Self {
            is_big_endian,
            is_big,
            first,
        }))
    }
}

/// A directory of a TIFF: its tags, and where the next one lies.
struct Directory {
    head: Head,
    at: u64,
    entries: Vec<u8>,
    next: u64,
}

impl Directory {
    fn read(file: &File, head: Head, offset: u64) -> Result<Self, String> {
        let number = |bytes: &[u8]| whole(bytes, head.is_big_endian);
        let (count_bytes, value_bytes) = if head.is_big { (8, 8) } else { (2, 4) };
        let mut count = [0; 8];
        let count = &mut count[..count_bytes];
        file.read_exact_at(count, offset).map_err(unreadable)?;
        let entry_bytes = 4 + 2 * value_bytes;
        let mut entries = vec![0; number(count).min(4096) as usize * entry_bytes];
        let at = offset.saturating_add(count_bytes as u64);
        file.read_exact_at(&mut entries, at).map_err(unreadable)?;
        let mut next = [0; 8];
        let next = &mut next[..value_bytes];
        let behind = at.saturating_add(entries.len() as u64);
        // Some files end with the last tag.
        let is_there = file.read_exact_at(next, behind).is_ok();
        Ok(Self {
            head,
            at,
            entries,
            next: if is_there { number(next) } else { 0 },
        })
    }

    /// Each tag: its number, its type, how many values it has, and where they or their place stand.
    fn tags(&self) -> impl Iterator<Item = (u64, u64, u64, usize)> {
        let value_bytes = if self.head.is_big { 8 } else { 4 };
        let number = |bytes: &[u8]| whole(bytes, self.head.is_big_endian);
        let entry_bytes = 4 + 2 * value_bytes;
        self.entries
            .chunks_exact(entry_bytes)
            .enumerate()
            .map(move |(i, entry)| {
                (
                    number(&entry[..2]),
                    number(&entry[2..4]),
                    number(&entry[4..4 + value_bytes]),
                    i * entry_bytes + 4 + value_bytes,
                )
            })
    }

    /// The values of the first tag `wanted`.
    fn find(&self, wanted: u64) -> Result<Option<List>, String> {
        let Some((_, kind, count, value)) = self.tags().find(|(tag, ..)| *tag == wanted) else {
            return Ok(None);
        };
        let bytes = match kind {
            1 => 1,
            3 => 2,
            4 => 4,
            16 => 8,
            _ => return Err(format!("its tag {wanted} holds values of type {kind}")),
        };
        let value_bytes = if self.head.is_big { 8 } else { 4 };
        let at = match count.saturating_mul(bytes as u64) <= value_bytes as u64 {
            true => self.at.saturating_add(value as u64),
            false => whole(&self.entries[value..value + value_bytes], self.head.is_big_endian),
        };
        Ok(Some(List { at, count, bytes }))
    }

    /// Whether its pixels are an overview, a mask, or both; 0 where they are neither.
    fn kind(&self, file: &File) -> u64 {
        self.first(254, file).unwrap_or(0) & (OVERVIEW | MASK)
    }

    /// The first value of the first tag `wanted`.
    fn first(&self, wanted: u64, file: &File) -> Option<u64> {
        self.find(wanted).ok()??.get(file, 0, self.head.is_big_endian).ok()
    }

    /// Bytes of all tags but those that say where blocks lie.
    fn tag_bytes(&self) -> u64 {
        let others = self.tags().filter(|(tag, ..)| ![273, 279, 324, 325].contains(tag));
        let bytes = others.map(|(_, kind, count, _)| {
            count.saturating_mul(match kind {
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 | 16 | 17 | 18 => 8,
                _ => 1,
            })
        });
        bytes.fold(0, u64::saturating_add)
    }
}

fn unreadable(error: std::io::Error) -> String {
    format!("its directory cannot be read ({error})")
}

impl List {
    fn get(&self, file: &File, index: u64, is_big_endian: bool) -> Result<u64, String> {
        if index >= self.count {
            return Err(format!(
                "the directory lists {} values where it needs {}",
                self.count,
                index + 1
            ));
        }
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..self.bytes];
        let at = self.at.saturating_add(index * self.bytes as u64);
        file.read_exact_at(bytes, at)
            .map_err(|error| format!("the directory's list at {at} cannot be read ({error})"))?;
        Ok(whole(bytes, is_big_endian))
    }
}

/// The whole number that `bytes`, at most eight, hold.
fn whole(bytes: &[u8], is_big_endian: bool) -> u64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    match is_big_endian {
        true => bytes.iter().fold(0, add),
        false => bytes.iter().rev().fold(0, add),
    }
}
