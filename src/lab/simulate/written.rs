//! Places and times as recipes write them.

use jiff::Timestamp;
use serde::Deserialize;

/// A place: `[left, top, right, bottom]`, metres right of and below the top-left corner of the scene.
pub type BoxM = [f64; 4];

/// A time in UTC, `2021-05-03T10:10:31Z`, or a day, which means its first moment.
pub fn moment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let day = || text.parse::<jiff::civil::Date>()?.to_zoned(jiff::tz::TimeZone::UTC);
    text.parse()
        .or_else(|_| day().map(|zoned| zoned.timestamp()))
        .map_err(|_: jiff::Error| {
            let what =
                format!("`{text}` is not a time; expected one like 2021-05-03T10:10:31Z, or a day like 2021-05-03");
            serde::de::Error::custom(what)
        })
}

/// The same, where it may be absent.
pub fn maybe_moment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    moment(deserializer).map(Some)
}
