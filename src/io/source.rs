//! A scene that reads on the site grid, from files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::Array2;

use super::IoError;
use super::blocks::{Blocked, Blocks};
use super::mapping::Mapping;
use super::meter::Work;
use super::open::RasterInfo;
use super::resample::{self, Kernel, Resampled, Window};
use crate::geo::{Affine, Grid, Rect};
use crate::raster::{Flags, PixelSource, Plane, ReadError, Stack, flags};
use crate::scene::{BandAsset, Kind, Scene};
use crate::stage::sensitivity::paint::{Effect, Patch, Square};

/// A scene on a site grid: which windows of which files make its bands.
pub struct SceneSource {
    blocks: Arc<Blocks>,
    bands: Vec<(BandReader, Radiometry)>,
    quality: Vec<BandReader>,
}

#[derive(Clone)]
struct BandReader {
    file: Arc<Blocked>,
    index: usize,
    mapping: Arc<Mapping>,
    /// What is painted over its pixels.
    patches: Vec<Patch>,
}

/// How stored numbers become physical ones.
#[derive(Debug, Clone, Copy)]
struct Radiometry {
    scale: f32,
    offset: f32,
    /// NaN where there is none.
    nodata: f32,
    /// Infinite where there is none.
    saturated: f32,
    /// What physical values are held inside before they are resampled: power may have any.
    low: f32,
    high: f32,
    /// The sensor's physical range.
    range: (f32, f32),
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
        let mut reader = |path: &Path, index: usize| {
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
                    // Files that lie alike share their way to the grid.
                    let lies_alike = |other: &&(PathBuf, Arc<Mapping>, Arc<Blocked>)| {
                        infos.get(&other.0).is_some_and(|other| other.lies_as(info))
                    };
                    let mapping = match files.iter().find(lies_alike) {
                        Some((_, mapping, _)) => mapping.clone(),
                        None => Arc::new(Mapping::new(grid, margin, &info.geotransform, &info.crs_wkt, moved)?),
                    };
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
                patches: Vec::new(),
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
                    .first()
                    .copied()
                    .or_else(|| infos.get(&band.path)?.nodata.get(band.index.wrapping_sub(1)).copied()?);
                let radiometry = Radiometry::of(band, nodata, kernel_of(scene.kind));
                Ok((reader(&band.path, band.index)?, radiometry))
            })
            .collect::<Result<_, IoError>>()?;
        let quality = scene
            .quality
            .iter()
            .map(|asset| reader(&asset.path, asset.index))
            .collect::<Result<_, _>>()?;
        Ok(Self { blocks, bands, quality })
    }

    /// The same scene where `changes` have happened: painted into the pixels of its rasters, in physical units, before anything is
    /// resampled. Their effects are in the order of the bands that are read.
    pub fn painted(&self, changes: &[Square]) -> Self {
        let paint = |(index, (band, radiometry)): (usize, &(BandReader, Radiometry))| {
            let patch = |square: &Square| {
                let effect = radiometry.effect((*square.effects.get(index)?)?);
                let locate = |x, y| band.mapping.locate(x, y);
                let range = (radiometry.low, radiometry.high);
                Some(Patch::new(square.centre, square.edge, locate, effect, range))
            };
            let patches = changes.iter().filter_map(patch).collect();
            (
                BandReader {
                    patches,
                    ..band.clone()
                },
                *radiometry,
            )
        };
        Self {
            blocks: self.blocks.clone(),
            bands: self.bands.iter().enumerate().map(paint).collect(),
            quality: self.quality.clone(),
        }
    }

    /// The same scene without its quality bands.
    pub fn bare(self) -> Self {
        Self {
            quality: Vec::new(),
            ..self
        }
    }

    /// How each band comes onto the grid: `window` or `resampled`.
    pub fn alignment(&self) -> Vec<&'static str> {
        self.bands
            .iter()
            .map(|(band, _)| {
                if band.mapping.is_window() {
                    "window"
                } else {
                    "resampled"
                }
            })
            .collect()
    }

    /// The pixels of a raster that are needed for `rect` of the grid, by `convert`; `None` where it holds none of them.
    fn window(
        &self,
        band: &BandReader,
        rect: &Rect,
        convert: impl Fn(f32) -> f32,
    ) -> Result<Option<Plane<f32>>, ReadError> {
        let needed = band.mapping.window(rect, band.file.bounds.w, band.file.bounds.h);
        if needed.is_empty() {
            return Ok(None);
        }
        let read = self.blocks.read(&band.file, band.index, &needed, convert);
        read.map(Some).map_err(|error| ReadError {
            path: band.file.path.display().to_string(),
            message: format!(
                "band {}, columns {}..{}, rows {}..{}: {error}; is the file complete?",
                band.index,
                needed.x,
                needed.right(),
                needed.y,
                needed.bottom()
            ),
        })
    }

    /// The raw values of a quality band on `rect`, each that of the nearest pixel; NaN where there is none.
    fn quality(&self, band: &BandReader, rect: &Rect) -> Result<Array2<f32>, ReadError> {
        Ok(match self.window(band, rect, |stored| stored)? {
            Some(values) => resample::nearest(&band.mapping, rect, Window { values, reasons: None }),
            None => Array2::from_elem((rect.h, rect.w), f32::NAN),
        })
    }

    /// Values and reasons of bands that lie alike.
    fn measured(&self, alike: &[(BandReader, Radiometry)], rect: &Rect) -> Result<Vec<Resampled>, ReadError> {
        let mut windows = Vec::with_capacity(alike.len());
        for (band, radiometry) in alike {
            let Some(mut values) = self.window(band, rect, |stored| radiometry.physical(stored))? else {
                let nothing = || {
                    let nowhere = Plane::filled(*rect, flags::NOT_COVERED);
                    (Array2::from_elem((rect.h, rect.w), f32::NAN), Some(nowhere))
                };
                return Ok(alike.iter().map(|_| nothing()).collect());
            };
            let stored = values.data.as_slice().unwrap_or_default();
            let unusable: u32 = stored.iter().map(|value| u32::from(value.is_nan())).sum();
            let reasons = match unusable {
                0 => None,
                _ => {
                    let stored = self.window(band, rect, |stored| stored)?;
                    stored.map(|stored| stored.data.mapv(|stored| radiometry.reason(stored)))
                }
            };
            band.patches.iter().for_each(|patch| patch.paint(&mut values));
            windows.push(Window { values, reasons });
        }
        let Some((first, radiometry)) = alike.first() else {
            return Ok(Vec::new());
        };
        let size = (first.file.bounds.w, first.file.bounds.h);
        let resample = || resample::onto_grid(&first.mapping, rect, windows, size, radiometry.kernel);
        let mut resampled = match first.mapping.is_window() {
            true => resample(),
            false => self.blocks.meter().time(Work::Warp, resample),
        };
        for ((_, radiometry), (values, reasons)) in alike.iter().zip(&mut resampled) {
            if radiometry.decibel {
                // Power is averaged as power; only then is it put into decibels.
                let reasons = reasons.get_or_insert_with(|| Plane::filled(*rect, flags::CLEAR));
                radiometry.decibels(values, &mut reasons.data);
            }
        }
        Ok(resampled)
    }
}

impl PixelSource for SceneSource {
    fn read_around(&self, rect: &Rect, around: &Rect) -> Result<Stack, ReadError> {
        let mut all = Plane::filled(*rect, flags::CLEAR);
        let mut bands = Vec::with_capacity(self.bands.len());
        // All bands of a scene have one kernel. Where the way bends, those that lie alike share it; else each is done while it is in the cache.
        let lie_alike = |(a, _): &(BandReader, _), (b, _): &(BandReader, _)| {
            Arc::ptr_eq(&a.mapping, &b.mapping) && matches!(*a.mapping, Mapping::Nodes(_))
        };
        for alike in self.bands.chunk_by(lie_alike) {
            for (values, reasons) in self.measured(alike, rect)? {
                if let Some(reasons) = reasons {
                    all.data.zip_mut_with(&reasons.data, |all, one| *all |= one);
                }
                bands.push(values);
            }
        }
        let quality = self.quality.iter().map(|band| self.quality(band, around));
        Ok(Stack {
            rect: *rect,
            bands,
            around: *around,
            quality: quality.collect::<Result<_, ReadError>>()?,
            flags: all,
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
        let any = (f32::NEG_INFINITY, f32::INFINITY);
        let range = band.valid.map_or(any, |[low, high]| (low as f32, high as f32));
        let (low, high) = if band.decibel { any } else { range };
        Self {
            scale: band.scale as f32,
            offset: band.offset as f32,
            nodata: nodata.map_or(f32::NAN, |v| v as f32),
            saturated: band.saturated.map_or(f32::INFINITY, |v| v as f32),
            low,
            high,
            range,
            decibel: band.decibel,
            kernel,
        }
    }

    /// `effect`, stated in the band's unit, on what is read: decibels that are added multiply power.
    fn effect(&self, effect: Effect) -> Effect {
        match effect {
            Effect::Add(decibels) if self.decibel => Effect::Scale(libm::exp10f(decibels / 10.0)),
            other => other,
        }
    }

    /// The physical value of a stored number; NaN where it is no measurement.
    #[inline]
    fn physical(&self, stored: f32) -> f32 {
        // NaN is neither smaller nor equal.
        let usable = stored.abs() < f32::INFINITY && stored < self.saturated && stored != self.nodata;
        let value = (stored * self.scale + self.offset).max(self.low).min(self.high);
        if usable { value } else { f32::NAN }
    }

    /// Why a stored number is no measurement.
    fn reason(&self, stored: f32) -> Flags {
        if stored.is_nan() || stored == self.nodata {
            flags::NODATA
        } else if stored.is_infinite() {
            flags::INVALID
        } else if stored >= self.saturated {
            flags::SATURATED
        } else {
            flags::CLEAR
        }
    }

    /// Puts power into decibels, held inside the sensor's range; what has none is no measurement.
    fn decibels(&self, values: &mut Array2<f32>, reasons: &mut Array2<Flags>) {
        let (low, high) = self.range;
        for (value, reason) in values.iter_mut().zip(reasons).filter(|(value, _)| !value.is_nan()) {
            if *value > 0.0 {
                *value = (10.0 * libm::log10f(*value)).max(low).min(high);
            } else {
                *value = f32::NAN;
                *reason |= flags::INVALID;
            }
        }
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
        let infos = BTreeMap::from([(path.clone(), open::info(&path, crate::io::formats::USUAL).unwrap())]);
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
            (band.nodata, band.saturated) = (vec![0.0], Some(9.0));
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
