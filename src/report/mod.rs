//! Renderings of the record: one exporter a file, each a pure function of [`crate::finding::SiteReport`] and pictures.
//!
//! Nothing here reads a file, a clock or a raster: what is said is in the record, what is shown is handed in.

pub mod english;
mod format;
mod likelihood;
mod numbered;
pub mod page;
pub mod pictures;
pub mod tables;

#[cfg(test)]
pub(crate) mod sample;

pub use english::summary;
pub use page::html::report_html;
pub use page::index::{IndexRow, index_html};
pub use pictures::chips::{Samples, draw, draw_scores};
pub use pictures::gallery::{Chip, Gallery, Outlines, Rings};
pub use pictures::rendition::{Painter, Palette, Pixel};
pub use tables::csv::anomalies_csv;
pub use tables::geojson::anomalies_geojson;
pub use tables::gpkg::anomalies_gpkg;
pub use tables::json::{report_json, run_schema, schema};
pub use tables::junit::junit_xml;
pub use tables::stac::{FileKind, StacAsset, stac_item};

use crate::finding::{Anomaly, SiteReport};

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
    #[error("rendering {name}: {source}")]
    Template {
        /// The template.
        name: &'static str,
        /// Why it failed.
        source: askama::Error,
    },
    /// A picture that was handed in cannot be drawn.
    #[error("drawing {what}: {message}")]
    Picture {
        /// Which picture.
        what: String,
        /// What was expected and found.
        message: String,
    },
    /// The archive of pictures could not be written or read.
    #[error("archiving pictures: {source}; is pictures.zip that of this report, and the disk not full?")]
    Archive {
        /// Why it failed.
        source: zip::result::ZipError,
    },
    /// A picture could not be encoded.
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

/// Anomalies of each comparison that a page shows at most: the record's parameter `report.max_shown`, or all.
pub fn max_shown(report: &SiteReport) -> usize {
    let most = report.parameters.pointer("/report/max_shown").and_then(|n| n.as_u64());
    most.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
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
