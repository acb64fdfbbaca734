//! What stands in the output folder: files of a site, put into their place whole, and what an earlier run left.

pub mod existing;
mod foreign;
pub mod publish;
pub mod rasters;
pub mod render;

use crate::engine::driver::Stopped;
use crate::io::IoError;
use crate::report::ReportError;

/// Why the files of a site could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A raster could not be written, a place not be projected.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A report could not be rendered.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A file could not be put into its place.
    #[error(transparent)]
    Publish(#[from] publish::PublishError),
    /// The run was asked to stop.
    #[error("stopped; what was there before is untouched, run again to go on")]
    Stopped,
}

impl From<Stopped> for OutputError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}
