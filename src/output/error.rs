//! Why the files of a site could not be made, or not be put into their place.

use std::io;
use std::path::{Path, PathBuf};

use crate::engine::driver::Stopped;
use crate::io::IoError;
use crate::report::ReportError;

/// Why an output folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Another run works on the folder.
    #[error("locking {}: another run works on this folder; try again when it has ended", .0.display())]
    Locked(PathBuf),
    /// The output folder is no longer the one that was locked.
    #[error("writing to {}: the folder was moved or replaced while the run went on; run again", .0.display())]
    Gone(PathBuf),
    /// Something that is not sitewatch's has the place of what is to be written: it stays.
    #[error("writing {}: {found} stands there, which sitewatch did not write: move it away, or give another --out", path.display())]
    Foreign {
        /// Where.
        path: PathBuf,
        /// What stands there.
        found: String,
    },
    /// An input lies in a folder that a report would replace: it stays.
    #[error("writing {}: the input {} lies there: move it away, or give another --out", path.display(), input.display())]
    Input {
        /// Where.
        path: PathBuf,
        /// The input.
        input: PathBuf,
    },
    /// A file that was written cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("writing {}: {source}; is the disk full, or the folder read-only?", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// That the file at `path` cannot be written, of what the system said.
pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> PublishError {
    let path = path.to_owned();
    move |source| PublishError::Write { path, source }
}

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
