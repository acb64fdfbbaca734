//! Golden cases: simulated scenes, a run, and what must come out, held against it as `sitewatch evaluate --expect` does.
//! `SITEWATCH_UPDATE=1` rewrites what is expected.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sitewatch::finding::{SiteReport, Verdict};
use sitewatch::lab::expect::expect;

use super::common::{only_site, root, simulate, survey};

/// What is kept of an outcome.
const KEPT: [&str; 3] = ["report.json", "score.tif", "flags.tif"];

fn cases() -> Vec<PathBuf> {
    let folders = fs::read_dir(root().join("testdata/cases")).unwrap().flatten();
    let mut cases: Vec<PathBuf> = folders.map(|e| e.path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

/// Runs the case in `folder`; the folder of its site.
fn outcome(case: &Path, folder: &Path) -> PathBuf {
    let pipeline = simulate(&case.join("recipe.toml"), folder);
    if let Ok(more) = fs::read(case.join("pipeline.toml")) {
        let mut file = fs::OpenOptions::new().append(true).open(&pipeline).unwrap();
        file.write_all(&more).unwrap();
    }
    let out = folder.join("out");
    survey(&pipeline, &out, |_| {});
    only_site(&out)
}

#[test]
fn golden_cases() {
    let mut wrong = Vec::new();
    let pictures = root().join("target/golden");
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let folder = tempfile::tempdir().unwrap();
        let found = outcome(&case, folder.path());
        let expected = case.join("expected");
        if std::env::var_os("SITEWATCH_UPDATE").is_some() {
            fs::create_dir_all(&expected).unwrap();
            for file in KEPT {
                fs::copy(found.join(file), expected.join(file)).unwrap();
            }
        }
        let checks = expect(&expected, &[found], Some(&pictures.join(&name)))
            .unwrap_or_else(|error| panic!("{name}: {error}; make it with SITEWATCH_UPDATE=1"));
        assert_eq!(checks.len(), KEPT.len(), "{name}");
        for check in checks.iter().filter(|check| !check.departures.is_empty()) {
            wrong.push(format!("{name}: {check:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_departs_is_named_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let case = root().join("testdata/cases/undeclared/expected");
    let changed = folder.path().join("changed");
    fs::create_dir(&changed).unwrap();
    for file in KEPT {
        fs::copy(case.join(file), changed.join(file)).unwrap();
    }
    // Another case's scores, and a verdict turned round.
    fs::copy(
        root().join("testdata/cases/shift/expected/score.tif"),
        changed.join("score.tif"),
    )
    .unwrap();
    let mut report: SiteReport = serde_json::from_slice(&fs::read(changed.join("report.json")).unwrap()).unwrap();
    report.comparisons[0].anomalies[0].verdict = Verdict::Consistent;
    fs::write(changed.join("report.json"), serde_json::to_vec(&report).unwrap()).unwrap();
    let pictures = folder.path().join("pictures");
    let checks = expect(&case, std::slice::from_ref(&changed), Some(&pictures)).unwrap();
    let departs: Vec<bool> = checks.iter().map(|check| !check.departures.is_empty()).collect();
    assert_eq!(departs, [true, true, false], "{checks:#?}");
    assert!(
        checks[0]
            .departures
            .iter()
            .any(|text| text.contains("expected \"undeclared\", found \"consistent\""))
    );
    let picture = checks[1].picture.as_ref().unwrap();
    let (width, height) = image::image_dimensions(picture).unwrap();
    assert!(width > 3 * height && height > 50, "three beside each other");
    fs::remove_file(changed.join("report.json")).unwrap();
    assert!(expect(&case, &[changed], None).unwrap()[0].departures[0].contains("found none"));
}
