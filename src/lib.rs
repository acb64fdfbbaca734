//! sitewatch: change on declared sites, judged against what was declared.
#![warn(missing_docs)]

pub mod fault;
pub mod finding;
pub mod geo;
pub mod raster;
