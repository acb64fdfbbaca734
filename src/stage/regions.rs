//! Regions: 8-connected pixels at or above the grow cutoff whose peak reaches the seed cutoff.
//!
//! Work goes row by row over maximal runs, so neither tiles nor seams can be seen in the result, and memory holds only
//! the regions that are open at the current row and those that are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::geo::Rect;
use crate::raster::Plane;
use crate::raster::stats::SCORE_NODATA;

/// `[regions]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionParams {
    /// Smaller regions are dropped, square metres in the plane of the site grid.
    #[schemars(range(min = 0.0, max = 1e12), extend("unit" = "square metres"))]
    pub min_area_m2: f64,
}

/// A maximal piece of one row whose scores reach the grow cutoff: columns `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Row.
    pub y: i64,
    /// First column.
    pub from: i64,
    /// Column after the last.
    pub to: i64,
    /// Highest stored score.
    pub peak: i16,
    /// Sum of the stored scores.
    pub sum: i64,
    /// Pixels at or above the seed cutoff.
    pub seeds: u64,
}

/// Connected pixels of change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Region {
    /// Its runs, by row and column.
    pub runs: Vec<Run>,
}

impl Region {
    /// Pixels.
    pub fn pixels(&self) -> u64 {
        self.runs.iter().map(|run| (run.to - run.from) as u64).sum()
    }

    /// Highest stored score.
    pub fn peak(&self) -> i16 {
        self.runs.iter().map(|run| run.peak).max().unwrap_or(SCORE_NODATA)
    }

    /// Mean of the stored scores.
    pub fn mean(&self) -> f64 {
        self.runs.iter().map(|run| run.sum).sum::<i64>() as f64 / self.pixels().max(1) as f64
    }

    /// Pixels at or above the seed cutoff.
    pub fn seeds(&self) -> u64 {
        self.runs.iter().map(|run| run.seeds).sum()
    }

    /// The smallest rectangle around it.
    pub fn bounds(&self) -> Rect {
        self.runs
            .iter()
            .map(|run| Rect::new(run.from, run.y, (run.to - run.from) as usize, 1))
            .reduce(|a, b| a.union(&b))
            .unwrap_or(Rect::new(0, 0, 0, 0))
    }
}

/// The runs of `scores` at or above `grow`, by row and column.
pub fn runs(scores: &Plane<i16>, grow: i16, seed: i16) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    for (row, values) in scores.rows().enumerate() {
        let y = scores.rect().y + row as i64;
        let mut open = false;
        for (column, score) in values.iter().enumerate() {
            if *score == SCORE_NODATA || *score < grow {
                open = false;
                continue;
            }
            let x = scores.rect().x + column as i64;
            let pixel = Run {
                y,
                from: x,
                to: x + 1,
                peak: *score,
                sum: i64::from(*score),
                seeds: u64::from(*score >= seed),
            };
            match found.last_mut().filter(|_| open) {
                Some(run) => extend(run, &pixel),
                None => found.push(pixel),
            }
            open = true;
        }
    }
    found
}

fn extend(run: &mut Run, next: &Run) {
    run.to = next.to;
    run.peak = run.peak.max(next.peak);
    run.sum += next.sum;
    run.seeds += next.seeds;
}

/// Joins runs, row by row, into regions.
pub struct Labeller {
    seed: i16,
    min_pixels: u64,
    /// Regions by label; a label that was joined to another holds nothing and points on.
    regions: Vec<Region>,
    joined_to: Vec<usize>,
    /// The last row that was seen, and the labels of its runs.
    last: Vec<(Run, usize)>,
    kept: Vec<Region>,
}

impl Labeller {
    /// A labeller that keeps regions of at least `min_pixels` whose peak reaches `seed`.
    pub fn new(seed: i16, min_pixels: u64) -> Self {
        Self {
            seed,
            min_pixels,
            regions: Vec::new(),
            joined_to: Vec::new(),
            last: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Takes the runs of one band of rows, of all its tiles in any order; bands come from top to bottom.
    pub fn add_band(&mut self, mut band: Vec<Run>) {
        band.sort_unstable_by_key(|run| (run.y, run.from));
        // Runs that meet at a seam between tiles are one run.
        let mut whole: Vec<Run> = Vec::with_capacity(band.len());
        for run in band {
            match whole.last_mut().filter(|last| last.y == run.y && last.to == run.from) {
                Some(last) => extend(last, &run),
                None => whole.push(run),
            }
        }
        whole.chunk_by(|a, b| a.y == b.y).for_each(|row| self.add_row(row));
        if self.regions.len() > 4096 {
            self.forget_closed();
        }
    }

    /// The regions that were kept, by their first pixel.
    pub fn finish(mut self) -> Vec<Region> {
        self.last.clear();
        self.close(|_| true);
        self.kept
            .sort_by_key(|region| region.runs.first().map(|run| (run.y, run.from)));
        self.kept
    }

    fn add_row(&mut self, row: &[Run]) {
        let adjacent = matches!((self.last.first(), row.first()), (Some((last, _)), Some(run)) if last.y + 1 == run.y);
        let last = std::mem::take(&mut self.last);
        let above: &[(Run, usize)] = if adjacent { &last } else { &[] };
        let mut start = 0;
        let mut labelled = Vec::with_capacity(row.len());
        for run in row {
            while start < above.len() && above[start].0.to < run.from {
                start += 1;
            }
            let mut label = None;
            for (_, other) in above[start..].iter().take_while(|(a, _)| a.from <= run.to) {
                let other = self.root(*other);
                label = Some(match label {
                    None => other,
                    Some(mine) => self.join(mine, other),
                });
            }
            let label = label.unwrap_or_else(|| {
                self.regions.push(Region::default());
                self.joined_to.push(self.regions.len() - 1);
                self.regions.len() - 1
            });
            self.regions[label].runs.push(*run);
            labelled.push((*run, label));
        }
        self.last = labelled;
    }

    fn root(&self, mut label: usize) -> usize {
        while self.joined_to[label] != label {
            label = self.joined_to[label];
        }
        label
    }

    fn join(&mut self, a: usize, b: usize) -> usize {
        if a == b {
            return a;
        }
        let (large, small) = if self.regions[a].runs.len() >= self.regions[b].runs.len() {
            (a, b)
        } else {
            (b, a)
        };
        let runs = std::mem::take(&mut self.regions[small].runs);
        self.regions[large].runs.extend(runs);
        self.joined_to[small] = large;
        large
    }

    /// Keeps or drops the regions that no run of the last row belongs to, and renumbers the rest.
    fn forget_closed(&mut self) {
        let roots: Vec<usize> = self.last.iter().map(|(_, label)| self.root(*label)).collect();
        let mut open = vec![false; self.regions.len()];
        roots.iter().for_each(|root| open[*root] = true);
        self.close(|label| !open[label]);
        let mut renumbered = vec![0; self.regions.len()];
        let mut regions = Vec::new();
        for (label, region) in std::mem::take(&mut self.regions)
            .into_iter()
            .enumerate()
            .filter(|(label, _)| open[*label])
        {
            renumbered[label] = regions.len();
            regions.push(region);
        }
        self.joined_to = (0..regions.len()).collect();
        self.regions = regions;
        self.last
            .iter_mut()
            .zip(roots)
            .for_each(|((_, label), root)| *label = renumbered[root]);
    }

    fn close(&mut self, closed: impl Fn(usize) -> bool) {
        for label in 0..self.regions.len() {
            if !closed(label) {
                continue;
            }
            let mut region = std::mem::take(&mut self.regions[label]);
            if region.peak() >= self.seed && region.pixels() >= self.min_pixels {
                region.runs.sort_unstable_by_key(|run| (run.y, run.from));
                region.runs.shrink_to_fit();
                self.kept.push(region);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::tile::tiles;

    fn label(scores: &Plane<i16>, edge: usize, min_pixels: u64) -> Vec<Region> {
        let mut labeller = Labeller::new(9, min_pixels);
        let tiles = tiles(scores.rect(), edge);
        for band in tiles.chunk_by(|a, b| a.y == b.y) {
            labeller.add_band(band.iter().flat_map(|tile| runs(&scores.crop(tile), 5, 9)).collect());
        }
        labeller.finish()
    }

    fn plane(rows: &[&str]) -> Plane<i16> {
        let (h, w) = (rows.len(), rows[0].len());
        Plane::from_fn(Rect::new(0, 0, w, h), |[y, x]| match rows[y].as_bytes()[x] {
            b'x' => SCORE_NODATA,
            digit => i16::from(digit - b'0'),
        })
    }

    #[test]
    fn corners_connect_and_weak_or_small_regions_go() {
        let scores = plane(&["9000000", "0500550", "0006000", "9000000", "x900005"]);
        let found = label(&scores, 100, 2);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].pixels(), found[0].peak(), found[0].seeds()), (2, 9, 1));
        assert_eq!(found[1].bounds(), Rect::new(0, 3, 2, 2));
    }

    fn flood(scores: &Plane<i16>) -> Vec<u64> {
        let mut left = scores.view().mapv(|s| s >= 5);
        let (h, w) = left.dim();
        let mut sizes = Vec::new();
        for start in 0..h * w {
            let (mut stack, mut size, mut peak) = (vec![(start / w, start % w)], 0, 0);
            while let Some((y, x)) = stack.pop() {
                if std::mem::take(&mut left[[y, x]]) {
                    size += 1;
                    peak = peak.max(scores[[y, x]]);
                    for (dy, dx) in (0..9).map(|i| (i / 3, i % 3)) {
                        let (ny, nx) = ((y + dy).wrapping_sub(1), (x + dx).wrapping_sub(1));
                        if ny < h && nx < w {
                            stack.push((ny, nx));
                        }
                    }
                }
            }
            if size > 0 && peak >= 9 {
                sizes.push(size);
            }
        }
        sizes.sort_unstable();
        sizes
    }

    proptest! {
        #[test]
        fn tiles_cannot_be_seen(values in proptest::collection::vec(0_i16..10, 13 * 17), edge in 1_usize..9) {
            let scores = Plane::new(Rect::new(0, 0, 17, 13), values);
            let whole = label(&scores, 100, 1);
            prop_assert_eq!(&label(&scores, edge, 1), &whole);
            let mut sizes: Vec<u64> = whole.iter().map(Region::pixels).collect();
            sizes.sort_unstable();
            prop_assert_eq!(sizes, flood(&scores));
        }
    }
}
