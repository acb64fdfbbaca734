//! What is read of a TIFF past GDAL (TIFF 6.0; BigTIFF): its directories, where its blocks lie, and those that are packed by deflate.
//!
//! GDAL reads the directory too, but tells neither where the large strip lies that it hands out in rows, nor the order of bytes.

mod directory;
pub(super) mod inflate;
mod layout;
mod pages;
pub(super) mod pixels;

pub(super) use layout::{Place, Tiff};
pub(super) use pages::{Pages, look_through};
