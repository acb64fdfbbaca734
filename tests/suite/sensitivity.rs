//! The minimum detectable change: the same in all ways of computing it, and true of changes that were never part of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sitewatch::config::Config;
use sitewatch::finding::{ChangeSensitivity, SiteReport};
use sitewatch::geo::Rect;
use sitewatch::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
use sitewatch::io::pool::Pool;
use sitewatch::raster::Plane;
use sitewatch::run::sensitivity::{Measured, of_sites};
use sitewatch::scene::{Sensors, read_stac, spectra};
use sitewatch::stage::random::SplitMix;
use sitewatch::stage::sensitivity::paint::{Effect, Patch};

use super::common::{only_report, root, simulate, survey, unstate};

fn measured(pipeline: &Path, change: impl FnOnce(&mut Config)) -> Vec<Measured> {
    let mut config = Config::read(pipeline).unwrap();
    change(&mut config);
    of_sites(&config, None, &AtomicBool::new(false)).unwrap()
}

#[test]
fn tiles_and_threads_cannot_be_seen_and_zones_have_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = simulate(&root().join("testdata/cases/every-verdict/recipe.toml"), folder.path());
    let way = |threads, tile_px| {
        measured(&pipeline, |config| {
            (config.compute.threads, config.compute.tile_px) = (threads, tile_px);
            config.sensitivity.injections = 130;
        })
    };
    let first = way(1, 512);
    let found = first[0].sensitivity.as_ref().unwrap();
    assert!(found.areas.len() > 1 && found.areas[0].zone.is_none());
    assert!(found.areas[0].injected > 100, "{}", found.areas[0].injected);
    assert!(found.areas[1].zone.is_some());
    assert_ne!(found.areas[0].changes, found.areas[1].changes);
    assert_eq!(first, way(2, 32));
}

/// A scene of the no-change case, into whose file changes are painted.
struct Target {
    pipeline: std::path::PathBuf,
    folder: tempfile::TempDir,
}

/// Pixels of the scene left of and above the site.
const SITE_FROM_PX: f64 = 30.0;
/// Pixels along an edge of the site.
const SITE_PX: f64 = 140.0;
/// No two changes of one run are nearer than this, pixels: what the detector sees around each does not meet.
const APART_PX: f64 = 46.0;

impl Target {
    /// Runs the program on a scene where the ground under squares of `size_px` pixels has become the spectrum `id`, several times;
    /// how many squares an anomaly touches, and how many there were. `before` is the run without them.
    fn found(&self, before: &SiteReport, id: &str, size_px: f64, seed: u64) -> (u64, u64) {
        let stac = self.folder.path().join("scenes/items.json");
        unstate(&stac);
        let scenes = read_stac(&stac, &Sensors::embedded().unwrap()).unwrap().scenes;
        let scene = scenes.last().unwrap();
        let path = &scene.bands[0].path;
        let pool = Arc::new(Pool::default());
        let whole = Rect::new(0, 0, 200, 200);
        let original: Vec<Plane<u16>> = (1..=4).map(|band| pool.read(path, band, &whole).unwrap()).collect();
        let library = spectra::embedded().unwrap();
        let spectrum = library.iter().find(|spectrum| spectrum.id == id).unwrap();
        let shift = before.comparisons[0].registration.as_ref().unwrap().shift_px.unwrap();
        let (mut found, mut all) = (0, 0);
        let mut random = SplitMix(seed);
        for _ in 0..12 {
            let squares = self.places(before, size_px.sqrt(), &mut random);
            let mut bands = original.clone();
            for (band, plane) in scene.bands.iter().zip(&mut bands) {
                let mut physical = plane.map(|raw| (f64::from(*raw) * band.scale + band.offset) as f32);
                for [x, y] in &squares {
                    let at = [x + SITE_FROM_PX + shift[0], y + SITE_FROM_PX + shift[1]];
                    let effect = Effect::Replace(spectrum.reflectance[&band.name] as f32);
                    Patch::new(at, size_px.sqrt(), |x, y| (x, y), effect, (0.0, 1.0)).paint(&mut physical);
                }
                *plane = physical.map(|v| ((f64::from(*v) - band.offset) / band.scale).round() as u16);
            }
            pool.forget(path);
            write(path, &bands);
            let out = tempfile::tempdir().unwrap();
            survey(&self.pipeline, out.path(), |_| {});
            let report = only_report(out.path());
            for place in &squares {
                all += 1;
                found += u64::from(is_touched(&report, *place, size_px.sqrt(), 0));
            }
        }
        write(path, &original);
        (found, all)
    }

    /// Places of one run: a lattice moved by chance, without those where the run found something before.
    fn places(&self, before: &SiteReport, edge: f64, random: &mut SplitMix) -> Vec<[f64; 2]> {
        let (left, top) = (APART_PX * random.unit(), APART_PX * random.unit());
        let steps = (0..16).map(|i| (f64::from(i % 4), f64::from(i / 4)));
        let places = steps.map(|(i, j)| [left + APART_PX * i, top + APART_PX * j]);
        let inside = |v: &f64| (edge..SITE_PX - edge).contains(v);
        places
            .filter(|place| place.iter().all(inside) && !is_touched(before, *place, edge, 2))
            .collect()
    }
}

/// Whether the box of an anomaly touches the square, grown by `margin` pixels.
fn is_touched(report: &SiteReport, [x, y]: [f64; 2], edge: f64, margin: usize) -> bool {
    let low = |v: f64| (v - 0.5 * edge).floor() as i64;
    let length = |v: f64| ((v + 0.5 * edge).ceil() as i64 - low(v)) as usize;
    let square = Rect::new(low(x), low(y), length(x), length(y)).grow(margin);
    let boxes = report.comparisons[0].anomalies.iter().map(|anomaly| anomaly.bounds_px);
    let mut boxes = boxes.map(|[x, y, w, h]| Rect::new(x, y, w as usize, h as usize));
    boxes.any(|bounds| !bounds.intersect(&square).is_empty())
}

fn write(path: &Path, bands: &[Plane<u16>]) {
    let layout = Layout {
        width: 200,
        height: 200,
        bands: bands.len(),
        data_type: DataType::U16,
        transform: [412_000.0, 10.0, 0.0, 5_392_000.0, 0.0, -10.0],
        crs: "EPSG:32633".into(),
        nodata: Some(0.0),
        compression: Compression::Deflate(1),
        block: 256,
    };
    let mut writer = GeoTiffWriter::create(path, layout).unwrap();
    for (index, band) in bands.iter().enumerate() {
        let whole = Rect::new(0, 0, 200, 200);
        writer.write(index + 1, &whole, band.values()).unwrap();
    }
    writer.finish().unwrap();
}

/// The size of `probability`: the end of its interval that `end` takes, pixels.
fn end(change: &ChangeSensitivity, probability: f64, upper: bool) -> f64 {
    let size = change
        .sizes
        .iter()
        .find(|size| size.probability == probability)
        .unwrap();
    let end = if upper { size.high_m2 } else { size.low_m2 };
    end.unwrap() / 100.0
}

/// Changes at other places, painted into the file itself, and the whole run with its own alignment, normalisation, training and
/// cutoff: from the upper end of the interval on 90 % are found, and below the lower end of the other no more than half.
#[test]
fn what_is_said_holds_for_changes_in_the_file_at_other_places() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = simulate(&root().join("testdata/cases/no-change/recipe.toml"), folder.path());
    let measured = measured(&pipeline, |_| {});
    let found = measured[0].sensitivity.as_ref().unwrap();
    let change = found.areas[0]
        .changes
        .iter()
        .find(|change| change.change == "bare_soil")
        .unwrap();
    let out = tempfile::tempdir().unwrap();
    survey(&pipeline, out.path(), |_| {});
    let before = only_report(out.path());
    let target = Target { pipeline, folder };
    let (large, small) = (end(change, 0.9, true), end(change, 0.5, false));
    let (found, all) = target.found(&before, "bare_soil", large, 1);
    // Three standard deviations of a share of 90 %, and of one of a half.
    let spread = |share: f64, n: u64| 3.0 * (n as f64 * share * (1.0 - share)).sqrt();
    assert!(all >= 60);
    assert!(
        found as f64 >= 0.9 * all as f64 - spread(0.9, all),
        "{found} of {all} of {large:.1} pixels"
    );
    let (found, all) = target.found(&before, "bare_soil", small, 2);
    assert!(
        found as f64 <= 0.5 * all as f64 + spread(0.5, all),
        "{found} of {all} of {small:.1} pixels"
    );
}

/// What the false discovery rate of objects drops from a report is not said to have been found.
#[test]
fn what_would_be_dropped_counts_as_missed() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = simulate(&root().join("testdata/cases/no-change/recipe.toml"), folder.path());
    let found = |object_fdr: Option<f64>| -> u64 {
        let measured = measured(&pipeline, |config| {
            config.sensitivity.injections = 130;
            config.cutoff.object_fdr = object_fdr;
        });
        let changes = &measured[0].sensitivity.as_ref().unwrap().areas[0].changes;
        changes
            .iter()
            .flat_map(|change| &change.tried)
            .map(|tried| tried.found)
            .sum()
    };
    assert!(found(None) > 20);
    assert_eq!(found(Some(0.0)), 0);
}
