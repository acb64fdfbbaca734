//! An acquisition that reads on the site grid: its pieces, each from its own files, put together pixel by pixel.
//!
//! A pixel is that of the first piece in which it can be judged; where it can be judged in none, of the first that covers it. Each piece is
//! resampled by itself, whatever its reference system, so the order of files and the tiling cannot be seen. Where the meridian at which longitude
//! begins anew lies on the grid, a raster around the earth is two pieces.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::IoError;
use super::blocks::Blocks;
use super::mapping::Target;
use super::open::RasterInfo;
use super::source::SceneSource;
use crate::finding::Alignment;
use crate::geo::Rect;
use crate::raster::{Flags, PixelSource, ReadError, Stack, flags};
use crate::scene::Acquisition;
use crate::stage::sensitivity::paint::Square;

/// An acquisition on a site grid.
pub struct Mosaic {
    pieces: Vec<SceneSource>,
}

impl Mosaic {
    /// `date` on `target`, as [`SceneSource::new`] has it for each of its pieces.
    ///
    /// # Errors
    /// Those of a piece.
    pub fn new(
        date: &Acquisition,
        target: &Target,
        bands: &[String],
        infos: &BTreeMap<PathBuf, RasterInfo>,
        blocks: &Arc<Blocks>,
    ) -> Result<Self, IoError> {
        let mut pieces = Vec::with_capacity(date.pieces.len());
        for piece in &date.pieces {
            for turn in SceneSource::turns(piece, target, infos)? {
                pieces.push(SceneSource::new(piece, target, turn, bands, infos, blocks.clone())?);
            }
        }
        Ok(Self { pieces })
    }

    /// The same acquisition where `changes` have happened, as [`SceneSource::painted`] has it.
    pub fn painted(&self, changes: &[Square]) -> Self {
        Self {
            pieces: self.pieces.iter().map(|piece| piece.painted(changes)).collect(),
        }
    }

    /// The same acquisition without its quality bands.
    pub fn bare(self) -> Self {
        Self {
            pieces: self.pieces.into_iter().map(SceneSource::bare).collect(),
        }
    }

    /// How each band comes onto the grid: `window` where all pieces are read as they are, else `resampled`.
    pub fn alignment(&self) -> Vec<Alignment> {
        let mut of_pieces = self.pieces.iter().map(SceneSource::alignment);
        let first = of_pieces.next().unwrap_or_default();
        of_pieces.fold(first, |all, one| {
            all.into_iter()
                .zip(one)
                .map(|(a, b)| if a == b { a } else { Alignment::Resampled })
                .collect()
        })
    }
}

impl PixelSource for Mosaic {
    fn read_around(&self, rect: &Rect, around: &Rect) -> Result<Stack, ReadError> {
        match self.pieces.as_slice() {
            [only] => only.read_around(rect, around),
            // Which piece a pixel is of is decided by its values too, also around.
            pieces => {
                let mut whole: Option<Stack> = None;
                for piece in pieces {
                    let below = piece.read_around(around, around)?;
                    match &mut whole {
                        None => whole = Some(below),
                        Some(top) => fill(top, &below),
                    }
                }
                let whole = whole.unwrap_or_else(|| Stack::nothing(around));
                Ok(whole.cut(rect))
            }
        }
    }
}

/// Puts pixels of `below` into `top` where that has nothing to be judged and `below` has, or where `below` alone covers.
fn fill(top: &mut Stack, below: &Stack) {
    const EMPTY: Flags = flags::NOT_COVERED | flags::NODATA;
    let rect = top.rect;
    for y in 0..rect.h {
        for x in 0..rect.w {
            let at = [y, x];
            let (above, under) = (top.reasons(at), below.reasons(at));
            let is_better = under == flags::CLEAR || above & EMPTY != 0 && under & EMPTY == 0;
            if above == flags::CLEAR || !is_better {
                continue;
            }
            top.flags[at] = below.flags[at];
            top.quality[at] = below.quality[at];
            let planes = top.bands.iter_mut().zip(&below.bands);
            planes.for_each(|(top, below)| top[at] = below[at]);
        }
    }
}
