//! Which changes the comparisons of declared sites would have found, without their reports.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::config::Config;
use crate::declaration::Site;
use crate::engine::driver::on_threads;
use crate::engine::events::Silent;
use crate::engine::find::find;
use crate::engine::fit::fit;
use crate::engine::score::{Scored, score};
use crate::engine::session::{Session, SiteWork};
use crate::engine::timers::Stopwatch;
use crate::engine::{record, sensitivity};
use crate::fault::Fault;
use crate::finding::Sensitivity;
use crate::io::blocks::Blocks;
use crate::io::formats;
use crate::io::pool::Pool;
use crate::output::PublishError;
use crate::plan::sites::blocks_mib;
use crate::plan::{SitePlan, inputs, plan_sites};
use crate::run::error::{RunError, SiteError};

/// Which changes one comparison of a site would have found.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Measured {
    /// The site's id.
    pub site: String,
    /// Ids of the earlier and the later scene; absent where the site could not be surveyed.
    pub scenes: Option<[String; 2]>,
    /// What was measured; absent where nothing could be compared.
    pub sensitivity: Option<Sensitivity>,
    /// What the comparison's notes say, or why the site could not be surveyed.
    pub why_not: Vec<String>,
}

/// Which changes every comparison of `config` would have found, of all sites or of the one with the id `only`; one bad site does not
/// stop the rest. The rasters that this needs lie in a folder that is gone afterwards.
///
/// # Errors
/// Inputs at fault; the run was stopped.
pub fn of_sites(config: &Config, only: Option<&str>, stop: &AtomicBool) -> Result<Vec<Measured>, RunError> {
    crate::io::prepare();
    let inputs = inputs::gather(config).map_err(RunError::Inputs)?;
    let is_meant = |site: &Site| only.is_none_or(|id| site.id == id);
    if let Some(id) = only
        && !inputs.declared.sites.iter().any(is_meant)
    {
        let fault = Fault::new("--site", format!("no site '{id}' is declared"));
        return Err(RunError::Inputs(vec![fault]));
    }
    on_threads(config.compute.threads, || {
        let pool = Arc::new(Pool::new(formats::allowed(&config.inputs.formats)));
        let blocks = Arc::new(Blocks::new(pool.clone(), 0));
        let session = Session {
            inputs: &inputs,
            config,
            blocks: &blocks,
            pool: &pool,
            observer: &Silent,
            stop,
        };
        let mut measured = Vec::new();
        // All are planned: an alarm budget is shared by all.
        let plans = plan_sites(config, &inputs);
        blocks.hold((blocks_mib(&plans) as usize) << 20);
        let plans = inputs.declared.sites.iter().zip(plans);
        for (site, plan) in plans.filter(|(site, _)| is_meant(site)) {
            match plan.map_err(SiteError::from).and_then(|plan| of_site(&session, &plan)) {
                Ok(found) => measured.extend(found),
                Err(error) if error.is_stopped() => return Err(RunError::Stopped),
                Err(error) => measured.push(Measured {
                    site: site.id.clone(),
                    scenes: None,
                    sensitivity: None,
                    why_not: vec![error.to_string()],
                }),
            }
        }
        Ok(measured)
    })
    .map_err(RunError::Threads)?
}

/// Which changes every comparison of the site of `plan` would have found.
fn of_site(session: &Session<'_>, plan: &SitePlan) -> Result<Vec<Measured>, SiteError> {
    let Some(ground) = &plan.ground else {
        return Ok(Vec::new());
    };
    let folder = tempfile::tempdir().map_err(|source| PublishError::Write {
        path: std::env::temp_dir(),
        source,
    })?;
    let stopwatch = &Stopwatch::default();
    let work = SiteWork {
        session,
        plan,
        ground,
        stopwatch,
    };
    let fitted = fit(session, plan, stopwatch)?;
    let (scored, rasters) = score(&work, &fitted, folder.path())?;
    let measured = |one: &Scored<'_>| -> Result<Measured, SiteError> {
        let [scores, flags] = rasters.bands(one.band, session.pool);
        let found = find(&work, one, &scores)?;
        Ok(Measured {
            site: plan.site.id.clone(),
            scenes: Some([&one.pair.before, &one.pair.after].map(|date| date.whole.id.clone())),
            sensitivity: sensitivity::measure(&work, one, &found, [scores, flags])?,
            why_not: record::notes(&work, one),
        })
    };
    scored.iter().map(measured).collect()
}
