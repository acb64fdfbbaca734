//! Where the time went: seconds per stage, for run.json. Times never enter a report.

use std::collections::BTreeMap;
use std::time::Instant;

/// Wall-clock seconds per stage of one site.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Timers(BTreeMap<&'static str, f64>);

impl Timers {
    /// Adds those of `other`.
    pub fn add(&mut self, other: &Self) {
        for (stage, seconds) in &other.0 {
            let sum = self.0.entry(stage).or_insert(0.0);
            *sum = crate::finding::round(*sum + seconds, 4);
        }
    }

    /// What `work` returns; its time is added to `stage`.
    pub fn time<T>(&mut self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = work();
        let seconds = begun.elapsed().as_secs_f64();
        let sum = self.0.entry(stage).or_insert(0.0);
        *sum = crate::finding::round(*sum + seconds, 4);
        result
    }
}
