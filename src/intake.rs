//! Small texts from outside: declarations, catalogues, pipelines, sensors. Each is read once, and its digest is of the bytes that were read.

pub mod names;
mod problem;
mod weight;

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::ErrorKind::{NotADirectory, NotFound};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use serde_json::Value;

use crate::fault::Fault;
use crate::seal::digest::Digest;

pub use problem::{IntakeError, Problem};

/// The largest record of a site that is read.
pub const MAX_REPORT_BYTES: u64 = 1 << 30;

/// The largest TOML that is read, pipeline, sensor or recipe: a MiB of small tables was seen to take 260 MiB as a tree.
pub const MAX_TOML_BYTES: u64 = 256 << 10;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its text, without the byte order mark that some tools on Windows write.
    pub text: String,
    /// Of the bytes of the file as they were read.
    pub digest: Digest,
}

/// The text of the regular file at `path`, of at most `most_bytes`.
///
/// # Errors
/// No such file, or none that may be read; a folder, pipe or device; too many bytes; bytes that are not UTF-8.
pub fn text(path: &Path, most_bytes: u64) -> Result<Text, IntakeError> {
    read(path, most_bytes).map_err(|problem| IntakeError {
        path: path.to_owned(),
        problem,
    })
}

/// What stands at `path`, a link followed; `None` where nothing does.
///
/// # Errors
/// The system does not tell: that is not the same as nothing.
pub fn about(path: &Path) -> io::Result<Option<Metadata>> {
    match std::fs::metadata(path) {
        Ok(about) => Ok(Some(about)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The regular file at `path`, open for reading.
///
/// # Errors
/// No such file, or none that may be read; a folder, pipe or device.
pub fn open(path: &Path) -> Result<File, IntakeError> {
    match opened(path) {
        Ok((file, _)) => Ok(file),
        Err(problem) => Err(IntakeError {
            path: path.to_owned(),
            problem,
        }),
    }
}

fn opened(path: &Path) -> Result<(File, u64), Problem> {
    // Looked at before opening, because opening a device can already do something ...
    regular(std::fs::metadata(path)?.file_type())?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file: File = OpenOptions::new().read(true).custom_flags(flags as i32).open(path)?;
    // ... and again once it is open, because it may be another by now.
    let about = file.metadata()?;
    regular(about.file_type())?;
    Ok((file, about.len()))
}

fn read(path: &Path, most: u64) -> Result<Text, Problem> {
    let (file, size) = opened(path)?;
    let mut bytes = Vec::new();
    if size <= most {
        // To grow by doubling would hold the bytes twice.
        bytes.reserve_exact(usize::try_from(size).unwrap_or(0).saturating_add(1));
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    }
    let found = size.max(bytes.len() as u64);
    if found > most {
        return Err(Problem::TooLarge { found, most });
    }
    let digest = Digest::of(&bytes);
    let mut text = String::from_utf8(bytes).map_err(|error| Problem::NotText(error.utf8_error().valid_up_to()))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(Text { text, digest })
}

fn regular(kind: FileType) -> Result<(), Problem> {
    let other = match kind {
        _ if kind.is_file() => return Ok(()),
        _ if kind.is_dir() => "a folder",
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(Problem::NotAFile(other))
}

/// The JSON value in `text`.
///
/// # Errors
/// Text that is not JSON, with its line and column; text that would take far more memory than real files of its size.
pub fn json(text: &str) -> Result<Value, Problem> {
    weight::check(text)?;
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        // serde_json ends its messages with the place, which goes into `place` here.
        let reason = message
            .rsplit_once(" at line ")
            .map_or(message.as_str(), |(reason, _)| reason);
        Problem::NotJson(Fault::new(
            format!("line {}, column {}", error.line(), error.column()),
            match reason {
                "trailing characters" => {
                    "not JSON: expected one value, found more behind it; make one of them, for example a \
                                          FeatureCollection of items"
                        .into()
                }
                reason => format!("not JSON: {reason}"),
            },
        ))
    })
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::NotJson(fault) => fault,
            other => Self::new("", other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_the_bytes_and_the_text_without_the_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, "\u{feff}a = 1\n").unwrap();
        let found = text(&path, 9).unwrap();
        assert_eq!(found.text, "a = 1\n");
        assert_eq!(found.digest, Digest::of("\u{feff}a = 1\n".as_bytes()));
        assert_eq!(found.digest.bytes, 9);
    }

    #[test]
    fn what_is_no_small_text_is_refused_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let refused = |path: &Path| {
            let error = text(path, 4).unwrap_err();
            (error.is_unreadable(), error.to_string())
        };
        assert!(refused(&path).0);
        std::fs::write(&path, "12345").unwrap();
        let (unreadable, message) = refused(&path);
        assert!(
            !unreadable && message.contains("5 bytes; at most 4 are read"),
            "{message}"
        );
        std::fs::write(&path, b"1\xff").unwrap();
        let (unreadable, message) = refused(&path);
        assert!(unreadable && message.contains("not UTF-8 from byte 1 on"), "{message}");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for (path, kind) in [
            (pipe.as_path(), "a pipe"),
            (link.as_path(), "a pipe"),
            (folder.path(), "a folder"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            let (unreadable, message) = refused(path);
            assert!(
                !unreadable && message.ends_with(&format!("it is {kind}, not a regular file")),
                "{message}"
            );
        }
        // A size of 0 is no promise: this one has no end that a size could tell.
        assert!(text(Path::new("/proc/self/status"), 4).is_err());
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        let fault = json("{\n  \"a\": }").unwrap_err();
        assert_eq!(fault.to_string(), "line 2, column 8: not JSON: expected value");
    }
}
