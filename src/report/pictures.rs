//! What the page shows and the record does not hold: pictures, and outlines in pixels.

use std::collections::BTreeMap;

/// Rings of polygons in pixels of the site grid; holes by the even-odd rule.
pub type Rings = Vec<Vec<[f64; 2]>>;

/// Everything that the page shows and the record does not hold. All of it may be missing: the page says so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pictures {
    /// The newest scene over the whole site grid, PNG.
    pub overview: Option<Vec<u8>>,
    /// The scene before it, over the same ground and stretched alike, PNG.
    pub overview_before: Option<Vec<u8>>,
    /// Overview pixels per pixel of the site grid.
    pub overview_scale: f64,
    /// Pictures of anomalies by their id.
    pub chips: BTreeMap<String, Chip>,
    /// Outlines of anomalies by their id, in pixels of the site grid.
    pub outlines: BTreeMap<String, Rings>,
    /// The site's boundary, in pixels of the site grid.
    pub site_outline: Rings,
    /// Zones by their id, in pixels of the site grid.
    pub zone_outlines: BTreeMap<String, Rings>,
    /// Activities by their id, in pixels of the site grid.
    pub activity_outlines: BTreeMap<String, Rings>,
}

/// The ground around an anomaly on both dates, stretched alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chip {
    /// The earlier date, PNG.
    pub before: Vec<u8>,
    /// The later date, PNG.
    pub after: Vec<u8>,
    /// What both show: x, y, width, height in pixels of the site grid.
    pub window_px: [i64; 4],
}
