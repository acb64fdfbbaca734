//! Where pixels of the site grid lie in rasters, and the values and flags that they have there.

pub(super) mod flagged;
mod grid_to_raster;
mod kernel;
pub mod mapping;
mod nodes;
pub mod resample;
pub mod to_pixels;
mod window;
