//! Areas on the ellipsoid.

use geo::orient::{Direction, Orient};
use geo::{GeodesicArea, MultiPolygon};

use crate::geo::longitude;
use crate::io::crs;
use crate::number::round;

/// Area on the WGS 84 ellipsoid, whole square metres (Karney, "Algorithms for geodesics", 2013).
pub fn area_m2(polygon: &MultiPolygon<f64>) -> f64 {
    // A ring that turns the wrong way would enclose the rest of the Earth.
    let polygon = longitude::on_globe(polygon).orient(Direction::Default);
    // Around a pole, edges are parallels.
    let is_cap = polygon.iter().any(longitude::touches_a_pole);
    let polygon = if is_cap { crs::densify(&polygon) } else { polygon };
    round(polygon.geodesic_area_unsigned(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_does_not_depend_on_the_way_a_ring_turns() {
        // One hundredth of a degree at 45 degrees north: 1111.3 m by 788.5 m, less the hole of a quarter of it.
        let ring = |x: f64, y: f64, d: f64, back: bool| {
            let mut points = vec![(x, y), (x + d, y), (x + d, y + d), (x, y + d), (x, y)];
            if back {
                points.reverse();
            }
            geo::LineString::from(points)
        };
        let square = |back: bool| {
            let hole = ring(3.0025, 45.0025, 0.005, back);
            MultiPolygon(vec![geo::Polygon::new(ring(3.0, 45.0, 0.01, back), vec![hole])])
        };
        let expected = 0.75 * 1111.3 * 788.5;
        for back in [false, true] {
            let area = area_m2(&square(back));
            assert!((area / expected - 1.0).abs() < 0.002, "{area} against {expected}");
        }
    }
}
