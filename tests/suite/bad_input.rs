//! Bad input: a clear error that names the file and what to do, no panic, nothing half-written.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sitewatch::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};

use super::cli::{sitewatch, text};
use super::common::{root, simulate, unstate};

/// A simulated case, its newest scene's raster, and its pipeline.
fn case(folder: &Path) -> (PathBuf, PathBuf) {
    let pipeline = simulate(&root().join("testdata/cases/undeclared/recipe.toml"), folder);
    unstate(&folder.join("scenes/items.json"));
    let mut rasters: Vec<PathBuf> = fs::read_dir(folder.join("scenes/scenes"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| text(path).ends_with(".tif") && !text(path).contains("SCL"))
        .collect();
    rasters.sort();
    (rasters.pop().unwrap(), pipeline)
}

/// What a run has left in its output beside reports and its lock.
fn left_aside(out: &Path) -> Vec<String> {
    let entries = fs::read_dir(out).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".sitewatch-") && name != ".sitewatch-lock")
        .collect()
}

/// What a run says when `spoil` has been done to the newest raster.
fn said(spoil: impl FnOnce(&Path)) -> (Option<i32>, String) {
    said_and_seen(spoil, |_| {})
}

/// As [`said`], with a look at the newest raster afterwards.
fn said_and_seen(spoil: impl FnOnce(&Path), look: impl FnOnce(&Path)) -> (Option<i32>, String) {
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
    let left = left_aside(&out);
    assert!(left.is_empty(), "left behind: {left:?}");
    look(&raster);
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
    assert!(code == Some(3) && told.contains("no file"), "{code:?} {told}");
}

#[test]
fn a_scene_replaced_by_mrf_is_refused_by_name_and_nothing_is_written_beside_it() {
    let mut before = Vec::new();
    let mut folder = PathBuf::new();
    let names = |folder: &Path| -> Vec<_> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().flatten().map(|e| e.file_name()).collect();
        names.sort();
        names
    };
    let mut after = Vec::new();
    let (code, told) = said_and_seen(
        |raster| {
            folder = raster.parent().unwrap().to_owned();
            let mrf = "<MRF_META><CachedSource><Source>/etc/passwd</Source></CachedSource><Raster><Size x='64' y='64' c='1'/>\
                       <DataFile>made.dat</DataFile><IndexFile>made.idx</IndexFile></Raster></MRF_META>";
            fs::write(raster, mrf).unwrap();
            before = names(&folder);
        },
        |raster| after = names(raster.parent().unwrap()),
    );
    assert!(code == Some(3) && told.contains("it is MRF"), "{code:?} {told}");
    assert!(!before.is_empty() && before == after, "{before:?} {after:?}");
}

#[test]
fn a_truncated_raster_is_refused_by_name_before_it_is_read() {
    let (code, told) = said(|raster| {
        let bytes = fs::read(raster).unwrap();
        fs::write(raster, &bytes[..bytes.len() / 2]).unwrap();
    });
    assert!(
        code == Some(3) && told.contains(".tif: it is not complete") && told.contains("no scene could be used"),
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

#[test]
fn a_date_without_data_and_a_band_that_is_missing_are_results() {
    let nothing = |raster: &Path| {
        let info = sitewatch::io::open::info(raster, sitewatch::io::formats::USUAL).unwrap();
        let layout = Layout {
            width: info.width,
            height: info.height,
            bands: info.bands,
            data_type: DataType::U16,
            transform: info.geotransform,
            crs: info.crs_wkt,
            nodata: Some(0.0),
            compression: Compression::Deflate(1),
            block: 512,
        };
        GeoTiffWriter::create(raster, layout).unwrap().finish().unwrap();
    };
    let (code, told) = said(nothing);
    assert!(
        code == Some(3) && told.contains("could not be observed") && told.contains("no data"),
        "{code:?} {told}"
    );
    let folder = tempfile::tempdir().unwrap();
    let (_, pipeline) = case(folder.path());
    let mut file = fs::OpenOptions::new().append(true).open(&pipeline).unwrap();
    writeln!(file, "[compare]\nbands = ['thermal']").unwrap();
    let plan = sitewatch(&["plan", &text(&pipeline)]);
    let told = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(
        plan.status.code() == Some(3) && told.contains("has none of the bands thermal (found: blue green red nir)"),
        "{plan:?}"
    );
}

#[test]
fn the_order_of_a_catalogue_does_not_matter_and_an_end_before_the_start_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, pipeline) = case(folder.path());
    let path = folder.path().join("scenes/items.json");
    let mut items: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let plan = || String::from_utf8_lossy(&sitewatch(&["plan", &text(&pipeline)]).stdout).into_owned();
    let forwards = plan();
    items["features"].as_array_mut().unwrap().reverse();
    fs::write(&path, items.to_string()).unwrap();
    assert_eq!(plan(), forwards);
    let properties = &mut items["features"][0]["properties"];
    properties["datetime"] = serde_json::Value::Null;
    properties["start_datetime"] = "2021-07-02T00:00:00Z".into();
    properties["end_datetime"] = "2021-07-01T00:00:00Z".into();
    fs::write(&path, items.to_string()).unwrap();
    let told = plan();
    assert!(told.contains("not used") && told.contains("2021-07-01"), "{told}");
}

#[test]
fn a_run_that_is_killed_leaves_nothing_half_made_and_the_next_one_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_, pipeline) = case(folder.path());
    let pipeline = text(&pipeline);
    let whole = folder.path().join("whole");
    assert!(sitewatch(&["run", &pipeline, "--out", &text(&whole)]).status.success());
    let out = folder.path().join("out");
    for milliseconds in [20, 60, 120, 200, 300, 450, 700] {
        let mut run = Command::new(env!("CARGO_BIN_EXE_sitewatch"))
            .args(["run", &pipeline, "--out", &text(&out)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        run.kill().unwrap();
        run.wait().unwrap();
        // A site's folder is absent or whole.
        if out.join("S").exists() {
            for name in [
                "report.json",
                "report.html",
                "score.tif",
                "flags.tif",
                "anomalies.geojson",
            ] {
                assert!(
                    out.join("S").join(name).exists(),
                    "killed after {milliseconds} ms: no {name}"
                );
            }
        }
    }
    assert!(sitewatch(&["run", &pipeline, "--out", &text(&out)]).status.success());
    for name in ["report.json", "score.tif", "flags.tif", "report.html"] {
        let [a, b] = [&whole, &out].map(|out| fs::read(out.join("S").join(name)).unwrap());
        assert!(a == b, "{name} differs from that of a run that was not killed");
    }
    let left = left_aside(&out);
    assert!(left.is_empty(), "{left:?}");
}
