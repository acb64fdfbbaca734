//! sitewatch: change on declared sites, judged against what was declared.

pub mod fault;
pub mod raster;
