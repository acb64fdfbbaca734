//! When a raster was acquired, from its file's name or from a tag's text.

use std::path::Path;

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use regex::Regex;

use super::last_second;

/// The groups of a pattern by name.
const NAMED: [&str; 7] = ["year", "month", "day", "doy", "hour", "minute", "second"];

/// The pattern of a date in a name, as a regular expression.
///
/// # Errors
/// It is none, it names unknown groups, or neither has exactly one group nor one named `year`.
pub(super) fn date_pattern(pattern: &str) -> Result<Regex, String> {
    let regex = Regex::new(pattern).map_err(|error| format!("`{pattern}`: {error}"))?;
    let named: Vec<&str> = regex.capture_names().flatten().collect();
    if let Some(unknown) = named.iter().find(|name| !NAMED.contains(name)) {
        return Err(format!(
            "`{pattern}`: unknown group `{unknown}`: one of {}",
            NAMED.join(", ")
        ));
    }
    let fits = if named.is_empty() {
        regex.captures_len() == 2
    } else {
        named.contains(&"year")
    };
    if !fits {
        return Err(format!(
            "`{pattern}`: expected one group that holds the date, as in `_(\\d{{8}})_`, or named groups with `year` among them"
        ));
    }
    Ok(regex)
}

/// Begin and end in UTC: the same instant, or the first and the last second of a day, month or year.
pub(super) type Interval = (Timestamp, Timestamp);

/// When the raster of that name was acquired. `format` is for a pattern without named groups.
///
/// # Errors
/// The pattern does not match, or what it finds is no date.
pub(super) fn interval_of_name(file: &Path, pattern: &Regex, format: &str) -> Result<Interval, String> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let groups = pattern.captures(&name).ok_or_else(|| {
        format!(
            "no date in the name `{}`: `{}` does not match",
            name.escape_debug(),
            pattern.as_str()
        )
    })?;
    if pattern.capture_names().flatten().next().is_none() {
        let text = groups.get(1).map_or("", |group| group.as_str());
        let parsed = strtime::parse(format, text).map_err(|error| {
            format!(
                "`{}` in its name is no date as `{format}`: {error}",
                text.escape_debug()
            )
        })?;
        return interval(&parsed).map_err(|error| {
            format!(
                "`{}` in its name is no date as `{format}`: {error}",
                text.escape_debug()
            )
        });
    }
    let mut parsed = BrokenDownTime::default();
    for field in NAMED {
        let Some(group) = groups.name(field) else { continue };
        let bad = || format!("`{}` in its name is no {field}", group.as_str().escape_debug());
        let number: i16 = group.as_str().parse().map_err(|_| bad())?;
        let small = i8::try_from(number);
        let set = match (field, small) {
            ("year", _) => parsed.set_year(Some(number)),
            ("doy", _) => parsed.set_day_of_year(Some(number)),
            ("month", Ok(number)) => parsed.set_month(Some(number)),
            ("day", Ok(number)) => parsed.set_day(Some(number)),
            ("hour", Ok(number)) => parsed.set_hour(Some(number)),
            ("minute", Ok(number)) => parsed.set_minute(Some(number)),
            ("second", Ok(number)) => parsed.set_second(Some(number)),
            _ => return Err(bad()),
        };
        set.map_err(|_| bad())?;
    }
    interval(&parsed).map_err(|error| format!("the date in its name `{}` is none: {error}", name.escape_debug()))
}

/// When the raster with that text in its tag was acquired.
///
/// # Errors
/// The text is no date.
pub(super) fn interval_of_tag(text: &str) -> Result<Interval, String> {
    let text = text.trim().trim_end_matches('\0');
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok((instant, instant));
    }
    [
        "%Y:%m:%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d",
        "%Y:%m:%d",
        "%Y%m%d",
    ]
    .iter()
    .find_map(|format| interval(&strtime::parse(format, text).ok()?).ok())
    .ok_or_else(|| {
        format!(
            "holds no date: `{}`, expected as in 2001:05:25 10:11:12 or RFC 3339",
            text.escape_debug()
        )
    })
}

/// The instant, or the first and the last second of the day, month or year in UTC.
fn interval(parsed: &BrokenDownTime) -> Result<Interval, jiff::Error> {
    if parsed.offset().is_some() || parsed.timestamp().is_some() {
        return parsed.to_timestamp().map(|instant| (instant, instant));
    }
    let utc = |at: DateTime| at.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let midnight = |date: Date| utc(date.to_datetime(Time::midnight()));
    let whole = |start: Date, next: Date| {
        let start = midnight(start)?;
        Ok((start, last_second(start, midnight(next)?)))
    };
    if parsed.hour().is_some() {
        let time = Time::new(
            parsed.hour().unwrap_or(0),
            parsed.minute().unwrap_or(0),
            parsed.second().unwrap_or(0),
            parsed.subsec_nanosecond().unwrap_or(0),
        )?;
        return utc(parsed.to_date()?.to_datetime(time)).map(|instant| (instant, instant));
    }
    match (
        parsed.year(),
        parsed.month(),
        parsed.day().or(parsed.day_of_year().map(|_| 1)),
    ) {
        (Some(year), None, None) => {
            let start = Date::new(year, 1, 1)?;
            whole(start, start.checked_add(1.year())?)
        }
        (Some(year), Some(month), None) => {
            let start = Date::new(year, month, 1)?;
            whole(start, start.checked_add(1.month())?)
        }
        _ => {
            let start = parsed.to_date()?;
            whole(start, start.checked_add(1.day())?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_name(name: &str, pattern: &str, format: &str) -> String {
        let pattern = date_pattern(pattern).unwrap();
        match interval_of_name(Path::new(name), &pattern, format) {
            Ok((start, end)) => format!("{start}/{end}"),
            Err(wrong) => wrong,
        }
    }

    #[test]
    fn a_day_a_month_or_a_year_is_its_interval_and_a_time_an_instant() {
        for (name, pattern, format, expected) in [
            (
                "1985.tif",
                r"^(\d{4})",
                "%Y",
                "1985-01-01T00:00:00Z/1985-12-31T23:59:59Z",
            ),
            (
                "x_2001-05.tif",
                r"_([\d-]+)",
                "%Y-%m",
                "2001-05-01T00:00:00Z/2001-05-31T23:59:59Z",
            ),
            (
                "LS20010525.tif",
                r"LS(\d{8})",
                "%Y%m%d",
                "2001-05-25T00:00:00Z/2001-05-25T23:59:59Z",
            ),
            (
                "x_20010525T101112.tif",
                r"_(\d+T\d+)",
                "%Y%m%dT%H%M%S",
                "2001-05-25T10:11:12Z/2001-05-25T10:11:12Z",
            ),
            (
                "x_20010525T101112.tif",
                r"_(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)T(?<hour>\d\d)",
                "",
                "2001-05-25T10:00:00Z/2001-05-25T10:00:00Z",
            ),
            (
                "y_2001_145.tif",
                r"_(?<year>\d{4})_(?<doy>\d+)",
                "",
                "2001-05-25T00:00:00Z/2001-05-25T23:59:59Z",
            ),
        ] {
            assert_eq!(by_name(name, pattern, format), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_date_is_said() {
        assert!(
            by_name("LS20011325.tif", r"LS(\d{8})", "%Y%m%d").contains("`20011325` in its name is no date as `%Y%m%d`")
        );
        assert!(by_name("readme.tif", r"LS(\d{8})", "%Y%m%d").contains("does not match"));
    }

    #[test]
    fn a_tag_holds_a_date_in_the_usual_forms() {
        let by_tag = |text: &str| interval_of_tag(text).map(|(start, end)| format!("{start}/{end}"));
        for text in ["2001:05:25 10:11:12\0", "2001-05-25T12:11:12+02:00"] {
            assert_eq!(
                by_tag(text).unwrap(),
                "2001-05-25T10:11:12Z/2001-05-25T10:11:12Z",
                "{text}"
            );
        }
        assert_eq!(
            by_tag("2001-05-25").unwrap(),
            "2001-05-25T00:00:00Z/2001-05-25T23:59:59Z"
        );
        assert!(by_tag("yesterday").unwrap_err().contains("`yesterday`"));
    }
}
