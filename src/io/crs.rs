//! Coordinates between reference systems, by PROJ; longitude or easting always comes first.

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
use geo::{Coord, LineString, MapCoords, MultiPolygon, Polygon};

use super::{IoError, plain, prepare};

/// WGS 84 in degrees.
pub const WGS84: &str = "EPSG:4326";

/// Longest piece of a boundary that is projected as a straight line, degrees: about 200 m, bent by under a millimetre in UTM.
const PIECE_DEG: f64 = 0.002;

/// The reference system that `definition` (`EPSG:n` or well-known text) names.
///
/// # Errors
/// A definition that PROJ does not know.
pub fn parse(definition: &str) -> Result<SpatialRef, IoError> {
    prepare();
    let number = definition
        .strip_prefix("EPSG:")
        .and_then(|code| code.parse::<u32>().ok());
    let parsed = match number {
        Some(code) => SpatialRef::from_epsg(code),
        None => SpatialRef::from_wkt(definition),
    };
    let mut srs = parsed.map_err(|error| IoError::Projection {
        from: definition.chars().take(60).collect(),
        to: "any".into(),
        message: format!("{}; give EPSG:n", plain(&error)),
    })?;
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(srs)
}

/// Projections of which meridians are parallel lines, evenly spaced.
const CYLINDRICAL: [&str; 7] = [
    "Mercator_1SP",
    "Mercator_2SP",
    "Mercator_Auxiliary_Sphere",
    "Popular_Visualisation_Pseudo_Mercator",
    "Equirectangular",
    "Cylindrical_Equal_Area",
    "Miller_Cylindrical",
];

/// How far a full turn of longitude leads along x in the reference system `definition`: 360 degrees, or the circumference of a cylinder; `None`
/// where x does not go around the earth.
///
/// # Errors
/// A definition that PROJ does not know.
pub fn turn(definition: &str) -> Result<Option<f64>, IoError> {
    let srs = parse(definition)?;
    // What GDAL says of radians to a unit has sixteen digits.
    let even = |length: f64| (length * 1e9).round() / 1e9;
    if srs.is_geographic() {
        return Ok(Some(even(std::f64::consts::TAU / srs.angular_units())));
    }
    let method = srs.get_attr_value("PROJECTION", 0).ok().flatten();
    if !method.is_some_and(|method| CYLINDRICAL.contains(&method.as_str())) {
        return Ok(None);
    }
    let degree = |from: f64| {
        let (mut x, mut y) = ([from, from + 1.0], [0.0, 0.0]);
        let projector = Projector::new(WGS84, definition)?;
        projector.project(&mut x, &mut y)?;
        Ok::<f64, IoError>(x[1] - x[0])
    };
    // One of these degrees does not hold the meridian at which x begins anew.
    let length = degree(7.0)?.max(degree(97.0)?);
    Ok(Some(360.0 * length).filter(|length| length.is_finite() && *length > 0.0))
}

/// How many times as long as on the ground a metre east and a metre north are in the projected system `definition`, at each of `places`
/// (longitude, latitude).
///
/// # Errors
/// A place that has no image.
pub fn scales(definition: &str, places: &[(f64, f64)]) -> Result<Vec<[f64; 2]>, IoError> {
    use geo::{Destination, Geodesic, Point};
    const STEP_M: f64 = 10.0;
    let projector = Projector::new(WGS84, definition)?;
    let scales = places.iter().map(|(longitude, latitude)| {
        let from = Point::new(*longitude, *latitude);
        let ends = [
            from,
            Geodesic.destination(from, 90.0, STEP_M),
            Geodesic.destination(from, 0.0, STEP_M),
        ];
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = ends.iter().map(|end| end.x_y()).unzip();
        projector.project(&mut x, &mut y)?;
        Ok([1, 2].map(|end| (x[end] - x[0]).hypot(y[end] - y[0]) / STEP_M))
    });
    scales.collect()
}

/// What in `wkt` would make PROJ read a file or a definition from elsewhere: a grid shift, or a piece of a PROJ string that is no plain value.
pub fn names_a_file(wkt: &str) -> Option<String> {
    for word in ["PARAMETERFILE", "CONCATENATEDOPERATION"] {
        if wkt.to_ascii_uppercase().contains(word) {
            return Some(word.to_ascii_lowercase());
        }
    }
    let strings = wkt.split("EXTENSION[\"PROJ4\",\"").skip(1);
    let pieces = strings.flat_map(|rest| rest.split('"').next().unwrap_or_default().split_whitespace());
    let plain = |piece: &&str| match piece.trim_start_matches('+').split_once('=') {
        None => true,
        // As in EPSG's own definition of Web Mercator: no grid.
        Some(("nadgrids", value)) => value == "@null",
        Some(("proj" | "ellps" | "datum" | "units" | "vunits" | "pm" | "axis" | "type", value)) => {
            value.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        }
        Some((_, value)) => value.split(',').all(|number| number.parse::<f64>().is_ok()),
    };
    pieces.into_iter().find(|piece| !plain(piece)).map(str::to_owned)
}

/// Looks whether `wkt` says where on the earth things lie: in degrees, or on a map.
///
/// # Errors
/// It does not, or PROJ does not know it.
pub fn check_on_earth(wkt: &str) -> Result<(), String> {
    const REMEDY: &str = "georeference it, or where its true system is known set that with gdal_edit -a_srs EPSG:n";
    let srs =
        parse(wkt).map_err(|error| format!("its coordinate reference system is not known ({error}); {REMEDY}"))?;
    if srs.is_geographic() || srs.is_projected() {
        return Ok(());
    }
    Err(format!(
        "its coordinate reference system ({}) is neither geographic nor projected, so that nothing says where on the earth it lies; {REMEDY}",
        srs.name().unwrap_or_else(|| "without a name".into())
    ))
}

/// The WGS 84 / UTM zone that holds a point, as `EPSG:326zz` (north) or `EPSG:327zz` (south), with Norway's and Svalbard's exceptions.
pub fn utm_zone(longitude: f64, latitude: f64) -> String {
    // Past the antimeridian longitudes may run on.
    let longitude = if longitude > 180.0 {
        longitude - 360.0
    } else {
        longitude
    };
    let mut zone = ((longitude + 180.0) / 6.0).floor().clamp(0.0, 59.0) as u32 + 1;
    if (56.0..64.0).contains(&latitude) && (3.0..12.0).contains(&longitude) {
        zone = 32;
    }
    if (72.0..84.0).contains(&latitude) {
        zone = match longitude {
            lon if (0.0..9.0).contains(&lon) => 31,
            lon if (9.0..21.0).contains(&lon) => 33,
            lon if (21.0..33.0).contains(&lon) => 35,
            lon if (33.0..42.0).contains(&lon) => 37,
            _ => zone,
        };
    }
    format!("EPSG:{}{zone:02}", if latitude < 0.0 { 327 } else { 326 })
}

/// Carries coordinates from one reference system to another.
pub struct Projector {
    transform: CoordTransform,
    from: String,
    to: String,
}

impl Projector {
    /// A projector between two definitions.
    ///
    /// # Errors
    /// Definitions that PROJ does not know, or between which it has no way.
    pub fn new(from: &str, to: &str) -> Result<Self, IoError> {
        let (source, target) = (parse(from)?, parse(to)?);
        let name = |definition: &str, srs: &SpatialRef| match definition.starts_with("EPSG:") {
            true => definition.to_owned(),
            false => srs.name().unwrap_or_else(|| "an unnamed system".into()),
        };
        let (from, to) = (name(from, &source), name(to, &target));
        match CoordTransform::new(&source, &target) {
            Ok(transform) => Ok(Self { transform, from, to }),
            Err(error) => Err(IoError::Projection {
                from,
                to,
                message: plain(&error),
            }),
        }
    }

    /// Replaces the points (`x[i]`, `y[i]`) by their images.
    ///
    /// # Errors
    /// A point that has none, for example outside the projection's area.
    pub fn project(&self, x: &mut [f64], y: &mut [f64]) -> Result<(), IoError> {
        let failed = |message: String| IoError::Projection {
            from: self.from.clone(),
            to: self.to.clone(),
            message,
        };
        let first = x.first().copied().zip(y.first().copied());
        self.transform.transform_coords(x, y, &mut []).map_err(|error| {
            failed(format!(
                "{} (near {first:?}); does the place lie in the projection's area?",
                plain(&error)
            ))
        })?;
        if x.iter().chain(y.iter()).all(|v| v.is_finite()) {
            Ok(())
        } else {
            Err(failed(format!(
                "no image for a point near {first:?}; does the place lie in the projection's area?"
            )))
        }
    }

    /// The image of `polygon`, vertex by vertex.
    ///
    /// # Errors
    /// As [`Self::project`].
    pub fn project_polygon(&self, polygon: &MultiPolygon<f64>) -> Result<MultiPolygon<f64>, IoError> {
        polygon.try_map_coords(|c| {
            let (mut x, mut y) = ([c.x], [c.y]);
            self.project(&mut x, &mut y)?;
            Ok(Coord { x: x[0], y: y[0] })
        })
    }
}

/// `polygon` (degrees) with its edges cut into pieces that may be projected as straight lines.
pub fn densify(polygon: &MultiPolygon<f64>) -> MultiPolygon<f64> {
    let ring = |ring: &LineString<f64>| {
        let mut points = Vec::with_capacity(ring.0.len());
        for line in ring.lines() {
            let (dx, dy) = (line.end.x - line.start.x, line.end.y - line.start.y);
            let pieces = ((dx.abs().max(dy.abs()) / PIECE_DEG).ceil()).clamp(1.0, 2000.0);
            (0..pieces as usize).for_each(|i| {
                let t = i as f64 / pieces;
                points.push(Coord {
                    x: line.start.x + t * dx,
                    y: line.start.y + t * dy,
                });
            });
        }
        LineString(points)
    };
    MultiPolygon(
        polygon
            .iter()
            .map(|part| Polygon::new(ring(part.exterior()), part.interiors().iter().map(ring).collect()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longitude_comes_first() {
        let to_utm = Projector::new(WGS84, "EPSG:32631").unwrap();
        let (mut x, mut y) = ([3.0], [45.0]);
        to_utm.project(&mut x, &mut y).unwrap();
        // The central meridian of zone 31 is 3 degrees east; the northing is PROJ's cs2cs figure.
        assert!((x[0] - 500_000.0).abs() < 1e-6, "{x:?}");
        assert!((y[0] - 4_982_950.4).abs() < 0.1, "{y:?}");
    }

    #[test]
    fn zones_and_their_exceptions() {
        assert_eq!(utm_zone(3.0, 45.0), "EPSG:32631");
        assert_eq!(utm_zone(-74.4, -8.4), "EPSG:32718");
        assert_eq!(utm_zone(5.3, 60.4), "EPSG:32632");
        assert_eq!(utm_zone(16.0, 78.2), "EPSG:32633");
        assert_eq!(utm_zone(180.0, 10.0), "EPSG:32660");
        assert_eq!(utm_zone(180.1, 10.0), "EPSG:32601");
    }

    #[test]
    fn systems_that_name_a_file_are_told() {
        let with = |string: &str| names_a_file(&format!(r#"PROJCS["a",EXTENSION["PROJ4","{string}"]]"#));
        assert_eq!(
            with("+proj=merc +a=6378137 +towgs84=0,0,0 +nadgrids=@null +wktext +no_defs"),
            None
        );
        assert_eq!(
            with("+proj=utm +nadgrids=/a/b.gsb").as_deref(),
            Some("+nadgrids=/a/b.gsb")
        );
        assert_eq!(with("+init=/a/b:c").as_deref(), Some("+init=/a/b:c"));
        assert!(names_a_file(r#"BOUNDCRS[ABRIDGEDTRANSFORMATION["a",PARAMETERFILE["b","c"]]]"#).is_some());
        assert_eq!(names_a_file(&parse("EPSG:3857").unwrap().to_wkt().unwrap()), None);
    }

    #[test]
    fn systems_that_do_not_place_things_on_the_earth_are_told() {
        let local = r#"LOCAL_CS["Arbitrary (m)",UNIT["metre",1]]"#;
        assert!(check_on_earth(local).unwrap_err().contains("Arbitrary (m)"));
        // Vertical alone, and from the middle of the earth.
        for code in ["EPSG:5773", "EPSG:4978"] {
            let wkt = parse(code).unwrap().to_wkt().unwrap();
            assert!(
                check_on_earth(&wkt)
                    .unwrap_err()
                    .contains("neither geographic nor projected"),
                "{code}"
            );
        }
        for code in ["EPSG:4326", "EPSG:32633", "EPSG:3857", "EPSG:3031"] {
            assert_eq!(check_on_earth(&parse(code).unwrap().to_wkt().unwrap()), Ok(()));
        }
    }

    #[test]
    fn unknown_systems_are_errors() {
        assert!(parse("EPSG:999999").is_err());
        assert!(parse("nonsense").is_err());
    }
}
