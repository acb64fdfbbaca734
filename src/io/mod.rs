//! The only place that names gdal: opening, reading, projecting, writing.

pub mod area;
pub mod bands;
pub mod blocked;
pub mod blocks;
mod bulk;
pub mod cog;
mod complete;
pub mod crs;
pub mod decode;
mod flagged;
pub mod formats;
pub mod geotiff;
mod hfa;
mod inflate;
mod jp2;
pub mod mapping;
pub mod meter;
pub mod mosaic;
pub mod open;
mod overviews;
mod pam;
mod place;
pub mod pool;
mod radiometry;
mod recognise;
pub mod resample;
pub mod source;
pub mod stored;
mod tiff;
pub mod to_pixels;
pub mod vector;
mod vsi;
#[cfg(test)]
mod zoo;

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Errors that GDAL has reported since the program began, whichever call they belong to.
static FAILURES: AtomicU64 = AtomicU64::new(0);

/// Failures that GDAL has reported so far. A writer compares it before and after: closing a file cannot fail in GDAL 3.6.
pub fn failures() -> u64 {
    FAILURES.load(Ordering::Relaxed)
}

/// Size of GDAL's own block cache, MiB: for what is being decoded and written; decoded inputs are kept by [`blocks::Blocks`].
pub const GDAL_CACHE_MIB: u32 = 32;

/// The drivers that stay registered: what may be read, and what is written. A driver that hands part of its file to "whichever driver opens it"
/// finds no other.
const DRIVERS: [&str; 7] = ["GTiff", "COG", "JP2OpenJPEG", "ENVI", "HFA", "GPKG", "MEM"];

/// Prepares GDAL once: drivers, fixed options, and a handler that counts failures instead of printing them.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let cache = GDAL_CACHE_MIB.to_string();
        // An option that cannot be set would be a bug in this list, and changes no result: nothing to tell the user.
        for (key, value) in [
            ("GDAL_NUM_THREADS", "1"),
            ("GDAL_CACHEMAX", cache.as_str()),
            ("GDAL_PAM_ENABLED", "NO"),
            ("GTIFF_POINT_GEO_IGNORE", "NO"),
            ("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR"),
            ("OSR_DEFAULT_AXIS_MAPPING_STRATEGY", "TRADITIONAL_GIS_ORDER"),
            ("PROJ_NETWORK", "OFF"),
            ("GDAL_HTTP_TIMEOUT", "1"),
            ("CPL_DEBUG", "OFF"),
            // What is written lies aside until it is whole: a journal beside it would guard nothing, and one that cannot be removed
            // changes the bytes.
            ("OGR_SQLITE_JOURNAL", "MEMORY"),
            // What SQLite sorts would go to files in a folder of its own choice, where nothing may be written.
            ("OGR_SQLITE_PRAGMA", "temp_store=MEMORY"),
            // GDAL's default, whatever the environment says.
            ("GTIFF_IGNORE_READ_ERRORS", "NO"),
        ] {
            let _ = gdal::config::set_config_option(key, value);
        }
        vsi::register();
        // Else the crate registers all of them once more at the first opening.
        gdal::DriverManager::prevent_auto_registration();
        gdal::DriverManager::register_all();
        let all: Vec<gdal::Driver> = gdal::DriverManager::all().collect();
        all.iter()
            .filter(|driver| !DRIVERS.contains(&driver.short_name().as_str()))
            .for_each(gdal::DriverManager::deregister_driver);
        // GDAL may call this from any thread with its own locks held: atomics only.
        gdal::config::set_error_handler(|class, _, _| {
            if matches!(
                class,
                gdal::errors::CplErrType::Failure | gdal::errors::CplErrType::Fatal
            ) {
                FAILURES.fetch_add(1, Ordering::Relaxed);
            }
        });
    });
}

/// Versions of GDAL and PROJ that are in use.
pub fn versions() -> (String, String) {
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: three valid pointers to integers; the function does nothing else.
    unsafe { gdal_sys::OSRGetPROJVersion(&mut major, &mut minor, &mut patch) };
    (
        gdal::version::VersionInfo::release_name(),
        format!("{major}.{minor}.{patch}"),
    )
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
