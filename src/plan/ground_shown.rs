//! Which scenes show which part of a site: by the rasters' own georeference, the footprints and the stated clouds. No pixel is read.

use std::collections::BTreeMap;

use geo::{BoundingRect, ChamberlainDuquetteArea, Contains, Coord, CoordsIter, MapCoords, MultiPolygon, Point};

use crate::declaration::Site;
use crate::finding::{NOT_COVERING, RefusedScene};
use crate::io::crs::{self, WGS84};
use crate::io::open::RasterInfo;
use crate::io::to_pixels::ToPixels;
use crate::plan::inputs::Inputs;
use crate::plan::pairs::Candidate;
use crate::scene::acquisition::Rasters;
use crate::scene::{BandAsset, Scene, Shown};

/// Sample points of a site: a lattice over its box gets finer until so many lie inside the boundary.
const ENOUGH_POINTS: usize = 64;
/// The first lattice, and the finest, points along an edge.
const LATTICES: [usize; 5] = [12, 24, 48, 96, 192];

/// The scenes that cover `site`, and those that do not or cannot be placed, and why.
pub fn candidates<'a>(site: &Site, inputs: &'a Inputs) -> (Vec<Candidate<'a>>, Vec<RefusedScene>) {
    let points = points(&site.boundary);
    let near = site
        .boundary
        .bounding_rect()
        .map_or((0.0, 0.0), |bounds| bounds.center().x_y());
    let mut ways: BTreeMap<&str, Result<ToPixels, String>> = BTreeMap::new();
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for scene in &inputs.scenes {
        let placed = scene
            .bands
            .first()
            .and_then(|band| inputs.infos.get(&band.path))
            .ok_or_else(|| NOT_COVERING.to_owned())
            .and_then(|info| {
                let way = ways.entry(&info.crs_wkt).or_insert_with(|| {
                    ToPixels::new(WGS84, &info.crs_wkt, near).map_err(|error| {
                        format!(
                            "its coordinate reference system does not say where on the earth it lies ({error}); georeference it, or take it out"
                        )
                    })
                });
                let way = way.as_ref().map_err(Clone::clone)?;
                if !meets(info, way, &site.boundary) {
                    return Err(NOT_COVERING.to_owned());
                }
                Ok((covered(scene, info, way, &points), pixel_m(scene, way, near, inputs)))
            });
        match placed {
            Ok((covers, pixel_m)) => found.push(Candidate {
                scene,
                shown: Shown::of(scene, &covers),
                pixel_m,
            }),
            Err(reason) => refused.push(RefusedScene {
                id: scene.id.clone(),
                reason,
                unreadable: false,
            }),
        }
    }
    if found.is_empty()
        && let Some(swapped) = swapped(&site.boundary)
    {
        // All of them are refused, in their order.
        for (scene, refusal) in inputs.scenes.iter().zip(&mut refused) {
            let info = scene.bands.first().and_then(|band| inputs.infos.get(&band.path));
            let lies_there = info.is_some_and(|info| {
                let way = ways.get(info.crs_wkt.as_str());
                way.is_some_and(|way| way.as_ref().is_ok_and(|way| meets(info, way, &swapped)))
            });
            if lies_there && refusal.reason == NOT_COVERING {
                refusal.reason = format!(
                    "{NOT_COVERING}, but would if its latitude and longitude were swapped: GeoJSON puts longitude first"
                );
            }
        }
    }
    (found, refused)
}

/// `boundary` with latitude for longitude; `None` where that is no place.
fn swapped(boundary: &MultiPolygon<f64>) -> Option<MultiPolygon<f64>> {
    let is_place = boundary.coords_iter().all(|c| c.x.abs() <= 90.0);
    is_place.then(|| boundary.map_coords(|c| Coord { x: c.y, y: c.x }))
}

/// The area of a site, square metres.
pub fn area_m2(boundary: &MultiPolygon<f64>) -> f64 {
    boundary.chamberlain_duquette_unsigned_area()
}

/// Edge in metres of a square as large as a pixel of the finest measured band of `scene` at `near`, degrees; bands lie where `way` leads. `None`
/// where that is not known.
fn pixel_m(scene: &Scene, way: &ToPixels, near: (f64, f64), inputs: &Inputs) -> Option<f64> {
    /// Metres of a degree of latitude.
    const DEGREE_M: f64 = 111_195.0;
    /// The way to the neighbours that are asked for, degrees: straight in any projection.
    const STEP: f64 = 1e-4;
    // At a pole there is no east.
    let (east_m, north_m) = (STEP * DEGREE_M * near.1.to_radians().cos(), STEP * DEGREE_M);
    let edge = |info: &RasterInfo| {
        let south = -STEP.copysign(near.1);
        let (mut x, mut y) = ([near.0, near.0 + STEP, near.0], [near.1, near.1, near.1 + south]);
        way.follow(&info.geotransform, &mut x, &mut y).ok()?;
        let pixels = ((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])).abs();
        let edge = (east_m * north_m / pixels).sqrt();
        (edge.is_finite() && edge > 0.0).then_some(edge)
    };
    let measured = scene.bands.iter().filter(|band| !band.derived);
    let mut infos: Vec<&RasterInfo> = measured.filter_map(|band| inputs.infos.get(&band.path)).collect();
    infos.dedup_by(|a, b| a.geotransform == b.geotransform);
    infos.into_iter().filter_map(edge).min_by(f64::total_cmp)
}

/// How the rasters of two scenes lie, by the first of the bands that both have.
pub fn rasters(a: &Scene, b: &Scene, inputs: &Inputs) -> Rasters {
    let of_b = |name: &String| b.bands.iter().find(|band| band.name == *name);
    let mut shared = a.bands.iter().filter_map(|band| Some((band, of_b(&band.name)?)));
    let Some((one, other)) = shared.next() else {
        return Rasters::Unlike;
    };
    let coding = |band: &BandAsset| (band.scale, band.offset, band.decibel);
    let is_alike = coding(one) == coding(other) && shared.all(|(one, other)| coding(one) == coding(other));
    match inputs.infos.get(&one.path).zip(inputs.infos.get(&other.path)) {
        Some((a, b)) if is_alike && a.data_type == b.data_type => match a.lies_as(b) {
            true => Rasters::Alike,
            false if is_of_one_size(a, b) => Rasters::Adjacent,
            false => Rasters::Unlike,
        },
        _ => Rasters::Unlike,
    }
}

/// Whether the pixels of two rasters are of one size, each in its own reference system.
fn is_of_one_size(a: &RasterInfo, b: &RasterInfo) -> bool {
    /// Sizes in degrees are rounded.
    const SAME: f64 = 0.01;
    let area = |info: &RasterInfo| {
        let [_, a, b, _, c, d] = info.geotransform;
        (a * d - b * c).abs()
    };
    (area(a) - area(b)).abs() <= SAME * area(a)
}

/// Points of a regular lattice inside `boundary` (degrees); its corners where it is too thin for any.
fn points(boundary: &MultiPolygon<f64>) -> Vec<Point<f64>> {
    let Some(bounds) = boundary.bounding_rect() else {
        return Vec::new();
    };
    let lattice = |edge: usize| -> Vec<Point<f64>> {
        let at = |from: f64, length: f64, step: usize| from + length * (step as f64 + 0.5) / edge as f64;
        let all = (0..edge * edge).map(|i| {
            Point::new(
                at(bounds.min().x, bounds.width(), i % edge),
                at(bounds.min().y, bounds.height(), i / edge),
            )
        });
        all.filter(|point| boundary.contains(point)).collect()
    };
    let mut points = Vec::new();
    for edge in LATTICES {
        points = lattice(edge);
        if points.len() >= ENOUGH_POINTS {
            break;
        }
    }
    if points.is_empty() {
        points = boundary.iter().flat_map(|part| part.exterior().points()).collect();
    }
    points
}

/// Whether the raster meets the site, by its own georeference: a catalogue's footprint may be wrong.
fn meets(info: &RasterInfo, to_pixels: &ToPixels, boundary: &MultiPolygon<f64>) -> bool {
    let Some(bounds) = boundary.bounding_rect() else {
        return false;
    };
    // The site's box, carried into the raster: a raster may be far larger than the area in which a projection works.
    let edge = crs::densify(&MultiPolygon(vec![bounds.to_polygon()]));
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = edge.coords_iter().map(|c| c.x_y()).unzip();
    if to_pixels.follow(&info.geotransform, &mut x, &mut y).is_err() {
        return false;
    }
    let extent = |along: &[f64]| {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        along
            .iter()
            .fold(ends, |(least, most), v| (least.min(*v), most.max(*v)))
    };
    let ((left, right), (top, bottom)) = (extent(&x), extent(&y));
    let turn_px = to_pixels.turn_px(&info.geotransform).unwrap_or(0.0);
    let turns = to_pixels.turns(&info.geotransform, info.width, (left, right));
    let columns = turns.into_iter().map(|turn| turn as f64 * turn_px);
    let across = columns
        .into_iter()
        .any(|by| right + by > 0.0 && left + by < info.width as f64);
    across && bottom > 0.0 && top < info.height as f64
}

/// Whether each of `points` lies in the raster, and in the footprint that the catalogue states: a raster may be mostly empty.
fn covered(scene: &Scene, info: &RasterInfo, to_pixels: &ToPixels, points: &[Point<f64>]) -> Vec<bool> {
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.iter().map(|point| point.x_y()).unzip();
    if to_pixels.follow(&info.geotransform, &mut x, &mut y).is_err() {
        // Some lie where the projection does not work: nothing is known.
        return vec![true; points.len()];
    }
    let turn_px = to_pixels.turn_px(&info.geotransform);
    let inside = |u: f64, v: f64| {
        let u = turn_px.map_or(u, |turn| u.rem_euclid(turn));
        (0.0..info.width as f64).contains(&u) && (0.0..info.height as f64).contains(&v)
    };
    let in_raster: Vec<bool> = x.into_iter().zip(y).map(|(x, y)| inside(x, y)).collect();
    // Footprints and sites may run on past 180 degrees, each in its own way.
    let lies_in = |outline: &MultiPolygon<f64>, point: &Point<f64>| {
        let turned = |by: f64| Coord {
            x: point.x() + by,
            y: point.y(),
        };
        [0.0, -360.0, 360.0].into_iter().any(|by| outline.contains(&turned(by)))
    };
    let stated = scene.footprint.as_ref().map(|outline| {
        let both = points.iter().zip(&in_raster);
        both.map(|(point, in_raster)| *in_raster && lies_in(outline, point))
            .collect()
    });
    // A footprint that shows none of what the raster holds is wrong.
    let stated: Option<Vec<bool>> = stated.filter(|stated: &Vec<bool>| stated.contains(&true));
    stated.unwrap_or(in_raster)
}
