//! What is stated of input files, by their catalogue or by a `SHA256SUMS` beside them, held against what they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::intake;
use crate::scene::{Checksum, Scene};
use crate::seal::digest::Digest;
use crate::seal::multihash::{Function, Multihash};
use crate::seal::sums;

/// The largest `SHA256SUMS` that is read, bytes.
const MAX_BYTES: u64 = 64 << 20;

/// What is stated of files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stated {
    /// By items, of rasters.
    items: BTreeMap<PathBuf, Vec<Checksum>>,
    /// By a file in a folder, of the files there; or why that file says nothing.
    folders: BTreeMap<PathBuf, Result<BTreeMap<String, String>, String>>,
}

impl Stated {
    /// What is stated of the files of `scenes` and of `texts`, to which the files that state it are added.
    pub fn of(scenes: &[Scene], texts: &mut BTreeMap<PathBuf, Digest>) -> Self {
        let mut stated = Self::default();
        for scene in scenes {
            let bands = scene.bands.iter().map(|band| (&band.path, &band.stated));
            let quality = scene.quality.iter().map(|quality| (&quality.path, &quality.stated));
            for (path, checksum) in bands.chain(quality) {
                let known = stated.items.entry(path.clone()).or_default();
                known.extend(
                    checksum
                        .iter()
                        .filter(|one| !known.contains(one))
                        .cloned()
                        .collect::<Vec<_>>(),
                );
            }
        }
        let folders = stated.items.keys().chain(texts.keys()).filter_map(|path| path.parent());
        let mut folders: Vec<PathBuf> = folders.map(Path::to_owned).collect();
        folders.sort();
        folders.dedup();
        for folder in folders {
            let path = folder.join(sums::NAME);
            if std::fs::symlink_metadata(&path).is_ok() {
                let read = intake::text(&path, MAX_BYTES).map_err(|error| error.to_string());
                let read = read.and_then(|read| {
                    texts.insert(path.clone(), read.digest);
                    sums::read(&read.text).map_err(|fault| format!("{}: {fault}", path.display()))
                });
                stated.folders.insert(folder, read);
            }
        }
        stated
    }

    /// That a file is what is stated of it.
    ///
    /// # Errors
    /// What differs, with both values.
    pub fn check(&self, path: &Path, digest: &Digest) -> Result<(), String> {
        let fails = |who: &str, what: String| {
            Err(format!(
                "{}: {who} states {what}; the file is damaged or another, fetch it again",
                path.display()
            ))
        };
        for stated in self.items.get(path).into_iter().flatten() {
            if let Some(bytes) = stated.bytes.filter(|bytes| *bytes != digest.bytes) {
                return fails("its item", format!("{bytes} bytes, found {}", digest.bytes));
            }
            let Some(Multihash { function, digits }) = &stated.hash else {
                continue;
            };
            let found = match function {
                Function::Sha256 => digest.sha256.clone(),
                // Seldom: the file is read once more.
                other => other
                    .of_file(path)
                    .map_err(|error| format!("reading {}: {error}", path.display()))?,
            };
            if found != *digits {
                return fails("its item", format!("the {function} {digits}, found {found}"));
            }
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(());
        };
        match self.folders.get(folder) {
            None => Ok(()),
            Some(Err(reason)) if name != sums::NAME => Err(reason.clone()),
            Some(Err(_)) => Ok(()),
            Some(Ok(known)) => match known.get(&*name.to_string_lossy()) {
                Some(sha256) if *sha256 != digest.sha256 => {
                    fails(sums::NAME, format!("the SHA-256 {sha256}, found {}", digest.sha256))
                }
                _ => Ok(()),
            },
        }
    }

    /// The files that state something of files beside `paths`.
    pub fn sources(&self, paths: &[PathBuf]) -> Vec<PathBuf> {
        let mut folders: Vec<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
        folders.sort();
        folders.dedup();
        folders.retain(|folder| self.folders.contains_key(*folder));
        folders.into_iter().map(|folder| folder.join(sums::NAME)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_what_is_stated_is_told_with_both_values() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("x.tif"), folder.path().join("y.tif"));
        let (right, wrong) = (Digest::of(b"right"), Digest::of(b"wrong"));
        std::fs::write(folder.path().join("SHA256SUMS"), format!("{}  x.tif\n", right.sha256)).unwrap();
        let mut texts = BTreeMap::from([(other.clone(), right.clone())]);
        let stated = Stated::of(&[], &mut texts);
        assert!(texts.contains_key(&folder.path().join("SHA256SUMS")));
        assert_eq!(
            stated.sources(&[path.clone(), other.clone()]),
            [folder.path().join("SHA256SUMS")]
        );
        assert!(stated.check(&path, &right).is_ok() && stated.check(&other, &wrong).is_ok());
        let told = stated.check(&path, &wrong).unwrap_err();
        assert!(
            told.contains(&right.sha256) && told.contains(&wrong.sha256) && told.contains("x.tif"),
            "{told}"
        );
        std::fs::write(folder.path().join("SHA256SUMS"), "nonsense\n").unwrap();
        let stated = Stated::of(&[], &mut texts);
        assert!(stated.check(&path, &right).unwrap_err().contains("line 1"));
    }

    #[test]
    fn items_state_size_and_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.tif");
        std::fs::write(&path, "right").unwrap();
        let right = Digest::of(b"right");
        let check = |bytes, hash: &str| {
            let hash = Some(Multihash::read(hash).unwrap());
            let stated = Stated {
                items: BTreeMap::from([(path.clone(), vec![Checksum { bytes, hash }])]),
                ..Stated::default()
            };
            stated.check(&path, &right)
        };
        let sha256 = |bytes: &[u8]| format!("1220{}", Digest::of(bytes).sha256);
        assert_eq!(check(Some(5), &sha256(b"right")), Ok(()));
        let size = check(Some(6), &sha256(b"right")).unwrap_err();
        assert!(size.contains("6 bytes, found 5"), "{size}");
        let other = check(None, &sha256(b"")).unwrap_err();
        assert!(other.contains("its item states the SHA-256"), "{other}");
        // MD5 of the text, by md5sum.
        assert_eq!(check(None, "d501107c4f29407893c334a6cb7a87bf045c0d"), Ok(()));
        let other = check(None, "d501107c4f29407893c334a6cb7a87bf045c0e").unwrap_err();
        assert!(other.contains("its item states the MD5"), "{other}");
    }
}
