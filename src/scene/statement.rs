//! What is stated of the stored numbers of a band, by those who know it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::no_data;

/// What one of those who know a band states of it: the pipeline's folder, the item, or the file itself. Values of one kind that differ
/// contradict each other, but for those that mean no data, which add up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Physical units per stored unit.
    pub scale: Vec<f64>,
    /// Physical value of a stored 0.
    pub offset: Vec<f64>,
    /// Stored values that mean no data.
    #[serde(with = "no_data")]
    pub nodata: Vec<f64>,
    /// What radar backscatter is in.
    pub unit: Option<Unit>,
    /// How the numbers are stored: `uint16`, `float32`.
    pub data_type: Option<String>,
}

impl Statement {
    /// Adds what is stated more widely: no-data values add up, the rest stands where nothing is stated here.
    pub(super) fn complete(&mut self, wider: &Self) {
        if self.scale.is_empty() {
            self.scale.clone_from(&wider.scale);
        }
        if self.offset.is_empty() {
            self.offset.clone_from(&wider.offset);
        }
        wider.nodata.iter().for_each(|value| add(&mut self.nodata, *value));
        self.unit = self.unit.or(wider.unit);
        self.data_type = self.data_type.take().or_else(|| wider.data_type.clone());
    }
}

/// All that is stated of a band before its file is opened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Statements {
    /// The folder of the pipeline, whose word is the last.
    pub pipeline: Statement,
    /// The item.
    pub item: Statement,
    /// What the item's properties say of the offset that a version of the product brought in.
    pub version: Version,
}

/// What radar backscatter is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Decibels.
    Decibel,
    /// Linear power.
    Linear,
}

/// Whether stored numbers hold the raw offset that a version of the product brought in (Sentinel-2 from baseline 04.00 on).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// The item does not tell.
    #[default]
    Untold,
    /// The version is older: they do not.
    Older,
    /// The item says that it was taken off already: they do not.
    TakenOff,
    /// The version has it.
    Newer,
    /// The version has it, and the item says that it was not taken off: they do.
    LeftIn,
}

impl Unit {
    /// The unit that an item calls so; `None` where it is neither.
    pub(super) fn of_item(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "db" | "decibel" | "decibels" => Some(Self::Decibel),
            "1" | "linear" | "power" => Some(Self::Linear),
            _ => None,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decibel => "decibel",
            Self::Linear => "linear",
        })
    }
}

/// Adds `value` to `values` unless it is there; NaN is there once, too.
pub(crate) fn add(values: &mut Vec<f64>, value: f64) {
    if !values
        .iter()
        .any(|known| *known == value || known.is_nan() && value.is_nan())
    {
        values.push(value);
    }
}
