//! Renderings of the record: one exporter a file, each a pure function of [`crate::finding::SiteReport`] and pictures.
//!
//! Nothing here reads a file, a clock or a raster: what is said is in the record, what is shown is handed in.

mod card;
pub mod chips;
mod format;
pub mod geojson;
pub mod html;
pub mod index;
pub mod json;
mod map;
mod pictures;
mod svg;
mod view;
pub mod words;

#[cfg(test)]
mod sample;

pub use chips::{Rgb, Stretch, png};
pub use geojson::anomalies_geojson;
pub use html::report_html;
pub use index::{IndexRow, index_html};
pub use json::{report_json, schema};
pub use pictures::{Chip, Pictures, Rings};
pub use words::summary;

use crate::finding::Anomaly;

/// Why a record could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A value could not be written as JSON.
    #[error("writing {what} as JSON: {source}")]
    Json {
        /// What was written.
        what: &'static str,
        /// Why it failed.
        source: serde_json::Error,
    },
    /// A file could not be written.
    #[error("writing {what}: {source}; is the disk full, or the folder read-only?")]
    Write {
        /// What was written.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A template failed: a fault of the template, not of the record.
    #[error("rendering {name}: {source:#}")]
    Template {
        /// The template.
        name: &'static str,
        /// Why it failed.
        source: minijinja::Error,
    },
    /// A picture that was handed in cannot be drawn.
    #[error("drawing {what}: {message}")]
    Picture {
        /// Which picture.
        what: String,
        /// What was expected and found.
        message: String,
    },
    /// A picture could not be encoded or its header not read.
    #[error("coding {what} as an image: {source}")]
    Image {
        /// Which picture.
        what: String,
        /// Why it failed.
        source: image::ImageError,
    },
}

impl ReportError {
    fn json(what: &'static str, source: serde_json::Error) -> Self {
        match source.io_error_kind() {
            Some(kind) if kind != std::io::ErrorKind::InvalidData => Self::Write {
                what,
                source: source.into(),
            },
            _ => Self::Json { what, source },
        }
    }
}

/// Places in `anomalies` (strongest first) of those that a page shows: first what has to be reviewed, by verdict, then the
/// strongest; at most `most`.
pub fn shown(anomalies: &[Anomaly], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..anomalies.len()).collect();
    order.sort_by_key(|index| {
        let verdict = anomalies[*index].verdict;
        (!verdict.needs_review(), verdict)
    });
    order.truncate(most);
    order
}
