//! Scores and flags of a site as they are published: cloud-optimised GeoTIFFs.

use std::path::Path;

use crate::engine::rasters::Rasters;
use crate::io::cog;
use crate::io::pool::Pool;
use crate::output::error::{OutputError, failed};
use crate::output::files::RASTERS;

/// Writes the rasters into `folder` with `threads` threads; those that they were made from, which `pool` has open, are gone afterwards.
///
/// # Errors
/// A file that cannot be written.
pub fn write(rasters: &Rasters, folder: &Path, pool: &Pool, threads: usize) -> Result<(), OutputError> {
    let both = [&rasters.scores, &rasters.flags];
    for (path, file) in both.into_iter().zip(RASTERS) {
        cog::write(path, &folder.join(file.name), threads)?;
    }
    for path in both {
        pool.forget(path);
        std::fs::remove_file(path).map_err(failed(path))?;
    }
    Ok(())
}
