//! Small sites of a district share what is fitted: the same bytes whoever else is declared, and in whatever way they are worked off.

use std::fs;
use std::path::Path;

use super::common::{blocks, simulate, survey, unstate};

/// Four sites of 60 x 60 pixels on ground that is enough for a district: a corner of it, as the scenes cover no more.
const RECIPE: &str = r#"
seed = 5
epsg = 32633
origin_m = [399960, 5400000]
width_px = 640
height_px = 560
sites_grid = { rows = 2, cols = 2, size_m = 600, undeclared_every = 2, declared_every = 3 }

[land]
towns = 2
roads = 2
rivers = 1

[[date]]
time = "2021-06-08T10:10:31Z"

[[date]]
time = "2021-06-28T10:10:31Z"
gain = [1.05]
shift_px = [0.2, -0.3]
"#;

/// Names of the sites' folders under `out`, and what was found there: scores, and the record of its comparisons.
fn found(out: &Path) -> Vec<(String, Vec<u8>, serde_json::Value)> {
    let folders = fs::read_dir(out)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_dir());
    let mut found: Vec<_> = folders
        .map(|entry| {
            let record = fs::read(entry.path().join("report.json")).unwrap();
            let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
            let scores = fs::read(entry.path().join("score.tif")).unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, scores, record["comparisons"].clone())
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn a_site_is_judged_the_same_whoever_else_is_declared() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("recipe.toml");
    fs::write(&recipe, RECIPE).unwrap();
    let pipeline = simulate(&recipe, &folder.path().join("made"));
    let way = |threads: usize, tile_px: usize| {
        let out = tempfile::tempdir().unwrap();
        survey(&pipeline, out.path(), |config| {
            (config.compute.threads, config.compute.tile_px) = (threads, tile_px);
        });
        found(out.path())
    };
    let all = way(1, 512);
    assert_eq!(all.len(), 4);
    // Enough ground for tie points, though a site alone has 60 pixels: that of the district.
    let registrations: Vec<_> = all
        .iter()
        .map(|(.., comparisons)| &comparisons[0]["registration"])
        .collect();
    assert!(registrations[0]["tie_points"].as_u64().unwrap() > 5);
    assert!(registrations.iter().all(|one| *one == registrations[0]));
    assert!(way(2, 32) == all, "threads and tiles show");

    let declaration = folder.path().join("made/scenes/declaration.geojson");
    let mut declared: serde_json::Value = serde_json::from_slice(&fs::read(&declaration).unwrap()).unwrap();
    let features = declared["features"].as_array_mut().unwrap();
    let last = all.last().unwrap();
    features.retain(|feature| {
        let of = &feature["properties"];
        of["id"] == last.0.as_str() || of["site"] == last.0.as_str()
    });
    assert!(!features.is_empty());
    fs::write(&declaration, declared.to_string()).unwrap();
    assert!(way(1, 512) == all[3..], "the other sites show");
}

#[test]
fn damage_in_a_district_costs_the_sites_that_stand_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("recipe.toml");
    // Two sites in the first column of blocks of 512 pixels, two in the second.
    fs::write(&recipe, RECIPE.replace("width_px = 640", "width_px = 1280")).unwrap();
    let pipeline = simulate(&recipe, &folder.path().join("made"));
    let scenes = folder.path().join("made/scenes");
    unstate(&scenes.join("items.json"));
    let items: serde_json::Value = serde_json::from_slice(&fs::read(scenes.join("items.json")).unwrap()).unwrap();
    let image = items["features"][1]["assets"]["bands"]["href"].as_str().unwrap();
    let path = scenes.join(image);
    let mut bytes = fs::read(&path).unwrap();
    let second = blocks(&bytes)[1].clone();
    bytes[second].fill(0xA5);
    fs::write(&path, bytes).unwrap();

    let out = tempfile::tempdir().unwrap();
    let outcome = survey(&pipeline, out.path(), |_| {});
    let failed: Vec<bool> = outcome.sites.iter().map(|site| site.error.is_some()).collect();
    // Its 512 rows hold both rows of sites.
    assert_eq!(failed, [false, true, false, true]);
    for site in &outcome.sites {
        let folder = out.path().join(&site.folder);
        match &site.error {
            Some(error) => assert!(
                error.contains(image.trim_start_matches("./")) && !folder.exists(),
                "{error}"
            ),
            None => {
                let record = fs::read_to_string(folder.join("report.json")).unwrap();
                assert!(record.contains("what is fitted to the ground around the site goes without a part of"));
            }
        }
    }
}
