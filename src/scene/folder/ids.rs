//! What the scenes of folders are called: by their paths below the folder that a glob begins with.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::intake::names;
use crate::scene::Catalogue;

/// The folders of a glob before its first wildcard.
pub fn literal_base(pattern: &str) -> PathBuf {
    let parts: Vec<Component> = Path::new(pattern).components().collect();
    let folders = &parts[..parts.len().saturating_sub(1)];
    folders
        .iter()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
        .collect()
}

/// The path below the glob's base without its extension, `-` for `/`: `2015/a.tif` is `2015-a`.
pub(in crate::scene) fn scene_id(file: &Path, base: &Path) -> String {
    let below = file.strip_prefix(base).unwrap_or(file).with_extension("");
    let parts: Vec<String> = below
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.join("-")
}

/// Names the scenes of `folders`, each with its base, by what differs between their bases too, where different files of two of them have one id.
pub fn tell_apart(folders: &mut [(PathBuf, Catalogue)]) {
    let mut bases: BTreeMap<&str, Vec<(&Path, &Path)>> = BTreeMap::new();
    for (base, catalogue) in folders.iter() {
        for scene in &catalogue.scenes {
            bases.entry(&scene.id).or_default().push((base, &scene.source));
        }
    }
    let is_shared = |of: &&Vec<(&Path, &Path)>| of.iter().any(|one| one.0 != of[0].0 && one.1 != of[0].1);
    let shared: Vec<PathBuf> = bases
        .values()
        .filter(is_shared)
        .flatten()
        .map(|one| one.0.to_owned())
        .collect();
    let Some(from) = shared.iter().cloned().reduce(|a, b| common(&a, &b)) else {
        return;
    };
    for (base, catalogue) in folders.iter_mut().filter(|(base, _)| shared.contains(base)) {
        let longer = |id: &mut String, source: &Path| {
            let from_there = scene_id(source, &from);
            // A glob that no file matches is called by itself.
            if *id == scene_id(source, base) && names::id(&from_there).is_ok() {
                *id = from_there;
            }
        };
        catalogue
            .scenes
            .iter_mut()
            .for_each(|scene| longer(&mut scene.id, &scene.source));
        catalogue
            .refused
            .iter_mut()
            .for_each(|one| longer(&mut one.id, &one.source));
    }
}

/// The folder in which both lie.
fn common(a: &Path, b: &Path) -> PathBuf {
    let both = a.components().zip(b.components());
    both.take_while(|(a, b)| a == b).map(|(part, _)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::select::tests::scene;

    /// The ids of scenes of `files`, by the bases of their folders.
    fn ids(folders: &[(&str, &[&str])]) -> Vec<String> {
        let mut all: Vec<(PathBuf, Catalogue)> = folders
            .iter()
            .map(|(base, files)| {
                let of = |file: &&str| {
                    let source = PathBuf::from(file);
                    let mut one = scene(&scene_id(&source, Path::new(base)), "2021-06-01");
                    one.source = source;
                    one
                };
                (base.into(), Catalogue::new(files.iter().map(of).collect(), Vec::new()))
            })
            .collect();
        tell_apart(&mut all);
        all.into_iter()
            .flat_map(|(_, one)| one.scenes)
            .map(|one| one.id)
            .collect()
    }

    #[test]
    fn files_of_one_name_are_told_apart_by_their_folders() {
        let apart = ids(&[("/p/T1", &["/p/T1/a.tif", "/p/T1/b.tif"]), ("/p/T2", &["/p/T2/a.tif"])]);
        assert_eq!(apart, ["T1-a", "T1-b", "T2-a"]);
        assert_eq!(ids(&[("/p", &["/p/a.tif"]), ("/p/b", &["/p/b/a.tif"])]), ["a", "b-a"]);
        assert_eq!(ids(&[("/p", &["/p/a.tif"]), ("/q", &["/q/b.tif"])]), ["a", "b"]);
        assert_eq!(
            ids(&[("/p", &["/p/a.tif"]), ("/p", &["/p/a.tif"])]),
            ["a", "a"],
            "one file"
        );
    }

    #[test]
    fn the_base_is_what_stands_before_the_first_wildcard() {
        for (pattern, base) in [
            ("/a/b/*.tif", "/a/b"),
            ("/a/b?/c.tif", "/a"),
            ("/a/b.tif", "/a"),
            ("x.tif", ""),
        ] {
            assert_eq!(literal_base(pattern), Path::new(base), "{pattern}");
        }
    }
}
