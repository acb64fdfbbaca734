//! Output folders: locked while a run works on them, and a site's folder appears whole or not at all.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::ErrorKind::NotFound;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::output::error::{PublishError, failed};
use crate::output::files::STAGING;
use crate::output::foreign;

/// The file that a run holds a lock on.
const LOCK: &str = ".sitewatch-lock";
/// What the last run saw of the files that stand.
pub(crate) const LAST_RUN: &str = ".seen.json";
/// A site's folder while it is made.
const MADE: &str = ".sitewatch-made-";
/// A site's folder while another takes its place.
const BEFORE: &str = ".sitewatch-before-";

/// An output folder that this run alone may write to; free again when dropped.
pub struct OutFolder {
    path: PathBuf,
    lock: File,
}

impl OutFolder {
    /// The folder at `path`, made when absent, locked and swept of what a run that died has left.
    ///
    /// # Errors
    /// Another run has the lock; the folder cannot be written.
    pub fn lock(path: &Path) -> Result<Self, PublishError> {
        fs::create_dir_all(path).map_err(failed(path))?;
        let name = path.join(LOCK);
        // A link would lock another file, and to open a pipe would wait for its reader.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .custom_flags(flags)
            .open(&name)
            .map_err(failed(&name))?;
        if !lock.metadata().map_err(failed(&name))?.is_file() {
            let what = "expected a plain file, found a pipe or device; remove it";
            return Err(failed(&name)(io::Error::other(what)));
        }
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PublishError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(&name)(error)),
        }
        let out = Self {
            path: path.to_owned(),
            lock,
        };
        out.sweep()?;
        Ok(out)
    }

    /// Removes what a run that died has left aside; a report that it had moved out of the way returns to its place.
    fn sweep(&self) -> Result<(), PublishError> {
        for entry in entries(&self.path)? {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            match name.strip_prefix(BEFORE).map(|site| self.path.join(site)) {
                Some(place) if !stands(&place)? => {
                    fs::rename(&path, &place).map_err(failed(&place))?;
                    sync(&self.path)?;
                }
                _ if name.starts_with(STAGING) && name != LOCK => {
                    remove(&path).map_err(failed(&path))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// That the folder is still the one whose lock this run holds: it may have been moved away, and another run may have its place.
    fn is_held(&self) -> Result<(), PublishError> {
        let name = self.path.join(LOCK);
        let of = |meta: &fs::Metadata| (meta.dev(), meta.ino());
        let held = self.lock.metadata().map_err(failed(&name))?;
        match fs::symlink_metadata(&name) {
            Ok(found) if of(&found) == of(&held) => Ok(()),
            _ => Err(PublishError::Gone(self.path.clone())),
        }
    }

    /// Puts what `make` writes into the folder that it is given in place of the folder `name`, whole; where it fails, what stands there stays.
    ///
    /// # Errors
    /// Those of `make`; the folder cannot be made or renamed.
    pub fn replace<T, E: From<PublishError>>(
        &self,
        name: &str,
        make: impl FnOnce(&Path) -> Result<T, E>,
    ) -> Result<T, E> {
        let staging = self.staging(name)?;
        let made = make(&staging).and_then(|made| {
            self.publish(name)?;
            Ok(made)
        });
        if made.is_err() {
            self.abandon(name);
        }
        made
    }

    /// An empty folder aside, in which the files of `name` are made.
    ///
    /// # Errors
    /// It cannot be made; the output folder was moved away.
    pub fn staging(&self, name: &str) -> Result<PathBuf, PublishError> {
        self.is_held()?;
        let path = self.path.join(format!("{MADE}{name}"));
        if stands(&path)? {
            remove(&path).map_err(failed(&path))?;
        }
        fs::create_dir(&path).map_err(failed(&path))?;
        Ok(path)
    }

    /// Puts the folder that [`Self::staging`] gave into its place; what stood there before is gone only when it is in place.
    ///
    /// # Errors
    /// It cannot be renamed; the output folder was moved away.
    pub fn publish(&self, name: &str) -> Result<(), PublishError> {
        let (staging, place) = (self.path.join(format!("{MADE}{name}")), self.path.join(name));
        for entry in entries(&staging)? {
            File::open(entry.path())
                .and_then(|file| file.sync_all())
                .map_err(failed(&entry.path()))?;
        }
        sync(&staging)?;
        self.is_held()?;
        if !stands(&place)? {
            fs::rename(&staging, &place).map_err(failed(&place))?;
            return sync(&self.path);
        }
        holds_no_other(&place)?;
        // One step for the file system: there is no moment without a report.
        match renameat_with(CWD, &staging, CWD, &place, RenameFlags::EXCHANGE) {
            Ok(()) => {
                sync(&self.path)?;
                remove(&staging).map_err(failed(&staging))
            }
            // Network file systems know no such step: two, and the next run mends what a kill between them leaves.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => self.move_into_place(&staging, &place, name),
            Err(error) => Err(failed(&place)(error.into())),
        }
    }

    /// Puts `staging` into the place of what stands in `place`, in two steps.
    fn move_into_place(&self, staging: &Path, place: &Path, name: &str) -> Result<(), PublishError> {
        let before = self.path.join(format!("{BEFORE}{name}"));
        fs::rename(place, &before).map_err(failed(&before))?;
        if let Err(error) = fs::rename(staging, place) {
            // Where that fails too, the next run puts it back.
            let _ = fs::rename(&before, place);
            return Err(failed(place)(error));
        }
        sync(&self.path)?;
        remove(&before).map_err(failed(&before))
    }

    /// Removes the folder aside of `name`: its site failed.
    pub fn abandon(&self, name: &str) {
        // What stays behind is swept by the next run.
        let _ = fs::remove_dir_all(self.path.join(format!("{MADE}{name}")));
    }

    /// Writes a file of the run itself, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written; the output folder was moved away.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        self.is_held()?;
        let place = self.path.join(name);
        let mut file = tempfile::Builder::new()
            .prefix(STAGING)
            // As any new file: the umask takes from it.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(&self.path)
            .map_err(failed(&place))?;
        file.write_all(bytes)
            .and_then(|()| file.as_file().sync_all())
            .map_err(failed(&place))?;
        file.persist(&place).map_err(|error| failed(&place)(error.error))?;
        sync(&self.path)
    }
}

/// That at `place` nothing stands but a report, which another may replace.
///
/// # Errors
/// Something else stands there; the system does not tell.
pub fn holds_no_other(place: &Path) -> Result<(), PublishError> {
    is_none(place, foreign::in_place_of_report(place))
}

/// The same of a file of the run itself.
///
/// # Errors
/// As those of [`holds_no_other`].
pub fn is_no_other(place: &Path) -> Result<(), PublishError> {
    is_none(place, foreign::in_place_of_file(place))
}

fn is_none(place: &Path, foreign: io::Result<Option<String>>) -> Result<(), PublishError> {
    let path = place.to_owned();
    match foreign {
        Ok(None) => Ok(()),
        Ok(Some(found)) => Err(PublishError::Foreign { path, found }),
        Err(source) => Err(PublishError::Read { path, source }),
    }
}

/// Whether anything has the name `path`, be it a link that leads nowhere.
fn stands(path: &Path) -> Result<bool, PublishError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == NotFound => Ok(false),
        Err(error) => Err(failed(path)(error)),
    }
}

/// What lies in the folder at `path`.
pub(crate) fn entries(path: &Path) -> Result<Vec<fs::DirEntry>, PublishError> {
    fs::read_dir(path)
        .and_then(|entries| entries.collect())
        .map_err(failed(path))
}

/// Removes a file, or a folder with all that is in it; a link is removed, not followed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
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
            let staging = out.staging("site").unwrap();
            fs::write(staging.join("report.json"), format!("{text} of sitewatch")).unwrap();
            out.publish("site").unwrap();
            let found = fs::read_to_string(root.path().join("site/report.json")).unwrap();
            assert_eq!(found, format!("{text} of sitewatch"));
        }
        fs::write(root.path().join("site/notes.txt"), "mine").unwrap();
        out.staging("site").unwrap();
        let refused = out.publish("site").unwrap_err().to_string();
        assert!(refused.contains("site: `notes.txt` stands there"), "{refused}");
        assert_eq!(fs::read_to_string(root.path().join("site/notes.txt")).unwrap(), "mine");
        out.abandon("site");
        fs::remove_file(root.path().join("site/notes.txt")).unwrap();
        fs::write(out.staging("other").unwrap().join("half"), b"half").unwrap();
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
