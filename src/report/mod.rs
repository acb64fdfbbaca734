//! Renderings of the record: one exporter a file, each a pure function of [`crate::finding::SiteReport`] and pictures.
//!
//! Nothing here reads a file, a clock or a raster: what is said is in the record, what is shown is handed in.

pub mod chips;
pub mod geojson;
pub mod html;
pub mod index;
pub mod json;
mod svg;
pub mod words;

#[cfg(test)]
mod sample;

pub use chips::{Rgb, Stretch, png};
pub use geojson::anomalies_geojson;
pub use html::{Chip, Pictures, Rings, report_html};
pub use index::{IndexRow, index_html};
pub use json::{report_json, schema};
pub use words::summary;

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
    /// The record would not read back: JSON has no NaN and no infinity.
    #[error("writing report.json: the record does not read back, most likely a number in it is not finite: {0}")]
    NotFinite(serde_json::Error),
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
