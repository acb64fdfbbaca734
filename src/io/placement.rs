//! How a raster lies on the ground.

/// The way from the pixels of a raster to places of its reference system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement<'a> {
    /// Affine transform from pixels to the CRS.
    pub geotransform: &'a [f64; 6],
    /// The CRS as well-known text.
    pub crs_wkt: &'a str,
}
