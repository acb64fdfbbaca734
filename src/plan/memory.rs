//! How much memory a site takes at its peak, predicted before a pixel is read.

use crate::config::ComputeParams;
use crate::config::threads::{AHEAD, thread_count};
use crate::geo::Grid;
use crate::io;
use crate::io::open::RasterInfo;
use crate::plan::pairs::Pair;
use crate::plan::training;

/// Memory of the program itself with its libraries, MiB: 60 were seen before the first pixel is read, the rest is an allowance.
pub const BASE_MIB: f64 = 110.0;

/// An allowance for regions and what is said of them, bytes for each pixel of the site. Nothing where nothing changed, 2.4 for
/// the whole tile of `make bench` with its 75,900 anomalies: how much has changed is not known beforehand.
const REGION_BYTES: f64 = 1.5;

/// What the allocator holds of bands that were given back, beside those in use: 757 MiB were seen where 690 would be predicted (30 dates
/// of four bands, two threads).
const ALLOCATOR: f64 = 1.3;

/// Of the largest block with all its bands, a thread has at once: its bytes as they are packed, unpacked, as planes, and as many again for a
/// decoder that works on a copy (LERC, progressive JPEG). One more plane is held while a window is copied out of it. Measured on strips and
/// tiles of 46 to 61 MiB in one to 300 bands, as they are packed in twelve ways: SECURITY.md has the table.
const BLOCK_COPIES: f64 = 4.0;

/// Rasters with larger blocks and headers, bytes, are counted one by one, and fill the store however small a site is.
const LARGE_BLOCK: usize = 4 << 20;

const MIB: f64 = 1_048_576.0;

/// What is read of a site for a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Dates, those beside the judged ones too.
    pub dates: usize,
    /// Bands of all dates.
    pub bands: usize,
    /// Quality bands of all dates.
    pub quality: usize,
    /// The largest block of a file, columns and rows.
    pub block: (usize, usize),
    /// Bytes of the largest block of a file, with all bands that lie in it.
    pub block_bytes: usize,
    /// Bytes that an open handle on a file holds at most before anything is read.
    pub header_bytes: usize,
    /// Pixels that are read around a tile.
    pub halo: usize,
}

impl Load {
    /// What is read for the comparisons `pairs`, of whose bands the `compared` rasters are, among all that are `decoded`.
    pub fn of(pairs: &[Pair], compared: &[&RasterInfo], decoded: &[&RasterInfo], halo: usize) -> Self {
        let [bands, quality, dates] = pairs.iter().map(planes).max().unwrap_or([2, 0, 2]);
        let block = compared
            .iter()
            .fold((1, 1), |(w, h), info| (info.block.0.max(w), info.block.1.max(h)));
        Self {
            dates,
            bands,
            quality,
            block,
            block_bytes: decoded.iter().map(|info| info.block_bytes).max().unwrap_or(0),
            header_bytes: decoded.iter().map(|info| info.header_bytes).max().unwrap_or(0),
            halo,
        }
    }
}

/// Bands and quality bands of all dates of a comparison and of those beside it, and how many dates these are.
fn planes(pair: &Pair) -> [usize; 3] {
    let of = |pair: &Pair| {
        let scenes = pair.scenes();
        let quality: usize = scenes.iter().map(|scene| scene.quality.len()).sum();
        // While pieces of a date are put together, one more is held.
        let is_of_pieces = pair.dates().iter().any(|date| date.pieces.len() > 1);
        let dates = scenes.len() + usize::from(is_of_pieces);
        [pair.bands.len() * dates, quality, dates]
    };
    let together = std::iter::once(pair).chain(&pair.companions).map(of);
    together.fold([0; 3], |all, one| [all[0] + one[0], all[1] + one[1], all[2] + one[2]])
}

/// How a site is worked off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Edge of its tiles, pixels.
    pub tile_px: usize,
    /// Room for decoded blocks, MiB.
    pub blocks_mib: u64,
    /// Predicted peak memory, MiB.
    pub peak_mib: u64,
}

/// The largest tile with which the site `grid`, for which `sampled` ground trains the detectors, stays in the budget.
///
/// Decoded blocks have a fifth of the budget, or as much as one tile reads of a long series: with less, every tile would decode all of it
/// anew.
pub fn fit(grid: &Grid, sampled: &Grid, load: &Load, compute: &ComputeParams) -> Budget {
    let threads = thread_count(compute.threads) as f64;
    let (bands, quality) = (load.bands as f64, load.quality as f64);
    let pixels = (grid.width * grid.height) as f64;
    let store = compute.blocks_mib();
    // Decoded blocks of all dates are of two bytes a value mostly.
    let decoded_mib = |pixels: f64| 2.0 * pixels * (bands + quality) / MIB;
    let touched = |edge: usize| {
        let along = |length: usize, block: usize| {
            let reach = edge.min(length) + 2 * load.halo;
            ((reach - 1).div_ceil(block.max(1)) + 1).min(length.div_ceil(block.max(1))) * block
        };
        decoded_mib((along(grid.width, load.block.0) * along(grid.height, load.block.1)) as f64).ceil() as u64
    };
    let is_large = load.block_bytes + load.header_bytes > LARGE_BLOCK;
    let decoding = match is_large {
        true => {
            let (block, header) = (load.block_bytes as f64, load.header_bytes as f64);
            (threads * (BLOCK_COPIES * block + header) + io::pool::KEPT_BYTES as f64) / MIB
        }
        false => 0.0,
    };
    let fixed = BASE_MIB + f64::from(io::GDAL_CACHE_MIB) + REGION_BYTES * pixels / MIB + decoding;
    let predict = |edge: usize, store: u64| {
        let core = (edge.min(grid.width) * edge.min(grid.height)) as f64;
        let padded = ((edge.min(grid.width) + 2 * load.halo) * (edge.min(grid.height) + 2 * load.halo)) as f64;
        // Stacks of f32 bands and flags, one raw window with its copy, smoothed bands and slopes of two dates, scores.
        let sides = 2.0 * bands / load.dates.max(1) as f64;
        let scoring = padded * (4.0 * (bands + quality) + 4.0 + 8.0 + 8.0 * sides + 16.0);
        // Districts are fitted side by side: places, both dates with their squared gradients, and what is sorted of them.
        let fitting = match sampled == grid {
            true => 0.0,
            false => training::SAMPLE as f64 * (24.0 * sides + 32.0),
        };
        // Scores and flags wait for their turn.
        let waiting = AHEAD as f64 * core * (2.0 + 2.0);
        // Sites of districts fill the store together.
        let blocks = match sampled == grid && !is_large {
            true => decoded_mib(pixels).min(store as f64),
            false => store as f64,
        };
        (fixed + blocks + ALLOCATOR * threads * (scoring + waiting).max(fitting) / MIB).ceil() as u64
    };
    let with = |tile_px: usize, blocks_mib: u64| Budget {
        tile_px,
        blocks_mib,
        peak_mib: predict(tile_px, blocks_mib),
    };
    let edges = || std::iter::successors(Some(compute.tile_px), |edge| (*edge > 64).then_some(edge / 2));
    let fits = |budget: &Budget| budget.peak_mib <= compute.memory_mib;
    let roomy = edges().map(|edge| with(edge, store.max(touched(edge)))).find(fits);
    let least = || edges().map(|edge| with(edge, store));
    roomy
        .or_else(|| least().find(fits))
        .or_else(|| least().last())
        .unwrap_or(with(64, store))
}

/// Width of the strips in which `grid` is worked off in tiles of `tile_px`, pixels: so narrow that while a row of tiles is read, the
/// decoded blocks that it shares with the rows above and below stay in their store of so many MiB; most take two bytes a pixel.
pub fn strip_px(grid: &Grid, tile_px: usize, load: &Load, blocks_mib: u64) -> usize {
    let block = load.block;
    let rows = ((tile_px + 2 * load.halo).div_ceil(block.1.max(1)) + 1) * block.1.max(1);
    let columns = ((blocks_mib as usize) << 20) / (rows * 2 * (load.bands + load.quality).max(1));
    // Beside a strip, blocks of its neighbours are read too: those that reach across the whole grid with every strip.
    if grid.width <= columns || block.0 >= grid.width {
        return grid.width;
    }
    columns.saturating_sub(2 * block.0).max(tile_px) / tile_px * tile_px
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_are_as_wide_as_the_store_of_blocks_allows() {
        let grid = Grid::covering("EPSG:32631", [0.0, 0.0, 109_800.0, 109_800.0], 10.0, [0.0, 0.0]);
        let strip = |bands, block| {
            let load = Load {
                dates: 2,
                bands,
                quality: 0,
                block,
                block_bytes: 0,
                header_bytes: 0,
                halo: 35,
            };
            strip_px(&grid, 512, &load, 256)
        };
        // 256 MiB are 8,738 columns of three rows of blocks of ten planes, of which 1,024 lie beside the strip.
        assert_eq!(strip(10, (512, 512)), 15 * 512);
        // Stacks of rows that reach across the whole tile, and blocks that fit.
        assert_eq!(strip(10, (10_980, 3)), 10_980);
        assert_eq!(strip(4, (512, 512)), 10_980);
        assert_eq!(strip(1000, (512, 512)), 512);
    }

    #[test]
    fn a_long_series_has_room_for_what_a_tile_reads() {
        let compute = ComputeParams {
            memory_mib: 1024,
            tile_px: 512,
            threads: 2,
        };
        let grid = Grid::covering("EPSG:32631", [0.0, 0.0, 30_720.0, 30_720.0], 10.0, [0.0, 0.0]);
        let of = |dates: usize| {
            let load = Load {
                dates,
                bands: 4 * dates,
                quality: dates,
                block: (512, 512),
                block_bytes: 1 << 19,
                header_bytes: 0,
                halo: 86,
            };
            fit(&grid, &grid, &load, &compute)
        };
        let (pair, series, endless) = (of(2), of(30), of(300));
        assert_eq!((pair.tile_px, pair.blocks_mib), (512, 204));
        // Two blocks of 512 px in each direction hold a tile of 256 px with 86 around; half a MiB each of 150 planes.
        assert_eq!((series.tile_px, series.blocks_mib), (256, 300));
        assert!(series.peak_mib <= 1024 && endless.tile_px < 256 && endless.blocks_mib == 204);
    }

    #[test]
    fn large_blocks_are_counted_for_each_thread() {
        let compute = ComputeParams {
            memory_mib: 8192,
            tile_px: 1024,
            threads: 2,
        };
        let grid = Grid::covering("EPSG:32631", [0.0, 0.0, 1600.0, 1600.0], 10.0, [0.0, 0.0]);
        let peak = |block_bytes| {
            let load = Load {
                dates: 2,
                bands: 8,
                quality: 2,
                block: (512, 512),
                block_bytes,
                header_bytes: 0,
                halo: 35,
            };
            fit(&grid, &grid, &load, &compute).peak_mib
        };
        // Four times the block for each of two threads, handles that nobody uses, and a full store.
        assert!(peak(50 << 20) >= peak(1 << 20) + 400);
        assert_eq!(peak(60 << 20), peak(50 << 20) + 80);
    }
}
