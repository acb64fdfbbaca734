//! A run from end to end: [`run`] is the plot of the whole program.

mod error;
mod existing;
mod options;
pub mod outcome;
mod prepare;
pub mod provenance;
mod record;
mod report;
mod schedule;
pub mod sensitivity;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

pub use self::error::{RunError, SiteError};
use self::existing::existing;
pub use self::options::Options;
use self::outcome::Outcome;
use self::prepare::prepare;
use self::provenance::check_unmoved;
use self::record::Clock;
use self::report::{Findings, report};
use self::schedule::work_off;
use crate::config::Config;
use crate::config::threads::thread_count;
use crate::engine::activities::{ObservedActivities, judge_activities};
use crate::engine::driver::on_threads;
use crate::engine::find::find;
use crate::engine::fit::Fitted;
use crate::engine::judge::judge;
use crate::engine::measure::measure;
use crate::engine::record::{comparison, scenes};
use crate::engine::score::score;
use crate::engine::sensitivity::measure as sensitivity_of;
use crate::engine::session::{Session, SiteWork};
use crate::engine::timers::Stopwatch;
use crate::engine::{EngineError, pictures};
use crate::io::blocks::Blocks;
use crate::io::formats;
use crate::io::meter::Work;
use crate::io::pool::Pool;
use crate::output::existing::LastRun;
use crate::output::publish::OutFolder;
use crate::output::{rasters, render};
use crate::plan::sites::blocks_mib;
use crate::plan::{SitePlan, inputs};
use crate::report::Gallery;

/// Judges every declared site and publishes its report; one bad site does not stop the rest.
///
/// # Errors
/// Inputs at fault, an output folder that cannot be used.
pub fn run(config: &Config, options: &Options<'_>) -> Result<Outcome, RunError> {
    crate::io::prepare();
    let (begun, threads) = (Instant::now(), config.compute.threads);
    let out = OutFolder::lock(options.out)?;
    let last = record::last_run(&out, options.observer)?;
    let trusted = if options.verify {
        LastRun::default()
    } else {
        last.clone()
    };
    let inputs = inputs::gather(config).map_err(RunError::Inputs)?;
    let pool = Arc::new(Pool::new(formats::allowed(&config.inputs.formats)));
    let blocks = Arc::new(Blocks::new(pool.clone(), 0));
    let outcome = on_threads(threads, || {
        let prepared = prepare(config, inputs, options)?;
        let session = Session {
            inputs: &prepared.inputs,
            config,
            blocks: &blocks,
            pool: &pool,
            observer: options.observer,
            stop: options.stop,
        };
        blocks.hold((blocks_mib(&prepared.plans) as usize) << 20);
        let existing = existing(&session, &prepared, &out, &trusted);
        work_off(
            &session,
            &prepared,
            &existing,
            &|plan, provenance, fitted, stopwatch| {
                out.replace(&plan.site.folder, |staging| {
                    let (findings, gallery) = judge_site(&session, plan, fitted, stopwatch, staging)?;
                    let report = report(&session, plan, provenance, findings);
                    stopwatch.time("report", || render::all(&report, &gallery, staging, options.stop))?;
                    check_unmoved(plan, &prepared.inputs, &prepared.digests)?;
                    Ok(report)
                })
            },
        )
    })
    .map_err(RunError::Threads)??;
    let clock = Clock {
        begun,
        meter: blocks.meter(),
        threads: thread_count(threads),
    };
    record::publish(&out, last, &outcome, &clock)?;
    Ok(outcome)
}

/// What the scenes of the site of `plan` show, to whose comparisons detectors were `fitted`, and its pictures; its rasters are left in
/// `folder`.
///
/// # Errors
/// A scene that cannot be read, a raster that cannot be written; the run was stopped.
fn judge_site(
    session: &Session<'_>,
    plan: &SitePlan,
    fitted: &[Fitted<'_>],
    stopwatch: &Stopwatch,
    folder: &Path,
) -> Result<(Findings, Gallery), SiteError> {
    let (mut findings, mut gallery, mut views) = (Findings::default(), Gallery::default(), Vec::new());
    if let Some(ground) = &plan.ground {
        let work = &SiteWork {
            session,
            plan,
            ground,
            stopwatch,
        };
        let (scored, scratch) = score(work, fitted, folder)?;
        for one in &scored {
            let [scores, flags] = scratch.bands(one.band, session.pool);
            let found = find(work, one, &scores)?;
            let measures = stopwatch.time("measure", || measure(work, one, &flags, &found.regions))?;
            let judged = stopwatch.time("judge", || judge(work, one, &found, &measures))?;
            let chips = || pictures::chips(work, one, &judged.anomalies, &scores, scored.len());
            gallery.chips.extend(stopwatch.time("pictures", chips)?);
            let sensitivity = match session.config.sensitivity.enabled {
                true => stopwatch.time("sensitivity", || sensitivity_of(work, one, &found, [scores, flags]))?,
                false => None,
            };
            views.push(ObservedActivities::of(one, &judged, ground));
            scenes(one, &mut findings.scenes);
            findings
                .comparisons
                .push(comparison(work, one, judged.cutoff, judged.anomalies, sensitivity));
        }
        if let Some(newest) = scored.last() {
            let overview = || pictures::overview(&newest.overview_grid, &newest.counts.overview);
            gallery.site = Some(stopwatch.time("pictures", overview).map_err(EngineError::from)?);
        }
        if !ground.is_small() {
            // It filled the store with what no other site needs soon; reports need the room.
            session.blocks.clear();
        }
        let threads = thread_count(session.config.compute.threads);
        let write = || rasters::write(&scratch, folder, session.pool, threads);
        stopwatch.time("rasters", || session.meter().time(Work::Write, write))?;
    }
    findings.activities = judge_activities(plan, &views, &session.config.judge);
    Ok((findings, gallery))
}
