//! Why a file could not be opened, projected or written.

use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why a file could not be opened, projected or written.
#[derive(Debug, thiserror::Error)]
pub enum IoError {
    /// The file is not a raster that may be opened.
    #[error("opening {}: {message}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Expected against found, remedy last.
        message: String,
    },
    /// The system refuses a file.
    #[error("opening {}: {source}; {}", path.display(), remedy(source))]
    System {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// GDAL failed at something.
    #[error("{doing} {}: {message}", path.display())]
    Gdal {
        /// What was being done.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What GDAL said.
        message: String,
    },
    /// A block of a file is damaged.
    #[error("reading {}: {place} is damaged: {message}; fetch the file again", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which block of it, and which pixels those are.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// A file that was written does not read back: most often the disk is full.
    #[error("writing {}: {message}; is the disk full?", path.display())]
    Torn {
        /// Which file.
        path: PathBuf,
        /// What differs.
        message: String,
    },
    /// Coordinates that could not be projected.
    #[error("projecting from {from} to {to}: {message}")]
    Projection {
        /// Source CRS.
        from: String,
        /// Target CRS.
        to: String,
        /// What PROJ said.
        message: String,
    },
}

/// What to do where the system refuses a file.
fn remedy(error: &std::io::Error) -> &'static str {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::MFILE | Errno::NFILE) => "allow more open files (ulimit -n), or use fewer threads",
        Some(Errno::ACCESS | Errno::PERM) => "check its permissions",
        Some(Errno::IO) => "check the disk or the connection it lies behind, then run again",
        Some(Errno::NOMEM) => "free some memory, then run again",
        _ => "check the path",
    }
}

impl IoError {
    /// Whether no more files can be opened: with some closed it may succeed.
    pub(crate) fn is_out_of_files(&self) -> bool {
        let errno = |source: &std::io::Error| source.raw_os_error().map(Errno::from_raw_os_error);
        matches!(self, Self::System { source, .. } if matches!(errno(source), Some(Errno::MFILE | Errno::NFILE)))
    }

    /// That the system refuses the file at `path`.
    pub(crate) fn system(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System {
            path: path.to_owned(),
            source,
        }
    }

    /// That the file at `path` may not be opened, and why, in words.
    pub(crate) fn refused(path: &Path) -> impl Fn(String) -> Self {
        move |message| Self::Open {
            path: path.to_owned(),
            message,
        }
    }

    /// What is the matter, without what was being done to which file.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Gdal { path, message, .. } => {
                // GDAL's message begins with the name too.
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let rest = message
                    .strip_prefix(&*name)
                    .or_else(|| message.strip_prefix(&*path.to_string_lossy()));
                rest.unwrap_or(message).trim_start_matches([',', ':', ' ']).to_owned()
            }
            Self::Damaged { place, message, .. } => format!("{place} is damaged: {message}"),
            Self::Open { message, .. } | Self::Torn { message, .. } => message.clone(),
            Self::System { source, .. } => format!("{source}; {}", remedy(source)),
            Self::Projection { .. } => self.to_string(),
        }
    }

    pub(crate) fn gdal(doing: &'static str, path: &Path, source: &gdal::errors::GdalError) -> Self {
        Self::Gdal {
            doing,
            path: path.to_owned(),
            message: plain(source),
        }
    }
}

/// GDAL's message without the crate's wrapping.
pub(crate) fn plain(error: &gdal::errors::GdalError) -> String {
    match error {
        gdal::errors::GdalError::CplError { msg, .. } if !msg.is_empty() => msg.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_told_with_a_remedy() {
        let told = |errno: Errno| IoError::System {
            path: "a.tif".into(),
            source: errno.into(),
        };
        assert!(told(Errno::MFILE).is_out_of_files() && told(Errno::MFILE).to_string().contains("ulimit -n"));
        assert!(!told(Errno::ACCESS).is_out_of_files() && told(Errno::ACCESS).to_string().contains("permissions"));
    }
}
