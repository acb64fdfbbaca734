//! The files of a scene: which band is read from which, how each lies under the site grid, and what masks it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::band::{BandReader, FileLayer, MeasuredBand};
use super::quality::QualityReader;
use super::radiometry::Radiometry;
use crate::io::IoError;
use crate::io::bands::{Layer, Mask};
use crate::io::blocked::Blocked;
use crate::io::mapping::{Mapping, Target};
use crate::io::open::RasterInfo;
use crate::scene::{BandAsset, QualityAsset, Scene};

/// The files of a scene, as they come to be read.
pub(super) struct Files<'a> {
    scene: &'a Scene,
    infos: &'a BTreeMap<PathBuf, RasterInfo>,
    target: &'a Target<'a>,
    turn: i64,
    /// File and band of all that will be read.
    wanted: Vec<(&'a Path, usize)>,
    known: Vec<Known<'a>>,
}

/// A file of which a band is read.
#[derive(Clone)]
struct Known<'a> {
    path: &'a Path,
    info: &'a RasterInfo,
    mapping: Arc<Mapping>,
    file: Arc<Blocked>,
}

impl<'a> Files<'a> {
    /// Those of `scene`, of which the bands that `bands` names will be read, and its quality bands; on `target`, in that turn around the earth.
    pub fn new(
        scene: &'a Scene,
        target: &'a Target<'a>,
        turn: i64,
        bands: &[String],
        infos: &'a BTreeMap<PathBuf, RasterInfo>,
    ) -> Self {
        let measured = scene.bands.iter().filter(|band| bands.contains(&band.name));
        let measured = measured.map(|band| (band.path.as_path(), band.index));
        let quality = scene.quality.iter().map(|asset| (asset.path.as_path(), asset.index));
        Self {
            scene,
            infos,
            target,
            turn,
            wanted: measured.chain(quality).collect(),
            known: Vec::new(),
        }
    }

    /// The band of that name.
    ///
    /// # Errors
    /// There is none, or its file cannot be compared.
    pub fn measured(&mut self, name: &str) -> Result<MeasuredBand, IoError> {
        let missing = || IoError::refused(&self.scene.source)(format!("scene {} has no band '{name}'", self.scene.id));
        let named = |band: &&BandAsset| band.name == name;
        let band = self.scene.bands.iter().find(named).ok_or_else(missing)?;
        let info = self.info(&band.path)?;
        info.check_band(band.index).map_err(IoError::refused(&band.path))?;
        let nodata = info.nodata.get(band.index - 1).map_or(&[][..], Vec::as_slice);
        Ok(MeasuredBand {
            reader: self.reader(&band.path, band.index, |_| true)?,
            radiometry: Radiometry::of(band, self.scene.kind, nodata, info.float),
            patches: Vec::new(),
        })
    }

    /// The quality band `asset`.
    ///
    /// # Errors
    /// Its file is not there, or says nothing of pixels.
    pub fn quality(&mut self, asset: &'a QualityAsset) -> Result<QualityReader, IoError> {
        let info = self.info(&asset.path)?;
        info.check_quality(asset.index).map_err(IoError::refused(&asset.path))?;
        // A block of clear ground may be left out.
        let band = self.reader(&asset.path, asset.index, |mask| *mask != Mask::Sparse)?;
        // Programs state 0 so that clear ground is drawn transparent: whether it is data, the coding tells.
        let stated = info.nodata.get(asset.index - 1).into_iter().flatten();
        let nodata = stated.chain(&asset.nodata).filter(|value| **value != 0.0);
        Ok(QualityReader {
            band,
            coding: asset.coding.clone(),
            nodata: nodata.copied().collect(),
        })
    }

    fn info(&self, path: &Path) -> Result<&'a RasterInfo, IoError> {
        let missing = || IoError::refused(path)("it could not be opened".into());
        self.infos.get(path).ok_or_else(missing)
    }

    /// What reads band `index` of the file `path`, masked by those of the file's masks that `masks` it.
    fn reader(&mut self, path: &'a Path, index: usize, masks: impl Fn(&Mask) -> bool) -> Result<BandReader, IoError> {
        let known = self.known(path)?;
        let all = known.info.masks.iter().filter(|mask| match mask {
            // A band that the scene lists is a band, whatever its file calls it.
            Mask::Alpha(alpha) => !self.is_listed(path, *alpha),
            other => masks(other),
        });
        Ok(BandReader {
            masks: all.filter_map(|mask| known.mask(mask, index)).collect(),
            own: FileLayer {
                file: known.file.clone(),
                layer: Layer::Band(index),
            },
            index,
            mapping: known.mapping.clone(),
        })
    }

    fn is_listed(&self, path: &Path, index: usize) -> bool {
        let mut measured = self.scene.bands.iter().map(|band| (band.path.as_path(), band.index));
        measured.any(|band| band == (path, index))
    }

    /// The file `path`, with the way from the grid to it: files that lie alike share it.
    fn known(&mut self, path: &'a Path) -> Result<Known<'a>, IoError> {
        if let Some(known) = self.known.iter().find(|known| known.path == path) {
            return Ok(known.clone());
        }
        let info = self.info(path)?;
        let mapping = match self.known.iter().find(|known| known.info.lies_as(info)) {
            Some(known) => known.mapping.clone(),
            None => Arc::new(Mapping::new(self.target, info.placement(), self.turn)?),
        };
        let of_file = self.wanted.iter().filter(|(other, _)| *other == path);
        let together: BTreeSet<usize> = of_file.map(|(_, index)| *index).chain(info.alphas()).collect();
        let known = Known {
            path,
            info,
            mapping,
            file: Arc::new(Blocked::new(path, info, together.into_iter().collect())),
        };
        self.known.push(known.clone());
        Ok(known)
    }
}

impl Known<'_> {
    /// The layer by which `mask` masks band `index`; `None` where that is the band itself.
    fn mask(&self, mask: &Mask, index: usize) -> Option<FileLayer> {
        let file = match mask {
            Mask::Alpha(_) => self.file.clone(),
            Mask::Inside(block) => Arc::new(Blocked::mask(self.path, self.info, *block)),
            Mask::Sparse => Arc::new(Blocked::mask(self.path, self.info, self.info.block)),
            Mask::Together => Arc::new(Blocked::new(self.path, self.info, Vec::new())),
            Mask::SideFile { path, block, .. } => Arc::new(Blocked::mask(path, self.info, *block)),
        };
        let layer = mask.layer(index)?;
        Some(FileLayer { file, layer })
    }
}
