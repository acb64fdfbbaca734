//! What really changed: labelled rasters, or polygons of what changed, brought onto the grid of a site.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use super::error::EvaluateError;
use super::label::Label;
use super::polygons::{Polygons, Shapes};
use crate::geo::{Affine, Grid, Rect};
use crate::io::formats::USUAL;
use crate::io::mapping::{self, Mapping, Target};
use crate::io::pool::Pool;
use crate::io::resample::{self, Window};
use crate::io::{IoError, open};
use crate::raster::Plane;

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
    /// Polygons outside of which nothing changed.
    Polygons(Polygons),
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
                let mut polygons = Polygons::default();
                vectors.into_iter().try_for_each(|path| polygons.read(path))?;
                Ok(Self::Polygons(polygons))
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
                    let info = open::info(path, USUAL)?;
                    let target = Target {
                        grid,
                        margin: 0,
                        moved: &Affine::IDENTITY,
                    };
                    let of_turn = |turn| {
                        let mapping = Mapping::new(&target, info.placement(), turn)?;
                        Ok(Raster {
                            mapping,
                            path: path.clone(),
                            size: (info.width, info.height),
                        })
                    };
                    let turns = mapping::turns(&target, info.placement(), info.width);
                    match turns.and_then(|turns| turns.into_iter().map(of_turn).collect::<Result<Vec<_>, _>>()) {
                        Ok(found) => rasters.extend(found),
                        // Half a world away: it says nothing of this site.
                        Err(IoError::Projection { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(SiteTruth::Rasters(rasters, coding))
            }
            Self::Polygons(polygons) => Ok(SiteTruth::Polygons(polygons.on(grid)?)),
        }
    }
}

/// The truth on the grid of a site.
pub enum SiteTruth<'a> {
    /// Rasters and how their values are read.
    Rasters(Vec<Raster>, &'a Coding),
    /// Shapes in pixels of the grid.
    Polygons(Shapes),
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
                    let values = resample::nearest(&raster.mapping, strip, window);
                    for (label, value) in labels.values_mut().iter_mut().zip(&values) {
                        if *label == Label::Unlabelled {
                            *label = coding.label(*value);
                        }
                    }
                }
                Ok(labels)
            }
            Self::Polygons(shapes) => Ok(shapes.labels(strip)),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::path::Path;

    use super::*;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};

    pub fn grid() -> Grid {
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
    pub fn told(truth: &Truth) -> Vec<String> {
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
        labels.rows().map(|row| row.iter().map(letter).collect()).collect()
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
        writer.write(1, &Rect::new(0, 0, 3, 2), &values).unwrap();
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

    #[test]
    fn rasters_and_polygons_are_not_one_truth() {
        let paths = ["a.tif", "b.geojson"].map(PathBuf::from);
        let mixed = Truth::read(&paths, Coding::default()).unwrap_err().to_string();
        assert!(mixed.contains("b.geojson") && mixed.contains("a.tif"), "{mixed}");
    }
}
