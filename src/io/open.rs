//! Raster files opened with care: only formats that are allowed by name, and sizes checked before use.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};

use super::bulk::{self, Bulk};
use super::formats::{self, Format, ON_REQUEST};
use super::tiff::{self, Tiff};
use super::{IoError, crs, hfa, plain, prepare};

/// First bytes of a file that are looked at to tell its format.
const HEAD: u64 = 2048;

/// Headers and statistics beside pixels may not be larger, bytes: those of a thousand bands with their wavelengths take 30 KB, and GDAL looks
/// through all keys for each.
const MOST_BESIDE: u64 = 256 << 10;

/// No raster of this many bytes unpacked is believed when its file is thousands of times smaller.
const SUSPICIOUS_BYTES: u64 = 64 << 30;
const SUSPICIOUS_RATIO: u64 = 5_000;

/// What a raster file says of itself, without reading a pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct RasterInfo {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bands.
    pub bands: usize,
    /// Affine transform from pixels to the CRS.
    pub geotransform: [f64; 6],
    /// The CRS as well-known text.
    pub crs_wkt: String,
    /// No-data value of each band.
    pub nodata: Vec<Option<f64>>,
    /// How the pixels are stored, as STAC has it: `uint16`, `float32`.
    pub data_type: String,
    /// Scale and offset of each band, where the file states them.
    pub scales: Vec<Option<[f64; 2]>>,
    /// Whether the pixels are floating point.
    pub float: bool,
    /// Bytes of a pixel.
    pub pixel_bytes: usize,
    /// Block of the first band, columns x rows.
    pub block: (usize, usize),
    /// The files that it is read from: itself, then its side files, as its format has them.
    pub files: Vec<PathBuf>,
    /// Bytes of its largest block, unpacked, with all bands that come with it.
    pub block_bytes: usize,
    /// Bands whose pixels lie in one block.
    pub bands_in_block: usize,
    /// Bytes that an open handle holds before anything is read.
    pub header_bytes: usize,
}

/// The point (`x`, `y`) of the CRS in pixels of a raster of that `geotransform`.
pub fn to_pixel(geotransform: &[f64; 6], x: f64, y: f64) -> (f64, f64) {
    let [x0, a, b, y0, c, d] = *geotransform;
    let (u, v, determinant) = (x - x0, y - y0, a * d - b * c);
    ((d * u - b * v) / determinant, (a * v - c * u) / determinant)
}

impl RasterInfo {
    /// The point (`x`, `y`) of its CRS, pixels.
    pub fn to_pixel(&self, x: f64, y: f64) -> (f64, f64) {
        to_pixel(&self.geotransform, x, y)
    }

    /// Whether its pixels lie on the ground where those of `other` do.
    pub fn lies_as(&self, other: &Self) -> bool {
        let place = |info: &Self| (info.width, info.height, info.geotransform);
        place(self) == place(other) && self.crs_wkt == other.crs_wkt
    }
}

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
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
    let whole = absolute(path).map_err(refuse)?;
    let format = format_of(path, formats)?;
    let beside = format.side_files(path)?;
    match format {
        Format::GTiff => tiff::check_tags(path)?,
        Format::Jp2 => drop(bulk::jpeg2000(path)?),
        Format::Envi | Format::Hfa => {}
    }
    for file in &beside {
        let bytes = std::fs::metadata(file).map_err(IoError::system(file))?.len();
        if bytes > MOST_BESIDE {
            return Err(refuse(format!(
                "{} beside it holds {bytes} bytes, more than {MOST_BESIDE}; take out what is not needed",
                file.display()
            )));
        }
    }
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
        // GDAL tells a file that the system refuses as it tells one that is damaged.
        Err(error) => {
            for file in &files {
                read_ends(file).map_err(IoError::system(file))?;
            }
            Err(refuse(format!(
                "it begins as {} does, but GDAL cannot open it ({}); is it complete? Fetch it again",
                format.name(),
                plain(&error)
            )))
        }
    }
}

/// `path` from the root on, so that no part of it is taken for a driver's prefix (`GTIFF_DIR:1:a.tif`).
fn absolute(path: &Path) -> Result<PathBuf, String> {
    let whole = std::path::absolute(path).map_err(|error| format!("{error}; check the path"))?;
    match whole.to_str() {
        None => Err("its path is not UTF-8, and GDAL would look for another; rename it".into()),
        Some(text) if text.starts_with("/vsi") => {
            Err("its path begins as GDAL's virtual file systems do (/vsi); move it into another folder".into())
        }
        Some(_) => Ok(whole),
    }
}

/// The format of the file at `path`, one of `formats`; nothing but it and its header are opened.
fn format_of(path: &Path, formats: &[Format]) -> Result<Format, IoError> {
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
        let remedy = "name the rasters themselves, or make a GeoTIFF of it with gdal_translate where you trust it";
        return Err(refuse(match (formats::other(&head), header) {
            (Some("text"), None) => {
                "it is text, not a raster; check that the download was complete and the path is right".into()
            }
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

fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
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

/// What `path` says of itself.
///
/// # Errors
/// As [`open`]; a raster without size, CRS or transform; a size that the file cannot hold.
pub fn info(path: &Path, formats: &[Format]) -> Result<RasterInfo, IoError> {
    let (dataset, files) = open_files(path, formats)?;
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
    let failed = |error: gdal::errors::GdalError| refuse(plain(&error));
    let (width, height) = dataset.raster_size();
    let count = dataset.raster_count();
    if width == 0 || height == 0 || count == 0 {
        return Err(refuse(format!(
            "expected pixels, found {width} x {height} px in {count} bands"
        )));
    }
    let bulk = Bulk::of(&dataset, Tiff::of(&dataset, path)?.as_ref(), path)?;
    let mut nodata = Vec::with_capacity(count);
    let first = dataset.rasterband(1).map_err(failed)?;
    let data_type = first.band_type();
    let pixel_bytes = usize::from(data_type.bits() / 8).max(1);
    let unpacked = (width as u64)
        .saturating_mul(height as u64)
        .saturating_mul(count as u64)
        .saturating_mul(pixel_bytes as u64);
    let packed = std::fs::metadata(path).map(|m| m.len()).unwrap_or(1).max(1);
    if unpacked > SUSPICIOUS_BYTES && unpacked / packed > SUSPICIOUS_RATIO {
        return Err(refuse(format!(
            "it declares {width} x {height} px in {count} bands ({} GiB) but holds {packed} bytes; it is not believed",
            unpacked >> 30
        )));
    }
    let mut scales = Vec::with_capacity(count);
    for index in 1..=count {
        let band = dataset.rasterband(index).map_err(failed)?;
        nodata.push(band.no_data_value());
        // GDAL gives scale 1 and offset 0 for what is not stated.
        let scale = [band.scale().unwrap_or(1.0), band.offset().unwrap_or(0.0)];
        scales.push(Some(scale).filter(|scale| *scale != [1.0, 0.0]));
    }
    let geotransform = dataset
        .geo_transform()
        .map_err(|_| refuse("it has no geotransform; georeference it, for example with gdal_edit -a_ullr".into()))?;
    let determinant = geotransform[1] * geotransform[5] - geotransform[2] * geotransform[4];
    if geotransform.iter().any(|v| !v.is_finite()) || determinant == 0.0 {
        return Err(refuse(format!(
            "its geotransform {geotransform:?} cannot be inverted; georeference it anew"
        )));
    }
    let crs_wkt = dataset.projection();
    if crs_wkt.is_empty() {
        return Err(refuse(
            "it has no coordinate reference system; set it, for example with gdal_edit -a_srs".into(),
        ));
    }
    if let Some(named) = crs::names_a_file(&crs_wkt) {
        return Err(refuse(format!(
            "its coordinate reference system names a file or another definition ({named}), which is not read; set it anew with gdal_edit -a_srs"
        )));
    }
    Ok(RasterInfo {
        width,
        height,
        bands: count,
        geotransform,
        crs_wkt,
        nodata,
        data_type: match data_type.name().to_ascii_lowercase() {
            name if name == "byte" => "uint8".into(),
            name => name,
        },
        scales,
        float: data_type.is_floating(),
        pixel_bytes,
        block: first.block_size(),
        files,
        block_bytes: bulk.block,
        bands_in_block: bulk.bands,
        header_bytes: bulk.header,
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
