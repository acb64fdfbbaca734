//! What will be done, decided without reading a pixel: site grids, scenes used and refused, tiles, memory.

use std::path::PathBuf;

use geo::orient::{Direction, Orient};
use geo::{BoundingRect, Buffer, MapCoords, MultiPolygon};

use crate::config::Config;
use crate::declaration::Site;
use crate::finding::RefusedScene;
use crate::geo::{Grid, Shape, longitude};
use crate::io::IoError;
use crate::io::crs::{self, Projector, WGS84};
use crate::io::open::RasterInfo;
use crate::plan::ground_shown::{area_m2, candidates, rasters};
use crate::plan::inputs::{Inputs, files};
use crate::plan::memory::{self, Load};
use crate::plan::pairs::{Pair, pairs};
use crate::plan::reach;
use crate::plan::site_grid::{self, Unplaced};
use crate::plan::training;
use crate::stage::judge::{Declared, DeclaredZone};

/// No site grid has more pixels: 40,000 x 40,000.
const MAX_PIXELS: f64 = 1.6e9;

/// The plan of one site.
#[derive(Debug, Clone)]
pub struct SitePlan {
    /// The site as declared.
    pub site: Site,
    /// Its comparisons, oldest first; empty when nothing can be compared.
    pub pairs: Vec<Pair>,
    /// Scenes that are not used here, and why.
    pub refused: Vec<RefusedScene>,
    /// Where it is computed; absent when nothing can be compared.
    pub ground: Option<Ground>,
    /// Each comparison's share of the alarm budget, false anomalies; absent where there is none.
    pub most_false: Option<f64>,
}

/// The site grid and the declared shapes on it.
#[derive(Debug, Clone)]
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
    /// The ground that is surveyed for it, on the same lattice.
    pub surveyed: Grid,
    /// Pixels around either grid that may be read: the halo, and the surroundings of ground that is surveyed with them.
    pub margin_px: usize,
    /// Edge of a tile's core, pixels.
    pub tile_px: usize,
    /// Width of the strips in which it is worked off, pixels.
    pub strip_px: usize,
    /// Room for decoded blocks, MiB.
    pub blocks_mib: u64,
    /// Pixels of the ground that is surveyed, and of its surroundings, that any scene covers.
    pub seen_px: usize,
    /// Predicted peak memory of the run while it works on this site, MiB.
    pub memory_mib: u64,
}

/// A site with no more tiles than this is small.
const SMALL_SITE_TILES: usize = 4;

impl Ground {
    /// The ground that is surveyed for it, with nothing declared there.
    pub fn to_survey(&self) -> Self {
        Self {
            grid: self.surveyed.clone(),
            zones: Vec::new(),
            activities: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether its tiles do not fill the threads: several such sites are surveyed side by side.
    pub fn is_small(&self) -> bool {
        self.grid.rect().area() <= SMALL_SITE_TILES * self.tile_px * self.tile_px
    }
}

/// The plan of `site`.
///
/// # Errors
/// A place that cannot be projected; a grid that is too large.
pub fn plan_site(site: &Site, inputs: &Inputs, config: &Config) -> Result<SitePlan, IoError> {
    let whole = joined_at_the_antimeridian(site);
    let (mut scenes, elsewhere) = candidates(&whole, inputs);
    let mut refused = inputs.refused.clone();
    refused.extend(elsewhere);
    let area_m2 = area_m2(&whole.boundary);
    let (pairs, ground) = loop {
        let (pairs, left_out) = pairs(&scenes, area_m2, &|a, b| rasters(a, b, inputs), config);
        let ground = match pairs.is_empty() {
            true => Ok(None),
            false => ground(&whole, &pairs, inputs, config).map(Some),
        };
        match ground {
            Ok(ground) => {
                refused.extend(left_out);
                break (pairs, ground);
            }
            // A map may end where the site lies: its scene goes, and the others stay.
            Err(Unplaced { raster, error }) => {
                let (without, with): (Vec<_>, Vec<_>) = scenes
                    .into_iter()
                    .partition(|one| !raster.as_ref().is_some_and(|raster| files(one.scene).contains(raster)));
                if with.is_empty() {
                    return Err(error);
                }
                scenes = without;
                refused.extend(with.iter().map(|one| RefusedScene {
                    id: one.scene.id.clone(),
                    reason: format!(
                        "its coordinate reference system has no place for some of the site's ground ({error})"
                    ),
                    unreadable: false,
                }));
            }
        }
    };
    refused.sort();
    refused.dedup();
    Ok(SitePlan {
        site: site.clone(),
        pairs,
        refused,
        ground,
        most_false: None,
    })
}

/// `site` with longitudes that run on past 180 degrees, where it was split there as RFC 7946 asks.
fn joined_at_the_antimeridian(site: &Site) -> Site {
    let mut site = site.clone();
    if longitude::is_split(&site.boundary) {
        let polygons = std::iter::once(&mut site.boundary)
            .chain(site.zones.iter_mut().map(|zone| &mut zone.polygon))
            .chain(site.activities.iter_mut().map(|activity| &mut activity.polygon));
        polygons.for_each(|polygon| *polygon = longitude::eastward(polygon));
    }
    site
}

/// `polygon`, in degrees, in the reference system to which `project` leads.
///
/// # Errors
/// A place that has no image.
fn projected(polygon: &MultiPolygon<f64>, project: &Projector) -> Result<MultiPolygon<f64>, IoError> {
    let image = project.project_polygon(&crs::densify(polygon))?;
    // The way to a pole and back encloses nothing.
    Ok(match polygon.iter().any(longitude::touches_a_pole) {
        true => geo::unary_union(&image.orient(Direction::Default)),
        false => image,
    })
}

fn ground(site: &Site, pairs: &[Pair], inputs: &Inputs, config: &Config) -> Result<Ground, Unplaced> {
    let failed = |message: String| IoError::Projection {
        from: format!("site {}", site.id),
        to: config.grid.crs.clone(),
        message,
    };
    let box_deg = site
        .boundary
        .bounding_rect()
        .ok_or_else(|| failed("its boundary is empty".into()))?;
    let centre = box_deg.center();
    let code = match config.grid.crs.as_str() {
        "utm" => crs::utm_zone(centre.x, centre.y),
        code => code.to_owned(),
    };
    site_grid::check_metres(&code, box_deg).map_err(failed)?;
    let project = Projector::new(WGS84, &code)?;
    let boundary = projected(&site.boundary, &project)?;
    let bounds = boundary
        .bounding_rect()
        .ok_or_else(|| failed("its boundary is empty".into()))?;
    let rasters = pair_rasters(pairs, inputs);
    let (pixel_m, finest) = site_grid::pixel(&rasters, &project, &code, (centre.x, centre.y), config.grid.pixel_m)?;
    let m = config.grid.margin_m;
    let bounds_m = [
        bounds.min().x - m,
        bounds.min().y - m,
        bounds.max().x + m,
        bounds.max().y + m,
    ];
    let pixels = (bounds_m[2] - bounds_m[0]) * (bounds_m[3] - bounds_m[1]) / (pixel_m * pixel_m);
    if pixels > MAX_PIXELS {
        return Err(failed(format!(
            "{pixels:.0} pixels of {pixel_m} m are more than {MAX_PIXELS:.0}; give a larger grid.pixel_m or a smaller site"
        ))
        .into());
    }
    let phase = match finest {
        Some(info) => site_grid::phase(info, &code, pixel_m, boundary.bounding_rect())?,
        None => [0.0, 0.0],
    };
    let grid = Grid::covering(&code, bounds_m, pixel_m, phase);
    let surveyed = training::ground(&grid, phase, |district| site_grid::covered(district, &rasters))?;
    let shape = |polygon_m: &MultiPolygon<f64>| Shape::new(polygon_m.map_coords(|c| grid.to_pixel(c.x, c.y).into()));
    let zones = site
        .zones
        .iter()
        .map(|zone| {
            Ok(DeclaredZone {
                id: zone.id.clone(),
                role: zone.role,
                area: shape(&projected(&zone.polygon, &project)?),
            })
        })
        .collect::<Result<_, IoError>>()?;
    let activities = site
        .activities
        .iter()
        .map(|activity| {
            let area = projected(&activity.polygon, &project)?;
            let tolerated = if activity.tolerance_m > 0.0 {
                area.buffer(activity.tolerance_m)
            } else {
                area.clone()
            };
            Ok(Declared {
                activity: activity.clone(),
                area: shape(&area),
                tolerated: shape(&tolerated),
            })
        })
        .collect::<Result<_, IoError>>()?;
    let halo = pairs
        .iter()
        .flat_map(|pair| std::iter::once(pair).chain(&pair.beside))
        .map(|pair| {
            let scenes = pair.scenes();
            reach::halo(config, pixel_m, reach::Clouds::of(&scenes), scenes.len())
        })
        .max()
        .unwrap_or(0);
    let planes = |pair: &Pair| {
        let of = |pair: &Pair| {
            let scenes = pair.scenes();
            let quality: usize = scenes.iter().map(|scene| scene.quality.len()).sum();
            // While pieces of a date are put together, one more is held.
            let is_of_pieces = pair.dates().iter().any(|date| date.pieces.len() > 1);
            let dates = scenes.len() + usize::from(is_of_pieces);
            [pair.bands.len() * dates, quality, dates]
        };
        let together = std::iter::once(pair).chain(&pair.beside).map(of);
        together.fold([0; 3], |all, one| [all[0] + one[0], all[1] + one[1], all[2] + one[2]])
    };
    let [bands, quality, dates] = pairs.iter().map(planes).max().unwrap_or([2, 0, 2]);
    let block = rasters
        .iter()
        .fold((1, 1), |(w, h), info| (info.block.0.max(w), info.block.1.max(h)));
    // Quality bands and radar beside are decoded too, and whatever pictures need.
    let all: Vec<&RasterInfo> = pairs
        .iter()
        .flat_map(Pair::pieces)
        .flat_map(files)
        .filter_map(|path| inputs.infos.get(&path))
        .collect();
    let load = Load {
        dates,
        bands,
        quality,
        block,
        block_bytes: all.iter().map(|info| info.block_bytes).max().unwrap_or(0),
        header_bytes: all.iter().map(|info| info.header_bytes).max().unwrap_or(0),
        halo,
    };
    let margin_px = halo + training::surroundings(&surveyed);
    for read in [&grid, &surveyed] {
        site_grid::check_places(read, margin_px, &all)?;
    }
    let around = surveyed.part(&surveyed.rect().grow(training::surroundings(&surveyed)));
    let seen_px = site_grid::covered(&around, &rasters)?.area();
    let budget = memory::fit((&grid, &surveyed), &load, config);
    Ok(Ground {
        boundary: shape(&boundary),
        zones,
        activities,
        halo,
        margin_px,
        seen_px,
        surveyed,
        strip_px: memory::strip_px(&grid, budget.tile_px, &load, budget.blocks_mib),
        tile_px: budget.tile_px,
        blocks_mib: budget.blocks_mib,
        memory_mib: budget.peak_mib,
        grid,
    })
}

/// The rasters of the bands that are compared.
fn pair_rasters<'a>(pairs: &[Pair], inputs: &'a Inputs) -> Vec<&'a RasterInfo> {
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

/// The files that a site's comparisons read, each once.
pub fn site_files(plan: &SitePlan, inputs: &Inputs) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = plan
        .pairs
        .iter()
        .flat_map(Pair::pieces)
        .flat_map(|scene| {
            let rasters = files(scene);
            let read = rasters.iter().filter_map(|path| inputs.infos.get(path));
            let read: Vec<PathBuf> = read.flat_map(|info| info.files.iter().cloned()).collect();
            read.into_iter().chain([scene.source.clone()])
        })
        .collect();
    paths.sort();
    paths.dedup();
    paths
}
