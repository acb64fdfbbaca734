//! Members of the JSON of a STAC Item, read one by one; what is wrong with them is collected.

use std::path::Path;

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::scene::file_date::{Interval, interval_of_tag};

pub(in crate::scene) type Object = Map<String, Value>;

/// Why an item is no scene.
#[derive(Debug)]
pub(in crate::scene) struct Unusable {
    pub faults: Vec<Fault>,
    /// A file that should be readable is not.
    pub unreadable: bool,
}

pub(in crate::scene) struct Reader<'a> {
    pub base: &'a Path,
    pub faults: Vec<Fault>,
    /// A file that should be readable is not.
    pub unreadable: bool,
}

/// `key` below `at`, as a JSON path.
pub(in crate::scene) fn under(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}

impl Reader<'_> {
    pub(in crate::scene) fn fault<T>(&mut self, place: String, message: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(place, message));
        None
    }

    pub(in crate::scene) fn text<'v>(&mut self, object: &'v Object, at: &str, key: &str) -> Option<&'v str> {
        match object.get(key)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => self.fault(under(at, key), format!("expected a string, found {}", kind_of(other))),
        }
    }

    pub(in crate::scene) fn number(&mut self, object: &Object, at: &str, key: &str) -> Option<f64> {
        match object.get(key)? {
            Value::Null => None,
            Value::Number(number) => number.as_f64(),
            // Catalogues write numbers as text.
            Value::String(text) if text.trim().parse().is_ok_and(f64::is_finite) => text.trim().parse().ok(),
            other => self.fault(under(at, key), format!("expected a number, found {}", kind_of(other))),
        }
    }

    pub(in crate::scene) fn list<'v>(&mut self, object: &'v Object, at: &str, key: &str) -> &'v [Value] {
        match object.get(key) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.faults.push(Fault::new(
                    under(at, key),
                    format!("expected an array, found {}", kind_of(other)),
                ));
                &[]
            }
        }
    }

    /// The instant that the text of `key` tells, or the first and the last second of a day; UTC where it names no zone.
    pub(in crate::scene) fn time(&mut self, object: &Object, at: &str, key: &str) -> Option<Interval> {
        let text = self.text(object, at, key)?;
        match interval_of_tag(text) {
            Ok(interval) => Some(interval),
            Err(_) => self.fault(
                under(at, key),
                format!(
                    "expected a time as in 2024-05-01T10:20:30Z, found `{}`",
                    text.escape_debug()
                ),
            ),
        }
    }
}

pub(in crate::scene) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
