//! `sitewatch plan`.

use super::confine::confine;
use super::{PipelineArgs, exit, print, print_lines, read_pipeline, tell, tell_faults};
use crate::finding::NOT_COVERING;
use crate::pipeline::inputs;
use crate::pipeline::memory;
use crate::pipeline::plan::{Ground, SitePlan};
use crate::pipeline::run;

pub fn plan(args: &PipelineArgs) -> u8 {
    confine(&[]);
    let config = match read_pipeline(args) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let inputs = match inputs::gather(&config) {
        Ok(inputs) => inputs,
        Err(faults) => {
            tell_faults(&faults);
            return exit::USAGE;
        }
    };
    let refused = &inputs.declared.refused;
    refused.iter().for_each(|one| print(&format!("not in force: {one}")));
    let mut code = exit::DONE;
    let mut memory_mib = memory::BASE_MIB as u64;
    for (site, plan) in inputs.declared.sites.iter().zip(run::plan(&config, &inputs)) {
        print(&format!("site {} ({})", site.id, site.name));
        match plan {
            Ok(plan) => {
                memory_mib = memory_mib.max(plan.ground.as_ref().map_or(0, |ground| ground.memory_mib));
                print_lines(&describe(&plan));
                if plan.pairs.is_empty() {
                    code = exit::PARTLY;
                }
            }
            Err(error) => {
                tell(&format!("error: site {}: {error}", site.id));
                code = exit::PARTLY;
            }
        }
    }
    print(&format!("predicted peak memory: {memory_mib} MiB"));
    code
}

fn describe(plan: &SitePlan) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(ground) = &plan.ground {
        lines.extend(describe_ground(ground));
    }
    for pair in &plan.pairs {
        let (before, after) = (&pair.before.whole, &pair.after.whole);
        lines.push(format!(
            "  compares {} ({}) with {} ({})",
            before.id, before.start, after.id, after.start
        ));
        if pair.is_series() {
            lines.push(format!("    and {} scenes before them", pair.history.len()));
        }
        for radar in &pair.beside {
            let (before, after) = (&radar.before.whole, &radar.after.whole);
            lines.push(format!("    together with {} and {}", before.id, after.id));
        }
        lines.push(format!("    bands: {}", pair.bands.join(" ")));
    }
    if plan.pairs.is_empty() {
        lines.push("  nothing can be compared".into());
    }
    let (elsewhere, refused): (Vec<_>, Vec<_>) = plan.refused.iter().partition(|one| one.reason == NOT_COVERING);
    let why = refused
        .iter()
        .map(|one| format!("  not used: {}: {}", one.id, one.reason));
    lines.extend(why);
    if !elsewhere.is_empty() {
        lines.push(format!(
            "  not used: {} scenes that do not cover the site",
            elsewhere.len()
        ));
    }
    lines
}

fn describe_ground(ground: &Ground) -> [String; 2] {
    let grid = &ground.grid;
    let tiles = grid.width.div_ceil(ground.tile_px) * grid.height.div_ceil(ground.tile_px);
    [
        format!(
            "  grid: {} x {} px of {} m, {}, from {} E {} N",
            grid.width, grid.height, grid.pixel_m, grid.crs, grid.left_m, grid.top_m
        ),
        format!(
            "  tiles: {tiles} of {} px and a halo of {} px; predicted peak memory {} MiB",
            ground.tile_px, ground.halo, ground.memory_mib
        ),
    ]
}
