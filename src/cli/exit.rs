//! Exit codes, as DESIGN has them: a scheduler can tell "again later" from "never".

pub const DONE: u8 = 0;
pub const REVIEW: u8 = 1;
pub const USAGE: u8 = 2;
pub const PARTLY: u8 = 3;
pub const INTERNAL: u8 = 4;
pub const LATER: u8 = 75;
