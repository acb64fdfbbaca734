//! The limit: decodes every block of the rasters that are named, on so many threads, and does nothing else.
//!
//! `decode --threads 2 before.tif after.tif` prints wall seconds and MB/s of decoded pixels. Handles and options are those of the program;
//! blocks go past GDAL's cache, which would copy them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use gdal::Dataset;
use sitewatch::io::{open, prepare};

/// A block: number of the raster, band from 1, column and row.
type Block = (usize, usize, usize, usize);

fn main() {
    let (mut threads, mut rasters) = (1, Vec::new());
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--threads" => threads = words.next().unwrap().parse().unwrap(),
            _ => rasters.push(PathBuf::from(word)),
        }
    }
    prepare();
    let started = Instant::now();
    let (mut blocks, mut sizes) = (Vec::new(), Vec::new());
    for (raster, path) in rasters.iter().enumerate() {
        let info = open::info(path, sitewatch::io::formats::USUAL).unwrap();
        let (columns, rows) = (info.width.div_ceil(info.block.0), info.height.div_ceil(info.block.1));
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
        let of_bands = places.flat_map(|(column, row)| (1..=info.bands).map(move |band| (raster, band, column, row)));
        blocks.extend(of_bands);
        sizes.push(info.block.0 * info.block.1 * info.kept_bytes);
    }
    let next = AtomicUsize::new(0);
    let bytes: usize = std::thread::scope(|scope| {
        let decoded = || {
            let datasets: Vec<Dataset> = rasters
                .iter()
                .map(|path| open::open(path, sitewatch::io::formats::USUAL).unwrap())
                .collect();
            let mut buffer = vec![0_u8; sizes.iter().copied().max().unwrap_or(0)];
            let mut bytes = 0;
            while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                decode(&datasets, *block, &mut buffer);
                bytes += sizes[block.0];
            }
            bytes
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(decoded)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let seconds = started.elapsed().as_secs_f64();
    let rate = bytes as f64 / 1e6 / seconds;
    println!(
        "{threads} threads: {} blocks, {seconds:.2} s, {rate:.0} MB/s",
        blocks.len()
    );
}

/// Decodes `block` into `buffer`, which must have room for it.
fn decode(datasets: &[Dataset], (raster, band, column, row): Block, buffer: &mut [u8]) {
    let band = datasets[raster].rasterband(band).unwrap();
    let (width, height) = band.block_size();
    assert!(buffer.len() >= width * height * usize::from(band.band_type().bits() / 8));
    // SAFETY: the handle lives as long as `band`, and the buffer holds a whole block of its pixels.
    let failed = unsafe {
        gdal_sys::GDALReadBlock(
            band.c_rasterband(),
            column as i32,
            row as i32,
            buffer.as_mut_ptr().cast(),
        )
    };
    assert_eq!(failed, gdal_sys::CPLErr::CE_None, "block {column}, {row}");
}
