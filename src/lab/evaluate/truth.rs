//! What really changed: labelled rasters, or polygons of what changed, brought onto the grid of a site.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use geo::{BoundingRect, Centroid, LineString, MapCoords, MultiPolygon, Polygon};
use geojson::{Feature, FeatureCollection, GeoJson, GeometryValue, Position};

use super::EvaluateError;
use crate::geo::{Affine, Grid, Rect, Shape};
use crate::io::crs::{Projector, WGS84, densify};
use crate::io::pool::Pool;
use crate::io::resample::{self, Mapping, Window};
use crate::io::{IoError, open};
use crate::raster::Plane;

/// What is known of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Nothing: it does not count.
    Unlabelled,
    /// It did not change.
    Unchanged,
    /// It changed.
    Changed,
}

/// The values of a labelled raster that mean something; every other value is unlabelled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coding {
    /// Ground that changed.
    pub changed: f32,
    /// Ground that did not.
    pub unchanged: f32,
}

impl Default for Coding {
    fn default() -> Self {
        Self {
            changed: 2.0,
            unchanged: 1.0,
        }
    }
}

/// `changed=255,unchanged=0`, in either order.
impl FromStr for Coding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected changed=NUMBER,unchanged=NUMBER with different numbers, found {text:?}");
        let values = text
            .split(',')
            .filter_map(|part| part.split_once('='))
            .filter_map(|(name, value)| Some((name.trim(), value.trim().parse::<f32>().ok()?)))
            .collect::<BTreeMap<_, _>>();
        match (values.get("changed"), values.get("unchanged")) {
            (Some(changed), Some(unchanged)) if values.len() == 2 && changed != unchanged => Ok(Self {
                changed: *changed,
                unchanged: *unchanged,
            }),
            _ => Err(wrong()),
        }
    }
}

impl Coding {
    fn label(&self, value: f32) -> Label {
        if value == self.changed {
            Label::Changed
        } else if value == self.unchanged {
            Label::Unchanged
        } else {
            Label::Unlabelled
        }
    }
}

/// The truth, as it was given.
#[derive(Debug)]
pub enum Truth {
    /// Labelled rasters; where several label a pixel the first counts.
    Rasters(Vec<PathBuf>, Coding),
    /// Polygons in WGS 84 degrees; ground outside them did not change.
    Polygons {
        /// What changed: an object each.
        changed: Vec<MultiPolygon<f64>>,
        /// Ground of which nothing is known, whatever else is said of it.
        unlabelled: Vec<MultiPolygon<f64>>,
    },
}

impl Truth {
    /// The truth in the files `paths`: all rasters, labelled as `coding` says, or all GeoJSON (`.geojson`, `.json`).
    ///
    /// # Errors
    /// Files of both kinds; GeoJSON that holds something else than polygons in degrees.
    pub fn read(paths: &[PathBuf], coding: Coding) -> Result<Self, EvaluateError> {
        let is_geojson = |path: &&PathBuf| {
            let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            matches!(extension.as_deref(), Some("geojson" | "json"))
        };
        let (vectors, rasters): (Vec<_>, Vec<_>) = paths.iter().partition(is_geojson);
        match (vectors.first(), rasters.first()) {
            (Some(vector), Some(raster)) => Err(EvaluateError::Mixed(vector.to_path_buf(), raster.to_path_buf())),
            (None, _) => Ok(Self::Rasters(rasters.into_iter().cloned().collect(), coding)),
            (Some(_), None) => {
                let (mut changed, mut unlabelled) = (Vec::new(), Vec::new());
                for path in vectors {
                    read_polygons(path, &mut changed, &mut unlabelled)?;
                }
                Ok(Self::Polygons { changed, unlabelled })
            }
        }
    }

    /// The truth on `grid`.
    ///
    /// # Errors
    /// A raster that cannot be opened; ground that cannot be projected.
    pub fn on(&self, grid: &Grid) -> Result<SiteTruth<'_>, IoError> {
        match self {
            Self::Rasters(paths, coding) => {
                let mut rasters = Vec::new();
                for path in paths {
                    let info = open::info(path)?;
                    match Mapping::new(grid, 0, &info.geotransform, &info.crs_wkt, &Affine::IDENTITY) {
                        Ok(mapping) => rasters.push(Raster {
                            mapping,
                            path: path.clone(),
                            size: (info.width, info.height),
                        }),
                        // Half a world away: it says nothing of this site.
                        Err(IoError::Projection { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(SiteTruth::Rasters(rasters, coding))
            }
            Self::Polygons { changed, unlabelled } => {
                let to_grid = Projector::new(WGS84, &grid.crs)?;
                let near = neighbourhood(grid)?;
                let shapes = |polygons: &[MultiPolygon<f64>]| {
                    let nearby = polygons.iter().filter(|polygon| near.touches(polygon));
                    nearby
                        .map(|polygon| Ok(with_a_pixel(shape(polygon, &to_grid, grid)?)))
                        .collect::<Result<Vec<_>, IoError>>()
                };
                Ok(SiteTruth::Polygons {
                    changed: shapes(changed)?,
                    unlabelled: shapes(unlabelled)?,
                })
            }
        }
    }
}

/// The truth on the grid of a site.
pub enum SiteTruth<'a> {
    /// Rasters and how their values are read.
    Rasters(Vec<Raster>, &'a Coding),
    /// Shapes in pixels of the grid.
    Polygons {
        /// What changed.
        changed: Vec<Shape>,
        /// What nothing is known of.
        unlabelled: Vec<Shape>,
    },
}

/// A labelled raster and where the grid lies in it.
pub struct Raster {
    path: PathBuf,
    mapping: Mapping,
    size: (usize, usize),
}

impl SiteTruth<'_> {
    /// Labels of the pixels of `strip`: of a raster the label in which the pixel's centre lies.
    ///
    /// # Errors
    /// A raster that cannot be read.
    pub fn labels(&self, strip: &Rect, pool: &Pool) -> Result<Plane<Label>, IoError> {
        match self {
            Self::Rasters(rasters, coding) => {
                let mut labels = Plane::filled(*strip, Label::Unlabelled);
                for raster in rasters {
                    let needed = raster.mapping.window(strip, raster.size.0, raster.size.1);
                    if needed.is_empty() {
                        continue;
                    }
                    let window = Window {
                        values: pool.read::<f32>(&raster.path, 1, &needed)?,
                        reasons: None,
                    };
                    let values = match &raster.mapping {
                        Mapping::Window { dx, dy } => resample::shifted(*dx, *dy, strip, &window).0,
                        Mapping::Nodes(nodes) => resample::nearest(nodes, strip, &window),
                    };
                    for (label, value) in labels.data.iter_mut().zip(&values) {
                        if *label == Label::Unlabelled {
                            *label = coding.label(*value);
                        }
                    }
                }
                Ok(labels)
            }
            Self::Polygons { changed, unlabelled } => {
                let mut labels = Plane::filled(*strip, Label::Unchanged);
                let said = [(changed, Label::Changed), (unlabelled, Label::Unlabelled)];
                for (shapes, label) in said {
                    for shape in shapes {
                        shape.for_each_pixel(strip, |x, y| {
                            labels.get_mut(x, y).into_iter().for_each(|found| *found = label);
                        });
                    }
                }
                Ok(labels)
            }
        }
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

/// The box in degrees around `grid`, a little wider.
struct Neighbourhood(geo::Rect<f64>);

impl Neighbourhood {
    fn touches(&self, polygon: &MultiPolygon<f64>) -> bool {
        use geo::Intersects;
        polygon.bounding_rect().is_some_and(|bounds| self.0.intersects(&bounds))
    }
}

fn neighbourhood(grid: &Grid) -> Result<Neighbourhood, IoError> {
    let to_degrees = Projector::new(&grid.crs, WGS84)?;
    let edge = |t: f64| {
        let (w, h) = (grid.width as f64, grid.height as f64);
        [(t * w, 0.0), (t * w, h), (0.0, t * h), (w, t * h)]
    };
    let points = (0..=8).flat_map(|i| edge(f64::from(i) / 8.0));
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.map(|(x, y)| grid.to_world(x, y)).unzip();
    to_degrees.project(&mut x, &mut y)?;
    let span = |values: &[f64]| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        (low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    };
    let ((west, east), (south, north)) = (span(&x), span(&y));
    // A grid over the antimeridian has a box around the globe, which does no harm.
    let margin = 0.01;
    Ok(Neighbourhood(geo::Rect::new(
        (west - margin, south - margin),
        (east + margin, north + margin),
    )))
}

fn read_polygons(
    path: &Path,
    changed: &mut Vec<MultiPolygon<f64>>,
    unlabelled: &mut Vec<MultiPolygon<f64>>,
) -> Result<(), EvaluateError> {
    let bad = |message: String| EvaluateError::Read {
        path: path.to_owned(),
        message,
    };
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let document: GeoJson = text.parse().map_err(|error: geojson::Error| bad(error.to_string()))?;
    let collection = match document {
        GeoJson::FeatureCollection(collection) => collection,
        GeoJson::Feature(feature) => FeatureCollection::new([feature]),
        GeoJson::Geometry(geometry) => FeatureCollection::new([Feature::from(geometry)]),
    };
    for (index, feature) in collection.features.into_iter().enumerate() {
        let at = |message: String| bad(format!("features[{index}]: {message}"));
        // The truth that simulate writes tells of declared activities too; they are not what changed.
        if feature.property("kind").is_some_and(|kind| kind == "activity") {
            continue;
        }
        let label = match feature.property("label") {
            None | Some(serde_json::Value::Null) => "changed",
            Some(serde_json::Value::String(label)) => label,
            Some(_) => "",
        };
        let into = match label {
            "changed" => &mut *changed,
            "unlabelled" => &mut *unlabelled,
            _ => {
                return Err(at(
                    "expected the property `label` to be \"changed\" or \"unlabelled\"".into()
                ));
            }
        };
        let polygons = polygons(feature.geometry.as_ref().map(|geometry| &geometry.value)).map_err(at)?;
        into.push(polygons);
    }
    Ok(())
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

    use super::*;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};

    fn grid() -> Grid {
        Grid {
            crs: "EPSG:32631".into(),
            left_m: 500_000.0,
            top_m: 5_000_000.0,
            pixel_m: 10.0,
            width: 6,
            height: 4,
        }
    }

    /// Labels of the grid as letters.
    fn told(truth: &Truth) -> Vec<String> {
        let labels = truth
            .on(&grid())
            .unwrap()
            .labels(&grid().rect(), &Pool::default())
            .unwrap();
        let letter = |label: &Label| match label {
            Label::Changed => 'c',
            Label::Unchanged => 'u',
            Label::Unlabelled => '.',
        };
        let rows = labels.data.rows();
        rows.into_iter().map(|row| row.iter().map(letter).collect()).collect()
    }

    /// A raster of 3 x 2 pixels of 10 m whose left edge lies `right_px` pixels right of the grid's.
    fn raster(path: &Path, right_px: f64, values: [f32; 6]) -> PathBuf {
        let layout = Layout {
            width: 3,
            height: 2,
            bands: 1,
            data_type: DataType::F32,
            transform: [500_000.0 + 10.0 * right_px, 10.0, 0.0, 5_000_000.0, 0.0, -10.0],
            crs: "EPSG:32631".into(),
            nodata: None,
            compression: Compression::None,
            block: 16,
        };
        let mut writer = GeoTiffWriter::create(path, layout).unwrap();
        writer.write(1, 0, 0, 3, 2, &values).unwrap();
        writer.finish().unwrap();
        path.to_owned()
    }

    #[test]
    fn a_coding_is_read_in_either_order_and_nothing_else_is() {
        let found: Coding = "unchanged=0, changed=255".parse().unwrap();
        assert_eq!((found.changed, found.unchanged), (255.0, 0.0));
        for wrong in [
            "",
            "changed=1",
            "changed=1,unchanged=1",
            "changed=a,unchanged=0",
            "changed=1,unchanged=0,other=3",
        ] {
            assert!(
                wrong.parse::<Coding>().unwrap_err().contains("expected changed=NUMBER"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn of_several_rasters_the_first_that_labels_a_pixel_counts() {
        let folder = tempfile::tempdir().unwrap();
        let first = raster(&folder.path().join("a.tif"), 0.0, [1.0, 2.0, 0.0, f32::NAN, 1.0, 7.0]);
        let second = raster(&folder.path().join("b.tif"), 2.0, [2.0, 1.0, 1.0, 1.0, 2.0, 2.0]);
        let truth = Truth::read(&[first.clone(), second], Coding::default()).unwrap();
        assert_eq!(told(&truth), ["uccuu.", ".uucc.", "......", "......"]);
        // With 0 for unchanged, what the raster does not cover stays unlabelled.
        let coding = Coding {
            changed: 2.0,
            unchanged: 0.0,
        };
        assert_eq!(
            told(&Truth::read(&[first], coding).unwrap()),
            [".cu...", "......", "......", "......"]
        );
    }

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
        let SiteTruth::Polygons { changed, .. } = truth.on(&grid()).unwrap() else {
            panic!()
        };
        assert_eq!(changed.len(), 2, "what lies far away is no object here");
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
        let paths = ["a.tif", "b.geojson"].map(PathBuf::from);
        let mixed = Truth::read(&paths, Coding::default()).unwrap_err().to_string();
        assert!(mixed.contains("b.geojson") && mixed.contains("a.tif"), "{mixed}");
    }
}
