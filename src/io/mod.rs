//! The only place that names gdal: opening, reading, projecting, writing.

pub mod area;
pub mod crs;
mod decoded;
mod error;
mod header;
pub mod meter;
pub mod mosaic;
mod onto_grid;
pub mod placement;
pub mod source;
pub mod stored;
mod tiff;
mod written;
#[cfg(test)]
mod zoo;

pub use decoded::{blocked, blocks, decode, pool};
pub use error::IoError;
pub(crate) use error::plain;
pub use header::{bands, formats, open};
pub use onto_grid::{mapping, resample, to_pixels};
pub use written::{cog, geotiff, vector};

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

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
        written::vsi::register();
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
