//! A date as the run has judged it.

use crate::geo::Rect;
use crate::raster::{Flags, PixelSource, Plane, ReadError, Stack};

/// A date with what the run found not to be judged.
pub struct Masked<'a> {
    /// The date.
    pub source: &'a dyn PixelSource,
    /// Why pixels of its ground were not judged.
    pub why: &'a Plane<Flags>,
}

impl PixelSource for Masked<'_> {
    fn read_around(&self, rect: &Rect, around: &Rect) -> Result<Stack, ReadError> {
        let mut stack = self.source.read_around(rect, around)?;
        let both = rect.intersect(&self.why.rect());
        for y in both.y..both.bottom() {
            for x in both.x..both.right() {
                if let (Some(flag), Some(why)) = (stack.flags.get_mut(x, y), self.why.get(x, y)) {
                    *flag |= why;
                }
            }
        }
        Ok(stack)
    }
}
