//! Blocks of GeoTIFFs that are packed by deflate, unpacked by libdeflate alone.
//!
//! GDAL decodes them too, and takes a fifth longer: it copies, and undoes differences in memory. It says where a block lies; what is
//! packed otherwise is left to it.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use gdal::raster::RasterBand;
use gdal::{Dataset, Metadata};
use libdeflater::Decompressor;

use super::pool::StoredPixel;
use crate::geo::Rect;
use crate::raster::Plane;

/// A whole number that pixels are stored as.
pub(super) trait Whole: StoredPixel + Default {
    /// The number whose bytes these are, the least significant first.
    fn from_bytes(bytes: &[u8]) -> Self;
    /// The sum, modulo the number of its values: what predictor 2 is undone by (TIFF 6.0, section 14).
    fn plus(self, other: Self) -> Self;
}

macro_rules! whole {
    ($($number:ty),*) => {$(
        impl Whole for $number {
            #[inline]
            fn from_bytes(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().unwrap_or_default())
            }
            #[inline]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}
whole!(u8, u16, i16);

/// Larger blocks are left to GDAL, bytes: each thread keeps room for one.
const LARGEST: usize = 16 << 20;

/// What a thread unpacks with.
struct Bench {
    decompressor: Decompressor,
    packed: Vec<u8>,
    unpacked: Vec<u8>,
}

thread_local! {
    static BENCH: RefCell<Bench> = RefCell::new(Bench {
        decompressor: Decompressor::new(),
        packed: Vec::new(),
        unpacked: Vec::new(),
    });
}

/// The stored pixels of the block at `index` in `band` of `dataset`, which is the file `path`: those inside `rect`, the block's part of the
/// raster. `None` where GDAL has to read it: it is packed otherwise, not there, or damaged.
pub(super) fn read_block<T: Whole>(
    dataset: &Dataset,
    path: &Path,
    band: &RasterBand,
    (column, row): (usize, usize),
    rect: &Rect,
) -> Option<Plane<T>> {
    let differences = has_differences(dataset, band)?;
    let (width, height) = band.block_size();
    let whole = width.checked_mul(height)?.checked_mul(size_of::<T>())?;
    let ask = |what: &str| band.metadata_item(&format!("{what}_{column}_{row}"), "TIFF");
    let (offset, size): (u64, usize) = (ask("BLOCK_OFFSET")?.parse().ok()?, ask("BLOCK_SIZE")?.parse().ok()?);
    // Deflate makes nothing longer by more than a few bytes in a thousand.
    if whole > LARGEST || size > whole + whole / 64 + 1024 {
        return None;
    }
    BENCH.with_borrow_mut(|bench| {
        let Bench {
            decompressor,
            packed,
            unpacked,
        } = bench;
        packed.resize(size, 0);
        unpacked.resize(whole, 0);
        let mut order = [0; 2];
        let file = File::open(path).ok()?;
        file.read_exact_at(&mut order, 0).ok()?;
        file.read_exact_at(packed, offset).ok()?;
        let found = decompressor.zlib_decompress(packed, unpacked).ok()?;
        // The other order of bytes; a strip that is shorter than the rest.
        if order != *b"II" || found != whole {
            return None;
        }
        let mut plane = Plane::filled(*rect, T::default());
        for (mut pixels, row) in plane
            .data
            .rows_mut()
            .into_iter()
            .zip(unpacked.chunks_exact(width * size_of::<T>()))
        {
            let stored = row.chunks_exact(size_of::<T>()).map(T::from_bytes);
            let mut before = T::default();
            for (pixel, stored) in pixels.as_slice_mut()?.iter_mut().zip(stored) {
                *pixel = if differences { before.plus(stored) } else { stored };
                before = *pixel;
            }
        }
        Some(plane)
    })
}

/// Whether each row of a block holds its first value and then differences; `None` where the blocks are packed in a way that is left to GDAL.
fn has_differences(dataset: &Dataset, band: &RasterBand) -> Option<bool> {
    let says = |what: &str| dataset.metadata_item(what, "IMAGE_STRUCTURE");
    let is_alone = dataset.raster_count() == 1 || says("INTERLEAVE")? == "BAND";
    // Where GDAL makes rows of one large strip, a block of its is none of the file's.
    let is_whole = band.metadata_item("NBITS", "IMAGE_STRUCTURE").is_none() && band.block_size().1 > 1;
    match says("PREDICTOR").as_deref() {
        _ if says("COMPRESSION")? != "DEFLATE" || !is_alone || !is_whole => None,
        None | Some("1") => Some(false),
        Some("2") => Some(true),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use gdal::DriverManager;
    use gdal::raster::{Buffer, GdalType, RasterCreationOptions};

    use super::*;
    use crate::io::pool;

    const SIZE: (usize, usize) = (70, 50);

    /// A raster of two bands, made by GDAL's `options`: waves that cross the whole range of the type.
    fn raster<T: Whole + GdalType>(folder: &Path, options: &[(&str, &str)]) -> PathBuf {
        let path = folder.join("a.tif");
        let mut all = RasterCreationOptions::new();
        for (key, value) in options {
            all.set_name_value(key, value).unwrap();
        }
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let dataset = driver
            .create_with_band_type_with_options::<T, _>(&path, SIZE.0, SIZE.1, 2, &all)
            .unwrap();
        for band in 1..=2 {
            let value = |i: usize| T::from_bytes(&(i * 977 * band).to_le_bytes()[..size_of::<T>()]);
            let mut pixels = Buffer::new(SIZE, (0..SIZE.0 * SIZE.1).map(value).collect());
            dataset
                .rasterband(band)
                .unwrap()
                .write((0, 0), SIZE, &mut pixels)
                .unwrap();
        }
        dataset.close().unwrap();
        path
    }

    /// Whether all blocks of the second band are unpacked here; those that are must be what GDAL reads.
    fn all_unpacked<T: Whole + PartialEq + std::fmt::Debug>(path: &Path) -> bool {
        let dataset = Dataset::open(path).unwrap();
        let band = dataset.rasterband(2).unwrap();
        let (w, h) = band.block_size();
        let mut all = true;
        for (row, y) in (0..SIZE.1).step_by(h).enumerate() {
            for (column, x) in (0..SIZE.0).step_by(w).enumerate() {
                let rect = Rect::new(x as i64, y as i64, w.min(SIZE.0 - x), h.min(SIZE.1 - y));
                match read_block::<T>(&dataset, path, &band, (column, row), &rect) {
                    Some(found) => assert_eq!(found, pool::read(&dataset, path, 2, &rect).unwrap(), "{rect:?}"),
                    None => all = false,
                }
            }
        }
        all
    }

    #[test]
    fn blocks_are_those_that_gdal_reads() {
        let folder = tempfile::tempdir().unwrap();
        let tiled = [("TILED", "YES"), ("BLOCKXSIZE", "32"), ("BLOCKYSIZE", "16")];
        for predictor in ["1", "2"] {
            let packed = [
                ("COMPRESS", "DEFLATE"),
                ("INTERLEAVE", "BAND"),
                ("PREDICTOR", predictor),
            ];
            let options = [&tiled[..], &packed].concat();
            assert!(all_unpacked::<u8>(&raster::<u8>(folder.path(), &options)));
            assert!(all_unpacked::<u16>(&raster::<u16>(folder.path(), &options)));
            assert!(all_unpacked::<i16>(&raster::<i16>(folder.path(), &options)));
            // The last strip is shorter than the others: GDAL reads it.
            let strips = [&packed[..], &[("BLOCKYSIZE", "16")]].concat();
            assert!(!all_unpacked::<u16>(&raster::<u16>(folder.path(), &strips)));
        }
    }

    #[test]
    fn what_is_packed_otherwise_is_left_to_gdal() {
        let folder = tempfile::tempdir().unwrap();
        let (band, deflate) = (("INTERLEAVE", "BAND"), ("COMPRESS", "DEFLATE"));
        for (options, is_known) in [
            (&[band, deflate][..], true),
            (&[band], false),
            (&[band, ("COMPRESS", "LZW")], false),
            (&[deflate], false),
            (&[band, deflate, ("ENDIANNESS", "BIG")], false),
            (&[band, deflate, ("NBITS", "12")], false),
            (&[band, deflate, ("BLOCKYSIZE", "1")], false),
        ] {
            let options = [&[("TILED", "NO")], options].concat();
            let path = raster::<u16>(folder.path(), &options);
            let dataset = Dataset::open(&path).unwrap();
            let second = dataset.rasterband(2).unwrap();
            let rect = Rect::new(0, 0, SIZE.0, second.block_size().1);
            let found = read_block::<u16>(&dataset, &path, &second, (0, 0), &rect);
            assert_eq!(found.is_some(), is_known, "{options:?}");
        }
    }

    #[test]
    fn a_damaged_block_is_left_to_gdal() {
        let folder = tempfile::tempdir().unwrap();
        let options = [("COMPRESS", "DEFLATE"), ("INTERLEAVE", "BAND"), ("TILED", "YES")];
        let path = raster::<u16>(folder.path(), &options);
        let bytes = std::fs::read(&path).unwrap();
        let unpacked = |bytes: &[u8]| {
            // The header comes first: it still says where blocks lie.
            let dataset = Dataset::open(&path).unwrap();
            std::fs::write(&path, bytes).unwrap();
            let band = dataset.rasterband(2).unwrap();
            read_block::<u16>(&dataset, &path, &band, (0, 0), &Rect::new(0, 0, 70, 50)).is_some()
        };
        assert!(unpacked(&bytes));
        let mut flipped = bytes.clone();
        flipped[bytes.len() - 9] ^= 0xff;
        assert!(!unpacked(&flipped));
        std::fs::write(&path, &bytes).unwrap();
        assert!(!unpacked(&bytes[..bytes.len() - 50]));
    }
}
