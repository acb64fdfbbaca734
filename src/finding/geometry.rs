//! Outlines as they stand in the record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::geo::longitude;
use crate::number::round;

/// Polygons in WGS 84, longitude first, outer rings counter-clockwise (RFC 7946), seven decimals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Geometry {
    /// Polygons, their rings, their positions `[longitude, latitude]`.
    pub coordinates: Vec<Vec<Vec<[f64; 2]>>>,
    /// Always `MultiPolygon`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// WGS 84 in, longitude first. Positions that fall together after rounding are one; rings that collapse are dropped; a polygon
/// that crosses the antimeridian is split there (RFC 7946, 3.1.9), and one around a pole goes by way of it.
impl From<&geo::MultiPolygon<f64>> for Geometry {
    fn from(polygons: &geo::MultiPolygon<f64>) -> Self {
        let polygon = |polygon: &geo::Polygon<f64>| {
            let outer = ring(polygon.exterior(), true)?;
            let holes = polygon.interiors().iter().filter_map(|hole| ring(hole, false));
            Some(std::iter::once(outer).chain(holes).collect())
        };
        Self {
            kind: "MultiPolygon".to_owned(),
            coordinates: longitude::on_globe(polygons).iter().filter_map(polygon).collect(),
        }
    }
}

impl From<&Geometry> for geo::MultiPolygon<f64> {
    fn from(geometry: &Geometry) -> Self {
        let line = |ring: &Vec<[f64; 2]>| geo::LineString::from_iter(ring.iter().copied());
        let polygon = |rings: &Vec<Vec<[f64; 2]>>| {
            let mut lines = rings.iter().map(line);
            let outer = lines.next()?;
            Some(geo::Polygon::new(outer, lines.collect()))
        };
        Self(geometry.coordinates.iter().filter_map(polygon).collect())
    }
}

/// A closed ring of seven decimals, counter-clockwise for an outer one; `None` when fewer than three corners are left.
fn ring(line: &geo::LineString<f64>, outer: bool) -> Option<Vec<[f64; 2]>> {
    use geo::Winding;
    let mut corners: Vec<geo::Coord<f64>> = line
        .coords()
        .map(|c| geo::coord! { x: round(c.x, 7), y: round(c.y, 7) })
        .collect();
    corners.dedup();
    let mut ring = geo::LineString::new(corners);
    ring.close();
    // Only after rounding: a sliver may turn over.
    if outer {
        ring.make_ccw_winding();
    } else {
        ring.make_cw_winding();
    }
    (ring.0.len() >= 4).then(|| ring.0.iter().map(|c| [c.x, c.y]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometry_turns_rings_and_drops_what_rounding_closes() {
        let clockwise = vec![(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 0.0), (0.0, 0.0)];
        let hole = vec![
            (0.5, 0.5),
            (1.5, 0.5),
            (1.500_000_01, 0.500_000_01),
            (1.5, 1.5),
            (0.5, 0.5),
        ];
        let dot = vec![(1.0, 1.0), (1.000_000_01, 1.0), (1.0, 1.000_000_01), (1.0, 1.0)];
        let polygon = geo::Polygon::new(clockwise.into(), vec![hole.into(), dot.clone().into()]);
        let geometry = Geometry::from(&geo::MultiPolygon(vec![polygon, geo::Polygon::new(dot.into(), vec![])]));
        assert_eq!(geometry.kind, "MultiPolygon");
        assert_eq!(
            geometry.coordinates,
            [vec![
                vec![[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0], [0.0, 0.0]],
                vec![[0.5, 0.5], [1.5, 1.5], [1.5, 0.5], [0.5, 0.5]],
            ]]
        );
        assert_eq!(Geometry::from(&geo::MultiPolygon::from(&geometry)), geometry);
    }

    #[test]
    fn a_polygon_over_the_antimeridian_is_split_there() {
        let across = vec![
            (179.99, -17.0),
            (-179.99, -17.0),
            (-179.99, -16.0),
            (179.99, -16.0),
            (179.99, -17.0),
        ];
        let hole = vec![
            (179.995, -16.8),
            (179.995, -16.2),
            (-179.995, -16.2),
            (-179.995, -16.8),
            (179.995, -16.8),
        ];
        let polygon = geo::Polygon::new(across.into(), vec![hole.into()]);
        let geometry = Geometry::from(&geo::MultiPolygon(vec![polygon]));
        let [west, east] = geometry.coordinates.as_slice() else {
            panic!("{geometry:?}")
        };
        assert!(
            west.iter().flatten().all(|[lon, _]| (179.99..=180.0).contains(lon)),
            "{west:?}"
        );
        assert!(
            east.iter().flatten().all(|[lon, _]| (-180.0..=-179.99).contains(lon)),
            "{east:?}"
        );
        use geo::Area;
        let area = geo::MultiPolygon::from(&geometry).unsigned_area();
        assert!((area - (0.02 - 0.01 * 0.6)).abs() < 1e-9, "{area}");
        // Declared in two parts: stays as it is.
        assert_eq!(Geometry::from(&geo::MultiPolygon::from(&geometry)), geometry);
    }
}
