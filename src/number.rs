//! How numbers enter a record: rounded, so that a report is the same text wherever it is made.

/// `value` rounded to `decimals` decimal places, with no negative zero: how numbers enter the record.
pub fn round(value: f64, decimals: i32) -> f64 {
    let scale = (0..decimals).fold(1.0, |scale, _| scale * 10.0);
    let rounded = (value * scale).round() / scale;
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// `value` rounded to six significant digits: for numbers whose size is not known beforehand.
pub fn significant(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_leaves_no_negative_zero() {
        assert_eq!(round(-0.0004, 3).to_bits(), 0.0_f64.to_bits());
        assert_eq!(round(2.34567, 2), 2.35);
        assert_eq!(significant(123_456_789.0), 123_457_000.0);
        assert_eq!(significant(-0.000_123_456_789), -0.000_123_457);
    }
}
