//! Bad input: a clear error that names the file and what to do, no panic, nothing half-written.

use std::fs;
use std::path::{Path, PathBuf};

use super::cli::{sitewatch, text};
use super::common::{root, simulate};

/// A simulated case, its newest scene's raster, and its pipeline.
fn case(folder: &Path) -> (PathBuf, PathBuf) {
    let pipeline = simulate(&root().join("testdata/cases/undeclared/recipe.toml"), folder);
    let mut rasters: Vec<PathBuf> = fs::read_dir(folder.join("scenes/scenes"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| text(path).ends_with(".tif") && !text(path).contains("SCL"))
        .collect();
    rasters.sort();
    (rasters.pop().unwrap(), pipeline)
}

/// What a run says when `spoil` has been done to the newest raster.
fn said(spoil: impl FnOnce(&Path)) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let (raster, pipeline) = case(folder.path());
    spoil(&raster);
    let out = folder.path().join("out");
    let run = sitewatch(&["run", &text(&pipeline), "--out", &text(&out)]);
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(!said.contains("panicked"), "{said}");
    let left: Vec<String> = fs::read_dir(&out)
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    assert!(
        left.iter()
            .all(|name| !name.starts_with(".sitewatch-") || name == ".sitewatch-lock"),
        "left behind: {left:?}"
    );
    (run.status.code(), said)
}

#[test]
fn rasters_that_are_none() {
    let (code, told) = said(|raster| fs::write(raster, "not a raster").unwrap());
    assert!(
        code == Some(3) && told.contains("it is text, not a raster"),
        "{code:?} {told}"
    );
    let (code, told) = said(|raster| fs::write(raster, "").unwrap());
    assert!(code == Some(3) && told.contains("the file is empty"), "{code:?} {told}");
    let (code, told) = said(|raster| {
        let vrt = "<VRTDataset rasterXSize=\"9\" rasterYSize=\"9\"><VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource>\
                   <SourceFilename>/vsicurl/http://127.0.0.1/x.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>";
        fs::write(raster, vrt).unwrap();
    });
    assert!(code == Some(3) && told.contains("it is a VRT"), "{code:?} {told}");
    let (code, told) = said(|raster| fs::remove_file(raster).unwrap());
    assert!(code == Some(3) && told.contains("No such file"), "{code:?} {told}");
}

#[test]
fn a_truncated_raster_fails_its_site_by_name() {
    let (code, told) = said(|raster| {
        let bytes = fs::read(raster).unwrap();
        fs::write(raster, &bytes[..bytes.len() / 2]).unwrap();
    });
    assert!(
        code == Some(3) && told.contains("is the file complete?") && told.contains(".tif"),
        "{code:?} {told}"
    );
}

#[test]
fn declarations_at_fault_are_told_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_, pipeline) = case(folder.path());
    let path = folder.path().join("scenes/declaration.geojson");
    let good: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let told = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut bad = good.clone();
        change(&mut bad);
        fs::write(&path, bad.to_string()).unwrap();
        let run = sitewatch(&["run", &text(&pipeline), "--out", &text(&folder.path().join("out"))]);
        assert_eq!(run.status.code(), Some(2), "{run:?}");
        String::from_utf8_lossy(&run.stderr).into_owned()
    };
    let duplicate = told(&|d| {
        let first = d["features"][0].clone();
        d["features"].as_array_mut().unwrap().push(first);
    });
    assert!(
        duplicate.contains("declaration.geojson") && duplicate.contains("features["),
        "{duplicate}"
    );
    let swapped = told(&|d| {
        d["features"][0]["geometry"]["coordinates"] =
            serde_json::json!([[[48.0, 111.0], [48.1, 111.0], [48.1, 111.1], [48.0, 111.0]]]);
    });
    assert!(swapped.contains("latitude"), "{swapped}");
    let crossed = told(&|d| {
        d["features"][0]["geometry"]["coordinates"] =
            serde_json::json!([[[13.0, 48.0], [13.1, 48.1], [13.1, 48.0], [13.0, 48.1], [13.0, 48.0]]]);
    });
    assert!(crossed.contains("intersect"), "{crossed}");
}

#[test]
fn a_site_that_no_scene_covers_is_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let (_, pipeline) = case(folder.path());
    let declaration = serde_json::json!({
        "type": "FeatureCollection",
        "declaration": {"id": "d", "party": "p", "agreement": "a", "issued": "2020-01-01"},
        "features": [{"type": "Feature", "properties": {"kind": "site", "id": "far", "name": "Far away"},
            "geometry": {"type": "Polygon", "coordinates": [[[100.0, 10.0], [100.01, 10.0], [100.01, 10.01], [100.0, 10.01], [100.0, 10.0]]]}}],
    });
    fs::write(
        folder.path().join("scenes/declaration.geojson"),
        declaration.to_string(),
    )
    .unwrap();
    let out = folder.path().join("out");
    let run = sitewatch(&["run", &text(&pipeline), "--out", &text(&out)]);
    assert_eq!(run.status.code(), Some(3), "{run:?}");
    let report: serde_json::Value = serde_json::from_slice(&fs::read(out.join("far/report.json")).unwrap()).unwrap();
    assert!(
        report["refused"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("does not cover"),
        "{report:#}"
    );
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (_, pipeline) = case(folder.path());
    let run = sitewatch(&["run", &text(&pipeline), "--out", "/proc/sitewatch"]);
    assert!(
        run.status.code() == Some(3) && String::from_utf8_lossy(&run.stderr).contains("/proc/sitewatch"),
        "{run:?}"
    );
}
