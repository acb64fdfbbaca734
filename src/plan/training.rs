//! The ground whose sample normalisation and detectors are fitted to: the site and its surroundings, or the district of small sites.

use crate::geo::tile::tiles;
use crate::geo::{Grid, Rect};
use crate::plan::reach::Clouds;
use crate::stage::detect;

/// Ground of a smaller edge does not tell what is common to a scene, pixels.
const MIN_TRAINING_PX: usize = 512;

/// Pixels around `grid` that belong to its training sample: detectors are trained on a site together with its surroundings.
pub fn surroundings(grid: &Grid) -> usize {
    MIN_TRAINING_PX.saturating_sub(grid.width.min(grid.height)).div_ceil(2)
}

/// Edge of the districts of the lattice in which small sites lie, pixels.
const DISTRICT_PX: i64 = 2048;

/// The ground that is sampled for a site on `grid`: the site, or for a small one what of the district in which its middle lies is
/// `covered` by scenes (in pixels of the district), unless that is little. All sites of a district share its training sample, and what is
/// fitted to it depends on none of them: districts are counted from the corner `phase_m` of the lattice, east and north in metres.
///
/// # Errors
/// Those of `covered`.
pub fn ground<E>(grid: &Grid, phase_m: [f64; 2], covered: impl FnOnce(&Grid) -> Result<Rect, E>) -> Result<Grid, E> {
    if grid.width.max(grid.height) < MIN_TRAINING_PX {
        let district = grid.part(&district(grid, phase_m));
        let seen = district.rect().intersect(&covered(&district)?);
        if seen.w.min(seen.h) >= MIN_TRAINING_PX {
            return Ok(district.part(&seen));
        }
    }
    Ok(grid.clone())
}

/// The district in which the middle of `grid` lies, in its pixels.
fn district(grid: &Grid, phase_m: [f64; 2]) -> Rect {
    let places = |metres: f64| (metres / grid.pixel_m).round() as i64;
    let first = |place: i64, length: usize| (place + length as i64 / 2).div_euclid(DISTRICT_PX) * DISTRICT_PX - place;
    let x = first(places(grid.left_m - phase_m[0]), grid.width);
    let y = first(places(phase_m[1] - grid.top_m), grid.height);
    Rect::new(x, y, DISTRICT_PX as usize, DISTRICT_PX as usize)
}

/// Edge of a training sample cell, pixels.
const CELL_PX: usize = 128;
const WIDE_CELL_PX: usize = 512;
/// At most this many cells are read in each direction, in a regular lattice.
const CELLS: usize = 8;
/// No more values than these are held for the training sample: 160 MiB.
const MAX_VALUES: usize = 40 << 20;
/// At most this many pixels are sampled: medians of them are good to a quarter of a percent of their spread.
pub const SAMPLE: usize = 1 << 18;

/// The cells to read of the sampled ground `grid` and its surroundings for comparisons that are judged together, of at most `planes`
/// bands of dates each; the same for all of them, on a fixed lattice: neither tiles nor threads matter. Of a district no more is read
/// than of the surroundings of one site.
pub fn cores(grid: &Grid, district: bool, planes: usize, clouds: Clouds) -> Vec<Rect> {
    // Where much ground is read around a cell, few large cells read less than many small ones.
    let edge = match clouds {
        Clouds::Stated => CELL_PX,
        Clouds::Tested => WIDE_CELL_PX,
    };
    let most = if district {
        (MIN_TRAINING_PX / edge).max(2)
    } else {
        CELLS
    };
    training_cells(grid.rect().grow(surroundings(grid)), planes, edge, most)
}

/// The cells to read, of an edge of `cell_px` pixels and so many `planes` each, at most `most` in each direction.
fn training_cells(area: Rect, planes: usize, cell_px: usize, most: usize) -> Vec<Rect> {
    let edge = |length: usize| length.min(cell_px) + 2 * detect::WIDEST_HALO;
    let affordable = MAX_VALUES / (edge(area.w) * edge(area.h) * planes.max(1));
    let most = (1..=most).rev().find(|n| n * n <= affordable).unwrap_or(1);
    let picks = |length: usize| -> Vec<usize> {
        let cells = length.div_ceil(cell_px);
        let count = cells.min(most);
        (0..count).map(|i| (2 * i + 1) * cells / (2 * count)).collect()
    };
    let (columns, rows) = (picks(area.w), picks(area.h));
    let number = |from: i64, to: i64| (to - from) as usize / cell_px;
    let mut cells = tiles(area, cell_px);
    cells.retain(|cell| columns.contains(&number(area.x, cell.x)) && rows.contains(&number(area.y, cell.y)));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sites_share_their_district_and_others_have_their_own_ground() {
        let phase = [5.0, 0.0];
        let site = |x: i64, y: i64, edge: usize| Grid {
            crs: "EPSG:32633".into(),
            left_m: 5.0 + 10.0 * x as f64,
            top_m: -10.0 * y as f64,
            pixel_m: 10.0,
            width: edge,
            height: edge,
        };
        let on = |grid: &Grid, covered: i64| {
            // Scenes reach from the corner of the lattice so far.
            let places = |metres: f64| (metres / 10.0).round() as i64;
            let reach = |one: &Grid| {
                let (x, y) = (places(one.left_m - phase[0]), places(phase[1] - one.top_m));
                Ok::<_, ()>(Rect::new(-x, -y, covered as usize, covered as usize))
            };
            ground(grid, phase, reach).unwrap()
        };
        let sampled = |x: i64, y: i64, edge: usize| on(&site(x, y, edge), 9000);
        assert_eq!(sampled(2100, 10, 60), site(2048, 0, 2048));
        assert_eq!(sampled(4000, 2000, 60), sampled(2100, 10, 60));
        // Its middle decides.
        assert_eq!(sampled(4070, 2000, 60), site(4096, 0, 2048));
        // What the scenes do not cover is no ground.
        assert_eq!(sampled(8600, 10, 60).width, 9000 - 8192);
        // A large site, one with a short edge, and one in a corner that is hardly covered.
        assert_eq!(sampled(700, 700, 600), site(700, 700, 600));
        let mut narrow = site(700, 700, 600);
        narrow.height = 100;
        assert_eq!((on(&narrow, 9000), surroundings(&narrow)), (narrow, 206));
        assert_eq!(on(&site(0, 0, 60), 300), site(0, 0, 60));
    }

    #[test]
    fn a_small_site_is_surveyed_whole_and_a_large_one_evenly() {
        let cells = training_cells(Rect::new(0, 0, 200, 130), 8, CELL_PX, CELLS);
        assert_eq!(cells.iter().map(Rect::area).sum::<usize>(), 200 * 130);
        let cells = training_cells(Rect::new(0, 0, 10_980, 10_980), 8, CELL_PX, CELLS);
        assert_eq!(cells.len(), 64);
        assert!(
            cells
                .iter()
                .all(|cell| Rect::new(0, 0, 10_980, 10_980).intersect(cell) == *cell)
        );
        assert_eq!(
            training_cells(Rect::new(0, 0, 10_980, 10_980), 68, CELL_PX, CELLS).len(),
            16
        );
    }
}
