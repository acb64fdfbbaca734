//! A file of a site, written whole into the folder in which the site's files are made.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::output::error::{PublishError, failed};

/// Writes a file of a site into its folder aside.
///
/// # Errors
/// It cannot be written whole.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    stream_file(path, |out| out.write_all(bytes).map_err(failed(path)))
}

/// Writes a file piece by piece; it becomes whole with its folder.
///
/// # Errors
/// It cannot be written; those of `write`.
pub fn stream_file<E: From<PublishError>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let mut out = BufWriter::new(File::create(path).map_err(failed(path))?);
    write(&mut out)?;
    Ok(out.flush().map_err(failed(path))?)
}
