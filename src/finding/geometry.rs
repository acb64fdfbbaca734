//! Outlines as they stand in the record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::round;

/// Polygons in WGS 84, longitude first, outer rings counter-clockwise (RFC 7946), seven decimals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Geometry {
    /// Polygons, their rings, their positions `[longitude, latitude]`.
    pub coordinates: Vec<Vec<Vec<[f64; 2]>>>,
    /// Always `MultiPolygon`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// WGS 84 in, longitude first. Positions that fall together after rounding are one; rings that collapse are dropped.
impl From<&geo::MultiPolygon<f64>> for Geometry {
    fn from(polygons: &geo::MultiPolygon<f64>) -> Self {
        let polygon = |polygon: &geo::Polygon<f64>| {
            let outer = ring(polygon.exterior(), true)?;
            let holes = polygon.interiors().iter().filter_map(|hole| ring(hole, false));
            Some(std::iter::once(outer).chain(holes).collect())
        };
        Self {
            kind: "MultiPolygon".to_owned(),
            coordinates: polygons.iter().filter_map(polygon).collect(),
        }
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
    }
}
