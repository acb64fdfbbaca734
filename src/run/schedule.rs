//! Who works on which site when: large sites one after the other, small ones district by district, side by side.

use std::sync::atomic::Ordering;

use super::error::{RunError, SiteError};
use super::existing::Existing;
use super::outcome::{Failure, Outcome};
use super::prepare::Prepared;
use super::provenance::Provenance;
use crate::config::names;
use crate::declaration::Site;
use crate::engine::driver::in_order;
use crate::engine::events::Event;
use crate::engine::fit::{Fitted, fit};
use crate::engine::session::Session;
use crate::engine::timers::Stopwatch;
use crate::finding::SiteReport;
use crate::finding::{SiteOutcome, StageSeconds};
use crate::io::IoError;
use crate::plan::{Ground, SitePlan};

/// What makes the report of a site and puts it into its place.
type Make<'a> = dyn Fn(&SitePlan, &Provenance, &[Fitted<'_>], &Stopwatch) -> Result<SiteReport, SiteError> + Sync + 'a;

/// What is fitted to the comparisons of a site, or why nothing could be.
type Fits<'a> = Result<Vec<Fitted<'a>>, Failure>;

/// What became of every site: reports that are due are made by `make`.
///
/// # Errors
/// None, though the run was stopped: of sites that it did not come to, what stands is told.
pub fn work_off(
    session: &Session<'_>,
    prepared: &Prepared,
    existing: &[Existing],
    make: &Make<'_>,
) -> Result<Outcome, RunError> {
    let plans = &prepared.plans;
    let queue = Queue {
        session,
        prepared,
        existing,
        make,
    };
    let mut done: Vec<(usize, SiteOutcome)> = Vec::with_capacity(plans.len());
    let order: Vec<usize> = (0..plans.len()).collect();
    let small = |plan: &SitePlan| plan.ground.as_ref().is_none_or(Ground::is_small);
    let is_small = |index: &usize| plans[*index].as_ref().map_or(true, small) || !existing[*index].is_due();
    for group in order.chunk_by(|a, b| is_small(a) && is_small(b)) {
        let ended = match group {
            [only] => {
                done.extend(queue.district(&[*only]));
                !session.stop.load(Ordering::Relaxed)
            }
            many => {
                let districts = districts(many, plans);
                let district = |district: &Vec<usize>| queue.district(district);
                let take_in = |sites| {
                    done.extend(sites);
                    Ok::<(), RunError>(())
                };
                in_order(&districts, session.stop, district, take_in).is_ok()
            }
        };
        if !ended {
            break;
        }
    }
    let stopped = done.len() < plans.len() || done.iter().any(|(_, site)| site.stopped);
    for (index, site) in prepared.inputs.declared.sites.iter().enumerate() {
        if !done.iter().any(|(known, _)| *known == index) {
            done.push((index, existing[index].unreached(site)));
        }
    }
    done.sort_by_key(|(index, _)| *index);
    Ok(Outcome {
        sites: done.into_iter().map(|(_, outcome)| outcome).collect(),
        refused: prepared.inputs.refused.clone(),
        stopped,
    })
}

/// What sites wait for.
struct Queue<'a> {
    session: &'a Session<'a>,
    prepared: &'a Prepared,
    existing: &'a [Existing],
    make: &'a Make<'a>,
}

impl Queue<'_> {
    /// What became of `sites`, which share what is fitted; the first that is due has its time.
    fn district(&self, sites: &[usize]) -> Vec<(usize, SiteOutcome)> {
        let stopwatch = Stopwatch::default();
        let first = sites.iter().find(|index| self.existing[**index].is_due());
        let plan = first.and_then(|index| self.prepared.plans[*index].as_ref().ok());
        let fits: Fits<'_> = plan.map_or(Ok(Vec::new()), |plan| {
            fit(self.session, plan, &stopwatch).map_err(|error| SiteError::from(error).into())
        });
        let mut done = Vec::with_capacity(sites.len());
        // Asked to stop, it has fewer.
        let _ = in_order(
            sites,
            self.session.stop,
            |index| (*index, self.site(*index, &fits)),
            |site| {
                done.push(site);
                Ok::<(), RunError>(())
            },
        );
        if let Some((_, outcome)) = done.iter_mut().find(|(index, _)| Some(index) == first) {
            outcome.seconds.add(&stopwatch.read());
        }
        done
    }

    fn site(&self, index: usize, fits: &Fits<'_>) -> SiteOutcome {
        let site = &self.prepared.inputs.declared.sites[index];
        let before = match &self.existing[index] {
            Existing::Current(outcome) => return outcome.clone(),
            Existing::Kept(before, why) => return self.failed(site, why.clone().into(), before.as_ref()),
            Existing::Due(before) => before.as_ref(),
        };
        match self.made(index, fits) {
            Ok((report, seconds)) => {
                let outcome = SiteOutcome::of(site, &report);
                let outcome = SiteOutcome {
                    is_news: outcome.is_news_beside(before),
                    seconds,
                    ..outcome
                };
                self.session.observer.see(&Event::SiteDone {
                    site: &site.id,
                    summary: &outcome.summary,
                    needs_review: outcome.needs_review,
                });
                outcome
            }
            Err(failure) => self.failed(site, failure, before),
        }
    }

    fn made(&self, index: usize, fits: &Fits<'_>) -> Result<(SiteReport, StageSeconds), Failure> {
        let plan = self.prepared.plans[index]
            .as_ref()
            .map_err(|error| Failure::from(error.to_string()))?;
        let fitted = fits.as_ref().map_err(Clone::clone)?;
        let Some(provenance) = &self.prepared.provenances[index] else {
            return Err("its inputs have no hashes".to_owned().into());
        };
        self.session.observer.see(&Event::SiteStarted { site: &plan.site.id });
        let stopwatch = Stopwatch::default();
        let report = (self.make)(plan, provenance, fitted, &stopwatch)?;
        Ok((report, stopwatch.read()))
    }

    /// That `site` failed by `failure`; what stands in its folder is that of `before`.
    fn failed(&self, site: &Site, failure: Failure, before: Option<&SiteOutcome>) -> SiteOutcome {
        let error = names::told(&failure.error, &self.session.config.folder);
        self.session.observer.see(&Event::SiteFailed {
            site: &site.id,
            error: &error,
        });
        SiteOutcome::failed(site, Failure { error, ..failure }, before)
    }
}

/// `sites` by what is fitted to them: those that are sampled together, and share decoded blocks, stand together.
fn districts(sites: &[usize], plans: &[Result<SitePlan, IoError>]) -> Vec<Vec<usize>> {
    let sampled = |plan: &SitePlan| plan.ground.as_ref().map(|ground| ground.sampled.clone());
    let mut districts: Vec<(Option<&SitePlan>, Vec<usize>)> = Vec::new();
    for index in sites {
        let plan = plans[*index].as_ref().ok();
        let alike = |other: Option<&SitePlan>| {
            other
                .zip(plan)
                .is_some_and(|(a, b)| sampled(a) == sampled(b) && a.pairs == b.pairs)
        };
        match districts.iter_mut().find(|(other, _)| alike(*other)) {
            Some((_, together)) => together.push(*index),
            None => districts.push((plan, vec![*index])),
        }
    }
    districts.into_iter().map(|(_, together)| together).collect()
}
