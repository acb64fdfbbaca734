//! Where a site lies, in the reference system of its grid: its boundary, and what is declared on it.

use geo::orient::{Direction, Orient};
use geo::{BoundingRect, Buffer, MapCoords, MultiPolygon, Rect};

use crate::declaration::{Activity, Site, Zone};
use crate::geo::{Grid, Shape, longitude};
use crate::io::IoError;
use crate::io::crs::{self, Projector, WGS84};
use crate::stage::judge::{Declared, DeclaredZone};

/// `site` with longitudes that run on past 180 degrees, where it was split there as RFC 7946 asks.
pub fn joined_at_the_antimeridian(site: &Site) -> Site {
    let mut site = site.clone();
    if longitude::is_split(&site.boundary) {
        let polygons = std::iter::once(&mut site.boundary)
            .chain(site.zones.iter_mut().map(|zone| &mut zone.polygon))
            .chain(site.activities.iter_mut().map(|activity| &mut activity.polygon));
        polygons.for_each(|polygon| *polygon = longitude::eastward(polygon));
    }
    site
}

/// Where a site lies.
pub struct Place<'a> {
    site: &'a Site,
    wanted_crs: &'a str,
    /// The reference system of its grid.
    pub crs: String,
    /// Its bounds there, metres.
    pub bounds_m: Rect<f64>,
    /// Where the middle of its bounds in degrees lies there, metres.
    pub centre_m: (f64, f64),
    /// From longitude and latitude to there.
    project: Projector,
    boundary_m: MultiPolygon<f64>,
}

impl<'a> Place<'a> {
    /// Where `site` lies in the reference system `wanted_crs`, or in the UTM zone of its middle where that is wanted.
    ///
    /// # Errors
    /// A boundary that is empty there or cannot be projected; a reference system that is not in metres there.
    pub fn of(site: &'a Site, wanted_crs: &'a str) -> Result<Self, IoError> {
        let failed = |message: String| failed(site, wanted_crs, message);
        let empty = || failed("its boundary is empty".into());
        let bounds_deg = site.boundary.bounding_rect().ok_or_else(empty)?;
        let centre = bounds_deg.center();
        let crs = match wanted_crs {
            "utm" => crs::utm_zone(centre.x, centre.y),
            code => code.to_owned(),
        };
        check_metres(&crs, bounds_deg).map_err(failed)?;
        let project = Projector::new(WGS84, &crs)?;
        let boundary_m = projected(&site.boundary, &project)?;
        let bounds_m = boundary_m.bounding_rect().ok_or_else(empty)?;
        let (mut x, mut y) = ([centre.x], [centre.y]);
        project.project(&mut x, &mut y)?;
        Ok(Self {
            site,
            wanted_crs,
            crs,
            bounds_m,
            centre_m: (x[0], y[0]),
            project,
            boundary_m,
        })
    }

    /// That the site has no grid, and why.
    pub fn failed(&self, message: String) -> IoError {
        failed(self.site, self.wanted_crs, message)
    }

    /// The site's boundary on `grid`.
    pub fn boundary(&self, grid: &Grid) -> Shape {
        on_grid(&self.boundary_m, grid)
    }

    /// Its zones on `grid`.
    ///
    /// # Errors
    /// One that cannot be projected.
    pub fn zones(&self, grid: &Grid) -> Result<Vec<DeclaredZone>, IoError> {
        let zone = |zone: &Zone| {
            Ok(DeclaredZone {
                id: zone.id.clone(),
                role: zone.role,
                area: on_grid(&projected(&zone.polygon, &self.project)?, grid),
            })
        };
        self.site.zones.iter().map(zone).collect()
    }

    /// Its declared activities on `grid`, with the ground that is tolerated around them.
    ///
    /// # Errors
    /// One that cannot be projected.
    pub fn activities(&self, grid: &Grid) -> Result<Vec<Declared>, IoError> {
        let activity = |activity: &Activity| {
            let area = projected(&activity.polygon, &self.project)?;
            let tolerated = match activity.tolerance_m > 0.0 {
                true => area.buffer(activity.tolerance_m),
                false => area.clone(),
            };
            Ok(Declared {
                activity: activity.clone(),
                area: on_grid(&area, grid),
                tolerated: on_grid(&tolerated, grid),
            })
        };
        self.site.activities.iter().map(activity).collect()
    }
}

fn failed(site: &Site, wanted_crs: &str, message: String) -> IoError {
    IoError::Projection {
        from: format!("site {}", site.id),
        to: wanted_crs.to_owned(),
        message,
    }
}

/// A polygon in metres, in pixels of `grid`.
fn on_grid(polygon_m: &MultiPolygon<f64>, grid: &Grid) -> Shape {
    Shape::new(polygon_m.map_coords(|c| grid.to_pixel(c.x, c.y).into()))
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

/// A metre of the grid may be this much longer or shorter on the ground: sizes and distances are stated in metres.
const MAX_STRETCH: f64 = 0.05;

/// Looks whether a unit of the reference system `code` is a metre on the ground of `bounds`, degrees.
///
/// # Errors
/// It is not.
fn check_metres(code: &str, bounds: Rect<f64>) -> Result<(), String> {
    if !crs::parse(code).map_err(|error| error.to_string())?.is_projected() {
        return Err("expected a projected system in metres".into());
    }
    let (min, max, centre) = (bounds.min(), bounds.max(), bounds.center());
    let places = [
        (centre.x, centre.y),
        (min.x, min.y),
        (max.x, min.y),
        (min.x, max.y),
        (max.x, max.y),
    ];
    // At a pole there is no east.
    let places: Vec<(f64, f64)> = places.into_iter().filter(|place| place.1.abs() < 90.0).collect();
    let scales = crs::scales(code, &places).map_err(|error| error.to_string())?;
    let off = |scale: &&f64| (*scale - 1.0).abs() > MAX_STRETCH;
    match scales.iter().flatten().find(off) {
        None => Ok(()),
        Some(scale) => Err(format!(
            "expected a projected system in metres that are metres on the ground, within {:.0} %; found {scale:.3} of its units to a metre there: \
             give grid.crs = \"utm\", or a system made for the place, in metres",
            100.0 * MAX_STRETCH
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_in_metres_of_the_ground() {
        let check = |code: &str, longitude: f64, latitude: f64| {
            let corner = |by: f64| (longitude + by, (latitude + by).clamp(-90.0, 90.0));
            check_metres(code, Rect::new(corner(-0.02), corner(0.02)))
        };
        for (code, longitude, latitude) in [
            ("EPSG:32618", -74.0, 40.7),
            ("EPSG:32632", 6.0, 60.0),
            ("EPSG:2154", 2.0, 48.0),
            ("EPSG:3035", 25.0, 60.0),
            ("EPSG:3031", 30.0, -89.99),
            ("EPSG:3413", -45.0, 72.0),
            ("EPSG:3857", 10.0, 0.0),
        ] {
            assert_eq!(check(code, longitude, latitude), Ok(()), "{code}");
        }
        for (code, longitude, latitude, found) in [
            ("EPSG:2263", -74.0, 40.7, "3.281"),
            ("EPSG:3857", -74.0, 40.7, "1.3"),
            ("EPSG:3857", 10.0, -25.0, "1.1"),
            ("EPSG:3031", 30.0, -50.0, "1.1"),
            ("EPSG:4326", 10.0, 10.0, "projected"),
        ] {
            let why = check(code, longitude, latitude).unwrap_err();
            assert!(why.contains(found) && why.contains("metres"), "{code}: {why}");
        }
    }
}
