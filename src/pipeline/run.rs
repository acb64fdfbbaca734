//! A whole run: gather, plan, survey every site, publish.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::compare::{Fitted, Survey, fit};
use super::config::Config;
use super::driver::{self, in_order, on_threads, thread_count};
use super::events::{Event, Observer};
use super::inputs::{self, Inputs};
use super::keep::{Stands, stands};
use super::outcome::{Failure, Outcome, SiteOutcome};
use super::plan::{Ground, SitePlan, plan_site};
use super::provenance::{self, Digests, Provenance};
use super::publish::{OutFolder, PublishError, SEEN, is_no_other};
use super::site::survey_site;
use super::standing::Seen;
use super::timers::Timers;
use super::{SiteError, names, record};
use crate::declaration::Site;
use crate::fault::Fault;
use crate::finding::{RefusedScene, SiteReport};
use crate::io::blocks::Blocks;
use crate::io::meter::{Meter, Work};
use crate::io::pool::Pool;
use crate::io::{IoError, formats};
use crate::report::{IndexRow, index_html};

/// The page of a run.
const INDEX: &str = "index.html";
/// The log of a run.
const RECORD: &str = "run.json";

type Plans = Vec<Result<SitePlan, IoError>>;

/// What a run is asked for beside the pipeline file.
pub struct Options<'a> {
    /// Where reports go.
    pub out: &'a Path,
    /// Whether reports that stand are held against their hashes, whatever the stamps of their files say.
    pub verify: bool,
    /// Set when the run has to stop.
    pub stop: &'a AtomicBool,
    /// Sees progress.
    pub observer: &'a dyn Observer,
}

/// Why a run did not take place.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The inputs are at fault.
    #[error("the inputs have {} fault(s)", .0.len())]
    Inputs(Vec<Fault>),
    /// The output folder cannot be used.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The system gives no threads.
    #[error("starting threads: {0}")]
    Threads(String),
    /// The summary page cannot be rendered.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
    /// The run was asked to stop.
    #[error("stopped before the first site; run again to go on")]
    Stopped,
}

impl From<driver::Stopped> for RunError {
    fn from(_: driver::Stopped) -> Self {
        Self::Stopped
    }
}

/// The plan of every site, or why it has none.
pub fn plan(config: &Config, inputs: &Inputs) -> Vec<Result<SitePlan, IoError>> {
    let sites = inputs.declared.sites.iter();
    let mut plans: Vec<_> = sites.map(|site| plan_site(site, inputs, config)).collect();
    if let Some(budget) = config.cutoff.max_expected_false_anomalies {
        share(&mut plans, budget);
    }
    plans
}

/// Shares the alarm `budget` of the run among all comparisons, by the declared area of their sites: known before a pixel is read,
/// so no site waits for another.
fn share(plans: &mut [Result<SitePlan, IoError>], budget: f64) {
    let area = |plan: &SitePlan| record::area_m2(&plan.site.boundary);
    let all: f64 = plans
        .iter()
        .flatten()
        .map(|plan| area(plan) * plan.pairs.len() as f64)
        .sum();
    for plan in plans.iter_mut().flatten() {
        plan.most_false = Some(budget * area(plan) / all.max(1.0));
    }
}

/// Surveys every declared site and publishes its report; one bad site does not stop the rest.
///
/// # Errors
/// Inputs at fault, an output folder that cannot be used.
pub fn run(config: &Config, options: &Options<'_>) -> Result<Outcome, RunError> {
    crate::io::prepare();
    let begun = Instant::now();
    let out = OutFolder::lock(options.out)?;
    for name in [INDEX, RECORD] {
        is_no_other(&out.path().join(name))?;
    }
    let left = Seen::read(&out);
    let unread = left.is_none().then_some(SEEN);
    let mut seen = left.unwrap_or_default();
    let nothing = Seen::default();
    let before = if options.verify { &nothing } else { &seen };
    let spoiled = [INDEX, RECORD].into_iter().filter(|name| seen.is_spoiled(&out, name));
    for name in spoiled.chain(unread) {
        options.observer.see(&Event::Spoiled {
            path: &out.path().join(name).display().to_string(),
            why: "it is not what the last run left",
        });
    }
    let mut inputs = inputs::gather(config).map_err(RunError::Inputs)?;
    let pool = Arc::new(Pool::new(formats::allowed(&config.inputs.formats)));
    let blocks = Arc::new(Blocks::new(pool.clone(), 0));
    let outcome = on_threads(config.compute.threads, || {
        let (plans, digests) = settle(config, &mut inputs, options)?;
        for scene in &inputs.refused {
            options.observer.see(&Event::SceneRefused {
                scene: &scene.id,
                reason: &scene.reason,
            });
        }
        for note in inputs::notes(&inputs.scenes) {
            options.observer.see(&Event::Note { note });
        }
        let survey = Survey {
            inputs: &inputs,
            config,
            blocks: &blocks,
            pool: &pool,
            observer: options.observer,
            stop: options.stop,
        };
        blocks.hold(room(&plans));
        survey_all(&survey, &plans, &digests, &out, before)
    })
    .map_err(RunError::Threads)??;
    let rows: Vec<IndexRow> = outcome.sites.iter().map(SiteOutcome::row).collect();
    let unreadable: Vec<&RefusedScene> = outcome.unreadable().collect();
    // What stands decides what the index says, whether or not this run changed it.
    seen.write(&out, INDEX, index_html(&rows, &unreadable)?.as_bytes())?;
    let record = serde_json::json!({
        "sites": outcome.sites,
        "refused": outcome.refused,
        "stopped": outcome.stopped,
        "seconds": crate::finding::round(begun.elapsed().as_secs_f64(), 3),
        "threads": thread_count(config.compute.threads),
        "thread_seconds": thread_seconds(blocks.meter(), begun, thread_count(config.compute.threads)),
        "finished": jiff::Timestamp::now().to_string(),
        "program": record::program(),
    });
    seen.write(&out, RECORD, format!("{record:#}\n").as_bytes())?;
    seen.look(&out, &outcome);
    seen.leave(&out)?;
    Ok(outcome)
}

/// The plan of every site, and the digests of what sites read: scenes that cannot be read, or are not what is stated of them, are out.
fn settle(config: &Config, inputs: &mut Inputs, options: &Options<'_>) -> Result<(Plans, Digests), RunError> {
    let mut digests = Digests::new();
    loop {
        let plans = plan(config, inputs);
        let (stop, observer) = (options.stop, options.observer);
        let failed = provenance::hash::<RunError>(config, &plans, inputs, &mut digests, stop, observer)?;
        if failed.is_empty() {
            return Ok((plans, digests));
        }
        inputs.refuse(&failed, &config.folder);
    }
}

/// Where the time of all threads went, seconds; it adds up to threads times the run's own. What is not named is `other`; `waiting` is
/// when a thread did nothing: for another thread, for the disk, or because work was done by one alone.
fn thread_seconds(meter: &Meter, begun: Instant, threads: usize) -> BTreeMap<&'static str, f64> {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let used = used.tv_sec as f64 + 1e-9 * used.tv_nsec as f64;
    let mut spent: BTreeMap<_, _> = Work::ALL
        .iter()
        .map(|(work, word)| (*word, meter.seconds(*work)))
        .collect();
    let named: f64 = spent.values().sum();
    spent.insert("other", (used - named).max(0.0));
    let waiting = threads as f64 * begun.elapsed().as_secs_f64() - used.max(named);
    spent.insert("waiting", waiting.max(0.0));
    spent
        .values_mut()
        .for_each(|seconds| *seconds = crate::finding::round(*seconds, 3));
    spent
}

/// Bytes of decoded blocks that there is room for: as the site with the longest series needs.
pub(super) fn room(plans: &[Result<SitePlan, IoError>]) -> usize {
    let of = |plan: &SitePlan| plan.ground.as_ref().map_or(0, |ground| ground.blocks_mib);
    (plans.iter().flatten().map(of).max().unwrap_or(0) as usize) << 20
}

fn survey_all(
    survey: &Survey<'_>,
    plans: &[Result<SitePlan, IoError>],
    digests: &Digests,
    out: &OutFolder,
    seen: &Seen,
) -> Result<Outcome, RunError> {
    let Survey { inputs, config, .. } = survey;
    let provenances: Vec<Option<Provenance>> = plans
        .iter()
        .map(|plan| Some(provenance::provenance(config, plan.as_ref().ok()?, inputs, digests)))
        .collect();
    let beneath = inputs.beneath(out.path());
    let standing: Vec<Stands> = inputs
        .declared
        .sites
        .iter()
        .zip(&provenances)
        .map(|(site, known)| stands(survey, site, known.as_ref(), (out, &beneath), seen))
        .collect();
    let up_to_date = standing.iter().filter(|stands| stands.is_current()).count();
    survey.observer.see(&Event::Planned {
        sites: plans.len() - up_to_date,
        up_to_date,
    });
    let small = |plan: &SitePlan| plan.ground.as_ref().is_none_or(Ground::is_small);
    let one = |index: usize, fits: &Fits<'_>| -> SiteOutcome {
        let site = &inputs.declared.sites[index];
        let before = match &standing[index] {
            Stands::Current(outcome) => return outcome.clone(),
            Stands::Kept(before, why) => return failed(survey, site, why.clone().into(), before.as_ref()),
            Stands::Otherwise(before) => before.as_ref(),
        };
        let surveyed = match (&plans[index], &provenances[index]) {
            (Ok(plan), Some(provenance)) => match fits {
                Ok(fits) => survey_and_publish(survey, plan, fits, (provenance, digests), out).map_err(Failure::from),
                Err(failure) => Err(failure.clone()),
            },
            (Err(error), _) => Err(error.to_string().into()),
            (Ok(_), None) => Err("its inputs have no hashes".to_owned().into()),
        };
        match surveyed {
            Ok((report, timers)) => {
                let outcome = SiteOutcome::of(site, &report);
                let outcome = SiteOutcome {
                    is_news: outcome.is_news_beside(before),
                    seconds: timers,
                    ..outcome
                };
                survey.observer.see(&Event::SiteDone {
                    site: &site.id,
                    summary: &outcome.summary,
                    needs_review: outcome.needs_review,
                });
                outcome
            }
            Err(failure) => failed(survey, site, failure, before),
        }
    };
    // Sites of a district share what is fitted; the first that is surveyed has its time.
    let together = |sites: &[usize]| -> Vec<(usize, SiteOutcome)> {
        let mut timers = Timers::default();
        let first = sites.iter().find(|index| standing[**index].is_to_be_made());
        let plan = first.and_then(|index| plans[*index].as_ref().ok());
        let fits: Fits<'_> = plan.map_or(Ok(Vec::new()), |plan| {
            fit(survey, plan, &mut timers).map_err(Failure::from)
        });
        let mut done = Vec::with_capacity(sites.len());
        // Asked to stop, it has fewer.
        let _ = in_order(
            sites,
            survey.stop,
            |index| (*index, one(*index, &fits)),
            |site| {
                done.push(site);
                Ok::<(), RunError>(())
            },
        );
        if let Some((_, outcome)) = done.iter_mut().find(|(index, _)| Some(index) == first) {
            outcome.seconds.add(&timers);
        }
        done
    };
    let mut sites = Vec::with_capacity(plans.len());
    let order: Vec<usize> = (0..plans.len()).collect();
    let is_small = |index: &usize| plans[*index].as_ref().map_or(true, small) || !standing[*index].is_to_be_made();
    for group in order.chunk_by(|a, b| is_small(a) && is_small(b)) {
        let result = match group {
            [only] => {
                sites.extend(together(&[*only]));
                if survey.stop.load(Ordering::Relaxed) {
                    Err(RunError::Stopped)
                } else {
                    Ok(())
                }
            }
            many => in_order(
                &districts(many, plans),
                survey.stop,
                |district| together(district),
                |done| {
                    sites.extend(done);
                    Ok::<(), RunError>(())
                },
            ),
        };
        if result.is_err() {
            break;
        }
    }
    let stopped = sites.len() < plans.len() || sites.iter().any(|(_, site)| site.stopped);
    // Of sites that it did not come to, what stands is told.
    for (index, site) in inputs.declared.sites.iter().enumerate() {
        if !sites.iter().any(|(done, _)| *done == index) {
            sites.push((index, standing[index].unreached(site)));
        }
    }
    sites.sort_by_key(|(index, _)| *index);
    Ok(Outcome {
        sites: sites.into_iter().map(|(_, outcome)| outcome).collect(),
        refused: inputs.refused.clone(),
        stopped,
    })
}

/// What is fitted to the comparisons of a site, or why nothing could be.
type Fits<'a> = Result<Vec<Fitted<'a>>, Failure>;

/// `sites` by what is fitted to them: those that are surveyed together, and share decoded blocks, stand together.
fn districts(sites: &[usize], plans: &[Result<SitePlan, IoError>]) -> Vec<Vec<usize>> {
    let surveyed = |plan: &SitePlan| plan.ground.as_ref().map(|ground| ground.surveyed.clone());
    let mut districts: Vec<(Option<&SitePlan>, Vec<usize>)> = Vec::new();
    for index in sites {
        let plan = plans[*index].as_ref().ok();
        let alike = |other: Option<&SitePlan>| {
            other
                .zip(plan)
                .is_some_and(|(a, b)| surveyed(a) == surveyed(b) && a.pairs == b.pairs)
        };
        match districts.iter_mut().find(|(other, _)| alike(*other)) {
            Some((_, together)) => together.push(*index),
            None => districts.push((plan, vec![*index])),
        }
    }
    districts.into_iter().map(|(_, together)| together).collect()
}

fn survey_and_publish<'a>(
    survey: &Survey<'a>,
    plan: &'a SitePlan,
    fits: &[Fitted<'a>],
    (provenance, digests): (&Provenance, &Digests),
    out: &OutFolder,
) -> Result<(SiteReport, Timers), SiteError> {
    survey.observer.see(&Event::SiteStarted { site: &plan.site.id });
    let name = &plan.site.folder;
    let aside = out.aside(name)?;
    let result = survey_site(survey, plan, fits, provenance.clone(), &aside).and_then(|done| {
        provenance::check_unmoved(plan, survey.inputs, digests)?;
        out.publish(name)?;
        Ok(done)
    });
    if result.is_err() {
        out.abandon(name);
    }
    result
}

/// That `site` failed by `failure`; what stands in its folder is that of `before`.
fn failed(survey: &Survey<'_>, site: &Site, failure: Failure, before: Option<&SiteOutcome>) -> SiteOutcome {
    let error = names::told(&failure.error, &survey.config.folder);
    survey.observer.see(&Event::SiteFailed {
        site: &site.id,
        error: &error,
    });
    SiteOutcome::failed(site, Failure { error, ..failure }, before)
}
