//! Valid polygons out of GeoJSON geometries, and whether one lies in another.

use geo::algorithm::line_intersection::{LineIntersection, line_intersection};
use geo::algorithm::validation::{InvalidPolygon, RingRole};
use geo::coordinate_position::CoordPos;
use geo::dimensions::Dimensions;
use geo::orient::{Direction, Orient};
use geo::{
    Area, BooleanOps, BoundingRect, Centroid, Coord, Euclidean, GeodesicArea, Intersects, Length, LineString,
    MultiPolygon, Polygon, PreparedGeometry, Rect, Relate, Validation,
};
use geojson::{GeometryValue, Position};
use serde::Deserialize;
use serde_json::Value;

use super::fields::describe;
use super::{MAX_RING_VERTICES, MAX_RINGS, quote};
use crate::fault::Fault;
use crate::geo::longitude::touches_a_pole;

/// Widths below this are rounding, in degrees: a tenth of a millimetre on the ground.
const SLOP_DEG: f64 = 1e-9;

/// A site's boundary, indexed for many questions.
pub(super) type Prepared<'a> = PreparedGeometry<'a, &'a MultiPolygon<f64>, f64>;

const ANTIMERIDIAN: &str = "a polygon that crosses the antimeridian must be split there into a MultiPolygon, one part \
     up to longitude 180 and one from -180 on (RFC 7946, section 3.1.9)";

/// The polygons of a GeoJSON Polygon or MultiPolygon, exterior rings counter-clockwise, altitude dropped.
///
/// # Errors
/// Everything that is wrong with it, each with its place below `place`.
pub(super) fn read(value: &Value, place: &str) -> Result<MultiPolygon<f64>, Vec<Fault>> {
    let one = |below: &str, message: String| vec![Fault::new(format!("{place}{below}"), message)];
    let depth = match value.get("type") {
        Some(Value::String(name)) if name == "Polygon" => 3,
        Some(Value::String(name)) if name == "MultiPolygon" => 4,
        Some(Value::String(name)) => {
            return Err(one(
                ".type",
                format!("expected a Polygon or a MultiPolygon, found {}", quote(name)),
            ));
        }
        Some(other) => {
            return Err(one(
                ".type",
                format!("expected \"Polygon\" or \"MultiPolygon\", found {}", describe(other)),
            ));
        }
        None if value.is_object() => {
            return Err(one(
                ".type",
                "is missing: expected \"Polygon\" or \"MultiPolygon\"".into(),
            ));
        }
        None => {
            return Err(one(
                "",
                format!("expected a geometry object, found {}", describe(value)),
            ));
        }
    };
    let Some(coordinates) = value.get("coordinates") else {
        return Err(one(".coordinates", "is missing".into()));
    };
    if let Some((below, message)) = misfit(coordinates, depth) {
        return Err(one(&format!(".coordinates{below}"), message));
    }
    let geometry = geojson::Geometry::deserialize(value).map_err(|e| one("", e.to_string()))?;
    let parts = match &geometry.value {
        GeometryValue::Polygon { coordinates } => std::slice::from_ref(coordinates),
        GeometryValue::MultiPolygon { coordinates } => coordinates.as_slice(),
        other => {
            return Err(one(
                "",
                format!("expected a Polygon or a MultiPolygon, found {}", other.type_name()),
            ));
        }
    };
    let multi = depth == 4;
    let part_place = |part: usize| match multi {
        true => format!("{place}.coordinates[{part}]"),
        false => format!("{place}.coordinates"),
    };
    if parts.is_empty() {
        return Err(one(".coordinates", "holds no polygon: expected at least one".into()));
    }
    let rings: usize = parts.iter().map(Vec::len).sum();
    if rings > MAX_RINGS {
        return Err(one(
            ".coordinates",
            format!("holds {rings} rings; at most {MAX_RINGS} are allowed: split it into several features"),
        ));
    }

    let mut faults = Vec::new();
    for (p, part) in parts.iter().enumerate() {
        if part.is_empty() {
            faults.push(Fault::new(part_place(p), "holds no ring: expected an exterior ring"));
        }
        for (r, ring) in part.iter().enumerate() {
            check_positions(ring, &format!("{}[{r}]", part_place(p)), &mut faults);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }

    let polygons: MultiPolygon<f64> = if multi {
        MultiPolygon::try_from(&geometry.value).map_err(|e| one("", e.to_string()))?
    } else {
        MultiPolygon::from(Polygon::try_from(&geometry.value).map_err(|e| one("", e.to_string()))?)
    };
    for (p, polygon) in polygons.iter().enumerate() {
        check_polygon(polygon, &part_place(p), &mut faults);
    }
    // Only valid polygons are related to each other: geo promises nothing for others.
    if faults.is_empty() {
        check_apart(&polygons, &format!("{place}.coordinates"), &mut faults);
    }
    if faults.is_empty() {
        Ok(polygons.orient(Direction::Default))
    } else {
        Err(faults)
    }
}

/// The number of positions in the coordinates of a geometry, whatever its type.
pub(super) fn count_positions(coordinates: &Value) -> usize {
    match coordinates {
        Value::Array(items) if items.first().is_some_and(Value::is_array) => items.iter().map(count_positions).sum(),
        Value::Array(_) => 1,
        _ => 0,
    }
}

/// The path and the reason of the first value that is not a number within `depth` arrays.
fn misfit(value: &Value, depth: usize) -> Option<(String, String)> {
    let expected = match depth {
        0 => "a number",
        1 => "a position [longitude, latitude]",
        2 => "a ring: an array of positions",
        3 => "a polygon: an array of rings",
        _ => "an array of polygons",
    };
    let wrong = || Some((String::new(), format!("expected {expected}, found {}", describe(value))));
    match value {
        Value::Number(_) if depth == 0 => None,
        Value::Array(items) if depth > 0 => items
            .iter()
            .enumerate()
            .find_map(|(i, item)| misfit(item, depth - 1).map(|(below, why)| (format!("[{i}]{below}"), why))),
        _ => wrong(),
    }
}

/// What can be said about a ring from its positions alone: length, closure, ranges.
fn check_positions(ring: &[Position], place: &str, faults: &mut Vec<Fault>) {
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
    let at = |index: usize| (ring[index][0], ring[index][1]);
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
    let (first, last) = (at(0), at(ring.len() - 1));
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
    let in_range = |(lon, lat): (f64, f64)| (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
    let mut outside = (0..ring.len()).filter(|&index| !in_range(at(index)));
    if let Some(index) = outside.next() {
        let (lon, lat) = at(index);
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
        faults.push(Fault::new(
            format!("{place}[{index}]"),
            format!("longitude {lon}, latitude {lat}{others} is outside -180..180, -90..90: {remedy}"),
        ));
    } else if let Some(index) = (1..ring.len()).find(|&index| {
        let touches_a_pole = (0..ring.len()).any(|index| at(index).1.abs() == 90.0);
        is_too_wide(at(index - 1), at(index), touches_a_pole)
    }) {
        faults.push(Fault::new(
            format!("{place}[{index}]"),
            format!(
                "the edge from {} to {} spans more than 180 degrees of longitude: {ANTIMERIDIAN}",
                lon_lat(at(index - 1)),
                lon_lat(at(index))
            ),
        ));
    }
}

/// Whether an edge spans more than half the globe; where the ring touches a pole it may lead along the whole of a parallel, as the edge at the
/// pole itself does.
fn is_too_wide(from: (f64, f64), to: (f64, f64), touches_a_pole: bool) -> bool {
    let is_parallel = touches_a_pole && from.1 == to.1;
    (to.0 - from.0).abs() > 180.0 && !is_parallel
}

/// Each ring by itself, then the rings of a polygon with each other.
fn check_polygon(polygon: &Polygon<f64>, place: &str, faults: &mut Vec<Fault>) {
    let before = faults.len();
    for (r, ring) in std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .enumerate()
    {
        let alone = Polygon::new(ring.clone(), vec![]);
        let place = format!("{place}[{r}]");
        let mut invalid = alone.validation_errors();
        // Of what geo finds in a ring, too few points implies the rest.
        invalid.truncate(1);
        if let Some(error) = invalid.first() {
            faults.push(Fault::new(place, in_words(error, ring)));
        } else if is_negligible(&alone, SLOP_DEG) {
            faults.push(Fault::new(
                place,
                "the ring encloses no area: its positions lie on a line",
            ));
        }
    }
    if faults.len() > before || polygon.interiors().is_empty() {
        return;
    }
    for error in polygon.validation_errors() {
        faults.push(Fault::new(place, in_words(&error, polygon.exterior())));
    }
}

fn in_words(error: &InvalidPolygon, ring: &LineString<f64>) -> String {
    let name = |role: &RingRole| match role {
        RingRole::Exterior => "the exterior ring".to_owned(),
        RingRole::Interior(index) => format!("hole {} (ring [{}])", index + 1, index + 1),
    };
    match error {
        InvalidPolygon::TooFewPointsInRing(_) => "the ring has fewer than three distinct positions".into(),
        InvalidPolygon::SelfIntersection(_) => match crossing(ring) {
            Some(point) => format!(
                "the ring crosses or touches itself (self-intersection) near {}",
                lon_lat(point.x_y())
            ),
            None => "the ring crosses or touches itself (self-intersection)".into(),
        },
        InvalidPolygon::NonFiniteCoord(_, index) => format!("position [{}] is not finite", index.0),
        InvalidPolygon::InteriorRingNotContainedInExteriorRing(role) => {
            format!("{} does not lie inside the exterior ring", name(role))
        }
        InvalidPolygon::IntersectingRingsOnALine(a, b) => {
            format!(
                "{} and {} share an edge: rings may touch in single points only",
                name(a),
                name(b)
            )
        }
        InvalidPolygon::IntersectingRingsOnAnArea(a, b) => format!("{} and {} overlap", name(a), name(b)),
    }
}

/// Where a ring first meets itself, by the same rule as geo's validation (which does not tell where).
fn crossing(ring: &LineString<f64>) -> Option<Coord<f64>> {
    let lines: Vec<_> = ring.lines().collect();
    for (i, a) in lines.iter().enumerate() {
        for b in &lines[i + 1..] {
            if a.start != b.end && a.end != b.start && a.intersects(b) {
                return line_intersection(*a, *b).map(|found| match found {
                    LineIntersection::SinglePoint { intersection, .. } => intersection,
                    LineIntersection::Collinear { intersection } => intersection.start,
                });
            }
        }
    }
    None
}

/// The parts of a MultiPolygon may touch in points only, but for those around a pole, which may be cut at meridians. A sweep over their boxes spares most pairs.
fn check_apart(polygons: &MultiPolygon<f64>, place: &str, faults: &mut Vec<Fault>) {
    let mut boxes: Vec<(Rect<f64>, usize)> = polygons
        .iter()
        .enumerate()
        .filter_map(|(index, polygon)| Some((polygon.bounding_rect()?, index)))
        .collect();
    boxes.sort_by(|a, b| a.0.min().x.total_cmp(&b.0.min().x));
    for (i, (a_box, a)) in boxes.iter().enumerate() {
        for (b_box, b) in boxes[i + 1..]
            .iter()
            .take_while(|(b_box, _)| b_box.min().x <= a_box.max().x)
        {
            if !a_box.intersects(b_box) {
                continue;
            }
            let matrix = polygons.0[*a].relate(&polygons.0[*b]);
            let (first, second) = (a.min(b), a.max(b));
            if matrix.get(CoordPos::Inside, CoordPos::Inside) == Dimensions::TwoDimensional {
                faults.push(Fault::new(place, format!("polygons [{first}] and [{second}] overlap")));
            } else if matrix.get(CoordPos::OnBoundary, CoordPos::OnBoundary) == Dimensions::OneDimensional
                && !(touches_a_pole(&polygons.0[*a]) && touches_a_pole(&polygons.0[*b]))
            {
                faults.push(Fault::new(
                    place,
                    format!("polygons [{first}] and [{second}] share an edge: join them into one"),
                ));
            }
        }
    }
}

/// How much of `inner` lies outside `outer`, in words; `None` when nothing but rounding does.
pub(super) fn sticks_out(
    inner: &MultiPolygon<f64>,
    outer: &MultiPolygon<f64>,
    prepared: &Prepared<'_>,
) -> Option<String> {
    let (inner_box, outer_box) = (inner.bounding_rect()?, outer.bounding_rect()?);
    if !inner_box.intersects(&outer_box) {
        let swapped = |point: Coord<f64>| Coord { x: point.y, y: point.x };
        let hint = if Rect::new(swapped(inner_box.min()), swapped(inner_box.max())).intersects(&outer_box) {
            ": its latitude and longitude look swapped"
        } else {
            ""
        };
        let middle = inner_box.center();
        return Some(format!("all of it, near {}, lies outside{hint}", lon_lat(middle.x_y())));
    }
    if prepared.relate(inner).is_covers() {
        return None;
    }
    // The overlay snaps to a lattice of about 2^30 steps over the extent of both.
    let extent = [inner_box, outer_box]
        .iter()
        .fold(0.0_f64, |most, r| most.max(r.width()).max(r.height()));
    let slop = SLOP_DEG.max(extent / f64::from(1 << 28));
    inner
        .difference(outer)
        .into_iter()
        .filter(|piece| !is_negligible(piece, slop))
        .max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()))
        .map(|piece| {
            let near = piece.centroid().map(|point| lon_lat(point.x_y())).unwrap_or_default();
            format!(
                "{:.1} m2 of it, near {near}, lie outside",
                piece.geodesic_area_unsigned()
            )
        })
}

/// Whether they have ground in common, not merely a border.
pub(super) fn overlaps(prepared: &Prepared<'_>, polygons: &MultiPolygon<f64>) -> bool {
    prepared.relate(polygons).get(CoordPos::Inside, CoordPos::Inside) == Dimensions::TwoDimensional
}

/// Whether a polygon is narrower than `width` degrees all along.
fn is_negligible(polygon: &Polygon<f64>, width: f64) -> bool {
    polygon.unsigned_area() <= width * Euclidean.length(polygon.exterior())
}

fn lon_lat((lon, lat): (f64, f64)) -> String {
    format!("{lon:.6}, {lat:.6} (longitude, latitude)")
}
