//! Real imagery, where it is present beside the repository (`../shared/imagery`, or SITEWATCH_IMAGERY): figures to keep.

use std::path::PathBuf;

use super::common::{root, survey};

/// The folder of the imagery; `None`, said aloud, where it is absent.
fn imagery() -> Option<PathBuf> {
    let folder = std::env::var_os("SITEWATCH_IMAGERY").map_or_else(|| root().join("../shared/imagery"), PathBuf::from);
    if folder.join("oscd/items.json").exists() {
        return Some(folder);
    }
    eprintln!("skipped: no imagery at {}", folder.display());
    None
}

#[test]
fn scores_beat_standardised_change_vector_analysis_on_six_labelled_cities() {
    let Some(imagery) = imagery() else { return };
    let out = tempfile::tempdir().unwrap();
    survey(&root().join("tests/imagery/oscd.toml"), out.path(), |_| {});
    let cities = ["abudhabi", "bercy", "nantes", "paris", "pisa", "rennes"];
    let (mut auroc, mut precision) = (0.0, 0.0);
    for city in cities {
        let truth = imagery.join(format!("oscd/{city}/label.tif"));
        let figures = sitewatch::lab::evaluate::evaluate(&truth, &out.path().join(city))
            .unwrap()
            .remove(0);
        auroc += figures.auroc.unwrap() / cities.len() as f64;
        precision += figures.average_precision.unwrap() / cities.len() as f64;
    }
    // Change vector analysis on 13 bands standardised per date, over the same labels: 0.8512 and 0.2050.
    assert!(
        auroc >= 0.8512 && precision >= 0.2050,
        "mean AUROC {auroc:.4}, mean average precision {precision:.4}"
    );
}

#[test]
fn normalisation_saves_taizhou() {
    let Some(imagery) = imagery() else { return };
    let out = tempfile::tempdir().unwrap();
    survey(&root().join("tests/imagery/taizhou.toml"), out.path(), |_| {});
    let figures = sitewatch::lab::evaluate::evaluate(&imagery.join("taizhou/label.tif"), out.path())
        .unwrap()
        .remove(0);
    // Raw differences reach 0.41, standardised ones 0.9902.
    assert!(figures.auroc.unwrap() > 0.98, "{figures:?}");
    assert!(figures.claimed.kappa.unwrap() > 0.8, "{figures:?}");
}

#[test]
fn a_season_does_not_paint_the_scene() {
    if imagery().is_none() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    survey(&root().join("tests/imagery/juelich.toml"), out.path(), |_| {});
    let report = super::common::only_report(out.path());
    let claimed: u64 = report.comparisons[0]
        .anomalies
        .iter()
        .map(|anomaly| anomaly.pixels)
        .sum();
    let share = claimed as f64 / report.comparisons[0].coverage.pixels as f64;
    assert!(share < 0.4, "{share:.3} of the scene is claimed");
}
