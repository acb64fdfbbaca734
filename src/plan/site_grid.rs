//! The site grid: its pixel, the raster whose lattice it shares, and what rasters cover of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::config::GridParams;
use crate::geo::{Grid, Rect};
use crate::io::IoError;
use crate::io::crs::{self, Projector};
use crate::io::open::{self, RasterInfo};
use crate::io::to_pixels::ToPixels;
use crate::plan::place::Place;

/// Why there is no site grid: the raster whose reference system has no place for some of the site, or the site itself.
#[derive(Debug)]
pub struct Unplaced {
    /// The raster's file; none where the site is at fault.
    pub raster: Option<PathBuf>,
    /// What PROJ said.
    pub error: IoError,
}

impl From<IoError> for Unplaced {
    fn from(error: IoError) -> Self {
        Self { raster: None, error }
    }
}

impl Unplaced {
    /// That it is `info`'s reference system.
    fn of(info: &RasterInfo) -> impl Fn(IoError) -> Self {
        let raster = info.files.first().cloned();
        move |error| Self {
            raster: raster.clone(),
            error,
        }
    }
}

/// Looks whether every raster has a place for the corners, the middles of the edges and the centre of `grid` and `margin` pixels around it.
///
/// # Errors
/// One that has not.
pub fn check_places(grid: &Grid, margin: usize, rasters: &[&RasterInfo]) -> Result<(), Unplaced> {
    let area = grid.rect().grow(margin);
    let along = |from: i64, length: usize| [0.0, 0.5, 1.0].map(|part| from as f64 + part * length as f64);
    let rows = along(area.y, area.h);
    let points = along(area.x, area.w)
        .into_iter()
        .flat_map(|x| rows.map(|y| grid.to_world(x, y)));
    let (x, y): (Vec<f64>, Vec<f64>) = points.unzip();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for info in rasters.iter().filter(|info| known.insert(&info.crs_wkt)) {
        let way = Projector::new(&grid.crs, &info.crs_wkt);
        way.and_then(|way| way.project(&mut x.clone(), &mut y.clone()))
            .map_err(Unplaced::of(info))?;
    }
    Ok(())
}

/// A district whose corners are off those of a parallelogram by more than this part of its diagonals does not lie on one side of a map.
const BENT: f64 = 0.2;

/// No site grid has more pixels: 40,000 x 40,000.
const MAX_PIXELS: f64 = 1.6e9;

/// A grid, and the lattice that it lies on.
pub struct Lattice {
    /// The grid.
    pub grid: Grid,
    /// A corner of pixels of the lattice, metres.
    pub phase_m: [f64; 2],
}

/// The grid of the site that lies at `place`: it takes the pixels of the finest of `rasters`, and their lattice where it can.
///
/// # Errors
/// A place that has no image; a grid that is too large.
pub fn lattice(place: &Place, rasters: &[&RasterInfo], params: &GridParams) -> Result<Lattice, Unplaced> {
    let (pixel_m, finest) = pixel(rasters, &place.crs, place.centre_m, params.pixel_m)?;
    let (min, max, m) = (place.bounds_m.min(), place.bounds_m.max(), params.margin_m);
    let bounds_m = [min.x - m, min.y - m, max.x + m, max.y + m];
    let pixels = (bounds_m[2] - bounds_m[0]) * (bounds_m[3] - bounds_m[1]) / (pixel_m * pixel_m);
    if pixels > MAX_PIXELS {
        let message = format!(
            "{pixels:.0} pixels of {pixel_m} m are more than {MAX_PIXELS:.0}; give a larger grid.pixel_m or a smaller site"
        );
        return Err(place.failed(message).into());
    }
    let phase_m = match finest {
        Some(info) => phase(info, &place.crs, pixel_m, place.bounds_m)?,
        None => [0.0, 0.0],
    };
    Ok(Lattice {
        grid: Grid::covering(&place.crs, bounds_m, pixel_m, phase_m),
        phase_m,
    })
}

/// Edge of a pixel of the site grid in metres, and the raster whose pixels it takes.
fn pixel<'a>(
    rasters: &[&'a RasterInfo],
    code: &str,
    centre_m: (f64, f64),
    wanted: Option<f64>,
) -> Result<(f64, Option<&'a RasterInfo>), Unplaced> {
    let mut finest: Option<(f64, &RasterInfo)> = None;
    let mut known: Option<(&RasterInfo, f64)> = None;
    for info in rasters {
        let edge = match known {
            Some((same, edge)) if same.geotransform == info.geotransform && same.crs_wkt == info.crs_wkt => edge,
            _ => native_pixel(info, code, centre_m).map_err(Unplaced::of(info))?,
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
    let back = Projector::new(&info.crs_wkt, code)?;
    let [_, a, b, _, c, d] = info.geotransform;
    let area = |[across, down]: [f64; 2]| {
        let (a, b, c, d) = (a * across, b * down, c * across, d * down);
        let (mut x, mut y) = ([x[0], x[0] + a, x[0] + b], [y[0], y[0] + c, y[0] + d]);
        back.project(&mut x, &mut y)?;
        Ok::<f64, IoError>(((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])).abs())
    };
    // A map may end at the site: then the pixel on the other side tells.
    let sides = [[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]];
    let first = area(sides[0]);
    let area = sides[1..].iter().fold(first, |found, side| {
        found.or_else(|error| area(*side).map_err(|_| error))
    })?;
    Ok(((area.sqrt() * 100.0).round() / 100.0).max(0.01))
}

/// The smallest rectangle of the pixels of `district` that holds what of it any raster covers. It is small enough that a projection is
/// as good as straight there.
///
/// # Errors
/// A raster that has no place for some of it.
pub fn covered(district: &Grid, rasters: &[&RasterInfo]) -> Result<Rect, Unplaced> {
    let (w, h) = (district.width as f64, district.height as f64);
    let mut covered = Rect::new(0, 0, 0, 0);
    let mut known: Option<&RasterInfo> = None;
    for info in rasters {
        let same = |other: &RasterInfo| other.geotransform == info.geotransform && other.crs_wkt == info.crs_wkt;
        if known.is_some_and(same) {
            continue;
        }
        known = Some(info);
        let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)].map(|(x, y)| district.to_world(x, y));
        let (mut x, mut y) = (corners.map(|c| c.0), corners.map(|c| c.1));
        let way = ToPixels::new(&district.crs, &info.crs_wkt, district.to_world(w / 2.0, h / 2.0));
        let way = way.and_then(|way| way.follow(&info.geotransform, &mut x, &mut y).map(|()| way));
        let way = way.map_err(Unplaced::of(info))?;
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| (x[i], y[i]));
        // The map may end inside.
        let bent = (b.0 + c.0 - a.0 - d.0).abs() + (b.1 + c.1 - a.1 - d.1).abs();
        if way.turn_px(&info.geotransform).is_none()
            && bent > BENT * ((d.0 - a.0).abs() + (d.1 - a.1).abs() + (c.0 - b.0).abs() + (c.1 - b.1).abs())
        {
            return Ok(district.rect());
        }
        let to_raster = [
            a.0,
            (b.0 - a.0) / w,
            (c.0 - a.0) / h,
            a.1,
            (b.1 - a.1) / w,
            (c.1 - a.1) / h,
        ];
        let bottom = info.height as f64;
        // What a raster around the earth holds in each turn; without any between two of them.
        let turn_px = way.turn_px(&info.geotransform).unwrap_or(0.0);
        let columns = way.turns(&info.geotransform, info.width, (a.0.min(c.0), b.0.max(c.0 + b.0 - a.0)));
        let [left, right] = [columns.last(), columns.first()].map(|turn| -turn_px * turn.copied().unwrap_or(0) as f64);
        let right = right + info.width as f64;
        let ends =
            [(left, 0.0), (right, 0.0), (right, bottom), (left, bottom)].map(|(x, y)| open::to_pixel(&to_raster, x, y));
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

/// A corner of the raster's pixels in metres where the grid around `site` can share its lattice; else the origin.
///
/// # Errors
/// A place that has no image.
fn phase(info: &RasterInfo, code: &str, pixel_m: f64, site: geo::Rect<f64>) -> Result<[f64; 2], IoError> {
    /// Lattices that part by less over the site are one, metres: a hundredth of what is read without resampling.
    const SAME_M: f64 = 1e-4;
    let [_, a, b, _, c, d] = info.geotransform;
    // Rows may run north: the lattice is the same.
    let is_edge = |step: f64| (step.abs() - pixel_m).abs() < 1e-6;
    if !(is_edge(a) && is_edge(d) && b == 0.0 && c == 0.0) {
        return Ok([0.0, 0.0]);
    }
    if crs::parse(code)? == crs::parse(&info.crs_wkt)? {
        let [x0, _, _, y0, _, _] = info.geotransform;
        return Ok([x0.rem_euclid(pixel_m), y0.rem_euclid(pixel_m)]);
    }
    // The same zone may be counted from elsewhere: the north of one from the equator, the south from 10,000 km below it.
    let places = [
        (site.min().x, site.min().y),
        (site.max().x, site.max().y),
        (site.min().x, site.max().y),
    ];
    let (mut x, mut y) = (places.map(|place| place.0), places.map(|place| place.1));
    Projector::new(code, &info.crs_wkt)?.project(&mut x, &mut y)?;
    let away = [0, 1, 2].map(|i| [places[i].0 - x[i], places[i].1 - y[i]]);
    let is_moved = away
        .iter()
        .all(|one| (0..2).all(|axis| (one[axis] - away[0][axis]).abs() < SAME_M));
    Ok(match is_moved {
        false => [0.0, 0.0],
        true => {
            let corner = [info.geotransform[0] + away[0][0], info.geotransform[3] + away[0][1]];
            corner.map(|metres| ((metres / SAME_M).round() * SAME_M).rem_euclid(pixel_m))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::formats::USUAL;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};

    /// A raster of 30 m whose upper left corner is (`left`, `top`) in `crs`.
    fn raster(crs: &str, left: f64, top: f64) -> RasterInfo {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let layout = Layout {
            width: 8,
            height: 8,
            bands: 1,
            data_type: DataType::U16,
            transform: [left, 30.0, 0.0, top, 0.0, -30.0],
            crs: crs.into(),
            nodata: None,
            compression: Compression::None,
            block: 16,
        };
        GeoTiffWriter::create(&path, layout).unwrap().finish().unwrap();
        open::info(&path, USUAL).unwrap()
    }

    #[test]
    fn a_map_that_ends_at_the_site_has_a_pixel_and_one_that_has_no_place_for_it_is_named() {
        let centre = (179.9999, 60.0);
        let in_crs = |code: &str| {
            let (mut x, mut y) = ([centre.0], [centre.1]);
            let way = Projector::new(crs::WGS84, code).unwrap();
            way.project(&mut x, &mut y).unwrap();
            (x[0], y[0])
        };
        let of = |projection: &str| {
            format!(
                "PROJCS[\"x\",GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],\
                 UNIT[\"degree\",0.0174532925199433]],PROJECTION[\"{projection}\"],PARAMETER[\"central_meridian\",0],UNIT[\"metre\",1]]"
            )
        };
        let mollweide = of("Mollweide");
        let (x, y) = in_crs(&mollweide);
        let info = RasterInfo {
            crs_wkt: mollweide,
            geotransform: [x, 1000.0, 0.0, y, 0.0, -1000.0],
            ..raster("EPSG:32660", 0.0, 0.0)
        };
        let (edge, _) = pixel(&[&info], "EPSG:32660", in_crs("EPSG:32660"), None).unwrap();
        assert!((990.0..1010.0).contains(&edge), "{edge}");
        let gnomonic = RasterInfo {
            crs_wkt: of("Gnomonic"),
            ..raster("EPSG:32660", 0.0, 0.0)
        };
        let why = pixel(&[&gnomonic], "EPSG:32660", in_crs("EPSG:32660"), None).unwrap_err();
        assert_eq!(why.raster.as_ref(), gnomonic.files.first());
        let grid = Grid::covering(
            "EPSG:32660",
            [660_000.0, 6_650_000.0, 661_000.0, 6_651_000.0],
            10.0,
            [0.0; 2],
        );
        assert!(check_places(&grid, 30, &[&info]).is_ok());
        assert_eq!(
            check_places(&grid, 30, &[&info, &gnomonic]).unwrap_err().raster,
            why.raster
        );
    }

    #[test]
    fn the_lattice_of_a_zone_counted_from_elsewhere_is_shared() {
        let site = geo::Rect::new((300_000.0, 8_796_000.0), (303_000.0, 8_799_000.0));
        let phase = |info: &RasterInfo| phase(info, "EPSG:32718", 30.0, site).unwrap();
        // 10,000 km are a third of a pixel more than a whole number of them.
        assert_eq!(phase(&raster("EPSG:32618", 300_015.0, -1_200_015.0)), [15.0, 25.0]);
        assert_eq!(phase(&raster("EPSG:32718", 300_015.0, 8_799_985.0)), [15.0, 25.0]);
        // Rows may run north.
        let info = raster("EPSG:32718", 300_015.0, 8_799_985.0);
        let [x0, a, b, y0, c, d] = info.geotransform;
        let south_up = RasterInfo {
            geotransform: [x0, a, b, y0 + 8.0 * d, c, -d],
            ..info
        };
        assert_eq!(phase(&south_up), [15.0, 25.0]);
        // Another zone lies askew.
        assert_eq!(phase(&raster("EPSG:32719", 300_015.0, 8_799_985.0)), [0.0, 0.0]);
    }
}
