//! What the tests share: simulated scenes, runs into a temporary folder.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use sitewatch::config::Config;
use sitewatch::engine::events::Silent;
use sitewatch::run::Options;
use sitewatch::run::outcome::Outcome;
use sitewatch::run::run;

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Simulates the recipe at `recipe` into `folder`, with a pipeline file beside it; the pipeline's path.
pub fn simulate(recipe: &Path, folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(recipe).unwrap();
    let recipe = sitewatch::lab::simulate::parse(&text).unwrap();
    sitewatch::lab::simulate::simulate(&recipe, &folder.join("scenes")).unwrap();
    let pipeline = folder.join("pipeline.toml");
    let text = "[inputs]\ndeclarations = ['scenes/declaration.geojson']\nstac = ['scenes/items.json']\n";
    std::fs::write(&pipeline, text).unwrap();
    pipeline
}

/// Takes from the items at `path` what they state of the bytes of their files, so that only the files themselves tell of damage.
pub fn unstate(path: &Path) {
    let mut items: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for item in items["features"].as_array_mut().unwrap() {
        for asset in item["assets"].as_object_mut().unwrap().values_mut() {
            let asset = asset.as_object_mut().unwrap();
            asset.retain(|key, _| !matches!(key.as_str(), "file:checksum" | "file:size"));
        }
    }
    std::fs::write(path, items.to_string()).unwrap();
}

/// Where the packed blocks of the first raster of a classic little-endian TIFF lie, row by row.
pub fn blocks(bytes: &[u8]) -> Vec<Range<usize>> {
    let number = |at: usize, size: usize| (0..size).fold(0, |sum, i| sum | usize::from(bytes[at + i]) << (8 * i));
    assert_eq!(bytes[..4], *b"II*\0");
    let directory = number(4, 4);
    let mut lists = BTreeMap::new();
    for entry in 0..number(directory, 2) {
        let at = directory + 2 + 12 * entry;
        let (tag, size, count) = (
            number(at, 2),
            if number(at + 2, 2) == 3 { 2 } else { 4 },
            number(at + 4, 4),
        );
        let values = if size * count <= 4 { at + 8 } else { number(at + 8, 4) };
        let list: Vec<usize> = if matches!(tag, 273 | 279 | 324 | 325) {
            (0..count).map(|i| number(values + size * i, size)).collect()
        } else {
            Vec::new()
        };
        lists.insert(tag, list);
    }
    let [offsets, sizes] = [[273, 324], [279, 325]].map(|tags| tags.iter().find_map(|tag| lists.get(tag)).unwrap());
    offsets
        .iter()
        .zip(sizes)
        .filter(|(_, size)| **size > 0)
        .map(|(at, size)| *at..at + size)
        .collect()
}

/// Runs `pipeline` into `out`, with `change` made to its parameters.
pub fn survey(pipeline: &Path, out: &Path, change: impl FnOnce(&mut Config)) -> Outcome {
    let mut config = Config::read(pipeline).unwrap();
    change(&mut config);
    let stop = AtomicBool::new(false);
    run(
        &config,
        &Options {
            out,
            verify: false,
            stop: &stop,
            observer: &Silent,
        },
    )
    .unwrap()
}

/// The report of the one site under `out`.
pub fn only_report(out: &Path) -> sitewatch::finding::SiteReport {
    let folder = only_site(out);
    serde_json::from_slice(&std::fs::read(folder.join("report.json")).unwrap()).unwrap()
}

/// The folder of the one site under `out`.
pub fn only_site(out: &Path) -> PathBuf {
    let mut sites: Vec<PathBuf> = std::fs::read_dir(out)
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.join("report.json").exists())
        .collect();
    assert_eq!(sites.len(), 1, "{sites:?}");
    sites.remove(0)
}
