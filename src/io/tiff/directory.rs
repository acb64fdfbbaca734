//! The directories of a TIFF (TIFF 6.0, section 2; BigTIFF): tags and their numbers.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// How a TIFF begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub is_big_endian: bool,
    is_big: bool,
    /// Where the first directory lies.
    pub first: u64,
}

impl Head {
    /// The first bytes of `file`; `None` where they are not those of a TIFF.
    pub fn read(file: &File) -> Result<Option<Self>, String> {
        let mut head = [0; 8];
        file.read_exact_at(&mut head, 0).map_err(unreadable)?;
        let is_big_endian = head[0] == b'M';
        let is_big = match whole(&head[2..4], is_big_endian) {
            42 => false,
            43 => true,
            _ => return Ok(None),
        };
        if !matches!(&head[..2], b"II" | b"MM") {
            return Ok(None);
        }
        let mut first = head;
        if is_big {
            file.read_exact_at(&mut first, 8).map_err(unreadable)?;
        }
        let first = whole(if is_big { &first } else { &head[4..] }, is_big_endian);
        Ok(Some(Self {
            is_big_endian,
            is_big,
            first,
        }))
    }
}

/// A directory of a TIFF: its tags.
pub(super) struct Directory {
    head: Head,
    at: u64,
    entries: Vec<u8>,
    /// Where the next one lies; 0 where it is the last.
    pub next: u64,
}

impl Directory {
    /// The directory at `offset` of `file`, which begins with `head`.
    ///
    /// # Errors
    /// It cannot be read, in words.
    pub fn read(file: &File, head: Head, offset: u64) -> Result<Self, String> {
        let number = |bytes: &[u8]| whole(bytes, head.is_big_endian);
        let (count_bytes, value_bytes) = if head.is_big { (8, 8) } else { (2, 4) };
        let mut count = [0; 8];
        let count = &mut count[..count_bytes];
        file.read_exact_at(count, offset).map_err(unreadable)?;
        let entry_bytes = 4 + 2 * value_bytes;
        let mut entries = vec![0; number(count).min(4096) as usize * entry_bytes];
        let at = offset.saturating_add(count_bytes as u64);
        file.read_exact_at(&mut entries, at).map_err(unreadable)?;
        let mut next = [0; 8];
        let next = &mut next[..value_bytes];
        let behind = at.saturating_add(entries.len() as u64);
        // Some files end with the last tag.
        let is_there = file.read_exact_at(next, behind).is_ok();
        Ok(Self {
            head,
            at,
            entries,
            next: if is_there { number(next) } else { 0 },
        })
    }

    /// Each tag: its number, its type, how many values it has, and where they or their place stand.
    fn tags(&self) -> impl Iterator<Item = (u64, u64, u64, usize)> {
        let value_bytes = if self.head.is_big { 8 } else { 4 };
        let number = |bytes: &[u8]| whole(bytes, self.head.is_big_endian);
        let entry_bytes = 4 + 2 * value_bytes;
        self.entries
            .chunks_exact(entry_bytes)
            .enumerate()
            .map(move |(i, entry)| {
                (
                    number(&entry[..2]),
                    number(&entry[2..4]),
                    number(&entry[4..4 + value_bytes]),
                    i * entry_bytes + 4 + value_bytes,
                )
            })
    }

    /// The values of the first tag `wanted`.
    ///
    /// # Errors
    /// They are of a type that holds no whole numbers.
    pub fn find(&self, wanted: u64) -> Result<Option<List>, String> {
        let Some((_, kind, count, value)) = self.tags().find(|(tag, ..)| *tag == wanted) else {
            return Ok(None);
        };
        let bytes = match kind {
            1 => 1,
            3 => 2,
            4 => 4,
            16 => 8,
            _ => return Err(format!("its tag {wanted} holds values of type {kind}")),
        };
        let value_bytes = if self.head.is_big { 8 } else { 4 };
        let at = match count.saturating_mul(bytes as u64) <= value_bytes as u64 {
            true => self.at.saturating_add(value as u64),
            false => whole(&self.entries[value..value + value_bytes], self.head.is_big_endian),
        };
        Ok(Some(List { at, count, bytes }))
    }

    /// The first value of the first tag `wanted`.
    pub fn first(&self, wanted: u64, file: &File) -> Option<u64> {
        self.find(wanted).ok()??.get(file, 0, self.head.is_big_endian).ok()
    }

    /// Bytes of all tags but those that say where blocks lie.
    pub fn tag_bytes(&self) -> u64 {
        let others = self.tags().filter(|(tag, ..)| ![273, 279, 324, 325].contains(tag));
        let bytes = others.map(|(_, kind, count, _)| {
            count.saturating_mul(match kind {
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 | 16 | 17 | 18 => 8,
                _ => 1,
            })
        });
        bytes.fold(0, u64::saturating_add)
    }
}

/// Numbers of a tag, read when they are needed: there may be millions.
#[derive(Debug, Clone, Copy)]
pub(in crate::io) struct List {
    /// Where the first begins.
    pub at: u64,
    pub count: u64,
    /// Bytes of each.
    pub bytes: usize,
}

impl List {
    /// The number at `index`, from 0.
    ///
    /// # Errors
    /// There is none, or it cannot be read, in words.
    pub fn get(&self, file: &File, index: u64, is_big_endian: bool) -> Result<u64, String> {
        if index >= self.count {
            return Err(format!(
                "the directory lists {} values where it needs {}",
                self.count,
                index + 1
            ));
        }
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..self.bytes];
        let at = self.at.saturating_add(index * self.bytes as u64);
        file.read_exact_at(bytes, at)
            .map_err(|error| format!("the directory's list at {at} cannot be read ({error})"))?;
        Ok(whole(bytes, is_big_endian))
    }

    /// All numbers, as many as `most_bytes` hold.
    ///
    /// # Errors
    /// They cannot be read, in words.
    pub fn all(&self, file: &File, most_bytes: usize, is_big_endian: bool) -> Result<Vec<u64>, String> {
        let bytes = self.count.saturating_mul(self.bytes as u64);
        let mut all = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX).min(most_bytes)];
        file.read_exact_at(&mut all, self.at).map_err(unreadable)?;
        let numbers = all.chunks_exact(self.bytes);
        Ok(numbers.map(|bytes| whole(bytes, is_big_endian)).collect())
    }
}

fn unreadable(error: std::io::Error) -> String {
    format!("its directory cannot be read ({error})")
}

/// The whole number that `bytes`, at most eight, hold.
fn whole(bytes: &[u8], is_big_endian: bool) -> u64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    match is_big_endian {
        true => bytes.iter().fold(0, add),
        false => bytes.iter().rev().fold(0, add),
    }
}
