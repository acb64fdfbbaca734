//! The files of a report, made from its record: all of them after a survey, any of them again later.

use std::fs::{File, TryLockError};
use std::io::ErrorKind::{InvalidData, NotFound};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::engine::driver::in_order;
use crate::finding::SiteReport;
use crate::intake::{self, IntakeError, MAX_REPORT_BYTES, Problem};
use crate::output::error::OutputError;
use crate::output::files::{ASIDE, Format, PICTURES, RASTERS, RECORD};
use crate::output::publish::{PublishError, entries, remove, stream_file, write_file};
use crate::report::outlines::outlines;
use crate::report::{self, Gallery, StacAsset};
use crate::seal::digest;

/// Writes the record, its pictures and every rendering of it into `folder`, side by side.
///
/// # Errors
/// A file that cannot be written; the run was stopped.
pub fn all(report: &SiteReport, gallery: &Gallery, folder: &Path, stop: &AtomicBool) -> Result<(), OutputError> {
    let write = |part: &Part| -> Result<(), OutputError> {
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
/// A record or pictures that cannot be read, or are no regular files; a file that cannot be written; another process makes files there.
pub fn again(path: &Path, formats: &[Format]) -> Result<Vec<PathBuf>, OutputError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let text = intake::text(path, MAX_REPORT_BYTES).map_err(unreadable)?.text;
    let report: SiteReport = SiteReport::parse(&text).map_err(|why| PublishError::Read {
        path: path.to_owned(),
        source: io::Error::new(InvalidData, why),
    })?;
    let gallery = match intake::open(&folder.join(PICTURES)) {
        Ok(file) => Gallery::read(BufReader::new(file))?,
        Err(IntakeError {
            problem: Problem::System(error),
            ..
        }) if error.kind() == NotFound => Gallery::default(),
        Err(error) => return Err(unreadable(error).into()),
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
    let _lock = lock(beside)?;
    // One name for all, so that the next removes what one that was killed has left.
    let aside = tempfile::Builder::new()
        .prefix(ASIDE)
        .suffix("again")
        .rand_bytes(0)
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

fn unreadable(IntakeError { path, problem }: IntakeError) -> PublishError {
    let source = match problem {
        Problem::System(error) => error,
        other => io::Error::new(InvalidData, other),
    };
    PublishError::Read { path, source }
}

/// Holds `folder` for this process until it is dropped, swept of what one that was killed has left.
fn lock(folder: &Path) -> Result<File, PublishError> {
    let failed = |source| PublishError::Write {
        path: folder.to_owned(),
        source,
    };
    let lock = File::open(folder).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(PublishError::Locked(folder.to_owned())),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    for entry in entries(folder)? {
        if entry.file_name().to_string_lossy().starts_with(ASIDE) {
            remove(&entry.path()).map_err(failed)?;
        }
    }
    Ok(lock)
}

/// Writes one rendering of the record into `folder`.
///
/// # Errors
/// A file that cannot be written.
pub fn render(report: &SiteReport, gallery: &Gallery, format: Format, folder: &Path) -> Result<(), OutputError> {
    let path = folder.join(format.file());
    match format {
        Format::Html => {
            let page = report::report_html(report, gallery, &outlines(report)?)?;
            write_file(&path, page.as_bytes())?;
        }
        Format::Gpkg => report::anomalies_gpkg(report, &path)?,
        Format::Geojson => stream_file(&path, |out| {
            Ok::<_, OutputError>(report::anomalies_geojson(report, out)?)
        })?,
        Format::Csv => stream_file(&path, |out| Ok::<_, OutputError>(report::anomalies_csv(report, out)?))?,
        Format::Junit => stream_file(&path, |out| Ok::<_, OutputError>(report::junit_xml(report, out)?))?,
        Format::Stac => {
            let item = report::stac_item(report, &files_beside(folder)?)?;
            write_file(&path, item.as_bytes())?;
        }
    }
    Ok(())
}

/// The files of a report that are in `folder`, but for the item that names them.
pub(crate) fn files_beside(folder: &Path) -> Result<Vec<StacAsset>, OutputError> {
    let renderings = Format::ALL.into_iter().filter(|format| *format != Format::Stac);
    let names = renderings.map(Format::file).chain([RECORD, PICTURES]).chain(RASTERS);
    let mut files = Vec::new();
    for name in names {
        let path = folder.join(name);
        let read = |source| PublishError::Read {
            path: path.clone(),
            source,
        };
        // A pipe would be waited for.
        if intake::about(&path).map_err(read)?.is_some_and(|about| about.is_file()) {
            let digest = digest::file(&path).map_err(read)?;
            files.push(StacAsset {
                bytes: digest.bytes,
                name: name.to_owned(),
                sha256: digest.sha256,
            });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;
    use crate::report::sample;

    fn folder_of_a_report() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join(RECORD);
        std::fs::write(&record, serde_json::to_vec(&sample::full()).unwrap()).unwrap();
        (folder, record)
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_two_do_not_meet() {
        let (folder, record) = folder_of_a_report();
        for left in ["again", "Zx81"] {
            std::fs::create_dir(folder.path().join(format!("{ASIDE}{left}"))).unwrap();
        }
        let held = lock(folder.path()).unwrap();
        let locked = again(&record, &[Format::Csv]);
        assert!(
            matches!(locked, Err(OutputError::Publish(PublishError::Locked(_)))),
            "{locked:?}"
        );
        drop(held);
        std::fs::create_dir(folder.path().join(format!("{ASIDE}again"))).unwrap();
        assert_eq!(
            again(&record, &[Format::Csv]).unwrap(),
            [folder.path().join("anomalies.csv")]
        );
        assert_eq!(entries(folder.path()).unwrap().len(), 2, "the record and its table");
    }

    #[test]
    fn pipes_are_refused_not_waited_for() {
        let (folder, record) = folder_of_a_report();
        let pipe = folder.path().join(PICTURES);
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for path in [&pipe, &record] {
            let error = again(path, &[Format::Csv]).unwrap_err();
            assert!(error.to_string().contains("a pipe, not a regular file"), "{error}");
        }
        assert_eq!(files_beside(folder.path()).unwrap().len(), 1, "the record alone");
    }
}
