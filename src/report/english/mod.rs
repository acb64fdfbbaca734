//! The English of the report: every word of it stands in this folder; templates hold none.

pub(super) mod labels;
pub(super) mod likelihood;
mod measured;
mod methods;
mod parameters;
mod parties;
mod registration;
pub(super) mod sensitivity;
mod summary;
pub(super) mod timeline;

use crate::finding::Interval;

pub(super) use measured::{measured, normalisation};
pub(super) use methods::methods;
pub(super) use parameters::parameter_meaning;
pub(super) use registration::of_registration;
pub(super) use sensitivity::of_sensitivity;
pub use summary::summary;
pub(super) use summary::{Account, account, of_activity, of_run, reasons, was_judged};

/// `sentence` with a capital first letter.
pub(super) fn capitalised(sentence: String) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// `part` of `whole` in per cent with one decimal. Only all is `100 %`, and only nothing is `0 %`.
pub(super) fn share(part: u64, whole: u64) -> String {
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
pub(super) fn percent(fraction: f64) -> String {
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
pub(super) fn of_reason(reason: &str) -> String {
    match reason {
        "not_covered" => "not covered by the scene".to_owned(),
        "nodata" => "no data".to_owned(),
        other => other.replace('_', " "),
    }
}

/// The day of an RFC 3339 instant.
pub(super) fn day(instant: &str) -> &str {
    instant.get(..10).unwrap_or(instant)
}

/// `2016-06-08 to 2017-06-21`, or one day.
pub(super) fn days(interval: &Interval) -> String {
    let (start, end) = (day(&interval.start), day(&interval.end));
    if start == end {
        start.to_owned()
    } else {
        format!("{start} to {end}")
    }
}

/// `1 change`, `2 changes`.
pub(super) fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
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
