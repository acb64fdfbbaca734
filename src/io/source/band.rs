//! A band of a file, read where the site grid needs it: values, and why there are none.

use std::sync::Arc;

use super::radiometry::Radiometry;
use crate::geo::Rect;
use crate::io::IoError;
use crate::io::bands::Layer;
use crate::io::blocked::Blocked;
use crate::io::blocks::Blocks;
use crate::io::mapping::Mapping;
use crate::io::resample::Window;
use crate::raster::{Plane, ReadError, flags};
use crate::stage::sensitivity::paint::Patch;

/// A layer of a file.
#[derive(Clone)]
pub(super) struct FileLayer {
    pub file: Arc<Blocked>,
    pub layer: Layer,
}

/// Which pixels of a file make a band.
#[derive(Clone)]
pub(super) struct BandReader {
    /// The band itself.
    pub own: FileLayer,
    /// Its number in the file, from 1.
    pub index: usize,
    pub mapping: Arc<Mapping>,
    /// Layers that are 0 where it holds no data.
    pub masks: Vec<FileLayer>,
}

/// A band that is measured: its pixels, what they stand for, and what is painted over them.
#[derive(Clone)]
pub(super) struct MeasuredBand {
    pub reader: BandReader,
    pub radiometry: Radiometry,
    pub patches: Vec<Patch>,
}

impl BandReader {
    /// Columns and rows of its file.
    pub fn size(&self) -> (usize, usize) {
        let bounds = &self.own.file.bounds;
        (bounds.w, bounds.h)
    }

    /// The pixels that are needed for `rect` of the grid; empty where it has none there.
    pub fn needed(&self, rect: &Rect) -> Rect {
        let (width, height) = self.size();
        self.mapping.window(rect, width, height)
    }

    /// What `narrow` and `wide` make of its stored pixels on `needed`; see [`Blocks::read`].
    pub fn stored<V: Copy + Default>(
        &self,
        blocks: &Blocks,
        needed: &Rect,
        narrow: impl Fn(f32) -> V,
        wide: impl Fn(f64) -> V,
    ) -> Result<Plane<V>, ReadError> {
        let FileLayer { file, layer } = &self.own;
        let read = blocks.read(file, *layer, needed, narrow, wide);
        read.map_err(|error| self.failed(&self.own, needed, &error))
    }

    /// Which pixels of `needed` a mask says are none; `None` where there is no such pixel.
    pub fn masked(&self, blocks: &Blocks, needed: &Rect) -> Result<Option<Plane<bool>>, ReadError> {
        let mut all: Option<Plane<bool>> = None;
        for mask in &self.masks {
            let masked = blocks
                .read(
                    &mask.file,
                    mask.layer,
                    needed,
                    |value| value == 0.0,
                    |value| value == 0.0,
                )
                .map_err(|error| self.failed(mask, needed, &error))?;
            match &mut all {
                Some(all) => all.zip_mut_with(&masked, |all, one| *all |= one),
                None => all = masked.values().iter().any(|is| *is).then_some(masked),
            }
        }
        Ok(all)
    }

    /// That `layer`, which is the band or masks it, cannot be read on `needed`.
    fn failed(&self, layer: &FileLayer, needed: &Rect, error: &IoError) -> ReadError {
        ReadError {
            path: layer.file.path.display().to_string(),
            message: format!(
                "band {}, columns {}..{}, rows {}..{}: {}{}",
                self.index,
                needed.x,
                needed.right(),
                needed.y,
                needed.bottom(),
                error.cause(),
                if matches!(error, IoError::Open { .. }) {
                    ""
                } else {
                    "; is the file complete?"
                }
            ),
        }
    }
}

impl MeasuredBand {
    /// Values on `needed`, and why there is none: not one number of this is looked at elsewhere.
    pub fn window(&self, blocks: &Blocks, needed: &Rect) -> Result<Window, ReadError> {
        let (reader, radiometry) = (&self.reader, &self.radiometry);
        let (physical, wide) = (radiometry.physical(), |stored| radiometry.of_wide(stored));
        let mut values = match physical.has_more {
            false => reader.stored(blocks, needed, |stored| physical.of(stored), wide)?,
            true => reader.stored(blocks, needed, |stored| physical.of_many(stored), wide)?,
        };
        let masked = reader.masked(blocks, needed)?;
        if let Some(masked) = &masked {
            values.zip_mut_with(masked, |value, masked| {
                *value = if *masked { f32::NAN } else { *value };
            });
        }
        let unusable: u32 = values.values().iter().map(|value| u32::from(value.is_nan())).sum();
        let mut reasons = None;
        if unusable > 0 {
            let reason = |stored: f64| radiometry.reason(stored);
            let mut why = reader.stored(blocks, needed, |stored| reason(stored.into()), reason)?;
            if let Some(masked) = &masked {
                why.zip_mut_with(masked, |why, masked| {
                    *why |= if *masked { flags::NODATA } else { flags::CLEAR };
                });
            }
            reasons = Some(why);
        }
        self.patches.iter().for_each(|patch| patch.paint(&mut values));
        Ok(Window { values, reasons })
    }
}
