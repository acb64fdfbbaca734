//! A handful of runs through the command line: exit codes, messages, locks.

use std::path::Path;
use std::process::{Command, Output};

use super::common::{root, simulate};

pub fn sitewatch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sitewatch"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_run_tells_what_it_found_and_a_second_finds_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = text(&simulate(
        &root().join("testdata/cases/undeclared/recipe.toml"),
        folder.path(),
    ));
    let out = text(&folder.path().join("out"));
    let first = sitewatch(&["run", &pipeline, "--out", &out, "--fail-on", "anomaly", "--log", "json"]);
    assert_eq!(first.status.code(), Some(1), "{first:?}");
    assert!(
        String::from_utf8_lossy(&first.stdout).contains("undeclared"),
        "{first:?}"
    );
    for line in String::from_utf8_lossy(&first.stderr).lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "not JSON: {line}"
        );
    }
    let again = sitewatch(&["run", &pipeline, "--out", &out]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(
        String::from_utf8_lossy(&again.stdout).contains("Nothing new"),
        "{again:?}"
    );
    let names: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        names.contains(&"run.json".to_owned()) && names.contains(&"index.html".to_owned()),
        "{names:?}"
    );
    let _lock = sitewatch::pipeline::publish::OutFolder::lock(Path::new(&out)).unwrap();
    let locked = sitewatch(&["run", &pipeline, "--out", &out]);
    assert_eq!(locked.status.code(), Some(75), "{locked:?}");
}

#[test]
fn plan_and_check_read_no_pixel_and_tell_all() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = simulate(&root().join("testdata/cases/undeclared/recipe.toml"), folder.path());
    let plan = sitewatch(&["plan", &text(&pipeline)]);
    let said = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(
        plan.status.success() && said.contains("compares") && said.contains("predicted peak memory"),
        "{plan:?}"
    );
    let [declaration, items] =
        ["scenes/declaration.geojson", "scenes/items.json"].map(|name| text(&folder.path().join(name)));
    let check = sitewatch(&["check", &text(&pipeline), &declaration, &items]);
    assert!(check.status.success(), "{check:?}");
    std::fs::write(&pipeline, "[grid]\npixel = 3\n[cutof]\n").unwrap();
    let check = sitewatch(&["check", &text(&pipeline)]);
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    assert_eq!(check.status.code(), Some(2));
    assert!(
        said.contains("line 2: unknown key 'grid.pixel'; did you mean 'pixel_m'?") && said.contains("line 3"),
        "{said}"
    );
}

#[test]
fn help_has_examples() {
    let help = sitewatch(&["run", "--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit codes"), "{help:?}");
    assert_eq!(sitewatch(&["run"]).status.code(), Some(2));
    assert!(sitewatch(&["completions", "bash"]).status.success());
}

#[test]
fn files_made_again_from_the_record_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = text(&simulate(
        &root().join("testdata/cases/overrun/recipe.toml"),
        folder.path(),
    ));
    let out = folder.path().join("out");
    sitewatch(&["run", &pipeline, "--out", &text(&out)]);
    let site = super::common::only_site(&out);
    let names = [
        "report.html",
        "anomalies.gpkg",
        "anomalies.geojson",
        "anomalies.csv",
        "junit.xml",
        "item.json",
    ];
    let first = names.map(|name| std::fs::read(site.join(name)).unwrap());
    let beside = std::fs::read_dir(&site).unwrap().count();
    names
        .iter()
        .for_each(|name| std::fs::remove_file(site.join(name)).unwrap());
    let record = text(&site.join("report.json"));
    let made = sitewatch(&["report", &record, "--to", "html,gpkg,geojson,csv,junit,stac"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    for (name, first) in names.iter().zip(first) {
        assert!(std::fs::read(site.join(name)).unwrap() == first, "{name} differs");
    }
    assert_eq!(
        std::fs::read_dir(&site).unwrap().count(),
        beside,
        "nothing is left beside"
    );
    let wrong = sitewatch(&["report", &text(&site.join("item.json")), "--to", "html"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
}
