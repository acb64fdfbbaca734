//! Clusters of the scores of a site, from which it is told how high they reach without change.

use std::sync::atomic::AtomicBool;

use crate::engine::EngineError;
use crate::engine::driver::in_order;
use crate::engine::rasters::RasterBand;
use crate::geo::Rect;
use crate::io::IoError;
use crate::stage::false_alarms::{ClusterRule, Clusters};

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
    scores: &RasterBand<'_>,
    rule: &ClusterRule,
) -> Result<Clusters, EngineError> {
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
    scores: &RasterBand<'_>,
    rule: &ClusterRule,
) -> Result<Clusters, EngineError> {
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
            Ok::<(), EngineError>(())
        },
    )?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
    use crate::io::pool::Pool;
    use crate::raster::stats::SCORE_NODATA;

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
            writer.write(1, &grid, &pixels).unwrap();
            writer.finish().unwrap();
        };
        let rule = ClusterRule {
            level: 300,
            min_pixels: 1,
            fringe_px: 0,
        };
        let read = || {
            let scores = RasterBand {
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
