//! Whether polygons are valid, each by itself and beside the others of its feature.

use geo::algorithm::line_intersection::{LineIntersection, line_intersection};
use geo::algorithm::validation::{InvalidPolygon, RingRole};
use geo::coordinate_position::CoordPos;
use geo::dimensions::Dimensions;
use geo::{
    Area, BoundingRect, Coord, Euclidean, Intersects, Length, LineString, MultiPolygon, Polygon, Rect, Relate,
    Validation,
};

use super::rings::lon_lat;
use crate::fault::Fault;
use crate::geo::longitude::touches_a_pole;

/// Widths below this are rounding, in degrees: a tenth of a millimetre on the ground.
pub(super) const SLOP_DEG: f64 = 1e-9;

/// Each ring by itself, then the rings of a polygon with each other.
pub(super) fn check_polygon(polygon: &Polygon<f64>, place: &str, faults: &mut Vec<Fault>) {
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
pub(super) fn check_apart(polygons: &MultiPolygon<f64>, place: &str, faults: &mut Vec<Fault>) {
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

/// Whether a polygon is narrower than `width` degrees all along.
pub(super) fn is_negligible(polygon: &Polygon<f64>, width: f64) -> bool {
    polygon.unsigned_area() <= width * Euclidean.length(polygon.exterior())
}
