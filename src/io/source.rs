//! A scene that reads on the site grid, from files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::Array2;

use super::bands::{Layer, Mask};
use super::blocked::Blocked;
use super::blocks::Blocks;
use super::mapping::{self, Mapping};
use super::meter::Work;
use super::open::RasterInfo;
use super::radiometry::{Radiometry, kernel_of};
use super::resample::{self, Kernel, Resampled, Window};
use super::{IoError, flagged};
use crate::finding::Alignment;
use crate::geo::{Affine, Grid, Rect};
use crate::raster::{Flags, PixelSource, Plane, ReadError, Stack, flags};
use crate::scene::{Coding, Scene};
use crate::stage::sensitivity::paint::{Patch, Square};

/// A scene on a site grid: which windows of which files make its bands.
pub struct SceneSource {
    blocks: Arc<Blocks>,
    bands: Vec<(BandReader, Radiometry)>,
    quality: Vec<QualityReader>,
    /// How values between pixels come about.
    kernel: Kernel,
}

#[derive(Clone)]
struct BandReader {
    file: Arc<Blocked>,
    index: usize,
    mapping: Arc<Mapping>,
    /// Layers that are 0 where it holds no data.
    masks: Vec<(Arc<Blocked>, Layer)>,
    /// What is painted over its pixels.
    patches: Vec<Patch>,
}

#[derive(Clone)]
struct QualityReader {
    band: BandReader,
    coding: Coding,
    /// Values where it says nothing.
    nodata: Vec<f64>,
}

impl QualityReader {
    /// What a stored value says.
    fn flags(&self, stored: f64) -> Flags {
        let says_nothing = self.nodata.contains(&stored);
        self.coding.decode(stored) | if says_nothing { flags::NODATA } else { flags::CLEAR }
    }
}

impl SceneSource {
    /// `scene` on `grid`, with the bands named in `bands`; `margin` pixels around the grid can be read too. At each point of the
    /// grid it is read where `moved` says. Of rasters that go around the earth it is what they hold in `turn`, one of [`Self::turns`].
    ///
    /// `infos` tells of every file. Nothing is read yet.
    ///
    /// # Errors
    /// A band that the scene or a file lacks; a file that is not in `infos`; a CRS that cannot be reached.
    pub fn new(
        scene: &Scene,
        grid: &Grid,
        margin: usize,
        (moved, turn): (&Affine, i64),
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
        // A band that the scene lists is a band, whatever its file calls it.
        let is_listed = |path: &Path, index: usize| {
            let mut measured = scene.bands.iter().map(|band| (&band.path, band.index));
            measured.any(|(other, at)| (other.as_path(), at) == (path, index))
        };
        let mut reader = |path: &Path, index: usize, is_quality: bool| {
            let refuse = |message: String| IoError::Open {
                path: path.to_owned(),
                message,
            };
            let info = infos.get(path).ok_or_else(|| refuse("it could not be opened".into()))?;
            if is_quality {
                info.check_quality(index).map_err(refuse)?;
            } else {
                info.check_band(index).map_err(refuse)?;
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
                        None => {
                            let lies = (&info.geotransform, info.crs_wkt.as_str());
                            Arc::new(Mapping::new(grid, margin, lies, turn, moved)?)
                        }
                    };
                    let together = wanted.iter().filter(|(other, _)| *other == path);
                    let together = together.map(|(_, index)| *index).chain(info.alphas());
                    let file = Arc::new(Blocked::new(
                        path,
                        info,
                        together.collect::<BTreeSet<_>>().into_iter().collect(),
                    ));
                    files.push((path.to_owned(), mapping.clone(), file.clone()));
                    (mapping, file)
                }
            };
            let masks = info.masks.iter().filter(|mask| match mask {
                Mask::Alpha(alpha) => !is_listed(path, *alpha),
                // A block of clear ground may be left out.
                Mask::Sparse => !is_quality,
                Mask::Inside(_) | Mask::Together | Mask::Beside { .. } => true,
            });
            let masks = masks.filter_map(|mask| {
                let blocks = match mask {
                    Mask::Alpha(_) => file.clone(),
                    Mask::Inside(block) => Arc::new(Blocked::mask(path, info, *block)),
                    Mask::Sparse => Arc::new(Blocked::mask(path, info, info.block)),
                    Mask::Together => Arc::new(Blocked::new(path, info, Vec::new())),
                    Mask::Beside { path, block, .. } => Arc::new(Blocked::mask(path, info, *block)),
                };
                Some((blocks, mask.layer(index)?))
            });
            Ok(BandReader {
                masks: masks.collect(),
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
                let reader = reader(&band.path, band.index, false)?;
                let info = infos.get(&band.path);
                let of_file = info.and_then(|info| info.nodata.get(band.index - 1));
                let is_float = info.is_some_and(|info| info.float);
                let radiometry = Radiometry::of(band, scene.kind, of_file.map_or(&[][..], Vec::as_slice), is_float);
                Ok((reader, radiometry))
            })
            .collect::<Result<_, IoError>>()?;
        let quality = scene
            .quality
            .iter()
            .map(|asset| {
                let band = reader(&asset.path, asset.index, true)?;
                let stated = infos.get(&asset.path).and_then(|info| info.nodata.get(asset.index - 1));
                // Programs state 0 so that clear ground is drawn transparent: whether it is data, the coding tells.
                let all = stated.into_iter().flatten().chain(&asset.nodata);
                let nodata = all.filter(|value| **value != 0.0);
                Ok(QualityReader {
                    band,
                    coding: asset.coding.clone(),
                    nodata: nodata.copied().collect(),
                })
            })
            .collect::<Result<_, IoError>>()?;
        Ok(Self {
            blocks,
            bands,
            quality,
            kernel: kernel_of(scene.kind),
        })
    }

    /// In which turns around the earth the rasters of `scene` hold some of `grid` and `margin` pixels around it, least first: one, unless an edge
    /// of theirs or the meridian where longitude begins anew lies there.
    ///
    /// # Errors
    /// A CRS that cannot be reached.
    pub fn turns(
        scene: &Scene,
        grid: &Grid,
        margin: usize,
        infos: &BTreeMap<PathBuf, RasterInfo>,
    ) -> Result<Vec<i64>, IoError> {
        let mut known: Vec<&RasterInfo> = Vec::new();
        let mut turns = BTreeSet::new();
        for info in scene.bands.iter().filter_map(|band| infos.get(&band.path)) {
            if known.iter().any(|other| other.lies_as(info)) {
                continue;
            }
            known.push(info);
            turns.extend(mapping::turns(
                grid,
                margin,
                (&info.geotransform, &info.crs_wkt),
                info.width,
            )?);
        }
        Ok(turns.into_iter().collect())
    }

    /// The same scene where `changes` have happened: painted into the pixels of its rasters, in physical units, before anything is
    /// resampled. Their effects are in the order of the bands that are read.
    pub fn painted(&self, changes: &[Square]) -> Self {
        let paint = |(index, (band, radiometry)): (usize, &(BandReader, Radiometry))| {
            let patch = |square: &Square| {
                let effect = radiometry.effect((*square.effects.get(index)?)?);
                let locate = |x, y| band.mapping.locate(x, y);
                Some(Patch::new(
                    square.centre,
                    square.edge,
                    locate,
                    effect,
                    radiometry.limits(),
                ))
            };
            let patches = changes.iter().filter_map(patch).collect();
            (
                BandReader {
                    patches,
                    ..band.clone()
                },
                radiometry.clone(),
            )
        };
        Self {
            blocks: self.blocks.clone(),
            bands: self.bands.iter().enumerate().map(paint).collect(),
            quality: self.quality.clone(),
            kernel: self.kernel,
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
    pub fn alignment(&self) -> Vec<Alignment> {
        self.bands
            .iter()
            .map(|(band, _)| {
                if band.mapping.is_window() {
                    Alignment::Window
                } else {
                    Alignment::Resampled
                }
            })
            .collect()
    }

    /// What `narrow` and `wide` make of the pixels of a raster that are needed for `rect` of the grid; `None` where it holds none of them.
    fn stored<V: Copy + Default>(
        &self,
        band: &BandReader,
        needed: &Rect,
        (file, layer): (&Blocked, Layer),
        narrow: impl Fn(f32) -> V,
        wide: impl Fn(f64) -> V,
    ) -> Result<Plane<V>, ReadError> {
        self.blocks
            .read(file, layer, needed, narrow, wide)
            .map_err(|error| ReadError {
                path: file.path.display().to_string(),
                message: format!(
                    "band {}, columns {}..{}, rows {}..{}: {}{}",
                    band.index,
                    needed.x,
                    needed.right(),
                    needed.y,
                    needed.bottom(),
                    error.cause(),
                    if matches!(error, IoError::Open { .. }) {
                        ""
                    } else {
                        "; is the file complete?"
                    }
                ),
            })
    }

    /// The pixels of a band that are needed for `rect` of the grid; empty where it has none there.
    fn needed(band: &BandReader, rect: &Rect) -> Rect {
        band.mapping.window(rect, band.file.bounds.w, band.file.bounds.h)
    }

    /// Which pixels of `needed` a mask of the band says are none; `None` where there is no such pixel.
    fn masked(&self, band: &BandReader, needed: &Rect) -> Result<Option<Plane<bool>>, ReadError> {
        let mut all: Option<Plane<bool>> = None;
        for (file, layer) in &band.masks {
            let masked = self.stored(band, needed, (file, *layer), |value| value == 0.0, |value| value == 0.0)?;
            match &mut all {
                Some(all) => all.data.zip_mut_with(&masked.data, |all, one| *all |= one),
                None => all = masked.data.iter().any(|is| *is).then_some(masked),
            }
        }
        Ok(all)
    }

    /// Values of `needed` of a band, and why there is none: not one number of this is looked at elsewhere.
    fn window(&self, band: &BandReader, radiometry: &Radiometry, needed: &Rect) -> Result<Window, ReadError> {
        let own = (&*band.file, Layer::Band(band.index));
        let (physical, wide) = (radiometry.physical(), |stored| radiometry.of_wide(stored));
        let mut values = match physical.has_more {
            false => self.stored(band, needed, own, |stored| physical.of(stored), wide)?,
            true => self.stored(band, needed, own, |stored| physical.of_many(stored), wide)?,
        };
        let masked = self.masked(band, needed)?;
        if let Some(masked) = &masked {
            values.data.zip_mut_with(&masked.data, |value, masked| {
                *value = if *masked { f32::NAN } else { *value };
            });
        }
        let stored = values.data.as_slice().unwrap_or_default();
        let unusable: u32 = stored.iter().map(|value| u32::from(value.is_nan())).sum();
        let mut reasons = None;
        if unusable > 0 {
            let reason = |stored: f64| radiometry.reason(stored);
            let mut why = self.stored(band, needed, own, |stored| reason(stored.into()), reason)?;
            if let Some(masked) = &masked {
                why.data.zip_mut_with(&masked.data, |why, masked| {
                    *why |= if *masked { flags::NODATA } else { flags::CLEAR };
                });
            }
            reasons = Some(why.data);
        }
        band.patches.iter().for_each(|patch| patch.paint(&mut values));
        Ok(Window { values, reasons })
    }

    /// What a quality band says of `rect`.
    fn quality(&self, reader: &QualityReader, rect: &Rect) -> Result<Array2<Flags>, ReadError> {
        let band = &reader.band;
        let lies_otherwise = |other: &&(BandReader, Radiometry)| !Arc::ptr_eq(&other.0.mapping, &band.mapping);
        let is_average = matches!(&*band.mapping, Mapping::Nodes(nodes) if nodes.samples > 1);
        let others = self.bands.iter().filter(lies_otherwise).filter(|_| !is_average);
        let reaches = others.map(|(other, _)| flagged::reach(&other.mapping, self.kernel));
        let reach = reaches.reduce(|a, b| [a[0].max(b[0]), a[1].max(b[1])]);
        let around = reach.map_or(0, |[across, down]| across.max(down).ceil() as usize);
        let needed = Self::needed(band, &rect.grow(around));
        if needed.is_empty() {
            return Ok(Array2::from_elem((rect.h, rect.w), flags::NOT_COVERED));
        }
        // Nearly all quality bands hold bytes: what each means is asked once.
        let of_byte: Vec<Flags> = (0..=u8::MAX).map(|byte| reader.flags(byte.into())).collect();
        let flag = |stored: f32| {
            let byte = stored as u8;
            match f32::from(byte) == stored {
                true => of_byte[usize::from(byte)],
                false => reader.flags(stored.into()),
            }
        };
        let own = (&*band.file, Layer::Band(band.index));
        let mut stated = self.stored(band, &needed, own, flag, |stored| reader.flags(stored))?;
        if let Some(masked) = self.masked(band, &needed)? {
            stated.data.zip_mut_with(&masked.data, |flag, masked| {
                *flag |= if *masked { flags::NODATA } else { flags::CLEAR };
            });
        }
        let size = (band.file.bounds.w, band.file.bounds.h);
        Ok(match reach {
            Some(reach) => flagged::within(&band.mapping, rect, &stated, size, reach),
            None => flagged::onto_grid(&band.mapping, rect, &stated, size, self.kernel),
        })
    }

    /// Values and reasons of bands that lie alike.
    fn measured(&self, alike: &[(BandReader, Radiometry)], rect: &Rect) -> Result<Vec<Resampled>, ReadError> {
        let mut windows = Vec::with_capacity(alike.len());
        for (band, radiometry) in alike {
            let needed = Self::needed(band, rect);
            if needed.is_empty() {
                let nothing = || {
                    let nowhere = Plane::filled(*rect, flags::NOT_COVERED);
                    (Array2::from_elem((rect.h, rect.w), f32::NAN), Some(nowhere))
                };
                return Ok(alike.iter().map(|_| nothing()).collect());
            }
            windows.push(self.window(band, radiometry, &needed)?);
        }
        let Some((first, _)) = alike.first() else {
            return Ok(Vec::new());
        };
        let size = (first.file.bounds.w, first.file.bounds.h);
        let resample = || resample::onto_grid(&first.mapping, rect, windows, size, self.kernel);
        let mut resampled = match first.mapping.is_window() {
            true => resample(),
            false => self.blocks.meter().time(Work::Warp, resample),
        };
        for ((_, radiometry), (values, reasons)) in alike.iter().zip(&mut resampled) {
            if radiometry.is_power() {
                // Power is averaged as power; only then is it put into decibels.
                let reasons = reasons.get_or_insert_with(|| Plane::filled(*rect, flags::CLEAR));
                radiometry.decibels(values.iter_mut().zip(&mut reasons.data));
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
        let mut quality = Plane::filled(*around, flags::CLEAR);
        for reader in &self.quality {
            let stated = self.quality(reader, around)?;
            quality.data.zip_mut_with(&stated, |all, one| *all |= one);
        }
        Ok(Stack {
            rect: *rect,
            bands,
            quality,
            flags: all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
    use crate::io::open;
    use crate::scene::BandAsset;
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
            (&Affine::IDENTITY, 0),
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
