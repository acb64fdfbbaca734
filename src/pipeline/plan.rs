//! What will be done, decided without reading a pixel: site grids, scenes used and refused, tiles, memory.

use std::path::PathBuf;

use geo::{BoundingRect, Buffer, MapCoords, MapCoordsInPlace, MultiPolygon};

use super::config::Config;
use super::ground_shown::{candidates, same_ground};
use super::inputs::{Inputs, files};
use super::memory::{self, Load};
use super::pairs::{Pair, pairs};
use super::{observe, survey};
use crate::declaration::Site;
use crate::finding::RefusedScene;
use crate::geo::{Grid, Rect, Shape};
use crate::io::IoError;
use crate::io::crs::{self, Projector, WGS84};
use crate::io::open::{self, RasterInfo};
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
    let (scenes, elsewhere) = candidates(&whole, inputs);
    let mut refused = inputs.refused.clone();
    refused.extend(elsewhere);
    let (pairs, left_out) = pairs(&scenes, &|a, b| same_ground(a, b, inputs), config);
    refused.extend(left_out);
    refused.sort();
    refused.dedup();
    let ground = if pairs.is_empty() {
        None
    } else {
        Some(ground(&whole, &pairs, inputs, config)?)
    };
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
    if site
        .boundary
        .bounding_rect()
        .is_some_and(|bounds| bounds.width() > 180.0)
    {
        let polygons = std::iter::once(&mut site.boundary)
            .chain(site.zones.iter_mut().map(|zone| &mut zone.polygon))
            .chain(site.activities.iter_mut().map(|activity| &mut activity.polygon));
        for polygon in polygons {
            polygon.map_coords_in_place(|c| geo::coord! { x: if c.x < 0.0 { c.x + 360.0 } else { c.x }, y: c.y });
        }
    }
    site
}

fn ground(site: &Site, pairs: &[Pair], inputs: &Inputs, config: &Config) -> Result<Ground, IoError> {
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
    if !crs::parse(&code)?.is_projected() {
        return Err(failed("expected a projected system in metres".into()));
    }
    let project = Projector::new(WGS84, &code)?;
    let boundary = project.project_polygon(&crs::densify(&site.boundary))?;
    let bounds = boundary
        .bounding_rect()
        .ok_or_else(|| failed("its boundary is empty".into()))?;
    let rasters = pair_rasters(pairs, inputs);
    let (pixel_m, finest) = pixel(&rasters, &project, &code, (centre.x, centre.y), config.grid.pixel_m)?;
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
        )));
    }
    let phase = finest.map_or([0.0, 0.0], |info| phase(info, &code, pixel_m));
    let grid = Grid::covering(&code, bounds_m, pixel_m, phase);
    let surveyed = survey::ground(&grid, phase, |district| covered(district, &rasters))?;
    let shape = |polygon_m: &MultiPolygon<f64>| Shape::new(polygon_m.map_coords(|c| grid.to_pixel(c.x, c.y).into()));
    let projected = |polygon: &MultiPolygon<f64>| project.project_polygon(&crs::densify(polygon));
    let zones = site
        .zones
        .iter()
        .map(|zone| {
            Ok(DeclaredZone {
                id: zone.id.clone(),
                role: zone.role,
                area: shape(&projected(&zone.polygon)?),
            })
        })
        .collect::<Result<_, IoError>>()?;
    let activities = site
        .activities
        .iter()
        .map(|activity| {
            let area = projected(&activity.polygon)?;
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
            observe::halo(config, pixel_m, observe::Clouds::of(&scenes), scenes.len())
        })
        .max()
        .unwrap_or(0);
    let planes = |pair: &Pair| {
        let of = |pair: &Pair| {
            let quality = pair.scenes().into_iter().map(|scene| scene.quality.len());
            let dates = pair.scenes().len();
            [pair.bands.len() * dates, quality.sum::<usize>(), dates]
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
    let budget = memory::fit((&grid, &surveyed), &load, config);
    Ok(Ground {
        boundary: shape(&boundary),
        zones,
        activities,
        halo,
        margin_px: halo + survey::surroundings(&surveyed),
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

/// Edge of a pixel of the site grid in metres, and the raster whose pixels it takes.
fn pixel<'a>(
    rasters: &[&'a RasterInfo],
    to_grid: &Projector,
    code: &str,
    centre: (f64, f64),
    wanted: Option<f64>,
) -> Result<(f64, Option<&'a RasterInfo>), IoError> {
    let (mut x, mut y) = ([centre.0], [centre.1]);
    to_grid.project(&mut x, &mut y)?;
    let mut finest: Option<(f64, &RasterInfo)> = None;
    let mut known: Option<(&RasterInfo, f64)> = None;
    for info in rasters {
        let edge = match known {
            Some((same, edge)) if same.geotransform == info.geotransform && same.crs_wkt == info.crs_wkt => edge,
            _ => native_pixel(info, code, (x[0], y[0]))?,
        };
        known = Some((info, edge));
        if finest.is_none_or(|(least, _)| edge < least - 1e-6) {
            finest = Some((edge, info));
        }
    }
    let (edge, info) = finest.map_or((10.0, None), |(edge, info)| (edge, Some(info)));
    Ok(match wanted {
        Some(wanted) if (wanted - edge).abs() > 1e-6 => (wanted, None),
        Some(wanted) => (wanted, info),
        None => (edge, info),
    })
}

/// Edge in metres of a square as large as the raster's pixel at `at` (in the grid's CRS), rounded to a centimetre.
fn native_pixel(info: &RasterInfo, code: &str, at: (f64, f64)) -> Result<f64, IoError> {
    let there = Projector::new(code, &info.crs_wkt)?;
    let (mut x, mut y) = ([at.0], [at.1]);
    there.project(&mut x, &mut y)?;
    let [_, a, b, _, c, d] = info.geotransform;
    let back = Projector::new(&info.crs_wkt, code)?;
    let (mut x, mut y) = ([x[0], x[0] + a, x[0] + b], [y[0], y[0] + c, y[0] + d]);
    back.project(&mut x, &mut y)?;
    let area = ((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])).abs();
    Ok(((area.sqrt() * 100.0).round() / 100.0).max(0.01))
}

/// The smallest rectangle of the pixels of `district` that holds what of it any raster covers. It is small enough that a projection is
/// as good as straight there.
fn covered(district: &Grid, rasters: &[&RasterInfo]) -> Result<Rect, IoError> {
    let (w, h) = (district.width as f64, district.height as f64);
    let mut covered = Rect::new(0, 0, 0, 0);
    let mut known: Option<&RasterInfo> = None;
    for info in rasters {
        let same = |other: &RasterInfo| other.geotransform == info.geotransform && other.crs_wkt == info.crs_wkt;
        if known.is_some_and(same) {
            continue;
        }
        known = Some(info);
        let corners = [(0.0, 0.0), (w, 0.0), (0.0, h)].map(|(x, y)| district.to_world(x, y));
        let (mut x, mut y) = (corners.map(|c| c.0), corners.map(|c| c.1));
        Projector::new(&district.crs, &info.crs_wkt)?.project(&mut x, &mut y)?;
        let [a, b, c] = [0, 1, 2].map(|i| info.to_pixel(x[i], y[i]));
        let to_raster = [
            a.0,
            (b.0 - a.0) / w,
            (c.0 - a.0) / h,
            a.1,
            (b.1 - a.1) / w,
            (c.1 - a.1) / h,
        ];
        let (right, bottom) = (info.width as f64, info.height as f64);
        let ends =
            [(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)].map(|(x, y)| open::to_pixel(&to_raster, x, y));
        // A raster may be far larger than the district: what lies beyond it does not matter.
        let held = |v: f64, most: f64| v.round().clamp(0.0, most) as i64;
        let x = ends.map(|end| held(end.0, w));
        let y = ends.map(|end| held(end.1, h));
        let least = |v: [i64; 4]| v.into_iter().min().unwrap_or(0);
        let most = |v: [i64; 4]| v.into_iter().max().unwrap_or(0);
        let here = Rect::new(
            least(x),
            least(y),
            (most(x) - least(x)) as usize,
            (most(y) - least(y)) as usize,
        );
        covered = if covered.is_empty() { here } else { covered.union(&here) };
    }
    Ok(covered)
}

/// A corner of the raster's pixels in metres where the grid can share its lattice; else the origin.
fn phase(info: &RasterInfo, code: &str, pixel_m: f64) -> [f64; 2] {
    let [x0, a, b, y0, c, d] = info.geotransform;
    let square = (a - pixel_m).abs() < 1e-6 && (d + pixel_m).abs() < 1e-6 && b == 0.0 && c == 0.0;
    let same = match (crs::parse(code), crs::parse(&info.crs_wkt)) {
        (Ok(grid), Ok(raster)) => grid == raster,
        _ => false,
    };
    if square && same {
        [x0.rem_euclid(pixel_m), y0.rem_euclid(pixel_m)]
    } else {
        [0.0, 0.0]
    }
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
