//! Reports of simulated sites held against what really changed.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sitewatch::lab::evaluate::{self, Coding, Evaluation};

use super::cli::{sitewatch, text};
use super::common::{root, simulate, survey};

/// A simulated case in `folder`, surveyed into `folder`/out; its labelled raster.
fn case(name: &str, folder: &Path) -> PathBuf {
    let pipeline = simulate(&root().join("testdata/cases").join(name).join("recipe.toml"), folder);
    survey(&pipeline, &folder.join("out"), |_| {});
    let truths = std::fs::read_dir(folder.join("scenes/truth")).unwrap().flatten();
    truths.map(|entry| entry.path()).next().unwrap()
}

fn evaluate(truth: &Path, reports: &[PathBuf]) -> Evaluation {
    evaluate::evaluate(&[truth.to_owned()], Coding::default(), reports).unwrap()
}

#[test]
fn a_hall_is_one_object_by_its_raster_and_by_its_outline() {
    let folder = tempfile::tempdir().unwrap();
    let raster = case("undeclared", folder.path());
    let out = [folder.path().join("out")];
    let by_raster = evaluate(&raster, &out);
    let by_outline = evaluate(&folder.path().join("scenes/truth.geojson"), &out);
    for found in [&by_raster, &by_outline] {
        let (objects, pixels) = (&found.overall.objects, &found.overall.pixels);
        // 12 x 9 pixels on a site of 100 x 100.
        assert_eq!(
            (objects.objects, objects.hit, objects.false_regions),
            (1, 1, 0),
            "{objects:?}"
        );
        assert_eq!(pixels.judged.changed, 108);
        assert_eq!(pixels.judged.all() + pixels.not_judged.all(), 10_000);
        assert!(pixels.auroc.unwrap().value > 0.99, "{pixels:?}");
        let class = objects.by_area.iter().find(|class| class.objects == 1).unwrap();
        assert_eq!((class.from_m2, class.to_m2), (6400.0, None));
    }
    assert_eq!(by_raster.sites, by_outline.sites);
    // A report is found by its file, its folder, and the folder around it, and counts once.
    let report = super::common::only_site(&out[0]).join("report.json");
    let named = [report.clone(), report.parent().unwrap().to_owned(), out[0].clone()];
    assert_eq!(evaluate(&raster, &named).sites, by_raster.sites);
}

#[test]
fn ground_under_cloud_is_counted_apart_and_two_sites_make_one_overall() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let changed = case("undeclared", first.path());
    let clouded = case("not-observable", second.path());
    let reports = [first.path().join("out"), second.path().join("out")];
    let alone = evaluate(&clouded, &reports[1..]);
    let unseen = alone.overall.pixels.not_judged.all();
    assert!(
        unseen > 0 && alone.overall.pixels.judged.all() + unseen == 10_000,
        "{alone:?}"
    );
    // Both cases lie at one place, so each truth would label both sites: the first that is given counts.
    let truth = [changed, clouded];
    let both = evaluate::evaluate(&truth, Coding::default(), &reports).unwrap();
    let sum = |figure: fn(&evaluate::Figures) -> u64| both.sites.iter().map(figure).sum::<u64>();
    assert_eq!(both.sites.len(), 2);
    assert_eq!(both.overall.pixels.judged.all(), sum(|site| site.pixels.judged.all()));
    assert_eq!(
        both.overall.pixels.not_judged.all(),
        sum(|site| site.pixels.not_judged.all())
    );
    assert_eq!(both.overall.objects.objects, sum(|site| site.objects.objects));
    assert_eq!(both.overall.objects.hit, sum(|site| site.objects.hit));
}

#[test]
fn the_command_writes_the_same_figures_and_pictures_twice() {
    let folder = tempfile::tempdir().unwrap();
    let truth = text(&case("undeclared", folder.path()));
    let out = text(&folder.path().join("out"));
    let made = ["a", "b"].map(|name| {
        let to = folder.path().join(name);
        let ended = sitewatch(&["evaluate", "--truth", &truth, "--json", "--out", &text(&to), &out]);
        assert!(ended.status.success(), "{ended:?}");
        let printed: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let files = ["evaluation.json", "precision-recall.svg", "detection.svg"];
        let files = files.map(|file| std::fs::read_to_string(to.join(file)).unwrap());
        let written: Value = serde_json::from_str(&files[0]).unwrap();
        assert_eq!(printed, written);
        files
    });
    assert_eq!(made[0], made[1]);
    for svg in &made[0][1..] {
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && svg.contains("every cutoff"));
    }
    let table = sitewatch(&["evaluate", "--truth", &truth, &out]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    for expected in ["average precision", "hit rate", "per km2", "from 6400 m2", "Garwood"] {
        assert!(table.contains(expected), "no {expected} in\n{table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 140), "{table}");
}

#[test]
fn what_cannot_be_evaluated_is_told_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let truth = text(&case("undeclared", folder.path()));
    let out = text(&folder.path().join("out"));
    let said = |arguments: &[&str]| {
        let ended = sitewatch(arguments);
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let none = said(&["evaluate", "--truth", &truth, &text(&folder.path().join("scenes"))]);
    assert!(none.contains("found no report.json there"), "{none}");
    let wrong = said(&["evaluate", "--truth", &truth, "--labels", "changed=7,unchanged=9", &out]);
    assert!(wrong.contains("S: the truth says nothing of its ground"), "{wrong}");
    let coding = said(&["evaluate", "--truth", &truth, "--labels", "7", &out]);
    assert!(coding.contains("expected changed=NUMBER,unchanged=NUMBER"), "{coding}");
    let junit = text(&folder.path().join("x.xml"));
    let no_test = said(&["evaluate", "--truth", &truth, "--junit", &junit, &out]);
    assert!(no_test.contains("cannot be used with '--junit <FILE>'"), "{no_test}");
    std::fs::remove_file(super::common::only_site(Path::new(&out)).join("score.tif")).unwrap();
    let unscored = said(&["evaluate", "--truth", &truth, &out]);
    assert!(
        unscored.contains("S: there is no score.tif beside its report"),
        "{unscored}"
    );
}
