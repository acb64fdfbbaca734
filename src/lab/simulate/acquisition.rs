//! Part of a recipe: when and how the scene is acquired.

use jiff::Timestamp;
use serde::Deserialize;

use super::written::{BoxM, moment};

/// One optical scene.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Date {
    /// When it was acquired.
    #[serde(deserialize_with = "moment")]
    pub time: Timestamp,
    /// Reflectance is multiplied by this: one number for all bands, or one per band.
    #[serde(default = "unit_gain")]
    pub gain: Vec<f64>,
    /// And this is added: one number for all bands, or one per band.
    #[serde(default = "no_offset")]
    pub offset: Vec<f64>,
    /// Standard deviation of the sensor's noise, reflectance.
    #[serde(default = "usual_noise")]
    pub noise: f64,
    /// Standard deviation of the (Gaussian) point spread, pixels.
    #[serde(default = "usual_psf")]
    pub psf_px: f64,
    /// How far the content lies right of and below its true place, pixels.
    #[serde(default)]
    pub shift_px: [f64; 2],
    /// Day of the year that vegetation shows, 1 to 366; that of `time` when absent.
    pub season_day: Option<f64>,
    /// Another grid than the recipe's.
    #[serde(default)]
    pub grid: GridChange,
    /// Clouds at given places.
    #[serde(default, rename = "cloud")]
    pub clouds: Vec<Cloud>,
    /// About this fraction of the scene lies under scattered clouds.
    #[serde(default)]
    pub cloud_fraction: f64,
    /// How far apart scattered clouds are, metres.
    #[serde(default = "usual_cloud")]
    pub cloud_size_m: f64,
    /// A slanted edge of the swath, beyond which there is no data.
    pub wedge: Option<Wedge>,
}

/// How the grid of a date differs from the recipe's.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridChange {
    /// The left edge lies so many pixels further right.
    #[serde(default)]
    pub left_px: i64,
    /// The top edge lies so many pixels further down.
    #[serde(default)]
    pub top_px: i64,
    /// Columns, when others.
    pub width_px: Option<usize>,
    /// Rows, when others.
    pub height_px: Option<usize>,
    /// Another reference system: the grid is then the box around the scene in it, in metres or degrees.
    pub epsg: Option<u32>,
}

/// A cloud and its shadow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// Ground that it hides.
    pub box_m: BoxM,
    /// Width of its frayed edge, outside of the box, metres.
    #[serde(default = "eighty")]
    pub edge_m: f64,
    /// 1 hides the ground; less is haze.
    #[serde(default = "full")]
    pub opacity: f64,
}

/// A side of the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // Left and right.
pub enum Side {
    Left,
    Right,
}

/// Where the swath ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wedge {
    /// The side without data.
    pub side: Side,
    /// Fraction of the first row without data.
    pub top: f64,
    /// Fraction of the last row without data.
    pub bottom: f64,
}

/// One radar scene: VV and VH, linear power, on the recipe's grid.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Radar {
    /// When it was acquired.
    #[serde(deserialize_with = "moment")]
    pub time: Timestamp,
    /// Looks: speckle has the relative variance 1 / looks.
    #[serde(default = "four_looks")]
    pub looks: u32,
    /// Standard deviation of the (Gaussian) point spread, pixels.
    #[serde(default = "usual_psf")]
    pub psf_px: f64,
    /// How far the content lies right of and below its true place, pixels.
    #[serde(default)]
    pub shift_px: [f64; 2],
    /// Power is multiplied by this.
    #[serde(default = "full")]
    pub gain: f64,
}

fn unit_gain() -> Vec<f64> {
    vec![1.0]
}
fn no_offset() -> Vec<f64> {
    vec![0.0]
}
fn usual_noise() -> f64 {
    0.003
}
fn usual_psf() -> f64 {
    0.55
}
fn usual_cloud() -> f64 {
    1500.0
}
fn eighty() -> f64 {
    80.0
}
fn full() -> f64 {
    1.0
}
fn four_looks() -> u32 {
    4
}
