//! Outlines of the report's pictures: what the record outlines in WGS 84, in pixels of the site grid.

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
        let pixel = |at: &geo::Coord<f64>| <[f64; 2]>::from(self.grid.to_pixel(at.x, at.y));
        let lines = metres
            .iter()
            .flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()));
        Ok(lines.map(|line| line.coords().map(pixel).collect()).collect())
    }
}
