//! Time of each kernel of the library, a pixel, on synthetic scenes; `scripts/bench-kernels.py` makes the table.
//!
//! Every bench says how many pixels it treats and how many bytes it must move for them: those that it reads and those that it writes, each
//! once. The limit beside it is the time in which a memory copy moves as many.

mod shared;
mod synthetic;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use ndarray::Array2;
use shared::Watched;
use sitewatch::config::Config;
use sitewatch::engine::sample;
use sitewatch::geo::{Affine, Grid, Rect};
use sitewatch::io::bands::Layer;
use sitewatch::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
use sitewatch::io::mapping::{Mapping, Target};
use sitewatch::io::placement::Placement;
use sitewatch::io::pool::Pool;
use sitewatch::io::resample::{Kernel, Window, nearest, onto_grid};
use sitewatch::io::{blocked::Blocked, blocks::Blocks};
use sitewatch::io::{cog, crs, open};
use sitewatch::raster::stats::Histogram;
use sitewatch::raster::{MemorySource, PixelSource, Plane};
use sitewatch::stage::detect::combine::{Combination, Rule};
use sitewatch::stage::detect::smooth::{self, smooth};
use sitewatch::stage::detect::{Cell, Detector, irmad};
use sitewatch::stage::normalise::{self, SensorNoise};
use sitewatch::stage::regions::{Labeller, runs};
use sitewatch::stage::{cloud, coregister, cutoff, fringe, outline, persistent, screen};
use synthetic::{BANDS, EDGE, PIXEL_M};

/// The tile that is benched: the program's own size.
const TILE: Rect = Rect {
    x: 256,
    y: 256,
    w: 512,
    h: 512,
};
const F32: usize = size_of::<f32>();

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let bench = &mut Bench(&mut criterion);
    let config = Config::parse("inputs.declarations = [\"none\"]\ninputs.stac = [\"none\"]").unwrap();
    copy(bench);
    before_detection(bench, &config);
    let scores = detectors(bench, &config);
    after_detection(bench, &config, scores);
    resampling(bench);
    files(bench);
    criterion.final_summary();
}

struct Bench<'a>(&'a mut Criterion);

impl Bench<'_> {
    /// Times `work`, which treats `pixels` and moves `bytes` for each of them.
    fn time<T>(&mut self, name: &str, pixels: usize, bytes: usize, mut work: impl FnMut() -> T) {
        let mut group = self.0.benchmark_group("kernels");
        group.throughput(Throughput::ElementsAndBytes {
            elements: pixels as u64,
            bytes: (pixels * bytes) as u64,
        });
        group.bench_function(name, |bencher| bencher.iter(|| black_box(work())));
        group.finish();
    }
}

/// The limit: 64 MiB of pixels, far beyond the caches, are read and written.
fn copy(bench: &mut Bench<'_>) {
    let from = vec![1.0_f32; 1 << 24];
    let mut to = from.clone();
    bench.time("memory copy", from.len(), 2 * F32, || {
        to.copy_from_slice(black_box(&from))
    });
}

fn before_detection(bench: &mut Bench<'_>, config: &Config) {
    let pair = synthetic::optical(2);
    let halo = config.screen.halo(PIXEL_M);
    let stack = pair[1].read(&TILE.grow(halo)).unwrap();
    let around = stack.rect.area();
    bench.time("screen: quality band, buffer around cloud", around, F32 + 2, || {
        screen::screen(&stack, &TILE, PIXEL_M, &config.screen)
    });

    let reach = cloud::halo(PIXEL_M);
    let [before, after] =
        [0, 1].map(|date: usize| pair[date].read(&TILE.grow(reach).intersect(&synthetic::WHOLE)).unwrap());
    let names = synthetic::names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let cloud_bands = [&before, &after].map(|stack| cloud::CloudBands::new(&names, &stack.bands, true).unwrap());
    let rect = before.rect;
    bench.time(
        "own cloud test, both dates: tests and morphology",
        rect.area(),
        2 * (BANDS * F32 + 2),
        || cloud::pair(&cloud_bands[0], &cloud_bands[1], &rect, &TILE, PIXEL_M),
    );

    let series: Vec<_> = synthetic::optical(6)
        .iter()
        .map(|date| screen::stated(&date.read(&TILE.grow(persistent::halo(PIXEL_M))).unwrap()))
        .collect();
    bench.time(
        "persistent cloud unmasked, a date of six",
        6 * series[0].rect().area(),
        2,
        || persistent::unmasked(&series, &TILE, PIXEL_M),
    );

    let params = &config.coregister;
    let window = Rect::new(300, 300, params.window_px, params.window_px);
    let [reference, target] = [0, 1].map(|date: usize| pair[date].read(&window).unwrap().bands);
    bench.time(
        "co-registration: a window of 128 px",
        window.area(),
        2 * BANDS * F32,
        || coregister::tie_point(&reference, &target, window, params),
    );

    let reach = smooth::halo(&config.detect);
    let stack = pair[0].read(&TILE.grow(reach)).unwrap();
    let reasons = Plane::filled(stack.rect, 0);
    bench.time(
        "smooth: four bands and their gradients",
        TILE.area(),
        3 * BANDS * F32,
        || smooth(&stack.bands, &stack.rect, &reasons, &TILE, &config.detect),
    );
}

/// The scores of `difference` on the tile, for what comes after.
fn detectors(bench: &mut Bench<'_>, config: &Config) -> Plane<i16> {
    let (grid, boundary) = (synthetic::grid(), shared::whole(&synthetic::grid()));
    let mut first = None;
    let mut score = |name: &str, word: Detector, dates: &[MemorySource], radar: bool| {
        let names: Vec<String> = synthetic::names().into_iter().take(dates[0].bands.len()).collect();
        let watched = Watched {
            dates: dates.iter().map(|date| date as &dyn PixelSource).collect(),
            bands: &names,
            grid: &grid,
            boundary: &boundary,
            config,
        };
        let cells = watched.survey();
        if word == Detector::Difference {
            fits(bench, config, &cells);
        }
        let scorer = watched.scorer(word, &cells, radar);
        let stack = watched.reader().tile(&TILE, scorer.halo()).unwrap().stack;
        let bytes = dates.len() * names.len() * F32 + 2;
        bench.time(name, TILE.area(), bytes, || scorer.score(&stack, &TILE));
        first.get_or_insert_with(|| scorer.score(&stack, &TILE));
    };
    let pair = synthetic::optical(2);
    score("score: difference", Detector::Difference, &pair, false);
    score("score: rcva", Detector::Rcva, &pair, false);
    score("score: irmad", Detector::Irmad, &pair, false);
    score("score: regression", Detector::Regression, &pair, false);
    let series = synthetic::optical(12);
    score("score: history, 12 dates", Detector::History, &series, false);
    score(
        "score: logratio, 2 bands",
        Detector::Logratio,
        &synthetic::radar(2),
        true,
    );
    score(
        "score: omnibus, 8 dates, 2 bands",
        Detector::Omnibus,
        &synthetic::radar(8),
        true,
    );
    first.unwrap()
}

/// What is fitted to the training sample, a pixel of the sample.
fn fits(bench: &mut Bench<'_>, config: &Config, cells: &[Cell]) {
    let sample = sample::pixels(cells, &config.detect);
    let noise = vec![SensorNoise::default(); BANDS];
    let bytes = 2 * BANDS * F32;
    bench.time("normalise: fit", sample.len(), bytes, || {
        normalise::fit(&sample, &noise, &config.normalise)
    });
    bench.time("irmad: fit, all rounds", sample.len(), bytes, || {
        irmad::fit(&sample, &config.detect.irmad)
    });
    let fits = normalise::fit(&sample, &noise, &config.normalise).unwrap().bands;
    bench.time("normalise: linear fit of four bands", sample.len(), bytes, || {
        let pixels = |band: usize| sample.before[band].iter().zip(&sample.after[band]);
        let of_band = |band: usize| {
            pixels(band)
                .map(|(before, after)| fits[band].millisigma(*before, *after))
                .sum::<i64>()
        };
        (0..BANDS).map(of_band).sum::<i64>()
    });
}

fn after_detection(bench: &mut Bench<'_>, config: &Config, scores: Plane<i16>) {
    let twice = vec![scores.clone(), scores.clone()];
    let joined = Combination::fit(Rule::Sum, vec![1.0, 0.2], std::slice::from_ref(&twice));
    bench.time("combine: sum of two", TILE.area(), 6, || joined.join(twice.clone()));

    let mut histogram = Histogram::default();
    bench.time("histogram of scores", TILE.area(), 2, || {
        scores.values().iter().for_each(|score| histogram.add(*score))
    });
    let rule = config
        .profile
        .optical_pair
        .cutoff(&config.cutoff, &[config.profile.optical_pair.detector], None);
    bench.time("cutoff: fit, a level of the histogram", 1 << 16, 8, || {
        cutoff::fit(&histogram, None, &rule)
    });

    let core = Rect::new(TILE.x + 8, TILE.y + 8, TILE.w - 16, TILE.h - 16);
    bench.time("blur fringes taken off", core.area(), 4, || {
        fringe::without_fringes(&scores, &core, 3)
    });
    // A twentieth of the pixels lies in regions, a fiftieth makes them.
    let mut levels: Vec<i16> = scores.values().to_vec();
    levels.sort_unstable();
    let (grow, seed) = (levels[levels.len() * 19 / 20], levels[levels.len() * 49 / 50]);
    bench.time("regions: runs and labels", TILE.area(), 2, || {
        let mut labeller = Labeller::new(seed, 1);
        labeller.add_band(runs(&scores, grow, seed));
        labeller.finish()
    });
    let mut labeller = Labeller::new(seed, 1);
    labeller.add_band(runs(&scores, grow, seed));
    let regions = labeller.finish();
    let pixels: u64 = regions.iter().map(|region| region.pixels()).sum();
    bench.time("outlines, a pixel of a region", pixels as usize, 2, || {
        regions
            .iter()
            .map(|region| outline::outline(&region.runs).0.len())
            .sum::<usize>()
    });
}

fn resampling(bench: &mut Bench<'_>) {
    let grid = Grid {
        crs: "EPSG:32632".into(),
        ..synthetic::grid()
    };
    // The same ground in the next zone: where the raster lies there decides which corner of the grid falls onto it.
    let raster = synthetic::grid().geotransform();
    let wkt = crs::parse("EPSG:32633").unwrap().to_wkt().unwrap();
    let (mut x, mut y) = (vec![raster[0]], vec![raster[3]]);
    crs::Projector::new("EPSG:32633", "EPSG:32632")
        .unwrap()
        .project(&mut x, &mut y)
        .unwrap();
    let grid = Grid {
        left_m: x[0],
        top_m: y[0],
        ..grid
    };
    let target = Target {
        grid: &grid,
        margin: 0,
        moved: &Affine::IDENTITY,
    };
    let placement = Placement {
        geotransform: &raster,
        crs_wkt: &wkt,
    };
    let mapping = Mapping::new(&target, placement, 0).unwrap();
    assert!(matches!(mapping, Mapping::Nodes(_)), "expected to be resampled");
    let (s, t) = (0.2, 0.7);
    let shift = Mapping::Shift { dx: 8, dy: 8, s, t };
    let whole = Plane::of(synthetic::WHOLE, synthetic::optical(1)[0].bands[0].clone());
    // The copy of the window is part of what is timed.
    let window = |rect: &Rect| Window {
        values: whole.crop(rect),
        reasons: None,
    };
    for (name, mapping, kernel) in [
        ("resample: bilinear", &mapping, Kernel::Bilinear),
        ("resample: cubic", &mapping, Kernel::Cubic),
        ("resample: cubic, the same shift everywhere", &shift, Kernel::Cubic),
    ] {
        let rect = mapping.window(&TILE, EDGE, EDGE);
        bench.time(name, TILE.area(), 2 * F32 + 2, || {
            onto_grid(mapping, &TILE, vec![window(&rect)], (EDGE, EDGE), kernel)
        });
    }
    let rect = mapping.window(&TILE, EDGE, EDGE);
    bench.time("resample: nearest", TILE.area(), 2 * F32, || {
        nearest(&mapping, &TILE, window(&rect))
    });
}

fn files(bench: &mut Bench<'_>) {
    let folder = tempfile::tempdir().unwrap();
    let stored = |value: &f32| (value * 10_000.0) as u16;
    let bands: Vec<Vec<u16>> = synthetic::optical(1)[0]
        .bands
        .iter()
        .map(|band: &Array2<f32>| band.iter().map(stored).collect())
        .collect();
    let path = folder.path().join("scene.tif");
    let layout = Layout {
        width: EDGE,
        height: EDGE,
        bands: BANDS,
        data_type: DataType::U16,
        transform: synthetic::grid().geotransform(),
        crs: "EPSG:32633".into(),
        nodata: None,
        compression: Compression::Deflate(1),
        block: 512,
    };
    let write = || {
        let mut writer = GeoTiffWriter::create(&path, layout.clone()).unwrap();
        for (band, pixels) in (1..).zip(&bands) {
            writer.write(band, &Rect::new(0, 0, EDGE, EDGE), pixels).unwrap();
        }
        writer.finish().unwrap();
    };
    let pixels = BANDS * EDGE * EDGE;
    bench.time("write GeoTIFF: deflate 1, read back, a value", pixels, 4, write);
    write();
    let target = folder.path().join("cog.tif");
    bench.time("write COG of it: one thread, a value", pixels, 4, || {
        cog::write(&path, &target, 1).unwrap()
    });
    let info = open::info(&path, sitewatch::io::formats::USUAL).unwrap();
    let blocks = Blocks::new(Arc::new(Pool::default()), 64 << 20);
    let file = Blocked::new(&path, &info, (1..=BANDS).collect());
    let read = || {
        for band in 1..=BANDS {
            black_box(
                blocks
                    .read(&file, Layer::Band(band), &synthetic::WHOLE, |v| v, |v| v as f32)
                    .unwrap(),
            );
        }
    };
    bench.time("read blocks: decode and convert, a value", pixels, 2 + F32, || {
        blocks.clear();
        read();
    });
    read();
    bench.time("read blocks: decoded before, a value", pixels, 2 + F32, read);
}
