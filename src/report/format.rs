//! How numbers, places, instants and verdicts are written on pages.

use jiff::Timestamp;

use crate::finding::Verdict;

/// Digits in threes, apart by narrow spaces that do not break.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

pub(super) fn three_figures(v: f64) -> f64 {
    let rounded: f64 = format!("{v:.2e}").parse().unwrap_or(v);
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// `2016-06-08 10:56 UTC`.
pub(super) fn minute(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `48.11730° N, 1.67780° W`: five decimals are about a metre.
pub(super) fn place([lon, lat]: [f64; 2]) -> String {
    let (north, east) = (if lat < 0.0 { 'S' } else { 'N' }, if lon < 0.0 { 'W' } else { 'E' });
    format!("{:.5}° {north}, {:.5}° {east}", lat.abs(), lon.abs())
}

/// The class of a verdict in the style sheet.
pub(super) fn class(verdict: Verdict) -> &'static str {
    verdict.row().class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(123), "123");
        assert_eq!(
            minute("2016-06-08T10:56:12.5Z".parse().unwrap()),
            "2016-06-08 10:56 UTC"
        );
        assert_eq!(three_figures(0.012_345), 0.0123);
        assert_eq!(
            three_figures(-1e-300).to_string(),
            "-0.000".replace("0.000", &three_figures(1e-300).to_string())
        );
    }
}
