//! The run: what is read, what is planned, the passes over each site, what is written.

mod alignment;
mod bands;
mod channel;
mod coded;
mod compare;
pub mod config;
mod config_file;
mod counts;
pub mod driver;
pub mod events;
mod foreign;
mod found;
mod ground_shown;
pub mod inputs;
mod keep;
pub mod left_out;
pub mod measure;
pub mod memory;
pub mod names;
pub mod observe;
pub mod outcome;
pub mod outlines;
pub mod pairs;
pub mod passes;
pub mod pictures;
pub mod plan;
pub mod provenance;
pub mod publish;
pub mod record;
pub mod render;
pub mod run;
pub mod sensitivity;
pub mod site;
mod site_grid;
mod spared;
mod standing;
pub mod stated;
pub mod survey;
pub mod timers;

pub use config::Config;
pub use events::{Event, Observer, Silent};
pub use outcome::{Outcome, SiteOutcome};
pub use run::{Options, RunError, run};

use std::path::PathBuf;

use crate::io::IoError;
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
    Publish(#[from] publish::PublishError),
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
