//! Pass 4: what changed inside the regions, band by band, and what lies along their edges.

use std::collections::BTreeMap;

use super::SiteError;
use super::driver::in_order;
use super::observe::{Observed, PairView};
use super::passes::{Pass, Written};
use crate::geo::Rect;
use crate::raster::{Flags, Plane, flags};
use crate::stage::detect::difference::Scorer;
use crate::stage::judge::Edge;
use crate::stage::regions::Region;

/// What is measured inside a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Mean change of each band, in sigma of its noise.
    pub band_sigma: Vec<f64>,
    /// The region's edge.
    pub edge: Edge,
}

/// Sums over a region: thousandths of sigma per band, and edge pixels. Integers: no order of cells can be seen.
#[derive(Clone)]
struct Sums {
    bands: Vec<i64>,
    edge: Edge,
}

impl Sums {
    fn new(bands: usize) -> Self {
        Self {
            bands: vec![0; bands],
            edge: Edge::default(),
        }
    }

    fn add(&mut self, part: &Self) {
        self.bands
            .iter_mut()
            .zip(&part.bands)
            .for_each(|(all, part)| *all += part);
        self.edge.pixels += part.edge.pixels;
        self.edge.unobserved += part.edge.unobserved;
    }
}

/// Edge of the cells that the regions are looked for in, pixels: what holds none is not read again.
const CELL_PX: usize = 256;

/// Measures of `regions`, in their order; the ground that they lie on is read once more.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn measure(
    pass: &Pass<'_>,
    view: &PairView<'_>,
    scorer: &Scorer,
    flags_of: &Written<'_>,
    regions: &[Region],
) -> Result<Vec<Measure>, SiteError> {
    let grid = pass.ground.grid.rect();
    let cells = occupied(regions);
    let mut sums = vec![Sums::new(scorer.bands()); regions.len()];
    let mut done = 0;
    in_order(
        &cells,
        pass.stop,
        |(area, here)| -> Result<BTreeMap<usize, Sums>, SiteError> {
            let rim = area.grow(1);
            let reasons = flags_of.read::<u16>(&rim.intersect(&grid))?;
            Ok(sums_in(
                &labels(&rim, regions, here),
                &view.observe(area)?,
                scorer,
                &reasons,
            ))
        },
        |found| {
            found?.iter().for_each(|(region, part)| sums[*region].add(part));
            done += 1;
            pass.tell("measure", done, cells.len());
            Ok::<(), SiteError>(())
        },
    )?;
    let mean = |sum: i64, region: &Region| sum as f64 / 1000.0 / region.pixels() as f64;
    Ok(sums
        .into_iter()
        .zip(regions)
        .map(|(sums, region)| Measure {
            band_sigma: sums.bands.iter().map(|sum| mean(*sum, region)).collect(),
            edge: sums.edge,
        })
        .collect())
}

/// The cells that hold runs: the least rectangle around what they hold of any region, and which regions those are.
fn occupied(regions: &[Region]) -> Vec<(Rect, Vec<usize>)> {
    let edge = CELL_PX as i64;
    let mut cells: BTreeMap<(i64, i64), (Rect, Vec<usize>)> = BTreeMap::new();
    for (index, region) in regions.iter().enumerate() {
        for run in &region.runs {
            for column in run.from / edge..=(run.to - 1) / edge {
                let (from, to) = (run.from.max(column * edge), run.to.min((column + 1) * edge));
                let piece = Rect::new(from, run.y, (to - from) as usize, 1);
                let (area, here) = cells
                    .entry((run.y / edge, column))
                    .or_insert_with(|| (piece, Vec::new()));
                *area = area.union(&piece);
                if here.last() != Some(&index) {
                    here.push(index);
                }
            }
        }
    }
    cells.into_values().collect()
}

/// Which of the regions `here` each pixel of `area` belongs to.
fn labels(area: &Rect, regions: &[Region], here: &[usize]) -> Plane<Option<usize>> {
    let mut labels = Plane::filled(*area, None);
    for index in here {
        let runs = &regions[*index].runs;
        let first = runs.partition_point(|run| run.y < area.y);
        for run in runs[first..].iter().take_while(|run| run.y < area.bottom()) {
            for x in run.from.max(area.x)..run.to.min(area.right()) {
                if let Some(label) = labels.get_mut(x, run.y) {
                    *label = Some(*index);
                }
            }
        }
    }
    labels
}

/// What `observed` shows of the regions on it; `labels` and `reasons` reach one pixel further.
fn sums_in(
    labels: &Plane<Option<usize>>,
    observed: &Observed,
    scorer: &Scorer,
    reasons: &Plane<Flags>,
) -> BTreeMap<usize, Sums> {
    let core = observed.flags.rect;
    let mut found: BTreeMap<usize, Sums> = BTreeMap::new();
    for y in core.y..core.bottom() {
        for x in core.x..core.right() {
            let label = |x, y| labels.get(x, y).copied().flatten();
            let Some(region) = label(x, y) else { continue };
            let sums = found.entry(region).or_insert_with(|| Sums::new(scorer.bands()));
            let at = [(y - core.y) as usize, (x - core.x) as usize];
            for (band, sum) in sums.bands.iter_mut().enumerate() {
                *sum += scorer.band_millisigma(band, observed.before.values[band][at], observed.after.values[band][at]);
            }
            let around = || (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (x + dx, y + dy)));
            if around().any(|(x, y)| label(x, y) != Some(region)) {
                sums.edge.pixels += 1;
                let unobserved = |flag: &Flags| *flag != flags::CLEAR && *flag & flags::OUTSIDE_SITE == 0;
                sums.edge.unobserved += u64::from(around().any(|(x, y)| reasons.get(x, y).is_some_and(unobserved)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::regions::Run;

    fn region(rows: &[(i64, i64, i64)]) -> Region {
        let run = |(y, from, to)| Run {
            y,
            from,
            to,
            peak: 1,
            sum: to - from,
            seeds: 1,
        };
        Region {
            runs: rows.iter().copied().map(run).collect(),
        }
    }

    #[test]
    fn only_the_ground_under_regions_is_read_again() {
        let regions = [
            region(&[(10, 20, 23), (11, 19, 21)]),
            region(&[(10, 250, 260)]),
            region(&[(600, 700, 701)]),
        ];
        let found = occupied(&regions);
        assert_eq!(
            found,
            [
                (Rect::new(19, 10, 237, 2), vec![0, 1]),
                (Rect::new(256, 10, 4, 1), vec![1]),
                (Rect::new(700, 600, 1, 1), vec![2]),
            ]
        );
        assert_eq!(occupied(&[]), []);
    }
}
