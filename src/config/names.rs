//! How inputs are named in the record: the same whichever way the pipeline file and its inputs were named.

use std::path::{Component, Path, PathBuf};

/// The path of what `path` names from `folder`: without `.`, `..` and links, as far as it exists.
///
/// Wildcards are names like others, which do not exist.
pub fn resolved(folder: &Path, path: &Path) -> PathBuf {
    let whole = std::path::absolute(folder.join(path)).unwrap_or_else(|_| folder.join(path));
    let (mut there, mut rest) = (whole.as_path(), Vec::new());
    let base = loop {
        if let Ok(real) = there.canonicalize() {
            break real;
        }
        match (there.parent(), there.components().next_back()) {
            (Some(parent), Some(last)) => {
                rest.push(last);
                there = parent;
            }
            _ => break there.to_owned(),
        }
    };
    rest.iter().rev().fold(base, |mut path, part| {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
        path
    })
}

/// The folder of the pipeline file at `path`, from which its inputs are named.
pub fn folder_of(path: &Path) -> PathBuf {
    // The parent of a bare name is empty, which is no folder.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    resolved(parent.unwrap_or(Path::new(".")), Path::new(""))
}

/// The name of the file at `path` in the record: its path from `folder`, with `/` between its parts.
pub fn recorded(path: &Path, folder: &Path) -> String {
    let parts = |path: &Path| -> Vec<String> {
        let names = path.components().filter(|part| matches!(part, Component::Normal(_)));
        names
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect()
    };
    let (path, from) = (parts(&resolved(folder, path)), parts(folder));
    let shared = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let up = from[shared..].iter().map(|_| "..");
    up.chain(path[shared..].iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("/")
}

/// `text` with the paths in it told from `folder`, so that a message in the record says nothing of where the run was made.
pub fn told(text: &str, folder: &Path) -> String {
    let mut told = text.to_owned();
    for (up, ancestor) in folder.ancestors().enumerate() {
        let prefix = format!("{}/", ancestor.display());
        if ancestor.parent().is_none() {
            break;
        }
        told = replaced(&told, &prefix, &"../".repeat(up));
    }
    told
}

/// `text` with `with` for each path that begins with `prefix`; the middle of a longer path stays.
fn replaced(text: &str, prefix: &str, with: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(prefix) {
        let before = rest[..at].chars().next_back().or(done.chars().next_back());
        let inside = before.is_some_and(|c| c.is_alphanumeric() || "._-/".contains(c));
        done += &rest[..at];
        done += if inside { prefix } else { with };
        rest = &rest[at + prefix.len()..];
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_name_whichever_way_it_is_named() {
        let root = tempfile::tempdir().unwrap();
        let real = root.path().canonicalize().unwrap().join("a/b");
        std::fs::create_dir_all(real.join("scenes")).unwrap();
        std::fs::write(real.join("scenes/x.tif"), "").unwrap();
        std::os::unix::fs::symlink(&real, root.path().join("link")).unwrap();
        std::os::unix::fs::symlink(real.join("scenes/x.tif"), root.path().join("y.tif")).unwrap();
        let folders = [
            real.join("p.toml"),
            root.path().join("link/p.toml"),
            real.join("scenes/../p.toml"),
        ];
        for folder in folders.map(|pipeline| folder_of(&pipeline)) {
            assert_eq!(folder, real);
            let names = [
                "scenes/x.tif",
                "./scenes//x.tif",
                "scenes/../scenes/x.tif",
                "../../link/scenes/x.tif",
                "../../y.tif",
            ];
            for name in names.map(PathBuf::from).into_iter().chain([real.join("scenes/x.tif")]) {
                assert_eq!(
                    recorded(&resolved(&folder, &name), &folder),
                    "scenes/x.tif",
                    "{}",
                    name.display()
                );
            }
            assert_eq!(
                recorded(&resolved(&folder, Path::new("../c/none.tif")), &folder),
                "../c/none.tif"
            );
            assert_eq!(
                recorded(&resolved(&folder, Path::new("scenes/../*/x_*.tif")), &folder),
                "*/x_*.tif"
            );
        }
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_current_one() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        for name in ["p.toml", "./p.toml"] {
            assert_eq!(folder_of(Path::new(name)), here);
        }
    }

    #[test]
    fn messages_say_nothing_of_where_the_run_was_made() {
        let folder = Path::new("/home/a/work");
        let message = "opening /home/a/work/x.tif: like /home/a/store/y.tif, `/home/a/work/z` and /other/home/a/work/x";
        assert_eq!(
            told(message, folder),
            "opening x.tif: like ../store/y.tif, `z` and /other/home/a/work/x"
        );
    }
}
