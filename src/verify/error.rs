//! Why two results cannot be held against each other.

use std::path::PathBuf;

use crate::io::IoError;

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum ExpectError {
    /// What is expected is not there.
    #[error(
        "reading what is expected from {}: expected report.json there or in folders of sites, found none; name an output folder of sitewatch run",
        .0.display()
    )]
    Nothing(PathBuf),
    /// A report that is expected cannot be read.
    #[error("reading {}: {message}; keep it as sitewatch run wrote it", path.display())]
    Expected {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A raster that is expected cannot be read, or a picture not written.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A picture cannot be written.
    #[error("writing {}: {message}; is the folder writable?", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
}
