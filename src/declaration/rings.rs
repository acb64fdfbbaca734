//! What can be said about the ring of a polygon from its positions alone: length, closure, ranges.

use geojson::Position;

use super::MAX_RING_VERTICES;
use crate::fault::Fault;

const ANTIMERIDIAN: &str = "a polygon that crosses the antimeridian must be split there into a MultiPolygon, one part \
     up to longitude 180 and one from -180 on (RFC 7946, section 3.1.9)";

/// Adds to `faults` what is wrong with the ring at `place`.
pub(super) fn check_positions(ring: &[Position], place: &str, faults: &mut Vec<Fault>) {
    if let Some(short) = ring.iter().position(|position| position.len() < 2) {
        faults.push(Fault::new(
            format!("{place}[{short}]"),
            format!(
                "expected a position [longitude, latitude], found {} number(s)",
                ring[short].len()
            ),
        ));
        return;
    }
    if ring.len() < 4 {
        faults.push(Fault::new(
            place,
            format!(
                "a ring needs at least four positions, the last repeating the first; found {}",
                ring.len()
            ),
        ));
        return;
    }
    if ring.len() > MAX_RING_VERTICES {
        faults.push(Fault::new(
            place,
            format!(
                "the ring has {} positions; at most {MAX_RING_VERTICES} are allowed: simplify it",
                ring.len()
            ),
        ));
    }
    let points: Vec<(f64, f64)> = ring.iter().map(|position| (position[0], position[1])).collect();
    let (first, last) = (points[0], points[points.len() - 1]);
    if first != last {
        faults.push(Fault::new(
            place,
            format!(
                "the ring is not closed: it begins at {} and ends at {}; repeat the first position at the end",
                lon_lat(first),
                lon_lat(last)
            ),
        ));
    }
    faults.extend(outside(&points, place).or_else(|| wide_edge(&points, place)));
}

/// That a point is no place on the globe, and why it may be so.
fn outside(points: &[(f64, f64)], place: &str) -> Option<Fault> {
    let in_range = |(lon, lat): (f64, f64)| (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
    let mut outside = (0..points.len()).filter(|&index| !in_range(points[index]));
    let index = outside.next()?;
    let (lon, lat) = points[index];
    let others = match outside.count() {
        0 => String::new(),
        n => format!(" (and {n} more in this ring)"),
    };
    let remedy = if lat.abs() > 90.0 && lat.abs() <= 180.0 && lon.abs() <= 90.0 {
        "latitude and longitude look swapped: GeoJSON puts longitude first"
    } else if lat.abs() <= 90.0 && lon.abs() <= 360.0 {
        ANTIMERIDIAN
    } else {
        "these do not look like degrees: GeoJSON coordinates are WGS 84 longitude and latitude, so reproject them"
    };
    Some(Fault::new(
        format!("{place}[{index}]"),
        format!("longitude {lon}, latitude {lat}{others} is outside -180..180, -90..90: {remedy}"),
    ))
}

/// That an edge spans more than half the globe.
fn wide_edge(points: &[(f64, f64)], place: &str) -> Option<Fault> {
    let touches_a_pole = points.iter().any(|point| point.1.abs() == 90.0);
    let is_wide = |index: &usize| is_too_wide(points[index - 1], points[*index], touches_a_pole);
    let index = (1..points.len()).find(is_wide)?;
    Some(Fault::new(
        format!("{place}[{index}]"),
        format!(
            "the edge from {} to {} spans more than 180 degrees of longitude: {ANTIMERIDIAN}",
            lon_lat(points[index - 1]),
            lon_lat(points[index])
        ),
    ))
}

/// Whether an edge spans more than half the globe; where the ring touches a pole it may lead along the whole of a parallel, as the edge at the
/// pole itself does.
fn is_too_wide(from: (f64, f64), to: (f64, f64), touches_a_pole: bool) -> bool {
    let is_parallel = touches_a_pole && from.1 == to.1;
    (to.0 - from.0).abs() > 180.0 && !is_parallel
}

/// A place in words.
pub(super) fn lon_lat((lon, lat): (f64, f64)) -> String {
    format!("{lon:.6}, {lat:.6} (longitude, latitude)")
}
