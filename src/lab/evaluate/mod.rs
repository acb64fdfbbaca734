//! How good reports are, against a truth: of the scores, of what was claimed, of things found and missed.
//!
//! `truth` (with `polygons`) says what is known of each pixel, `site` lays it over scores and anomalies, `pixels` and `objects`
//! make figures of the counts with the `intervals` they deserve, `curves` and `plots` show what another cutoff would have given.

mod curves;
mod intervals;
mod objects;
mod pixels;
mod plots;
mod polygons;
mod site;
mod truth;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use objects::{ObjectFigures, SizeClass};
pub use pixels::{ClaimedFigures, Labelled, PixelFigures};
pub use plots::{detection, precision_recall};
pub use truth::Coding;

use crate::finding::SiteReport;
use crate::intake;
use crate::io::IoError;
use crate::io::pool::Pool;
use crate::pipeline::publish::{PublishError, write_file};
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

/// Why reports cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// A file cannot be read.
    #[error("reading {}: {message}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Expected against found.
        message: String,
    },
    /// Rasters and polygons are not one truth.
    #[error("evaluating against {} and {}: expected rasters or polygons, not both", .0.display(), .1.display())]
    Mixed(PathBuf, PathBuf),
    /// A raster cannot be opened or projected.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] PublishError),
    /// A picture cannot be drawn.
    #[error("drawing the figures of an evaluation: {0}")]
    Draw(String),
    /// There is no report at a place that was named.
    #[error("evaluating {}: found no report.json there; name it, a site's folder, or the folder that run wrote", .0.display())]
    NoReport(PathBuf),
    /// No site has figures.
    #[error("evaluating: the truth can be held against no report:{}", listed(.0))]
    Nothing(Vec<LeftOut>),
}

fn listed(left_out: &[LeftOut]) -> String {
    let line = |one: &LeftOut| format!(" {}: {}", one.site, one.reason);
    left_out.iter().map(line).collect::<Vec<_>>().join(";")
}

/// A figure with its 95 % interval, where one can be given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Lower and upper limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// The figure.
    pub value: f64,
}

impl Estimate {
    fn new(value: f64, interval: Option<[f64; 2]>, round: impl Fn(f64) -> f64) -> Self {
        Self {
            interval: interval.map(|limits| limits.map(&round)),
            value: round(value),
        }
    }
}

/// The figures of a site, or of all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Of objects and anomalies.
    pub objects: ObjectFigures,
    /// Of pixels.
    pub pixels: PixelFigures,
    /// The site's id; `overall` of all together.
    pub site: String,
}

/// A site without figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Why.
    pub reason: String,
    /// Its id.
    pub site: String,
}

/// The figures of all reports.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// Sites without figures.
    pub left_out: Vec<LeftOut>,
    /// Of all sites together.
    pub overall: Figures,
    /// How the figures come about.
    pub rules: [&'static str; 5],
    /// Of each site, in the order of their folders.
    pub sites: Vec<Figures>,
    #[serde(skip)]
    measured: Vec<Measured>,
}

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
    serde_json::from_str(&read.text).map_err(|error| bad(error.to_string()))
}
