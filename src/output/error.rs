//! Why the files of a site could not be made.

use crate::engine::driver::Stopped;
use crate::io::IoError;
use crate::output::publish::PublishError;
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
    Publish(#[from] PublishError),
    /// The run was asked to stop.
    #[error("stopped; what was there before is untouched, run again to go on")]
    Stopped,
}

impl From<Stopped> for OutputError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}
