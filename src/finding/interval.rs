//! A span of time, as it stands in the records.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A time span `[start, end]` in UTC, RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Latest instant.
    pub end: Timestamp,
    /// Earliest instant.
    pub start: Timestamp,
}
