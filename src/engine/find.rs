//! What a comparison's scores say: the cutoff, the regions above it, and which of them are claimed.

use crate::engine::EngineError;
use crate::engine::clusters::clusters;
use crate::engine::driver::in_order;
use crate::engine::rasters::RasterBand;
use crate::engine::score::Scored;
use crate::engine::session::SiteWork;
use crate::geo::tile::tiles;
use crate::io::IoError;
use crate::stage::cutoff::CutoffRule;
use crate::stage::cutoff::{self, Cutoff, Null};
use crate::stage::false_alarms::{ClusterRule, Significance, Tail};
use crate::stage::fringe::without_fringes;
use crate::stage::regions::{Labeller, Region, Run, runs};

/// What a comparison's scores say.
#[derive(Default)]
pub struct Detections {
    /// The cutoff; absent where nothing can be judged.
    pub cutoff: Option<Cutoff>,
    /// Regions that are claimed, strongest first.
    pub regions: Vec<Region>,
    /// What chance makes of each of them.
    pub significances: Vec<Significance>,
    /// Peaks of all regions, highest first, those included that the false discovery rate of objects drops.
    pub peaks: Vec<i16>,
    /// How high clusters reach without change; absent where nothing was judged.
    pub tail: Option<Tail>,
}

/// Cutoff and regions of one comparison, whose stored scores are in `scores`.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn find(work: &SiteWork<'_>, scored: &Scored<'_>, scores: &RasterBand<'_>) -> Result<Detections, EngineError> {
    if !scored.is_judged() {
        return Ok(Detections::default());
    }
    let rule = rule(work, scored);
    let tail = work.stopwatch.time("cutoff", || tail(work, scored, scores))?;
    let cutoff = work
        .stopwatch
        .time("cutoff", || cutoff::fit(&scored.counts.histogram, tail, &rule));
    let mut regions = match levels(work, scored, &cutoff) {
        Some(levels) => work.stopwatch.time("regions", || all_regions(work, scores, &levels))?,
        None => Vec::new(),
    };
    // Strongest first; the first pixel settles ties.
    regions.sort_by_key(|region| {
        (
            std::cmp::Reverse(region.peak()),
            region.runs.first().map(|run| (run.y, run.from)),
        )
    });
    let peaks: Vec<i16> = regions.iter().map(Region::peak).collect();
    let mut significances = cutoff.significances(&peaks).unwrap_or_default();
    // Peaks fall and false discovery rates rise: those that are claimed come first.
    significances.retain(|one| cutoff.claims(one));
    regions.truncate(significances.len());
    Ok(Detections {
        cutoff: Some(cutoff),
        regions,
        significances,
        peaks,
        tail,
    })
}

/// How high clusters of `scores` reach without change; `None` where nothing was judged.
fn tail(work: &SiteWork<'_>, scored: &Scored<'_>, scores: &RasterBand<'_>) -> Result<Option<Tail>, EngineError> {
    let Some(null) = Null::fit(&scored.counts.histogram) else {
        return Ok(None);
    };
    let rule = ClusterRule {
        level: null.foot(),
        min_pixels: min_pixels(work),
        fringe_px: scored.fringe_px(),
    };
    let clusters = clusters(&work.ground.grid.rect(), work.stop(), scores, &rule)?;
    Ok(Tail::fit(&clusters, rule.level))
}

/// Regions of the scores, by their first pixel.
fn all_regions(work: &SiteWork<'_>, scores: &RasterBand<'_>, levels: &Levels) -> Result<Vec<Region>, EngineError> {
    let grid = work.ground.grid.rect();
    let tiles = tiles(grid, work.ground.tile_px);
    let Levels {
        seed,
        grow,
        min_pixels,
        fringe_px,
    } = *levels;
    let mut labeller = Labeller::new(seed, min_pixels);
    let mut band: Vec<Run> = Vec::new();
    let mut band_y = 0;
    let mut done = 0;
    in_order(
        &tiles,
        work.stop(),
        |tile| {
            let around = tile.grow(fringe_px).intersect(&grid);
            let left = without_fringes(&scores.read::<i16>(&around)?, tile, fringe_px);
            Ok((tile.y, runs(&left, grow, seed)))
        },
        |found: Result<(i64, Vec<Run>), IoError>| {
            let (y, runs) = found?;
            if y != band_y {
                labeller.add_band(std::mem::take(&mut band));
                band_y = y;
            }
            band.extend(runs);
            done += 1;
            work.tell("regions", done, tiles.len());
            Ok::<(), EngineError>(())
        },
    )?;
    labeller.add_band(band);
    Ok(labeller.finish())
}

/// Which scores make regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// A region's peak reaches this, stored score.
    pub seed: i16,
    /// Its pixels reach this.
    pub grow: i16,
    /// Smaller ones are dropped, pixels.
    pub min_pixels: u64,
    /// How far smoothing draws a fringe around a peak, pixels.
    pub fringe_px: usize,
}

/// Which scores make regions at `cutoff`; `None` where it claims nothing.
pub fn levels(work: &SiteWork<'_>, scored: &Scored<'_>, cutoff: &Cutoff) -> Option<Levels> {
    let (seed, grow) = cutoff.levels?;
    Some(Levels {
        seed,
        grow,
        min_pixels: min_pixels(work),
        fringe_px: scored.fringe_px(),
    })
}

/// How the cutoff of a comparison is set.
pub fn rule(work: &SiteWork<'_>, scored: &Scored<'_>) -> CutoffRule {
    let config = work.config();
    let detectors: Vec<_> = scored.scorers().map(|(detector, _)| *detector).collect();
    let (radar, series) = scored.kind();
    config
        .profile
        .of(radar, series)
        .cutoff(&config.cutoff, &detectors, work.plan.most_false)
}

/// The fewest pixels of a region.
fn min_pixels(work: &SiteWork<'_>) -> u64 {
    let least = work.config().regions.min_area_m2 / work.ground.grid.pixel_area_m2();
    (least - 1e-9).ceil().max(1.0) as u64
}
