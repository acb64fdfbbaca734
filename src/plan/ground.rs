//! The ground of a site: its grid, what is declared there, what is sampled for it, and in which pieces it is worked off.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::declaration::Site;
use crate::geo::{Grid, Shape};
use crate::io::open::RasterInfo;
use crate::plan::inputs::{Inputs, files};
use crate::plan::memory::{self, Load};
use crate::plan::pairs::Pair;
use crate::plan::place::Place;
use crate::plan::reach;
use crate::plan::site_grid::{self, Lattice, Unplaced};
use crate::plan::training;
use crate::stage::judge::{Declared, DeclaredZone};
use crate::stage::screen::ScreenParams;

/// The site grid and the declared shapes on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ground {
    /// The site grid.
    pub grid: Grid,
    /// The site's boundary.
    pub boundary: Shape,
    /// Its zones.
    pub zones: Vec<DeclaredZone>,
    /// Its declared activities.
    pub activities: Vec<Declared>,
    /// Pixels that a tile reads beyond its core.
    pub halo: usize,
    /// The ground that is sampled to train its detectors, on the same lattice.
    pub sampled: Grid,
    /// Pixels around either grid that may be read: the halo, and the surroundings that are sampled with them.
    pub margin_px: usize,
    /// Edge of a tile's core, pixels.
    pub tile_px: usize,
    /// Width of the strips in which it is worked off, pixels.
    pub strip_px: usize,
    /// Room for decoded blocks, MiB.
    pub blocks_mib: u64,
    /// Pixels of the ground that is sampled, and of its surroundings, that any scene covers.
    pub seen_px: usize,
    /// Predicted peak memory of the run while it works on this site, MiB.
    pub memory_mib: u64,
}

/// A site with no more tiles than this is small.
const SMALL_SITE_TILES: usize = 4;

impl Ground {
    /// The ground that is sampled for it, with nothing declared there.
    pub fn to_sample(&self) -> Self {
        Self {
            grid: self.sampled.clone(),
            zones: Vec::new(),
            activities: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether its tiles do not fill the threads: several such sites are worked off side by side.
    pub fn is_small(&self) -> bool {
        self.grid.rect().area() <= SMALL_SITE_TILES * self.tile_px * self.tile_px
    }
}

/// The ground of `site` for the comparisons `pairs`.
///
/// # Errors
/// A place that cannot be projected; a grid that is too large.
pub fn ground(site: &Site, pairs: &[Pair], inputs: &Inputs, config: &Config) -> Result<Ground, Unplaced> {
    let place = Place::of(site, &config.grid.crs)?;
    let compared = compared_rasters(pairs, inputs);
    let Lattice { grid, phase_m } = site_grid::lattice(&place, &compared, &config.grid)?;
    let sampled = training::ground(&grid, phase_m, |district| site_grid::covered(district, &compared))?;
    let zones = place.zones(&grid)?;
    let activities = place.activities(&grid)?;

    let halo = widest_halo(pairs, grid.pixel_m, &config.screen);
    // Quality bands and radar beside are decoded too, and whatever pictures need.
    let decoded = decoded_rasters(pairs, inputs);
    let surroundings = training::surroundings(&sampled);
    let margin_px = halo + surroundings;
    for read in [&grid, &sampled] {
        site_grid::check_places(read, margin_px, &decoded)?;
    }
    let around = sampled.part(&sampled.rect().grow(surroundings));
    let seen_px = site_grid::covered(&around, &compared)?.area();

    let load = Load::of(pairs, &compared, &decoded, halo);
    let budget = memory::fit(&grid, &sampled, &load, &config.compute);
    Ok(Ground {
        boundary: place.boundary(&grid),
        zones,
        activities,
        halo,
        margin_px,
        seen_px,
        sampled,
        strip_px: memory::strip_px(&grid, budget.tile_px, &load, budget.blocks_mib),
        tile_px: budget.tile_px,
        blocks_mib: budget.blocks_mib,
        memory_mib: budget.peak_mib,
        grid,
    })
}

/// The rasters of the bands that are compared.
fn compared_rasters<'a>(pairs: &[Pair], inputs: &'a Inputs) -> Vec<&'a RasterInfo> {
    let mut rasters = Vec::new();
    for pair in pairs {
        // Of equally fine scenes the grid takes its lattice from the first, onto which the others are moved.
        for scene in pair.dates().into_iter().flat_map(|date| &date.pieces) {
            let paths = scene
                .bands
                .iter()
                .filter(|band| pair.bands.contains(&band.name))
                .map(|band| &band.path);
            rasters.extend(paths.filter_map(|path| inputs.infos.get(path)));
        }
    }
    rasters
}

/// The rasters of all that is decoded, those of comparisons beside included.
fn decoded_rasters<'a>(pairs: &[Pair], inputs: &'a Inputs) -> Vec<&'a RasterInfo> {
    let paths = pairs.iter().flat_map(Pair::pieces).flat_map(files);
    paths.filter_map(|path| inputs.infos.get(&path)).collect()
}

/// Pixels that are read around a tile at most, for any of `pairs` or what is beside them.
fn widest_halo(pairs: &[Pair], pixel_m: f64, screen: &ScreenParams) -> usize {
    let of = |pair: &Pair| {
        let scenes = pair.scenes();
        reach::halo(screen, pixel_m, reach::Clouds::of(&scenes), scenes.len())
    };
    let all = pairs
        .iter()
        .flat_map(|pair| std::iter::once(pair).chain(&pair.companions));
    all.map(of).max().unwrap_or(0)
}
