//! Files that GDAL writes by this program's own calls, so that the first one that fails is kept: GDAL 3.6 ends some writes, and every
//! closing, without a word of failure.

use std::collections::BTreeMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::slice;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gdal_sys::vsi_l_offset;

/// What GDAL's name of a file begins with, for it to be written so.
const PREFIX: &CStr = c"/vsisitewatch/";

/// The first failure of each file, by its path, until it is asked for.
static FAILED: Mutex<BTreeMap<PathBuf, io::Error>> = Mutex::new(BTreeMap::new());

/// A file in GDAL's hands.
struct Held {
    file: File,
    path: PathBuf,
    /// Whether the last reading met the end.
    is_at_end: bool,
}

/// Registers the prefix with GDAL; once, before the first file.
pub fn register() {
    // SAFETY: the structure is GDAL's own, alive between the two calls, and copied by the installation; the prefix lives for ever, and the
    // functions have the types that the bindings for this GDAL declare.
    unsafe {
        let calls = gdal_sys::VSIAllocFilesystemPluginCallbacksStruct();
        if let Some(calls) = calls.as_mut() {
            calls.open = Some(open);
            calls.tell = Some(tell);
            calls.seek = Some(seek);
            calls.read = Some(read);
            calls.eof = Some(eof);
            calls.write = Some(write);
            calls.truncate = Some(truncate);
            calls.close = Some(close);
            // Where it failed no such file can be opened, which tells.
            gdal_sys::VSIInstallPluginHandler(PREFIX.as_ptr(), calls);
        }
        gdal_sys::VSIFreeFilesystemPluginCallbacksStruct(calls);
    }
}

/// The name by which GDAL writes the file at `path`.
pub fn name(path: &Path) -> PathBuf {
    let mut name = PREFIX.to_string_lossy().into_owned().into_bytes();
    name.extend_from_slice(path.as_os_str().as_bytes());
    PathBuf::from(OsStr::from_bytes(&name))
}

/// The first call on the file at `path` that failed since this was asked last.
pub fn failure(path: &Path) -> Option<io::Error> {
    failed().remove(path)
}

/// Brings the file at `path`, which GDAL has closed, to the disk.
///
/// # Errors
/// That of [`failure`]; the file cannot be brought to the disk.
pub fn settle(path: &Path) -> io::Result<()> {
    failure(path).map_or_else(|| File::open(path)?.sync_all(), Err)
}

fn failed() -> MutexGuard<'static, BTreeMap<PathBuf, io::Error>> {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep(path: &Path, error: io::Error) {
    failed().entry(path.to_owned()).or_insert(error);
}

impl Held {
    /// What `call` gave; `otherwise` where it failed, which is kept.
    fn tried<T>(&mut self, otherwise: T, call: impl FnOnce(&mut File) -> io::Result<T>) -> T {
        call(&mut self.file).unwrap_or_else(|error| {
            keep(&self.path, error);
            otherwise
        })
    }
}

/// # Safety
/// `file` came from [`open`], was not closed, and no other thread uses it: GDAL's contract for a file.
unsafe fn held<'a>(file: *mut c_void) -> &'a mut Held {
    unsafe { &mut *file.cast() }
}

unsafe extern "C" fn open(_: *mut c_void, name: *const c_char, access: *const c_char) -> *mut c_void {
    // SAFETY: GDAL gives two texts that end with a zero; both are copied.
    let (path, access) = unsafe { (CStr::from_ptr(name), CStr::from_ptr(access)) };
    let path = PathBuf::from(OsStr::from_bytes(path.to_bytes()));
    let access = access.to_bytes();
    let is_new = access.starts_with(b"w");
    let opened = File::options()
        .read(true)
        .write(is_new || access.contains(&b'+'))
        .create(is_new)
        .truncate(is_new)
        .open(&path);
    match opened {
        Ok(file) => Box::into_raw(Box::new(Held {
            file,
            path,
            is_at_end: false,
        }))
        .cast(),
        Err(error) => {
            // To look whether something is there is no failure.
            if is_new || error.kind() != ErrorKind::NotFound {
                keep(&path, error);
            }
            null_mut()
        }
    }
}

unsafe extern "C" fn tell(file: *mut c_void) -> vsi_l_offset {
    // SAFETY: as `held` asks.
    unsafe { held(file) }.tried(0, File::stream_position)
}

unsafe extern "C" fn seek(file: *mut c_void, offset: vsi_l_offset, whence: c_int) -> c_int {
    // SAFETY: as `held` asks.
    let held = unsafe { held(file) };
    held.is_at_end = false;
    // An offset back from the end or the place comes as its two's complement.
    let to = match whence {
        0 => SeekFrom::Start(offset),
        1 => SeekFrom::Current(offset.cast_signed()),
        _ => SeekFrom::End(offset.cast_signed()),
    };
    held.tried(-1, |file| file.seek(to).map(|_| 0))
}

unsafe extern "C" fn read(file: *mut c_void, buffer: *mut c_void, size: usize, count: usize) -> usize {
    let wanted = size.saturating_mul(count);
    if wanted == 0 {
        return 0;
    }
    // SAFETY: as `held` asks; GDAL owns that many bytes at `buffer`, which it may not have set: zeros make them a slice of bytes.
    let (held, buffer) = unsafe {
        buffer.cast::<u8>().write_bytes(0, wanted);
        (held(file), slice::from_raw_parts_mut(buffer.cast::<u8>(), wanted))
    };
    let found = held.tried(0, |file| {
        let mut found = 0;
        while found < wanted {
            match file.read(&mut buffer[found..]) {
                Ok(0) => break,
                Ok(more) => found += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    });
    held.is_at_end = found < wanted;
    found / size
}

unsafe extern "C" fn eof(file: *mut c_void) -> c_int {
    // SAFETY: as `held` asks.
    c_int::from(unsafe { held(file) }.is_at_end)
}

unsafe extern "C" fn write(file: *mut c_void, buffer: *const c_void, size: usize, count: usize) -> usize {
    let given = size.saturating_mul(count);
    if given == 0 {
        return 0;
    }
    // SAFETY: as `held` asks; GDAL has set that many bytes at `buffer`.
    let (held, bytes) = unsafe { (held(file), slice::from_raw_parts(buffer.cast::<u8>(), given)) };
    held.tried(0, |file| file.write_all(bytes).map(|()| count))
}

unsafe extern "C" fn truncate(file: *mut c_void, size: vsi_l_offset) -> c_int {
    // SAFETY: as `held` asks.
    unsafe { held(file) }.tried(-1, |file| file.set_len(size).map(|()| 0))
}

unsafe extern "C" fn close(file: *mut c_void) -> c_int {
    // SAFETY: the pointer came from `open`, and GDAL does not use it again.
    drop(unsafe { Box::from_raw(file.cast::<Held>()) });
    0
}

#[cfg(test)]
mod tests {
    use gdal::DriverManager;

    use super::*;
    use crate::io::prepare;

    fn raster(path: &Path) -> gdal::errors::Result<()> {
        let driver = DriverManager::get_driver_by_name("GTiff")?;
        let dataset = driver.create_with_band_type::<u8, _>(name(path), 300, 200, 1)?;
        dataset.rasterband(1)?.fill(7.0, None)?;
        dataset.close()
    }

    #[test]
    fn a_file_is_written_as_gdal_would_by_itself() {
        prepare();
        let folder = tempfile::tempdir().unwrap();
        let [ours, own] = ["ours.tif", "own.tif"].map(|name| folder.path().join(name));
        raster(&ours).unwrap();
        settle(&ours).unwrap();
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let dataset = driver.create_with_band_type::<u8, _>(&own, 300, 200, 1).unwrap();
        dataset.rasterband(1).unwrap().fill(7.0, None).unwrap();
        dataset.close().unwrap();
        assert_eq!(std::fs::read(&ours).unwrap(), std::fs::read(&own).unwrap());
    }

    #[test]
    fn the_first_failure_is_kept_until_it_is_asked_for() {
        prepare();
        let nowhere = Path::new("/dev/full");
        let _ = raster(nowhere);
        let error = settle(nowhere).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        assert!(failed().get(nowhere).is_none());
        let missing = Path::new("/no/such/folder/a.tif");
        assert!(raster(missing).is_err());
        assert_eq!(settle(missing).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
