//! What a run says of itself: index.html, run.json, and what it leaves for the next run.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;

use super::error::RunError;
use super::outcome::Outcome;
use crate::engine::events::{Event, Observer};
use crate::engine::record::program;
use crate::finding::{RUN_VERSION, RefusedScene, RunRecord, SiteOutcome};
use crate::io::meter::{Meter, Work};
use crate::number::round;
use crate::output::existing::LastRun;
use crate::output::publish::{LAST_RUN, OutFolder, is_no_other};
use crate::report::{IndexRow, index_html};

/// The page of a run.
const INDEX: &str = "index.html";
/// The log of a run.
const RECORD: &str = "run.json";

/// What the last run left word of in `out`; what is no longer as it left it is told.
///
/// # Errors
/// Something stands where page and log go that is none of a run.
pub fn last_run(out: &OutFolder, observer: &dyn Observer) -> Result<LastRun, RunError> {
    for name in [INDEX, RECORD] {
        is_no_other(&out.path().join(name))?;
    }
    let left = LastRun::read(out);
    let unread = left.is_none().then_some(LAST_RUN);
    let last_run = left.unwrap_or_default();
    let spoiled = [INDEX, RECORD]
        .into_iter()
        .filter(|name| last_run.is_spoiled(out, name));
    for name in spoiled.chain(unread) {
        observer.see(&Event::Spoiled {
            path: &out.path().join(name).display().to_string(),
            why: "it is not what the last run left",
        });
    }
    Ok(last_run)
}

/// Where the time of a run goes.
pub struct Clock<'a> {
    /// When it began.
    pub begun: Instant,
    /// What its threads did.
    pub meter: &'a Meter,
    /// Worker threads.
    pub threads: usize,
}

impl Clock<'_> {
    /// The record of a run that has come to `outcome` just now.
    fn record(&self, outcome: &Outcome) -> RunRecord {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let used = used.tv_sec as f64 + 1e-9 * used.tv_nsec as f64;
        let seconds = self.begun.elapsed().as_secs_f64();
        let each = Work::ALL
            .iter()
            .map(|(work, word)| ((*word).to_owned(), self.meter.seconds(*work)));
        let mut spent: BTreeMap<String, f64> = each.collect();
        let named: f64 = spent.values().sum();
        let waiting = self.threads as f64 * seconds - used.max(named);
        spent.insert("other".into(), (used - named).max(0.0));
        spent.insert("waiting".into(), waiting.max(0.0));
        spent.values_mut().for_each(|seconds| *seconds = round(*seconds, 3));
        RunRecord {
            finished: Timestamp::now(),
            program: program(),
            refused: outcome.refused.clone(),
            run_version: RUN_VERSION.into(),
            seconds: round(seconds, 3),
            sites: outcome.sites.clone(),
            stopped: outcome.stopped,
            thread_seconds: spent,
            threads: self.threads,
        }
    }
}

/// Writes index and record of a run that came to `outcome` into `out`, and what the next run will find in place of what `last` left.
///
/// # Errors
/// A page that cannot be rendered, a file that cannot be written.
pub fn publish(out: &OutFolder, last: LastRun, outcome: &Outcome, clock: &Clock<'_>) -> Result<(), RunError> {
    let mut last_run = last;
    let rows: Vec<IndexRow> = outcome.sites.iter().map(SiteOutcome::row).collect();
    let unreadable: Vec<&RefusedScene> = outcome.unreadable().collect();
    // What stands decides what the index says, whether or not this run changed it.
    last_run.write(out, INDEX, index_html(&rows, &unreadable)?.as_bytes())?;
    let record = serde_json::json!(clock.record(outcome));
    last_run.write(out, RECORD, format!("{record:#}\n").as_bytes())?;
    let sites = outcome.sites.iter();
    last_run.note(out, sites.map(|site| (site.folder.as_str(), site.error.is_none())));
    last_run.leave(out)?;
    Ok(())
}
