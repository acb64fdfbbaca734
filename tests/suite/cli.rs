//! A handful of runs through the command line: exit codes, messages, locks.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::common::{root, simulate};

pub fn sitewatch(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewatch"));
    command.args(arguments).env("NO_COLOR", "1");
    command
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
    let done = last_of_json(&first);
    assert_eq!(
        (&done["sites"], &done["sites_with_news"]),
        (&json!(1), &json!(1)),
        "{done}"
    );
    // What stands is what it was, and is to be reviewed all the same.
    for (word, code) in [("anomaly", 1), ("unobserved", 1), ("new", 0)] {
        let again = sitewatch(&["run", &pipeline, "--out", &out, "--fail-on", word]);
        assert_eq!(again.status.code(), Some(code), "{word}: {again:?}");
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
    let _lock = sitewatch::output::publish::OutFolder::lock(Path::new(&out)).unwrap();
    let locked = sitewatch(&["run", &pipeline, "--out", &out, "--log", "json"]);
    assert_eq!(locked.status.code(), Some(75), "{locked:?}");
    assert_eq!(last_of_json(&locked)["sites"], 0);
}

/// The last line of a JSON log, which tells the exit code; every line is JSON, of one run, with its time and level.
fn last_of_json(run: &Output) -> Value {
    let log = String::from_utf8_lossy(&run.stderr).into_owned();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect();
    for line in &lines {
        let time: Result<jiff::Timestamp, _> = line["time"].as_str().unwrap_or_default().parse();
        assert!(
            time.is_ok() && line["run"] == lines[0]["run"] && line["run"].is_string(),
            "{line}"
        );
        assert!(
            ["info", "warn", "error"].contains(&line["level"].as_str().unwrap()),
            "{line}"
        );
    }
    let last = lines.last().unwrap().clone();
    assert_eq!(
        (&last["event"], &last["exit_code"]),
        (&json!("run_done"), &json!(run.status.code())),
        "{log}"
    );
    last
}

#[test]
fn a_json_log_is_json_however_a_run_ends() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = folder.path().join("pipeline.toml");
    simulate(&root().join("testdata/cases/undeclared/recipe.toml"), folder.path());
    fs::write(
        folder.path().join("empty.json"),
        r#"{"type": "FeatureCollection", "features": []}"#,
    )
    .unwrap();
    let out = text(&folder.path().join("out"));
    let run = |inputs: &str, more: &[&str]| {
        let text_of = format!("[inputs]\ndeclarations = ['scenes/declaration.geojson']\n{inputs}\n");
        fs::write(&pipeline, text_of).unwrap();
        let path = text(&pipeline);
        let run = sitewatch(&[&["run", &path, "--out", &out, "--log", "json"], more].concat());
        (last_of_json(&run), String::from_utf8_lossy(&run.stderr).into_owned())
    };
    let (done, said) = run("stac = ['nowhere.json']", &[]);
    assert!(
        done["exit_code"] == 2 && said.contains(r#""level":"error","message":"cannot read "#),
        "{said}"
    );
    let (done, said) = run("stac = [", &[]);
    assert!(done["exit_code"] == 2 && done["sites"] == 0, "{said}");
    let (done, said) = run("stac = ['empty.json']", &["--no-such-flag"]);
    assert!(done["exit_code"] == 2 && said.contains("no-such-flag"), "{said}");
    // No scenes yet: nothing was observed, and nothing is wrong with what was asked for.
    let folder_of_none = "[[inputs.folder]]\nglob = 'none/*.tif'\nbands = ['red']\ndate_pattern = '(\\d{8})'";
    for none in ["stac = ['empty.json']", folder_of_none] {
        let (done, said) = run(none, &[]);
        assert!(done["exit_code"] == 3 && done["sites_unobserved"] == 1, "{said}");
    }
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

#[test]
fn a_result_that_cannot_be_written_is_an_error_and_a_reader_that_leaves_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = text(&simulate(
        &root().join("testdata/cases/undeclared/recipe.toml"),
        folder.path(),
    ));
    let said = |arguments: &[&str], stdout: Stdio| {
        let run = command(arguments)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let end = run.wait_with_output().unwrap();
        (end.status.code(), String::from_utf8_lossy(&end.stderr).into_owned())
    };
    for arguments in [
        &["check", &pipeline][..],
        &["plan", &pipeline],
        &["schema"],
        &["completions", "bash"],
        &["run", "--help"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let (code, told) = said(arguments, full.into());
        assert_eq!(code, Some(3), "{arguments:?}: {told}");
        assert!(
            told.contains("error: writing standard output: No space left"),
            "{arguments:?}: {told}"
        );
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(
            said(arguments, writer.into()),
            (Some(0), String::new()),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_file_beyond_the_allowed_size_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = root().join("testdata/cases/undeclared/recipe.toml");
    let run = Command::new("sh")
        .args([
            "-c",
            "ulimit -f 8; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_sitewatch"),
            "simulate",
        ])
        .args([&text(&recipe), "--out", &text(folder.path())])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(3), "{run:?}");
    assert!(
        told.contains("error: ") && told.contains(&text(folder.path())),
        "{told}"
    );
}

#[test]
fn flags_are_held_to_the_ranges_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = text(&simulate(
        &root().join("testdata/cases/undeclared/recipe.toml"),
        folder.path(),
    ));
    let run = sitewatch(&["plan", &pipeline, "--threads", "100000", "--memory-mib", "1"]);
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    assert!(told.contains("--threads: expected 0 to 1024, found 100000"), "{told}");
    assert!(
        told.contains("--memory-mib: expected 128 to 10000000 MiB, found 1"),
        "{told}"
    );
}

/// What a run of the pipeline `text` says, and with which exit code it ends; `folder` holds the scenes.
fn run_of(folder: &Path, text_of: &str, out: &Path) -> (Option<i32>, String) {
    let pipeline = folder.join("pipeline.toml");
    fs::write(&pipeline, text_of).unwrap();
    let run = sitewatch(&["run", &text(&pipeline), "--out", &text(out)]);
    let said = [run.stdout, run.stderr].concat();
    (run.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn what_sitewatch_did_not_write_a_run_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let root_of = folder.path();
    let pipeline = simulate(&root().join("testdata/cases/undeclared/recipe.toml"), root_of);
    let plain = fs::read_to_string(&pipeline).unwrap();
    let out = root_of.join("out");
    let (code, said) = run_of(root_of, &plain, &out);
    assert_eq!(code, Some(0), "{said}");
    let site = super::common::only_site(&out);
    let report = fs::read(site.join("report.json")).unwrap();
    // A note of mine in the folder of a report: it may stay, and nothing takes its place.
    fs::write(site.join("notes.txt"), "mine").unwrap();
    assert_eq!(run_of(root_of, &plain, &out).0, Some(0));
    let otherwise = format!("{plain}[regions]\nmin_area_m2 = 500.0\n");
    let (code, said) = run_of(root_of, &otherwise, &out);
    assert!(
        code == Some(3) && said.contains("`notes.txt` stands there, which sitewatch did not write"),
        "{said}"
    );
    assert_eq!(fs::read(site.join("report.json")).unwrap(), report);
    fs::remove_dir_all(&site).unwrap();
    fs::write(&site, "mine").unwrap();
    assert_eq!(run_of(root_of, &plain, &out).0, Some(3));
    assert_eq!(fs::read(&site).unwrap(), b"mine");
    let own = root_of.join("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("index.html"), "<h1>Mine</h1>").unwrap();
    let (code, said) = run_of(root_of, &plain, &own);
    assert!(
        code == Some(3) && said.contains("index.html: a file stands there"),
        "{said}"
    );
    assert_eq!(fs::read(own.join("index.html")).unwrap(), b"<h1>Mine</h1>");
}

#[test]
fn one_catalogue_of_several_that_is_cut_short_costs_its_own_scenes() {
    let folder = tempfile::tempdir().unwrap();
    simulate(&root().join("testdata/cases/undeclared/recipe.toml"), folder.path());
    fs::write(folder.path().join("cut.json"), "{\"type\": \"FeatureColl").unwrap();
    let of = |stac: &str| format!("[inputs]\ndeclarations = ['scenes/declaration.geojson']\nstac = [{stac}]\n");
    let out = folder.path().join("out");
    let (code, said) = run_of(folder.path(), &of("'scenes/items.json', 'cut.json'"), &out);
    assert!(
        code == Some(3) && said.contains("cut.json") && said.contains("undeclared"),
        "{said}"
    );
    assert_eq!(run_of(folder.path(), &of("'cut.json'"), &out).0, Some(2));
}

#[test]
fn what_is_asked_for_and_cannot_be_is_told_before_a_run_and_in_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = simulate(&root().join("testdata/cases/undeclared/recipe.toml"), folder.path());
    let plain = fs::read_to_string(&pipeline).unwrap();
    let asked = "[detect]\ndetector = 'omnibus'\n[compare]\nbands = ['red', 'nri']\n";
    fs::write(&pipeline, format!("{plain}{asked}")).unwrap();
    let check = sitewatch(&["check", &text(&pipeline)]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    let expected = [
        "detector omnibus is not used: it is made for radar",
        "compare.bands names nri",
    ];
    assert!(expected.iter().all(|part| said.contains(part)), "{said}");
    let out = folder.path().join("out");
    assert_eq!(run_of(folder.path(), &format!("{plain}{asked}"), &out).0, Some(0));
    let notes = &super::common::only_report(&out).comparisons[0].notes;
    assert!(
        expected.iter().all(|part| notes.iter().any(|note| note.contains(part))),
        "{notes:?}"
    );
    // A pixel as large as the site.
    fs::write(&pipeline, format!("{plain}[grid]\npixel_m = 5000.0\n")).unwrap();
    let check = sitewatch(&["check", &text(&pipeline)]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(
        check.status.code() == Some(3) && said.contains("no pixel of 5000 m has its centre"),
        "{said}"
    );
}
