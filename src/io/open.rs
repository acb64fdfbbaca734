//! Raster files opened with care: only formats that are allowed by name, and sizes checked before use.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use gdal::raster::GdalDataType;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};

use super::bands::{self, Called, Content, Mask, Scale};
use super::bulk::{self, Bulk, MOST_BLOCK};
use super::complete;
use super::formats::{self, Format};
use super::recognise::{HEAD, format_of, read_head};
use super::tiff::{self, Tiff};
use super::{IoError, crs, pam, place, plain, prepare, stored};

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
    /// What each band holds.
    pub content: Vec<Content>,
    /// The values of each band that mean no data, as the file or GDAL's side file states them.
    pub nodata: Vec<Vec<f64>>,
    /// What else says which of its pixels are none.
    pub masks: Vec<Mask>,
    /// How the pixels are stored, as STAC has it: `uint16`, `float32`.
    pub data_type: String,
    /// Scale and offset of each band, where the file states them.
    pub scales: Vec<Scale>,
    /// What the file calls each band.
    pub called: Vec<Called>,
    /// Rasters that the file holds one behind the other, of which this is the first.
    pub pages: usize,
    /// Whether the pixels are floating point.
    pub float: bool,
    /// Whether its bytes are signed, which GDAL before 3.7 hands out as if they were not.
    pub has_signed_bytes: bool,
    /// Bytes of a pixel as it is kept once it is decoded.
    pub kept_bytes: usize,
    /// Block of the first band, columns x rows.
    pub block: (usize, usize),
    /// The files that it is read from: itself, then its side files, as its format has them, then GDAL's (`.aux.xml`) and a mask (`.msk`).
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

    /// What band `index` holds.
    ///
    /// # Errors
    /// There is no such band.
    pub fn find_band(&self, index: usize) -> Result<Content, String> {
        let found = index.checked_sub(1).and_then(|at| self.content.get(at));
        found.copied().ok_or_else(|| {
            format!(
                "expected a band {index}, found {} bands; check the scene's band list",
                self.bands
            )
        })
    }

    /// Looks whether band `index` is there and can be compared.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub fn check_band(&self, index: usize) -> Result<(), String> {
        match self.find_band(index)?.refused() {
            None => Ok(()),
            Some(why) => Err(format!("band {index} of the file {why}")),
        }
    }

    /// Looks whether band `index` is there and can say something of pixels: colours and names of its values are usual.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub fn check_quality(&self, index: usize) -> Result<(), String> {
        match self.find_band(index)? {
            Content::Complex => Err(format!(
                "band {index} of the file holds complex numbers; name the band of quality"
            )),
            Content::Numbers | Content::Alpha | Content::Palette | Content::Classes => Ok(()),
        }
    }

    /// The bands that tell how opaque pixels are.
    pub fn alphas(&self) -> impl Iterator<Item = usize> {
        alphas(&self.content)
    }
}

fn alphas(content: &[Content]) -> impl Iterator<Item = usize> {
    let bands = (1..).zip(content);
    bands
        .filter(|(_, content)| **content == Content::Alpha)
        .map(|(band, _)| band)
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
        Format::GTiff => drop(tiff::look_through(path)?),
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
            let said = plain(&error);
            // GDAL names the codec, or its number.
            if let Some((_, codec)) = said.split_once("missing codec ") {
                return Err(refuse(format!(
                    "it is packed by {}, which this GDAL ({}) cannot unpack; where a GDAL can, pack it otherwise, for example with \
                     gdal_translate -co COMPRESS=DEFLATE",
                    codec.trim_start_matches("of ").trim_end_matches(['.', '\'', '"']),
                    gdal::version::VersionInfo::release_name()
                )));
            }
            Err(refuse(format!(
                "it begins as {} does, but GDAL cannot open it ({said}); is it complete? Fetch it again",
                format.name(),
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
struct Sized {
    dataset: Dataset,
    files: Vec<PathBuf>,
    tiff: Option<Tiff>,
    bulk: Bulk,
}

/// The raster at `path`.
///
/// # Errors
/// As [`open`]; one without pixels, or of a size that the file cannot hold.
fn sized(path: &Path, formats: &[Format]) -> Result<Sized, IoError> {
    let (dataset, files) = open_files(path, formats)?;
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
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
            "it declares {width} x {height} px in {count} bands ({} GiB) but holds {packed} bytes; it is not believed",
            unpacked >> 30
        )));
    }
    complete::check(&dataset, tiff.as_ref(), path)?;
    Ok(Sized {
        dataset,
        files,
        tiff,
        bulk,
    })
}

/// What `path` says of itself.
///
/// # Errors
/// As [`open`]; a raster without size, CRS or transform; a size that the file cannot hold; a side file that says what is not read.
pub fn info(path: &Path, formats: &[Format]) -> Result<RasterInfo, IoError> {
    let Sized {
        dataset,
        mut files,
        tiff,
        bulk,
    } = sized(path, formats)?;
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
    let failed = |error: gdal::errors::GdalError| refuse(plain(&error));
    let (width, height) = dataset.raster_size();
    let count = dataset.raster_count();
    let aside = match pam::file(path)? {
        Some(aside) => {
            let whole = absolute(path).map_err(refuse)?;
            let stated = pam::read((path, &whole), format_of(path, formats)?, &files, &aside, &dataset)?;
            Some((aside, stated))
        }
        None => None,
    };
    let stated = aside.as_ref().map(|(_, stated)| stated);
    let looked = tiff
        .as_ref()
        .map(|_| tiff::look_through(path))
        .transpose()?
        .unwrap_or_default();
    let (first_px, most_px) = (
        width as u64 * height as u64,
        looked.largest.0.saturating_mul(looked.largest.1),
    );
    if looked.pages > 1 && most_px > first_px {
        return Err(refuse(format!(
            "it holds {} rasters one behind the other, and the first, of {width} x {height} px, is smaller than one of {} x {} px: a preview? Make a \
             GeoTIFF of the one that is wanted with gdal_translate GTIFF_DIR:2:{} (or 3, 4, ...)",
            looked.pages,
            looked.largest.0,
            looked.largest.1,
            path.file_name().unwrap_or_default().display()
        )));
    }
    let (mut nodata, mut content, mut scales, mut called) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for index in 1..=count {
        let band = dataset.rasterband(index).map_err(failed)?;
        let besides = stated.and_then(|stated| *stated.nodata.get(index - 1)?);
        let mut values = Vec::new();
        let stated_values = [band.no_data_value(), besides].into_iter().flatten();
        stated_values.for_each(|value| crate::scene::statement::add(&mut values, value));
        nodata.push(values);
        let own = Content::of(&band);
        let besides = stated.and_then(|stated| stated.content.get(index - 1).copied());
        content.push(if own == Content::Numbers {
            besides.unwrap_or(own)
        } else {
            own
        });
        scales.push(match &aside {
            Some((aside, stated)) => {
                let beside = stated.scales.get(index - 1).copied().unwrap_or_default();
                pam::scale(aside, bands::scale_of(&band), beside)?
            }
            None => bands::scale_of(&band),
        });
        // GDAL has what the side file says beside what the raster itself does.
        let besides = stated.and_then(|stated| stated.called.get(index - 1).cloned());
        called.push(besides.unwrap_or_else(|| Called::of(&band)));
    }
    let (geotransform, crs_wkt) = place::of(&dataset, path, stated)?;
    if let Some(named) = crs::names_a_file(&crs_wkt) {
        return Err(refuse(format!(
            "its coordinate reference system names a file or another definition ({named}), which is not read; set it anew with gdal_edit -a_srs"
        )));
    }
    crs::check_on_earth(&crs_wkt).map_err(refuse)?;
    if let Some((aside, stated)) = &aside {
        pam::check_place(aside, stated, (width, height), &geotransform, &crs_wkt)?;
    }
    files.extend(aside.map(|(aside, _)| aside));
    let mut block_bytes = bulk.block;
    let tiff = tiff.as_ref().map(|tiff| (tiff, looked.has_mask));
    let masks = masks(path, &dataset, tiff, &content, &mut block_bytes)?;
    files.extend(masks.iter().filter_map(|mask| match mask {
        Mask::Beside { path, .. } => Some(path.clone()),
        Mask::Inside(_) | Mask::Alpha(_) | Mask::Sparse | Mask::Together => None,
    }));
    let first = dataset.rasterband(1).map_err(failed)?;
    let (data_type, has_signed_bytes) = (first.band_type(), bands::has_signed_bytes(&first));
    Ok(RasterInfo {
        width,
        height,
        bands: count,
        geotransform,
        crs_wkt,
        content,
        nodata,
        masks,
        data_type: match data_type.name().to_ascii_lowercase() {
            _ if has_signed_bytes => "int8".into(),
            name if name == "byte" => "uint8".into(),
            name => name,
        },
        scales,
        called,
        pages: looked.pages.max(1),
        float: data_type.is_floating(),
        has_signed_bytes,
        kept_bytes: if has_signed_bytes {
            2
        } else {
            stored::kept_bytes(data_type)
        },
        block: first.block_size(),
        files,
        block_bytes,
        bands_in_block: bulk.bands,
        header_bytes: bulk.header,
    })
}

/// What says beside no-data values which pixels of `dataset`, which is the file `path`, are none; of a `tiff` it is known whether one of its
/// directories is a mask. `block_bytes` grows to that of the largest mask.
///
/// # Errors
/// A mask that cannot be read.
fn masks(
    path: &Path,
    dataset: &Dataset,
    tiff: Option<(&Tiff, bool)>,
    content: &[Content],
    block_bytes: &mut usize,
) -> Result<Vec<Mask>, IoError> {
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
    let failed = |error: gdal::errors::GdalError| refuse(plain(&error));
    let mut masks = Vec::new();
    let first = dataset.rasterband(1).map_err(failed)?;
    if bands::has_mask(&first).map_err(failed)? {
        let mask = first.open_mask_band().map_err(failed)?;
        let of_mask = Tiff::of_mask(dataset, path)?;
        if of_mask.is_some() {
            complete::check(dataset, of_mask.as_ref(), path)?;
        }
        let block = of_mask.map_or(mask.block_size(), |tiff| tiff.block);
        let bytes = block.0.saturating_mul(block.1);
        if bytes > MOST_BLOCK {
            return Err(refuse(format!(
                "the blocks of its mask have {} x {} px, more than {} MiB; cut them smaller, for example with gdal_translate -co TILED=YES",
                block.0,
                block.1,
                MOST_BLOCK >> 20
            )));
        }
        *block_bytes = bytes.max(*block_bytes);
        masks.push(Mask::Inside(mask.block_size()));
    } else if tiff.is_some_and(|(_, has_mask)| has_mask) {
        return Err(refuse(
            "it holds a mask that this GDAL does not read; write it anew with gdal_translate where a GDAL reads it"
                .into(),
        ));
    }
    if let Some((tiff, _)) = tiff
        && tiff.is_sparse().map_err(refuse)?
    {
        masks.push(Mask::Sparse);
    }
    masks.extend(bands::nodata_together(dataset).map(|_| Mask::Together));
    masks.extend(alphas(content).map(Mask::Alpha));
    let names = [".msk", ".MSK"].map(|extension| formats::appended(path, extension));
    if let Some(beside) = formats::first_file(path, names)? {
        let found = sized(&beside, &[Format::GTiff])?;
        let (size, bands) = (found.dataset.raster_size(), found.dataset.raster_count());
        let band = found.dataset.rasterband(1).map_err(failed)?;
        let is_of_bytes = band.band_type() == GdalDataType::UInt8;
        if size != dataset.raster_size() || !(bands == 1 || bands == content.len()) || !is_of_bytes {
            return Err(refuse(format!(
                "{} beside it is no mask of it: expected {} x {} px of bytes in one band or {}, found {} x {} px in {bands}; take it away",
                beside.display(),
                dataset.raster_size().0,
                dataset.raster_size().1,
                content.len(),
                size.0,
                size.1
            )));
        }
        *block_bytes = found.bulk.block.max(*block_bytes);
        masks.push(Mask::Beside {
            block: band.block_size(),
            of_each: bands > 1,
            path: beside,
        });
    }
    Ok(masks)
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
