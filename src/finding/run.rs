//! What a run says of itself. `run.json` is [`RunRecord`], serialised.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Program, RefusedScene, Verdict};
use crate::number::round;

/// Version of the form of run.json: raised when a field changes its meaning or goes.
pub const RUN_VERSION: &str = "1.0";

/// A run: what became of each site, and where the time went. Unlike a report it knows the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// When it ended.
    pub finished: Timestamp,
    /// What ran.
    pub program: Program,
    /// Scenes that no site could use, and why.
    pub refused: Vec<RefusedScene>,
    /// Version of this form.
    pub run_version: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Sites, in the order of the declaration.
    pub sites: Vec<SiteOutcome>,
    /// Whether it was asked to stop before it was done.
    pub stopped: bool,
    /// Seconds of all threads; they add up to threads times those of the run. What is not named is `other`; `waiting` is when a thread did
    /// nothing: for another thread, for the disk, or because work was done by one alone.
    pub thread_seconds: BTreeMap<String, f64>,
    /// Worker threads.
    pub threads: usize,
}

/// What became of one site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteOutcome {
    /// The site's id.
    pub site: String,
    /// Its name.
    pub name: String,
    /// Its folder in the output.
    pub folder: String,
    /// Whether a report stands in its folder: that of an earlier run where this one failed.
    pub stands: bool,
    /// Whether the report of an earlier run with the same inputs stands.
    pub up_to_date: bool,
    /// Whether this run found something to review.
    pub needs_review: bool,
    /// Whether it found something to review that the report before it did not say.
    pub is_news: bool,
    /// Whether no comparison could be judged.
    pub unobserved: bool,
    /// Verdicts of the existing report, and how many there are of each.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// Observed fraction of the newest comparison.
    pub observed_fraction: Option<f64>,
    /// `[longitude, latitude]` of its middle.
    pub place: [f64; 2],
    /// What the report says, a sentence each; why there is none of this run.
    pub summary: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Whether it failed because the run was asked to stop.
    pub stopped: bool,
    /// Wall-clock seconds of each stage.
    pub seconds: StageSeconds,
}

/// Wall-clock seconds of each stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageSeconds(BTreeMap<String, f64>);

impl StageSeconds {
    /// Adds those of `other`.
    pub fn add(&mut self, other: &Self) {
        for (stage, seconds) in &other.0 {
            self.spend(stage, *seconds);
        }
    }

    /// Adds `seconds` to those of `stage`.
    pub fn spend(&mut self, stage: &str, seconds: f64) {
        let sum = self.0.entry(stage.to_owned()).or_insert(0.0);
        *sum = round(*sum + seconds, 4);
    }
}
