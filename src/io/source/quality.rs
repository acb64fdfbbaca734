//! A quality band of a file, read on the site grid: reasons why pixels cannot be judged.

use super::band::BandReader;
use crate::geo::Rect;
use crate::io::blocks::Blocks;
use crate::io::onto_grid::flagged;
use crate::io::resample::Kernel;
use crate::raster::{Flags, Plane, ReadError, flags};
use crate::scene::Coding;

/// Which pixels of a file make a quality band, and what they say.
#[derive(Clone)]
pub(super) struct QualityReader {
    pub band: BandReader,
    pub coding: Coding,
    /// Values where it says nothing.
    pub nodata: Vec<f64>,
}

impl QualityReader {
    /// What a stored value says.
    fn flags(&self, stored: f64) -> Flags {
        let says_nothing = self.nodata.contains(&stored);
        self.coding.decode(stored) | if says_nothing { flags::NODATA } else { flags::CLEAR }
    }

    /// What it says of `rect` under `kernel`, or as far around each pixel as bands that lie otherwise `reach` for its value.
    pub fn read(
        &self,
        blocks: &Blocks,
        rect: &Rect,
        kernel: Kernel,
        reach: Option<[f64; 2]>,
    ) -> Result<Plane<Flags>, ReadError> {
        let band = &self.band;
        let around = reach.map_or(0, |[across, down]| across.max(down).ceil() as usize);
        let needed = band.needed(&rect.grow(around));
        if needed.is_empty() {
            return Ok(Plane::filled(*rect, flags::NOT_COVERED));
        }
        // Nearly all quality bands hold bytes: what each means is asked once.
        let of_byte: Vec<Flags> = (0..=u8::MAX).map(|byte| self.flags(byte.into())).collect();
        let flag = |stored: f32| {
            let byte = stored as u8;
            match f32::from(byte) == stored {
                true => of_byte[usize::from(byte)],
                false => self.flags(stored.into()),
            }
        };
        let mut stated = band.stored(blocks, &needed, flag, |stored| self.flags(stored))?;
        if let Some(masked) = band.masked(blocks, &needed)? {
            stated.zip_mut_with(&masked, |flag, masked| {
                *flag |= if *masked { flags::NODATA } else { flags::CLEAR };
            });
        }
        Ok(match reach {
            Some(reach) => flagged::within(&band.mapping, rect, &stated, band.size(), reach),
            None => flagged::onto_grid(&band.mapping, rect, &stated, band.size(), kernel),
        })
    }
}
