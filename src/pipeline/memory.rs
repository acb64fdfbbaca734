//! How much memory the survey of a site takes at its peak, predicted before a pixel is read.

use super::config::Config;
use super::driver::{AHEAD, thread_count};
use crate::geo::Grid;
use crate::io;

/// Memory of the program itself with its libraries, MiB: 60 were seen before the first pixel is read, the rest is an allowance.
const BASE_MIB: f64 = 110.0;

/// An allowance for regions and what is said of them, bytes for each pixel of the site. Nothing where nothing changed, 2.4 for
/// the whole tile of `make bench` with its 75,900 anomalies: how much has changed is not known beforehand.
const REGION_BYTES: f64 = 1.5;

/// What the allocator holds of pages that were given back, beside those in use: 1,033 MiB were seen where 911 would have been predicted
/// (30 dates of four bands, two threads).
const ALLOCATOR: f64 = 1.2;

const MIB: f64 = 1_048_576.0;

/// Width of the strips in which `grid` is worked off, pixels, where tiles of `tile_px` are read with a `halo` around them from files in
/// blocks of at most `block` pixels: so narrow that while a row of tiles is read, the decoded blocks that it shares with the rows above
/// and below stay in their store of so many MiB. All dates together have so many `planes` of bands and quality, mostly of two bytes a pixel.
pub fn strip_px(
    grid: &Grid,
    (tile_px, halo): (usize, usize),
    block: (usize, usize),
    planes: usize,
    blocks_mib: u64,
) -> usize {
    let rows = ((tile_px + 2 * halo).div_ceil(block.1.max(1)) + 1) * block.1.max(1);
    let columns = ((blocks_mib as usize) << 20) / (rows * 2 * planes.max(1));
    // Beside a strip, blocks of its neighbours are read too: those that reach across the whole grid with every strip.
    if grid.width <= columns || block.0 >= grid.width {
        return grid.width;
    }
    columns.saturating_sub(2 * block.0).max(tile_px) / tile_px * tile_px
}

/// The largest tile that stays in the budget, and the peak memory that it leads to in MiB, where all dates together have so many
/// `bands` and `quality` bands, on the site `grid` for which as much ground is `surveyed`.
pub fn fit(
    (grid, surveyed): (&Grid, &Grid),
    halo: usize,
    bands: usize,
    quality: usize,
    config: &Config,
) -> (usize, u64) {
    let threads = thread_count(config.compute.threads) as f64;
    let (bands, quality) = (bands as f64, quality as f64);
    let pixels = (grid.width * grid.height) as f64;
    // Decoded blocks of all dates, of two bytes a value mostly, are kept until their store is full, which sites of districts do together.
    let store = config.compute.blocks_mib() as f64;
    let blocks = match surveyed == grid {
        true => (2.0 * pixels * (bands + quality) / MIB).min(store),
        false => store,
    };
    let fixed = BASE_MIB + f64::from(io::GDAL_CACHE_MIB) + blocks + REGION_BYTES * pixels / MIB;
    let predict = |edge: usize| {
        let core = (edge.min(grid.width) * edge.min(grid.height)) as f64;
        let padded = ((edge.min(grid.width) + 2 * halo) * (edge.min(grid.height) + 2 * halo)) as f64;
        // Stacks of f32 bands and flags, one raw window with its copy, smoothed bands and slopes, scores.
        let working = padded * (4.0 * (bands + quality) + 4.0 + 8.0 + 8.0 * bands + 16.0);
        // Scores and flags wait for their turn.
        let waiting = AHEAD as f64 * core * (2.0 + 2.0);
        fixed + ALLOCATOR * threads * (working + waiting) / MIB
    };
    let mut edge = config.compute.tile_px;
    while edge > 64 && predict(edge) > config.compute.memory_mib as f64 {
        edge /= 2;
    }
    (edge, predict(edge).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_are_as_wide_as_the_store_of_blocks_allows() {
        let grid = Grid::covering("EPSG:32631", [0.0, 0.0, 109_800.0, 109_800.0], 10.0, [0.0, 0.0]);
        let strip = |planes, block| strip_px(&grid, (512, 35), block, planes, 256);
        // 256 MiB are 8,738 columns of three rows of blocks of ten planes, of which 1,024 lie beside the strip.
        assert_eq!(strip(10, (512, 512)), 15 * 512);
        // Stacks of rows that reach across the whole tile, and blocks that fit.
        assert_eq!(strip(10, (10_980, 3)), 10_980);
        assert_eq!(strip(4, (512, 512)), 10_980);
        assert_eq!(strip(1000, (512, 512)), 512);
    }
}
