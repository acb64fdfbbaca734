//! Pixels of TIFFs that are packed by deflate, of the usual kinds of numbers.
//!
//! GDAL takes a fifth longer: it copies, and undoes differences in memory. What is stored in an unusual way is left to it.

use std::path::Path;

use gdal::raster::GdalType;

use super::inflate::with_unpacked;
use super::{Place, Tiff};
use crate::geo::Rect;
use crate::io::IoError;
use crate::io::stored::StoredPixel;
use crate::raster::Plane;

/// Ways of making colours of values that GDAL leaves alone: both greys, RGB, palette, mask.
const PLAIN: [u64; 5] = [0, 1, 2, 3, 4];

/// The stored pixels of `rect` in each of `bands` (from 1) of `tiff`, which is the file `path`; `None` where GDAL has to read them, which
/// tells what is missing and what is stored otherwise. What was unpacked fits its checksum.
///
/// # Errors
/// A block that is damaged.
pub(in crate::io) fn read<T: StoredPixel>(
    tiff: &Tiff,
    path: &Path,
    bands: &[usize],
    rect: &Rect,
) -> Result<Option<Vec<Plane<T>>>, IoError> {
    let differences = match tiff.predictor {
        1 => false,
        2 => true,
        // Differences of bytes, which `in_order` undoes.
        3 if T::datatype() == f32::datatype() => false,
        _ => return Ok(None),
    };
    if tiff.data_type != Some(T::datatype()) || tiff.bits != 8 * size_of::<T>() {
        return Ok(None);
    }
    if !PLAIN.contains(&tiff.photometric) {
        return Ok(None);
    }
    let mut planes: Vec<_> = bands.iter().map(|_| Plane::filled(*rect, T::default())).collect();
    let together = if tiff.is_apart { 1 } else { bands.len().max(1) };
    for (bands, planes) in bands.chunks(together).zip(planes.chunks_mut(together)) {
        for place in tiff.places(bands[0], rect) {
            let found = with_unpacked(tiff, path, &place, |unpacked| {
                in_order::<T>(tiff, unpacked);
                for (band, plane) in bands.iter().zip(planes.iter_mut()) {
                    let sample = if tiff.is_apart { 0 } else { band - 1 };
                    copy(tiff, unpacked, &place, sample, differences, plane);
                }
            })?;
            if found.is_none() {
                return Ok(None);
            }
        }
    }
    Ok(Some(planes))
}

/// Puts the bytes of `unpacked`, whole rows of a block, in the order of numbers one by one, the least significant byte first.
fn in_order<T: StoredPixel>(tiff: &Tiff, unpacked: &mut [u8]) {
    let bytes = size_of::<T>();
    if tiff.predictor == 3 {
        // Adobe's technical note 3: the most significant bytes of a row come first, then the next, all as differences. The file's order of
        // bytes has no part in it.
        let stride = if tiff.is_apart { 1 } else { tiff.samples };
        let mut numbers = Vec::new();
        for row in unpacked.chunks_exact_mut(tiff.row_bytes() as usize) {
            for i in stride..row.len() {
                row[i] = row[i].wrapping_add(row[i - stride]);
            }
            let values = row.len() / bytes;
            numbers.clear();
            numbers.extend((0..row.len()).map(|i| row[(bytes - 1 - i % bytes) * values + i / bytes]));
            row.copy_from_slice(&numbers);
        }
    } else if tiff.is_big_endian {
        unpacked.chunks_exact_mut(bytes).for_each(<[u8]>::reverse);
    }
}

/// Copies to `plane` what it shares with the block at `place`, whose rows are `unpacked`: of each pixel the value number `sample`.
fn copy<T: StoredPixel>(
    tiff: &Tiff,
    unpacked: &[u8],
    place: &Place,
    sample: usize,
    differences: bool,
    plane: &mut Plane<T>,
) {
    let shared = place.rect.intersect(&plane.rect());
    let samples = if tiff.is_apart { 1 } else { tiff.samples };
    let (left, top) = ((shared.x - place.rect.x) as usize, (shared.y - place.rect.y) as usize);
    let rows = unpacked.chunks_exact(tiff.row_bytes() as usize).skip(top);
    for (pixels, row) in plane.rows_of_mut(&shared).zip(rows) {
        let stored = row.chunks_exact(size_of::<T>()).map(T::from_bytes);
        // The compiler makes more of a step that it knows.
        match samples {
            1 => undo(stored, left, differences, pixels),
            _ => undo(stored.skip(sample).step_by(samples), left, differences, pixels),
        }
    }
}

/// Writes to `pixels` what is `stored` of a row from the pixel `left` on: as it is, or sums of the differences from the row's begin.
fn undo<T: StoredPixel>(mut stored: impl Iterator<Item = T>, left: usize, differences: bool, pixels: &mut [T]) {
    let mut before = T::default();
    if left > 0 {
        before = stored.by_ref().take(left).fold(before, T::plus);
    }
    for (pixel, stored) in pixels.iter_mut().zip(stored) {
        *pixel = if differences { before.plus(stored) } else { stored };
        before = *pixel;
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use gdal::raster::{Buffer, GdalType, RasterCreationOptions};
    use gdal::{Dataset, DriverManager, Metadata};

    use super::*;
    use crate::io::pool::{Pool, read_window};
    use crate::io::tiff::inflate::verify;

    const SIZE: (usize, usize) = (70, 50);

    /// A raster of three bands of `T`, made by GDAL's `options`: waves that cross the range of the type.
    fn raster<T: GdalType + Copy>(folder: &Path, options: &[(&str, &str)], value: impl Fn(usize) -> T) -> PathBuf {
        crate::io::prepare();
        let path = folder.join("a.tif");
        let mut all = RasterCreationOptions::new();
        for (key, value) in options {
            all.set_name_value(key, value).unwrap();
        }
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let mut dataset = driver
            .create_with_band_type_with_options::<T, _>(&path, SIZE.0, SIZE.1, 3, &all)
            .unwrap();
        dataset
            .set_geo_transform(&[500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0])
            .unwrap();
        for band in 1..=3 {
            let mut pixels = Buffer::new(SIZE, (0..SIZE.0 * SIZE.1).map(|i| value(i * band)).collect());
            let mut raster = dataset.rasterband(band).unwrap();
            raster.write((0, 0), SIZE, &mut pixels).unwrap();
        }
        dataset.close().unwrap();
        path
    }

    fn of_type<T: StoredPixel>(folder: &Path, options: &[(&str, &str)]) -> PathBuf {
        raster(folder, options, |i| {
            T::from_bytes(&(i as u32).wrapping_mul(9_770_977).to_le_bytes()[4 - size_of::<T>()..])
        })
    }

    const WINDOWS: [Rect; 3] = [
        Rect {
            x: 0,
            y: 0,
            w: 70,
            h: 50,
        },
        Rect {
            x: 33,
            y: 17,
            w: 20,
            h: 30,
        },
        Rect {
            x: 69,
            y: 49,
            w: 1,
            h: 1,
        },
    ];

    /// Whether windows of `path` are unpacked here; those that are must be what GDAL reads, bit by bit.
    fn is_unpacked<T: StoredPixel>(path: &Path, bits: impl Fn(T) -> u32) -> bool {
        let dataset = Dataset::open(path).unwrap();
        let tiff = Tiff::of(&dataset, path).unwrap().unwrap();
        let mut all = true;
        for rect in WINDOWS {
            match read::<T>(&tiff, path, &[3, 1], &rect).unwrap() {
                Some(planes) => {
                    for (band, plane) in [3, 1].into_iter().zip(planes) {
                        let by_gdal = read_window::<T>(&dataset, path, band, &rect).unwrap();
                        assert_eq!(plane.map(|v| bits(*v)), by_gdal.map(|v| bits(*v)), "{rect:?}");
                    }
                }
                None => all = false,
            }
            verify(&tiff, path, 2, &rect).unwrap();
        }
        all
    }

    const LAYOUTS: [&[(&str, &str)]; 4] = [
        &[("TILED", "YES"), ("BLOCKXSIZE", "32"), ("BLOCKYSIZE", "16")],
        &[("BLOCKYSIZE", "16")],
        &[("BLOCKYSIZE", "1")],
        &[("BLOCKYSIZE", "50"), ("BIGTIFF", "YES")],
    ];

    #[test]
    fn pixels_are_those_that_gdal_reads() {
        let folder = tempfile::tempdir().unwrap();
        for layout in LAYOUTS {
            for interleave in ["BAND", "PIXEL"] {
                for order in ["LITTLE", "BIG"] {
                    for predictor in ["1", "2", "3"] {
                        let packed = [
                            ("COMPRESS", "DEFLATE"),
                            ("INTERLEAVE", interleave),
                            ("ENDIANNESS", order),
                            ("PREDICTOR", predictor),
                        ];
                        let options = [layout, &packed].concat();
                        let folder = folder.path();
                        assert!(
                            is_unpacked::<f32>(&of_type::<f32>(folder, &options), f32::to_bits),
                            "{options:?}"
                        );
                        if predictor != "3" {
                            assert!(is_unpacked::<u8>(&of_type::<u8>(folder, &options), u32::from));
                            assert!(is_unpacked::<u16>(&of_type::<u16>(folder, &options), u32::from));
                            assert!(is_unpacked::<i16>(&of_type::<i16>(folder, &options), |v| v as u32));
                        }
                    }
                }
            }
        }
        let twelve = [("COMPRESS", "DEFLATE"), ("NBITS", "12")];
        assert!(!is_unpacked::<u16>(&of_type::<u16>(folder.path(), &twelve), u32::from));
    }

    /// What reading the whole of band 2 of `path` as `T` says, with `bytes` in its place.
    fn said<T: StoredPixel>(path: &Path, bytes: &[u8]) -> Result<Plane<T>, String> {
        std::fs::write(path, bytes).unwrap();
        Pool::default()
            .read::<T>(path, 2, &WINDOWS[0])
            .map_err(|error| error.to_string())
    }

    /// Where the block 0, 0 of band 2 lies in `path`, and its bytes.
    fn first_block(path: &Path) -> (usize, usize) {
        let dataset = Dataset::open(path).unwrap();
        let band = dataset.rasterband(2).unwrap();
        let ask = |what: &str| {
            let item = band.metadata_item(&format!("{what}_0_0"), "TIFF");
            item.unwrap().parse::<usize>().unwrap()
        };
        (ask("BLOCK_OFFSET"), ask("BLOCK_SIZE"))
    }

    #[test]
    fn any_bit_of_any_block_that_is_not_what_was_written_is_noticed() {
        fn check(path: &Path, what: &str) {
            let bytes = std::fs::read(path).unwrap();
            let good = said::<f32>(path, &bytes).unwrap();
            let (offset, size) = first_block(path);
            for i in 0..40 {
                let mut flipped = bytes.clone();
                flipped[offset + i * (size - 1) / 39] ^= 1 << (i % 8);
                match said::<f32>(path, &flipped) {
                    Err(error) => assert!(error.contains("the block in column 0 and row 0"), "{what}: {error}"),
                    // Bits behind the end of the packed stream fill its last byte.
                    Ok(found) => assert!(found == good, "{what}: byte {i}"),
                }
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for interleave in ["BAND", "PIXEL"] {
            for layout in LAYOUTS {
                let plain = [layout, &[("COMPRESS", "DEFLATE"), ("INTERLEAVE", interleave)]].concat();
                check(&of_type::<u16>(folder, &plain), "u16");
                check(&raster(folder, &plain, |i| i as u32 * 977), "u32");
                check(&raster(folder, &plain, |i| i as f64 * 0.3), "f64");
                let twelve = [&plain[..], &[("NBITS", "12")]].concat();
                check(&of_type::<u16>(folder, &twelve), "twelve bits");
                let floating = [&plain[..], &[("PREDICTOR", "3")]].concat();
                check(&raster(folder, &floating, |i| i as f64), "differences of f64");
            }
        }
    }

    #[test]
    fn a_block_whose_place_or_bytes_are_missing_is_damaged_and_one_without_both_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let layout = [("COMPRESS", "DEFLATE"), ("INTERLEAVE", "BAND"), ("BLOCKYSIZE", "50")];
        let path = of_type::<u16>(folder.path(), &layout);
        let bytes = std::fs::read(&path).unwrap();
        let good = said::<u16>(&path, &bytes).unwrap();
        let (offset, size) = first_block(&path);
        let tiff = Tiff::of(&Dataset::open(&path).unwrap(), &path).unwrap().unwrap();
        let [offset_at, size_at] = [tiff.offsets, tiff.sizes].map(|list| list.at as usize + list.bytes);
        assert_eq!((tiff.offsets.bytes, tiff.sizes.bytes), (4, 4));
        let changed = |places: &[(usize, &[u8])]| {
            let mut changed = bytes.clone();
            for (at, new) in places {
                changed[*at..at + new.len()].copy_from_slice(new);
            }
            said::<u16>(&path, &changed)
        };
        let error = changed(&[(size_at, &[0, 0])]).unwrap_err();
        assert!(error.contains("band 2") && error.contains("and no bytes"), "{error}");
        let error = changed(&[(offset_at, &[0, 0, 0, 0])]).unwrap_err();
        assert!(error.contains("and no place"), "{error}");
        let empty = changed(&[(offset_at, &[0, 0, 0, 0]), (size_at, &[0, 0])]).unwrap();
        assert!(empty.values().iter().all(|v| *v == 0));
        let error = changed(&[(size_at, &((size - 9) as u16).to_le_bytes())]).unwrap_err();
        assert!(error.contains("do not fit their checksum"), "{error}");
        // Bytes behind the stream belong to nobody.
        assert_eq!(changed(&[(size_at, &((size + 9) as u16).to_le_bytes())]).unwrap(), good);
        // Rows in a strip: one strip no longer holds the raster.
        let rows_at = bytes.windows(4).position(|window| window == [22, 1, 3, 0]).unwrap() + 8;
        let error = changed(&[(rows_at, &[49])]).unwrap_err();
        assert!(error.contains("lists 3 blocks where its size needs 6"), "{error}");
        let error = said::<u16>(&path, &bytes[..offset + size / 2]).unwrap_err();
        assert!(error.contains("cannot be read"), "{error}");
    }
}
