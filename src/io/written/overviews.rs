//! Smaller pictures of a raster inside its file, each half as wide and high as the one before.
//!
//! GDAL's own averaging takes longer than all else that makes a score raster; these are the same means, rounded to the nearest.

use gdal::Dataset;
use gdal::raster::Buffer;

use crate::io::stored::StoredPixel;

/// Overviews are made until neither edge is longer, pixels: one block of the file.
const MIN_PX: usize = 512;
/// Rows of an overview that are made at once.
const STRIP: usize = 256;

/// Pixels that four of a raster become one of.
pub trait Halved: StoredPixel + Send + Sync {
    /// One for each four of two rows; a last column without a neighbour stands for both. Those that hold `nodata` do not count.
    fn halved(upper: &[Self], lower: &[Self], nodata: Option<Self>, out: &mut [Self]);
}

/// Scores: the mean, halves rounded up.
impl Halved for i16 {
    fn halved(upper: &[Self], lower: &[Self], nodata: Option<Self>, out: &mut [Self]) {
        let mean = |four: [i16; 4]| {
            let valid = || four.iter().filter(|value| Some(**value) != nodata);
            let (sum, count) = (
                valid().map(|value| i32::from(*value)).sum::<i32>(),
                valid().count() as i32,
            );
            match count {
                0 => four[0],
                _ => (2 * sum + count).div_euclid(2 * count) as i16,
            }
        };
        let whole = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for (out, (a, b)) in out.iter_mut().zip(whole) {
            *out = mean([a[0], a[1], b[0], b[1]]);
        }
        if let ([a], [b], Some(out)) = (
            upper.chunks_exact(2).remainder(),
            lower.chunks_exact(2).remainder(),
            out.last_mut(),
        ) {
            *out = mean([*a, *a, *b, *b]);
        }
    }
}

/// Flags: that of the first.
impl Halved for u16 {
    fn halved(upper: &[Self], _: &[Self], _: Option<Self>, out: &mut [Self]) {
        out.iter_mut()
            .zip(upper.iter().step_by(2))
            .for_each(|(out, first)| *out = *first);
    }
}

/// Adds overviews to every band of `dataset`, whose pixels are written.
///
/// # Errors
/// What GDAL says.
pub fn add<T: Halved>(dataset: &mut Dataset, nodata: Option<T>) -> gdal::errors::Result<()> {
    let (width, height) = dataset.raster_size();
    let factors = std::iter::successors(Some(2_i32), |factor| factor.checked_mul(2));
    let is_needed = |factor: &i32| width.max(height).div_ceil((*factor / 2) as usize) > MIN_PX;
    let factors: Vec<i32> = factors.take_while(is_needed).collect();
    if factors.is_empty() {
        return Ok(());
    }
    dataset.build_overviews("NONE", &factors, &[])?;
    for band in 1..=dataset.raster_count() {
        for level in 0..factors.len() {
            let band = dataset.rasterband(band)?;
            let mut to = band.overview(level)?;
            let from = match level {
                0 => band,
                _ => band.overview(level - 1)?,
            };
            let ((w, h), (out_w, out_h)) = (from.size(), to.size());
            for top in (0..out_h).step_by(STRIP) {
                let rows = STRIP.min(out_h - top);
                let read = (2 * rows).min(h - 2 * top);
                let strip = from.read_as::<T>((0, 2 * top as isize), (w, read), (w, read), None)?;
                let mut out = Vec::with_capacity(rows * out_w);
                for pair in strip.data().chunks(2 * w) {
                    let (upper, lower) = pair.split_at(w);
                    let from = out.len();
                    out.extend(upper.iter().step_by(2).copied());
                    T::halved(
                        upper,
                        if lower.is_empty() { upper } else { lower },
                        nodata,
                        &mut out[from..],
                    );
                }
                let mut out = Buffer::new((out_w, rows), out);
                to.write((0, top as isize), (out_w, rows), &mut out)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::Rect;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
    use crate::io::open;

    #[test]
    fn four_scores_become_their_mean_and_what_is_not_judged_does_not_count() {
        let n = i16::MIN;
        let mut out = [0; 4];
        i16::halved(&[1, 2, n, 5, n, n, -3], &[3, 4, n, 6, n, n, -4], Some(n), &mut out);
        // 10 / 4 and 11 / 2 rounded up at the half; -7 / 2 towards above.
        assert_eq!(out, [3, 6, n, -3]);
        let mut out = [0; 2];
        u16::halved(&[7, 1, 9], &[2, 3, 4], None, &mut out);
        assert_eq!(out, [7, 9]);
    }

    #[test]
    fn a_file_of_odd_edges_has_the_means_of_its_pixels_on_every_level() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let (width, height) = (1031, 515);
        let layout = Layout {
            width,
            height,
            bands: 1,
            data_type: DataType::I16,
            transform: [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0],
            crs: "EPSG:32633".into(),
            nodata: Some(-1.0),
            compression: Compression::None,
            block: 512,
        };
        let pixels: Vec<i16> = (0..width * height)
            .map(|i| (i % width * 7 + i / width * 3) as i16 % 900 - 1)
            .collect();
        let mut writer = GeoTiffWriter::create(&path, layout).unwrap();
        writer.write(1, &Rect::new(0, 0, width, height), &pixels).unwrap();
        writer.add_overviews().unwrap();
        writer.finish().unwrap();
        let dataset = open::open(&path, crate::io::formats::USUAL).unwrap();
        let band = dataset.rasterband(1).unwrap();
        assert_eq!(band.overview_count().unwrap(), 2);
        let (mut upper, mut size) = (pixels, (width, height));
        for level in 0..2 {
            let overview = band.overview(level).unwrap();
            let (w, h) = (size.0.div_ceil(2), size.1.div_ceil(2));
            assert_eq!(overview.size(), (w, h));
            let found = overview.read_as::<i16>((0, 0), (w, h), (w, h), None).unwrap();
            let by_hand = |x: usize, y: usize| {
                let at = |x: usize, y: usize| upper[y.min(size.1 - 1) * size.0 + x.min(size.0 - 1)];
                let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| at(2 * x + i, 2 * y + j));
                let valid: Vec<f64> = four.iter().filter(|v| **v != -1).map(|v| f64::from(*v)).collect();
                match valid.len() {
                    0 => -1,
                    n => (valid.iter().sum::<f64>() / n as f64 + 0.5).floor() as i16,
                }
            };
            let expected: Vec<i16> = (0..w * h).map(|i| by_hand(i % w, i / w)).collect();
            assert!(found.data() == expected, "level {level}");
            (upper, size) = (expected, (w, h));
        }
    }
}
