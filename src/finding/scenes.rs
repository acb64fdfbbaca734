//! Scenes that were compared, and those that were not used.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interval::Interval;
use crate::scene::Pass;

/// How pixels of a band came onto the site grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// As they are: the grid has the lattice of the raster.
    Window,
    /// Resampled.
    Resampled,
}

impl Alignment {
    /// The word that stands for it in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Resampled => "resampled",
        }
    }
}

/// A piece of an acquisition: a tile of an overpass, a row of a path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PieceRecord {
    /// The address of its STAC Item on the web, where the item gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// The scene's id.
    pub id: String,
}

/// A scene that was compared, or several that are pieces of one acquisition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SceneRecord {
    /// When it was acquired.
    pub acquired: Interval,
    /// How its pixels came onto the site grid, per band.
    pub alignment: BTreeMap<String, Alignment>,
    /// The address of its STAC Item on the web, where the item gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// The scene's id; those of all pieces, joined by `+`.
    pub id: String,
    /// Direction of flight, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
    /// Its pieces, where it has several: a pixel is that of the first in which it can be judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<PieceRecord>,
    /// Platform, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Relative orbit, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_orbit: Option<u32>,
    /// Sensor id of the sensor files.
    pub sensor: String,
}

impl SceneRecord {
    /// Id and address of each scene that it is made of.
    pub fn parts(&self) -> Vec<(&str, Option<&str>)> {
        let alone = (self.id.as_str(), self.href.as_deref());
        let pieces = self
            .pieces
            .iter()
            .map(|piece| (piece.id.as_str(), piece.href.as_deref()));
        std::iter::once(alone)
            .filter(|_| self.pieces.is_empty())
            .chain(pieces)
            .collect()
    }
}

/// Why most scenes of a large catalogue are not used on a site.
pub const NOT_COVERING: &str = "it does not cover the site";

/// A scene that was not used, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RefusedScene {
    /// The scene's id or file.
    pub id: String,
    /// Why, and what to do.
    pub reason: String,
    /// It should be readable and is not: what it shows is not known. Absent where it is refused by rule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}
