//! The log of a run as JSON lines on standard error: each has `time` (RFC 3339, UTC), `level`, `run` (the same in all lines of a run) and
//! `event`. The last is `run_done`, with the exit code and what became of sites and scenes, also of a run that never began.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::finding::SiteOutcome;
use crate::number::round;
use crate::run::outcome::Outcome;

/// The log of this run, once it is asked for.
static LOG: Mutex<Option<Log>> = Mutex::new(None);

struct Log {
    run: String,
    begun: Instant,
    counts: Value,
}

/// How much a line matters.
#[derive(Clone, Copy)]
pub enum Level {
    Error,
    Warn,
    Info,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

/// From here on all that is told beside results is JSON.
pub fn begin() {
    let run = format!(
        "{}-{}",
        Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ"),
        std::process::id()
    );
    *log() = Some(Log {
        run,
        begun: Instant::now(),
        counts: counts(&[], 0, 0),
    });
}

/// `event`, an object, as a line; `None` where no JSON is asked for.
pub fn line(level: Level, mut event: Value) -> Option<Value> {
    let log = log();
    let Log { run, begun, .. } = log.as_ref()?;
    event["time"] = json!(format!("{:.3}", Timestamp::now()));
    event["level"] = json!(level.word());
    event["run"] = json!(run);
    event["seconds"] = json!(round(begun.elapsed().as_secs_f64(), 3));
    Some(event)
}

/// `text`, which the program would tell as it is, as a line; `None` where no JSON is asked for.
pub fn message(text: &str) -> Option<Value> {
    let levels = [("error: ", Level::Error), ("warning: ", Level::Warn)];
    let stated = levels
        .iter()
        .find_map(|(word, level)| Some((*level, text.strip_prefix(word)?)));
    let (level, text) = stated.unwrap_or((Level::Info, text));
    line(level, json!({"event": "message", "message": text}))
}

/// Keeps what became of the run for its last line.
pub fn count(outcome: &Outcome) {
    if let Some(log) = log().as_mut() {
        log.counts = counts(&outcome.sites, outcome.refused.len(), outcome.unreadable().count());
    }
}

/// The last line, of a run that ends with the exit code `code`; `None` where no JSON is asked for.
pub fn end(code: u8) -> Option<Value> {
    let mut event = log().as_ref()?.counts.clone();
    event["event"] = json!("run_done");
    event["exit_code"] = json!(code);
    let level = match code {
        0 | 1 => Level::Info,
        2 | 4 => Level::Error,
        _ => Level::Warn,
    };
    line(level, event)
}

fn counts(sites: &[SiteOutcome], refused: usize, unreadable: usize) -> Value {
    let count = |is: fn(&SiteOutcome) -> bool| sites.iter().filter(|site| is(site)).count();
    json!({
        "sites": sites.len(),
        "sites_up_to_date": count(|site| site.up_to_date),
        "sites_to_review": count(|site| site.needs_review),
        "sites_with_news": count(|site| site.is_news),
        "sites_unobserved": count(|site| site.unobserved),
        "sites_failed": count(|site| site.error.is_some()),
        "scenes_refused": refused,
        "scenes_unreadable": unreadable,
    })
}

fn log() -> MutexGuard<'static, Option<Log>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}
