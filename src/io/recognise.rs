//! The format of a file, told by its first bytes; one that may not be read is refused by its name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::formats::{self, Format, ON_REQUEST};
use super::{IoError, hfa};

/// First bytes of a file that are looked at to tell its format.
pub(super) const HEAD: u64 = 2048;

/// The format of the file at `path`, one of `formats`; nothing but it and its header are opened.
pub(super) fn format_of(path: &Path, formats: &[Format]) -> Result<Format, IoError> {
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
    // A named pipe would wait for a writer: what it is comes before opening it.
    match std::fs::metadata(path).map_err(IoError::system(path))? {
        meta if !meta.is_file() => Err(refuse(
            "expected a file, found a folder or device; name a raster file".into(),
        )),
        meta if meta.len() == 0 => Err(refuse("the file is empty; fetch it again".into())),
        _ => Ok(()),
    }?;
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
    let allowed = || {
        formats
            .iter()
            .map(|format| format.name())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let Some(format) = found else {
        let is_container = |name: &str| ["HDF", "netCDF", "GRIB"].iter().any(|kind| name.starts_with(kind));
        let remedy = "name the rasters themselves, or make a GeoTIFF of it with gdal_translate where you trust it";
        return Err(refuse(match (formats::other(&head), header) {
            (Some("text"), None) => {
                "it is text, not a raster; check that the download was complete and the path is right".into()
            }
            (Some(name), _) if is_container(name) => format!(
                "it is {name}, not one of the formats that are read ({}); make a GeoTIFF of each of the rasters inside it (gdalinfo lists them) with \
                 gdal_translate where you trust it, and name those",
                allowed()
            ),
            (Some(name), _) if name != "text" => {
                format!(
                    "it is {name}, not one of the formats that are read ({}); {remedy}",
                    allowed()
                )
            }
            (_, Some(header)) => format!(
                "its header {} is not ENVI's (EHdr, GenBin?), and it is in none of the formats that are read ({}); {remedy}",
                header.display(),
                allowed()
            ),
            (_, None) => format!(
                "it is not a raster in one of the formats that are read ({}); is it complete? Else make a GeoTIFF of it with \
                 gdal_translate where you trust it",
                allowed()
            ),
        }));
    };
    if !formats.contains(&format) {
        let name = format.name();
        return Err(refuse(match ON_REQUEST.contains(&format) {
            true => {
                format!("it is {name}, which is read only when a pipeline asks for it: inputs.formats = [\"{name}\"]")
            }
            false => format!("it is {name}, not one of the formats that are read ({})", allowed()),
        }));
    }
    if format == Format::Hfa {
        let file = File::open(path).map_err(IoError::system(path))?;
        match hfa::names_another(&file) {
            Ok(None) => {}
            Ok(Some(node)) => {
                return Err(refuse(format!(
                    "it is HFA that names another file ({node}: .ige or .rrd); make one file of it with gdal_translate"
                )));
            }
            Err(error) => {
                return Err(refuse(format!(
                    "its tree of nodes cannot be followed ({error}); fetch it again"
                )));
            }
        }
    }
    Ok(format)
}

pub(super) fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}
