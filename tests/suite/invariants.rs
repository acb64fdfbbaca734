//! Tiled == whole, 1 thread == n threads: the same bytes, whichever detector is at work.

use std::path::{Path, PathBuf};

use sitewatch::config::Config;
use sitewatch::scene::Which;
use sitewatch::stage::detect::{Detector, Rule};

use super::common::{only_report, root, simulate, survey};
use super::imagery::{imagery, reports, run};

/// Threads and largest edge of a tile, pixels: the first is what the others are held to.
const WAYS: [(usize, usize); 4] = [(1, 512), (1, 32), (2, 64), (8, 32)];

/// Detectors for a pair of optical scenes; several are joined.
const OPTICAL_PAIR: [&[Detector]; 5] = [
    &[Detector::Difference],
    &[Detector::Rcva],
    &[Detector::Irmad],
    &[Detector::Regression],
    &[Detector::Regression, Detector::Irmad],
];

/// What must not depend on tiles and threads: name and bytes of the files of every site under `out`.
fn files(out: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut sites: Vec<PathBuf> = std::fs::read_dir(out).unwrap().flatten().map(|e| e.path()).collect();
    sites.retain(|site| site.is_dir());
    sites.sort();
    let names = ["report.json", "score.tif", "flags.tif", "anomalies.geojson"];
    let paths = sites.iter().flat_map(|site| names.map(|name| site.join(name)));
    paths
        .map(|path| {
            (
                path.strip_prefix(out).unwrap().to_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect()
}

/// Holds `survey`, which runs into a folder with a change made to the parameters, to the same bytes in all [`WAYS`].
fn the_same_in_all_ways(what: &str, survey: impl Fn(&Path, &dyn Fn(&mut Config))) {
    let mut first = None;
    for (threads, tile_px) in WAYS {
        let out = tempfile::tempdir().unwrap();
        survey(out.path(), &|config| {
            (config.compute.threads, config.compute.tile_px) = (threads, tile_px);
        });
        let found = files(out.path());
        assert!(!found.is_empty(), "{what}: no site was surveyed");
        let first = first.get_or_insert_with(|| found.clone());
        assert_eq!(first.len(), found.len(), "{what}");
        for ((name, expected), (_, found)) in first.iter().zip(&found) {
            let name = name.display();
            assert!(
                expected == found,
                "{what}: {name} of {threads} threads and tiles of {tile_px} px differs from that of one tile"
            );
        }
    }
}

fn detect_with(config: &mut Config, detectors: &[Detector]) {
    match detectors {
        [one] => config.detect.detector = *one,
        several => {
            config.detect.detector = Detector::Combine;
            config.detect.combine = several.to_vec();
            config.detect.rule = Rule::Sum;
        }
    }
}

/// Every detector for a pair on a simulated `case`, whose grid has pixels of `pixel_m`.
fn simulated(case: &str, pixel_m: Option<f64>) {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = simulate(
        &root().join(format!("testdata/cases/{case}/recipe.toml")),
        folder.path(),
    );
    for detectors in OPTICAL_PAIR {
        the_same_in_all_ways(&format!("{case}, {detectors:?}"), |out, change| {
            let outcome = survey(&pipeline, out, |config| {
                detect_with(config, detectors);
                config.grid.pixel_m = pixel_m;
                change(config);
            });
            assert_eq!(outcome.sites[0].error, None);
            assert_eq!(only_report(out).comparisons[0].detectors, detectors, "{case}");
        });
    }
}

/// `detector` on the real imagery of `pipeline`.
fn real(pipeline: &str, which: Which, detector: Detector) {
    let Some(imagery) = imagery() else { return };
    the_same_in_all_ways(&format!("{pipeline}, {detector:?}"), |out, change| {
        run(pipeline, out, &imagery, |config| {
            detect_with(config, &[detector]);
            // Averaged over neighbours: without that it looks at single pixels.
            config.detect.history.window_px = 3;
            config.compare.which = which;
            change(config);
        });
        for report in reports(out) {
            assert_eq!(report.comparisons[0].detectors, [detector], "{pipeline}");
        }
    });
}

/// The halo of the screen counts too.
#[test]
fn neither_tiles_nor_threads_can_be_seen_with_clouds() {
    simulated("not-observable", None);
}

/// Another pixel than the scenes': everything is resampled.
#[test]
fn neither_tiles_nor_threads_can_be_seen_in_what_is_resampled() {
    simulated("unequal-grids", Some(7.0));
}

#[test]
fn neither_tiles_nor_threads_can_be_seen_in_an_optical_series() {
    real("ucayali-history", Which::NewestAgainstHistory, Detector::History);
}

#[test]
fn neither_tiles_nor_threads_can_be_seen_in_radar() {
    real("dist-s1", Which::NewestAgainstPrevious, Detector::Logratio);
    real("dist-s1", Which::NewestAgainstHistory, Detector::Omnibus);
    real("dist-s1", Which::NewestAgainstHistory, Detector::History);
}
