//! Why a run did not take place, and why a site has no report of it.

use std::path::PathBuf;

use crate::engine::EngineError;
use crate::engine::driver::Stopped;
use crate::fault::Fault;
use crate::io::IoError;
use crate::output::OutputError;
use crate::output::PublishError;
use crate::report::ReportError;

/// Why a run did not take place.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The inputs are at fault.
    #[error("the inputs have {} fault(s)", .0.len())]
    Inputs(Vec<Fault>),
    /// The output folder cannot be used.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The system gives no threads.
    #[error("starting threads: {0}")]
    Threads(String),
    /// The summary page cannot be rendered.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The run was asked to stop.
    #[error("stopped before the first site; run again to go on")]
    Stopped,
}

impl From<Stopped> for RunError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// Why a site has no report of this run.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// It could not be planned.
    #[error(transparent)]
    Plan(#[from] IoError),
    /// It could not be judged.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Its files could not be made.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// They could not be put into their place.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// An input is no longer what was hashed.
    #[error("reading {}: it was changed or replaced while the run went on; run again when nobody writes to it", .0.display())]
    Moved(PathBuf),
}

impl SiteError {
    /// That the run was asked to stop before it came to the site.
    pub(super) fn stopped() -> Self {
        Self::Engine(EngineError::Stopped)
    }

    /// Whether the run was asked to stop, and nothing else is the matter.
    pub fn is_stopped(&self) -> bool {
        matches!(
            self,
            Self::Engine(EngineError::Stopped) | Self::Output(OutputError::Stopped)
        )
    }
}
