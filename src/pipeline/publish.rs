//! Output folders: locked while a run works on them, and a site's folder appears whole or not at all.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

/// Files aside that a run which died may have left: swept by the next.
pub(super) const ASIDE: &str = ".sitewatch-";

/// Why an output folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Another run works on the folder.
    #[error("locking {}: another run works on this folder; try again when it has ended", .0.display())]
    Locked(PathBuf),
    /// A file that was written cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("writing {}: {source}; is the disk full, or the folder read-only?", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> PublishError {
    let path = path.to_owned();
    move |source| PublishError::Write { path, source }
}

/// An output folder that this run alone may write to; free again when dropped.
pub struct OutFolder {
    path: PathBuf,
    _lock: File,
}

impl OutFolder {
    /// The folder at `path`, made when absent, locked and swept of what a run that died has left.
    ///
    /// # Errors
    /// Another run has the lock; the folder cannot be written.
    pub fn lock(path: &Path) -> Result<Self, PublishError> {
        fs::create_dir_all(path).map_err(failed(path))?;
        let name = path.join(format!("{ASIDE}lock"));
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(failed(&name))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PublishError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(&name)(error)),
        }
        for entry in fs::read_dir(path).map_err(failed(path))?.flatten() {
            let found = entry.file_name();
            let found = found.to_string_lossy();
            if found.starts_with(ASIDE) && found != format!("{ASIDE}lock") {
                let stale = entry.path();
                if stale.is_dir() {
                    fs::remove_dir_all(&stale)
                } else {
                    fs::remove_file(&stale)
                }
                .map_err(failed(&stale))?;
            }
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An empty folder aside, in which the files of `name` are made.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn aside(&self, name: &str) -> Result<PathBuf, PublishError> {
        let path = self.path.join(format!("{ASIDE}{name}"));
        fs::create_dir_all(&path).map_err(failed(&path))?;
        Ok(path)
    }

    /// Puts the folder that [`Self::aside`] gave into its place; what stood there before is gone only when it is in place.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn publish(&self, name: &str) -> Result<(), PublishError> {
        let (aside, place) = (self.path.join(format!("{ASIDE}{name}")), self.path.join(name));
        for entry in fs::read_dir(&aside).map_err(failed(&aside))?.flatten() {
            File::open(entry.path())
                .and_then(|file| file.sync_all())
                .map_err(failed(&entry.path()))?;
        }
        sync(&aside)?;
        if place.exists() {
            // One step for the file system: there is no moment without a report.
            renameat_with(CWD, &aside, CWD, &place, RenameFlags::EXCHANGE)
                .map_err(|error| failed(&place)(error.into()))?;
            sync(&self.path)?;
            return fs::remove_dir_all(&aside).map_err(failed(&aside));
        }
        fs::rename(&aside, &place).map_err(failed(&place))?;
        sync(&self.path)
    }

    /// Removes the folder aside of `name`: its site failed.
    pub fn abandon(&self, name: &str) {
        // What stays behind is swept by the next run.
        let _ = fs::remove_dir_all(self.path.join(format!("{ASIDE}{name}")));
    }

    /// Writes a file of the run itself, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let place = self.path.join(name);
        let mut file = tempfile::Builder::new()
            .prefix(ASIDE)
            .tempfile_in(&self.path)
            .map_err(failed(&place))?;
        file.write_all(bytes)
            .and_then(|()| file.as_file().sync_all())
            .map_err(failed(&place))?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(mode).map_err(failed(&place))?;
        file.persist(&place).map_err(|error| failed(&place)(error.error))?;
        sync(&self.path)
    }
}

/// Writes a file of a site into its folder aside.
///
/// # Errors
/// It cannot be written whole.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    stream_file(path, |out| out.write_all(bytes).map_err(failed(path)))
}

/// Writes a file piece by piece; it becomes whole with its folder.
///
/// # Errors
/// It cannot be written; those of `write`.
pub fn stream_file<E: From<PublishError>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let mut out = BufWriter::new(File::create(path).map_err(failed(path))?);
    write(&mut out)?;
    Ok(out.flush().map_err(failed(path))?)
}

fn sync(folder: &Path) -> Result<(), PublishError> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(failed(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_replaced_whole_and_a_dead_run_is_swept() {
        let root = tempfile::tempdir().unwrap();
        let out = OutFolder::lock(root.path()).unwrap();
        for text in ["first", "second"] {
            let aside = out.aside("site").unwrap();
            fs::write(aside.join("report.json"), text).unwrap();
            out.publish("site").unwrap();
            assert_eq!(fs::read_to_string(root.path().join("site/report.json")).unwrap(), text);
        }
        fs::write(out.aside("other").unwrap().join("half"), b"half").unwrap();
        drop(out);
        let out = OutFolder::lock(root.path()).unwrap();
        let names: Vec<_> = fs::read_dir(root.path())
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(names.len(), 2, "the lock and the site: {names:?}");
        drop(out);
    }

    #[test]
    fn two_runs_cannot_have_one_folder() {
        let root = tempfile::tempdir().unwrap();
        let first = OutFolder::lock(root.path()).unwrap();
        assert!(matches!(OutFolder::lock(root.path()), Err(PublishError::Locked(_))));
        drop(first);
        assert!(OutFolder::lock(root.path()).is_ok());
    }
}
