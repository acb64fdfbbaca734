//! The ground that an Item's geometry states: what helps to choose scenes, and is not needed for it.

use ::geo::{BoundingRect, CoordsIter, MultiPolygon};
use serde::Deserialize;
use serde_json::Value;

use crate::geo::longitude;

/// The shapes that a geometry may have.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Outline {
    Polygon {
        coordinates: Vec<Vec<Vec<f64>>>,
    },
    MultiPolygon {
        coordinates: Vec<Vec<Vec<Vec<f64>>>>,
    },
    GeometryCollection {
        geometries: Vec<Outline>,
    },
    #[serde(other)]
    Other,
}

/// The ground that `geometry` states, longitudes from -180 to 180 degrees; `None` where it states none, or the whole way around the earth.
///
/// # Errors
/// Why it is no such ground.
pub(in crate::scene) fn footprint(geometry: Option<&Value>) -> Result<Option<MultiPolygon<f64>>, String> {
    let Some(value) = geometry.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    // Not by way of the geojson crate: its conversion panics at a position of one number.
    let outline = Outline::deserialize(value).map_err(|error| format!("it is no geometry of GeoJSON ({error})"))?;
    let mut parts = Vec::new();
    polygons(outline, &mut parts)?;
    let found: Option<MultiPolygon<f64>> = parts.into_iter().map(polygon).collect();
    let found = found.ok_or("a ring has fewer than four positions, or a position less than longitude and latitude")?;
    if found.0.is_empty() {
        return Err("it is empty".into());
    }
    // Past the antimeridian longitudes may run on.
    if let Some(at) = found
        .coords_iter()
        .find(|at| !(at.x.abs() <= 540.0 && at.y.abs() <= 90.0))
    {
        return Err(format!(
            "({}, {}) is not on the globe: expected WGS 84 degrees, longitude first",
            at.x, at.y
        ));
    }
    // A ring that is so wide goes around the earth, or crosses the antimeridian and does not say so.
    let is_wide = |bounds: ::geo::Rect<f64>| bounds.width() > 180.0;
    if found.iter().any(|part| part.bounding_rect().is_some_and(is_wide)) {
        return Ok(None);
    }
    let runs_on = found.coords_iter().any(|at| at.x.abs() > 180.0);
    Ok(Some(if runs_on { longitude::on_globe(&found) } else { found }))
}

/// Adds the polygons of `outline` to `parts`.
///
/// # Errors
/// It has none.
fn polygons(outline: Outline, parts: &mut Vec<Vec<Vec<Vec<f64>>>>) -> Result<(), String> {
    match outline {
        Outline::Polygon { coordinates } => parts.push(coordinates),
        Outline::MultiPolygon { coordinates } => parts.extend(coordinates),
        Outline::GeometryCollection { geometries } => {
            return geometries.into_iter().try_for_each(|one| polygons(one, parts));
        }
        Outline::Other => return Err("it is neither a Polygon nor a MultiPolygon".into()),
    }
    Ok(())
}

/// `None` when a ring is too short, or a position has less than two numbers.
fn polygon(rings: Vec<Vec<Vec<f64>>>) -> Option<::geo::Polygon<f64>> {
    let line = |ring: Vec<Vec<f64>>| -> Option<::geo::LineString<f64>> {
        let positions: Option<Vec<(f64, f64)>> = ring
            .iter()
            .map(|position| Some((*position.first()?, *position.get(1)?)))
            .collect();
        positions.filter(|positions| positions.len() >= 4).map(Into::into)
    };
    let mut lines = rings.into_iter().map(line).collect::<Option<Vec<_>>>()?.into_iter();
    Some(::geo::Polygon::new(lines.next()?, lines.collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(kind: &str, coordinates: Value) -> Result<Option<MultiPolygon<f64>>, String> {
        footprint(Some(&json!({"type": kind, "coordinates": coordinates})))
    }

    /// West, south, east and north of each part of what the box from `west` to `east` becomes.
    fn boxes(west: f64, east: f64) -> Vec<[f64; 4]> {
        let ring = json!([[[west, 1], [east, 1], [east, 2], [west, 2], [west, 1]]]);
        let found = of("Polygon", ring).unwrap();
        let bounds = found.iter().flatten().filter_map(BoundingRect::bounding_rect);
        bounds
            .map(|b: ::geo::Rect<f64>| [b.min().x, b.min().y, b.max().x, b.max().y].map(|v| (v * 1e6).round() / 1e6))
            .collect()
    }

    #[test]
    fn longitudes_that_run_on_past_180_are_split_there() {
        let both = vec![[179.995, 1.0, 180.0, 2.0], [-180.0, 1.0, -179.995, 2.0]];
        let sorted = |mut boxes: Vec<[f64; 4]>| {
            boxes.sort_by(|a, b| b[0].total_cmp(&a[0]));
            boxes
        };
        assert_eq!(sorted(boxes(179.995, 180.005)), both);
        assert_eq!(sorted(boxes(-180.005, -179.995)), both);
        assert_eq!(boxes(359.0, 359.5), [[-1.0, 1.0, -0.5, 2.0]]);
        assert_eq!(boxes(2.0, 3.0), [[2.0, 1.0, 3.0, 2.0]]);
        // All around the earth, or across the antimeridian: it does not say which.
        assert!(boxes(-179.995, 179.995).is_empty() && boxes(0.0, 360.0).is_empty());
    }

    #[test]
    fn what_is_no_ground_is_told_in_words() {
        let square = json!([[[2, 1], [3, 1], [3, 2], [2, 1]]]);
        let collection =
            json!({"type": "GeometryCollection", "geometries": [{"type": "Polygon", "coordinates": square}]});
        assert_eq!(footprint(Some(&collection)).unwrap().unwrap().0.len(), 1);
        assert_eq!(footprint(None), Ok(None));
        assert_eq!(footprint(Some(&Value::Null)), Ok(None));
        for (found, why) in [
            (of("Point", json!([2, 1])), "neither a Polygon"),
            (of("LineString", json!([[2, 1], [3, 1]])), "neither a Polygon"),
            (of("Polygon", json!([])), "fewer than four positions"),
            (of("MultiPolygon", json!([])), "empty"),
            (
                of("Polygon", json!([[[2], [3], [4], [2]]])),
                "fewer than four positions",
            ),
            (
                of("Polygon", json!([[[48, 100], [49, 100], [49, 101], [48, 100]]])),
                "longitude first",
            ),
            (of("Polygon", json!("x")), "no geometry of GeoJSON"),
            (footprint(Some(&json!("x"))), "no geometry of GeoJSON"),
        ] {
            assert!(found.as_ref().is_err_and(|said| said.contains(why)), "{found:?}");
        }
    }
}
