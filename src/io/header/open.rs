//! Raster files opened with care: only formats that are allowed by name, and sizes checked before use.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};

use super::bulk::{self, Bulk};
use super::formats::Format;
pub use super::info::{RasterInfo, info, to_pixel};
use super::recognise::{HEAD, format_of, read_head};
use super::{bands, complete};
use crate::io::tiff::{self, Tiff};
use crate::io::{IoError, plain, prepare};

/// Headers and statistics beside pixels may not be larger, bytes: those of a thousand bands with their wavelengths take 30 KB, and GDAL looks
/// through all keys for each.
const MAX_SIDE_FILE: u64 = 256 << 10;

/// No raster of this many bytes unpacked is believed when its file is thousands of times smaller.
const SUSPICIOUS_BYTES: u64 = 64 << 30;
const SUSPICIOUS_RATIO: u64 = 5_000;

/// An open handle on the raster file `path`, which must be in one of `formats`.
///
/// GDAL is given the one driver of the file's own signature, an absolute path, and no sibling but the side files of that format.
///
/// # Errors
/// A path that is no plain file, a file that the system refuses, a format that is not allowed, or a file that is damaged.
pub fn open(path: &Path, formats: &[Format]) -> Result<Dataset, IoError> {
    Ok(open_files(path, formats)?.0)
}

/// As [`open`], with the files that it is read from.
fn open_files(path: &Path, formats: &[Format]) -> Result<(Dataset, Vec<PathBuf>), IoError> {
    prepare();
    let refuse = IoError::refused(path);
    let whole = absolute(path).map_err(&refuse)?;
    let format = format_of(path, formats)?;
    let beside = format.side_files(path)?;
    match format {
        Format::GTiff => drop(tiff::look_through(path)?),
        Format::Jp2 => drop(bulk::jpeg2000(path)?),
        Format::Envi | Format::Hfa => {}
    }
    beside.iter().try_for_each(|file| check_beside(file, path))?;
    let files: Vec<PathBuf> = std::iter::once(path.to_owned()).chain(beside).collect();
    let siblings: Vec<&str> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_READONLY | GdalOpenFlags::GDAL_OF_RASTER,
        allowed_drivers: Some(&[format.name()]),
        open_options: Some(format.options()),
        sibling_files: Some(&siblings),
    };
    match Dataset::open_ex(&whole, options) {
        Ok(dataset) => Ok((dataset, files)),
        Err(error) => {
            // GDAL tells a file that the system refuses as it tells one that is damaged.
            for file in &files {
                read_ends(file).map_err(IoError::system(file))?;
            }
            Err(refuse(not_opened(format, &plain(&error))))
        }
    }
}

/// Looks whether `file`, which lies beside the raster `path`, is small enough to be read.
///
/// # Errors
/// It is not.
fn check_beside(file: &Path, path: &Path) -> Result<(), IoError> {
    let bytes = std::fs::metadata(file).map_err(IoError::system(file))?.len();
    if bytes <= MAX_SIDE_FILE {
        return Ok(());
    }
    Err(IoError::refused(path)(format!(
        "{} beside it holds {bytes} bytes, more than {MAX_SIDE_FILE}; take out what is not needed",
        file.display()
    )))
}

/// Why a file of that `format` is not opened, of which GDAL `said` something, and what to do.
fn not_opened(format: Format, said: &str) -> String {
    // GDAL names the codec, or its number.
    match said.split_once("missing codec ") {
        Some((_, codec)) => format!(
            "it is packed by {}, which this GDAL ({}) cannot unpack; where a GDAL can, pack it otherwise, for example with \
             gdal_translate -co COMPRESS=DEFLATE",
            codec.trim_start_matches("of ").trim_end_matches(['.', '\'', '"']),
            gdal::version::VersionInfo::release_name()
        ),
        None => format!(
            "it begins as {} does, but GDAL cannot open it ({said}); is it complete? Fetch it again",
            format.name(),
        ),
    }
}

/// `path` from the root on, so that no part of it is taken for a driver's prefix (`GTIFF_DIR:1:a.tif`).
pub(super) fn absolute(path: &Path) -> Result<PathBuf, String> {
    let whole = std::path::absolute(path).map_err(|error| format!("{error}; check the path"))?;
    match whole.to_str() {
        None => Err("its path is not UTF-8, and GDAL would look for another; rename it".into()),
        Some(text) if text.starts_with("/vsi") => {
            Err("its path begins as GDAL's virtual file systems do (/vsi); move it into another folder".into())
        }
        Some(_) => Ok(whole),
    }
}

/// Reads the first and the last bytes of `path`, to learn whether the system refuses.
fn read_ends(path: &Path) -> io::Result<()> {
    read_head(path)?;
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(bytes.saturating_sub(HEAD)))?;
    file.take(HEAD).read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A raster whose size is believed, before anything is asked of its pixels.
pub(super) struct Opened {
    pub dataset: Dataset,
    /// The files that it is read from: itself, and what its format has beside it.
    pub files: Vec<PathBuf>,
    /// How it is packed, if it is a TIFF.
    pub tiff: Option<Tiff>,
    pub bulk: Bulk,
}

/// The raster at `path`.
///
/// # Errors
/// As [`open`]; one without pixels, or of a size that the file cannot hold.
pub(super) fn open_plausible(path: &Path, formats: &[Format]) -> Result<Opened, IoError> {
    let (dataset, files) = open_files(path, formats)?;
    let refuse = IoError::refused(path);
    let (width, height) = dataset.raster_size();
    let count = dataset.raster_count();
    if width == 0 || height == 0 || count == 0 {
        return Err(refuse(match bands::rasters_inside(&dataset) {
            Some(inside) => format!(
                "it has no bands of its own but rasters inside it ({inside}); make a GeoTIFF of each that is wanted with gdal_translate and name that"
            ),
            None => format!("expected pixels, found {width} x {height} px in {count} bands"),
        }));
    }
    let tiff = Tiff::of(&dataset, path)?;
    let bulk = Bulk::of(&dataset, tiff.as_ref(), path)?;
    let first = dataset.rasterband(1).map_err(|error| refuse(plain(&error)))?;
    let pixel_bytes = u64::from(first.band_type().bits() / 8).max(1);
    let unpacked = [height as u64, count as u64, pixel_bytes]
        .iter()
        .fold(width as u64, |all, one| all.saturating_mul(*one));
    let packed = std::fs::metadata(path).map(|m| m.len()).unwrap_or(1).max(1);
    if unpacked > SUSPICIOUS_BYTES && unpacked / packed > SUSPICIOUS_RATIO {
        return Err(refuse(format!(
            "it cannot be read: it declares {width} x {height} px in {count} bands ({} GiB) but holds {packed} bytes; fetch it again",
            unpacked >> 30
        )));
    }
    complete::check(&dataset, tiff.as_ref(), path)?;
    Ok(Opened {
        dataset,
        files,
        tiff,
        bulk,
    })
}

/// The value of a metadata tag of `path`, such as `TIFFTAG_DATETIME`; `None` when it has none.
///
/// # Errors
/// As [`open`].
pub fn tag(path: &Path, name: &str, formats: &[Format]) -> Result<Option<String>, IoError> {
    Ok(open(path, formats)?.metadata_item(name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::formats::USUAL;

    fn message(name: &str, bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        info(&path, USUAL).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_raster_is_named() {
        assert!(message("a.tif", b"hello").contains("it is text"));
        assert!(message("a.tif", b"").contains("empty"));
        assert!(message("a.tif", &[0xff, 0xfe, 0x80, 0x00]).contains("not a raster"));
        assert!(open(Path::new("/no/such.tif"), USUAL).is_err());
    }

    #[test]
    fn a_header_beside_the_pixels_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.dat");
        std::fs::write(&path, [0; 8]).unwrap();
        let keys = "k = 1\n".repeat(50_000);
        std::fs::write(
            path.with_extension("hdr"),
            format!("ENVI\nsamples = 2\nlines = 2\nbands = 1\ndata type = 12\n{keys}"),
        )
        .unwrap();
        let error = info(&path, USUAL).unwrap_err().to_string();
        assert!(
            error.contains("a.hdr beside it holds 300052 bytes, more than 262144"),
            "{error}"
        );
    }

    #[test]
    fn no_name_is_taken_for_a_drivers_own() {
        let whole = absolute(Path::new("GTIFF_DIR:1:a.tif")).unwrap();
        assert!(whole.is_absolute() && whole.ends_with("GTIFF_DIR:1:a.tif"));
        assert!(absolute(Path::new("/vsizip/a.zip/a.tif")).unwrap_err().contains("/vsi"));
        let odd = std::os::unix::ffi::OsStrExt::from_bytes(b"a\xff.tif");
        assert!(
            absolute(Path::new::<std::ffi::OsStr>(odd))
                .unwrap_err()
                .contains("UTF-8")
        );
    }

    #[test]
    fn a_vrt_is_refused_under_any_name() {
        let vrt = br#"<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Byte" band="1">
            <SimpleSource><SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"#;
        assert!(message("a.tif", vrt).contains("it is a VRT"));
    }
}
