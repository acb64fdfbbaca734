//! Renderings of the record: a row of [`FORMATS`] is all that the program knows of a format beside its renderer.

use std::path::Path;

use crate::finding::SiteReport;
use crate::intake;
use crate::output::error::{OutputError, PublishError};
use crate::output::files::{PICTURES, RASTERS, RECORD};
use crate::output::write::{stream_file, write_file};
use crate::report::pictures::outlines::outlines;
use crate::report::{self, FileKind, Gallery, StacAsset};
use crate::seal::digest;

/// A rendering of the record.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// What people call it by: `--to html`.
    pub word: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Its file.
    pub file: FileKind,
    /// Writes it to a path.
    pub write: fn(&Source<'_>, &Path) -> Result<(), OutputError>,
}

/// What a rendering is made of.
pub struct Source<'a> {
    /// The record.
    pub report: &'a SiteReport,
    /// What the page shows and the record does not hold.
    pub gallery: &'a Gallery,
    /// Where the other files of the report are: the item holds their hashes.
    pub folder: &'a Path,
}

/// All of them, in the order in which they are made: the last holds the hashes of the others.
pub const FORMATS: [Format; 6] = [
    Format {
        word: "html",
        purpose: "the page",
        file: FileKind {
            name: "report.html",
            key: "report",
            title: "Report to read",
            media_type: "text/html",
            role: "overview",
        },
        write: |source, path| {
            let page = report::report_html(source.report, source.gallery, &outlines(source.report)?)?;
            Ok(write_file(path, page.as_bytes())?)
        },
    },
    Format {
        word: "gpkg",
        purpose: "for QGIS, with styles",
        file: FileKind {
            name: "anomalies.gpkg",
            key: "anomalies",
            title: "Anomalies, for QGIS",
            media_type: "application/geopackage+sqlite3",
            role: "data",
        },
        write: |source, path| Ok(report::anomalies_gpkg(source.report, path)?),
    },
    Format {
        word: "geojson",
        purpose: "for other map programs",
        file: FileKind {
            name: "anomalies.geojson",
            // The label extension asks for this key.
            key: "labels",
            title: "Anomalies, for maps",
            media_type: "application/geo+json",
            role: "data",
        },
        write: |source, path| stream_file(path, |out| Ok(report::anomalies_geojson(source.report, out)?)),
    },
    Format {
        word: "csv",
        purpose: "for spreadsheets",
        file: FileKind {
            name: "anomalies.csv",
            key: "table",
            title: "Anomalies, for spreadsheets",
            media_type: "text/csv",
            role: "data",
        },
        write: |source, path| stream_file(path, |out| Ok(report::anomalies_csv(source.report, out)?)),
    },
    Format {
        word: "junit",
        purpose: "for CI",
        file: FileKind {
            name: "junit.xml",
            key: "junit",
            title: "Verdicts as test results",
            media_type: "application/xml",
            role: "metadata",
        },
        write: |source, path| stream_file(path, |out| Ok(report::junit_xml(source.report, out)?)),
    },
    Format {
        word: "stac",
        purpose: "a STAC Item of the report and its files",
        file: ITEM,
        write: |source, path| {
            let item = report::stac_item(source.report, &files_beside(source.folder)?)?;
            Ok(write_file(path, item.as_bytes())?)
        },
    },
];

/// The STAC Item.
pub const ITEM: FileKind = FileKind {
    name: "item.json",
    key: "item",
    title: "The report and its files",
    media_type: "application/geo+json",
    role: "metadata",
};

/// The files of a report that are in `folder`, but for the item that names them.
///
/// # Errors
/// A file cannot be read.
pub(super) fn files_beside(folder: &Path) -> Result<Vec<StacAsset>, OutputError> {
    let renderings = FORMATS
        .map(|format| format.file)
        .into_iter()
        .filter(|file| *file != ITEM);
    let mut files = Vec::new();
    for kind in renderings.chain([RECORD, PICTURES]).chain(RASTERS) {
        let path = folder.join(kind.name);
        let read = |source| PublishError::Read {
            path: path.clone(),
            source,
        };
        // A pipe would be waited for.
        if intake::about(&path).map_err(read)?.is_some_and(|about| about.is_file()) {
            let digest = digest::file(&path).map_err(read)?;
            files.push(StacAsset {
                kind,
                bytes: digest.bytes,
                sha256: digest.sha256,
            });
        }
    }
    Ok(files)
}
