//! Decoded blocks of rasters: open handles, the cells that files are cut into, and the store that keeps them.

pub mod blocked;
pub mod blocks;
pub mod decode;
pub mod pool;
