//! SHA-256 of files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// SHA-256 of the bytes of the file at `path` in lower-case hexadecimal, and its size.
///
/// # Errors
/// A file that cannot be read.
pub fn file(path: &Path) -> io::Result<(String, u64)> {
    let mut reader = File::open(path)?;
    let mut hasher = Sha256::new();
    let (mut buffer, mut size) = (vec![0; 1 << 20], 0);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok((hex(&hasher.finalize()), size)),
            n => {
                hasher.update(&buffer[..n]);
                size += n as u64;
            }
        }
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub fn bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
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
        assert_eq!(file(&path).unwrap(), (expected.to_owned(), 3));
    }
}
