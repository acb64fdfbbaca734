//! Why a file cannot be taken in.

use std::io;
use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// Why a file cannot be taken in.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {problem}", path.display())]
pub struct IntakeError {
    /// The file.
    pub path: PathBuf,
    /// What is the matter with it.
    pub problem: Problem,
}

/// What is the matter with a file.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The system does not give it.
    #[error("{0}")]
    System(#[from] io::Error),
    /// It is something that could wait or go on for ever.
    #[error("it is {0}, not a regular file")]
    NotAFile(&'static str),
    /// It is larger than is read, bytes.
    #[error("it holds {found} bytes; at most {most} are read: split it")]
    TooLarge {
        /// Its size, at least.
        found: u64,
        /// The most that is read.
        most: u64,
    },
    /// As a tree of values it takes more memory than is spent on it, MiB.
    #[error(
        "its JSON values take {found_mib} MiB of memory, more than {most_mib}: split it, or remove what is not needed"
    )]
    TooHeavy {
        /// What it takes.
        found_mib: u64,
        /// The most that is spent.
        most_mib: u64,
    },
    /// It is not JSON: where, and why.
    #[error("{0}")]
    NotJson(Fault),
    /// Its bytes are no text.
    #[error("not UTF-8 from byte {0} on: save the file as UTF-8 text")]
    NotText(usize),
}

impl IntakeError {
    /// That the system does not give the file at `path`.
    pub fn system(path: &Path, error: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            problem: error.into(),
        }
    }

    /// Whether the file should be readable and is not: it is gone, forbidden or damaged. Otherwise it is refused by rule.
    pub fn is_unreadable(&self) -> bool {
        matches!(
            self.problem,
            Problem::System(_) | Problem::NotText(_) | Problem::NotJson(_)
        )
    }
}
