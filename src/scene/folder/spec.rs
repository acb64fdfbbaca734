//! How a folder of rasters is read, and why a file of it is not.

use std::path::PathBuf;

use serde::Deserialize;

use super::ids::literal_base;
pub use crate::scene::file_date::DateFrom;
use crate::scene::statement::Unit;
use crate::scene::{Coding, coding};

/// How a folder of rasters is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderSpec {
    /// Which files: a glob, absolute or joined to its base by the caller.
    pub glob: String,
    /// The folder with which the glob begins, whose name is no pattern; empty where all of the glob is one.
    #[serde(default)]
    pub base: PathBuf,
    /// What the file's bands are, in order: common names, or the sensor's or the user's own.
    pub bands: Vec<String>,
    /// A raw value that means no data, beside those of the sensor and of the file.
    pub nodata: Option<f64>,
    /// Physical units per raw unit; where not given, what [`crate::scene::radiometry`] settles.
    pub scale: Option<f64>,
    /// Physical value of raw 0; where not given 0 with a `scale`, else what [`crate::scene::radiometry`] settles.
    pub offset: Option<f64>,
    /// What radar backscatter is in; the sensor's where not given.
    pub unit: Option<Unit>,
    /// The sensor's id; `generic` where not given.
    pub sensor: Option<String>,
    /// Where the date comes from.
    pub date: DateFrom,
    /// Where the quality band is.
    pub quality: Option<FolderQuality>,
}

impl FolderSpec {
    /// The folder below which its files are named.
    pub fn base(&self) -> PathBuf {
        match self.base.as_os_str().is_empty() {
            true => literal_base(&self.glob),
            false => self.base.clone(),
        }
    }
}

/// Where a raster's quality band is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderQuality {
    /// What to replace in the file's name, and by what, to get the quality file's; the same file where not given.
    pub replace: Option<[String; 2]>,
    /// The band in that file, from 1.
    #[serde(default = "first")]
    pub index: usize,
    /// What its values mean; the sensor's first quality band where not given.
    #[serde(default, deserialize_with = "coding::written")]
    pub coding: Option<Coding>,
}

fn first() -> usize {
    1
}

/// Why a file is no scene.
pub(in crate::scene) struct Refused {
    pub reason: String,
    /// It should be readable and is not.
    pub unreadable: bool,
}

impl Refused {
    pub fn by_rule(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            unreadable: false,
        }
    }

    pub fn unreadable(reason: String) -> Self {
        Self {
            reason,
            unreadable: true,
        }
    }
}
