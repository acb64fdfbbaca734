//! Raster files opened, and what they say of themselves before a pixel is read.

pub mod bands;
pub(super) mod bulk;
mod complete;
pub mod formats;
mod hfa;
mod info;
mod jp2;
mod masks;
pub mod open;
mod pam;
mod place;
mod recognise;
