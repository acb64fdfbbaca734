//! Tiled == whole, 1 thread == n threads: the same bytes.

use super::common::{only_site, root, simulate, survey};

#[test]
fn neither_tiles_nor_threads_can_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    // A case with clouds, so that the halo of the screen counts too; and one with grids that are resampled.
    for case in ["not-observable", "unequal-grids"] {
        let here = folder.path().join(case);
        std::fs::create_dir_all(&here).unwrap();
        let pipeline = simulate(&root().join(format!("testdata/cases/{case}/recipe.toml")), &here);
        let mut first: Option<Vec<Vec<u8>>> = None;
        for (threads, tile_px) in [(1, 2048), (1, 64), (2, 64), (8, 96), (2, 512)] {
            let out = here.join(format!("{threads}-{tile_px}"));
            survey(&pipeline, &out, |config| {
                (config.compute.threads, config.compute.tile_px) = (threads, tile_px);
                // Another pixel than the scenes': everything is resampled.
                config.grid.pixel_m = (case == "unequal-grids").then_some(7.0);
            });
            let site = only_site(&out);
            let files = ["report.json", "score.tif", "flags.tif", "anomalies.geojson"]
                .map(|name| std::fs::read(site.join(name)).unwrap());
            match &first {
                None => first = Some(files.to_vec()),
                Some(first) => assert!(
                    *first == files,
                    "{case}: {threads} threads, tiles of {tile_px} px differ from one tile"
                ),
            }
        }
    }
}
