//! The alarm budget is shared among all sites, and the false discovery rate of objects drops what it says.

use std::path::Path;

use sitewatch::finding::SiteReport;

use super::common::{root, simulate, survey};

const RECIPE: &str = r#"
seed = 31
epsg = 32633
origin_m = [412000, 5392000]
width_px = 240
height_px = 120

[[site]]
id = "small"
box_m = [100, 100, 900, 1100]

[[site]]
id = "large"
box_m = [1000, 100, 2300, 1100]

[[date]]
time = "2021-06-03T10:10:31Z"

[[date]]
time = "2021-08-13T10:10:31Z"
gain = [1.05]
"#;

fn report(out: &Path, site: &str) -> SiteReport {
    serde_json::from_slice(&std::fs::read(out.join(site).join("report.json")).unwrap()).unwrap()
}

#[test]
fn sites_share_the_budget_by_area_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("recipe.toml");
    std::fs::write(&recipe, RECIPE).unwrap();
    let pipeline = simulate(&recipe, folder.path());
    let reports = [1, 2].map(|threads| {
        let out = tempfile::tempdir().unwrap();
        survey(&pipeline, out.path(), |config| {
            config.cutoff.max_expected_false_anomalies = Some(8.0);
            config.compute.threads = threads;
        });
        ["small", "large"].map(|site| report(out.path(), site))
    });
    assert_eq!(reports[0], reports[1]);
    let mut shares = 0.0;
    for report in &reports[0] {
        let comparison = &report.comparisons[0];
        let cutoff = comparison.cutoff.as_ref().unwrap();
        let share = cutoff.max_expected_false_anomalies.unwrap();
        let area: f64 = reports[0].iter().map(|report| report.site.area_m2).sum();
        assert!((share - 8.0 * report.site.area_m2 / area).abs() < 1e-3);
        assert!(cutoff.method.is_none() && cutoff.expected_false_anomalies <= share * 1.00001);
        // The site is looked at whole, so each anomaly is one of the clusters.
        let clusters = cutoff.tail.as_ref().unwrap().clusters as f64;
        for anomaly in &comparison.anomalies {
            assert!(anomaly.p_value.unwrap() * clusters <= share * 1.00001);
        }
        shares += share;
    }
    assert!((shares - 8.0).abs() < 1e-3);
}

#[test]
fn a_false_discovery_rate_of_objects_keeps_the_strongest() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = simulate(&root().join("testdata/cases/every-verdict/recipe.toml"), folder.path());
    let found = |rate: Option<f64>| {
        let out = tempfile::tempdir().unwrap();
        survey(&pipeline, out.path(), |config| config.cutoff.object_fdr = rate);
        let site = std::fs::read_dir(out.path()).unwrap().flatten().map(|e| e.path());
        let site = site.filter(|path| path.is_dir()).min().unwrap();
        report(&site, "").comparisons.pop().unwrap()
    };
    let all = found(None);
    let mut rates: Vec<f64> = all.anomalies.iter().map(|anomaly| anomaly.q_value.unwrap()).collect();
    assert!(rates.len() > 1 && rates.is_sorted());
    assert_eq!(all.cutoff.as_ref().unwrap().claimed_object_fdr, rates.last().copied());
    // Half way between the strongest and the weakest.
    let rate = (rates[0] + rates[rates.len() - 1]) / 2.0;
    let some = found(Some(rate));
    let kept = rates.iter().filter(|q| **q <= rate).count();
    let cutoff = some.cutoff.unwrap();
    assert_eq!(
        (some.anomalies.len(), cutoff.dropped as usize),
        (kept, rates.len() - kept)
    );
    assert_eq!(cutoff.object_fdr, Some(rate));
    rates.truncate(kept);
    assert_eq!(cutoff.claimed_object_fdr, rates.last().copied());
}
