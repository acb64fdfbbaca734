//! GeoPackages: layers of polygons and tables of attributes, written in one transaction and read back before anyone relies on them.

use std::ffi::{CStr, CString};
use std::fs;
use std::path::Path;

use gdal::errors::{GdalError, Result as GdalResult};
use gdal::spatial_ref::SpatialRef;
use gdal::vector::{Feature, Geometry, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType, sql::Dialect};
use gdal::{Dataset, DatasetOptions, DriverManager, GdalOpenFlags};

use super::vector::{FieldKind, Layer, Polygons, Row, Value};
use super::vsi;
use crate::io::{IoError, crs, plain, prepare};

/// Writes `layers` to a GeoPackage at `path`, which is overwritten. The same layers and `stamp` give the same bytes.
///
/// Coordinates are in EPSG:4326, longitude first. `stamp` stands in for the clock wherever the format asks for the time of the last
/// change: UTC with milliseconds, `2020-07-05T10:56:18.000Z` (OGC 12-128r15, requirement 15). Layers with geometry have a spatial index.
/// A NUL in a text, which the format cannot hold, becomes U+FFFD.
///
/// # Errors
/// When the file cannot be written; [`IoError::Torn`] when it does not read back. The caller then removes what is there.
pub fn write_gpkg(path: &Path, layers: &[Layer], stamp: &str) -> Result<(), IoError> {
    prepare();
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(torn(path, error.to_string())),
        _ => {}
    }
    let wgs84 = crs::parse(crs::WGS84)?;
    let written = write(&vsi::name(path), layers, stamp, &wgs84).map_err(|error| IoError::Gdal {
        doing: "writing",
        path: path.to_owned(),
        message: said(&error),
    });
    // What the system said comes first: GDAL's words follow from it, where it has any.
    vsi::settle(path).map_err(|error| torn(path, error.to_string()))?;
    written?;
    verify(path, layers)
}

fn torn(path: &Path, message: String) -> IoError {
    IoError::Torn {
        path: path.to_owned(),
        message,
    }
}

/// What GDAL said: OGR answers with a number, and the words are with the thread's last error.
fn said(error: &GdalError) -> String {
    if !matches!(error, GdalError::OgrError { .. }) {
        return plain(error);
    }
    // SAFETY: never null, ended by a zero, and valid until this thread's next call into GDAL; copied at once.
    let last = unsafe { CStr::from_ptr(gdal_sys::CPLGetLastErrorMsg()) };
    match last.to_string_lossy() {
        words if words.is_empty() => plain(error),
        words => words.into_owned(),
    }
}

/// The date of this thread's writing while it lives: sites are written side by side, and other options of GDAL hold for all threads.
struct Stamp;

impl Stamp {
    const OPTION: &str = "OGR_CURRENT_DATE";

    fn set(stamp: &str) -> GdalResult<Self> {
        gdal::config::set_thread_local_config_option(Self::OPTION, stamp)?;
        Ok(Self)
    }
}

impl Drop for Stamp {
    fn drop(&mut self) {
        // It fails for a name with a NUL only.
        let _ = gdal::config::clear_thread_local_config_option(Self::OPTION);
    }
}

fn write(path: &Path, layers: &[Layer], stamp: &str, wgs84: &SpatialRef) -> GdalResult<()> {
    let _stamp = Stamp::set(stamp)?;
    let mut dataset = DriverManager::get_driver_by_name("GPKG")?.create_vector_only(path)?;
    let mut transaction = dataset.start_transaction()?;
    for layer in layers {
        let options = [format!("FID={}", layer.key), format!("IDENTIFIER={}", layer.title)];
        let made = transaction.create_layer(LayerOptions {
            name: layer.name,
            srs: layer.spatial.then_some(wgs84),
            ty: if layer.spatial {
                OGRwkbGeometryType::wkbMultiPolygon
            } else {
                OGRwkbGeometryType::wkbNone
            },
            options: Some(&options.each_ref().map(String::as_str)),
        })?;
        for (name, kind) in &layer.fields {
            define(name, *kind, &made)?;
        }
        for row in &layer.rows {
            feature(row, &made)?.create(&made)?;
        }
        // Extent, count and index belong into the transaction too: what fails while closing is silent.
        // SAFETY: the layer is alive.
        done(
            unsafe { gdal_sys::OGR_L_SyncToDisk(made.c_layer()) },
            "OGR_L_SyncToDisk",
        )?;
    }
    transaction.commit()?;
    dataset.close()
}

/// Adds a field to `layer`. The crate's own definition of a field has no sub-type, which is what makes a number a Boolean.
fn define(name: &str, kind: FieldKind, layer: &gdal::vector::Layer) -> GdalResult<()> {
    use gdal_sys::OGRFieldSubType::{OFSTBoolean, OFSTNone};
    let (kind, sub_kind) = match kind {
        FieldKind::Text => (OGRFieldType::OFTString, OFSTNone),
        FieldKind::Real => (OGRFieldType::OFTReal, OFSTNone),
        FieldKind::Integer => (OGRFieldType::OFTInteger64, OFSTNone),
        FieldKind::Boolean => (OGRFieldType::OFTInteger, OFSTBoolean),
        FieldKind::DateTime => (OGRFieldType::OFTDateTime, OFSTNone),
    };
    let name = CString::new(name)?;
    // SAFETY: the name ends with a zero and the layer is alive; the definition is copied by the layer, and destroyed once.
    let answer = unsafe {
        let field = gdal_sys::OGR_Fld_Create(name.as_ptr(), kind);
        gdal_sys::OGR_Fld_SetSubType(field, sub_kind);
        let answer = gdal_sys::OGR_L_CreateField(layer.c_layer(), field, 0);
        gdal_sys::OGR_Fld_Destroy(field);
        answer
    };
    done(answer, "OGR_L_CreateField")
}

/// OGR's answer as a result.
fn done(answer: gdal_sys::OGRErr::Type, method_name: &'static str) -> GdalResult<()> {
    match answer {
        gdal_sys::OGRErr::OGRERR_NONE => Ok(()),
        err => Err(GdalError::OgrError { err, method_name }),
    }
}

fn feature<'a>(row: &Row, layer: &'a gdal::vector::Layer) -> GdalResult<Feature<'a>> {
    let mut feature = Feature::new(layer.defn())?;
    if !row.polygons.is_empty() {
        feature.set_geometry(multi_polygon(&row.polygons)?)?;
    }
    for (index, value) in row.values.iter().enumerate() {
        match value {
            Value::Text(text) => feature.set_field_string(index, &text.replace('\0', "\u{fffd}"))?,
            Value::Real(value) => feature.set_field_double(index, *value)?,
            Value::Integer(value) => feature.set_field_integer64(index, *value)?,
            Value::Boolean(value) => feature.set_field_integer(index, i32::from(*value))?,
            Value::Null => feature.set_field_null(index)?,
        }
    }
    Ok(feature)
}

fn multi_polygon(polygons: &Polygons) -> GdalResult<Geometry> {
    let mut all = Geometry::empty(OGRwkbGeometryType::wkbMultiPolygon)?;
    for rings in polygons {
        let mut polygon = Geometry::empty(OGRwkbGeometryType::wkbPolygon)?;
        for positions in rings {
            let mut ring = Geometry::empty(OGRwkbGeometryType::wkbLinearRing)?;
            for [longitude, latitude] in positions {
                ring.add_point_2d((*longitude, *latitude));
            }
            polygon.add_geometry(ring)?;
        }
        all.add_geometry(polygon)?;
    }
    Ok(all)
}

/// Whether SQLite finds the file whole, and every row of every layer is there and can be read.
fn verify(path: &Path, layers: &[Layer]) -> Result<(), IoError> {
    let unreadable = |error: GdalError| torn(path, format!("it does not read back ({})", said(&error)));
    let dataset = Dataset::open_ex(
        path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_VECTOR,
            allowed_drivers: Some(&["GPKG"]),
            ..Default::default()
        },
    )
    .map_err(unreadable)?;
    let check = dataset
        .execute_sql("PRAGMA integrity_check", None, Dialect::DEFAULT)
        .map_err(unreadable)?;
    let answer = match check {
        Some(mut lines) => lines.features().next().map(|line| line.field_as_string(0)),
        None => None,
    };
    let answer = answer.transpose().map_err(unreadable)?.flatten().unwrap_or_default();
    if answer != "ok" {
        return Err(torn(path, format!("SQLite finds it damaged ({answer})")));
    }
    for layer in layers {
        let found = dataset
            .layer_by_name(layer.name)
            .map_err(unreadable)?
            .features()
            .count();
        if found != layer.rows.len() {
            let (name, expected) = (layer.name, layer.rows.len());
            return Err(torn(path, format!("layer {name} has {found} of {expected} rows")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: &str = "2020-07-05T10:56:18.000Z";

    fn square(west: f64, south: f64) -> Polygons {
        let (east, north) = (west + 0.01, south + 0.01);
        vec![vec![vec![
            [west, south],
            [east, south],
            [east, north],
            [west, north],
            [west, south],
        ]]]
    }

    /// A layer of `n` rows with a field of every kind, and an empty one.
    fn layers(n: usize) -> Vec<Layer> {
        let fields = vec![
            ("text", FieldKind::Text),
            ("real", FieldKind::Real),
            ("integer", FieldKind::Integer),
            ("yes", FieldKind::Boolean),
            ("from", FieldKind::DateTime),
        ];
        let row = |i: usize| Row {
            polygons: square(2.0 + i as f64 * 0.02, 48.0),
            values: vec![
                Value::Text(format!("row {i}")),
                Value::Real(1.5),
                Value::Integer(1 << 40),
                Value::Boolean(true),
                Value::Text("2020-02-11T10:56:12Z".into()),
            ],
        };
        let layer = |name, title, spatial, n| Layer {
            name,
            title,
            key: "fid",
            spatial,
            fields: fields.clone(),
            rows: (0..n)
                .map(row)
                .map(|row| {
                    if spatial {
                        row
                    } else {
                        Row {
                            polygons: vec![],
                            ..row
                        }
                    }
                })
                .collect(),
        };
        vec![
            layer("places", "Places", true, n),
            layer("none", "No place", true, 0),
            layer("table", "A table", false, 2),
        ]
    }

    fn open(path: &Path) -> Dataset {
        let open_flags = GdalOpenFlags::GDAL_OF_VECTOR;
        Dataset::open_ex(
            path,
            DatasetOptions {
                open_flags,
                ..Default::default()
            },
        )
        .unwrap()
    }

    #[test]
    fn every_kind_of_field_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gpkg");
        write_gpkg(&path, &layers(2), STAMP).unwrap();
        let dataset = open(&path);
        let mut layer = dataset.layer_by_name("places").unwrap();
        let kinds: Vec<_> = layer.defn().fields().map(|f| (f.name(), f.field_type())).collect();
        assert_eq!(kinds[2], ("integer".into(), OGRFieldType::OFTInteger64));
        assert_eq!(kinds[4], ("from".into(), OGRFieldType::OFTDateTime));
        let row = layer.features().nth(1).unwrap();
        assert_eq!(row.field_as_string(0).unwrap().unwrap(), "row 1");
        assert_eq!(row.field_as_double(1).unwrap(), Some(1.5));
        assert_eq!(row.field_as_integer64(2).unwrap(), Some(1 << 40));
        assert_eq!(row.field_as_integer(3).unwrap(), Some(1));
        assert_eq!(
            row.field_as_datetime(4).unwrap().unwrap().to_rfc3339(),
            "2020-02-11T10:56:12+00:00"
        );
        let envelope = row.geometry().unwrap().envelope();
        assert_eq!((envelope.MinX, envelope.MaxY), (2.02, 48.01));
    }

    #[test]
    fn a_layer_without_rows_exists_with_its_fields() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gpkg");
        write_gpkg(&path, &layers(0), STAMP).unwrap();
        let dataset = open(&path);
        let layer = dataset.layer_by_name("none").unwrap();
        assert_eq!((layer.feature_count(), layer.defn().fields().count()), (0, 5));
        assert_eq!(layer.spatial_ref().unwrap().auth_code().unwrap(), 4326);
        assert_eq!(dataset.layer_count(), 3);
    }

    #[test]
    fn the_clock_is_not_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            write_gpkg(&path, &layers(40), STAMP).unwrap();
            fs::read(path).unwrap()
        };
        let first = write("a.gpkg");
        // The format counts milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(first == write("b.gpkg"), "two writes differ");
        // Over what was there, and in another thread.
        assert!(first == std::thread::scope(|scope| scope.spawn(|| write("a.gpkg")).join().unwrap()));
        let text = String::from_utf8_lossy(&first);
        assert!(text.contains(STAMP));
        assert_eq!(
            gdal::config::get_thread_local_config_option(Stamp::OPTION, "unset").unwrap(),
            "unset"
        );
    }

    #[test]
    fn hostile_text_is_kept_and_a_nul_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gpkg");
        let hostile = "<script>'; DROP TABLE places; --\",\n=cmd()";
        let mut layers = layers(2);
        layers[0].rows[0].values[0] = Value::Text(hostile.into());
        layers[0].rows[0].values[4] = Value::Text("no instant".into());
        layers[0].rows[0].polygons.clear();
        layers[0].rows[1].values[0] = Value::Text("a\0b".into());
        layers[0].rows[1].values[1] = Value::Null;
        write_gpkg(&path, &layers, STAMP).unwrap();
        let dataset = open(&path);
        let mut places = dataset.layer_by_name("places").unwrap();
        let rows: Vec<_> = places.features().collect();
        assert_eq!(rows[0].field_as_string(0).unwrap().unwrap(), hostile);
        assert_eq!(rows[0].field_as_string(4).unwrap(), None);
        assert_eq!(rows[1].field_as_string(0).unwrap().unwrap(), "a\u{fffd}b");
        assert_eq!(rows[1].field_as_double(1).unwrap(), None);
        let nowhere = dataset.execute_sql("SELECT text FROM places WHERE geom IS NULL", None, Dialect::DEFAULT);
        let nowhere: Vec<_> = nowhere
            .unwrap()
            .unwrap()
            .features()
            .map(|row| row.field_as_string(0).unwrap())
            .collect();
        assert_eq!(nowhere, [Some(hostile.to_owned())]);
    }

    #[test]
    fn what_cannot_be_written_or_is_not_whole_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("no such folder").join("a.gpkg");
        let error = write_gpkg(&nowhere, &layers(1), STAMP).unwrap_err();
        assert!(error.to_string().contains("a.gpkg"), "{error}");

        let path = folder.path().join("a.gpkg");
        write_gpkg(&path, &layers(400), STAMP).unwrap();
        let whole = fs::read(&path).unwrap();
        let mut more = layers(400);
        more[2].rows.clear();
        assert!(matches!(verify(&path, &more), Err(IoError::Torn { .. })));
        for length in [0, 100, whole.len() / 2, whole.len() - 4096] {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(
                matches!(verify(&path, &layers(400)), Err(IoError::Torn { .. })),
                "{length} bytes"
            );
        }
    }
}
