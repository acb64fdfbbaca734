//! Dates of the ground around small sites, read so that damage costs no more than what is damaged.
//!
//! Small sites of a district are fitted together. One file that is damaged somewhere in the district must not keep those from being judged whose
//! own ground can be read: what cannot be read there counts as no data, and is told.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use ndarray::Array2;

use crate::geo::Rect;
use crate::raster::{PixelSource, Plane, ReadError, Stack, flags};

/// What could not be read, by file.
#[derive(Default)]
pub struct Lost(Mutex<BTreeMap<String, String>>);

impl Lost {
    /// A sentence for each file, in the order of their names.
    pub fn notes(self) -> Vec<String> {
        let files = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let note = |(path, message)| {
            format!(
                "what is fitted to the ground around the site goes without a part of {path} that cannot be read ({message})"
            )
        };
        files.into_iter().map(note).collect()
    }

    fn add(&self, error: ReadError) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of several places the same one is told, whichever thread comes first.
        let told = files.entry(error.path).or_insert_with(|| error.message.clone());
        if error.message < *told {
            *told = error.message;
        }
    }
}

/// A date of `bands` bands.
pub struct Spared<'a> {
    source: &'a dyn PixelSource,
    bands: usize,
    lost: Option<&'a Lost>,
}

impl<'a> Spared<'a> {
    /// The date that `source` reads, of `bands` bands; what it cannot read enters `lost`, and is an error without it.
    pub fn of(source: &'a dyn PixelSource, bands: usize, lost: Option<&'a Lost>) -> Self {
        Self { source, bands, lost }
    }
}

impl PixelSource for Spared<'_> {
    fn read_around(&self, rect: &Rect, around: &Rect) -> Result<Stack, ReadError> {
        let read = || self.source.read_around(rect, around);
        let Some(lost) = self.lost else {
            return read();
        };
        // What the system refused once is there the next time; damage stays.
        read().or_else(|_| read()).or_else(|error| {
            lost.add(error);
            Ok(Stack {
                rect: *rect,
                bands: vec![Array2::from_elem((rect.h, rect.w), f32::NAN); self.bands],
                quality: Plane::filled(*around, flags::CLEAR),
                flags: Plane::filled(*rect, flags::NODATA),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Fails so many times at first.
    struct Failing(AtomicUsize);

    impl PixelSource for Failing {
        fn read_around(&self, rect: &Rect, around: &Rect) -> Result<Stack, ReadError> {
            let left = self.0.load(Ordering::Relaxed);
            if left == 0 {
                return Ok(Stack {
                    bands: vec![Array2::zeros((rect.h, rect.w)); 2],
                    quality: Plane::filled(*around, flags::CLEAR),
                    flags: Plane::filled(*rect, flags::CLEAR),
                    rect: *rect,
                });
            }
            self.0.store(left - 1, Ordering::Relaxed);
            Err(ReadError {
                path: "a.tif".into(),
                message: format!("failure {left}"),
            })
        }
    }

    fn read(failures: usize) -> (Stack, Vec<String>) {
        let (source, lost) = (Failing(AtomicUsize::new(failures)), Lost::default());
        let spared = Spared::of(&source, 2, Some(&lost));
        let stack = spared.read(&Rect::new(0, 0, 3, 2)).unwrap();
        (stack, lost.notes())
    }

    #[test]
    fn damage_is_no_data_and_a_passing_failure_is_none() {
        for failures in [0, 1] {
            let (stack, notes) = read(failures);
            assert!(stack.flags.values().iter().all(|flag| *flag == flags::CLEAR) && notes.is_empty());
        }
        let (stack, notes) = read(2);
        assert!(stack.flags.values().iter().all(|flag| *flag == flags::NODATA));
        assert!(stack.bands.len() == 2 && stack.bands[1].iter().all(|value| value.is_nan()));
        assert!(
            notes.len() == 1 && notes[0].contains("a.tif") && notes[0].contains("failure 1"),
            "{notes:?}"
        );
    }
}
