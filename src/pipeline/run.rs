//! A whole run: gather, plan, survey every site, publish.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use geo::{BoundingRect, MultiPolygon};

use super::SiteError;
use super::compare::{Fitted, Survey, fit};
use super::config::Config;
use super::driver::{self, in_order, on_threads, thread_count};
use super::events::{Event, Observer};
use super::inputs::{self, Inputs};
use super::plan::{Ground, SitePlan, plan_site};
use super::provenance::{self, Digests, HashError, Provenance};
use super::publish::{OutFolder, PublishError};
use super::record;
use super::site::survey_site;
use super::timers::Timers;
use crate::declaration::{Site, folder_name};
use crate::fault::Fault;
use crate::finding::{SiteReport, Verdict};
use crate::io::IoError;
use crate::io::blocks::Blocks;
use crate::io::formats;
use crate::io::meter::{Meter, Work};
use crate::io::pool::Pool;
use crate::report::{IndexRow, index_html, summary};

/// What a run is asked for beside the pipeline file.
pub struct Options<'a> {
    /// The pipeline file: paths in the record are told from its folder.
    pub pipeline: &'a Path,
    /// Where reports go.
    pub out: &'a Path,
    /// Set when the run has to stop.
    pub stop: &'a AtomicBool,
    /// Sees progress.
    pub observer: &'a dyn Observer,
}

/// What became of one site.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SiteOutcome {
    /// The site's id.
    pub site: String,
    /// Its name.
    pub name: String,
    /// Its folder in the output.
    pub folder: String,
    /// Whether the report of an earlier run with the same inputs stands.
    pub up_to_date: bool,
    /// Whether there is something to review.
    pub needs_review: bool,
    /// Whether no comparison could be judged.
    pub unobserved: bool,
    /// Verdicts and how many there are of each.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// Observed fraction of the newest comparison.
    pub observed_fraction: Option<f64>,
    /// `[longitude, latitude]` of its middle.
    pub place: [f64; 2],
    /// What the report says, a sentence each.
    pub summary: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Seconds per stage.
    pub seconds: Timers,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Outcome {
    /// Sites, in the order of the declaration.
    pub sites: Vec<SiteOutcome>,
    /// Whether it was asked to stop before it was done.
    pub stopped: bool,
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
    /// An input cannot be read.
    #[error(transparent)]
    Hash(#[from] HashError),
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
    let inputs = inputs::gather(config).map_err(RunError::Inputs)?;
    for refused in &inputs.refused {
        options.observer.see(&Event::SceneRefused {
            scene: &refused.id,
            reason: &refused.reason,
        });
    }
    let pool = Arc::new(Pool::new(formats::allowed(&config.inputs.formats)));
    let blocks = Arc::new(Blocks::new(pool.clone(), 0));
    let survey = Survey {
        inputs: &inputs,
        config,
        blocks: &blocks,
        pool: &pool,
        observer: options.observer,
        stop: options.stop,
    };
    let outcome = on_threads(config.compute.threads, || {
        let plans = plan(config, &inputs);
        blocks.hold(room(&plans));
        let digests = provenance::hash::<RunError>(config, &plans, &inputs, options.stop, options.observer)?;
        survey_all(&survey, options.pipeline, &plans, &digests, &out)
    })
    .map_err(RunError::Threads)??;
    let rows: Vec<IndexRow> = outcome.sites.iter().map(index_row).collect();
    if outcome.sites.iter().any(|site| !site.up_to_date) || !out.path().join("index.html").exists() {
        out.write("index.html", index_html(&rows)?.as_bytes())?;
    }
    let record = serde_json::json!({
        "sites": outcome.sites,
        "stopped": outcome.stopped,
        "seconds": crate::finding::round(begun.elapsed().as_secs_f64(), 3),
        "threads": thread_count(config.compute.threads),
        "thread_seconds": thread_seconds(blocks.meter(), begun, thread_count(config.compute.threads)),
        "finished": jiff::Timestamp::now().to_string(),
        "program": record::program(),
    });
    out.write("run.json", format!("{record:#}\n").as_bytes())?;
    Ok(outcome)
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

fn index_row(site: &SiteOutcome) -> IndexRow {
    IndexRow {
        folder: site.folder.clone(),
        site: site.site.clone(),
        name: site.name.clone(),
        verdicts: site.verdicts.clone(),
        observed_fraction: site.observed_fraction,
        place: site.place,
        error: site.error.clone(),
        sentence: site.summary.first().cloned().unwrap_or_default(),
    }
}

/// Bytes of decoded blocks that there is room for: as the site with the longest series needs.
pub(super) fn room(plans: &[Result<SitePlan, IoError>]) -> usize {
    let of = |plan: &SitePlan| plan.ground.as_ref().map_or(0, |ground| ground.blocks_mib);
    (plans.iter().flatten().map(of).max().unwrap_or(0) as usize) << 20
}

fn survey_all(
    survey: &Survey<'_>,
    pipeline: &Path,
    plans: &[Result<SitePlan, IoError>],
    digests: &Digests,
    out: &OutFolder,
) -> Result<Outcome, RunError> {
    let Survey { inputs, config, .. } = survey;
    let folder = pipeline.parent().unwrap_or(Path::new("."));
    let provenances: Vec<Option<Provenance>> = plans
        .iter()
        .map(|plan| {
            plan.as_ref()
                .ok()
                .map(|plan| provenance::provenance(config, folder, plan, inputs, digests))
        })
        .collect();
    let standing: Vec<Option<SiteReport>> = inputs
        .declared
        .sites
        .iter()
        .zip(&provenances)
        .map(|(site, known)| standing(out, &site.id, &known.as_ref()?.run_key))
        .collect();
    let up_to_date = standing.iter().flatten().count();
    survey.observer.see(&Event::Planned {
        sites: plans.len() - up_to_date,
        up_to_date,
    });
    let small = |plan: &SitePlan| plan.ground.as_ref().is_none_or(Ground::is_small);
    let one = |index: usize, fits: &Fits<'_>| -> SiteOutcome {
        let site = &inputs.declared.sites[index];
        if let Some(report) = &standing[index] {
            return outcome(report, true, Timers::default());
        }
        let surveyed = match (&plans[index], &provenances[index]) {
            (Ok(plan), Some(provenance)) => match fits {
                Ok(fits) => {
                    survey_and_publish(survey, plan, fits, provenance.clone(), out).map_err(|error| error.to_string())
                }
                Err(error) => Err(error.clone()),
            },
            (Err(error), _) => Err(error.to_string()),
            (Ok(_), None) => Err("its inputs have no hashes".into()),
        };
        match surveyed {
            Ok((report, timers)) => {
                let outcome = outcome(&report, false, timers);
                let needs_review = outcome.needs_review;
                survey.observer.see(&Event::SiteDone {
                    site: &site.id,
                    summary: &outcome.summary,
                    needs_review,
                });
                outcome
            }
            Err(error) => failure(survey, site, error),
        }
    };
    // Sites of a district share what is fitted; the first that is surveyed has its time.
    let together = |sites: &[usize]| -> Vec<(usize, SiteOutcome)> {
        let mut timers = Timers::default();
        let first = sites.iter().find(|index| standing[**index].is_none());
        let plan = first.and_then(|index| plans[*index].as_ref().ok());
        let fits: Fits<'_> = plan.map_or(Ok(Vec::new()), |plan| {
            fit(survey, plan, &mut timers).map_err(|error| error.to_string())
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
    let is_small = |index: &usize| plans[*index].as_ref().map_or(true, small) || standing[*index].is_some();
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
            return Ok(in_declared_order(sites, true));
        }
    }
    Ok(in_declared_order(sites, false))
}

/// What is fitted to the comparisons of a site, or why nothing could be.
type Fits<'a> = Result<Vec<Fitted<'a>>, String>;

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

fn in_declared_order(mut sites: Vec<(usize, SiteOutcome)>, stopped: bool) -> Outcome {
    sites.sort_by_key(|(index, _)| *index);
    Outcome {
        sites: sites.into_iter().map(|(_, outcome)| outcome).collect(),
        stopped,
    }
}

fn survey_and_publish<'a>(
    survey: &Survey<'a>,
    plan: &'a SitePlan,
    fits: &[Fitted<'a>],
    provenance: Provenance,
    out: &OutFolder,
) -> Result<(SiteReport, Timers), SiteError> {
    survey.observer.see(&Event::SiteStarted { site: &plan.site.id });
    let name = folder_name(&plan.site.id);
    let aside = out.aside(&name)?;
    let result = survey_site(survey, plan, fits, provenance, &aside).and_then(|done| {
        out.publish(&name)?;
        Ok(done)
    });
    if result.is_err() {
        out.abandon(&name);
    }
    result
}

fn outcome(report: &SiteReport, up_to_date: bool, seconds: Timers) -> SiteOutcome {
    SiteOutcome {
        site: report.site.id.clone(),
        name: report.site.name.clone(),
        folder: folder_name(&report.site.id),
        up_to_date,
        needs_review: report.needs_review(),
        unobserved: report.is_unobserved(),
        verdicts: report.verdicts(),
        observed_fraction: report
            .comparisons
            .last()
            .filter(|_| !report.is_unobserved())
            .map(|c| c.coverage.observed_fraction),
        place: middle(&(&report.site.geometry).into()),
        summary: summary(report),
        error: None,
        seconds,
    }
}

/// `[longitude, latitude]` of the middle of a site: that of its box, which needs no projection.
fn middle(boundary: &MultiPolygon<f64>) -> [f64; 2] {
    let Some(bounds) = boundary.bounding_rect() else {
        return [0.0; 2];
    };
    let middle = bounds.center();
    [middle.x, middle.y].map(|v| crate::finding::round(v, 7))
}

fn failure(survey: &Survey<'_>, site: &Site, error: String) -> SiteOutcome {
    survey.observer.see(&Event::SiteFailed {
        site: &site.id,
        error: &error,
    });
    SiteOutcome {
        site: site.id.clone(),
        name: site.name.clone(),
        folder: folder_name(&site.id),
        place: middle(&site.boundary),
        up_to_date: false,
        needs_review: false,
        unobserved: false,
        verdicts: BTreeMap::new(),
        observed_fraction: None,
        summary: vec![format!("It could not be surveyed: {error}")],
        error: Some(error),
        seconds: Timers::default(),
    }
}

/// The report that stands in the output for the same inputs, parameters and program.
fn standing(out: &OutFolder, site: &str, run_key: &str) -> Option<SiteReport> {
    let folder = out.path().join(folder_name(site));
    let text = std::fs::read_to_string(folder.join("report.json")).ok()?;
    let report: SiteReport = serde_json::from_str(&text).ok()?;
    (report.run_key == run_key && folder.join("report.html").exists()).then_some(report)
}
