//! The passes over a site's tiles: score and regions.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::engine::SiteError;
use crate::engine::channel::Channel;
use crate::engine::counts::{AreaCount, Counts, Glimpse, Lattice};
use crate::engine::driver::in_order;
use crate::engine::events::{Event, Observer};
use crate::engine::view::{Sight, View};
use crate::geo::{
    Rect, Shape,
    tile::{in_strips, tiles},
};
use crate::io::IoError;
use crate::io::geotiff::GeoTiffWriter;
use crate::io::meter::{Meter, Work};
use crate::io::pool::Pool;
use crate::io::stored::StoredPixel;
use crate::plan::Ground;
use crate::raster::stats::SCORE_NODATA;
use crate::raster::{Flags, Plane, ReadError, flags};
use crate::stage::detect::combine::Combination;
use crate::stage::detect::{Scorer, Seen};
use crate::stage::false_alarms::{ClusterRule, Clusters};
use crate::stage::normalise::BandLaw;
use crate::stage::regions::{Labeller, Region, Run, runs};
use crate::stage::skirt::without_skirts;

/// What is common to the passes over a site.
pub struct Pass<'a> {
    /// The site grid and what is declared on it.
    pub ground: &'a Ground,
    /// Set when the run has to stop.
    pub stop: &'a AtomicBool,
    /// The site's id.
    pub site: &'a str,
    /// Told after each tile.
    pub observer: &'a dyn Observer,
    /// What the time of all threads is measured by.
    pub meter: &'a Meter,
}

impl Pass<'_> {
    pub(crate) fn tell(&self, pass: &str, done: usize, total: usize) {
        self.observer.see(&Event::Tiles {
            site: self.site,
            pass,
            done,
            total,
        });
    }
}

struct Scored {
    core: Rect,
    scores: Plane<i16>,
    flags: Plane<Flags>,
    areas: Vec<AreaCount>,
    glimpses: Vec<(usize, Glimpse)>,
    given_back: u64,
}

/// What scores the tiles: channels, each with its view, and how their scores are joined.
pub struct Look<'a> {
    /// That of the judged scenes first.
    pub channels: &'a [Channel<'a>],
    /// One a channel.
    pub views: &'a [View<'a>],
    /// The rule.
    pub combination: &'a Combination,
}

impl Look<'_> {
    /// The laws that normalise the judged pair; none where it is not normalised.
    fn laws(&self) -> &[BandLaw] {
        let fit = self.channels.first().and_then(|channel| channel.fit.as_ref());
        fit.map_or(&[], |fit| &fit.bands)
    }

    /// Whether the judged scenes have a detector.
    fn has_scorers(&self) -> bool {
        self.channels.first().is_some_and(|channel| !channel.scorers.is_empty())
    }

    /// What the judged scenes show of `core` and around it, what is given back there, and the scores of `core`.
    pub(crate) fn score(&self, core: &Rect, meter: &Meter) -> Result<(Sight, Plane<i16>), ReadError> {
        let mut scores = Vec::new();
        let mut main = None;
        for (channel, view) in self.channels.iter().zip(self.views) {
            let sight = view.look(core, channel.halo())?;
            let scorers = channel.scorers.iter();
            let one = |(_, scorer): &(_, Arc<dyn Scorer>)| scorer.score(&sight.seen, core);
            meter.time(Work::Score, || scores.extend(scorers.map(one)));
            main.get_or_insert(sight);
        }
        if !self.has_scorers() {
            scores = vec![Plane::filled(*core, SCORE_NODATA)];
        }
        let nothing = || Sight {
            seen: Seen::nothing(core),
            given_back: None,
        };
        Ok((main.unwrap_or_else(nothing), self.combination.join(scores)))
    }
}

/// Pass 2: every tile is read, screened and scored; scores and flags go to band `band` of the two rasters.
///
/// # Errors
/// A file that cannot be read or written; the run was stopped.
pub fn score(
    pass: &Pass<'_>,
    look: &Look<'_>,
    lattice: &Lattice,
    out: (&mut GeoTiffWriter, &mut GeoTiffWriter),
    band: usize,
) -> Result<Counts, SiteError> {
    let ground = pass.ground;
    let shapes: Vec<&Shape> = std::iter::once(&ground.boundary)
        .chain(ground.zones.iter().map(|zone| &zone.area))
        .chain(ground.activities.iter().map(|declared| &declared.area))
        .collect();
    let mut tiles = tiles(ground.grid.rect(), ground.tile_px, 0);
    in_strips(&mut tiles, ground.strip_px, |tile| (tile.core.x, tile.core.y));
    let mut counts = Counts {
        areas: vec![AreaCount::default(); shapes.len()],
        overview: vec![Glimpse::NONE; lattice.size.0 * lattice.size.1],
        ..Counts::default()
    };
    let (score_out, flag_out) = out;
    let mut done = 0;
    in_order(
        &tiles,
        pass.stop,
        |tile| -> Result<Scored, ReadError> {
            let (Sight { seen, given_back }, mut scores) = look.score(&tile.core, pass.meter)?;
            let mut given = 0;
            if let Some(plane) = given_back {
                ground.boundary.for_each_pixel(&tile.core, |x, y| {
                    given += u64::from(plane.get(x, y).copied().unwrap_or(false));
                });
            }
            let mut reasons = seen.flags.crop(&tile.core);
            if look.has_scorers() {
                reasons.data.zip_mut_with(&scores.data, |flag, score| {
                    if *flag == flags::CLEAR && *score == SCORE_NODATA {
                        *flag = flags::UNSCORED;
                    }
                });
            }
            let mut areas = vec![AreaCount::default(); shapes.len()];
            for (count, shape) in areas.iter_mut().zip(&shapes) {
                shape.for_each_span(&tile.core, |y, from, to| {
                    let run = Rect::new(from, y, (to - from) as usize, 1);
                    count.add(reasons.view(&run).as_slice().unwrap_or_default());
                });
            }
            // Both rasters have no data there.
            for (score, flag) in scores.data.iter_mut().zip(&mut reasons.data) {
                if *flag & flags::OUTSIDE_SITE != 0 {
                    (*score, *flag) = (SCORE_NODATA, flags::OUTSIDE_SITE);
                }
            }
            Ok(Scored {
                core: tile.core,
                glimpses: lattice.glimpses(&scores, &seen, look.laws()),
                scores,
                flags: reasons,
                areas,
                given_back: given,
            })
        },
        |scored| {
            let scored = scored?;
            let core = scored.core;
            counts.given_back += scored.given_back;
            scored.scores.data.iter().for_each(|score| counts.histogram.add(*score));
            counts
                .areas
                .iter_mut()
                .zip(&scored.areas)
                .for_each(|(all, part)| all.merge(part));
            scored
                .glimpses
                .iter()
                .for_each(|(place, glimpse)| counts.overview[*place] = *glimpse);
            let (x, y) = (core.x as usize, core.y as usize);
            pass.meter.time(Work::Write, || {
                let scores = scored.scores.data.as_slice().unwrap_or_default();
                score_out.write(band, x, y, core.w, core.h, scores)?;
                let reasons = scored.flags.data.as_slice().unwrap_or_default();
                flag_out.write(band, x, y, core.w, core.h, reasons)
            })?;
            done += 1;
            pass.tell("score", done, tiles.len());
            Ok::<(), SiteError>(())
        },
    )?;
    Ok(counts)
}

/// A band of a raster that this program wrote, read window by window.
pub struct Written<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its band, from 1.
    pub band: usize,
    /// Open handles.
    pub pool: &'a Pool,
}

impl Written<'_> {
    pub(crate) fn read<T: StoredPixel>(&self, rect: &Rect) -> Result<Plane<T>, IoError> {
        self.pool.read(self.path, self.band, rect)
    }
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
    /// How far smoothing draws a skirt around a peak, pixels.
    pub skirt_px: usize,
}

/// Pass 3: regions of the scores, by their first pixel.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn regions(pass: &Pass<'_>, scores: &Written<'_>, levels: &Levels) -> Result<Vec<Region>, SiteError> {
    let grid = pass.ground.grid.rect();
    let tiles = tiles(grid, pass.ground.tile_px, 0);
    let Levels {
        seed,
        grow,
        min_pixels,
        skirt_px,
    } = *levels;
    let mut labeller = Labeller::new(seed, min_pixels);
    let mut band: Vec<Run> = Vec::new();
    let mut band_y = 0;
    let mut done = 0;
    in_order(
        &tiles,
        pass.stop,
        |tile| {
            let around = tile.core.grow(skirt_px).intersect(&grid);
            let left = without_skirts(&scores.read::<i16>(&around)?, &tile.core, skirt_px);
            Ok((tile.core.y, runs(&left, grow, seed)))
        },
        |found: Result<(i64, Vec<Run>), IoError>| {
            let (y, runs) = found?;
            if y != band_y {
                labeller.add_band(std::mem::take(&mut band));
                band_y = y;
            }
            band.extend(runs);
            done += 1;
            pass.tell("regions", done, tiles.len());
            Ok::<(), SiteError>(())
        },
    )?;
    labeller.add_band(band);
    Ok(labeller.finish())
}

/// Edge of a part of the grid in which clusters are looked for, pixels, and how far it is read beyond.
const PART_PX: usize = 512;
const BEYOND_PX: usize = 32;
/// At most this many parts are looked at in each direction, in a regular lattice.
const PARTS: usize = 4;

/// Clusters of the scores of `grid`, of all of it or of a lattice of parts, on which neither tiles nor threads have a say; of all where
/// nothing was judged on the lattice.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn clusters(
    grid: &Rect,
    stop: &AtomicBool,
    scores: &Written<'_>,
    rule: &ClusterRule,
) -> Result<Clusters, SiteError> {
    let found = clusters_of(PARTS, grid, stop, scores, rule)?;
    if found.pixels > 0 {
        return Ok(found);
    }
    clusters_of(usize::MAX, grid, stop, scores, rule)
}

fn clusters_of(
    most: usize,
    grid: &Rect,
    stop: &AtomicBool,
    scores: &Written<'_>,
    rule: &ClusterRule,
) -> Result<Clusters, SiteError> {
    let picks = |length: usize| {
        let parts = length.div_ceil(PART_PX);
        let count = parts.min(most);
        (0..count).map(move |i| (2 * i + 1) * parts / (2 * count) * PART_PX)
    };
    let part = |x: usize, y: usize| Rect::new(x as i64, y as i64, PART_PX, PART_PX).intersect(grid);
    let parts: Vec<Rect> = picks(grid.h)
        .flat_map(|y| picks(grid.w).map(move |x| part(x, y)))
        .collect();
    let mut found = Clusters::default();
    in_order(
        &parts,
        stop,
        |core| {
            let around = scores.read::<i16>(&core.grow(BEYOND_PX).intersect(grid))?;
            Ok(Clusters::of(&around, core, rule))
        },
        |part: Result<Clusters, IoError>| {
            found.merge(part?);
            Ok::<(), SiteError>(())
        },
    )?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::geotiff::{Compression, DataType, Layout};

    #[test]
    fn what_was_judged_beside_the_lattice_alone_still_has_its_clusters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("score.tif");
        // Six parts side by side, of which the second and the fifth are not on the lattice.
        let grid = Rect::new(0, 0, 6 * PART_PX, 40);
        let layout = Layout {
            width: grid.w,
            height: grid.h,
            bands: 1,
            data_type: DataType::I16,
            transform: [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0],
            crs: "EPSG:32633".into(),
            nodata: Some(f64::from(SCORE_NODATA)),
            compression: Compression::None,
            block: 512,
        };
        let judged = PART_PX + 100..PART_PX + 200;
        let write = |elsewhere: i16| {
            let score = |x: usize| match x {
                150 => 900,
                _ if judged.contains(&x) => {
                    if x == PART_PX + 150 {
                        700
                    } else {
                        100
                    }
                }
                _ => elsewhere,
            };
            let pixels: Vec<i16> = (0..grid.area()).map(|i| score(i % grid.w)).collect();
            let pixels: Vec<i16> = match elsewhere {
                SCORE_NODATA => pixels
                    .iter()
                    .map(|s| if *s == 900 { SCORE_NODATA } else { *s })
                    .collect(),
                _ => pixels,
            };
            let mut writer = GeoTiffWriter::create(&path, layout.clone()).unwrap();
            writer.write(1, 0, 0, grid.w, grid.h, &pixels).unwrap();
            writer.finish().unwrap();
        };
        let rule = ClusterRule {
            level: 300,
            min_pixels: 1,
            skirt_px: 0,
        };
        let read = || {
            let scores = Written {
                path: &path,
                band: 1,
                pool: &Pool::default(),
            };
            clusters(&grid, &AtomicBool::new(false), &scores, &rule).unwrap()
        };
        write(SCORE_NODATA);
        let found = read();
        assert_eq!((found.peaks, found.pixels), (vec![700], 100 * 40));
        // With the lattice judged, what lies beside it is left out.
        write(0);
        assert_eq!(read().peaks, [900]);
    }
}
