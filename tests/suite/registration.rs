//! Co-registration of real pairs: the shifts that are known for them.

use sitewatch::finding::RegistrationOutcome;

use super::imagery::{imagery, optical_cities, reports, run};

/// Shift to apply to the *target*, the older scene: the median of 12 clear windows of 512 px, forward (imagery README). A quarter of the
/// target is cloud without a mask, and both have slanted edges of no data.
#[test]
fn the_arosics_pair_lies_where_it_was_measured() {
    let Some(imagery) = imagery() else { return };
    let out = tempfile::tempdir().unwrap();
    run("arosics", out.path(), &imagery, |_| {});
    let report = reports(out.path()).remove(0);
    let record = report.comparisons[0].registration.as_ref().unwrap();
    assert_eq!(
        (record.moved.as_str(), record.outcome),
        ("arosics-ref", RegistrationOutcome::Pass)
    );
    // Here the reference, which is the later scene, is moved: by as much the other way.
    let [x, y] = record.shift_px.unwrap().map(|shift| -shift);
    assert!(
        (x - -0.63).abs() < 0.1 && (y - 1.83).abs() < 0.1,
        "{x:.3}, {y:.3}: {record:?}"
    );
}

/// By city: shift to apply to date 2 by phase correlation of the whole image (imagery README), in pixels of the stored arrays; the edges
/// of such a pixel in metres, which is as wide as it is high in degrees only; and what is allowed on either axis, pixels of our grid.
///
/// The dates of bercy and nantes hold rows and columns that nearest-neighbour resampling doubled, at the same places on both dates:
/// they draw the correlation of the whole image towards 0. Ours, from windows, points the same way and lies further out.
#[rustfmt::skip]
const KNOWN: [(&str, [f64; 2], [f64; 2], f64); 6] = [
    ("abudhabi", [-0.60, -1.35], [9.543, 10.408], 0.15),
    ("bercy",    [-0.30, -0.10], [8.540, 12.945], 0.35),
    ("nantes",   [ 0.15, -0.10], [8.492, 12.469], 0.35),
    ("paris",    [-0.05,  0.05], [8.549, 12.939], 0.15),
    ("pisa",     [ 0.15,  0.90], [8.670, 11.955], 0.15),
    ("rennes",   [ 0.00,  0.05], [8.491, 12.706], 0.15),
];

#[test]
fn six_cities_are_moved_by_what_is_known() {
    let Some(cities) = optical_cities() else { return };
    for (city, (name, shift, edge_m, allowed)) in cities.iter().zip(KNOWN) {
        assert_eq!(city.report.site.id, name);
        let pixel_m = city.report.grid.as_ref().unwrap().pixel_m;
        let record = city.report.comparisons[0].registration.as_ref().unwrap();
        assert_eq!(
            (record.moved.as_str(), record.outcome),
            (&*format!("oscd-{name}-2"), RegistrationOutcome::Pass)
        );
        let found = record.shift_px.unwrap();
        for axis in 0..2 {
            let known = shift[axis] * edge_m[axis] / pixel_m;
            let off = found[axis] - known;
            assert!(
                off.abs() <= allowed,
                "{name}: {found:?}, known {known:.3} on axis {axis}"
            );
            if allowed > 0.15 {
                assert!(
                    off * known > 0.0,
                    "{name}: {found:?} lies nearer to 0 than {known:.3} on axis {axis}"
                );
            }
        }
    }
}
