//! The formats that rasters may be read in, by name, and what the first bytes of a file say of its own.

use std::path::{Path, PathBuf};

use crate::intake;
use crate::io::IoError;

/// A format that a raster may be read in. Each was looked at for what else its driver opens (GDAL 3.6, system calls traced).
///
/// Left out are formats whose files name others (VRT, MRF, HDF, netCDF, PCIDSK and many more), NITF, whose packed segments are handed to any
/// driver that is registered, and PNG and JPEG, which hold no coordinate reference system of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// GeoTIFF, Cloud Optimized ones included. World, mask, overview and metadata files are looked for among the siblings that are given: none.
    GTiff,
    /// JPEG 2000. World files and remote GML are turned off when it is opened.
    Jp2,
    /// Raw pixels with a header beside them, and at times a file of statistics.
    Envi,
    /// Erdas Imagine; only when asked for: a file may name others for its pixels and overviews, which `io/header/hfa.rs` refuses.
    Hfa,
}

/// What is read unless a pipeline asks for more.
pub const USUAL: &[Format] = &[Format::GTiff, Format::Jp2, Format::Envi];

/// What a pipeline may ask for beside [`USUAL`].
pub const ON_REQUEST: &[Format] = &[Format::Hfa];

impl Format {
    /// The name of its driver.
    pub fn name(self) -> &'static str {
        match self {
            Self::GTiff => "GTiff",
            Self::Jp2 => "JP2OpenJPEG",
            Self::Envi => "ENVI",
            Self::Hfa => "HFA",
        }
    }

    /// What its driver is told when it opens a file: JPEG 2000 that was cut fails (a flipped bit in it, or in JPEG, has no check and decodes to
    /// other pixels), and nothing beside the file is believed.
    pub(in crate::io) fn options(self) -> &'static [&'static str] {
        match self {
            Self::GTiff => &["GEOREF_SOURCES=INTERNAL"],
            Self::Jp2 => &["STRICT=YES", "OPEN_REMOTE_GML=NO", "GEOREF_SOURCES=GEOJP2,GMLJP2"],
            Self::Envi | Self::Hfa => &[],
        }
    }

    /// The same where GDAL's side file (`.aux.xml`) is read too; of what both say of the place, its word.
    pub(in crate::io) fn options_with_pam(self) -> &'static [&'static str] {
        match self {
            Self::GTiff => &["GEOREF_SOURCES=PAM,INTERNAL"],
            Self::Jp2 => &["STRICT=YES", "OPEN_REMOTE_GML=NO", "GEOREF_SOURCES=PAM,GEOJP2,GMLJP2"],
            Self::Envi | Self::Hfa => &[],
        }
    }

    /// The side files of the raster at `path` that its driver reads: those that lie there, the header first.
    ///
    /// # Errors
    /// The system does not tell of one, and which.
    pub(in crate::io) fn side_files(self, path: &Path) -> Result<Vec<PathBuf>, IoError> {
        match self {
            Self::Envi => {
                let statistics = first_file(path, [path.with_extension("sta")])?;
                Ok(header(path)?.into_iter().chain(statistics).collect())
            }
            Self::GTiff | Self::Jp2 | Self::Hfa => Ok(Vec::new()),
        }
    }
}

/// The usual formats and those that `asked` names; names that nobody may ask for are left out ([`on_request`] tells).
pub fn allowed(asked: &[String]) -> Vec<Format> {
    let asked = asked.iter().filter_map(|name| on_request(name));
    USUAL.iter().copied().chain(asked).collect()
}

/// The format of that name that a pipeline may ask for.
pub fn on_request(name: &str) -> Option<Format> {
    ON_REQUEST.iter().copied().find(|format| format.name() == name)
}

/// The header of raw pixels at `path`: `a.hdr` beside `a.dat`, else `a.dat.hdr`, which is the order in which GDAL looks.
///
/// # Errors
/// The system does not tell of one, and which.
pub(in crate::io) fn header(path: &Path) -> Result<Option<PathBuf>, IoError> {
    let names = [
        path.with_extension("hdr"),
        path.with_extension("HDR"),
        appended(path, ".hdr"),
        appended(path, ".HDR"),
    ];
    first_file(path, names)
}

/// The name of `path` with `extension` behind it.
pub(in crate::io) fn appended(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(extension);
    PathBuf::from(name)
}

/// The first of `names` that is a file, and another than that at `path`.
pub(in crate::io) fn first_file<const N: usize>(path: &Path, names: [PathBuf; N]) -> Result<Option<PathBuf>, IoError> {
    for name in names {
        match intake::about(&name) {
            Ok(Some(about)) if about.is_file() && name != path => return Ok(Some(name)),
            Ok(_) => {}
            Err(source) => return Err(IoError::System { path: name, source }),
        }
    }
    Ok(None)
}

/// The format whose signature `head`, the first bytes of a file, begins with.
pub(in crate::io) fn by_signature(head: &[u8]) -> Option<Format> {
    const SIGNATURES: [(&[u8], Format); 7] = [
        (b"II*\0", Format::GTiff),
        (b"MM\0*", Format::GTiff),
        (b"II+\0", Format::GTiff),
        (b"MM\0+", Format::GTiff),
        (b"\0\0\0\x0cjP  \r\n\x87\n", Format::Jp2),
        (b"\xff\x4f\xff\x51", Format::Jp2),
        (b"EHFA_HEADER_TAG\0", Format::Hfa),
    ];
    let found = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature));
    found.map(|(_, format)| *format)
}

/// Formats that are not read, by the bytes that their files begin with: for messages only.
const OTHERS: [(&[u8], &str); 24] = [
    (b"\x0e\x03\x13\x01", "HDF4"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 or netCDF"),
    (b"CDF\x01", "netCDF"),
    (b"CDF\x02", "netCDF"),
    (b"CDF\x05", "netCDF"),
    (b"NITF", "NITF"),
    (b"NSIF", "NITF"),
    (b"PCIDSK", "PCIDSK"),
    (b"\x89PNG", "PNG, which holds no coordinate reference system"),
    (b"\xff\xd8\xff", "JPEG, which holds no coordinate reference system"),
    (
        b"SQLite format 3",
        "an SQLite database (GeoPackage, MBTiles, Rasterlite)",
    ),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"GRIB", "GRIB"),
    (b"SIMPLE  =", "FITS"),
    (b"GIF8", "GIF"),
    (b"RIFF", "WebP or another RIFF file"),
    (b"LBLSIZE=", "VICAR"),
    (b"IMAGINE_RAW_FILE", "EIR"),
    (b"RDX2\n", "R"),
    (b"RDA2\n", "R"),
    (b"HEAD74", "Erdas LAN"),
    (b"HEADER", "Erdas LAN"),
];

/// Formats that are text, by the root of their XML or a word near their beginning (lower case): for messages only.
const ROOTS: [(&str, &str); 19] = [
    ("vrtdataset", "a VRT"),
    ("mrf_meta", "MRF"),
    ("gdal_wms", "WMS"),
    ("gdal_wmts", "WMTS"),
    ("wms_capabilities", "WMS"),
    ("capabilities", "WMTS"),
    ("wcs_gdal", "WCS"),
    ("gdalogcapi", "OGCAPI"),
    ("ogcapidataset", "OGCAPI"),
    ("dimap_document", "DIMAP"),
    ("product", "RS2"),
    ("level1product", "TSX"),
    ("xfdu", "SAFE"),
    ("product_observational", "PDS4"),
    ("kml", "KMLSUPEROVERLAY"),
    ("table_of_contents", "ECRGTOC"),
    ("imagefile", "ISCE"),
    ("gdaltileindexdataset", "GTI"),
    ("pamdataset", "side data of GDAL (.aux.xml)"),
];
const WORDS: [(&str, &str); 19] = [
    ("[ilwis]", "ILWIS"),
    ("datasetheader begin", "ERS"),
    ("oziexplorer map data file", "MAP"),
    ("oziexplorer", "OZI"),
    ("isiscube", "ISIS3"),
    ("pds_version_id", "PDS"),
    ("^qube", "ISIS2"),
    ("numtiles", "TIL"),
    ("\"stac_version\"", "STACTA or STACIT"),
    ("auxilarytarget", "PAux"),
    ("ndf_revision", "NDF"),
    ("image_file_format", "MFF"),
    ("[georeference]", "RRASTER"),
    ("specular", "GFF"),
    ("ncols", "AAIGrid or EHdr"),
    ("nrows", "EHdr"),
    ("nitf", "NITF"),
    ("! gxf", "GXF"),
    ("#grid", "GXF"),
];

/// The name of the format that a file of these first bytes is in, where they tell; the file is not allowed under it.
pub(in crate::io) fn other(head: &[u8]) -> Option<&'static str> {
    if let Some((_, name)) = OTHERS.iter().find(|(signature, _)| head.starts_with(signature)) {
        return Some(name);
    }
    let text = text(head)?.to_ascii_lowercase();
    if text.trim_start().starts_with('<') {
        let known = |root: &str| ROOTS.iter().find(|(known, _)| *known == root).map(|(_, name)| *name);
        return Some(root(&text).and_then(known).unwrap_or("XML"));
    }
    let found = WORDS.iter().find(|(word, _)| text.contains(word));
    Some(found.map_or("text", |(_, name)| name))
}

/// `head` as text, where it is: cut in the middle of a character, or with a mark of its byte order, it still is.
fn text(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let plain = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    plain.then_some(text.trim_start_matches('\u{feff}'))
}

/// The name of the first element of the XML `text`, without its prefix.
pub(in crate::io) fn root(text: &str) -> Option<&str> {
    let element = text
        .split('<')
        .skip(1)
        .find(|piece| piece.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))?;
    let name = element
        .split(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .next()?;
    name.rsplit(':').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(by_signature(b"II*\0rest"), Some(Format::GTiff));
        assert_eq!(by_signature(b"<MRF_META>"), None);
        for (head, name) in [
            (&b"<MRF_META>"[..], "MRF"),
            (
                b"<?xml version='1.0'?>\n<!-- a -->\n<VRTDataset rasterXSize='1'>",
                "a VRT",
            ),
            (b"\xef\xbb\xbf<n1:Dimap_Document>", "DIMAP"),
            (b"<whatever/>", "XML"),
            (b"\x0e\x03\x13\x01\0\0", "HDF4"),
            (b"[Ilwis]\nType=RasterMap", "ILWIS"),
            (b"hello", "text"),
        ] {
            assert_eq!(other(head), Some(name));
        }
        assert_eq!(other(&[0xff, 0xfe, 0x80, 0]), None);
    }

    #[test]
    fn only_what_may_be_asked_for_is_added() {
        assert_eq!(allowed(&[]), USUAL);
        assert_eq!(allowed(&["HFA".into(), "VRT".into()]).last(), Some(&Format::Hfa));
        assert_eq!(on_request("NITF"), None);
    }

    #[test]
    fn side_files_are_those_that_lie_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.dat");
        assert!(Format::Envi.side_files(&path).unwrap().is_empty());
        for name in ["a.dat.hdr", "a.sta", "a.hdr"] {
            std::fs::write(folder.path().join(name), "ENVI").unwrap();
        }
        let expected = ["a.hdr", "a.sta"].map(|name| folder.path().join(name));
        assert_eq!(Format::Envi.side_files(&path).unwrap(), expected);
        assert!(Format::GTiff.side_files(&path).unwrap().is_empty());
    }
}
