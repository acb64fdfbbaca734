//! Outlines of the report's pictures: what the record outlines in WGS 84, in pixels of the site grid.

use geo::{BoundingRect, Coord, MapCoords, MultiPolygon, Simplify};

use crate::finding::{Geometry, SiteReport};
use crate::geo::Grid;
use crate::io::IoError;
use crate::io::crs::{self, Projector, WGS84};
use crate::report::{self, Outlines, Rings};

/// The outlines of what the page of `report` shows; none without a site grid.
///
/// # Errors
/// A CRS that PROJ does not know, a place that cannot be projected.
pub fn outlines(report: &SiteReport) -> Result<Outlines, IoError> {
    let Some(grid) = &report.grid else {
        return Ok(Outlines::default());
    };
    let drawing = Drawing {
        to_grid: Projector::new(WGS84, &grid.crs)?,
        grid: grid.into(),
    };
    let most = report::max_shown(report);
    let mut outlines = Outlines {
        site: drawing.rings(&report.site.geometry)?,
        ..Outlines::default()
    };
    for activity in &report.activities {
        let rings = drawing.rings(&activity.geometry)?;
        outlines.activities.insert(activity.id.clone(), rings);
    }
    for comparison in &report.comparisons {
        for zone in &comparison.zones {
            if !outlines.zones.contains_key(&zone.id) {
                outlines.zones.insert(zone.id.clone(), drawing.rings(&zone.geometry)?);
            }
        }
        for index in report::shown(&comparison.anomalies, most) {
            let anomaly = &comparison.anomalies[index];
            let rings = drawing.rings(&anomaly.geometry)?;
            outlines.anomalies.insert(anomaly.id.clone(), rings);
        }
    }
    Ok(outlines)
}

struct Drawing {
    to_grid: Projector,
    grid: Grid,
}

impl Drawing {
    /// The rings of a shape of the record. Its positions have seven decimals of a degree, about a centimetre.
    fn rings(&self, geometry: &Geometry) -> Result<Rings, IoError> {
        let metres = self.to_grid.project_polygon(&crs::densify(&geometry.into()))?;
        let pixel = |at: Coord<f64>| Coord::from(self.grid.to_pixel(at.x, at.y));
        Ok(drawn(&metres.map_coords(pixel)))
    }
}

/// Pictures show a shape on no more pixels than this: what is finer need not be drawn.
const DRAWN_PX: f64 = 400.0;

/// The rings of a shape, in its units, without what nobody could see: the outline of a whole tile has a million corners.
fn drawn(shape: &MultiPolygon<f64>) -> Rings {
    let edge = |bounds: Option<geo::Rect<f64>>| bounds.map_or(0.0, |bounds| bounds.width().max(bounds.height()));
    let finest = edge(shape.bounding_rect()) / DRAWN_PX;
    let simple = shape.simplify(finest);
    let rings = simple.iter().flat_map(|part| {
        let holes = part
            .interiors()
            .iter()
            .filter(|hole| edge(hole.bounding_rect()) > finest);
        std::iter::once(part.exterior()).chain(holes)
    });
    rings
        .map(|ring| ring.coords().map(|at| [at.x, at.y]).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use geo::polygon;

    use super::*;

    #[test]
    fn a_small_shape_keeps_its_corners_and_a_large_one_what_can_be_seen() {
        let stairs = |edge: f64, step: f64| {
            let hole = |at: f64, size: f64| vec![(at, at), (at + size, at), (at + size, at + size), (at, at)];
            let mut outline = vec![(0.0, 0.0), (edge, 0.0), (edge, edge)];
            let steps = (1..(edge / step) as usize).rev().map(|i| i as f64 * step);
            outline.extend(steps.flat_map(|at| [(at, at + step), (at, at)]));
            let holes = vec![hole(edge / 2.0, edge / 8.0), hole(0.9 * edge, 1.0)];
            let holes = holes.into_iter().map(geo::LineString::from).collect();
            MultiPolygon(vec![geo::Polygon::new(outline.into(), holes)])
        };
        let small = stairs(40.0, 1.0);
        let rings = drawn(&small);
        assert_eq!(rings.len(), 3);
        assert_eq!(rings[0].len(), small.0[0].exterior().0.len());
        let large = drawn(&stairs(4000.0, 1.0));
        assert_eq!(
            large.len(),
            2,
            "a hole of a pixel is not seen on a picture of {DRAWN_PX}"
        );
        assert!(large[0].len() < 20, "{}", large[0].len());
        assert!(drawn(&MultiPolygon(vec![])).is_empty());
        let square = polygon![(x: 0.0, y: 0.0), (x: 9.0, y: 0.0), (x: 9.0, y: 9.0), (x: 0.0, y: 9.0)];
        assert_eq!(drawn(&MultiPolygon(vec![square]))[0].len(), 5);
    }
}
