//! The files of a report, made from its record: all of them after a survey, any of them again later.

use std::fs::File;
use std::io::BufReader;
use std::io::ErrorKind::{InvalidData, NotFound};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::SiteError;
use super::driver::in_order;
use super::outlines::outlines;
use super::publish::{ASIDE, PublishError, stream_file, write_file};
use crate::finding::SiteReport;
use crate::report::{self, Gallery, StacAsset};
use crate::seal::digest;

/// The record.
pub const RECORD: &str = "report.json";
/// What the page shows and the record does not hold.
pub const PICTURES: &str = "pictures.zip";

/// Scores and flags.
pub const RASTERS: [&str; 2] = ["score.tif", "flags.tif"];

/// A rendering of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The page.
    Html,
    /// Anomalies, activities, zones and the site for QGIS, with styles.
    Gpkg,
    /// Anomalies for other map programs.
    Geojson,
    /// Anomalies for spreadsheets.
    Csv,
    /// Verdicts as test results, for CI.
    Junit,
    /// The report and its files, for catalogues.
    Stac,
}

impl Format {
    /// All of them, in the order in which they are made: the last holds the hashes of the others.
    pub const ALL: [Self; 6] = [
        Self::Html,
        Self::Gpkg,
        Self::Geojson,
        Self::Csv,
        Self::Junit,
        Self::Stac,
    ];

    /// The name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Gpkg => "anomalies.gpkg",
            Self::Geojson => "anomalies.geojson",
            Self::Csv => "anomalies.csv",
            Self::Junit => "junit.xml",
            Self::Stac => "item.json",
        }
    }
}

/// Writes the record, its pictures and every rendering of it into `folder`, side by side.
///
/// # Errors
/// A file that cannot be written; the run was stopped.
pub fn all(report: &SiteReport, gallery: &Gallery, folder: &Path, stop: &AtomicBool) -> Result<(), SiteError> {
    let write = |part: &Part| -> Result<(), SiteError> {
        match part {
            Part::Record => stream_file(&folder.join(RECORD), |out| Ok(report::report_json(report, out)?)),
            Part::Pictures => {
                let path = folder.join(PICTURES);
                let file = File::create(&path).map_err(|source| PublishError::Write { path, source })?;
                Ok(gallery.write(file)?)
            }
            Part::Rendering(format) => render(report, gallery, *format, folder),
        }
    };
    // The item holds the hashes of the others.
    let others = Format::ALL.into_iter().filter(|format| *format != Format::Stac);
    let parts: Vec<Part> = others
        .map(Part::Rendering)
        .chain([Part::Record, Part::Pictures])
        .collect();
    in_order(&parts, stop, write, |written| written)?;
    write(&Part::Rendering(Format::Stac))
}

/// A file of a report.
enum Part {
    Record,
    Pictures,
    Rendering(Format),
}

/// Writes the renderings `formats` of the record at `path` anew, beside it, each whole or not at all; the paths of the files.
///
/// # Errors
/// A record or pictures that cannot be read; a file that cannot be written.
pub fn again(path: &Path, formats: &[Format]) -> Result<Vec<PathBuf>, SiteError> {
    let read = |path: &Path, source| PublishError::Read {
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let text = std::fs::read(path).map_err(|source| read(path, source))?;
    let report: SiteReport =
        serde_json::from_slice(&text).map_err(|source| read(path, std::io::Error::new(InvalidData, source)))?;
    let pictures = folder.join(PICTURES);
    let gallery = match File::open(&pictures) {
        Ok(file) => Gallery::read(BufReader::new(file))?,
        Err(error) if error.kind() == NotFound => Gallery::default(),
        Err(source) => return Err(read(&pictures, source).into()),
    };
    let write = |path: &Path, source| PublishError::Write {
        path: path.to_owned(),
        source,
    };
    // The folder itself may be a bare name.
    let beside = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let aside = tempfile::Builder::new()
        .prefix(ASIDE)
        .tempdir_in(beside)
        .map_err(|source| write(beside, source))?;
    let mut made = Vec::new();
    for format in Format::ALL.into_iter().filter(|format| formats.contains(format)) {
        if format == Format::Stac {
            // It holds the hashes of what lies beside it for good.
            let item = report::stac_item(&report, &files_beside(beside)?)?;
            write_file(&aside.path().join(format.file()), item.as_bytes())?;
        } else {
            render(&report, &gallery, format, aside.path())?;
        }
        let (from, to) = (aside.path().join(format.file()), folder.join(format.file()));
        let whole = File::open(&from).and_then(|file| file.sync_all());
        whole
            .and_then(|()| std::fs::rename(&from, &to))
            .map_err(|source| write(&to, source))?;
        made.push(to);
    }
    Ok(made)
}

/// Writes one rendering of the record into `folder`.
///
/// # Errors
/// A file that cannot be written.
pub fn render(report: &SiteReport, gallery: &Gallery, format: Format, folder: &Path) -> Result<(), SiteError> {
    let path = folder.join(format.file());
    match format {
        Format::Html => {
            let page = report::report_html(report, gallery, &outlines(report)?)?;
            write_file(&path, page.as_bytes())?;
        }
        Format::Gpkg => report::anomalies_gpkg(report, &path)?,
        Format::Geojson => stream_file(&path, |out| Ok::<_, SiteError>(report::anomalies_geojson(report, out)?))?,
        Format::Csv => stream_file(&path, |out| Ok::<_, SiteError>(report::anomalies_csv(report, out)?))?,
        Format::Junit => stream_file(&path, |out| Ok::<_, SiteError>(report::junit_xml(report, out)?))?,
        Format::Stac => {
            let item = report::stac_item(report, &files_beside(folder)?)?;
            write_file(&path, item.as_bytes())?;
        }
    }
    Ok(())
}

/// The files of a report that are in `folder`, but for the item that names them.
pub(super) fn files_beside(folder: &Path) -> Result<Vec<StacAsset>, SiteError> {
    let renderings = Format::ALL.into_iter().filter(|format| *format != Format::Stac);
    let names = renderings.map(Format::file).chain([RECORD, PICTURES]).chain(RASTERS);
    let mut files = Vec::new();
    for name in names {
        let path = folder.join(name);
        if path.exists() {
            let digest = digest::file(&path).map_err(|source| PublishError::Read { path, source })?;
            files.push(StacAsset {
                bytes: digest.bytes,
                name: name.to_owned(),
                sha256: digest.sha256,
            });
        }
    }
    Ok(files)
}
