//! Scores and flags of a site on disk while it is worked on: a band a comparison, uncompressed, read back window by window.

use std::path::{Path, PathBuf};

use crate::engine::EngineError;
use crate::engine::driver::both;
use crate::geo::{Grid, Rect};
use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
use crate::io::pool::Pool;
use crate::io::stored::StoredPixel;
use crate::io::{IoError, cog};
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};
use crate::raster::{Flags, Plane, flags};

/// The two rasters while they are written.
pub struct RasterWriters {
    paths: [PathBuf; 2],
    scores: GeoTiffWriter,
    flags: GeoTiffWriter,
}

impl RasterWriters {
    /// Two rasters on `grid` in `folder`, with a band for each comparison in `names`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(folder: &Path, grid: &Grid, names: &[String]) -> Result<Self, EngineError> {
        let paths = ["score", "flags"].map(|name| folder.join(format!(".{name}.tif")));
        let create = |path: &Path, data_type: DataType, nodata: f64| -> Result<GeoTiffWriter, IoError> {
            let layout = Layout {
                width: grid.width,
                height: grid.height,
                bands: names.len(),
                data_type,
                transform: grid.geotransform(),
                crs: grid.crs.clone(),
                nodata: Some(nodata),
                compression: Compression::None,
                block: cog::block_px(grid.width, grid.height),
            };
            let mut writer = GeoTiffWriter::create(path, layout)?;
            for (band, name) in (1..).zip(names) {
                writer.describe(band, name)?;
            }
            Ok(writer)
        };
        let mut scores = create(&paths[0], DataType::I16, f64::from(SCORE_NODATA))?;
        for band in 1..=names.len() {
            scores.scale(band, SCORE_SCALE, 0.0)?;
        }
        let mut flags = create(&paths[1], DataType::U16, f64::from(flags::OUTSIDE_SITE))?;
        let meaning = flags::REASONS.iter().map(|(bit, name)| format!("{bit} {name}"));
        let outside = format!("{} outside_site: no data", flags::OUTSIDE_SITE);
        flags.tag("FLAGS", &meaning.chain([outside]).collect::<Vec<_>>().join(", "))?;
        Ok(Self { paths, scores, flags })
    }

    /// Writes a tile of band `band` of both.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&mut self, band: usize, scores: &Plane<i16>, reasons: &Plane<Flags>) -> Result<(), IoError> {
        self.scores.write(band, &scores.rect(), scores.values())?;
        self.flags.write(band, &reasons.rect(), reasons.values())
    }

    /// Both, complete with their overviews.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish(self) -> Result<Rasters, IoError> {
        let finish = |mut raster: GeoTiffWriter| raster.add_overviews().and_then(|()| raster.finish());
        let (scores, reasons) = both(|| finish(self.scores), || finish(self.flags));
        scores.and(reasons)?;
        let [scores, flags] = self.paths;
        Ok(Rasters { scores, flags })
    }
}

/// The two rasters.
pub struct Rasters {
    /// Stored scores.
    pub scores: PathBuf,
    /// Why pixels were not judged.
    pub flags: PathBuf,
}

impl Rasters {
    /// Scores and flags of the comparison in band `band`.
    pub fn bands<'a>(&'a self, band: usize, pool: &'a Pool) -> [RasterBand<'a>; 2] {
        [&self.scores, &self.flags].map(|path| RasterBand { path, band, pool })
    }
}

/// A band of a raster that this program wrote, read window by window.
#[derive(Clone, Copy)]
pub struct RasterBand<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its band, from 1.
    pub band: usize,
    /// Open handles.
    pub pool: &'a Pool,
}

impl RasterBand<'_> {
    /// Its pixels on `rect`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read<T: StoredPixel>(&self, rect: &Rect) -> Result<Plane<T>, IoError> {
        self.pool.read(self.path, self.band, rect)
    }
}
