//! Where threads spend their time: seconds of what is worth telling apart, summed over all threads of a run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Blocks of scenes are read and decoded.
    Decode,
    /// A scene is resampled onto the site grid.
    Warp,
    /// Detectors score a tile.
    Score,
    /// Rasters are written and encoded.
    Write,
}

impl Work {
    /// Every kind, with its word.
    pub const ALL: [(Self, &str); 4] = [
        (Self::Decode, "decode"),
        (Self::Warp, "warp"),
        (Self::Score, "score"),
        (Self::Write, "write"),
    ];
}

/// Nanoseconds of each kind of work.
#[derive(Debug, Default)]
pub struct Meter([AtomicU64; Work::ALL.len()]);

impl Meter {
    /// What `what` returns; its time is added to that of `work`.
    pub fn time<T>(&self, work: Work, what: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = what();
        let spent = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0[work as usize].fetch_add(spent, Ordering::Relaxed);
        result
    }

    /// Seconds of `work` so far.
    pub fn seconds(&self, work: Work) -> f64 {
        self.0[work as usize].load(Ordering::Relaxed) as f64 * 1e-9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_sum() {
        let meter = Meter::default();
        assert_eq!(
            meter.time(Work::Warp, || std::thread::sleep(std::time::Duration::from_millis(2))),
            ()
        );
        meter.time(Work::Warp, || ());
        assert!(meter.seconds(Work::Warp) >= 0.002);
        assert_eq!(meter.seconds(Work::Decode), 0.0);
        assert!(
            Work::ALL
                .iter()
                .enumerate()
                .all(|(index, (work, _))| *work as usize == index)
        );
    }
}
