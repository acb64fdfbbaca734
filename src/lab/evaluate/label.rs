//! What is known of a pixel.

/// What is known of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Nothing: it does not count.
    Unlabelled,
    /// It did not change.
    Unchanged,
    /// It changed.
    Changed,
}
