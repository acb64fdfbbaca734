//! Golden cases: simulated scenes, a run, and what must come out, held against it as `sitewatch evaluate --expect` does.
//! `SITEWATCH_UPDATE=1` rewrites what is expected.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sitewatch::finding::{Alignment, SceneRecord, SiteReport, Verdict};
use sitewatch::geo::Rect;
use sitewatch::lab::simulate::parse;
use sitewatch::stage::coregister::Model;
use sitewatch::stage::detect::Detector;
use sitewatch::verify::expect;

use super::cli::{sitewatch, text};
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
    assert!(checks[0].picture.is_some(), "the record departs");
    // Scores of another size: there is nothing to draw on.
    let other = root().join("testdata/cases/no-change/expected/score.tif");
    fs::copy(other, changed.join("score.tif")).unwrap();
    let checks = expect(&case, std::slice::from_ref(&changed), Some(&pictures)).unwrap();
    assert!(checks[1].departures[0].contains("pixels in 1 bands"), "{checks:#?}");
    assert_eq!(checks[0].picture, None);
    fs::remove_file(changed.join("report.json")).unwrap();
    assert!(expect(&case, &[changed], None).unwrap()[0].departures[0].contains("found none"));
}

fn expected_report(case: &str) -> SiteReport {
    let path = root().join("testdata/cases").join(case).join("expected/report.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// An expectation that was rewritten without a look could hold anything: each case still shows what it stands for.
#[test]
fn every_case_shows_what_it_stands_for() {
    let verdicts = |case: &str| expected_report(case).verdicts().into_keys().collect::<Vec<_>>();
    for (case, verdict) in [
        ("consistent", Verdict::Consistent),
        ("undeclared", Verdict::Undeclared),
        ("overrun", Verdict::OverRun),
        ("not-seen", Verdict::DeclaredNotSeen),
        ("not-observable", Verdict::NotObservable),
        ("inconclusive", Verdict::Inconclusive),
    ] {
        assert!(verdicts(case).contains(&verdict), "{case}: {:?}", verdicts(case));
    }
    assert_eq!(verdicts("every-verdict").len(), 6);
    for (case, detector) in [
        ("detector-difference", &[Detector::Difference][..]),
        ("detector-rcva", &[Detector::Rcva]),
        ("detector-irmad", &[Detector::Irmad]),
        ("detector-regression", &[Detector::Regression]),
        ("detector-history", &[Detector::History]),
        ("detector-logratio", &[Detector::Logratio]),
        ("detector-omnibus", &[Detector::Omnibus]),
        ("detector-combine", &[Detector::Difference, Detector::Irmad]),
        ("optical-and-radar", &[Detector::Regression, Detector::Logratio]),
    ] {
        assert_eq!(expected_report(case).comparisons[0].detectors, detector, "{case}");
        finds_the_hall(case);
    }
    for (case, reasons) in [
        ("cloud", &["cloud", "near_cloud", "shadow"][..]),
        ("nodata-wedge", &["nodata"]),
    ] {
        let coverage = &expected_report(case).comparisons[0].coverage;
        assert!(coverage.not_observed.keys().eq(reasons), "{case}: {coverage:?}");
        assert!(
            (0.5..0.95).contains(&coverage.observed_fraction),
            "{case}: {coverage:?}"
        );
    }
    let moved = |case: &str| expected_report(case).comparisons[0].registration.clone().unwrap();
    let shift = moved("shift").shift_px.unwrap();
    assert!(shift[0].hypot(shift[1]) > 1.0, "{shift:?}");
    // The zone alone makes it resampled: nothing is to be shifted.
    assert_eq!(moved("other-zone").model, Model::Identity);
    let resampled = |scene: &SceneRecord| scene.alignment.values().all(|how| *how == Alignment::Resampled);
    let zones: Vec<bool> = expected_report("other-zone").scenes.iter().map(resampled).collect();
    assert_eq!(zones, [false, true]);
    for case in ["shift", "season", "nodata-wedge", "unequal-grids", "other-zone"] {
        finds_the_hall(case);
    }
}

/// An undeclared anomaly lies where the recipe of `case` builds.
fn finds_the_hall(case: &str) {
    let recipe = fs::read_to_string(root().join("testdata/cases").join(case).join("recipe.toml")).unwrap();
    let recipe = parse(&recipe).unwrap();
    let hall = recipe
        .changes
        .iter()
        .find(|change| change.verdict == Some(Verdict::Undeclared))
        .unwrap();
    let report = expected_report(case);
    let grid = report.grid.unwrap();
    let [left, top, right, bottom] = hall.box_m;
    let x = (recipe.origin_m[0] + (left + right) / 2.0 - grid.left_m) / grid.pixel_m;
    let y = (grid.top_m - recipe.origin_m[1] + (top + bottom) / 2.0) / grid.pixel_m;
    let (x, y) = (x as i64, y as i64);
    let found = report.comparisons[0].anomalies.iter().any(|anomaly| {
        let [left, top, width, height] = anomaly.bounds_px;
        anomaly.verdict == Verdict::Undeclared && Rect::new(left, top, width as usize, height as usize).contains(x, y)
    });
    assert!(found, "{case}: no undeclared anomaly at ({x}, {y})");
}

/// Every case stands in the table of testdata/README.md.
#[test]
fn every_case_is_told_of() {
    let table = fs::read_to_string(root().join("testdata/README.md")).unwrap();
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            table.contains(&format!("`{name}`")),
            "{name} is not in testdata/README.md"
        );
    }
}

#[test]
fn the_command_tells_by_its_exit_code_whether_a_run_is_as_expected() {
    let folder = tempfile::tempdir().unwrap();
    let kept = root().join("testdata/cases/undeclared/expected");
    let found = folder.path().join("found");
    fs::create_dir(&found).unwrap();
    for file in KEPT {
        fs::copy(kept.join(file), found.join(file)).unwrap();
    }
    let (junit, pictures) = (folder.path().join("junit.xml"), folder.path().join("pictures"));
    let [kept, there, xml, out] = [&kept, &found, &junit, &pictures].map(|path| text(path));
    let held = || {
        let ran = sitewatch(&["evaluate", "--expect", &kept, &there, "--junit", &xml, "--out", &out]);
        let told = String::from_utf8_lossy(&ran.stdout).into_owned();
        (ran.status.code(), told, fs::read_to_string(&junit).unwrap())
    };
    let (code, told, xml) = held();
    assert_eq!(code, Some(0), "{told}");
    assert!(xml.contains(r#"tests="3""#) && xml.contains(r#"failures="0""#), "{xml}");
    let drawn = fs::read_dir(&pictures).unwrap().count();
    assert_eq!(drawn, 0, "nothing departs, nothing is drawn");
    // The record alone departs: an anomaly is gone.
    let mut report = expected_report("undeclared");
    let [x, y, w, h] = report.comparisons[0].anomalies[0].bounds_px;
    report.comparisons[0].anomalies.clear();
    fs::write(found.join("report.json"), serde_json::to_vec(&report).unwrap()).unwrap();
    let (code, told, xml) = held();
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("expected, not found: undeclared anomaly"), "{told}");
    assert!(
        told.contains("site-report.png") && xml.contains("site-report.png"),
        "{told}{xml}"
    );
    assert!(xml.contains(r#"failures="1""#), "{xml}");
    // It is framed where it is expected and where they differ, and not where it was not found.
    let picture = image::open(pictures.join("site-report.png")).unwrap().into_rgb8();
    let grid = report.grid.unwrap();
    let panel = (picture.width() - 16) / 3;
    let zoom = panel / grid.width as u32;
    let (x, y) = (zoom * (x + w / 2) as u32, zoom * (y - 1) as u32);
    let frame = image::Rgb([255, 60, 60]);
    let framed = [0, 1, 2].map(|at| *picture.get_pixel(at * (panel + 8) + x, y) == frame);
    assert_eq!(framed, [true, false, true], "above the anomaly of {h} rows");
    let nowhere = text(&folder.path().join("nowhere"));
    let ran = sitewatch(&["evaluate", "--expect", &nowhere, &there]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
}
