//! The report of a site, put together of what is known of it.

use super::provenance::Provenance;
use crate::engine::record;
use crate::engine::session::Session;
use crate::finding::{ActivityFinding, Comparison, REPORT_VERSION, SceneRecord, SiteReport};
use crate::plan::SitePlan;

/// What the scenes of a site show.
#[derive(Default)]
pub struct Findings {
    /// Dates that were compared.
    pub scenes: Vec<SceneRecord>,
    /// What was found between them.
    pub comparisons: Vec<Comparison>,
    /// What became of what was declared.
    pub activities: Vec<ActivityFinding>,
}

/// The report of the site of `plan`.
pub fn report(session: &Session<'_>, plan: &SitePlan, provenance: &Provenance, findings: Findings) -> SiteReport {
    let declared = &session.inputs.declared;
    SiteReport {
        report_version: REPORT_VERSION.into(),
        program: record::program(),
        run_key: provenance.run_key.clone(),
        site: record::site(&plan.site),
        declarations: record::declarations(declared),
        grid: plan.ground.as_ref().map(|ground| record::grid(&ground.grid)),
        scenes: findings.scenes,
        refused: plan.refused.clone(),
        refused_features: declared.refused_about(&plan.site),
        comparisons: findings.comparisons,
        activities: findings.activities,
        inputs: provenance.inputs.clone(),
        parameters: provenance.parameters.clone(),
    }
}
