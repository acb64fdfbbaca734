//! Rasters held against each other, pixel by pixel.

use std::path::Path;

use crate::geo::Rect;
use crate::io::formats::USUAL;
use crate::io::open::{self, RasterInfo};
use crate::io::{IoError, pool::Pool};
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};
use crate::raster::{Plane, flags};

/// A raster of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// `score.tif`.
    Score,
    /// `flags.tif`.
    Flags,
}

/// A score may differ by so much, hundredths of sigma, before its pixel counts as another: with another PROJ a date is resampled up to a
/// hundredth of a pixel beside, and what is fitted follows.
const SCORE_TOLERANCE: i32 = 25;

impl Layer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Score, Self::Flags];

    /// Its file in a site's folder.
    pub fn file(self) -> &'static str {
        match self {
            Self::Score => "score.tif",
            Self::Flags => "flags.tif",
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Flags => "flags",
        }
    }

    /// So large a part of the pixels may be another: those along edges.
    fn allowed(self) -> f64 {
        match self {
            Self::Score => 0.005,
            Self::Flags => 0.001,
        }
    }

    /// Whether a stored value says something: no data lies outside the site.
    fn holds(self, value: i32) -> bool {
        match self {
            Self::Score => value != i32::from(SCORE_NODATA),
            Self::Flags => value != i32::from(flags::OUTSIDE_SITE),
        }
    }

    /// Whether a stored value is another than the one that is expected.
    pub fn differs(self, expected: i32, found: i32) -> bool {
        let nodata = i32::from(SCORE_NODATA);
        match self {
            Self::Flags => expected != found,
            Self::Score if expected == nodata || found == nodata => expected != found,
            Self::Score => (expected - found).abs() > SCORE_TOLERANCE,
        }
    }

    /// Stored values of `rect` in a band (from 1) of the raster at `path`.
    pub fn read(self, pool: &Pool, path: &Path, band: usize, rect: &Rect) -> Result<Plane<i32>, IoError> {
        Ok(match self {
            Self::Score => pool.read::<i16>(path, band, rect)?.map(|score| i32::from(*score)),
            Self::Flags => pool.read::<u16>(path, band, rect)?.map(|flags| i32::from(*flags)),
        })
    }
}

/// How far the band of a raster is another that differs most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    layer: Layer,
    /// The band, from 1.
    pub band: usize,
    /// Pixels that hold a value in either.
    pixels: u64,
    others: u64,
    /// The largest difference of two values.
    largest: i32,
}

impl Difference {
    /// The part of its pixels that are others.
    fn part(&self) -> f64 {
        self.others as f64 / self.pixels.max(1) as f64
    }

    /// Whether it is small enough.
    pub fn is_expected(&self) -> bool {
        self.part() <= self.layer.allowed()
    }

    /// What is said of it.
    pub fn sentence(&self, layer: Layer) -> String {
        let percent = |part: f64| format!("{:.2} %", 100.0 * part);
        let by = match layer {
            Layer::Score => format!(
                " by more than {} sigma, at most by {}",
                f64::from(SCORE_TOLERANCE) * SCORE_SCALE,
                f64::from(self.largest) * SCORE_SCALE
            ),
            Layer::Flags => String::new(),
        };
        format!(
            "{} of {} pixels of band {} ({}) differ{by}; expected at most {}",
            self.others,
            self.pixels,
            self.band,
            percent(self.part()),
            percent(layer.allowed())
        )
    }
}

/// Rows that are compared at once.
const STRIP: usize = 256;

/// What the raster at `expected` is, or why that at `found` has other pixels or bands.
///
/// # Errors
/// What is expected cannot be read.
pub fn same_size(expected: &Path, found: &Path) -> Result<Result<RasterInfo, String>, IoError> {
    let info = open::info(expected, USUAL)?;
    let other = match open::info(found, USUAL) {
        Ok(other) => other,
        Err(error) => return Ok(Err(error.to_string())),
    };
    if (info.bands, info.width, info.height) == (other.bands, other.width, other.height) {
        return Ok(Ok(info));
    }
    Ok(Err(format!(
        "expected {} x {} pixels in {} bands, found {} x {} in {}",
        info.width, info.height, info.bands, other.width, other.height, other.bands
    )))
}

/// How the raster at `found` differs from that at `expected`, or why they cannot be compared.
///
/// # Errors
/// What is expected cannot be read.
pub fn compare(layer: Layer, expected: &Path, found: &Path) -> Result<Result<Difference, String>, IoError> {
    let info = match same_size(expected, found)? {
        Ok(info) => info,
        Err(message) => return Ok(Err(message)),
    };
    let pool = Pool::default();
    let mut worst: Option<Difference> = None;
    for band in 1..=info.bands {
        let mut difference = Difference {
            layer,
            band,
            pixels: 0,
            others: 0,
            largest: 0,
        };
        for y in (0..info.height).step_by(STRIP) {
            let rect = Rect::new(0, y as i64, info.width, STRIP.min(info.height - y));
            let a = layer.read(&pool, expected, band, &rect)?;
            let b = match layer.read(&pool, found, band, &rect) {
                Ok(b) => b,
                Err(error) => return Ok(Err(error.to_string())),
            };
            let held = a.values().iter().zip(b.values());
            for (a, b) in held.filter(|(a, b)| layer.holds(**a) || layer.holds(**b)) {
                difference.pixels += 1;
                difference.others += u64::from(layer.differs(*a, *b));
                if layer.holds(*a) && layer.holds(*b) {
                    difference.largest = difference.largest.max((a - b).abs());
                }
            }
        }
        if worst.is_none_or(|worst| difference.part() > worst.part()) {
            worst = Some(difference);
        }
    }
    Ok(worst.ok_or_else(|| "expected a band, found none".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_counts_as_another_beyond_its_tolerance_and_a_flag_at_once() {
        let nodata = i32::from(SCORE_NODATA);
        assert!(!Layer::Score.differs(100, 125) && Layer::Score.differs(100, 126));
        assert!(Layer::Score.differs(nodata, 0) && !Layer::Score.differs(nodata, nodata));
        assert!(Layer::Flags.differs(8, 9) && !Layer::Flags.differs(8, 8));
        let of = |others| Difference {
            layer: Layer::Score,
            band: 2,
            pixels: 1000,
            others,
            largest: 400,
        };
        assert!(of(5).is_expected() && !of(6).is_expected());
        assert_eq!(
            of(6).sentence(Layer::Score),
            "6 of 1000 pixels of band 2 (0.60 %) differ by more than 0.25 sigma, at most by 4; expected at most 0.50 %"
        );
    }
}
