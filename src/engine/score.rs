//! Every tile of a site read, screened and scored; the scores of all detectors of all tracks joined into one.

use std::path::Path;
use std::sync::Arc;

use crate::engine::EngineError;
use crate::engine::counts::{AreaCount, Counts, OverviewGrid, OverviewPixel};
use crate::engine::driver::in_order;
use crate::engine::fit::Fitted;
use crate::engine::rasters::{RasterWriters, Rasters};
use crate::engine::session::SiteWork;
use crate::engine::stack::{ScreenedTile, StackReader};
use crate::engine::track::OpenTrack;
use crate::geo::tile::{in_strips, tiles};
use crate::geo::{Rect, Shape};
use crate::io::meter::{Meter, Work};
use crate::plan::pairs::Pair;
use crate::raster::stats::SCORE_NODATA;
use crate::raster::{Flags, Plane, ReadError, flags};
use crate::report::Palette;
use crate::scene::Kind;
use crate::stage::detect::combine::Combination;
use crate::stage::detect::{Detector, Scorer, ScreenedStack};

/// One comparison of a site, its scores written.
pub struct Scored<'a> {
    /// Which scenes.
    pub pair: &'a Pair,
    /// The track of the judged scenes first, then its companions.
    pub tracks: Vec<OpenTrack<'a>>,
    /// How the scores of their detectors are joined.
    pub combination: &'a Combination,
    /// What was counted.
    pub counts: Counts,
    /// The pixels that make the site's picture.
    pub overview_grid: OverviewGrid,
    /// Its band of the rasters, from 1.
    pub band: usize,
}

impl<'a> Scored<'a> {
    /// The track of the judged scenes.
    pub fn main(&self) -> &OpenTrack<'a> {
        &self.tracks[0]
    }

    /// The detectors of all tracks.
    pub fn scorers(&self) -> impl Iterator<Item = &(Detector, Arc<dyn Scorer>)> {
        self.tracks.iter().flat_map(|open| &open.track.scorers)
    }

    /// How far smoothing draws a fringe around what changed, pixels.
    pub fn fringe_px(&self) -> usize {
        self.scorers().map(|(_, scorer)| scorer.fringe_px()).max().unwrap_or(0)
    }

    /// Whether the judged scenes are radar, and whether they are a series.
    pub fn kind(&self) -> (bool, bool) {
        (self.pair.kind == Kind::Sar, self.pair.is_series())
    }

    /// Whether there is anything to judge by.
    pub fn is_judged(&self) -> bool {
        let track = self.main().track;
        track.fit.is_some() && !track.scorers.is_empty()
    }
}

/// Every comparison of a site scored as `fitted`, and the rasters in `folder` that hold scores and flags.
///
/// # Errors
/// A file that cannot be read or written; the run was stopped.
pub fn score<'a>(
    work: &SiteWork<'_>,
    fitted: &'a [Fitted<'a>],
    folder: &Path,
) -> Result<(Vec<Scored<'a>>, Rasters), EngineError> {
    let name = |one: &Fitted<'_>| format!("{} to {}", one.pair.before.whole.id, one.pair.after.whole.id);
    let names: Vec<String> = fitted.iter().map(name).collect();
    let mut out = RasterWriters::create(folder, &work.ground.grid, &names)?;
    let scored = (1..)
        .zip(fitted)
        .map(|(band, fitted)| score_one(work, fitted, &mut out, band));
    let scored = scored.collect::<Result<Vec<_>, _>>()?;
    let finish = || work.session.meter().time(Work::Write, || out.finish());
    let rasters = work.stopwatch.time("write", finish)?;
    Ok((scored, rasters))
}

fn score_one<'a>(
    work: &SiteWork<'_>,
    fitted: &'a Fitted<'a>,
    out: &mut RasterWriters,
    band: usize,
) -> Result<Scored<'a>, EngineError> {
    let (session, ground) = (work.session, work.ground);
    let open = || fitted.tracks.iter().map(|track| track.open(session, ground)).collect();
    let tracks: Vec<OpenTrack<'_>> = work.stopwatch.time("align", || -> Result<_, EngineError> { open() })?;
    let palette = Palette::of(&fitted.pair.bands);
    let overview_grid = OverviewGrid::new(ground.grid.rect(), work.config().report.overview_px, palette);
    let readers: Vec<_> = tracks.iter().map(|open| open.reader(session, ground)).collect();
    let scorer = TileScorer {
        tracks: &tracks,
        readers: &readers,
        combination: &fitted.combination,
    };
    let counts = work
        .stopwatch
        .time("score", || score_tiles(work, &scorer, &overview_grid, out, band))?;
    drop(readers);
    Ok(Scored {
        pair: fitted.pair,
        tracks,
        combination: &fitted.combination,
        counts,
        overview_grid,
        band,
    })
}

/// What scores tiles: tracks, each with its view, and how their scores are joined.
pub struct TileScorer<'a> {
    /// That of the judged scenes first.
    pub tracks: &'a [OpenTrack<'a>],
    /// One a track.
    pub readers: &'a [StackReader<'a>],
    /// The rule.
    pub combination: &'a Combination,
}

impl TileScorer<'_> {
    /// Whether the judged scenes have a detector.
    fn has_scorers(&self) -> bool {
        self.tracks.first().is_some_and(|open| !open.track.scorers.is_empty())
    }

    /// `core` and what lies around it on the judged dates, screened, and the scores of `core`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn score(&self, core: &Rect, meter: &Meter) -> Result<(ScreenedTile, Plane<i16>), ReadError> {
        let mut scores = Vec::new();
        let mut main = None;
        for (open, reader) in self.tracks.iter().zip(self.readers) {
            let tile = reader.tile(core, open.track.halo())?;
            let scorers = open.track.scorers.iter();
            let one = |(_, scorer): &(_, Arc<dyn Scorer>)| scorer.score(&tile.stack, core);
            meter.time(Work::Score, || scores.extend(scorers.map(one)));
            main.get_or_insert(tile);
        }
        if !self.has_scorers() {
            scores = vec![Plane::filled(*core, SCORE_NODATA)];
        }
        let nothing = || ScreenedTile {
            stack: ScreenedStack::nothing(core),
            unmasked: None,
        };
        Ok((main.unwrap_or_else(nothing), self.combination.join(scores)))
    }
}

/// A tile, scored.
struct ScoredTile {
    scores: Plane<i16>,
    flags: Plane<Flags>,
    areas: Vec<AreaCount>,
    overview_pixels: Vec<(usize, OverviewPixel)>,
    unmasked: u64,
}

/// Scores and flags of all tiles go to band `band` of the rasters; what they count together.
fn score_tiles(
    work: &SiteWork<'_>,
    scorer: &TileScorer<'_>,
    overview_grid: &OverviewGrid,
    out: &mut RasterWriters,
    band: usize,
) -> Result<Counts, EngineError> {
    let ground = work.ground;
    let shapes: Vec<&Shape> = std::iter::once(&ground.boundary)
        .chain(ground.zones.iter().map(|zone| &zone.area))
        .chain(ground.activities.iter().map(|declared| &declared.area))
        .collect();
    let mut tiles = tiles(ground.grid.rect(), ground.tile_px);
    in_strips(&mut tiles, ground.strip_px, |tile| (tile.x, tile.y));
    let mut counts = Counts::new(shapes.len(), overview_grid);
    let mut done = 0;
    in_order(
        &tiles,
        work.stop(),
        |tile| score_tile(work, scorer, overview_grid, &shapes, tile),
        |tile: Result<ScoredTile, ReadError>| {
            let tile = tile?;
            counts.unmasked += tile.unmasked;
            tile.scores
                .values()
                .iter()
                .for_each(|score| counts.histogram.add(*score));
            let areas = counts.areas.iter_mut().zip(&tile.areas);
            areas.for_each(|(all, part)| all.merge(part));
            for (place, pixel) in tile.overview_pixels {
                counts.overview[place] = pixel;
            }
            let write = || out.write(band, &tile.scores, &tile.flags);
            work.session.meter().time(Work::Write, write)?;
            done += 1;
            work.tell("score", done, tiles.len());
            Ok::<(), EngineError>(())
        },
    )?;
    Ok(counts)
}

fn score_tile(
    work: &SiteWork<'_>,
    scorer: &TileScorer<'_>,
    overview_grid: &OverviewGrid,
    shapes: &[&Shape],
    core: &Rect,
) -> Result<ScoredTile, ReadError> {
    let (ScreenedTile { stack, unmasked }, mut scores) = scorer.score(core, work.session.meter())?;
    let mut given = 0;
    if let Some(plane) = unmasked {
        work.ground.boundary.for_each_pixel(core, |x, y| {
            given += u64::from(plane.get(x, y).copied().unwrap_or(false));
        });
    }
    let mut reasons = stack.flags.crop(core);
    if scorer.has_scorers() {
        reasons.zip_mut_with(&scores, |flag, score| {
            if *flag == flags::CLEAR && *score == SCORE_NODATA {
                *flag = flags::UNSCORED;
            }
        });
    }
    let mut areas = vec![AreaCount::default(); shapes.len()];
    for (count, shape) in areas.iter_mut().zip(shapes) {
        shape.for_each_span(core, |y, from, to| {
            let run = Rect::new(from, y, (to - from) as usize, 1);
            reasons.rows_of(&run).for_each(|flags| count.add(flags));
        });
    }
    // Both rasters have no data there.
    for (score, flag) in scores.values_mut().iter_mut().zip(reasons.values_mut()) {
        if *flag & flags::OUTSIDE_SITE != 0 {
            (*score, *flag) = (SCORE_NODATA, flags::OUTSIDE_SITE);
        }
    }
    let fits = scorer.tracks.first().map_or(&[][..], |open| open.track.linear_fits());
    Ok(ScoredTile {
        overview_pixels: overview_grid.overview_pixels(&scores, &stack, fits),
        scores,
        flags: reasons,
        areas,
        unmasked: given,
    })
}
