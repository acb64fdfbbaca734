//! Measuring the program itself: imagery with known truth, and figures against labels.

pub mod evaluate;
pub mod simulate;
