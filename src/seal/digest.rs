//! SHA-256 of files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// What bytes are told by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Their SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// How many they are.
    pub bytes: u64,
}

impl Digest {
    /// That of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: self::bytes(bytes),
            bytes: bytes.len() as u64,
        }
    }
}

/// The digest of the file at `path`.
///
/// # Errors
/// A file that cannot be read.
pub fn file(path: &Path) -> io::Result<Digest> {
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    pieces(path, |piece| {
        hasher.update(piece);
        bytes += piece.len() as u64;
    })?;
    Ok(Digest {
        sha256: hex(&hasher.finalize()),
        bytes,
    })
}

/// Gives the bytes of the file at `path` to `take`, piece by piece.
pub(super) fn pieces(path: &Path, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut reader = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => take(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub fn bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_fips_180() {
        // The one-block example of FIPS 180-4: "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(bytes(b"abc"), expected);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, b"abc").unwrap();
        assert_eq!(file(&path).unwrap(), Digest::of(b"abc"));
    }
}
