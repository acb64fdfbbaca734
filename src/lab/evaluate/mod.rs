//! How good reports are, against a truth: of the scores, of what was claimed, of things found and missed.
//!
//! `truth` (with `polygons`) says what is known of each pixel, `site` lays it over scores and anomalies, `pixels` and `objects`
//! make figures of the counts with the `intervals` they deserve, `curves` and `plots` show what another cutoff would have given.

mod curves;
mod error;
mod estimate;
mod evaluation;
mod intervals;
mod label;
mod objects;
mod pixels;
mod plots;
mod polygons;
mod site;
mod truth;

use std::path::{Path, PathBuf};

pub use error::{EvaluateError, LeftOut};
pub use estimate::Estimate;
pub use evaluation::{Evaluation, Figures};
pub use objects::{ObjectFigures, SizeClass};
pub use pixels::{ClaimedFigures, Labelled, PixelFigures};
pub use plots::{detection, precision_recall};
pub use truth::Coding;

use crate::finding::SiteReport;
use crate::intake;
use crate::io::pool::Pool;
use crate::output::PublishError;
use crate::output::write::write_file;
use pixels::Counts;
use site::Measured;
use truth::Truth;

/// How the figures come about, for whoever reads them.
pub const RULES: [&str; 5] = [
    "Only labelled pixels of the site that were judged count; those that were not judged are counted apart and are never hits.",
    "An object is a changed polygon, or an 8-connected component of changed pixels; it is hit when an anomaly covers at least one of its \
     judged pixels. An object of which no pixel was judged does not count.",
    "A false region is an anomaly without a changed pixel, of which at least half is labelled unchanged; its rate is over judged unchanged \
     ground in the plane of the site grid.",
    "Overall figures are those of the counts of all sites together.",
    "Intervals hold 95 percent: Garwood's of false regions, Clopper's and Pearson's of hit rates, both as if things were independent; of \
     pixels by drawing blocks of 64 px (more on sites of over 1024 blocks) 1000 times, none from fewer than 10 blocks.",
];

/// The figures of the newest comparison of every site in `reports` (report.json files, site folders, or folders of them), against
/// the files `truth`: labelled rasters whose values mean what `coding` says, or GeoJSON polygons of what changed.
///
/// # Errors
/// A truth, report or raster that cannot be read; a place without a report; no site on which the truth says anything.
pub fn evaluate(truth: &[PathBuf], coding: Coding, reports: &[PathBuf]) -> Result<Evaluation, EvaluateError> {
    let truth = Truth::read(truth, coding)?;
    let pool = Pool::default();
    let (mut measured, mut left_out) = (Vec::new(), Vec::new());
    for folder in folders(reports)? {
        let report = read(&folder.join("report.json"))?;
        match site::measure(&report, &folder.join("score.tif"), &truth, &pool)? {
            Ok(site) => measured.push(site),
            Err(reason) => left_out.push(LeftOut {
                reason: reason.to_owned(),
                site: report.site.id,
            }),
        }
        pool.forget(&folder.join("score.tif"));
    }
    if measured.is_empty() {
        return Err(EvaluateError::Nothing(left_out));
    }
    Ok(Evaluation {
        left_out,
        overall: figures("overall", &measured.iter().collect::<Vec<_>>()),
        rules: RULES,
        sites: measured.iter().map(|site| figures(&site.site, &[site])).collect(),
        measured,
    })
}

/// Writes evaluation.json, precision-recall.svg and detection.svg into `folder`, which is made when absent.
///
/// # Errors
/// A file that cannot be written.
pub fn write(evaluation: &Evaluation, folder: &Path) -> Result<Vec<PathBuf>, EvaluateError> {
    let failed = |source| PublishError::Write {
        path: folder.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let json = serde_json::to_string_pretty(evaluation).map_err(|error| failed(error.into()))?;
    let files = [
        ("evaluation.json", json + "\n"),
        ("precision-recall.svg", precision_recall(evaluation)?),
        ("detection.svg", detection(evaluation)?),
    ];
    let write = |(name, text): (&str, String)| {
        let path = folder.join(name);
        write_file(&path, text.as_bytes())?;
        Ok(path)
    };
    files.into_iter().map(write).collect()
}

fn figures(name: &str, sites: &[&Measured]) -> Figures {
    let blocks: Vec<&Counts> = sites.iter().flat_map(|site| &site.blocks).collect();
    let objects: Vec<_> = sites.iter().flat_map(|site| site.objects.clone()).collect();
    let claims: Vec<_> = sites.iter().flat_map(|site| site.claims.clone()).collect();
    let unchanged_km2 = sites.iter().map(|site| site.unchanged_km2).sum();
    Figures {
        objects: objects::figures(&objects, &claims, unchanged_km2),
        pixels: pixels::figures(&blocks),
        site: name.to_owned(),
    }
}

/// The folders of the reports at `places`, each once.
fn folders(places: &[PathBuf]) -> Result<Vec<PathBuf>, EvaluateError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for place in places {
        let folder = match place.is_file() {
            true => place.parent().unwrap_or(Path::new("")).to_owned(),
            false => place.clone(),
        };
        let has_report = |folder: &PathBuf| folder.join("report.json").is_file();
        let mut here = vec![folder];
        if !has_report(&here[0]) {
            let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
            here = entries.map(|entry| entry.path()).filter(has_report).collect();
            here.sort();
        }
        if here.is_empty() {
            return Err(EvaluateError::NoReport(place.clone()));
        }
        for folder in here {
            if !found.contains(&folder) {
                found.push(folder);
            }
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<SiteReport, EvaluateError> {
    let bad = |message: String| EvaluateError::Read {
        path: path.to_owned(),
        message,
    };
    let read = intake::text(path, intake::MAX_REPORT_BYTES).map_err(|error| bad(error.problem.to_string()))?;
    SiteReport::parse(&read.text).map_err(bad)
}
