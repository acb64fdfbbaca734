//! The members of JSON objects: texts, ids, words, moments, each with its fault.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::{MAX_ID_BYTES, MAX_TOLERANCE_M, quote};
use crate::fault::{Fault, nearest};
use crate::intake::names;

/// Spellings of WGS 84, longitude first, in the `crs` member of the GeoJSON of 2008.
const WGS84: [&str; 4] = [
    "urn:ogc:def:crs:OGC:1.3:CRS84",
    "urn:ogc:def:crs:OGC::CRS84",
    "urn:ogc:def:crs:EPSG::4326",
    "EPSG:4326",
];

pub(super) fn check_type(object: &Map<String, Value>, expected: &str, place: &str, faults: &mut Vec<Fault>) {
    let found = match object.get("type") {
        Some(Value::String(name)) if name == expected => return,
        Some(other) => format!("found {}", describe(other)),
        None => "but it is missing".into(),
    };
    faults.push(Fault::new(
        format!("{place}type"),
        format!("expected \"{expected}\", {found}"),
    ));
}

/// What kind of JSON value it is, for "found ...".
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {}", quote(text)),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}

/// RFC 7946 knows one reference system; a file that names another means other places.
pub(super) fn check_crs(object: &Map<String, Value>, place: &str, faults: &mut Vec<Fault>) {
    let Some(crs) = object.get("crs") else { return };
    let name = crs
        .get("properties")
        .and_then(|properties| properties.get("name"))
        .and_then(Value::as_str);
    if name.is_some_and(|name| WGS84.iter().any(|known| known.eq_ignore_ascii_case(name))) {
        return;
    }
    let found = name.map_or_else(|| describe(crs), quote);
    faults.push(Fault::new(
        format!("{place}crs"),
        format!(
            "expected WGS 84 longitude and latitude, found {found}: reproject the file (RFC 7946) and remove `crs`"
        ),
    ));
}

/// The members of one object, read one at a time, with the faults found on the way.
pub(super) struct Fields<'a, 'f> {
    pub(super) object: &'a Map<String, Value>,
    /// What goes before a member's name in a fault's place.
    pub(super) place: String,
    /// What goes before a fault's message.
    pub(super) label: String,
    pub(super) faults: &'f mut Vec<Fault>,
}

impl<'a> Fields<'a, '_> {
    pub(super) fn fault(&mut self, key: &str, message: impl AsRef<str>) {
        self.faults.push(Fault::new(
            format!("{}{key}", self.place),
            format!("{}{}", self.label, message.as_ref()),
        ));
    }

    /// The member, which must be there. Exporters write null for what is not.
    pub(super) fn required(&mut self, key: &str) -> Option<&'a Value> {
        if let Some(value) = self.object.get(key).filter(|value| !value.is_null()) {
            return Some(value);
        }
        let hint = nearest(
            key,
            self.object
                .keys()
                .map(String::as_str)
                .filter(|name| name.len() <= MAX_ID_BYTES && *name != key),
        );
        let hint = hint
            .map(|name| format!(" (is {} meant?)", quote(name)))
            .unwrap_or_default();
        self.fault(key, format!("is missing{hint}"));
        None
    }

    /// `None` when there is no such member, else what `read` makes of it.
    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        self.object.get(key).filter(|value| !value.is_null())?;
        Some(read(self, key))
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.required(key)?;
        match value.as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            Some(_) => {
                self.fault(key, "is empty");
                None
            }
            None => {
                self.fault(key, format!("expected text, found {}", describe(value)));
                None
            }
        }
    }

    pub(super) fn id(&mut self, key: &str) -> Option<String> {
        let id = self.text(key)?;
        let checked = match id.len() {
            0..=MAX_ID_BYTES => names::id(&id),
            bytes => Err(format!("has {bytes} bytes; an id has at most {MAX_ID_BYTES}")),
        };
        self.good(key, id, checked)
    }

    /// Who somebody is: told apart as ids are.
    pub(super) fn party(&mut self, key: &str) -> Option<String> {
        let party = self.text(key)?;
        let checked = names::id(&party);
        self.good(key, party, checked)
    }

    /// A name for people.
    pub(super) fn title(&mut self, key: &str) -> Option<String> {
        let title = self.text(key)?;
        let checked = names::title(&title);
        self.good(key, title, checked)
    }

    fn good(&mut self, key: &str, text: String, checked: Result<(), String>) -> Option<String> {
        match checked {
            Ok(()) => Some(text),
            Err(wrong) => {
                self.fault(key, wrong);
                None
            }
        }
    }

    pub(super) fn word<T: Copy>(&mut self, key: &str, known: &[T], word: fn(T) -> &'static str) -> Option<T> {
        let text = self.text(key)?;
        if let Some(found) = known.iter().find(|candidate| word(**candidate) == text) {
            return Some(*found);
        }
        let words: Vec<&str> = known.iter().map(|candidate| word(*candidate)).collect();
        let near = match text.len() {
            0..=MAX_ID_BYTES => nearest(&text.to_lowercase(), words.iter().copied()),
            _ => None,
        };
        let hint = near.map(|word| format!(" (is \"{word}\" meant?)")).unwrap_or_default();
        self.fault(
            key,
            format!("expected one of {}; found {}{hint}", words.join(", "), quote(&text)),
        );
        None
    }

    pub(super) fn instant(&mut self, key: &str) -> Option<Timestamp> {
        let text = self.text(key)?;
        match instant(&text) {
            Ok(instant) => Some(instant),
            Err(why) => {
                self.fault(
                    key,
                    format!(
                        "expected a date (2024-05-01) or an RFC 3339 date-time (2024-05-01T06:30:00Z), found {}{why}",
                        quote(&text)
                    ),
                );
                None
            }
        }
    }

    pub(super) fn metres(&mut self, key: &str) -> Option<f64> {
        let value = self.required(key)?;
        match value.as_f64() {
            Some(metres) if (0.0..=MAX_TOLERANCE_M).contains(&metres) => Some(metres),
            _ => {
                self.fault(
                    key,
                    format!(
                        "expected a number of metres from 0 to {MAX_TOLERANCE_M}, found {}",
                        describe(value)
                    ),
                );
                None
            }
        }
    }
}

/// The moment that a date-time names, or midnight UTC of a plain date.
fn instant(text: &str) -> Result<Timestamp, &'static str> {
    // jiff takes more than RFC 3339 does (annotations, spaces, expanded years): the lengths and marks rule those out.
    let mark = |index: usize, marks: &[u8]| text.as_bytes().get(index).is_some_and(|byte| marks.contains(byte));
    let dated = mark(4, b"-") && mark(7, b"-");
    if text.len() == 10 && dated {
        let date: Date = text.parse().map_err(|_| ": there is no such day")?;
        return date
            .to_zoned(TimeZone::UTC)
            .map(|zoned| zoned.timestamp())
            .map_err(|_| ": there is no such day");
    }
    if !(dated && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":")) || text.len() > 40 || text.contains('[') {
        return Err("");
    }
    text.parse().map_err(|_| match text.parse::<DateTime>() {
        Ok(_) => ": it does not say which UTC offset, so add Z or one such as +02:00",
        Err(_) => ": there is no such moment",
    })
}
