//! What makes a result checkable by others: hashes.

pub mod digest;
pub mod multihash;
pub mod stamp;
pub mod sums;
