//! Where the time went: seconds per stage, for run.json. Times never enter a report.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Wall-clock seconds per stage of one site.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Timers(BTreeMap<&'static str, f64>);

impl Timers {
    /// Adds those of `other`.
    pub fn add(&mut self, other: &Self) {
        for (stage, seconds) in &other.0 {
            self.spend(stage, *seconds);
        }
    }

    fn spend(&mut self, stage: &'static str, seconds: f64) {
        let sum = self.0.entry(stage).or_insert(0.0);
        *sum = crate::number::round(*sum + seconds, 4);
    }
}

/// Takes the time of stages.
#[derive(Debug, Default)]
pub struct Stopwatch(Mutex<Timers>);

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
    pub fn read(self) -> Timers {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
