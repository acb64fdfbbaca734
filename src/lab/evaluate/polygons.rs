//! Polygons of what changed, and the pixels of a site that they hold.

use std::path::Path;

use geo::{BoundingRect, Centroid, Intersects, LineString, MapCoords, MultiPolygon, Polygon};
use geojson::{Feature, FeatureCollection, GeoJson, GeometryValue, Position};
use serde_json::Value;

use super::error::EvaluateError;
use super::label::Label;
use crate::geo::{Grid, Rect, Shape};
use crate::intake;
use crate::io::IoError;
use crate::io::crs::{Projector, WGS84, densify};
use crate::raster::Plane;

/// The largest file of polygons that is read.
const MAX_BYTES: u64 = 256 << 20;

/// Polygons in degrees of WGS 84; ground outside of them did not change.
#[derive(Debug, Default)]
pub struct Polygons {
    /// What changed: an object each.
    changed: Vec<MultiPolygon<f64>>,
    /// Ground of which nothing is known, whatever else is said of it.
    unlabelled: Vec<MultiPolygon<f64>>,
}

impl Polygons {
    /// Adds those of the GeoJSON file at `path`. A feature whose property `label` is `unlabelled` is ground of which nothing is known,
    /// every other one changed.
    ///
    /// # Errors
    /// A file that is not GeoJSON; a feature that is no polygon in degrees.
    pub fn read(&mut self, path: &Path) -> Result<(), EvaluateError> {
        let bad = |message: String| EvaluateError::Read {
            path: path.to_owned(),
            message,
        };
        let text = intake::text(path, MAX_BYTES)
            .map_err(|error| bad(error.problem.to_string()))?
            .text;
        let document: GeoJson = text.parse().map_err(|error: geojson::Error| bad(error.to_string()))?;
        let collection = match document {
            GeoJson::FeatureCollection(collection) => collection,
            GeoJson::Feature(feature) => FeatureCollection::new([feature]),
            GeoJson::Geometry(geometry) => FeatureCollection::new([Feature::from(geometry)]),
        };
        for (index, feature) in collection.features.iter().enumerate() {
            self.add(feature)
                .map_err(|message| bad(format!("features[{index}]: {message}")))?;
        }
        Ok(())
    }

    fn add(&mut self, feature: &Feature) -> Result<(), String> {
        // The truth that simulate writes tells of declared activities too; they are not what changed.
        if feature.property("kind").is_some_and(|kind| kind == "activity") {
            return Ok(());
        }
        let into = match feature.property("label") {
            None | Some(Value::Null) => &mut self.changed,
            Some(label) if label == "changed" => &mut self.changed,
            Some(label) if label == "unlabelled" => &mut self.unlabelled,
            Some(other) => {
                let expected = "expected the property `label` to be \"changed\" or \"unlabelled\"";
                return Err(format!("{expected}, found {other}"));
            }
        };
        into.push(polygons(feature.geometry.as_ref().map(|geometry| &geometry.value))?);
        Ok(())
    }

    /// Those near `grid`, in its pixels.
    ///
    /// # Errors
    /// Ground that cannot be projected.
    pub fn on(&self, grid: &Grid) -> Result<Shapes, IoError> {
        let to_grid = Projector::new(WGS84, &grid.crs)?;
        let around = around(grid)?;
        let near = |polygon: &&MultiPolygon<f64>| polygon.bounding_rect().is_some_and(|box_| around.intersects(&box_));
        let shapes = |polygons: &[MultiPolygon<f64>]| {
            let near = polygons.iter().filter(near);
            near.map(|polygon| Ok(with_a_pixel(shape(polygon, &to_grid, grid)?)))
                .collect::<Result<_, IoError>>()
        };
        Ok(Shapes {
            changed: shapes(&self.changed)?,
            unlabelled: shapes(&self.unlabelled)?,
        })
    }
}

/// Polygons in pixels of a site grid.
pub struct Shapes {
    /// What changed.
    pub changed: Vec<Shape>,
    /// What nothing is known of.
    pub unlabelled: Vec<Shape>,
}

impl Shapes {
    /// Labels of the pixels of `strip`.
    pub fn labels(&self, strip: &Rect) -> Plane<Label> {
        let mut labels = Plane::filled(*strip, Label::Unchanged);
        let said = [(&self.changed, Label::Changed), (&self.unlabelled, Label::Unlabelled)];
        for (shapes, label) in said {
            for shape in shapes {
                shape.for_each_pixel(strip, |x, y| {
                    labels.get_mut(x, y).into_iter().for_each(|found| *found = label);
                });
            }
        }
        labels
    }
}

/// `polygon` (WGS 84) in pixels of `grid`.
///
/// # Errors
/// A point outside of the projection's area.
pub fn shape(polygon: &MultiPolygon<f64>, to_grid: &Projector, grid: &Grid) -> Result<Shape, IoError> {
    let metres = to_grid.project_polygon(&densify(polygon))?;
    Ok(Shape::new(metres.map_coords(|c| grid.to_pixel(c.x, c.y).into())))
}

/// `shape`, or the pixel in which its centroid lies where it holds no pixel's centre: small things are not lost.
fn with_a_pixel(shape: Shape) -> Shape {
    let bounds = shape.bounds();
    let holds_a_centre = (bounds.y..bounds.bottom()).any(|y| !shape.spans(y).is_empty());
    match shape.polygon().centroid() {
        Some(centre) if !holds_a_centre => {
            let (x, y) = (centre.x().floor(), centre.y().floor());
            Shape::new(geo::Rect::new((x, y), (x + 1.0, y + 1.0)).to_polygon().into())
        }
        _ => shape,
    }
}

/// The box in degrees around `grid`, a little wider; over the antimeridian it goes around the globe, which does no harm.
fn around(grid: &Grid) -> Result<geo::Rect<f64>, IoError> {
    let edge = |t: f64| {
        let (w, h) = (grid.width as f64, grid.height as f64);
        [(t * w, 0.0), (t * w, h), (0.0, t * h), (w, t * h)]
    };
    let points = (0..=8).flat_map(|i| edge(f64::from(i) / 8.0));
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.map(|(x, y)| grid.to_world(x, y)).unzip();
    Projector::new(&grid.crs, WGS84)?.project(&mut x, &mut y)?;
    let low = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min) - 0.01;
    let high = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 0.01;
    Ok(geo::Rect::new((low(&x), low(&y)), (high(&x), high(&y))))
}

fn polygons(geometry: Option<&GeometryValue>) -> Result<MultiPolygon<f64>, String> {
    let Some(geometry) = geometry else {
        return Err("expected a Polygon or a MultiPolygon, found no geometry".into());
    };
    let parts = match geometry {
        GeometryValue::Polygon { coordinates } => std::slice::from_ref(coordinates),
        GeometryValue::MultiPolygon { coordinates } => coordinates.as_slice(),
        other => {
            return Err(format!(
                "expected a Polygon or a MultiPolygon, found a {}",
                other.type_name()
            ));
        }
    };
    let corner = |position: &Position| match position.as_slice() {
        [x, y, ..] => Ok((*x, *y)),
        short => Err(format!("expected longitude and latitude, found {short:?}")),
    };
    let ring = |ring: &Vec<Position>| ring.iter().map(corner).collect::<Result<LineString<f64>, _>>();
    let polygon = |rings: &Vec<Vec<Position>>| {
        let mut rings = rings.iter().map(ring);
        let outer = rings.next().unwrap_or(Ok(LineString(Vec::new())))?;
        Ok::<_, String>(Polygon::new(outer, rings.collect::<Result<_, _>>()?))
    };
    let polygons = parts.iter().map(polygon).collect::<Result<MultiPolygon<f64>, _>>()?;
    let bounds = polygons.bounding_rect().ok_or("the polygon has no corners")?;
    let degrees = geo::Rect::new((-180.0, -90.0), (180.0, 90.0));
    if [bounds.min(), bounds.max()].iter().all(|c| {
        (degrees.min().x..=degrees.max().x).contains(&c.x) && (degrees.min().y..=degrees.max().y).contains(&c.y)
    }) {
        Ok(polygons)
    } else {
        Err(format!(
            "expected longitude and latitude in degrees of WGS 84 (RFC 7946), found {:?}; convert it, for example with ogr2ogr -t_srs EPSG:4326",
            [bounds.max().x, bounds.max().y]
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::truth::tests::{grid, told};
    use super::super::truth::{Coding, Truth};
    use super::*;

    /// A GeoJSON feature: a box in pixels of the grid.
    fn feature(bounds_px: [f64; 4], properties: &str) -> String {
        let to_degrees = Projector::new("EPSG:32631", WGS84).unwrap();
        let [left, top, right, bottom] = bounds_px;
        let square = geo::Rect::new((left, top), (right, bottom)).to_polygon();
        let metres = MultiPolygon::from(square.map_coords(|c| grid().to_world(c.x, c.y).into()));
        let degrees = to_degrees.project_polygon(&metres).unwrap();
        let ring: Vec<[f64; 2]> = degrees.0[0].exterior().coords().map(|c| [c.x, c.y]).collect();
        format!(
            r#"{{"type":"Feature","properties":{properties},"geometry":{{"type":"Polygon","coordinates":[{ring:?}]}}}}"#
        )
    }

    fn read(text: &str) -> Result<Truth, EvaluateError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth.geojson");
        fs::write(&path, text).unwrap();
        Truth::read(&[path], Coding::default())
    }

    #[test]
    fn outside_of_polygons_nothing_changed_and_what_is_unlabelled_stays_so() {
        let features = [
            feature([1.0, 0.0, 4.0, 2.0], "null"),
            feature([3.0, 1.0, 6.0, 3.0], r#"{"label":"unlabelled"}"#),
            // Less than a pixel, beside its centre.
            feature([0.1, 3.6, 0.4, 3.9], r#"{"label":"changed"}"#),
            feature([90.0, 3.6, 91.0, 3.9], "{}"),
        ];
        let truth = read(&format!(
            r#"{{"type":"FeatureCollection","features":[{}]}}"#,
            features.join(",")
        ))
        .unwrap();
        assert_eq!(told(&truth), ["ucccuu", "ucc...", "uuu...", "cuuuuu"]);
        let Truth::Polygons(polygons) = truth else { panic!() };
        assert_eq!(
            polygons.on(&grid()).unwrap().changed.len(),
            2,
            "what lies far away is no object here"
        );
        let nothing = read(r#"{"type":"FeatureCollection","features":[]}"#).unwrap();
        assert_eq!(told(&nothing), ["uuuuuu"; 4]);
    }

    #[test]
    fn what_is_no_polygon_in_degrees_is_refused_by_name() {
        let geometry = |geometry: &str| format!(r#"{{"type":"Feature","properties":{{}},"geometry":{geometry}}}"#);
        let cases = [
            (geometry("null"), "found no geometry"),
            (geometry(r#"{"type":"Point","coordinates":[3,45]}"#), "found a Point"),
            (geometry(r#"{"type":"Polygon","coordinates":[]}"#), "no corners"),
            (
                geometry(
                    r#"{"type":"Polygon","coordinates":[[[500000,5e6],[500010,5e6],[500010,5000010],[500000,5e6]]]}"#,
                ),
                "ogr2ogr",
            ),
            (
                geometry(r#"{"type":"Polygon","coordinates":[[[3],[4],[5],[3]]]}"#),
                "features[0]",
            ),
            (feature([0.0, 0.0, 1.0, 1.0], r#"{"label":"maybe"}"#), "`label`"),
            ("not GeoJSON".to_owned(), "truth.geojson"),
        ];
        for (text, expected) in cases {
            let error = read(&text).unwrap_err().to_string();
            assert!(
                error.contains(expected) && error.contains("truth.geojson"),
                "{text}: {error}"
            );
        }
    }
}
