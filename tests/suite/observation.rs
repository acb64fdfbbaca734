//! Ground that a file says it does not hold, or that clouds hide, is not called observed; pixels that measure nothing are refused.

use std::path::{Path, PathBuf};

use gdal::raster::Buffer;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use sitewatch::config::Config;
use sitewatch::finding::SiteReport;
use sitewatch::stage::detect::Detector;

use super::common::{only_report, only_site, root, simulate, survey, unstate};

const CLOUD: u8 = 9;

/// A simulated pair in which a hall was built: its pipeline, the newest raster and that one's quality band.
fn pair(folder: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let pipeline = simulate(&root().join("testdata/cases/undeclared/recipe.toml"), folder);
    unstate(&folder.join("scenes/items.json"));
    let newest = |name: &str| folder.join("scenes/scenes").join(name);
    (
        pipeline,
        newest("S2_20210628T101031.tif"),
        newest("S2_20210628T101031_SCL.tif"),
    )
}

/// Changes the raster at `path`.
fn change(path: &Path, change: impl FnOnce(&mut Dataset)) {
    sitewatch::io::prepare();
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_UPDATE,
        ..DatasetOptions::default()
    };
    let mut dataset = Dataset::open_ex(path, options).unwrap();
    change(&mut dataset);
    dataset.close().unwrap();
}

/// Fills `size` pixels from `at` on in every band of the raster at `path`.
fn fill(path: &Path, at: (isize, isize), size: (usize, usize), value: u16) {
    change(path, |dataset| {
        for band in 1..=dataset.raster_count() {
            let mut pixels = Buffer::new(size, vec![value; size.0 * size.1]);
            dataset.rasterband(band).unwrap().write(at, size, &mut pixels).unwrap();
        }
    });
}

/// The report of a run, and its page.
fn surveyed(pipeline: &Path, settings: impl FnOnce(&mut Config)) -> (SiteReport, String) {
    let out = tempfile::tempdir().unwrap();
    survey(pipeline, out.path(), |config| {
        config.detect.detector = Detector::Difference;
        settings(config);
    });
    let page = std::fs::read_to_string(only_site(out.path()).join("report.html")).unwrap();
    (only_report(out.path()), page)
}

/// Whether a page says that nothing was hidden.
fn is_whole(page: &str) -> bool {
    ["The whole site was observed", "all of which was observed"]
        .iter()
        .any(|said| page.contains(said))
}

/// Where its anomalies lie, pixels.
fn anomalies(report: &SiteReport) -> Vec<[i64; 2]> {
    let all = report.comparisons.iter().flat_map(|comparison| &comparison.anomalies);
    all.map(|anomaly| [anomaly.bounds_px[0], anomaly.bounds_px[1]])
        .collect()
}

#[test]
fn masked_ground_is_neither_observed_nor_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (pipeline, newest, _) = pair(folder.path());
    let (before, page) = surveyed(&pipeline, |_| {});
    assert!(is_whole(&page));
    // A swath's edge, where the file holds numbers that are none.
    let (at, size) = ((40, 60), (20, 24));
    fill(&newest, at, size, 9000);
    let (unmasked, _) = surveyed(&pipeline, |_| {});
    assert!(anomalies(&unmasked).len() > anomalies(&before).len());
    change(&newest, |dataset| {
        const KEY: &str = "GDAL_TIFF_INTERNAL_MASK";
        gdal::config::set_thread_local_config_option(KEY, "YES").unwrap();
        let mut band = dataset.rasterband(1).unwrap();
        band.create_mask_band(true).unwrap();
        let mut mask = band.open_mask_band().unwrap();
        let whole = mask.size();
        let mut all = Buffer::new(whole, vec![255_u8; whole.0 * whole.1]);
        mask.write((0, 0), whole, &mut all).unwrap();
        mask.write(at, size, &mut Buffer::new(size, vec![0_u8; size.0 * size.1]))
            .unwrap();
        gdal::config::clear_thread_local_config_option(KEY).unwrap();
    });
    let (report, page) = surveyed(&pipeline, |_| {});
    assert_eq!(anomalies(&report), anomalies(&before));
    let coverage = &report.comparisons[0].coverage;
    assert_eq!(coverage.not_observed.get("nodata"), Some(&480), "{coverage:?}");
    assert!(!is_whole(&page));
}

#[test]
fn a_coarse_pixel_with_a_small_cloud_is_not_observed() {
    let folder = tempfile::tempdir().unwrap();
    let (pipeline, newest, quality) = pair(folder.path());
    let settings = |config: &mut Config| config.grid.pixel_m = Some(60.0);
    let (before, _) = surveyed(&pipeline, settings);
    // Each cloud lies in the corner of a pixel of 60 m, away from its centre.
    let size = (2, 2);
    for at in [(54, 60), (60, 90), (96, 102)] {
        fill(&newest, at, size, 10_000);
        change(&quality, |dataset| {
            let mut cloud = Buffer::new((1, 1), vec![CLOUD]);
            dataset.rasterband(1).unwrap().write(at, (1, 1), &mut cloud).unwrap();
        });
    }
    let (report, page) = surveyed(&pipeline, settings);
    let clouds = report.comparisons[0].coverage.not_observed.get("cloud");
    assert!(clouds >= Some(&3), "{:?}", report.comparisons[0].coverage);
    assert!(anomalies(&report).len() <= anomalies(&before).len());
    assert!(!is_whole(&page));
}

#[test]
fn classes_are_refused_by_name_and_nothing_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (pipeline, newest, _) = pair(folder.path());
    let beside = newest.with_extension("tif.aux.xml");
    let text = "<PAMDataset><PAMRasterBand band='2'><CategoryNames><Category>water</Category></CategoryNames></PAMRasterBand></PAMDataset>";
    std::fs::write(beside, text).unwrap();
    let (report, _) = surveyed(&pipeline, |_| {});
    assert!(report.comparisons.is_empty());
    let reasons: Vec<&str> = report.refused.iter().map(|scene| scene.reason.as_str()).collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("band green") && reason.contains("numbers of classes")),
        "{reasons:?}"
    );
}
