//! The score pass over one site of a pair of tiles: read, screened, scored, counted. Mpixel/s, and peak memory beside what is there before.
//!
//! `site --source gdal --detector difference --threads 2 --size 4096 pipeline.toml`. The scenes are the first two of the pipeline file, which
//! must share one grid; the site is the middle of it. With `--source memory` it lies in memory before the clock starts. The run as a whole
//! reads files only: `scripts/bench.sh` measures that.

#[path = "shared/mod.rs"]
mod shared;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use shared::Watched;
use sitewatch::config::Config;
use sitewatch::engine::driver::{Stopped, in_order, on_threads};
use sitewatch::geo::{Affine, Grid, tile::tiles};
use sitewatch::io::blocks::Blocks;
use sitewatch::io::mapping::Target;
use sitewatch::io::pool::Pool;
use sitewatch::io::source::SceneSource;
use sitewatch::plan::inputs;
use sitewatch::raster::stats::Histogram;
use sitewatch::raster::{MemorySource, PixelSource, ReadError};
use sitewatch::stage::detect::{self, Setting};

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut option = |name: &str| {
        let at = words.iter().position(|word| word == name).unwrap();
        words.drain(at..at + 2).nth(1).unwrap()
    };
    let (source, detector) = (option("--source"), option("--detector"));
    let (threads, size): (usize, usize) = (option("--threads").parse().unwrap(), option("--size").parse().unwrap());
    let mut config = Config::read(Path::new(&words[0])).unwrap();
    config.detect.detector = serde_json::from_value(detector.into()).unwrap();

    let inputs = inputs::gather(&config).unwrap();
    let scenes = &inputs.scenes[..2];
    let info = &inputs.infos[&scenes[0].bands[0].path];
    let at = info.geotransform;
    let (skipped_x, skipped_y) = ((info.width - size) / 2, (info.height - size) / 2);
    let grid = Grid {
        crs: sitewatch::io::crs::utm_zone(13.68, 47.775),
        left_m: at[0] + at[1] * skipped_x as f64,
        top_m: at[3] + at[5] * skipped_y as f64,
        pixel_m: at[1],
        width: size,
        height: size,
    };
    let bands: Vec<String> = scenes[0].bands.iter().map(|band| band.name.clone()).collect();
    let blocks = Arc::new(Blocks::new(
        Arc::new(Pool::default()),
        (config.compute.blocks_mib() << 20) as usize,
    ));
    let files = scenes.iter().map(|scene| {
        let target = Target {
            grid: &grid,
            margin: 0,
            moved: &Affine::IDENTITY,
        };
        SceneSource::new(scene, &target, 0, &bands, &inputs.infos, blocks.clone()).unwrap()
    });
    let sources: Vec<Box<dyn PixelSource>> = match source.as_str() {
        "gdal" => files.map(|file| Box::new(file) as Box<dyn PixelSource>).collect(),
        "memory" => files
            .map(|file| Box::new(held(&file, &grid)) as Box<dyn PixelSource>)
            .collect(),
        other => panic!("expected memory or gdal, found {other}"),
    };
    let boundary = shared::whole(&grid);
    let watched = Watched {
        dates: sources.iter().map(Box::as_ref).collect(),
        bands: &bands,
        grid: &grid,
        boundary: &boundary,
        config: &config,
    };
    let pair = Setting {
        radar: false,
        series: false,
    };
    let word = detect::chosen(&config.detect, pair, config.profile.optical_pair.detector)[0];
    let scorer = watched.scorer(word, &watched.survey(), false);
    blocks.clear();

    let before = memory_mib(Peak::Reset);
    let started = Instant::now();
    let judged = on_threads(threads, || score(&watched, scorer.as_ref())).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    let pixels = grid.rect().area() as f64 / 1e6;
    println!(
        "{source} {} {threads} {seconds:.2} s {:.1} Mpixel/s {:.0} MiB, {judged} pixels judged",
        word.word(),
        pixels / seconds,
        memory_mib(Peak::Read) - before,
    );
}

/// Pixels that were judged, of all tiles.
fn score(watched: &Watched<'_>, scorer: &dyn sitewatch::stage::detect::Scorer) -> u64 {
    let reader = watched.reader();
    let mut histogram = Histogram::default();
    in_order(
        &tiles(watched.grid.rect(), watched.config.compute.tile_px),
        &AtomicBool::new(false),
        |tile| {
            let screened = reader.tile(tile, scorer.halo())?;
            Ok::<_, ReadError>(scorer.score(&screened.stack, tile))
        },
        |scores| {
            scores.unwrap().values().iter().for_each(|score| histogram.add(*score));
            Ok::<(), Stopped>(())
        },
    )
    .unwrap();
    histogram.total()
}

/// All of the grid, in memory.
fn held(source: &SceneSource, grid: &Grid) -> MemorySource {
    let stack = source.read(&grid.rect()).unwrap();
    MemorySource {
        rect: stack.rect,
        bands: stack.bands,
        quality: Some(stack.quality.into_array()),
    }
}

enum Peak {
    Reset,
    Read,
}

/// The largest resident memory since the last reset, MiB; Linux only.
fn memory_mib(peak: Peak) -> f64 {
    if matches!(peak, Peak::Reset) {
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}
