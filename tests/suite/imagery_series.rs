//! Series of real imagery: breaks of single pixels, and when a change happened.

use std::collections::BTreeSet;

use sitewatch::finding::{Anomaly, SiteReport};
use sitewatch::stage::detect::history::breaks::{Break, COLD, breaks};

use super::imagery::{imagery, reports, run};

/// A stored Landsat series of one pixel: days, five bands (green, red, NIR, SWIR1, SWIR2), and which observations are clear ground
/// or water, neither saturated nor negative. Of several rows of a day the first is kept.
struct LandsatSeries {
    days: Vec<f64>,
    bands: Vec<Vec<f64>>,
    clear: Vec<bool>,
}

impl LandsatSeries {
    /// `None`, with a note, where the imagery is absent.
    fn read(name: &str) -> Option<Self> {
        let path = imagery()?.join(format!("landsat_pixel_series/{name}.csv"));
        let text = std::fs::read_to_string(path).unwrap();
        let row = |line: &str| line.split(',').map(|v| v.trim().parse().unwrap()).collect();
        let mut rows: Vec<Vec<f64>> = text.lines().map(row).collect();
        rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
        rows.dedup_by(|later, first| later[0] == first[0]);
        // Columns: day, blue, green, red, NIR, SWIR1, SWIR2, thermal, quality (0 clear, 1 water); the first series has no more.
        let valid = |row: &Vec<f64>| row[8] <= 1.0 && row[1..7].iter().all(|v| *v > 0.0 && *v < 10_000.0);
        Some(Self {
            days: rows.iter().map(|row| row[0]).collect(),
            bands: (2..7).map(|band| rows.iter().map(|row| row[band]).collect()).collect(),
            clear: rows.iter().map(valid).collect(),
        })
    }

    fn breaks(&self) -> Vec<Break> {
        breaks(&self.days, &self.bands, &self.clear, &COLD)
    }

    fn clear_days(&self) -> impl DoubleEndedIterator<Item = f64> {
        let both = self.clear.iter().zip(&self.days);
        both.filter(|(clear, _)| **clear).map(|(_, day)| *day)
    }

    /// How many clear observations lie between two days.
    fn apart(&self, a: f64, b: f64) -> usize {
        self.clear_days()
            .filter(|day| *day > a.min(b) && *day <= a.max(b))
            .count()
    }
}

/// pycold, tests/test_pycold.py: break at 735040 (2013-06-21), the second segment ends at 737368.
#[test]
fn the_harmonic_test_finds_the_published_break() {
    let Some(series) = LandsatSeries::read("pycold_spectral_336_3980_obs") else {
        return;
    };
    let found = series.breaks();
    let [only] = found[..] else { panic!("{found:?}") };
    let [last, first] = [only.last_unchanged, only.first_changed].map(|place| series.days[place]);
    assert!(
        last < 735_040.0 && series.apart(first, 735_040.0) <= 1,
        "{last}, {first}"
    );
    assert!(series.apart(737_368.0, series.clear_days().next_back().unwrap()) <= 1);
}

/// `test_3657_3610_coefficients.csv`, whose days are MATLAB date numbers: proleptic ordinals and 366. Its program takes shorter runs
/// for a break and finds more of them; ours must be among them.
#[test]
fn the_breaks_of_the_reference_segments_are_found() {
    let Some(series) = LandsatSeries::read("test_3657_3610_observations") else {
        return;
    };
    let path = imagery()
        .unwrap()
        .join("landsat_pixel_series/test_3657_3610_coefficients.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let start = |line: &str| line.split(',').next().unwrap().trim().parse::<f64>().unwrap() - 366.0;
    let mut starts: Vec<f64> = text.lines().map(start).collect();
    starts.dedup();
    let found = series.breaks();
    let published = |b: &&Break| {
        let first = series.days[b.first_changed];
        starts.iter().any(|start| series.apart(first, *start) <= 1)
    };
    assert!(
        found.len() >= 4 && found.iter().filter(published).count() >= 3,
        "{found:?} {starts:?}"
    );
}

/// No reference: nothing may fail, breaks are in order, and a pixel under snow or without a quality band has no model.
#[test]
fn odd_landsat_series_are_told_without_failing() {
    for (name, none) in [
        ("sample_1", true),
        ("sample_2", false),
        ("sample_WA_grid08_row999_col1_normal", false),
        ("sample_WA_grid08_row12_col2265_fmask_fail", true),
        ("sample_WA_grid08_row9_col2267_persistent_snow", true),
    ] {
        let Some(series) = LandsatSeries::read(name) else {
            return;
        };
        let found = series.breaks();
        let ordered = found
            .windows(2)
            .all(|pair| pair[0].first_changed <= pair[1].last_unchanged);
        assert!(ordered, "{name}: {found:?}");
        assert!(!none || found.is_empty(), "{name}: {found:?}");
    }
}

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
