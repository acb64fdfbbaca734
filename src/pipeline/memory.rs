//! How much memory the survey of a site takes at its peak, predicted before a pixel is read.

use super::config::Config;
use super::driver::{BATCH, thread_count};
use crate::geo::Grid;
use crate::io;

/// Memory of the program itself with its libraries, MiB: 60 were seen before the first pixel is read, the rest is an allowance.
const BASE_MIB: f64 = 110.0;

/// An allowance for regions and what is said of them, bytes for each pixel of the site. Nothing where nothing changed, 2.4 for
/// the whole tile of `make bench` with its 75,900 anomalies: how much has changed is not known beforehand.
const REGION_BYTES: f64 = 1.5;

const MIB: f64 = 1_048_576.0;

/// The largest tile that stays in the budget, and the peak memory that it leads to in MiB, where all dates together have so many
/// `bands` and `quality` bands.
pub fn fit(grid: &Grid, halo: usize, bands: usize, quality: usize, config: &Config) -> (usize, u64) {
    let threads = thread_count(config.compute.threads) as f64;
    let (bands, quality) = (bands as f64, quality as f64);
    let pixels = (grid.width * grid.height) as f64;
    // Decoded blocks of all dates, of two bytes a value mostly, are kept until their store is full.
    let blocks = (2.0 * pixels * (bands + quality) / MIB).min(config.compute.blocks_mib() as f64);
    let fixed = BASE_MIB + f64::from(io::GDAL_CACHE_MIB) + blocks + REGION_BYTES * pixels / MIB;
    let predict = |edge: usize| {
        let core = (edge.min(grid.width) * edge.min(grid.height)) as f64;
        let padded = ((edge.min(grid.width) + 2 * halo) * (edge.min(grid.height) + 2 * halo)) as f64;
        // Stacks of f32 bands and flags, one raw window with its copy, smoothed bands and slopes, scores.
        let working = padded * (4.0 * (bands + quality) + 4.0 + 8.0 + 8.0 * bands + 16.0);
        // Scores and flags wait in two batches.
        let waiting = 2.0 * BATCH as f64 * core * (2.0 + 2.0);
        fixed + threads * (working + waiting) / MIB
    };
    let mut edge = config.compute.tile_px;
    while edge > 64 && predict(edge) > config.compute.memory_mib as f64 {
        edge /= 2;
    }
    (edge, predict(edge).ceil() as u64)
}
