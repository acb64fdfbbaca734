//! Before the first site: every input hashed, every site planned, what cannot be used told.

use super::error::RunError;
use super::options::Options;
use super::provenance::{self, Digests, Provenance};
use crate::config::Config;
use crate::engine::events::Event;
use crate::io::IoError;
use crate::plan::inputs::{self, Inputs};
use crate::plan::{SitePlan, plan_sites};

/// What is known before the first site is worked on.
pub struct Prepared {
    /// What is read.
    pub inputs: Inputs,
    /// What is done on each declared site, in the order of the declaration; why nothing can be.
    pub plans: Vec<Result<SitePlan, IoError>>,
    /// Where the report of each comes from; absent where there is no plan.
    pub provenances: Vec<Option<Provenance>>,
    /// Hashes of the files that sites read.
    pub digests: Digests,
}

/// Plans every site and hashes what the sites read; scenes that cannot be read, or are not what is stated of them, are out.
///
/// # Errors
/// The run was stopped.
pub fn prepare(config: &Config, mut inputs: Inputs, options: &Options<'_>) -> Result<Prepared, RunError> {
    let (stop, observer) = (options.stop, options.observer);
    let mut digests = Digests::new();
    let plans = loop {
        let plans = plan_sites(config, &inputs);
        let failed = provenance::hash(&config.folder, &plans, &inputs, &mut digests, stop, observer)?;
        if failed.is_empty() {
            break plans;
        }
        inputs.refuse(&failed, &config.folder);
    };
    for scene in &inputs.refused {
        observer.see(&Event::SceneRefused {
            scene: &scene.id,
            reason: &scene.reason,
        });
    }
    for note in inputs::notes(&inputs.scenes) {
        observer.see(&Event::Note { note });
    }
    let provenance = |plan: &Result<SitePlan, IoError>| {
        let plan = plan.as_ref().ok()?;
        Some(provenance::provenance(config, plan, &inputs, &digests))
    };
    Ok(Prepared {
        provenances: plans.iter().map(provenance).collect(),
        inputs,
        plans,
        digests,
    })
}
