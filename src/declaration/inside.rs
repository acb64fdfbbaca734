//! Whether one polygon lies in another.

use geo::coordinate_position::CoordPos;
use geo::dimensions::Dimensions;
use geo::{
    Area, BooleanOps, BoundingRect, Centroid, Coord, GeodesicArea, Intersects, MultiPolygon, PreparedGeometry, Rect,
    Relate,
};

use super::polygons::{SLOP_DEG, is_negligible};
use super::rings::lon_lat;

/// A site's boundary, indexed for many questions.
pub(super) type Prepared<'a> = PreparedGeometry<'a, &'a MultiPolygon<f64>, f64>;

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
