//! Valid polygons out of GeoJSON geometries.

use geo::orient::{Direction, Orient};
use geo::{MultiPolygon, Polygon};
use geojson::{Geometry, GeometryValue, Position};
use serde::Deserialize;
use serde_json::Value;

use super::fields::describe;
use super::polygons::{check_apart, check_polygon};
use super::rings::check_positions;
use super::{MAX_RINGS, quote};
use crate::fault::Fault;

/// The polygons of a GeoJSON Polygon or MultiPolygon, exterior rings counter-clockwise, altitude dropped.
///
/// # Errors
/// Everything that is wrong with it, each with its place below `place`.
pub(super) fn read(value: &Value, place: &str) -> Result<MultiPolygon<f64>, Vec<Fault>> {
    let below = |fault: Fault| vec![Fault::new(format!("{place}{}", fault.place), fault.message)];
    let geometry = geometry(value).map_err(below)?;
    let parts = parts(&geometry.value).map_err(below)?;
    let part_place = |part: usize| match geometry.value {
        GeometryValue::MultiPolygon { .. } => format!("{place}.coordinates[{part}]"),
        _ => format!("{place}.coordinates"),
    };
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

    let polygons = polygons(&geometry.value).map_err(below)?;
    for (p, polygon) in polygons.iter().enumerate() {
        check_polygon(polygon, &part_place(p), &mut faults);
    }
    // Only valid polygons are related to each other: geo promises nothing for others.
    if faults.is_empty() {
        check_apart(&polygons, &format!("{place}.coordinates"), &mut faults);
    }
    match faults.is_empty() {
        true => Ok(polygons.orient(Direction::Default)),
        false => Err(faults),
    }
}

/// The geometry, whose coordinates are numbers in as many arrays as its type has.
fn geometry(value: &Value) -> Result<Geometry, Fault> {
    let depth = depth(value)?;
    let Some(coordinates) = value.get("coordinates") else {
        return Err(Fault::new(".coordinates", "is missing"));
    };
    if let Some((below, message)) = misfit(coordinates, depth) {
        return Err(Fault::new(format!(".coordinates{below}"), message));
    }
    Geometry::deserialize(value).map_err(|error| Fault::new("", error.to_string()))
}

/// In how many arrays each number of the coordinates lies, by the type of the geometry.
fn depth(value: &Value) -> Result<usize, Fault> {
    let message = match value.get("type") {
        Some(Value::String(name)) if name == "Polygon" => return Ok(3),
        Some(Value::String(name)) if name == "MultiPolygon" => return Ok(4),
        Some(Value::String(name)) => format!("expected a Polygon or a MultiPolygon, found {}", quote(name)),
        Some(other) => format!("expected \"Polygon\" or \"MultiPolygon\", found {}", describe(other)),
        None if value.is_object() => "is missing: expected \"Polygon\" or \"MultiPolygon\"".into(),
        None => {
            let message = format!("expected a geometry object, found {}", describe(value));
            return Err(Fault::new("", message));
        }
    };
    Err(Fault::new(".type", message))
}

/// The rings of each polygon, exterior rings first.
fn parts(geometry: &GeometryValue) -> Result<&[Vec<Vec<Position>>], Fault> {
    let parts = match geometry {
        GeometryValue::Polygon { coordinates } => std::slice::from_ref(coordinates),
        GeometryValue::MultiPolygon { coordinates } => coordinates.as_slice(),
        other => {
            let message = format!("expected a Polygon or a MultiPolygon, found {}", other.type_name());
            return Err(Fault::new("", message));
        }
    };
    if parts.is_empty() {
        return Err(Fault::new(".coordinates", "holds no polygon: expected at least one"));
    }
    let rings: usize = parts.iter().map(Vec::len).sum();
    if rings > MAX_RINGS {
        return Err(Fault::new(
            ".coordinates",
            format!("holds {rings} rings; at most {MAX_RINGS} are allowed: split it into several features"),
        ));
    }
    Ok(parts)
}

fn polygons(geometry: &GeometryValue) -> Result<MultiPolygon<f64>, Fault> {
    let polygons = match geometry {
        GeometryValue::MultiPolygon { .. } => MultiPolygon::try_from(geometry),
        _ => Polygon::try_from(geometry).map(MultiPolygon::from),
    };
    polygons.map_err(|error| Fault::new("", error.to_string()))
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
