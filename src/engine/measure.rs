//! What changed inside the regions, band by band, and what lies along their edges.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::Array2;

use crate::engine::EngineError;
use crate::engine::driver::in_order;
use crate::engine::rasters::RasterBand;
use crate::engine::score::Scored;
use crate::engine::session::SiteWork;
use crate::engine::stack::StackReader;
use crate::geo::Rect;
use crate::geo::tile::in_strips;
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};
use crate::raster::{Flags, Plane, ReadError, flags};
use crate::stage::detect::smooth;
use crate::stage::detect::{BreakDate, Course, DetectParams, ScreenedStack};
use crate::stage::judge::Edge;
use crate::stage::normalise::LinearFit;
use crate::stage::regions::Region;

/// What is measured inside a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Mean change of each band, in sigma of its noise.
    pub band_sigma: Vec<f64>,
    /// The region's edge.
    pub edge: Edge,
    /// Mean score of each detector, sigma; `None` from one that could not judge any of it. Empty where one detector decides alone.
    pub votes: Vec<Option<f64>>,
    /// When most of it changed, where the detector can tell.
    pub break_date: Option<BreakDate>,
    /// The course of most of it, where the detector can tell.
    pub course: Option<Course>,
}

/// Sums over a region: thousandths of sigma per band, edge pixels, stored scores. Integers: no order of cells can be seen.
#[derive(Clone)]
struct Sums {
    bands: Vec<i64>,
    edge: Edge,
    /// Sum and number of the scores of each detector.
    votes: Vec<(i64, u64)>,
    break_dates: BTreeMap<BreakDate, u64>,
    courses: BTreeMap<Course, u64>,
}

/// What most pixels show; of several alike the least.
fn most<K: Copy>(counts: &BTreeMap<K, u64>) -> Option<K> {
    counts.iter().rev().max_by_key(|(_, n)| **n).map(|(key, _)| *key)
}

impl Sums {
    fn new(bands: usize, votes: usize) -> Self {
        Self {
            bands: vec![0; bands],
            edge: Edge::default(),
            votes: vec![(0, 0); votes],
            break_dates: BTreeMap::new(),
            courses: BTreeMap::new(),
        }
    }

    fn add(&mut self, part: &Self) {
        self.bands
            .iter_mut()
            .zip(&part.bands)
            .for_each(|(all, part)| *all += part);
        self.edge.pixels += part.edge.pixels;
        self.edge.unobserved += part.edge.unobserved;
        for (all, part) in self.votes.iter_mut().zip(&part.votes) {
            *all = (all.0 + part.0, all.1 + part.1);
        }
        part.break_dates
            .iter()
            .for_each(|(break_date, n)| *self.break_dates.entry(*break_date).or_insert(0) += n);
        part.courses
            .iter()
            .for_each(|(course, n)| *self.courses.entry(*course).or_insert(0) += n);
    }

    /// Adds what is seen of the pixel `at`, row and column.
    fn take_in(&mut self, observed: &Observed, fits: &[LinearFit], at: [usize; 2]) {
        for (band, (sum, fit)) in self.bands.iter_mut().zip(fits).enumerate() {
            *sum += fit.millisigma(observed.before[band][at], observed.after[band][at]);
        }
        for ((sum, n), scores) in self.votes.iter_mut().zip(&observed.votes) {
            let score = scores[at];
            if score != SCORE_NODATA {
                (*sum, *n) = (*sum + i64::from(score), *n + 1);
            }
        }
        if let Some(Some(break_date)) = observed.break_dates.as_ref().map(|plane| plane[at]) {
            *self.break_dates.entry(break_date).or_insert(0) += 1;
        }
        if let Some(Some(course)) = observed.courses.as_ref().map(|plane| plane[at]) {
            *self.courses.entry(course).or_insert(0) += 1;
        }
    }

    /// Adds what is seen of the part of `region` that lies in the rectangle.
    fn take_in_region(&mut self, observed: &Observed, fits: &[LinearFit], region: &Region) {
        let core = observed.flags.rect();
        for (y, columns) in runs_in(region, &core) {
            for x in columns {
                self.take_in(observed, fits, [(y - core.y) as usize, (x - core.x) as usize]);
            }
        }
    }

    /// Adds the edge of that part, whose pixels have `label`; `reasons` tell what was observed, one pixel further around.
    fn take_in_edge(&mut self, observed: &Observed, reasons: &Plane<Flags>, region: &Region, label: u32) {
        let unobserved = |flag: &Flags| *flag != flags::CLEAR && *flag & flags::OUTSIDE_SITE == 0;
        for (y, columns) in runs_in(region, &observed.flags.rect()) {
            for x in columns {
                let around = || (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (x + dx, y + dy)));
                if around().any(|(x, y)| observed.labels.get(x, y) != Some(&label)) {
                    self.edge.pixels += 1;
                    let is_open = around().any(|(x, y)| reasons.get(x, y).is_some_and(unobserved));
                    self.edge.unobserved += u64::from(is_open);
                }
            }
        }
    }

    fn measure(self, region: &Region) -> Measure {
        let mean = |sum: i64| sum as f64 / 1000.0 / region.pixels() as f64;
        let vote = |(sum, n): &(i64, u64)| (*n > 0).then(|| *sum as f64 * SCORE_SCALE / *n as f64);
        Measure {
            band_sigma: self.bands.iter().map(|sum| mean(*sum)).collect(),
            edge: self.edge,
            votes: self.votes.iter().map(vote).collect(),
            break_date: most(&self.break_dates),
            course: most(&self.courses),
        }
    }
}

/// What is seen of a rectangle when it is measured.
struct Observed {
    /// Both dates, smoothed, band by band.
    before: Vec<Array2<f32>>,
    after: Vec<Array2<f32>>,
    flags: Plane<Flags>,
    /// Which of its regions each pixel belongs to, counted from 1; 0 where to none. One pixel further around.
    labels: Plane<u32>,
    /// One plane a detector, where several are asked.
    votes: Vec<Plane<i16>>,
    break_dates: Option<Plane<Option<BreakDate>>>,
    courses: Option<Plane<Option<Course>>>,
}

/// Edge of the cells that the regions are looked for in, pixels, and no larger than a tile: what holds none is not read again.
const CELL_PX: usize = 512;

/// Measures of `regions`, in their order; the ground that they lie on is read once more.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn measure(
    work: &SiteWork<'_>,
    scored: &Scored<'_>,
    flags_of: &RasterBand<'_>,
    regions: &[Region],
) -> Result<Vec<Measure>, EngineError> {
    let (grid, fits) = (work.ground.grid.rect(), scored.main().track.linear_fits());
    let cell_px = CELL_PX.min(work.ground.tile_px);
    let mut cells = occupied(regions, cell_px);
    in_strips(&mut cells, work.ground.strip_px, |(area, _)| {
        (area.x, area.y / cell_px as i64)
    });
    let asked = scored.scorers().count();
    let nothing = Sums::new(fits.len(), if asked > 1 { asked } else { 0 });
    let tracks = scored.tracks.iter();
    let readers: Vec<_> = tracks.map(|open| open.reader(work.session, work.ground)).collect();
    let params = &work.config().detect;
    let mut sums = vec![nothing.clone(); regions.len()];
    let mut done = 0;
    in_order(
        &cells,
        work.stop(),
        |(area, here)| -> Result<Vec<(usize, Sums)>, EngineError> {
            let reasons = flags_of.read::<u16>(&area.grow(1).intersect(&grid))?;
            let labels = labels(&area.grow(1), regions, here);
            let observed = observe(scored, &readers, params, area, labels)?;
            let sums_of = |(label, region): (u32, &usize)| {
                let mut sums = nothing.clone();
                sums.take_in_region(&observed, fits, &regions[*region]);
                sums.take_in_edge(&observed, &reasons, &regions[*region], label);
                (*region, sums)
            };
            Ok((1..).zip(here).map(sums_of).collect())
        },
        |found| {
            found?.iter().for_each(|(region, part)| sums[*region].add(part));
            done += 1;
            work.tell("measure", done, cells.len());
            Ok::<(), EngineError>(())
        },
    )?;
    Ok(sums
        .into_iter()
        .zip(regions)
        .map(|(sums, region)| sums.measure(region))
        .collect())
}

/// What the tracks of `scored` show of `area`, where `labels` say which pixels belong to a region.
fn observe(
    scored: &Scored<'_>,
    readers: &[StackReader<'_>],
    params: &DetectParams,
    area: &Rect,
    labels: Plane<u32>,
) -> Result<Observed, ReadError> {
    let scorers = scored.scorers().count();
    let (mut votes, mut main) = (Vec::new(), None);
    for (open, reader) in scored.tracks.iter().zip(readers) {
        let detectors = &open.track.scorers;
        // A lone detector of two dates is not asked again.
        let asked = scorers > 1 || reader.dates.len() > 2;
        let halo = if asked { open.track.halo() } else { 0 };
        let stack = reader.tile(area, halo.max(smooth::halo(params)))?.stack;
        if scorers > 1 {
            votes.extend(detectors.iter().map(|(_, scorer)| scorer.score(&stack, area)));
        }
        if main.is_none() {
            let wanted = asked.then(|| labels.crop(area).map(|label| *label != 0));
            let break_dates = wanted.and_then(|wanted| {
                let mut detectors = detectors.iter();
                detectors.find_map(|(_, scorer)| scorer.break_date(&stack, &wanted))
            });
            let courses = detectors.iter().find_map(|(_, scorer)| scorer.course(&stack, area));
            main = Some((stack, break_dates, courses));
        }
        if scorers == 1 {
            break;
        }
    }
    let (stack, break_dates, courses) = main.unwrap_or_else(|| (ScreenedStack::nothing(area), None, None));
    let smooth = |bands: &[Array2<f32>]| smooth::values(bands, &stack.rect, &stack.flags, area, params);
    let [before, after] = stack.sides();
    Ok(Observed {
        before: smooth(&before),
        after: smooth(&after),
        flags: stack.flags.crop(area),
        labels,
        votes,
        break_dates,
        courses,
    })
}

/// The cells that hold runs: the least rectangle around what they hold of any region, and which regions those are.
fn occupied(regions: &[Region], cell_px: usize) -> Vec<(Rect, Vec<usize>)> {
    let edge = cell_px as i64;
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

/// The pixels of `region` inside `area`: rows, and columns from and to.
fn runs_in<'a>(region: &'a Region, area: &Rect) -> impl Iterator<Item = (i64, Range<i64>)> + use<'a> {
    let Rect { x, y, .. } = *area;
    let (right, bottom) = (area.right(), area.bottom());
    let first = region.runs.partition_point(|run| run.y < y);
    let rows = region.runs[first..].iter().take_while(move |run| run.y < bottom);
    rows.map(move |run| (run.y, run.from.max(x)..run.to.min(right)))
}

/// Which of the regions `here` each pixel of `area` belongs to, counted from 1; 0 where to none.
fn labels(area: &Rect, regions: &[Region], here: &[usize]) -> Plane<u32> {
    let mut labels = Plane::filled(*area, 0);
    for (label, index) in (1..).zip(here) {
        for (y, columns) in runs_in(&regions[*index], area) {
            columns.for_each(|x| {
                if let Some(of) = labels.get_mut(x, y) {
                    *of = label;
                }
            });
        }
    }
    labels
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
            region(&[(10, 500, 520)]),
            region(&[(600, 700, 701)]),
        ];
        let found = occupied(&regions, 512);
        assert_eq!(
            found,
            [
                (Rect::new(19, 10, 493, 2), vec![0, 1]),
                (Rect::new(512, 10, 8, 1), vec![1]),
                (Rect::new(700, 600, 1, 1), vec![2]),
            ]
        );
        assert_eq!(occupied(&[], 512), []);
    }
}
