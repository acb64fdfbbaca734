//! Where the time went: seconds per stage, for run.json. Times never enter a report.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::finding::StageSeconds;

/// Takes the time of stages.
#[derive(Debug, Default)]
pub struct Stopwatch(Mutex<StageSeconds>);

impl Stopwatch {
    /// What `work` returns; its time is added to `stage`.
    pub fn time<T>(&self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = work();
        let seconds = begun.elapsed().as_secs_f64();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .spend(stage, seconds);
        result
    }

    /// What was taken.
    pub fn read(self) -> StageSeconds {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
