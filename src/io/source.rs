//! A scene that reads on the site grid, from files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::Array2;

use super::IoError;
use super::blocks::{Blocked, Blocks};
use super::open::RasterInfo;
use super::resample::{self, Kernel, Mapping, Window};
use crate::geo::{Affine, Grid, Rect};
use crate::raster::{Flags, PixelSource, Plane, ReadError, Stack, flags};
use crate::scene::{BandAsset, Kind, Scene};

/// A scene on a site grid: which windows of which files make its bands.
pub struct SceneSource {
    blocks: Arc<Blocks>,
    bands: Vec<BandReader>,
    quality: Vec<BandReader>,
}

struct BandReader {
    file: Arc<Blocked>,
    index: usize,
    mapping: Arc<Mapping>,
    /// Absent for quality bands: raw values, nearest neighbour.
    radiometry: Option<Radiometry>,
}

/// How stored numbers become physical ones.
#[derive(Debug, Clone, Copy)]
struct Radiometry {
    scale: f64,
    offset: f64,
    nodata: Option<f64>,
    saturated: Option<f64>,
    valid: Option<[f64; 2]>,
    decibel: bool,
    kernel: Kernel,
}

impl SceneSource {
    /// `scene` on `grid`, with the bands named in `bands`; `margin` pixels around the grid can be read too. At each point of the
    /// grid it is read where `moved` says.
    ///
    /// `infos` tells of every file. Nothing is read yet.
    ///
    /// # Errors
    /// A band that the scene or a file lacks; a file that is not in `infos`; a CRS that cannot be reached.
    pub fn new(
        scene: &Scene,
        grid: &Grid,
        margin: usize,
        moved: &Affine,
        bands: &[String],
        infos: &BTreeMap<PathBuf, RasterInfo>,
        blocks: Arc<Blocks>,
    ) -> Result<Self, IoError> {
        let mut files: Vec<(PathBuf, Arc<Mapping>, Arc<Blocked>)> = Vec::new();
        let wanted = scene.bands.iter().filter(|band| bands.contains(&band.name));
        let wanted = wanted.map(|band| (&band.path, band.index));
        let wanted: Vec<_> = wanted
            .chain(scene.quality.iter().map(|asset| (&asset.path, asset.index)))
            .collect();
        let mut reader = |path: &Path, index: usize, radiometry: Option<Radiometry>| {
            let refuse = |message: String| IoError::Open {
                path: path.to_owned(),
                message,
            };
            let info = infos.get(path).ok_or_else(|| refuse("it could not be opened".into()))?;
            if index == 0 || index > info.bands {
                return Err(refuse(format!(
                    "expected a band {index}, found {} bands; check the scene's band list",
                    info.bands
                )));
            }
            let (mapping, file) = match files.iter().find(|(known, ..)| known == path) {
                Some((_, mapping, file)) => (mapping.clone(), file.clone()),
                None => {
                    let mapping = Arc::new(Mapping::new(grid, margin, &info.geotransform, &info.crs_wkt, moved)?);
                    let together = wanted.iter().filter(|(other, _)| *other == path);
                    let file = Arc::new(Blocked::new(path, info, together.map(|(_, index)| *index).collect()));
                    files.push((path.to_owned(), mapping.clone(), file.clone()));
                    (mapping, file)
                }
            };
            Ok(BandReader {
                file,
                index,
                mapping,
                radiometry,
            })
        };
        let find = |name: &String| {
            scene
                .bands
                .iter()
                .find(|band| band.name == *name)
                .ok_or_else(|| IoError::Open {
                    path: scene.source.clone(),
                    message: format!("scene {} has no band '{name}'", scene.id),
                })
        };
        let bands = bands
            .iter()
            .map(|name| {
                let band = find(name)?;
                let nodata = band
                    .nodata
                    .or_else(|| infos.get(&band.path)?.nodata.get(band.index.wrapping_sub(1)).copied()?);
                reader(
                    &band.path,
                    band.index,
                    Some(Radiometry::of(band, nodata, kernel_of(scene.kind))),
                )
            })
            .collect::<Result<_, _>>()?;
        let quality = scene
            .quality
            .iter()
            .map(|asset| reader(&asset.path, asset.index, None))
            .collect::<Result<_, _>>()?;
        Ok(Self { blocks, bands, quality })
    }

    /// How each band comes onto the grid: `window` or `resampled`.
    pub fn alignment(&self) -> Vec<&'static str> {
        self.bands
            .iter()
            .map(|band| {
                if band.mapping.is_window() {
                    "window"
                } else {
                    "resampled"
                }
            })
            .collect()
    }

    fn read_band(&self, band: &BandReader, rect: &Rect) -> Result<(Array2<f32>, Plane<Flags>), ReadError> {
        let size = (band.file.bounds.w, band.file.bounds.h);
        let needed = band.mapping.window(rect, size.0, size.1);
        if needed.is_empty() {
            let nothing = Array2::from_elem((rect.h, rect.w), f32::NAN);
            return Ok((nothing, Plane::filled(*rect, flags::NOT_COVERED)));
        }
        let failed = |message: String| ReadError {
            path: band.file.path.display().to_string(),
            message: format!(
                "band {}, columns {}..{}, rows {}..{}: {message}; is the file complete?",
                band.index,
                needed.x,
                needed.right(),
                needed.y,
                needed.bottom()
            ),
        };
        let values = self
            .blocks
            .read(&band.file, band.index, &needed)
            .map_err(|error| failed(error.to_string()))?;
        let mut window = Window { values, reasons: None };
        let Some(radiometry) = &band.radiometry else {
            return Ok(match &*band.mapping {
                Mapping::Window { dx, dy } => resample::shifted(*dx, *dy, rect, &window),
                Mapping::Nodes(nodes) => (
                    resample::nearest(nodes, rect, &window),
                    Plane::filled(*rect, flags::CLEAR),
                ),
            });
        };
        radiometry.apply(&mut window);
        let (mut values, mut reasons) = match &*band.mapping {
            Mapping::Window { dx, dy } => resample::shifted(*dx, *dy, rect, &window),
            Mapping::Nodes(nodes) => resample::interpolated(nodes, rect, &window, size, radiometry.kernel),
        };
        if radiometry.decibel {
            // Power is averaged as power; only then is it put into decibels.
            for (value, reason) in values
                .iter_mut()
                .zip(reasons.data.iter_mut())
                .filter(|(value, _)| !value.is_nan())
            {
                if *value > 0.0 {
                    let (low, high) = radiometry.range();
                    *value = (10.0 * libm::log10f(*value)).clamp(low, high);
                } else {
                    *value = f32::NAN;
                    *reason |= flags::INVALID;
                }
            }
        }
        Ok((values, reasons))
    }
}

impl PixelSource for SceneSource {
    fn read(&self, rect: &Rect) -> Result<Stack, ReadError> {
        let mut reasons = Plane::filled(*rect, flags::CLEAR);
        let mut bands = Vec::with_capacity(self.bands.len());
        for band in &self.bands {
            let (values, why) = self.read_band(band, rect)?;
            reasons.data.zip_mut_with(&why.data, |all, one| *all |= one);
            bands.push(values);
        }
        let quality = self
            .quality
            .iter()
            .map(|band| Ok(self.read_band(band, rect)?.0))
            .collect::<Result<_, ReadError>>()?;
        Ok(Stack {
            rect: *rect,
            bands,
            quality,
            flags: reasons,
        })
    }
}

/// Beside a bright point radar power would fall below nothing under a kernel that overshoots, and speckle has no edges to keep.
fn kernel_of(kind: Kind) -> Kernel {
    match kind {
        Kind::Optical => Kernel::Cubic,
        Kind::Sar => Kernel::Bilinear,
    }
}

impl Radiometry {
    fn of(band: &BandAsset, nodata: Option<f64>, kernel: Kernel) -> Self {
        Self {
            scale: band.scale,
            offset: band.offset,
            nodata,
            saturated: band.saturated,
            valid: band.valid,
            decibel: band.decibel,
            kernel,
        }
    }

    /// The physical range that values are held inside.
    fn range(&self) -> (f32, f32) {
        self.valid.map_or((f32::NEG_INFINITY, f32::INFINITY), |[low, high]| {
            (low as f32, high as f32)
        })
    }

    /// Turns stored numbers into physical ones; unusable pixels become NaN with a reason.
    fn apply(&self, window: &mut Window) {
        let nodata = self.nodata.map(|v| v as f32);
        let saturated = self.saturated.map_or(f32::INFINITY, |v| v as f32);
        let (low, high) = if self.decibel {
            (f32::NEG_INFINITY, f32::INFINITY)
        } else {
            self.range()
        };
        let (scale, offset) = (self.scale as f32, self.offset as f32);
        let shape = window.values.data.dim();
        let mut reasons: Option<Array2<Flags>> = None;
        for (index, value) in window.values.data.iter_mut().enumerate() {
            let why = if value.is_nan() || Some(*value) == nodata {
                flags::NODATA
            } else if value.is_infinite() {
                flags::INVALID
            } else if *value >= saturated {
                flags::SATURATED
            } else {
                *value = (*value * scale + offset).clamp(low, high);
                continue;
            };
            *value = f32::NAN;
            reasons.get_or_insert_with(|| Array2::from_elem(shape, flags::CLEAR))[[index / shape.1, index % shape.1]] =
                why;
        }
        window.reasons = reasons;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
    use crate::io::open;
    use crate::scene::select::tests::{band, scene};

    const PIXEL_M: f64 = 10.0;
    const LEFT_TOP: (f64, f64) = (500_000.0, 5_000_000.0);

    /// A raster of one row of 32-bit floats.
    fn raster(folder: &Path, values: &[f32]) -> PathBuf {
        let path = folder.join("row.tif");
        let layout = Layout {
            width: values.len(),
            height: 1,
            bands: 1,
            data_type: DataType::F32,
            transform: [LEFT_TOP.0, PIXEL_M, 0.0, LEFT_TOP.1, 0.0, -PIXEL_M],
            crs: "EPSG:32631".into(),
            nodata: None,
            compression: Compression::None,
            block: 512,
        };
        let mut writer = GeoTiffWriter::create(&path, layout).unwrap();
        writer.write(1, 0, 0, values.len(), 1, values).unwrap();
        writer.finish().unwrap();
        path
    }

    /// What is read of `values` from one pixel left of them to one right, by way of `change` to the band.
    fn read(values: &[f32], change: impl FnOnce(&mut BandAsset)) -> (Vec<f32>, Vec<Flags>) {
        let folder = tempfile::tempdir().unwrap();
        let path = raster(folder.path(), values);
        let mut band = BandAsset {
            path: path.clone(),
            ..band("red")
        };
        change(&mut band);
        let scene = Scene {
            bands: vec![band],
            ..scene("row", "2020-01-01")
        };
        let grid = Grid {
            crs: "EPSG:32631".into(),
            left_m: LEFT_TOP.0,
            top_m: LEFT_TOP.1,
            pixel_m: PIXEL_M,
            width: values.len(),
            height: 1,
        };
        let infos = BTreeMap::from([(path.clone(), open::info(&path).unwrap())]);
        let source = SceneSource::new(
            &scene,
            &grid,
            1,
            &Affine::IDENTITY,
            &["red".to_owned()],
            &infos,
            Arc::new(Blocks::new(Arc::default(), 0)),
        )
        .unwrap();
        let stack = source.read(&Rect::new(-1, 0, values.len() + 2, 1)).unwrap();
        (
            stack.bands[0].iter().copied().collect(),
            stack.flags.data.iter().copied().collect(),
        )
    }

    #[test]
    fn what_is_no_measurement_is_told_and_never_read_as_one() {
        let (values, why) = read(&[7.0, f32::NAN, f32::INFINITY, 0.0, 9.0, 3.0], |band| {
            (band.scale, band.offset) = (2.0, 1.0);
            (band.nodata, band.saturated) = (Some(0.0), Some(9.0));
        });
        assert_eq!((values[1], values[6]), (15.0, 7.0));
        assert!(
            values
                .iter()
                .enumerate()
                .all(|(i, v)| v.is_nan() != [1, 6].contains(&i)),
            "{values:?}"
        );
        let expected = [
            flags::NOT_COVERED,
            flags::CLEAR,
            flags::NODATA,
            flags::INVALID,
            flags::NODATA,
            flags::SATURATED,
            flags::CLEAR,
            flags::NOT_COVERED,
        ];
        assert_eq!(why, expected);
    }

    #[test]
    fn power_becomes_decibels_and_no_power_is_no_measurement() {
        let (values, why) = read(&[1.0, 100.0, 0.0, -1.0, 1e-9], |band| {
            (band.decibel, band.valid) = (true, Some([-40.0, 20.0]));
        });
        assert_eq!(values[1..3], [0.0, 20.0]);
        assert!(values[3].is_nan() && values[4].is_nan());
        assert_eq!(why[3..5], [flags::INVALID; 2]);
        assert_eq!(values[5], -40.0, "held inside the sensor's range");
    }
}
