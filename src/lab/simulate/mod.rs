//! Georeferenced scenes with known truth, from a recipe: same recipe, same bytes.
//!
//! ```text
//! recipe (TOML) -> layout: everything with an outline, once
//!                  country: fields, forest and lakes, a function of the place
//!        per date: ground (surface, season, point spread, shift) -> scene (sky, gain, offset, noise, quality band)
//!        per pair: truth
//!                  catalogue: declaration.geojson, items.json, truth.geojson
//! ```
//!
//! Every random number is a hash of the seed and a place, so tiles can be made in any order on any number of threads.
//! Transcendental functions come from `libm`.

mod acquisition;
mod catalogue;
mod check;
mod country;
mod ground;
mod layout;
mod material;
mod parse;
mod random;
mod recipe;
mod scene;
mod shape;
mod sky;
mod surface;
mod town;
mod truth;
mod written;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rayon::prelude::*;
use serde_json::Value;

pub use parse::parse;
pub use recipe::Recipe;

use crate::io::IoError;
use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
use crate::seal::digest;

use catalogue::{Entry, Made};
use ground::{Lattice, Window};
use scene::{Optical, RadarScene, SCALE};
use truth::Truth;

/// Edge of a tile and of the blocks in the files, pixels: even, so that tiles begin on pixels of a coarser quality band.
const TILE: usize = 512;
/// Tiles that are made while those before are written; it bounds memory.
const BATCH: usize = 8;

/// Why scenes could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A raster could not be written, or coordinates not be projected.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A folder or document could not be written.
    #[error("{doing} {}: {source}", path.display())]
    System {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// Every file, in the order in which they were finished.
    pub files: Vec<PathBuf>,
    /// Ids of the scenes, in order of time within optical and radar.
    pub scenes: Vec<String>,
}

/// Makes what the recipe says in the folder `out`, which is created; each file appears whole or not at all.
///
/// `scenes/<id>.tif` has the bands (uint16, reflectance x 10000, 0 for no data) or VV and VH (float32, linear power);
/// `scenes/<id>_SCL.tif` the quality band; `truth/<time>_<time>.tif` 1 for unchanged, 2 for changed and 0 for not covered by
/// both, for each pair of scenes that follow each other and for the first and last; `declaration.geojson`, `items.json` and
/// `truth.geojson` tell the rest.
///
/// # Errors
/// When a file cannot be written whole, or a reference system does not reach the scene.
pub fn simulate(recipe: &Recipe, out: &Path) -> Result<Simulated, SimulateError> {
    for folder in [out.to_owned(), out.join("scenes"), out.join("truth")] {
        fs::create_dir_all(&folder).map_err(|source| SimulateError::System {
            doing: "creating",
            path: folder,
            source,
        })?;
    }
    let mut made = Simulated {
        files: Vec::new(),
        scenes: Vec::new(),
    };
    let things = layout::things(recipe);
    let mut optical = Vec::new();
    for (number, date) in recipe.dates.iter().enumerate() {
        let scene = Optical::new(recipe, &things, number, date)?;
        optical.push(optical_scene(recipe, &scene, date.time, out, &mut made)?);
    }
    let mut radar = Vec::new();
    for (number, date) in recipe.radar.iter().enumerate() {
        let scene = RadarScene::new(recipe, &things, number, date)?;
        radar.push(radar_scene(&scene, date.time, out, &mut made)?);
    }
    truths(recipe, &optical, out, &mut made)?;
    truths(recipe, &radar, out, &mut made)?;
    let entries: Vec<Entry> = optical.into_iter().chain(radar).collect();
    for (name, document) in [
        ("declaration.geojson", catalogue::declaration(recipe)?),
        ("truth.geojson", catalogue::truth(recipe)?),
        // Last: whoever finds the catalogue finds all that it names.
        ("items.json", catalogue::items(recipe, &entries)?),
    ] {
        let path = out.join(name);
        write_document(&path, &document).map_err(|source| SimulateError::System {
            doing: "writing",
            path: path.clone(),
            source,
        })?;
        made.files.push(path);
    }
    made.scenes = entries.into_iter().map(|entry| entry.id).collect();
    Ok(made)
}

fn stamp(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%S").to_string()
}

fn optical_scene(
    recipe: &Recipe,
    scene: &Optical,
    time: Timestamp,
    out: &Path,
    made: &mut Simulated,
) -> Result<Entry, SimulateError> {
    let id = format!("S2_{}", stamp(time));
    let names = (format!("scenes/{id}.tif"), format!("scenes/{id}_SCL.tif"));
    let (lattice, every) = (scene.lattice(), recipe.quality_every_px);
    let coarse = Lattice {
        width: lattice.width.div_ceil(every),
        height: lattice.height.div_ceil(every),
        pixel: lattice.pixel * every as f64,
        ..lattice.clone()
    };
    let mut bands = Raster::create(
        out.join(&names.0),
        lattice,
        recipe.bands.len(),
        DataType::U16,
        Some(time),
    )?;
    for (number, name) in (1..).zip(catalogue::band_names(recipe)) {
        bands.writer.describe(number, name)?;
        bands
            .writer
            .scale(number, f64::from((SCALE * 1e7).round()) / 1e7, 0.0)?;
    }
    let mut quality = Raster::create(out.join(&names.1), &coarse, 1, DataType::U8, Some(time))?;
    quality.writer.describe(1, "SCL")?;
    let mut counts = [0, 0];
    stream(
        lattice,
        |window| scene.tile(window),
        |window, tile| {
            for (number, plane) in (1..).zip(&tile.bands) {
                bands.writer.write(number, &window.rect(), plane)?;
            }
            let coarse = Window {
                x: window.x / every,
                y: window.y / every,
                w: window.w.div_ceil(every),
                h: window.h.div_ceil(every),
            };
            quality.writer.write(1, &coarse.rect(), &tile.quality)?;
            counts = [counts[0] + tile.counts[0], counts[1] + tile.counts[1]];
            Ok(())
        },
    )?;
    let (bands, quality) = (bands.made(names.0, made)?, Some(quality.made(names.1, made)?));
    let cloud = Some(counts[0] as f64 / counts[1].max(1) as f64);
    Ok(Entry {
        id,
        time,
        lattice: lattice.clone(),
        cloud,
        bands,
        quality,
    })
}

fn radar_scene(scene: &RadarScene, time: Timestamp, out: &Path, made: &mut Simulated) -> Result<Entry, SimulateError> {
    let id = format!("S1_{}", stamp(time));
    let name = format!("scenes/{id}.tif");
    let mut raster = Raster::create(out.join(&name), scene.lattice(), 2, DataType::F32, Some(time))?;
    for (number, polarisation) in [(1, "VV"), (2, "VH")] {
        raster.writer.describe(number, polarisation)?;
    }
    stream(
        scene.lattice(),
        |window| scene.tile(window),
        |window, planes| {
            (1..)
                .zip(&planes)
                .try_for_each(|(number, plane)| raster.writer.write(number, &window.rect(), plane))
        },
    )?;
    Ok(Entry {
        id,
        time,
        lattice: scene.lattice().clone(),
        cloud: None,
        bands: raster.made(name, made)?,
        quality: None,
    })
}

/// Truth rasters of each pair of scenes that follow each other, and of the first and the last.
fn truths(recipe: &Recipe, entries: &[Entry], out: &Path, made: &mut Simulated) -> Result<(), SimulateError> {
    let footprints = layout::footprints(recipe);
    let own = scene::lattice(recipe, &acquisition::GridChange::default())?;
    let mut pairs: Vec<[&Entry; 2]> = entries.windows(2).map(|pair| [&pair[0], &pair[1]]).collect();
    if let [first, _, .., last] = entries {
        pairs.push([first, last]);
    }
    for pair in pairs {
        let truth = Truth::new(
            recipe,
            &footprints,
            pair.map(|entry| entry.time.as_second()),
            pair.map(|entry| &entry.lattice),
        );
        let path = out.join(format!("truth/{}_{}.tif", stamp(pair[0].time), stamp(pair[1].time)));
        let mut raster = Raster::create(path, &own, 1, DataType::U8, None)?;
        stream(
            &own,
            |window| Ok(truth.tile(window)),
            |window, labels| raster.writer.write(1, &window.rect(), &labels),
        )?;
        made.files.push(raster.finish()?);
    }
    Ok(())
}

/// A raster that is written under another name and takes its own when it is finished.
struct Raster {
    writer: GeoTiffWriter,
    unfinished: Unfinished,
}

/// A file that has not yet its name, removed unless it was finished.
struct Unfinished {
    path: PathBuf,
    written: PathBuf,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Nothing is there when the file was renamed or never made.
        let _ = fs::remove_file(&self.written);
    }
}

impl Raster {
    fn create(
        path: PathBuf,
        lattice: &Lattice,
        bands: usize,
        data_type: DataType,
        time: Option<Timestamp>,
    ) -> Result<Self, IoError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let unfinished = Unfinished {
            written: path.with_file_name(name),
            path,
        };
        let [x, y] = lattice.corner;
        let layout = Layout {
            width: lattice.width,
            height: lattice.height,
            bands,
            data_type,
            transform: [x, lattice.pixel, 0.0, y, 0.0, -lattice.pixel],
            crs: lattice.crs.clone(),
            nodata: Some(0.0),
            compression: Compression::Deflate(1),
            block: TILE,
        };
        let mut writer = GeoTiffWriter::create(&unfinished.written, layout)?;
        if let Some(time) = time {
            writer.tag("TIFFTAG_DATETIME", &time.strftime("%Y:%m:%d %H:%M:%S").to_string())?;
        }
        Ok(Self { writer, unfinished })
    }

    /// Finishes the raster at `path` from the catalogue's folder, one of a scene.
    fn made(self, path: String, all: &mut Simulated) -> Result<Made, SimulateError> {
        let file = self.finish()?;
        let digest = digest::file(&file).map_err(|source| SimulateError::System {
            doing: "reading",
            path: file.clone(),
            source,
        })?;
        all.files.push(file);
        Ok(Made { path, digest })
    }

    fn finish(self) -> Result<PathBuf, SimulateError> {
        let Self { writer, unfinished } = self;
        writer.finish()?;
        let path = unfinished.path.clone();
        fs::rename(&unfinished.written, &path).map_err(|source| SimulateError::System {
            doing: "renaming to",
            path: path.clone(),
            source,
        })?;
        Ok(path)
    }
}

fn write_document(path: &Path, document: &Value) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let unfinished = Unfinished {
        written: path.with_file_name(name),
        path: path.to_owned(),
    };
    let mut file = fs::File::create(&unfinished.written)?;
    file.write_all(format!("{document:#}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished.written, path)
}

/// Makes the tiles of a lattice on all threads and puts them in order, one batch being made while the one before is put.
fn stream<T: Send>(
    lattice: &Lattice,
    make: impl Fn(Window) -> Result<T, IoError> + Sync,
    mut put: impl FnMut(Window, T) -> Result<(), IoError> + Send,
) -> Result<(), IoError> {
    let (columns, rows) = (lattice.width.div_ceil(TILE), lattice.height.div_ceil(TILE));
    let windows: Vec<Window> = (0..columns * rows)
        .map(|index| {
            let (x, y) = (index % columns * TILE, index / columns * TILE);
            Window {
                x,
                y,
                w: TILE.min(lattice.width - x),
                h: TILE.min(lattice.height - y),
            }
        })
        .collect();
    let make_all = |batch: &[Window]| -> Vec<(Window, Result<T, IoError>)> {
        batch.par_iter().map(|&window| (window, make(window))).collect()
    };
    let mut put_all =
        |made: Vec<(Window, Result<T, IoError>)>| made.into_iter().try_for_each(|(window, tile)| put(window, tile?));
    let mut ready = Vec::new();
    for batch in windows.chunks(BATCH) {
        let (put, made) = rayon::join(|| put_all(std::mem::take(&mut ready)), || make_all(batch));
        put?;
        ready = made;
    }
    put_all(ready)
}

#[cfg(test)]
mod tests {
    use super::parse::tests::SMALL;
    use super::*;

    fn bytes(recipe: &Recipe, threads: usize) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let made = pool.install(|| simulate(recipe, folder.path())).unwrap();
        let read = |path: &PathBuf| {
            (
                path.strip_prefix(folder.path()).unwrap().to_owned(),
                fs::read(path).unwrap(),
            )
        };
        let all: Vec<_> = made.files.iter().map(read).collect();
        // Nothing else was left behind.
        let scenes = fs::read_dir(folder.path().join("scenes")).unwrap().count();
        assert_eq!(
            scenes,
            all.iter().filter(|(path, _)| path.starts_with("scenes")).count()
        );
        all
    }

    #[test]
    fn the_same_recipe_gives_the_same_bytes_on_any_number_of_threads() {
        let text =
            format!("{SMALL}\n[[sar]]\ntime = \"2021-06-02T05:00:00Z\"\n[[sar]]\ntime = \"2021-06-20T05:00:00Z\"\n")
                .replace("width_px = 64", "width_px = 640\n quality_every_px = 2");
        let recipe = parse(&text).unwrap();
        let one = bytes(&recipe, 1);
        assert_eq!(one, bytes(&recipe, 4));
        let names: Vec<_> = one.iter().map(|(path, _)| path.to_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "scenes/S2_20210601T101031.tif",
                "scenes/S2_20210601T101031_SCL.tif",
                "scenes/S2_20210701T101031.tif",
                "scenes/S2_20210701T101031_SCL.tif",
                "scenes/S1_20210602T050000.tif",
                "scenes/S1_20210620T050000.tif",
                "truth/20210601T101031_20210701T101031.tif",
                "truth/20210602T050000_20210620T050000.tif",
                "declaration.geojson",
                "truth.geojson",
                "items.json",
            ]
        );
        let other = parse(&text.replace("seed = 3", "seed = 4")).unwrap();
        assert_ne!(one[0].1, bytes(&other, 4)[0].1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = simulate(&parse(SMALL).unwrap(), &file.path().join("out")).unwrap_err();
        assert!(error.to_string().contains("out"), "{error}");
    }
}
