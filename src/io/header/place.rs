//! Where a raster says that it lies on the ground.

use std::path::{Path, PathBuf};

use gdal::{Dataset, Metadata};

use super::formats;
use super::pam::Stated;
use crate::io::IoError;

/// How a raster lies on the ground: from pixels to its reference system, and that as well-known text. Of `dataset`, which is the file `path`, or
/// where it says nothing of `stated` in GDAL's side file.
///
/// # Errors
/// A raster without such a place, with the way to one that is true.
pub(in crate::io) fn of(
    dataset: &Dataset,
    path: &Path,
    stated: Option<&Stated>,
) -> Result<([f64; 6], String), IoError> {
    let refuse = |message: String| IoError::Open {
        path: path.to_owned(),
        message,
    };
    let own = dataset.geo_transform().ok().filter(is_place);
    let beside = stated.and_then(|stated| stated.geotransform).filter(is_place);
    let Some(geotransform) = own.or(beside) else {
        let has_points = !dataset.gcps().is_empty() || stated.is_some_and(|stated| stated.has_control_points);
        return Err(refuse(no_place(dataset, path, has_points)?));
    };
    let determinant = geotransform[1] * geotransform[5] - geotransform[2] * geotransform[4];
    if geotransform.iter().any(|v| !v.is_finite()) || determinant == 0.0 {
        return Err(refuse(format!(
            "its geotransform {geotransform:?} cannot be inverted; georeference it anew"
        )));
    }
    let own = dataset.projection();
    let beside = stated.map_or(String::new(), |stated| stated.crs_wkt.clone());
    match [own, beside].into_iter().find(|wkt| !wkt.is_empty()) {
        Some(crs_wkt) => Ok((geotransform, crs_wkt)),
        None => Err(refuse(
            "it has no coordinate reference system; set it, for example with gdal_edit -a_srs".into(),
        )),
    }
}

/// What GDAL hands out where there is none: pixels themselves.
fn is_place(transform: &[f64; 6]) -> bool {
    *transform != [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
}

/// What to do with a raster that no transform ties to the ground.
fn no_place(dataset: &Dataset, path: &Path, has_points: bool) -> Result<String, IoError> {
    const RADAR: &str = "if it is a radar product in the geometry of its sensor (Sentinel-1 GRD or SLC), calibrate and terrain-correct it";
    let has_coefficients = dataset
        .metadata_domain("RPC")
        .is_some_and(|entries| !entries.is_empty())
        || coefficients(path)?.is_some();
    if has_coefficients {
        return Ok(
            "it is tied to the ground by rational polynomials (RPC) alone; put it there over a terrain model with gdalwarp -rpc -to RPC_DEM=dem.tif"
                .into(),
        );
    }
    if has_points {
        return Ok(format!(
            "it is tied to the ground by control points alone; {RADAR}, else put it there with gdalwarp -tps"
        ));
    }
    if let Some(world) = world(path)? {
        return Ok(format!(
            "it has no geotransform of its own, and {} beside it is not read; write it into the raster with gdal_translate",
            world.display()
        ));
    }
    Ok(format!(
        "it has no geotransform, and neither control points nor polynomials (RPC): nothing says where it lies; {RADAR}, else fetch it \
         georeferenced, or find control points and use gdalwarp"
    ))
}

/// The file beside `path` with rational polynomials, as vendors name it.
fn coefficients(path: &Path) -> Result<Option<PathBuf>, IoError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let named = |end: &str| path.with_file_name(format!("{stem}{end}"));
    formats::first_file(path, [".RPB", ".rpb", "_RPC.TXT", "_rpc.txt"].map(named))
}

/// The world file beside `path`.
fn world(path: &Path) -> Result<Option<PathBuf>, IoError> {
    let names = ["tfw", "TFW", "tifw", "wld", "WLD", "j2w", "jp2w"].map(|extension| path.with_extension(extension));
    formats::first_file(path, names)
}
