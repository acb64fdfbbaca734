//! Everything that a run reads, gathered before a pixel is touched: declarations, scenes, and what each raster says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::config::names;
use crate::config::{Config, InputParams};
use crate::declaration::{self, Declared};
use crate::fault::{Fault, one_line};
use crate::finding::RefusedScene;
use crate::io::formats::{self, Format};
use crate::io::open::{self, RasterInfo};
use crate::plan::bands;
use crate::plan::stated::Stated;
use crate::scene::{self, BandAsset, Catalogue, Refusal, Scene, Sensors};
use crate::seal::digest::Digest;
use crate::seal::stamp::Stamp;

/// The inputs of a run.
pub struct Inputs {
    /// Declarations, merged.
    pub declared: Declared,
    /// Scenes whose files can all be opened.
    pub scenes: Vec<Scene>,
    /// Scenes that cannot be used by any site, and why.
    pub refused: Vec<RefusedScene>,
    /// What each raster of `scenes` says of itself.
    pub infos: BTreeMap<PathBuf, RasterInfo>,
    /// The stamp of each of these rasters, from before it was opened.
    pub stamps: BTreeMap<PathBuf, Stamp>,
    /// Texts that were read, with the digest of what was read.
    pub texts: BTreeMap<PathBuf, Digest>,
    /// What is stated of files.
    pub stated: Stated,
}

impl From<&Refusal> for RefusedScene {
    fn from(refusal: &Refusal) -> Self {
        Self {
            id: refusal.id.clone(),
            reason: refusal.reason.clone(),
            unreadable: refusal.unreadable,
        }
    }
}

impl Inputs {
    /// Whether there is a scene with this id that can be read.
    pub fn has(&self, id: &str) -> bool {
        self.scenes.iter().any(|scene| scene.id == id)
    }

    /// The files that are read and lie beneath `folder`, links resolved.
    pub fn beneath(&self, folder: &Path) -> Vec<PathBuf> {
        let folder = names::resolved(folder, Path::new(""));
        let rasters = self
            .infos
            .iter()
            .flat_map(|(path, info)| info.files.iter().chain([path]));
        let all = self.texts.keys().chain(rasters);
        let resolved = all.map(|path| names::resolved(path, Path::new("")));
        resolved.filter(|path| path.starts_with(&folder)).collect()
    }

    /// Puts the scenes that lie in a file of `failed` among those that cannot be read, with its reason.
    pub fn refuse(&mut self, failed: &BTreeMap<PathBuf, String>, folder: &Path) {
        let refused = &mut self.refused;
        let infos = &self.infos;
        self.scenes.retain(|scene| {
            let all = files(scene).into_iter().flat_map(|path| {
                let beside = infos.get(&path).map_or(&[][..], |info| &info.files);
                beside.iter().chain([&path]).find_map(|path| failed.get(path)).cloned()
            });
            let Some(reason) = all.into_iter().next() else {
                return true;
            };
            refused.push(RefusedScene {
                id: scene.id.clone(),
                reason: names::told(&reason, folder),
                unreadable: true,
            });
            false
        });
        refused.sort();
    }
}

/// The inputs that `config` names.
///
/// # Errors
/// Every fault of the declarations and of the catalogues as a whole; a bad scene is refused by name instead.
pub fn gather(config: &Config) -> Result<Inputs, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut texts = BTreeMap::new();
    let declared = declarations(&config.inputs.declarations, &mut texts)
        .map_err(|found| faults.extend(found))
        .ok();
    let catalogue = sensors(&config.inputs.sensors, &mut texts)
        .and_then(|sensors| Ok((catalogue(&config.inputs, &sensors)?, sensors)))
        .map_err(|found| faults.extend(found))
        .ok();
    let (Some(declared), Some((mut catalogue, sensors))) = (declared, catalogue) else {
        return Err(faults);
    };
    texts.append(&mut catalogue.read);
    let formats = formats::allowed(&config.inputs.formats);
    let Opened {
        mut scenes,
        mut refused,
        infos,
        stamps,
    } = opened(catalogue, &sensors, &formats, &config.compare.bands);
    for one in &mut refused {
        // A glob that no file matches has no other name.
        one.id = names::told(&one.id, &config.folder);
        one.reason = names::told(&one.reason, &config.folder);
    }
    for note in scenes.iter_mut().flat_map(|scene| &mut scene.notes) {
        *note = names::told(note, &config.folder);
    }
    refused.sort();
    let stated = Stated::of(&scenes, &mut texts);
    let wrong = texts
        .iter()
        .filter_map(|(path, digest)| stated.check(path, digest).err());
    let wrong: Vec<Fault> = wrong.map(|reason| Fault::new("", reason)).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Inputs {
        declared,
        scenes,
        refused,
        infos,
        stamps,
        texts,
        stated,
    })
}

/// Scenes whose rasters were opened.
pub struct Opened {
    /// Those that can be compared, as their files tell.
    pub scenes: Vec<Scene>,
    /// The others, and those that the catalogue refuses.
    pub refused: Vec<RefusedScene>,
    /// What each raster says of itself.
    pub infos: BTreeMap<PathBuf, RasterInfo>,
    /// Stamps of the rasters, from before they were opened.
    pub stamps: BTreeMap<PathBuf, Stamp>,
}

/// The scenes of `catalogue`, their rasters opened; of rasters in one of `formats`. `compared` are the bands that are asked for by name.
pub fn opened(catalogue: Catalogue, sensors: &Sensors, formats: &[Format], compared: &[String]) -> Opened {
    let mut refused: Vec<RefusedScene> = catalogue.refused.iter().map(Into::into).collect();
    let (mut scenes, mut infos, mut stamps) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let mut failed: BTreeMap<PathBuf, String> = BTreeMap::new();
    // An index that nobody compares neither spoils a scene nor belongs to its inputs.
    let is_used = |band: &BandAsset| !band.derived || compared.contains(&band.name);
    for mut scene in catalogue.scenes {
        if scene.bands.iter().any(is_used) {
            scene.bands.retain(is_used);
        }
        for path in files(&scene) {
            if !infos.contains_key(&path) && !failed.contains_key(&path) {
                let stamp = Stamp::of(&path);
                match open::info(&path, formats) {
                    Ok(info) => {
                        stamps.extend(stamp.map(|stamp| (path.clone(), stamp)));
                        let beside = info.files.iter().filter(|other| **other != path);
                        stamps.extend(beside.filter_map(|other| Some((other.clone(), Stamp::of(other).ok()?))));
                        infos.insert(path, info);
                    }
                    Err(error) => drop(failed.insert(path, error.to_string())),
                }
            }
        }
        let unreadable = files(&scene).iter().find_map(|path| failed.get(path)).cloned();
        let wrong = unreadable
            .map(|reason| (reason, true))
            .or_else(|| bands::lacks(&mut scene, compared))
            .or_else(|| Some((bands::settle(&mut scene, &infos, sensors).err()?, false)));
        match wrong {
            Some((reason, unreadable)) => refused.push(RefusedScene {
                id: scene.id,
                reason,
                unreadable,
            }),
            None => scenes.push(scene),
        }
    }
    Opened {
        scenes,
        refused,
        infos,
        stamps,
    }
}

/// What whoever reads comparisons of `scenes` should know, each once.
pub fn notes(scenes: &[Scene]) -> BTreeSet<&str> {
    scenes
        .iter()
        .flat_map(|scene| &scene.notes)
        .map(String::as_str)
        .collect()
}

/// The files that hold a scene, each once.
pub fn files(scene: &Scene) -> BTreeSet<PathBuf> {
    scene
        .bands
        .iter()
        .map(|band| &band.path)
        .chain(scene.quality.iter().map(|quality| &quality.path))
        .cloned()
        .collect()
}

/// The declarations of `paths`, merged; their digests go to `texts`.
///
/// # Errors
/// Every fault, its place preceded by the file's name.
pub fn declarations(paths: &[PathBuf], texts: &mut BTreeMap<PathBuf, Digest>) -> Result<Declared, Vec<Fault>> {
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        match declaration::read(path) {
            Ok((declaration, digest)) => {
                texts.insert(path.clone(), digest);
                read.push(declaration);
            }
            Err(found) => faults.extend(found.into_iter().map(|fault| in_file(path, fault))),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let name = match paths {
        [only] => only.clone(),
        _ => PathBuf::from("declarations"),
    };
    declaration::merge(read).map_err(|found| found.into_iter().map(|fault| in_file(&name, fault)).collect())
}

/// `fault` with the name of its file before its place.
pub fn in_file(path: &Path, fault: Fault) -> Fault {
    let file = path.display();
    let place = if fault.place.is_empty() {
        file.to_string()
    } else {
        format!("{file}: {}", fault.place)
    };
    Fault::new(place, fault.message)
}

/// The embedded sensors and those of `paths`, whose digests go to `texts`.
///
/// # Errors
/// Every fault of a sensor file.
pub fn sensors(paths: &[PathBuf], texts: &mut BTreeMap<PathBuf, Digest>) -> Result<Sensors, Vec<Fault>> {
    let mut sensors = Sensors::embedded().map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    for path in paths {
        match sensors.add_file(path) {
            Ok(digest) => drop(texts.insert(path.clone(), digest)),
            Err(error) => faults.push(Fault::new("", error.to_string())),
        }
    }
    if faults.is_empty() { Ok(sensors) } else { Err(faults) }
}

fn catalogue(params: &InputParams, sensors: &Sensors) -> Result<Catalogue, Vec<Fault>> {
    let (mut scenes, mut refused, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut texts = BTreeMap::new();
    let mut take = |read: Result<Catalogue, scene::SceneError>| match read {
        Ok(mut catalogue) => {
            texts.append(&mut catalogue.read);
            scenes.extend(catalogue.scenes);
            refused.extend(catalogue.refused);
        }
        Err(error) => faults.push(Fault::new("", error.to_string())),
    };
    // One catalogue of several that cannot be read costs its own scenes; all of them, the run.
    let (mut read, mut unread) = (0, Vec::new());
    for path in &params.stac {
        match scene::read_stac(path, sensors) {
            Err(error @ (scene::SceneError::Read(_) | scene::SceneError::Content { .. })) => unread.push((path, error)),
            other => {
                read += usize::from(other.is_ok());
                take(other);
            }
        }
    }
    let is_alone = read == 0 && params.folder.is_empty();
    for (path, error) in unread {
        match is_alone {
            true => take(Err(error)),
            false => take(Ok(Catalogue::new(
                Vec::new(),
                vec![Refusal {
                    id: one_line(&path.display().to_string()).into_owned(),
                    source: path.clone(),
                    reason: error.to_string(),
                    unreadable: true,
                }],
            ))),
        }
    }
    let formats = formats::allowed(&params.formats);
    let mut folders = Vec::new();
    for folder in &params.folder {
        let tag = |path: &Path, name: &str| open::tag(path, name, &formats).map_err(|error| error.to_string());
        match scene::read_folder(folder, sensors, &tag) {
            Ok(catalogue) => folders.push((folder.base(), catalogue)),
            Err(error) => take(Err(error)),
        }
    }
    scene::tell_apart(&mut folders);
    folders.into_iter().for_each(|(_, catalogue)| take(Ok(catalogue)));
    if faults.is_empty() {
        Ok(Catalogue {
            read: texts,
            ..Catalogue::new(scenes, refused)
        })
    } else {
        Err(faults)
    }
}
