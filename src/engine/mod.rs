//! One site: dates aligned, a sample of them fitted, tiles scored, changes found, measured and judged.

pub mod align;
pub mod channel;
pub mod coded;
pub mod compare;
pub mod counts;
pub mod driver;
pub mod events;
pub mod found;
pub mod measure;
pub mod passes;
pub mod pictures;
pub mod record;
pub mod sample;
pub mod sensitivity;
pub mod site;
pub mod spared;
pub mod timers;
pub mod view;

use std::path::PathBuf;

use crate::io::IoError;
use crate::output::publish::PublishError;
use crate::raster::ReadError;
use crate::report::ReportError;

/// Why a site could not be surveyed.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A scene could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file could not be opened, projected or written.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A report could not be rendered.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A file could not be put into its place.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// An input is no longer what was hashed.
    #[error("reading {}: it was changed or replaced while the run went on; run again when nobody writes to it", .0.display())]
    Moved(PathBuf),
    /// The run was asked to stop.
    #[error("stopped; what was there before is untouched, run again to go on")]
    Stopped,
}

impl From<driver::Stopped> for SiteError {
    fn from(_: driver::Stopped) -> Self {
        Self::Stopped
    }
}
