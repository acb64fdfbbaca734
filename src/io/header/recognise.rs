//! The format of a file, told by its first bytes; one that may not be read is refused by its name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::formats::{self, Format, ON_REQUEST};
use super::hfa;
use crate::io::IoError;

/// First bytes of a file that are looked at to tell its format.
pub(in crate::io) const HEAD: u64 = 2048;

/// The format of the file at `path`, one of `formats`; nothing but it and its header are opened.
pub(super) fn format_of(path: &Path, formats: &[Format]) -> Result<Format, IoError> {
    let refuse = IoError::refused(path);
    check_is_file(path)?;
    let head = read_head(path).map_err(IoError::system(path))?;
    let signed = formats::by_signature(&head);
    // Raw pixels bear no signature; their header does.
    let header = match signed {
        Some(_) => None,
        None => formats::header(path)?,
    };
    let found = match &header {
        Some(header) if read_head(header).map_err(IoError::system(header))?.starts_with(b"ENVI") => Some(Format::Envi),
        _ => signed,
    };
    let Some(format) = found else {
        return Err(refuse(unknown(&head, header.as_deref(), formats)));
    };
    if !formats.contains(&format) {
        return Err(refuse(not_allowed(format, formats)));
    }
    if format == Format::Hfa {
        check_is_whole(path)?;
    }
    Ok(format)
}

/// Looks whether `path` is a file that holds something. A named pipe would wait for a writer: what it is comes before opening it.
///
/// # Errors
/// It is none.
fn check_is_file(path: &Path) -> Result<(), IoError> {
    let refuse = IoError::refused(path);
    match std::fs::metadata(path).map_err(IoError::system(path))? {
        meta if !meta.is_file() => Err(refuse(
            "expected a file, found a folder or device; name a raster file".into(),
        )),
        meta if meta.len() == 0 => Err(refuse("the file is empty; fetch it again".into())),
        _ => Ok(()),
    }
}

/// Looks whether the HFA `path` holds all that it is made of.
///
/// # Errors
/// It names another file, or cannot be followed.
fn check_is_whole(path: &Path) -> Result<(), IoError> {
    let refuse = IoError::refused(path);
    let file = File::open(path).map_err(IoError::system(path))?;
    match hfa::names_another(&file) {
        Ok(None) => Ok(()),
        Ok(Some(node)) => Err(refuse(format!(
            "it is HFA that names another file ({node}: .ige or .rrd); make one file of it with gdal_translate"
        ))),
        Err(error) => Err(refuse(format!(
            "its tree of nodes cannot be followed ({error}); fetch it again"
        ))),
    }
}

/// The names of `formats`, in words.
fn names(formats: &[Format]) -> String {
    formats
        .iter()
        .map(|format| format.name())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Why a file is refused that begins with `head` and has that `header` beside it, and is in none of `formats`.
fn unknown(head: &[u8], header: Option<&Path>, formats: &[Format]) -> String {
    let is_container = |name: &str| ["HDF", "netCDF", "GRIB"].iter().any(|kind| name.starts_with(kind));
    let remedy = "name the rasters themselves, or make a GeoTIFF of it with gdal_translate where you trust it";
    let allowed = names(formats);
    match (formats::other(head), header) {
        (Some("text"), None) => {
            "it is text, not a raster; check that the download was complete and the path is right".into()
        }
        (Some(name), _) if is_container(name) => format!(
            "it is {name}, not one of the formats that are read ({allowed}); make a GeoTIFF of each of the rasters inside it (gdalinfo lists them) with \
             gdal_translate where you trust it, and name those"
        ),
        (Some(name), _) if name != "text" => {
            format!("it is {name}, not one of the formats that are read ({allowed}); {remedy}")
        }
        (_, Some(header)) => format!(
            "its header {} is not ENVI's (EHdr, GenBin?), and it is in none of the formats that are read ({allowed}); {remedy}",
            header.display()
        ),
        (_, None) => format!(
            "it is not a raster in one of the formats that are read ({allowed}); is it complete? Else make a GeoTIFF of it with \
             gdal_translate where you trust it"
        ),
    }
}

/// Why a file of `format` is refused, which is none of `formats`.
fn not_allowed(format: Format, formats: &[Format]) -> String {
    let name = format.name();
    match ON_REQUEST.contains(&format) {
        true => {
            format!("it is {name}, which is read only when a pipeline asks for it: inputs.formats = [\"{name}\"]")
        }
        false => format!(
            "it is {name}, not one of the formats that are read ({})",
            names(formats)
        ),
    }
}

/// The first bytes of `path`.
pub(in crate::io) fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}
