//! Which reports a run keeps: those that it would make again, and those that know more than it could.

use crate::declaration::Site;
use crate::engine::SiteError;
use crate::engine::compare::Survey;
use crate::engine::events::Event;
use crate::finding::{RefusedScene, SceneRecord};
use crate::output::SiteOutcome;
use crate::output::existing::{Seen, Standing, standing};
use crate::output::publish::OutFolder;
use crate::plan::inputs::Inputs;
use crate::run::provenance::Provenance;

/// What a run finds in the folder of a site, and what it will do.
pub enum Stands {
    /// The report that this run would make: it stays.
    Current(SiteOutcome),
    /// A report that is made of scenes which cannot be read now: it stays, and the run says why.
    Kept(Option<SiteOutcome>, String),
    /// Anything else, which a new report will replace.
    Otherwise(Option<SiteOutcome>),
}

impl Stands {
    /// Whether the report stays because it is the one that this run would make.
    pub fn is_current(&self) -> bool {
        matches!(self, Self::Current(_))
    }

    /// Whether this run makes a report.
    pub fn is_to_be_made(&self) -> bool {
        matches!(self, Self::Otherwise(_))
    }

    /// What is said of `site` by a run that was stopped before it came to it.
    pub fn unreached(&self, site: &Site) -> SiteOutcome {
        match self {
            Self::Current(outcome) => outcome.clone(),
            Self::Kept(before, _) | Self::Otherwise(before) => {
                SiteOutcome::failed(site, SiteError::Stopped.into(), before.as_ref())
            }
        }
    }
}

/// What stands in the folder of `site`; files of it that were spoiled are told.
pub fn stands(
    survey: &Survey<'_>,
    site: &Site,
    provenance: Option<&Provenance>,
    out: &OutFolder,
    seen: &Seen,
) -> Stands {
    let folder = out.path().join(&site.folder);
    let run_key = provenance.map_or("", |provenance| &provenance.run_key);
    let standing = standing(&folder, run_key, seen.sites.get(&site.folder));
    if let Standing::Spoiled(why, _) = &standing {
        survey.observer.see(&Event::Spoiled {
            path: &folder.display().to_string(),
            why,
        });
    }
    let outcome = standing.report().map(|report| SiteOutcome::of(site, report));
    if let (Standing::Current(_), Some(outcome)) = (&standing, &outcome) {
        return Stands::Current(SiteOutcome {
            up_to_date: true,
            ..outcome.clone()
        });
    }
    match lost(survey.inputs, &standing) {
        Some(why) => Stands::Kept(outcome, why),
        None => Stands::Otherwise(outcome),
    }
}

/// Why the report that stands knows more than one of this run would: it is made of a scene that should be readable and is not.
fn lost(inputs: &Inputs, standing: &Standing) -> Option<String> {
    let unreadable: Vec<&RefusedScene> = inputs.refused.iter().filter(|scene| scene.unreadable).collect();
    let first = unreadable.first()?;
    let report = match (standing, standing.report()) {
        (Standing::Nothing, _) => return None,
        (_, Some(report)) => report,
        // What it knew cannot be told.
        (_, None) => {
            return Some(format!(
                "scene {} cannot be read ({}); what stands is kept",
                first.id, first.reason
            ));
        }
    };
    let mut parts = report.scenes.iter().flat_map(SceneRecord::parts);
    let (id, _) = parts.find(|(id, _)| !inputs.has(id))?;
    let scene = unreadable.iter().find(|scene| scene.id == id).unwrap_or(first);
    Some(format!(
        "scene {id}, of which the report that stands is made, cannot be read ({}); that report is kept",
        scene.reason
    ))
}
