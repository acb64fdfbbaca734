//! The record for other programs: one format a file.

pub mod csv;
pub mod geojson;
pub mod gpkg;
pub mod json;
pub mod junit;
pub mod stac;
