//! The files of a report, made from its record: all of them in a run, any of them again later.

use std::fs::{File, TryLockError};
use std::io::ErrorKind::{InvalidData, NotFound};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::engine::driver::in_order;
use crate::finding::SiteReport;
use crate::intake::{self, IntakeError, MAX_REPORT_BYTES, Problem};
use crate::output::error::{OutputError, PublishError, failed};
use crate::output::files::{PICTURES, RECORD, STAGING};
use crate::output::formats::{FORMATS, Format, ITEM, Source};
use crate::output::publish::{entries, remove};
use crate::output::write::stream_file;
use crate::report::{self, Gallery};

/// Writes the record, its pictures and every rendering of it into `folder`, side by side.
///
/// # Errors
/// A file that cannot be written; the run was stopped.
pub fn all(report: &SiteReport, gallery: &Gallery, folder: &Path, stop: &AtomicBool) -> Result<(), OutputError> {
    let source = Source {
        report,
        gallery,
        folder,
    };
    let write = |part: &Part| -> Result<(), OutputError> {
        match part {
            Part::Record => stream_file(&folder.join(RECORD.name), |out| Ok(report::report_json(report, out)?)),
            Part::Pictures => {
                let path = folder.join(PICTURES.name);
                let file = File::create(&path).map_err(failed(&path))?;
                Ok(gallery.write(file)?)
            }
            Part::Rendering(format) => (format.write)(&source, &folder.join(format.file.name)),
        }
    };
    // The item holds the hashes of the others.
    let (items, others): (Vec<Format>, Vec<Format>) = FORMATS.into_iter().partition(|format| format.file == ITEM);
    let others = others.into_iter().map(Part::Rendering);
    let parts: Vec<Part> = others.chain([Part::Record, Part::Pictures]).collect();
    in_order(&parts, stop, write, |written| written)?;
    items.into_iter().try_for_each(|item| write(&Part::Rendering(item)))
}

/// A file of a report.
enum Part {
    Record,
    Pictures,
    Rendering(Format),
}

/// Writes the renderings `words` (of [`FORMATS`]) of the record at `path` anew, beside it, each whole or not at all; the paths of the files.
///
/// # Errors
/// A record or pictures that cannot be read, or are no regular files; a file that cannot be written; another process makes files there.
pub fn again(path: &Path, words: &[&str]) -> Result<Vec<PathBuf>, OutputError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let text = intake::text(path, MAX_REPORT_BYTES).map_err(unreadable)?.text;
    let report: SiteReport = SiteReport::parse(&text).map_err(|why| PublishError::Read {
        path: path.to_owned(),
        source: io::Error::new(InvalidData, why),
    })?;
    let gallery = match intake::open(&folder.join(PICTURES.name)) {
        Ok(file) => Gallery::read(BufReader::new(file))?,
        Err(IntakeError {
            problem: Problem::System(error),
            ..
        }) if error.kind() == NotFound => Gallery::default(),
        Err(error) => return Err(unreadable(error).into()),
    };
    // The folder itself may be a bare name.
    let beside = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let _lock = lock(beside)?;
    // One name for all, so that the next removes what one that was killed has left.
    let staging = tempfile::Builder::new()
        .prefix(STAGING)
        .suffix("again")
        .rand_bytes(0)
        .tempdir_in(beside)
        .map_err(failed(beside))?;
    let mut made = Vec::new();
    let source = Source {
        report: &report,
        gallery: &gallery,
        // The item holds the hashes of what lies there for good.
        folder: beside,
    };
    for format in FORMATS.iter().filter(|format| words.contains(&format.word)) {
        let (from, to) = (staging.path().join(format.file.name), folder.join(format.file.name));
        (format.write)(&source, &from)?;
        let whole = File::open(&from).and_then(|file| file.sync_all());
        whole.and_then(|()| std::fs::rename(&from, &to)).map_err(failed(&to))?;
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
    let lock = File::open(folder).map_err(failed(folder))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(PublishError::Locked(folder.to_owned())),
        Err(TryLockError::Error(error)) => return Err(failed(folder)(error)),
    }
    for entry in entries(folder)? {
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            remove(&entry.path()).map_err(failed(folder))?;
        }
    }
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;
    use crate::output::formats::files_beside;
    use crate::report::sample;

    fn folder_of_a_report() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join(RECORD.name);
        std::fs::write(&record, serde_json::to_vec(&sample::full()).unwrap()).unwrap();
        (folder, record)
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_two_do_not_meet() {
        let (folder, record) = folder_of_a_report();
        for left in ["again", "Zx81"] {
            std::fs::create_dir(folder.path().join(format!("{STAGING}{left}"))).unwrap();
        }
        let held = lock(folder.path()).unwrap();
        let locked = again(&record, &["csv"]);
        assert!(
            matches!(locked, Err(OutputError::Publish(PublishError::Locked(_)))),
            "{locked:?}"
        );
        drop(held);
        std::fs::create_dir(folder.path().join(format!("{STAGING}again"))).unwrap();
        assert_eq!(again(&record, &["csv"]).unwrap(), [folder.path().join("anomalies.csv")]);
        assert_eq!(entries(folder.path()).unwrap().len(), 2, "the record and its table");
    }

    #[test]
    fn pipes_are_refused_not_waited_for() {
        let (folder, record) = folder_of_a_report();
        let pipe = folder.path().join(PICTURES.name);
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for path in [&pipe, &record] {
            let error = again(path, &["csv"]).unwrap_err();
            assert!(error.to_string().contains("a pipe, not a regular file"), "{error}");
        }
        assert_eq!(files_beside(folder.path()).unwrap().len(), 1, "the record alone");
    }
}
