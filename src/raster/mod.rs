//! Pixels: planes, flags, stacks and the seam to I/O.

pub mod flags;
