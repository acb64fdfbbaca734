//! How a folder of rasters is read, and why a file of it is not.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::literal_base;
use crate::scene::statement::Unit;

/// `[[inputs.folder]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderParams {
    /// Which files.
    pub glob: String,
    /// The folder with which it begins.
    #[serde(skip)]
    pub base: PathBuf,
    /// Names of their bands, in order.
    pub bands: Vec<String>,
    /// Value that means no data.
    pub nodata: Option<f64>,
    /// Physical value = scale x stored + offset.
    pub scale: Option<f64>,
    /// See `scale`.
    pub offset: Option<f64>,
    /// What radar backscatter is in.
    pub unit: Option<Unit>,
    /// Id of a sensor file.
    pub sensor: Option<String>,
    /// Regular expression on the file name.
    pub date_pattern: Option<String>,
    /// strptime form of its first group.
    pub date_format: Option<String>,
    /// Metadata tag that holds the date.
    pub date_tag: Option<String>,
    /// Band that tells quality, coded as the sensor codes it.
    pub quality_band: Option<usize>,
    /// What to replace in a file's name, and by what, to get that of the file with the quality band.
    pub quality_file: Option<[String; 2]>,
}

impl FolderParams {
    /// The folder below which its files are named.
    pub fn base(&self) -> PathBuf {
        match self.base.as_os_str().is_empty() {
            true => literal_base(&self.glob),
            false => self.base.clone(),
        }
    }

    /// The place of the quality band in its file, from 1; `None` where there is none.
    pub fn quality_index(&self) -> Option<usize> {
        self.quality_band.or(self.quality_file.as_ref().map(|_| 1))
    }
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
