//! What a run says of itself: index.html, run.json, and what it leaves for the next run.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use super::error::RunError;
use super::outcome::{Outcome, SiteOutcome};
use crate::engine::events::{Event, Observer};
use crate::engine::record::program;
use crate::finding::{Program, RefusedScene};
use crate::io::meter::{Meter, Work};
use crate::number::round;
use crate::output::existing::Seen;
use crate::output::publish::{OutFolder, SEEN, is_no_other};
use crate::report::{IndexRow, index_html};

/// The page of a run.
const INDEX: &str = "index.html";
/// The log of a run.
const RECORD: &str = "run.json";

/// What the last run left word of in `out`; what is no longer as it left it is told.
///
/// # Errors
/// Something stands where page and log go that is none of a run.
pub fn last_run(out: &OutFolder, observer: &dyn Observer) -> Result<Seen, RunError> {
    for name in [INDEX, RECORD] {
        is_no_other(&out.path().join(name))?;
    }
    let left = Seen::read(out);
    let unread = left.is_none().then_some(SEEN);
    let seen = left.unwrap_or_default();
    let spoiled = [INDEX, RECORD].into_iter().filter(|name| seen.is_spoiled(out, name));
    for name in spoiled.chain(unread) {
        observer.see(&Event::Spoiled {
            path: &out.path().join(name).display().to_string(),
            why: "it is not what the last run left",
        });
    }
    Ok(seen)
}

/// Where the time of a run went.
#[derive(Debug, Serialize)]
pub struct RunTime {
    /// Wall-clock seconds.
    seconds: f64,
    /// Worker threads.
    threads: usize,
    /// Seconds of all threads; they add up to threads times those of the run. What is not named is `other`; `waiting` is when a thread did
    /// nothing: for another thread, for the disk, or because work was done by one alone.
    thread_seconds: BTreeMap<&'static str, f64>,
}

impl RunTime {
    /// That of the run that began at `begun`, as `meter` has measured it.
    pub fn of(meter: &Meter, begun: Instant, threads: usize) -> Self {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let used = used.tv_sec as f64 + 1e-9 * used.tv_nsec as f64;
        let each = Work::ALL.iter().map(|(work, word)| (*word, meter.seconds(*work)));
        let mut spent: BTreeMap<_, _> = each.collect();
        let named: f64 = spent.values().sum();
        spent.insert("other", (used - named).max(0.0));
        let waiting = threads as f64 * begun.elapsed().as_secs_f64() - used.max(named);
        spent.insert("waiting", waiting.max(0.0));
        spent.values_mut().for_each(|seconds| *seconds = round(*seconds, 3));
        Self {
            seconds: round(begun.elapsed().as_secs_f64(), 3),
            threads,
            thread_seconds: spent,
        }
    }
}

/// run.json.
#[derive(Serialize)]
struct RunRecord<'a> {
    finished: String,
    program: Program,
    refused: &'a [RefusedScene],
    sites: &'a [SiteOutcome],
    stopped: bool,
    #[serde(flatten)]
    time: RunTime,
}

/// Writes index and record of a run that came to `outcome` into `out`, and what the next run will find in place of what `last` left.
///
/// # Errors
/// A page that cannot be rendered, a file that cannot be written.
pub fn publish(out: &OutFolder, last: Seen, outcome: &Outcome, time: RunTime) -> Result<(), RunError> {
    let mut seen = last;
    let rows: Vec<IndexRow> = outcome.sites.iter().map(SiteOutcome::row).collect();
    let unreadable: Vec<&RefusedScene> = outcome.unreadable().collect();
    // What stands decides what the index says, whether or not this run changed it.
    seen.write(out, INDEX, index_html(&rows, &unreadable)?.as_bytes())?;
    let record = serde_json::json!(RunRecord {
        finished: jiff::Timestamp::now().to_string(),
        program: program(),
        refused: &outcome.refused,
        sites: &outcome.sites,
        stopped: outcome.stopped,
        time,
    });
    seen.write(out, RECORD, format!("{record:#}\n").as_bytes())?;
    let sites = outcome.sites.iter();
    seen.look(out, sites.map(|site| (site.folder.as_str(), site.error.is_none())));
    seen.leave(out)?;
    Ok(())
}
