//! What makes a result checkable by others: hashes.

pub mod digest;
pub mod stamp;
pub mod sums;
