//! Files that GDAL writes: GeoTIFFs with overviews, GeoPackages.

pub mod cog;
pub mod geotiff;
mod gpkg;
mod overviews;
pub mod vector;
pub(super) mod vsi;
