//! A figure with the interval it deserves.

use serde::Serialize;

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
    pub(super) fn new(value: f64, interval: Option<[f64; 2]>, round: impl Fn(f64) -> f64) -> Self {
        Self {
            interval: interval.map(|limits| limits.map(&round)),
            value: round(value),
        }
    }
}
