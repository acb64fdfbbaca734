//! A module imports only from modules above it: ARCHITECTURE.md has the list, this keeps it.

use std::fs;
use std::path::{Path, PathBuf};

const ORDER: [&str; 15] = [
    "fault",
    "seal",
    "intake",
    "geo",
    "raster",
    "declaration",
    "scene",
    "finding",
    "stage",
    "io",
    "report",
    "register",
    "pipeline",
    "lab",
    "cli",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules of this crate that `text` names as `crate::name`.
fn named(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn imports_run_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let place = |name: &str| ORDER.iter().position(|known| *known == name);
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        if module == "main" || module == "lib" {
            continue;
        }
        let Some(own) = place(&module) else {
            wrong.push(format!("{module} is not in the list"));
            continue;
        };
        for name in named(&fs::read_to_string(&file).unwrap()) {
            if place(&name).is_some_and(|other| other > own) {
                wrong.push(format!("{} imports {name}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Crates that only one module may name.
#[test]
fn borders_are_kept() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for (name, homes) in [
        ("gdal", ["io/", "io/"]),
        ("gdal_sys", ["io/", "io/"]),
        ("clap", ["cli/", "cli/"]),
        ("indicatif", ["cli/", "cli/"]),
        ("rayon", ["pipeline/driver.rs", "lab/simulate/"]),
    ] {
        for file in &files {
            let inside = file.strip_prefix(&root).unwrap().display().to_string();
            let text = fs::read_to_string(file).unwrap();
            let uses = text.lines().any(|line| {
                line.starts_with(&format!("use {name}::"))
                    || line.contains(&format!(" {name}::")) && !line.trim_start().starts_with("//")
            });
            assert!(
                !uses || homes.iter().any(|home| inside.starts_with(home)),
                "{inside} names {name}"
            );
        }
    }
    for file in &files {
        let inside = file.strip_prefix(&root).unwrap().display().to_string();
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let prints = code
            .lines()
            .any(|line| line.contains("println!(") && !line.trim_start().starts_with("//"));
        assert!(!prints || inside.starts_with("cli/"), "{inside} prints");
    }
}
