//! Raster files opened with care: only drivers that read the named file and nothing else, sizes checked before use.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gdal::{Dataset, DatasetOptions, DriverManager, GdalOpenFlags, Metadata};

use super::{IoError, plain, prepare};

/// Drivers that read other files than the one named, or the network, or run a service.
const REFUSED_DRIVERS: [&str; 29] = [
    "VRT",
    "DERIVED",
    "GTI",
    "STACIT",
    "STACTA",
    "SAFE",
    "SENTINEL2",
    "WCS",
    "WMS",
    "WMTS",
    "HTTP",
    "OGCAPI",
    "PLMOSAIC",
    "DAAS",
    "EEDA",
    "EEDAI",
    "NGW",
    "RASTERLITE",
    "PostGISRaster",
    "GeoRaster",
    "MBTiles",
    "ESRIC",
    "Rasterlite",
    "TileDB",
    "Zarr",
    "MEM",
    "KMLSUPEROVERLAY",
    "PDF",
    "RPFTOC",
];

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
    /// Whether the pixels are floating point.
    pub float: bool,
    /// Bytes of a pixel.
    pub pixel_bytes: usize,
    /// Block of the first band, columns x rows.
    pub block: (usize, usize),
}

impl RasterInfo {
    /// Whether its pixels lie on the ground where those of `other` do.
    pub fn lies_as(&self, other: &Self) -> bool {
        let place = |info: &Self| (info.width, info.height, info.geotransform);
        place(self) == place(other) && self.crs_wkt == other.crs_wkt
    }
}

/// An open handle on the raster file `path`.
///
/// # Errors
/// A path that is no plain file, a format that may not be opened, or a file that GDAL cannot read.
pub fn open(path: &Path) -> Result<Dataset, IoError> {
    prepare();
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() > 0 => {}
        Ok(meta) if meta.is_file() => return Err(refuse("the file is empty; fetch it again".into())),
        Ok(_) => {
            return Err(refuse(
                "expected a file, found a folder or device; name a raster file".into(),
            ));
        }
        Err(error) => return Err(refuse(format!("{error}; check the path"))),
    }
    let siblings = siblings(path);
    let siblings: Vec<&str> = siblings.iter().map(String::as_str).collect();
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_READONLY | GdalOpenFlags::GDAL_OF_RASTER,
        allowed_drivers: Some(allowed_drivers()),
        sibling_files: Some(&siblings),
        ..DatasetOptions::default()
    };
    Dataset::open_ex(path, options).map_err(|error| match sniff(path).as_deref() {
        Some("vrt") => refuse(
            "it is a VRT, which can read any file or address; name the rasters themselves, or make one file of it with gdal_translate".into(),
        ),
        Some("text") => refuse("it is text, not a raster; check that the download was complete and the path is right".into()),
        _ => refuse(format!("not a raster that GDAL opens ({}); is it complete?", plain(&error))),
    })
}

/// What `path` says of itself.
///
/// # Errors
/// As [`open`]; a raster without size, CRS or transform; a size that the file cannot hold.
pub fn info(path: &Path) -> Result<RasterInfo, IoError> {
    let dataset = open(path)?;
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
    let mut nodata = Vec::with_capacity(count.min(1024));
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
    for index in 1..=count.min(1024) {
        nodata.push(dataset.rasterband(index).map_err(failed)?.no_data_value());
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
    Ok(RasterInfo {
        width,
        height,
        bands: count,
        geotransform,
        crs_wkt,
        nodata,
        float: data_type.is_floating(),
        pixel_bytes,
        block: first.block_size(),
    })
}

/// The value of a metadata tag of `path`, such as `TIFFTAG_DATETIME`; `None` when it has none.
///
/// # Errors
/// As [`open`].
pub fn tag(path: &Path, name: &str) -> Result<Option<String>, IoError> {
    Ok(open(path)?.metadata_item(name, ""))
}

fn allowed_drivers() -> &'static [&'static str] {
    static ALLOWED: OnceLock<Vec<&'static str>> = OnceLock::new();
    ALLOWED.get_or_init(|| {
        DriverManager::all()
            .map(|driver| driver.short_name())
            .filter(|name| !REFUSED_DRIVERS.iter().any(|refused| refused.eq_ignore_ascii_case(name)))
            .map(|name| &*name.leak())
            .collect()
    })
}

/// Header files that formats such as ENVI keep beside the pixels of `path`.
pub fn headers(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for extension in ["hdr", "HDR"] {
        let mut appended = path.as_os_str().to_owned();
        appended.push(format!(".{extension}"));
        found.extend(
            [PathBuf::from(appended), path.with_extension(extension)]
                .into_iter()
                .filter(|p| p != path && p.is_file()),
        );
    }
    found
}

/// The files that GDAL may look at beside the one it opens: itself and its header, nothing else that lies there.
fn siblings(path: &Path) -> Vec<String> {
    let name = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    name(path)
        .into_iter()
        .chain(headers(path).iter().filter_map(|header| name(header)))
        .collect()
}

fn sniff(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(2048).read_to_end(&mut head).ok()?;
    let text = std::str::from_utf8(&head).ok()?;
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    Some(if text.contains("<VRTDataset") { "vrt" } else { "text" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        info(&path).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_raster_is_named() {
        assert!(message("a.tif", b"hello").contains("it is text"));
        assert!(message("a.tif", b"").contains("empty"));
        assert!(message("a.tif", &[0xff, 0xfe, 0x80, 0x00]).contains("not a raster"));
        assert!(open(Path::new("/no/such.tif")).is_err());
    }

    #[test]
    fn a_vrt_is_refused_under_any_name() {
        let vrt = br#"<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Byte" band="1">
            <SimpleSource><SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"#;
        assert!(message("a.tif", vrt).contains("it is a VRT"));
    }
}
