//! What to simulate, from a TOML file.
//!
//! Places are boxes `[left, top, right, bottom]` in metres, right of and below the top-left corner of the scene.

use jiff::Timestamp;
use serde::Deserialize;

use super::acquisition::{Date, Radar};
use super::written::{BoxM, maybe_moment, moment};
use crate::finding::Verdict;

/// The longest edge of a scene, in pixels.
const MAX_EDGE_PX: usize = 40_000;
/// The most dates, sites, changes or other listed things.
const MAX_LISTED: usize = 10_000;

/// Scenes to make, and what is true in them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Everything random follows from this number.
    pub seed: u32,
    /// The projected reference system (metres) of the scene.
    #[serde(default = "epsg_utm33")]
    pub epsg: u32,
    /// Easting and northing of the top-left corner, metres.
    #[serde(default = "corner")]
    pub origin_m: [f64; 2],
    /// Edge of a pixel, metres.
    #[serde(default = "ten")]
    pub pixel_m: f64,
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// Bands in file order, by STAC common name.
    #[serde(default = "four_bands")]
    pub bands: Vec<Band>,
    /// Pixels of the image under one pixel of the quality band, each way: 1, or 2 for a 20 m band under 10 m.
    #[serde(default = "one")]
    pub quality_every_px: usize,
    /// The platform named in the catalogue.
    #[serde(default = "sentinel_2a")]
    pub platform: String,
    /// The countryside.
    #[serde(default)]
    pub land: Land,
    /// Head of the declaration.
    #[serde(default)]
    pub declaration: Head,
    /// Declared sites.
    #[serde(default, rename = "site")]
    pub sites: Vec<Site>,
    /// Many declared sites at once, in rows and columns over the scene.
    pub sites_grid: Option<SitesGrid>,
    /// Declared zones.
    #[serde(default, rename = "zone")]
    pub zones: Vec<Zone>,
    /// Declared activities, carried out or not.
    #[serde(default, rename = "activity")]
    pub activities: Vec<Activity>,
    /// What really happens, declared or not.
    #[serde(default, rename = "change")]
    pub changes: Vec<Change>,
    /// Optical scenes, in order of time.
    #[serde(default, rename = "date")]
    pub dates: Vec<Date>,
    /// Radar scenes, in order of time.
    #[serde(default, rename = "sar")]
    pub radar: Vec<Radar>,
}

/// An optical band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // The names are STAC's common names.
pub enum Band {
    Blue,
    Green,
    Red,
    Nir,
    Swir16,
    Swir22,
}

/// The countryside around the sites.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Land {
    /// Usual width of a field, metres.
    pub field_m: f64,
    /// About this fraction of the land is forest.
    pub forest_fraction: f64,
    /// About this fraction of the land is lakes.
    pub lake_fraction: f64,
    /// Towns.
    pub towns: usize,
    /// Roads through the scene; towns are joined by further roads.
    pub roads: usize,
    /// Rivers through the scene.
    pub rivers: usize,
    /// How much a field differs from date to date beyond the season, as a fraction of its reflectance (moisture, tillage).
    pub variability: f64,
}

impl Default for Land {
    fn default() -> Self {
        Self {
            field_m: 140.0,
            forest_fraction: 0.22,
            lake_fraction: 0.01,
            towns: 0,
            roads: 2,
            rivers: 1,
            variability: 0.03,
        }
    }
}

/// Head of the declaration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Head {
    /// Identifier.
    pub id: String,
    /// Who declares.
    pub party: String,
    /// Under which agreement.
    pub agreement: String,
    /// When it was issued.
    #[serde(deserialize_with = "moment")]
    pub issued: Timestamp,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            id: "simulated-1".into(),
            party: "Party A".into(),
            agreement: "Simulated Agreement".into(),
            issued: "2021-01-01T00:00:00Z".parse().unwrap_or_default(),
        }
    }
}

/// What stands on a site before anything changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Roads, yards, halls and lawns.
    #[default]
    Base,
    /// Whatever the countryside has.
    Open,
}

/// A declared site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Identifier.
    pub id: String,
    /// Name; the identifier when absent.
    pub name: Option<String>,
    /// Its boundary.
    pub box_m: BoxM,
    /// What stands on it.
    #[serde(default)]
    pub style: Style,
}

/// Sites in rows and columns, evenly spread over the scene.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SitesGrid {
    /// Rows of sites.
    pub rows: usize,
    /// Columns of sites.
    pub cols: usize,
    /// Edge of a site, metres.
    pub size_m: f64,
    /// Every so many sites a hall is built between the first and the last date that nobody declared; 0 for none.
    #[serde(default)]
    pub undeclared_every: usize,
    /// Every so many sites a hall is built as declared; 0 for none.
    #[serde(default)]
    pub declared_every: usize,
}

/// What a zone is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // The words of the declaration format.
pub enum Role {
    Building,
    Storage,
    Exclusion,
    Reference,
    Other,
}

/// A declared zone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Identifier.
    pub id: String,
    /// The site it lies in.
    pub site: String,
    /// What it is for.
    pub role: Role,
    /// Its boundary.
    pub box_m: BoxM,
}

/// A kind of activity or change, in the words of the declaration format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// A hall goes up.
    Construction,
    /// A hall comes down.
    Demolition,
    /// Soil is dug up.
    Earthworks,
    /// Forest is cleared.
    Clearance,
    /// Vehicles stand on a yard.
    Movement,
    /// Anything else: for activities only.
    Other,
}

/// A declared activity. It says nothing about what happens: see [`Change`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Identifier.
    pub id: String,
    /// The site it takes place on.
    pub site: String,
    /// The zone it takes place in; else `box_m` is given.
    pub zone: Option<String>,
    /// Where it takes place; else `zone` is given.
    pub box_m: Option<BoxM>,
    /// Its kind.
    pub what: What,
    /// Its window begins.
    #[serde(deserialize_with = "moment")]
    pub from: Timestamp,
    /// Its window has ended.
    #[serde(deserialize_with = "moment")]
    pub to: Timestamp,
    /// When it was announced.
    #[serde(deserialize_with = "moment")]
    pub notified: Timestamp,
    /// How far outside its area it may reach, metres.
    pub tolerance_m: Option<f64>,
    /// The right verdict on the activity, told in the truth file.
    pub verdict: Option<Verdict>,
}

/// Something that happens on the ground.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its kind.
    pub what: What,
    /// Where.
    pub box_m: BoxM,
    /// Scenes from this moment on show it.
    #[serde(deserialize_with = "moment")]
    pub at: Timestamp,
    /// Scenes from this moment on show the ground as it was before.
    #[serde(default, deserialize_with = "maybe_moment")]
    pub until: Option<Timestamp>,
    /// Turned clockwise by so many degrees about the middle of the box.
    #[serde(default)]
    pub angle_deg: f64,
    /// Height of the hall, metres: the length of its shadow follows.
    #[serde(default = "nine")]
    pub height_m: f64,
    /// The activity that this change belongs to, told in the truth file.
    pub activity: Option<String>,
    /// The right verdict on the change, told in the truth file.
    pub verdict: Option<Verdict>,
}

fn epsg_utm33() -> u32 {
    32633
}
fn corner() -> [f64; 2] {
    [500_000.0, 5_400_000.0]
}
fn ten() -> f64 {
    10.0
}
fn one() -> usize {
    1
}
fn four_bands() -> Vec<Band> {
    vec![Band::Blue, Band::Green, Band::Red, Band::Nir]
}
fn sentinel_2a() -> String {
    "sentinel-2a".into()
}
fn nine() -> f64 {
    9.0
}

impl Recipe {
    /// Width and height of the scene, metres.
    pub fn size_m(&self) -> (f64, f64) {
        (
            self.width_px as f64 * self.pixel_m,
            self.height_px as f64 * self.pixel_m,
        )
    }

    /// The recipe's reference system.
    pub fn crs(&self) -> String {
        format!("EPSG:{}", self.epsg)
    }
}

impl SitesGrid {
    /// Whether the number of sites is one that can be made.
    pub(super) fn fits(&self) -> bool {
        self.rows.saturating_mul(self.cols) <= MAX_LISTED
    }
}

/// Bounds that `check` keeps: edge in pixels, listed things.
pub(super) const BOUNDS: (usize, usize) = (MAX_EDGE_PX, MAX_LISTED);
