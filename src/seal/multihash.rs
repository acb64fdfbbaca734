//! Hashes that say by which function they were made, as STAC's `file:checksum` has them (<https://multiformats.io/multihash/>).

use std::fmt::Display;
use std::io;
use std::path::Path;

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::digest::{hex, pieces};

/// A hash function that catalogues of imagery use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Function {
    /// MD5: finds damage, but not what was forged.
    Md5,
    /// SHA-1: finds damage, but not all that was forged.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// BLAKE3 of 32 bytes.
    Blake3,
}

/// Every function, what it is called, and what a multihash of it begins with: its code as a varint and its length in bytes, in hexadecimal
/// (the table of <https://github.com/multiformats/multicodec>).
const FUNCTIONS: [(Function, &str, &str); 6] = [
    (Function::Md5, "MD5", "d50110"),
    (Function::Sha1, "SHA-1", "1114"),
    (Function::Sha256, "SHA-256", "1220"),
    (Function::Sha384, "SHA-384", "2030"),
    (Function::Sha512, "SHA-512", "1340"),
    (Function::Blake3, "BLAKE3", "1e20"),
];

/// A hash and the function that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Multihash {
    /// Which function.
    pub function: Function,
    /// What it gave, in lower-case hexadecimal.
    pub digits: String,
}

impl Display for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = FUNCTIONS.iter().find(|(function, _, _)| function == self);
        f.write_str(named.map_or("", |(_, name, _)| name))
    }
}

impl Multihash {
    /// The hash that `text`, a multihash in hexadecimal, states.
    ///
    /// # Errors
    /// What was expected, where it is none, or one of a function that is not known here.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        let is_hexadecimal = text.len() >= 6 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_hexadecimal {
            return Err("expected a multihash in hexadecimal, such as 1220 and the 64 digits of a SHA-256".into());
        }
        let known = FUNCTIONS
            .iter()
            .find_map(|(function, name, head)| Some((*function, *name, *head, text.strip_prefix(head)?)));
        let Some((function, name, head, digits)) = known else {
            let known: Vec<String> = FUNCTIONS
                .iter()
                .map(|(_, name, head)| format!("{name} ({head}...)"))
                .collect();
            return Err(format!(
                "its hash function is not known here, so it cannot be verified: expected {}; state another, or none",
                known.join(", ")
            ));
        };
        // A length is a single byte in all of them: the last two digits.
        let expected = 2 * usize::from_str_radix(&head[head.len() - 2..], 16).unwrap_or_default();
        if digits.len() != expected {
            return Err(format!(
                "expected {expected} digits of {name} behind {head}, found {}",
                digits.len()
            ));
        }
        Ok(Self {
            function,
            digits: digits.into(),
        })
    }
}

impl Function {
    /// What it gives of the file at `path`, in lower-case hexadecimal.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of_file(self, path: &Path) -> io::Result<String> {
        match self {
            Self::Md5 => of_file::<Md5>(path),
            Self::Sha1 => of_file::<Sha1>(path),
            Self::Sha256 => of_file::<Sha256>(path),
            Self::Sha384 => of_file::<Sha384>(path),
            Self::Sha512 => of_file::<Sha512>(path),
            Self::Blake3 => {
                let mut hasher = blake3::Hasher::new();
                pieces(path, |piece| {
                    hasher.update(piece);
                })?;
                Ok(hasher.finalize().to_hex().to_string())
            }
        }
    }
}

fn of_file<D: Digest>(path: &Path) -> io::Result<String> {
    let mut hasher = D::new();
    pieces(path, |piece| hasher.update(piece))?;
    Ok(hex(&hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_give_the_hashes_of_their_standards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "abc").unwrap();
        // RFC 1321, FIPS 180-2, and the test vectors of BLAKE3's authors for its empty input.
        for (function, begins) in [
            (Function::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Function::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Function::Sha256, "ba7816bf8f01cfea"),
            (Function::Sha384, "cb00753f45a35e8b"),
            (Function::Sha512, "ddaf35a193617aba"),
        ] {
            assert!(function.of_file(&path).unwrap().starts_with(begins), "{function}");
        }
        std::fs::write(&path, "").unwrap();
        assert!(Function::Blake3.of_file(&path).unwrap().starts_with("af1349b9f5f9a1a6"));
    }

    #[test]
    fn what_a_multihash_states_is_read_and_others_are_refused_by_name() {
        for (function, name, head) in FUNCTIONS {
            let bytes = usize::from_str_radix(&head[head.len() - 2..], 16).unwrap();
            let digits = "0f".repeat(bytes);
            let read = Multihash::read(&format!("{head}{}", digits.to_uppercase())).unwrap();
            assert_eq!(read, Multihash { function, digits });
            assert_eq!(function.to_string(), name);
            let short = Multihash::read(&format!("{head}{}", "0".repeat(2 * bytes - 1))).unwrap_err();
            assert!(short.contains(name) && short.contains(head), "{short}");
        }
        for (text, told) in [
            ("", "expected a multihash"),
            ("1220é", "expected a multihash"),
            ("sha256:00", "expected a multihash"),
            ("162000000000", "not known"),
        ] {
            let error = Multihash::read(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
