//! How good a report is, by a labelled raster: of the scores (AUROC, average precision, best F1) and of what was claimed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use geo::MapCoords;
use serde::Serialize;

use crate::finding::{Geometry, SiteReport, round};
use crate::geo::{Affine, Grid, Rect, Shape};
use crate::io::crs::{Projector, WGS84};
use crate::io::mapping::Mapping;
use crate::io::pool::Pool;
use crate::io::resample::{self, Window};
use crate::io::{IoError, open};
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};

/// Label of ground that did not change.
pub const UNCHANGED: i64 = 1;
/// Label of ground that changed; every other value is unlabelled.
pub const CHANGED: i64 = 2;

/// Why a report cannot be evaluated.
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
    /// A raster cannot be opened or projected.
    #[error(transparent)]
    Io(#[from] IoError),
    /// No report overlaps the labels.
    #[error("evaluating {}: no report with scores there overlaps the labels; name the folder that run wrote", .0.display())]
    Nothing(PathBuf),
}

/// Figures of one site; rates are `None` where nothing is there to count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The site's id.
    pub site: String,
    /// Labelled pixels that were judged, of those that changed and those that did not.
    pub changed: u64,
    /// See `changed`.
    pub unchanged: u64,
    /// Labelled pixels that were not judged.
    pub not_judged: u64,
    /// Area under the receiver operating characteristic.
    pub auroc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
    /// The best F1 that any cutoff on the score gives, and that cutoff in sigma.
    pub best_f1: Option<f64>,
    /// See `best_f1`.
    pub best_f1_sigma: Option<f64>,
    /// Of what was claimed (the pixels of all anomalies).
    pub claimed: Claimed,
}

/// Figures of a yes or no map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Claimed {
    /// Labelled pixels that were claimed.
    pub pixels: u64,
    /// Claimed pixels that changed, over claimed pixels.
    pub precision: Option<f64>,
    /// Claimed pixels that changed, over pixels that changed.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: Option<f64>,
    /// Cohen's kappa ("A coefficient of agreement for nominal scales", 1960).
    pub kappa: Option<f64>,
}

/// The figures of every site under `out` whose newest comparison overlaps the labels `truth` (1 unchanged, 2 changed).
///
/// # Errors
/// A raster or report that cannot be read; no report that overlaps the labels.
pub fn evaluate(truth: &Path, out: &Path) -> Result<Vec<Evaluation>, EvaluateError> {
    let mut folders = vec![out.to_owned()];
    if let Ok(entries) = std::fs::read_dir(out) {
        folders.extend(entries.flatten().map(|entry| entry.path()));
    }
    folders.sort();
    let mut found = Vec::new();
    for folder in folders
        .iter()
        .filter(|folder| folder.join("report.json").exists() && folder.join("score.tif").exists())
    {
        found.extend(evaluate_site(truth, folder)?);
    }
    if found.is_empty() {
        Err(EvaluateError::Nothing(out.to_owned()))
    } else {
        Ok(found)
    }
}

fn evaluate_site(truth: &Path, folder: &Path) -> Result<Option<Evaluation>, EvaluateError> {
    let path = folder.join("report.json");
    let bad = |message: String| EvaluateError::Read {
        path: path.clone(),
        message,
    };
    let text = std::fs::read_to_string(&path).map_err(|error| bad(error.to_string()))?;
    let report: SiteReport = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let (Some(record), Some(newest)) = (&report.grid, report.comparisons.last()) else {
        return Ok(None);
    };
    let grid = Grid::from(record);
    let info = open::info(truth)?;
    let mapping = Mapping::new(&grid, 0, &info.geotransform, &info.crs_wkt, &Affine::IDENTITY)?;
    let pool = Pool::default();
    let to_grid = Projector::new(WGS84, &grid.crs)?;
    let claims = newest
        .anomalies
        .iter()
        .map(|anomaly| claim(&anomaly.geometry, &to_grid, &grid))
        .collect::<Result<Vec<_>, _>>()?;
    let mut tally = Tally::default();
    let rows = 256;
    for y in (0..grid.height).step_by(rows) {
        let strip = Rect::new(0, y as i64, grid.width, rows.min(grid.height - y));
        let needed = mapping.window(&strip, info.width, info.height);
        if needed.is_empty() {
            continue;
        }
        let window = Window {
            values: pool.read::<f32>(truth, 1, &needed)?,
            reasons: None,
        };
        let labels = resample::nearest(&mapping, &strip, window);
        let scores = pool.read::<i16>(&folder.join("score.tif"), newest.band, &strip)?;
        let mut claimed = crate::raster::Plane::filled(strip, false);
        for shape in &claims {
            shape.for_each_pixel(&strip, |x, y| {
                if let Some(claimed) = claimed.get_mut(x, y) {
                    *claimed = true;
                }
            });
        }
        for ((label, score), claimed) in labels.iter().zip(&scores.data).zip(&claimed.data) {
            tally.add(*label as i64, *score, *claimed);
        }
    }
    Ok((tally.labelled() > 0).then(|| tally.figures(report.site.id)))
}

fn claim(geometry: &Geometry, to_grid: &Projector, grid: &Grid) -> Result<Shape, IoError> {
    let ring = |ring: &Vec<[f64; 2]>| ring.iter().map(|p| (p[0], p[1])).collect::<geo::LineString<f64>>();
    let polygons = geometry.coordinates.iter().filter_map(|rings| {
        let mut rings = rings.iter().map(ring);
        Some(geo::Polygon::new(rings.next()?, rings.collect()))
    });
    let metres = to_grid.project_polygon(&polygons.collect())?;
    Ok(Shape::new(metres.map_coords(|c| grid.to_pixel(c.x, c.y).into())))
}

/// Counts per stored score: (changed, unchanged); and of what was claimed: changed, unchanged.
#[derive(Default)]
struct Tally {
    scores: BTreeMap<i16, (u64, u64)>,
    claimed: (u64, u64),
    not_judged: u64,
}

impl Tally {
    fn add(&mut self, label: i64, score: i16, claimed: bool) {
        if label != CHANGED && label != UNCHANGED {
            return;
        }
        if score == SCORE_NODATA {
            self.not_judged += 1;
            return;
        }
        let one = if label == CHANGED { (1, 0) } else { (0, 1) };
        let counts = self.scores.entry(score).or_insert((0, 0));
        *counts = (counts.0 + one.0, counts.1 + one.1);
        if claimed {
            self.claimed = (self.claimed.0 + one.0, self.claimed.1 + one.1);
        }
    }

    fn labelled(&self) -> u64 {
        self.not_judged
            + self
                .scores
                .values()
                .map(|(changed, unchanged)| changed + unchanged)
                .sum::<u64>()
    }

    /// The figures; ties in score count as one step of the curves, as scikit-learn has it.
    fn figures(&self, site: String) -> Evaluation {
        let (changed, unchanged) = self
            .scores
            .values()
            .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let (mut hits, mut false_alarms) = (0, 0);
        let (mut area, mut precision_sum) = (0.0, 0.0);
        let mut best = (0.0, None);
        for (score, (c, u)) in self.scores.iter().rev() {
            // Trapezoid under (false alarms, hits); precision at this step times the recall gained.
            area += *u as f64 * (hits as f64 + *c as f64 / 2.0);
            hits += c;
            false_alarms += u;
            precision_sum += *c as f64 * hits as f64 / (hits + false_alarms) as f64;
            let f1 = 2.0 * hits as f64 / (hits + false_alarms + changed) as f64;
            if f1 > best.0 {
                best = (f1, Some(f64::from(*score) * SCORE_SCALE));
            }
        }
        let both = changed > 0 && unchanged > 0;
        let tidy = |value: f64| round(value, 6);
        Evaluation {
            site,
            changed,
            unchanged,
            not_judged: self.not_judged,
            auroc: both.then(|| tidy(area / (changed as f64 * unchanged as f64))),
            average_precision: (changed > 0).then(|| tidy(precision_sum / changed as f64)),
            best_f1: (changed > 0).then(|| tidy(best.0)),
            best_f1_sigma: best.1.map(tidy),
            claimed: claimed_figures(self.claimed, changed, unchanged),
        }
    }
}

fn claimed_figures((hits, false_alarms): (u64, u64), changed: u64, unchanged: u64) -> Claimed {
    let ratio = |a: f64, b: f64| (b > 0.0).then(|| round(a / b, 6));
    let (h, f, c, u) = (hits as f64, false_alarms as f64, changed as f64, unchanged as f64);
    let n = c + u;
    let agreement = (h + u - f) / n;
    let by_chance = ((h + f) * c + (n - h - f) * u) / (n * n);
    Claimed {
        pixels: hits + false_alarms,
        precision: ratio(h, h + f),
        recall: ratio(h, c),
        f1: ratio(2.0 * h, h + f + c),
        kappa: (n > 0.0)
            .then(|| ratio(agreement - by_chance, 1.0 - by_chance))
            .flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_scikit_learn() {
        // y = [0,0,1,1,0,1,0,0], s = [1,4,3.5,8,3.5,2,2,0], claimed = s >= 3.5:
        // scikit-learn 1.9.1: roc_auc_score, average_precision_score, precision_score, recall_score, f1_score and
        // cohen_kappa_score of these give 0.7333, 0.6667, 0.5, 0.6667, 0.5714 and 0.25.
        let labels = [0, 0, 1, 1, 0, 1, 0, 0];
        let scores = [100, 400, 350, 800, 350, 200, 200, 0];
        let mut tally = Tally::default();
        for (label, score) in labels.iter().zip(scores) {
            tally.add(label + 1, score, score >= 350);
        }
        tally.add(0, 800, true);
        tally.add(2, SCORE_NODATA, true);
        let figures = tally.figures("s".into());
        assert_eq!((figures.changed, figures.unchanged, figures.not_judged), (3, 5, 1));
        assert_eq!(figures.auroc, Some(0.733333));
        assert_eq!(figures.average_precision, Some(0.666667));
        assert_eq!(
            (figures.claimed.precision, figures.claimed.recall),
            (Some(0.5), Some(0.666667))
        );
        assert_eq!(
            (figures.claimed.f1, figures.claimed.kappa),
            (Some(0.571429), Some(0.25))
        );
    }
}
