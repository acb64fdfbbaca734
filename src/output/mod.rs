//! What stands in the output folder: files of a site, put into their place whole; what an earlier run left.

pub mod existing;
pub mod outcome;
pub mod publish;
pub mod render;

pub use outcome::{Outcome, SiteOutcome};
