//! What a run is asked for beside the pipeline file.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::engine::events::Observer;

/// What a run is asked for beside the pipeline file.
pub struct Options<'a> {
    /// Where reports go.
    pub out: &'a Path,
    /// Whether reports that stand are held against their hashes, whatever the stamps of their files say.
    pub verify: bool,
    /// Set when the run has to stop.
    pub stop: &'a AtomicBool,
    /// Sees progress.
    pub observer: &'a dyn Observer,
}
