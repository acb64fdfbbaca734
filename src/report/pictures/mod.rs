//! Pictures of the ground on both dates, and what is drawn over them.

pub mod chips;
pub mod gallery;
pub mod outlines;
pub mod rendition;
