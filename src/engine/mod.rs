//! One site: dates aligned, detectors fitted to a sample of them, tiles scored, changes found, measured and judged.

pub mod activities;
pub mod align;
mod clusters;
pub mod coded;
pub mod counts;
pub mod driver;
pub mod events;
pub mod find;
pub mod fit;
pub mod judge;
pub mod measure;
pub mod pictures;
pub mod rasters;
pub mod record;
pub mod sample;
pub mod score;
pub mod sensitivity;
pub mod session;
pub mod spared;
pub mod stack;
pub mod timers;
pub mod track;

use crate::io::IoError;
use crate::raster::ReadError;
use crate::report::ReportError;

/// Why nothing can be said of a site.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A scene could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file could not be opened, projected or written.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A picture could not be drawn.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The run was asked to stop.
    #[error("stopped; what was there before is untouched, run again to go on")]
    Stopped,
}

impl From<driver::Stopped> for EngineError {
    fn from(_: driver::Stopped) -> Self {
        Self::Stopped
    }
}
