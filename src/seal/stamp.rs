//! What tells that a file is still the one that was seen, without reading it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// Where a file lies, its size, and when it was last changed: whoever writes to it or puts another in its place changes the stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// When its bytes were changed, seconds and nanoseconds; a program may set it as it likes.
    modified: (i64, i64),
    /// When its bytes or what is known of it were changed, by the system's clock.
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of the file at `path`; a link is followed.
    ///
    /// # Errors
    /// There is no such file, or it may not be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|meta| Self::from(&meta))
    }

    /// The stamp of an open file.
    ///
    /// # Errors
    /// The system cannot tell.
    pub fn of_open(file: &File) -> io::Result<Self> {
        file.metadata().map(|meta| Self::from(&meta))
    }

    /// Whether the file was changed last before `time`.
    pub fn is_before(&self, time: SystemTime) -> bool {
        let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.changed < (time.as_secs() as i64, i64::from(time.subsec_nanos()))
    }
}

impl From<&Metadata> for Stamp {
    fn from(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            bytes: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn whatever_is_done_to_a_file_shows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let first = Stamp::of(&path).unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(Stamp::of_open(&File::open(&path).unwrap()).unwrap(), first);
        // Clocks of file systems are coarse.
        std::thread::sleep(Duration::from_millis(20));
        fs::write(&path, "two").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(modified).unwrap();
        assert_ne!(Stamp::of(&path).unwrap(), first, "the same size and the same time");
        let second = Stamp::of(&path).unwrap();
        fs::write(folder.path().join("b"), "two").unwrap();
        fs::rename(folder.path().join("b"), &path).unwrap();
        assert_ne!(Stamp::of(&path).unwrap(), second);
        assert!(modified <= SystemTime::now() && Stamp::of(&folder.path().join("b")).is_err());
    }
}
