//! Detectors: from the dates of a comparison to a score in sigma of no-change noise. One a file or a folder, each named by one word.

mod blur;
mod calibrate;
mod choice;
pub mod combine;
mod difference;
pub mod history;
pub mod irmad;
mod params;
mod radar;
mod rcva;
mod regression;
mod scorer;
pub mod smooth;
mod table;

pub use choice::{Setting, chosen, joins_tracks, unused};
pub use combine::Rule;
pub use history::HistoryParams;
pub use irmad::IrmadParams;
pub use params::{DetectParams, Detector};
pub use radar::logratio::LogRatioParams;
pub use radar::omnibus::OmnibusParams;
pub use regression::RegressionParams;
pub use scorer::{BreakDate, Cell, Course, Diagnostics, Direction, Scorer, ScreenedStack};
pub use table::{Context, fit};

/// No detector looks further than this beyond a pixel, pixels: what a training sample reads around its cells. The ranges of `smooth_px`, `window_px`
/// and `evidence_px` keep to it.
pub const WIDEST_HALO: usize = 20;
