//! Words and numbers that sentences are made of.

use jiff::Timestamp;

use crate::finding::{Comparison, Interval};

/// Activities, zones or comparisons that a sentence names before it says "and n more".
const MAX_NAMED: usize = 5;

/// `sentence` with a capital first letter.
pub(in crate::report) fn capitalised(sentence: String) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// `part` of `whole` in per cent with one decimal. Only all is `100 %`, and only nothing is `0 %`.
pub(in crate::report) fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".to_owned();
    }
    if part >= whole {
        return "100 %".to_owned();
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    tenths(((part * 1000 + whole / 2) / whole) as u64)
}

/// A fraction in per cent, by the same rules as [`share`].
pub(in crate::report) fn percent(fraction: f64) -> String {
    match fraction {
        f if f.is_nan() => "unknown".to_owned(),
        f if f <= 0.0 => "0 %".to_owned(),
        f if f >= 1.0 => "100 %".to_owned(),
        f => tenths((f * 1000.0).round() as u64),
    }
}

fn tenths(n: u64) -> String {
    match n.min(999) {
        0 => "less than 0.1 %".to_owned(),
        n => format!("{}.{} %", n / 10, n % 10),
    }
}

/// The name of a reason in words: `near_cloud` is `near cloud`.
pub(in crate::report) fn of_reason(reason: &str) -> String {
    match reason {
        "not_covered" => "not covered by the scene".to_owned(),
        "nodata" => "no data".to_owned(),
        other => other.replace('_', " "),
    }
}

/// The day of an instant, UTC.
pub(in crate::report) fn day(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d").to_string()
}

/// `2016-06-08 to 2017-06-21`, or one day.
pub(in crate::report) fn days(interval: &Interval) -> String {
    let (start, end) = (day(interval.start), day(interval.end));
    if start == end {
        start
    } else {
        format!("{start} to {end}")
    }
}

/// `1 change`, `2 changes`.
pub(in crate::report) fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Names, the first few of them where there are many.
pub(in crate::report) fn named(names: &[String]) -> String {
    match names.len().saturating_sub(MAX_NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MAX_NAMED].join(", ")),
    }
}

/// Whether a comparison can carry a statement that nothing was found: observed, and really compared.
pub(in crate::report) fn was_judged(comparison: &Comparison) -> bool {
    comparison.observable && comparison.cutoff.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_all_and_nothing_is_nothing() {
        assert_eq!(share(9_999, 10_000), "99.9 %");
        assert_eq!(share(10_000, 10_000), "100 %");
        assert_eq!(share(1, 10_000), "less than 0.1 %");
        assert_eq!(share(0, 10_000), "0 %");
        assert_eq!(share(0, 0), "0 %");
        assert_eq!(share(u64::MAX - 1, u64::MAX), "99.9 %");
        assert_eq!(percent(0.99999), "99.9 %");
        assert_eq!(percent(f64::NAN), "unknown");
    }
}
