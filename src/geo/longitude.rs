//! Polygons in degrees on a globe, where longitude begins anew at 180 and a ring may go around a pole.

use geo::{BooleanOps, BoundingRect, Coord, LineString, MapCoords, MultiPolygon, Polygon, coord};

/// Where the poles are, degrees of latitude.
const POLE: f64 = 90.0;

/// Whether `polygons` were split at the antimeridian, as RFC 7946 (3.1.9) asks: nothing that is declared is wider than half the globe, but for
/// what goes around a pole.
pub fn is_split(polygons: &MultiPolygon<f64>) -> bool {
    let is_wide = |bounds: Option<geo::Rect<f64>>| bounds.is_some_and(|bounds| bounds.width() > 180.0);
    is_wide(polygons.bounding_rect()) && !polygons.iter().any(|part| is_wide(part.bounding_rect()))
}

/// `polygons` with those in the western half a turn on, at longitudes from 180 to 360 degrees.
pub fn eastward(polygons: &MultiPolygon<f64>) -> MultiPolygon<f64> {
    let is_western = |part: &Polygon<f64>| part.bounding_rect().is_some_and(|bounds| bounds.max().x <= 0.0);
    let moved = polygons.iter().map(|part| {
        let by = if is_western(part) { 360.0 } else { 0.0 };
        part.map_coords(|c| coord! { x: c.x + by, y: c.y })
    });
    moved.collect()
}

/// Whether `polygon` has corners at a pole.
pub fn touches_a_pole(polygon: &Polygon<f64>) -> bool {
    polygon.exterior().coords().any(is_at_pole)
}

/// `polygons`, whose longitudes may jump by a turn between corners or run on past 180 degrees, as RFC 7946 has them: from -180 to 180, split
/// at the antimeridian, and by way of the pole where a ring goes around it.
pub fn on_globe(polygons: &MultiPolygon<f64>) -> MultiPolygon<f64> {
    polygons
        .iter()
        .flat_map(|polygon| split(&continuous(polygon)))
        .collect()
}

/// `polygon` with rings whose longitudes run on.
fn continuous(polygon: &Polygon<f64>) -> Polygon<f64> {
    let is_whole_turn = polygon.bounding_rect().is_some_and(|bounds| bounds.width() == 360.0);
    if is_whole_turn && touches_a_pole(polygon) {
        return polygon.clone();
    }
    let (mut outer, turns) = unwrapped(polygon.exterior());
    if turns != 0.0 {
        outer = by_way_of_the_pole(&outer);
    }
    let bounds = outer.bounding_rect();
    let hole = |ring: &LineString<f64>| {
        let (hole, _) = unwrapped(ring);
        // A hole lies in the same turn as the ring around it.
        let away = bounds.zip(hole.bounding_rect());
        let turns = away.map_or(0.0, |(outer, hole)| {
            ((outer.center().x - hole.center().x) / 360.0).round()
        });
        hole.map_coords(|c| coord! { x: c.x + 360.0 * turns, y: c.y })
    };
    Polygon::new(outer.clone(), polygon.interiors().iter().map(hole).collect())
}

fn is_at_pole(c: &Coord<f64>) -> bool {
    c.y.abs() >= POLE
}

/// `ring` with longitudes that run on, and by how many turns it ends away from where it began.
fn unwrapped(ring: &LineString<f64>) -> (LineString<f64>, f64) {
    let mut along: Vec<Coord<f64>> = Vec::with_capacity(ring.0.len());
    for c in ring.coords() {
        let x = match along.last() {
            // At a pole all longitudes are one place.
            Some(last) if (c.x - last.x).abs() > 180.0 && !(is_at_pole(last) && is_at_pole(c)) => {
                c.x - 360.0 * ((c.x - last.x) / 360.0).round()
            }
            _ => c.x,
        };
        along.push(coord! { x: x, y: c.y });
    }
    let turns = match (along.first(), along.last()) {
        (Some(first), Some(last)) => ((last.x - first.x) / 360.0).round(),
        _ => 0.0,
    };
    (LineString(along), turns)
}

/// The ring around what `around`, which goes once around the earth, has on the side of its pole: cut at the antimeridian.
fn by_way_of_the_pole(around: &LineString<f64>) -> LineString<f64> {
    let Some((first, rest)) = around.0.split_first() else {
        return around.clone();
    };
    let is_eastward = around.0.last().is_some_and(|last| last.x > first.x);
    let pole = POLE.copysign(around.coords().map(|c| c.y).sum());
    // The first antimeridian that it comes to; of a ring that begins on it, that.
    let turn = (first.x + 180.0) / 360.0;
    let cut = 360.0 * (if is_eastward { turn.ceil() } else { turn.floor() }) - 180.0;
    let side = |is_begin: bool| if is_begin == is_eastward { -180.0 } else { 180.0 };
    let (mut before, mut after): (Vec<Coord<f64>>, Vec<Coord<f64>>) = (Vec::new(), Vec::new());
    let mut crossing = first.y;
    let mut last = *first;
    let is_past = |c: &Coord<f64>| if is_eastward { c.x >= cut } else { c.x <= cut };
    for c in std::iter::once(first).chain(rest) {
        if is_past(c) {
            if after.is_empty() && c.x != last.x {
                crossing = last.y + (c.y - last.y) * (cut - last.x) / (c.x - last.x);
            }
            after.push(coord! { x: c.x - cut + side(true), y: c.y });
        } else {
            before.push(coord! { x: c.x - cut + side(false), y: c.y });
        }
        last = *c;
    }
    // The last corner is the first again.
    let begin = coord! { x: side(true), y: crossing };
    let end = coord! { x: side(false), y: crossing };
    let mut ring = vec![begin];
    ring.extend(after);
    ring.extend(before.into_iter().skip(1));
    ring.extend([end, coord! { x: end.x, y: pole }, coord! { x: begin.x, y: pole }, begin]);
    ring.dedup();
    LineString(ring)
}

/// The parts of `polygon` in each turn of longitude, from -180 to 180 degrees.
fn split(polygon: &Polygon<f64>) -> Vec<Polygon<f64>> {
    let Some(bounds) = polygon.bounding_rect() else {
        return vec![polygon.clone()];
    };
    let turn = |x: f64| ((x + 180.0) / 360.0).floor();
    // An overlay may leave an edge by its rounding.
    let back = |turn: f64| move |c: Coord<f64>| coord! { x: (c.x - 360.0 * turn).clamp(-180.0, 180.0), y: c.y };
    // What ends at an antimeridian does not cross it.
    let (first, last) = (turn(bounds.min().x), -turn(-bounds.max().x));
    if first >= last {
        return vec![polygon.map_coords(back(first.min(last)))];
    }
    let mut parts = Vec::new();
    for turn in first as i64..=last as i64 {
        let turn = turn as f64;
        let (west, east) = (360.0 * turn - 180.0, 360.0 * turn + 180.0);
        let from = coord! { x: west.max(bounds.min().x), y: bounds.min().y };
        let to = coord! { x: east.min(bounds.max().x), y: bounds.max().y };
        let here = polygon.intersection(&geo::Rect::new(from, to).to_polygon());
        parts.extend(here.into_iter().map(|part| part.map_coords(back(turn))));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{GeodesicArea, Orient, orient::Direction};

    fn ring(corners: &[(f64, f64)]) -> MultiPolygon<f64> {
        MultiPolygon(vec![Polygon::new(LineString::from(corners.to_vec()), vec![])])
    }

    fn area_km2(polygons: &MultiPolygon<f64>) -> f64 {
        polygons.orient(Direction::Default).geodesic_area_unsigned() / 1e6
    }

    /// A square of 0.2 degrees, closed, with its west edge at `west`, longitudes from -180 to 180.
    fn square(west: f64) -> MultiPolygon<f64> {
        let x = |x: f64| (west + x + 180.0).rem_euclid(360.0) - 180.0;
        ring(&[
            (x(0.0), 10.0),
            (x(0.2), 10.0),
            (x(0.2), 10.2),
            (x(0.0), 10.2),
            (x(0.0), 10.0),
        ])
    }

    #[test]
    fn a_polygon_is_as_large_wherever_it_lies() {
        let expected = area_km2(&square(3.0));
        for west in [-180.0, -179.9, 0.0, 179.7, 179.8, 179.85, 179.9, 179.99, 359.9] {
            let parts = on_globe(&square(west));
            assert!((area_km2(&parts) / expected - 1.0).abs() < 1e-6, "{west}: {parts:?}");
            let bounds = parts.bounding_rect().unwrap();
            assert!(bounds.min().x >= -180.0 && bounds.max().x <= 180.0, "{west}: {parts:?}");
        }
        assert_eq!(on_globe(&square(179.9)).0.len(), 2);
        assert_eq!(on_globe(&square(3.0)), square(3.0));
    }

    #[test]
    fn a_ring_around_a_pole_holds_it() {
        // A cap of a tenth of a degree: pi r^2 of 11.17 km, on the flattened pole.
        for (latitude, step) in [(-89.9, 10), (89.9, 10), (-89.9, -10), (89.9, -15)] {
            for from in [-180, -175, 0, 100] {
                let at = |i: i32| (f64::from((from + i * step + 180).rem_euclid(360) - 180), latitude);
                let corners: Vec<_> = (0..=360 / step.abs()).map(at).collect();
                let cap = on_globe(&ring(&corners));
                let area = area_km2(&cap);
                let of_polygon = |n: f64| 0.5 * n * (std::f64::consts::TAU / n).sin() * 11.169_f64.powi(2);
                let expected = of_polygon(360.0 / f64::from(step.abs()));
                assert!(
                    (area / expected - 1.0).abs() < 2e-3,
                    "{latitude} {from}: {area} km2 for {expected}, {cap:?}"
                );
                // It stays as it is.
                assert_eq!(on_globe(&cap), cap);
            }
        }
    }

    #[test]
    fn half_a_cap_stays_as_it_is() {
        for (west, pole, latitude) in [(-180.0, -90.0, -89.9), (0.0, 90.0, 89.9)] {
            let east = west + 180.0;
            let half = ring(&[
                (west, pole),
                (east, pole),
                (east, latitude),
                (west, latitude),
                (west, pole),
            ]);
            assert_eq!(on_globe(&half), half);
        }
    }

    #[test]
    fn a_hole_stays_in_the_ring_around_it() {
        let hole = |west: f64| square(west).0[0].exterior().map_coords(|c| coord! { x: c.x, y: c.y });
        let wide = ring(&[(179.5, 9.0), (-179.0, 9.0), (-179.0, 11.0), (179.5, 11.0), (179.5, 9.0)]);
        let whole = area_km2(&on_globe(&wide));
        for west in [179.6, 179.9, -179.6] {
            let holed = MultiPolygon(vec![Polygon::new(wide.0[0].exterior().clone(), vec![hole(west)])]);
            let area = area_km2(&on_globe(&holed));
            assert!(
                (whole - area - area_km2(&square(3.0))).abs() < 0.01,
                "{west}: {area} of {whole}"
            );
        }
    }
}
