//! Why reports cannot be evaluated.

use std::path::PathBuf;

use serde::Serialize;

use crate::io::IoError;
use crate::output::PublishError;

/// A site without figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Why.
    pub reason: String,
    /// Its id.
    pub site: String,
}

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
