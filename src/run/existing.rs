//! Which reports a run keeps: those that it would make again, and those that know more than it could. What is no report is kept too.

use std::path::{Path, PathBuf};

use crate::config::names::resolved;
use crate::declaration::Site;
use crate::engine::events::Event;
use crate::engine::session::Session;
use crate::finding::SiteOutcome;
use crate::finding::{RefusedScene, SceneRecord};
use crate::output::PublishError;
use crate::output::existing::{ExistingReport, LastRun, existing_report};
use crate::output::publish::{OutFolder, holds_no_other};
use crate::plan::inputs::Inputs;
use crate::run::error::SiteError;
use crate::run::prepare::Prepared;
use crate::run::provenance::Provenance;

/// What a run finds in the folder of a site, and what it will do.
pub enum Existing {
    /// The report that this run would make: it stays.
    Current(SiteOutcome),
    /// A report that is made of scenes which cannot be read now: it stays, and the run says why.
    Kept(Option<SiteOutcome>, String),
    /// Anything else, which a new report will replace.
    Due(Option<SiteOutcome>),
}

impl Existing {
    /// Whether the report stays because it is the one that this run would make.
    fn is_current(&self) -> bool {
        matches!(self, Self::Current(_))
    }

    /// Whether this run makes a report.
    pub fn is_due(&self) -> bool {
        matches!(self, Self::Due(_))
    }

    /// What is said of `site` by a run that was stopped before it came to it.
    pub fn unreached(&self, site: &Site) -> SiteOutcome {
        match self {
            Self::Current(outcome) => outcome.clone(),
            Self::Kept(before, _) | Self::Due(before) => {
                SiteOutcome::failed(site, SiteError::stopped().into(), before.as_ref())
            }
        }
    }
}

/// What stands in the folder of every site of `out`, of which the last run left word in `last_run`.
pub fn existing(session: &Session<'_>, prepared: &Prepared, out: &OutFolder, last_run: &LastRun) -> Vec<Existing> {
    let sites = prepared.inputs.declared.sites.iter().zip(&prepared.provenances);
    let beneath = prepared.inputs.beneath(out.path());
    let existing: Vec<Existing> = sites
        .map(|(site, provenance)| of_site(session, site, provenance.as_ref(), out, &beneath, last_run))
        .collect();
    let up_to_date = existing.iter().filter(|one| one.is_current()).count();
    session.observer.see(&Event::Planned {
        sites: existing.len() - up_to_date,
        up_to_date,
    });
    existing
}

/// What stands in the folder of `site`, beneath which those of `inputs` must not lie that a report would replace; files of it that were spoiled are told.
fn of_site(
    session: &Session<'_>,
    site: &Site,
    provenance: Option<&Provenance>,
    out: &OutFolder,
    inputs: &[PathBuf],
    last_run: &LastRun,
) -> Existing {
    let folder = out.path().join(&site.folder);
    let run_key = provenance.map_or("", |provenance| &provenance.run_key);
    let existing_report = existing_report(&folder, run_key, last_run.sites.get(&site.folder));
    let outcome = existing_report.report().map(|report| SiteOutcome::of(site, report));
    if let (ExistingReport::Current(_), Some(outcome)) = (&existing_report, &outcome) {
        return Existing::Current(SiteOutcome {
            up_to_date: true,
            ..outcome.clone()
        });
    }
    let replaced = holds_no_other(&folder).and_then(|()| holds_no_input(&folder, inputs));
    if let Err(error) = replaced {
        return Existing::Kept(outcome, error.to_string());
    }
    if let ExistingReport::Spoiled(why, _) = &existing_report {
        session.observer.see(&Event::Spoiled {
            path: &folder.display().to_string(),
            why,
        });
    }
    match lost(session.inputs, &existing_report) {
        Some(why) => Existing::Kept(outcome, why),
        None => Existing::Due(outcome),
    }
}

/// That none of `inputs`, links resolved, lies in `folder`, which a report is to replace.
fn holds_no_input(folder: &Path, inputs: &[PathBuf]) -> Result<(), PublishError> {
    let real = resolved(folder, Path::new(""));
    match inputs.iter().find(|input| input.starts_with(&real)) {
        None => Ok(()),
        Some(input) => Err(PublishError::Input {
            path: folder.to_owned(),
            input: input.clone(),
        }),
    }
}

/// Why the existing report knows more than one of this run would: it is made of a scene that should be readable and is not.
fn lost(inputs: &Inputs, existing_report: &ExistingReport) -> Option<String> {
    let unreadable: Vec<&RefusedScene> = inputs.refused.iter().filter(|scene| scene.unreadable).collect();
    let first = unreadable.first()?;
    let report = match (existing_report, existing_report.report()) {
        (ExistingReport::Nothing, _) => return None,
        (_, Some(report)) => report,
        // What it knew cannot be told.
        (_, None) => {
            return Some(format!(
                "scene {} cannot be read ({}); the existing report is kept",
                first.id, first.reason
            ));
        }
    };
    let mut parts = report.scenes.iter().flat_map(SceneRecord::parts);
    let (id, _) = parts.find(|(id, _)| !inputs.has(id))?;
    let scene = unreadable.iter().find(|scene| scene.id == id).unwrap_or(first);
    Some(format!(
        "scene {id}, which the existing report uses, cannot be read ({}); that report is kept",
        scene.reason
    ))
}
