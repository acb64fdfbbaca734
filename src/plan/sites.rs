//! The plans of all declared sites.

use crate::config::Config;
use crate::io::IoError;
use crate::io::area::area_m2;
use crate::plan::inputs::Inputs;
use crate::plan::site_plan::{SitePlan, plan_site};

/// The plan of every site, or why it has none.
pub fn plan_sites(config: &Config, inputs: &Inputs) -> Vec<Result<SitePlan, IoError>> {
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
    let area = |plan: &SitePlan| area_m2(&plan.site.boundary);
    let all: f64 = plans
        .iter()
        .flatten()
        .map(|plan| area(plan) * plan.pairs.len() as f64)
        .sum();
    for plan in plans.iter_mut().flatten() {
        plan.most_false = Some(budget * area(plan) / all.max(1.0));
    }
}

/// MiB of decoded blocks that there is room for: as the site with the longest series needs.
pub fn blocks_mib(plans: &[Result<SitePlan, IoError>]) -> u64 {
    let of = |plan: &SitePlan| plan.ground.as_ref().map_or(0, |ground| ground.blocks_mib);
    plans.iter().flatten().map(of).max().unwrap_or(0)
}
