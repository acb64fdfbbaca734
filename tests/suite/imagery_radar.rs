//! Radar of real imagery: figures to keep.

use super::imagery::{cities, imagery, mean, reports, run, told};

/// |dB difference|, 3x3 mean, mean over the orbits, on the same grid and the same pixels (numpy, scipy and scikit-learn): 0.1127.
#[test]
fn the_ratio_of_radar_dates_beats_their_difference_on_six_labelled_cities() {
    let Some(cities) = cities("oscd-s1") else { return };
    let precision = mean(&cities, |city| city.figures.average_precision.unwrap().value);
    assert!(
        precision > 0.1127,
        "mean average precision {precision:.4}{}",
        told(&cities)
    );
}

/// Four bursts on which the reference program flags 3 of 11,559 pixels on the newest date.
#[test]
fn a_quiet_radar_series_stays_quiet() {
    let Some(imagery) = imagery() else { return };
    let out = tempfile::tempdir().unwrap();
    run("dist-s1", out.path(), &imagery, |_| {});
    let (mut claimed, mut judged, mut bursts) = (0, 0, 0);
    for report in reports(out.path()) {
        let comparison = report.comparisons.last().unwrap();
        assert!(
            comparison.observable && comparison.earlier.len() == 20,
            "{comparison:?}"
        );
        claimed += comparison.anomalies.iter().map(|anomaly| anomaly.pixels).sum::<u64>();
        judged += comparison.cutoff.as_ref().unwrap().judged;
        bursts += 1;
    }
    assert_eq!(bursts, 4);
    let share = claimed as f64 / judged as f64;
    assert!(
        share <= 0.0005,
        "{claimed} of {judged} pixels are claimed: {:.3} %",
        100.0 * share
    );
}
