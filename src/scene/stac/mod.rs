//! STAC 1.0 and 1.1 on disk: an Item, an ItemCollection, or a static Catalog or Collection. No URL is ever followed.

mod asset;
pub(super) mod bands;
mod footprint;
mod hints;
mod indices;
mod item;
mod masks;
mod measured;
mod object;
mod product;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fault::{Fault, one_line};
use crate::intake::{self, IntakeError, Text};
use crate::scene::href::local_path;
use crate::scene::sensor::Sensors;
use crate::scene::stac::item::scene;
use crate::scene::stac::object::{Unusable, under};
use crate::scene::{Catalogue, MAX_FILE_BYTES, MAX_SCENES, Refusal, Scene, SceneError, join};
use crate::seal::digest::Digest;

/// How far links are followed below the file that was given.
const MAX_DEPTH: usize = 8;

/// The scenes of a STAC file and of everything that it links to on disk; what cannot be used is refused by name, and the rest goes on.
///
/// # Errors
/// The given file itself cannot be read or is no STAC; or more than [`MAX_SCENES`] items.
pub fn read_stac(path: &Path, sensors: &Sensors) -> Result<Catalogue, SceneError> {
    let mut scenes = Vec::new();
    let mut refused = Vec::new();
    let walk = walk(path, sensors)?;
    for found in walk.found {
        match found.scene {
            Ok(scene) => scenes.push(scene),
            Err(Unusable { faults, unreadable }) => refused.push(Refusal {
                id: found.id,
                source: found.file,
                reason: join(&faults),
                unreadable,
            }),
        }
    }
    Ok(Catalogue {
        read: walk.read,
        ..Catalogue::new(scenes, refused)
    })
}

/// Everything that is wrong with a STAC file and with what it links to; empty when all is well.
pub fn check_stac(path: &Path, sensors: &Sensors) -> Vec<Fault> {
    let found = match walk(path, sensors) {
        Ok(walk) => walk.found,
        Err(SceneError::Content { fault, .. }) => return vec![fault],
        Err(SceneError::Read(IntakeError { problem, .. })) => return vec![problem.into()],
        Err(error) => return vec![Fault::new("", error.to_string())],
    };
    let mut faults = Vec::new();
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for found in found {
        // The root file is named by whoever prints the faults.
        let within = |place: &str| {
            if found.file == path {
                place.to_owned()
            } else {
                format!("{}: {place}", found.file.display())
            }
        };
        match found.scene {
            Ok(scene) => {
                let place = within(&under(&found.at, "id"));
                if let Some(other) = first.get(&scene.id) {
                    faults.push(Fault::new(
                        place,
                        format!("`{}` is the id at {other} already: give each item its own", scene.id),
                    ));
                } else {
                    first.insert(scene.id, place);
                }
            }
            Err(of_item) => faults.extend(
                of_item
                    .faults
                    .into_iter()
                    .map(|fault| Fault::new(within(&fault.place), fault.message)),
            ),
        }
    }
    faults
}

/// One item, or a link that leads to none.
struct ReadItem {
    file: PathBuf,
    /// The item's place in its file.
    at: String,
    /// The item's id; its place where it has none.
    id: String,
    scene: Result<Scene, Unusable>,
}

struct Walk<'a> {
    sensors: &'a Sensors,
    /// Real paths of files that were read: a catalogue may link to itself.
    seen: BTreeSet<PathBuf>,
    read: BTreeMap<PathBuf, Digest>,
    found: Vec<ReadItem>,
}

fn walk<'a>(path: &Path, sensors: &'a Sensors) -> Result<Walk<'a>, SceneError> {
    let mut walk = Walk {
        sensors,
        seen: BTreeSet::new(),
        read: BTreeMap::new(),
        found: Vec::new(),
    };
    walk.file(path, 0)?;
    Ok(walk)
}

impl Walk<'_> {
    /// Reads one file and what it links to. An `Err` is about this file; faults of what it links to are among `found`.
    fn file(&mut self, path: &Path, depth: usize) -> Result<(), SceneError> {
        let real = path.canonicalize().map_err(|error| IntakeError::system(path, error))?;
        if !self.seen.insert(real) {
            return Ok(());
        }
        self.count(path)?;
        let content = |place: &str, message: String| SceneError::Content {
            path: path.to_path_buf(),
            fault: Fault::new(place, message),
        };
        let Text { text, digest } = intake::text(path, MAX_FILE_BYTES)?;
        let value = intake::json(&text).map_err(|problem| IntakeError {
            path: path.to_path_buf(),
            problem,
        })?;
        drop(text);
        self.read.insert(path.to_path_buf(), digest);
        match value.get("type").and_then(Value::as_str) {
            Some("Feature") => self.item(&value, "", path),
            Some("FeatureCollection") => {
                let Some(items) = value.get("features").and_then(Value::as_array) else {
                    return Err(content("features", "expected an array of Items".into()));
                };
                for (number, item) in items.iter().enumerate() {
                    self.item(item, &format!("features[{number}]"), path)?;
                }
                Ok(())
            }
            Some("Catalog" | "Collection") => self.links(&value, path, depth),
            other => Err(content(
                "type",
                format!(
                    "expected Feature (an Item), FeatureCollection, Catalog or Collection, found {}",
                    other.map_or("nothing".into(), |found| format!("`{}`", found.escape_debug()))
                ),
            )),
        }
    }

    fn count(&self, path: &Path) -> Result<(), SceneError> {
        // Catalogues count as well: a tree of empty ones is no way around the limit.
        if self.found.len() > MAX_SCENES || self.seen.len() > 2 * MAX_SCENES {
            return Err(SceneError::TooMany {
                path: path.to_path_buf(),
                limit: MAX_SCENES,
            });
        }
        Ok(())
    }

    fn item(&mut self, item: &Value, at: &str, path: &Path) -> Result<(), SceneError> {
        let base = path.parent().unwrap_or(Path::new(""));
        let id = item.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        self.found.push(ReadItem {
            file: path.to_path_buf(),
            at: at.to_owned(),
            id: one_line(id.unwrap_or(if at.is_empty() { "(no id)" } else { at })).into_owned(),
            scene: scene(item, at, path, base, self.sensors),
        });
        self.count(path)
    }

    fn links(&mut self, catalog: &Value, path: &Path, depth: usize) -> Result<(), SceneError> {
        let base = path.parent().unwrap_or(Path::new(""));
        let links = catalog
            .get("links")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let mut followed = 0;
        for (number, link) in links.iter().enumerate() {
            if !matches!(
                link.get("rel").and_then(Value::as_str),
                Some("item" | "items" | "child")
            ) {
                continue;
            }
            followed += 1;
            let at = format!("links[{number}]");
            let Some(href) = link.get("href").and_then(Value::as_str) else {
                self.dead(path, &at, "", "expected a path in `href`".into(), false);
                continue;
            };
            match local_path(href, base) {
                Err(message) => self.dead(path, &at, href, message, false),
                Ok(_) if depth == MAX_DEPTH => {
                    self.dead(
                        path,
                        &at,
                        href,
                        format!("lies more than {MAX_DEPTH} levels below the first file: give a file nearer to it"),
                        false,
                    );
                }
                Ok(linked) => match self.file(&linked, depth + 1) {
                    Err(error @ SceneError::TooMany { .. }) => return Err(error),
                    Err(error) => self.dead(path, &at, href, error.to_string(), error.is_unreadable()),
                    Ok(()) => {}
                },
            }
        }
        if followed == 0 {
            self.dead(
                path,
                "links",
                "",
                "expected links to items or children, found none".into(),
                false,
            );
        }
        self.count(path)
    }

    /// A link that leads nowhere.
    fn dead(&mut self, path: &Path, at: &str, href: &str, message: String, unreadable: bool) {
        let id = if href.is_empty() { at } else { href };
        self.found.push(ReadItem {
            file: path.to_path_buf(),
            at: at.to_owned(),
            id: one_line(id).into_owned(),
            scene: Err(Unusable {
                faults: vec![Fault::new(at, message)],
                unreadable,
            }),
        });
    }
}

#[cfg(test)]
pub(in crate::scene) mod tests;
