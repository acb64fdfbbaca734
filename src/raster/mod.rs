//! Pixels: planes, flags, stacks and the seam to I/O.

pub mod convolve;
pub mod flags;
pub mod plane;
pub mod stack;
pub mod stats;

pub use flags::Flags;
pub use plane::Plane;
pub use stack::{MemorySource, PixelSource, ReadError, Stack};
