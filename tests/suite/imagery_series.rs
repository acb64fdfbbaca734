//! Series of real imagery: when a change happened.

use std::collections::BTreeSet;

use sitewatch::finding::{Anomaly, SiteReport};

use super::imagery::{imagery, reports, run};

/// When the anomalies of `report` began, each told by two of its scenes: that in which it was last seen unchanged, and the first in
/// which it was seen changed.
fn break_dates(report: &SiteReport) -> BTreeSet<(usize, usize)> {
    let acquired: Vec<_> = report.scenes.iter().map(|scene| &scene.acquired).collect();
    let place = |anomaly: &Anomaly| {
        let dates = &anomaly.dates;
        let unchanged = acquired.iter().position(|scene| scene.start == dates.start);
        let changed = acquired.iter().position(|scene| scene.end == dates.end);
        let (unchanged, changed) = (unchanged.unwrap(), changed.unwrap());
        // Inside the series, and narrower than the whole of it.
        let whole = (0, acquired.len() - 1);
        assert!(unchanged < changed && (unchanged, changed) != whole, "{dates:?}");
        (unchanged, changed)
    };
    report.comparisons[0].anomalies.iter().map(place).collect()
}

/// The river moves all the time: what is off its course today has been so since one or another of the dates.
#[test]
fn a_change_in_a_series_is_dated_by_two_of_its_scenes() {
    let Some(imagery) = imagery() else { return };
    let out = tempfile::tempdir().unwrap();
    run("ucayali-history", out.path(), &imagery, |_| {});
    let report = reports(out.path()).remove(0);
    assert_eq!(report.scenes.len(), 8);
    let break_dates = break_dates(&report);
    assert!(break_dates.len() >= 3, "{break_dates:?}");
}

/// A quiet patch of fields and wood under much cloud, judged at the end of each month while things grow.
#[test]
fn a_change_of_an_index_is_dated_and_fields_in_season_are_none() {
    let Some(imagery) = imagery() else { return };
    let (mut dated, mut judged, mut claimed) = (0, 0, 0);
    for month in 4..=10 {
        let out = tempfile::tempdir().unwrap();
        run("eolearn-history", out.path(), &imagery, |config| {
            config.compare.to = Some(format!("2017-{month:02}-28"));
        });
        let report = reports(out.path()).remove(0);
        assert!(report.scenes.len() > 25, "{}", report.scenes.len());
        dated += break_dates(&report).len();
        let comparison = &report.comparisons[0];
        judged += comparison.cutoff.as_ref().map_or(0, |cutoff| cutoff.judged);
        claimed += comparison.anomalies.iter().map(|anomaly| anomaly.pixels).sum::<u64>();
    }
    let share = claimed as f64 / judged as f64;
    assert!(
        dated >= 1 && share < 0.01,
        "{dated} dates; {claimed} of {judged} pixels are claimed"
    );
}
