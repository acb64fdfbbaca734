//! A scene that reads on the site grid, from files.

mod band;
mod files;
mod quality;
mod radiometry;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::Array2;

use crate::finding::Alignment;
use crate::geo::Rect;
use crate::io::IoError;
use crate::io::blocks::Blocks;
use crate::io::mapping::{self, Mapping, Target};
use crate::io::meter::Work;
use crate::io::onto_grid::flagged;
use crate::io::open::RasterInfo;
use crate::io::resample::{self, Kernel, Resampled};
use crate::raster::{PixelSource, Plane, ReadError, Stack, flags};
use crate::scene::Scene;
use crate::stage::sensitivity::paint::{Patch, Square};
use band::MeasuredBand;
use files::Files;
use quality::QualityReader;

/// A scene on a site grid: which windows of which files make its bands.
pub struct SceneSource {
    blocks: Arc<Blocks>,
    bands: Vec<MeasuredBand>,
    quality: Vec<QualityReader>,
    /// How values between pixels come about.
    kernel: Kernel,
}

impl SceneSource {
    /// `scene` on `target`, with the bands named in `bands`. Of rasters that go around the earth it is what they hold in `turn`, one of
    /// [`Self::turns`].
    ///
    /// `infos` tells of every file. Nothing is read yet.
    ///
    /// # Errors
    /// A band that the scene or a file lacks; a file that is not in `infos`; a CRS that cannot be reached.
    pub fn new(
        scene: &Scene,
        target: &Target,
        turn: i64,
        bands: &[String],
        infos: &BTreeMap<PathBuf, RasterInfo>,
        blocks: Arc<Blocks>,
    ) -> Result<Self, IoError> {
        let mut files = Files::new(scene, target, turn, bands, infos);
        Ok(Self {
            blocks,
            bands: bands
                .iter()
                .map(|name| files.measured(name))
                .collect::<Result<_, _>>()?,
            quality: scene
                .quality
                .iter()
                .map(|asset| files.quality(asset))
                .collect::<Result<_, _>>()?,
            kernel: radiometry::kernel_of(scene.kind),
        })
    }

    /// In which turns around the earth the rasters of `scene` hold some of `target`, least first: one, unless an edge of theirs or the meridian
    /// where longitude begins anew lies there.
    ///
    /// # Errors
    /// A CRS that cannot be reached.
    pub fn turns(scene: &Scene, target: &Target, infos: &BTreeMap<PathBuf, RasterInfo>) -> Result<Vec<i64>, IoError> {
        let mut known: Vec<&RasterInfo> = Vec::new();
        let mut turns = BTreeSet::new();
        for info in scene.bands.iter().filter_map(|band| infos.get(&band.path)) {
            if known.iter().any(|other| other.lies_as(info)) {
                continue;
            }
            known.push(info);
            turns.extend(mapping::turns(target, info.placement(), info.width)?);
        }
        Ok(turns.into_iter().collect())
    }

    /// The same scene where `changes` have happened: painted into the pixels of its rasters, in physical units, before anything is
    /// resampled. Their effects are in the order of the bands that are read.
    pub fn painted(&self, changes: &[Square]) -> Self {
        let paint = |(index, band): (usize, &MeasuredBand)| {
            let (mapping, radiometry) = (&band.reader.mapping, &band.radiometry);
            let patch = |square: &Square| {
                let effect = radiometry.effect((*square.effects.get(index)?)?);
                let locate = |x, y| mapping.locate(x, y);
                let limits = radiometry.limits();
                Some(Patch::new(square.centre, square.edge, locate, effect, limits))
            };
            MeasuredBand {
                patches: changes.iter().filter_map(patch).collect(),
                ..band.clone()
            }
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
            .map(|band| match band.reader.mapping.is_window() {
                true => Alignment::Window,
                false => Alignment::Resampled,
            })
            .collect()
    }

    /// How far from a pixel the ground lies that makes the values of those bands that lie otherwise than the quality band `reader`, pixels of
    /// the grid across and down; `None` where all lie as it does, or it is an average itself.
    fn reach(&self, reader: &QualityReader) -> Option<[f64; 2]> {
        let mapping = &reader.band.mapping;
        let is_average = matches!(&**mapping, Mapping::Nodes(nodes) if nodes.samples > 1);
        let others = self.bands.iter().map(|band| &band.reader.mapping);
        let others = others.filter(|other| !is_average && !Arc::ptr_eq(other, mapping));
        let reaches = others.map(|other| flagged::reach(other, self.kernel));
        reaches.reduce(|a, b| [a[0].max(b[0]), a[1].max(b[1])])
    }

    /// Values and reasons of bands that lie alike.
    fn measured(&self, alike: &[MeasuredBand], rect: &Rect) -> Result<Vec<Resampled>, ReadError> {
        let mut windows = Vec::with_capacity(alike.len());
        for band in alike {
            let needed = band.reader.needed(rect);
            if needed.is_empty() {
                let nothing = || {
                    let nowhere = Plane::filled(*rect, flags::NOT_COVERED);
                    (Array2::from_elem((rect.h, rect.w), f32::NAN), Some(nowhere))
                };
                return Ok(alike.iter().map(|_| nothing()).collect());
            }
            windows.push(band.window(&self.blocks, &needed)?);
        }
        let Some(first) = alike.first().map(|band| &band.reader) else {
            return Ok(Vec::new());
        };
        let resample = || resample::onto_grid(&first.mapping, rect, windows, first.size(), self.kernel);
        let mut resampled = match first.mapping.is_window() {
            true => resample(),
            false => self.blocks.meter().time(Work::Warp, resample),
        };
        for (band, (values, reasons)) in alike.iter().zip(&mut resampled) {
            if band.radiometry.is_power() {
                // Power is averaged as power; only then is it put into decibels.
                let reasons = reasons.get_or_insert_with(|| Plane::filled(*rect, flags::CLEAR));
                band.radiometry.decibels(values.iter_mut().zip(reasons.values_mut()));
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
        let lie_alike = |a: &MeasuredBand, b: &MeasuredBand| {
            let (a, b) = (&a.reader.mapping, &b.reader.mapping);
            Arc::ptr_eq(a, b) && matches!(**a, Mapping::Nodes(_))
        };
        for alike in self.bands.chunk_by(lie_alike) {
            for (values, reasons) in self.measured(alike, rect)? {
                if let Some(reasons) = reasons {
                    all.zip_mut_with(&reasons, |all, one| *all |= one);
                }
                bands.push(values);
            }
        }
        let mut quality = Plane::filled(*around, flags::CLEAR);
        for reader in &self.quality {
            let stated = reader.read(&self.blocks, around, self.kernel, self.reach(reader))?;
            quality.zip_mut_with(&stated, |all, one| *all |= one);
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
    use std::path::Path;

    use super::*;
    use crate::geo::Grid;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
    use crate::io::mapping::tests::target;
    use crate::io::open;
    use crate::raster::Flags;
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
        writer.write(1, &Rect::new(0, 0, values.len(), 1), values).unwrap();
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
        let blocks = Arc::new(Blocks::new(Arc::default(), 0));
        let source = SceneSource::new(&scene, &target(&grid, 1), 0, &["red".to_owned()], &infos, blocks).unwrap();
        let stack = source.read(&Rect::new(-1, 0, values.len() + 2, 1)).unwrap();
        (stack.bands[0].iter().copied().collect(), stack.flags.values().to_vec())
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
