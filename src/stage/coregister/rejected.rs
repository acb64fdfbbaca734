//! Windows that were not measured, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::geo::Rect;

/// Less clear ground than this part of a window: it is not measured. Nor is a site with less in the mean of its
/// windows, though some of them may be clear: what is seen of it says too little of the rest.
pub(super) const MIN_CLEAR: f64 = 1.0 / 3.0;

/// A window that was not measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// Where.
    pub window: Rect,
    /// The part of the window that is clear on both dates.
    pub clear: f64,
    /// Why.
    pub reason: Reason,
}

/// Why a window was not measured. In the order of the alphabet, as the record lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A second peak is nearly as high.
    #[error("ambiguous: a second shift matches nearly as well, as in a periodic pattern")]
    Ambiguous,
    /// The dates match best beyond `max_shift_px`.
    #[error("the dates match best at a shift beyond max_shift_px")]
    BeyondMaxShift,
    /// Constant on one of the dates.
    #[error("no texture to match")]
    Flat,
    /// Shifting does not make the dates more alike.
    #[error("shifting does not make the dates alike")]
    NotImproved,
    /// Measured from the target to the reference the shift is another.
    #[error("forward and backward measure disagree")]
    RoundTrip,
    /// Clouds, no data.
    #[error("too few pixels are clear on both dates")]
    TooFewClear,
    /// The finer measure left the peak, or its standard error is too large.
    #[error("the shift is not determined below the pixel: stripes, or texture without contrast")]
    Undetermined,
    /// The peak does not stand out of the noise.
    #[error("the dates do not match: no peak of correlation stands out")]
    Unreliable,
}
