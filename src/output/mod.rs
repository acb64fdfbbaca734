//! What stands in the output folder: files of a site, put into their place whole, and what an earlier run left.

mod error;
pub mod existing;
pub mod files;
mod foreign;
pub mod formats;
pub mod publish;
pub mod rasters;
pub mod render;
pub mod write;

pub use error::{OutputError, PublishError};
