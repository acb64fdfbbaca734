//! `sitewatch plan`.

use super::args::{PipelineArgs, read_pipeline};
use super::confine::confine;
use super::exit;
use super::foreseen::tell_foreseen;
use super::output::{print, tell_faults};
use crate::plan::inputs;
use crate::plan::memory;
use crate::plan::{Ground, SitePlan};

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
    let mut memory_mib = memory::BASE_MIB as u64;
    let code = tell_foreseen(&config, &inputs, |plan| {
        let needed = plan.ground.as_ref().map_or(0, |ground| ground.memory_mib);
        memory_mib = memory_mib.max(needed);
        describe(plan)
    });
    print(&format!("predicted peak memory: {memory_mib} MiB"));
    code
}

fn describe(plan: &SitePlan) -> Vec<String> {
    let mut lines = vec![format!("site {} ({})", plan.site.id, plan.site.name)];
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
        for radar in &pair.companions {
            let (before, after) = (&radar.before.whole, &radar.after.whole);
            lines.push(format!("    together with {} and {}", before.id, after.id));
        }
        lines.push(format!("    bands: {}", pair.bands.join(" ")));
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
