//! One flipped bit, in an input or in what stands: it is noticed, or it changes nothing. A sample by default; `make faults` does a
//! thousand of each.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{blocks, unstate};
use crate::dice::Dice;
use crate::faults::case::{all, run, two_at_a_time};
use crate::faults::{case, whole};

/// A bit of a file.
#[derive(Debug, Clone)]
struct Flip {
    file: String,
    byte: usize,
    bit: usize,
}

impl Flip {
    fn make(&self, folder: &Path) {
        let path = folder.join(&self.file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[self.byte] ^= 1 << self.bit;
        fs::write(&path, bytes).unwrap();
    }
}

/// `count` bits of the `parts` of files, each file as likely as another.
fn flips(parts: &[(String, Vec<Range<usize>>)], count: usize, dice: &mut Dice) -> Vec<Flip> {
    let one = |_| {
        let (file, ranges) = dice.pick(parts);
        let range = dice.pick(ranges);
        let byte = range.start + dice.below(range.len());
        Flip {
            file: file.clone(),
            byte,
            bit: dice.below(8),
        }
    };
    (0..count).map(one).collect()
}

/// Folders with the scenes, pipeline and output of the case, that the two threads have for themselves.
fn copies(folder: &Path) -> (tempfile::TempDir, [PathBuf; 2]) {
    let kept = tempfile::tempdir().unwrap();
    let places = [0, 1].map(|worker| kept.path().canonicalize().unwrap().join(worker.to_string()));
    for place in &places {
        // Other tests work in the folder of the case meanwhile.
        for name in ["scenes", "after"] {
            whole::copy(&folder.join(name), &place.join(name));
        }
        fs::copy(folder.join("after.toml"), place.join("after.toml")).unwrap();
    }
    (kept, places)
}

fn told(wrong: &[String], trials: usize) {
    let told = format!("{} of {trials} flips:\n{}", wrong.len(), wrong.join("\n"));
    if all() {
        println!("what did not hold in {told}");
    }
    assert!(wrong.is_empty(), "{told}");
}

/// Scenes that carry or lack checks, and which of their bytes are flipped.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scenes {
    /// Deflate, nothing stated: only blocks of pixels can be checked.
    Deflate,
    /// Deflate, `file:checksum` stated: every byte.
    DeflateStated,
    /// ZSTD, which carries no check as GDAL writes it, stated: every byte.
    ZstdStated,
}

/// Makes the scenes of the case in `folder` as `scenes` says; their rasters.
fn make(scenes: Scenes, folder: &Path) -> Vec<String> {
    let path = folder.join("scenes/items.json");
    unstate(&path);
    let mut items: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mut rasters = Vec::new();
    for item in items["features"].as_array_mut().unwrap().iter_mut().skip(1) {
        for asset in item["assets"].as_object_mut().unwrap().values_mut() {
            let name = format!("scenes/{}", asset["href"].as_str().unwrap().trim_start_matches("./"));
            let raster = folder.join(&name);
            if scenes == Scenes::ZstdStated {
                zstd(&raster);
            }
            let asset = asset.as_object_mut().unwrap();
            if scenes != Scenes::Deflate {
                let sitewatch::seal::digest::Digest { sha256, bytes } = sitewatch::seal::digest::file(&raster).unwrap();
                asset.insert("file:checksum".into(), format!("1220{sha256}").into());
                asset.insert("file:size".into(), bytes.into());
            }
            rasters.push(name);
        }
    }
    fs::write(&path, items.to_string()).unwrap();
    rasters
}

/// Writes the raster anew with ZSTD.
fn zstd(path: &Path) {
    let from = path.with_extension("from.tif");
    fs::rename(path, &from).unwrap();
    let mut options = gdal::raster::RasterCreationOptions::new();
    options.add_name_value("COMPRESS", "ZSTD").unwrap();
    options.add_name_value("PREDICTOR", "2").unwrap();
    let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
    let dataset = gdal::Dataset::open(&from).unwrap();
    drop(dataset.create_copy(&driver, path, &options).unwrap());
    drop(dataset);
    fs::remove_file(&from).unwrap();
}

/// What a result says, but for hashes of inputs.
fn result(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let site = out.join("S");
    let mut found = BTreeMap::new();
    if let Ok(bytes) = fs::read(site.join("report.json")) {
        let mut report: Value = serde_json::from_slice(&bytes).unwrap();
        let report = report.as_object_mut().unwrap();
        report.remove("run_key");
        report.remove("inputs");
        found.insert("report.json".to_owned(), serde_json::to_vec(report).unwrap());
    }
    for name in [
        "score.tif",
        "flags.tif",
        "pictures.zip",
        "anomalies.csv",
        "anomalies.geojson",
    ] {
        found.insert(name.into(), fs::read(site.join(name)).unwrap_or_default());
    }
    found
}

#[test]
fn a_flipped_bit_of_an_input_is_refused_by_name_or_changes_nothing() {
    let case = case();
    let (mut wrong, mut trials) = (Vec::new(), 0);
    for (seed, scenes) in [Scenes::Deflate, Scenes::DeflateStated, Scenes::ZstdStated]
        .into_iter()
        .enumerate()
    {
        let (_kept, places) = copies(&case.folder);
        let rasters = places.each_ref().map(|place| make(scenes, place))[0].clone();
        let parts: Vec<_> = rasters
            .into_iter()
            .map(|name| {
                let bytes = fs::read(places[0].join(&name)).unwrap();
                let parts = if scenes == Scenes::Deflate {
                    blocks(&bytes)
                } else {
                    std::iter::once(0..bytes.len()).collect::<Vec<_>>()
                };
                (name, parts)
            })
            .collect();
        let expected = places[0].join("expected");
        let ended = run(&places[0].join("after.toml"), &expected, None);
        assert_eq!(ended.code, Some(0), "{scenes:?}: {}", ended.said);
        let expected = result(&expected);
        let count = if all() { 334 } else { 10 };
        let list = flips(&parts, count, &mut Dice::new(seed as u64));
        trials += list.len();
        wrong.extend(
            two_at_a_time(&list, |flip, worker| {
                let (folder, out) = (&places[worker], places[worker].join("out"));
                let _ = fs::remove_dir_all(&out);
                flip.make(folder);
                let ended = run(&folder.join("after.toml"), &out, None);
                flip.make(folder);
                let said = whole::one_line(&ended.said);
                let refused = ended.code == Some(3) && whole::names(&said, &[folder.join(&flip.file)]);
                let same = ended.code == Some(0) && result(&out) == expected;
                let fine = (refused || same) && !said.contains("panicked");
                (!fine).then(|| format!("{scenes:?} | {flip:?} | {:?} {:?} | {said}", ended.code, ended.signal))
            })
            .into_iter()
            .flatten(),
        );
    }
    told(&wrong, trials);
}

#[test]
fn a_flipped_bit_of_what_stands_is_noticed_and_mended() {
    let case = case();
    let (_kept, places) = copies(&case.folder);
    let parts: Vec<_> = whole::files(&case.after)
        .into_iter()
        .filter(|(_, bytes)| !bytes.is_empty())
        .map(|(name, bytes)| (name, std::iter::once(0..bytes.len()).collect::<Vec<_>>()))
        .collect();
    let list = flips(&parts, if all() { 1_000 } else { 24 }, &mut Dice::new(2));
    let wrong = two_at_a_time(&list, |flip, worker| {
        let (folder, out) = (&places[worker], places[worker].join("after"));
        flip.make(&out);
        let ended = run(&folder.join("after.toml"), &out, None);
        let said = whole::one_line(&ended.said);
        let name = flip.file.rsplit('/').next().unwrap();
        // The last line says where to look, whatever was found.
        let noticed = ended
            .said
            .lines()
            .any(|line| !line.starts_with("Open ") && line.contains(name));
        let differ = whole::differences(&out, &case.after);
        let fine = noticed && differ.is_empty() && ended.code == Some(0);
        whole::copy(&case.after, &out);
        (!fine).then(|| format!("{flip:?} | {:?} | noticed {noticed}, {differ:?} | {said}", ended.code))
    });
    told(&wrong.into_iter().flatten().collect::<Vec<_>>(), list.len());
}
