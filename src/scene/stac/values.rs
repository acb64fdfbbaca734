//! What a STAC Item says that the values of a band mean, where they are no measurements: classes, or fields of bits.

use serde_json::Value;

use crate::fault::Fault;
use crate::raster::flags;
use crate::scene::class_names::{class_flag, coding_of};
use crate::scene::stac::object::{Object, Reader};
use crate::scene::{BitRule, Coding};

/// The values of a band that holds no measurements.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::scene) enum Values {
    /// `classification:classes`, or `file:values`.
    Classes(Vec<(i64, String)>),
    /// `classification:bitfields`.
    Fields(Vec<Field>),
}

/// Some bits of a value, and the classes that they code.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::scene) struct Field {
    name: String,
    offset: u64,
    length: u64,
    classes: Vec<(i64, String)>,
}

/// What a class of a field is called that says no more than that the field's name holds.
const YES: [&str; 9] = ["yes", "true", "set", "on", "present", "detected", "high", "medium", "1"];

impl Values {
    /// What they say of pixels; `None` where no name is a reason.
    pub fn coding(&self) -> Option<Coding> {
        match self {
            Self::Classes(classes) => coding_of(classes),
            Self::Fields(fields) => {
                let rules: Vec<BitRule> = fields.iter().flat_map(Field::rules).collect();
                (!rules.is_empty()).then_some(Coding::Bits(rules))
            }
        }
    }

    /// The values, where all that is said of them is that they are no data: such a band holds measurements.
    pub fn only_nodata(&self) -> Option<Vec<f64>> {
        let Self::Classes(classes) = self else { return None };
        let is_nodata = |(_, name): &(i64, String)| class_flag(name) == Some(flags::NODATA);
        let all = !classes.is_empty() && classes.iter().all(is_nodata);
        all.then(|| classes.iter().map(|(value, _)| *value as f64).collect())
    }
}

impl Field {
    fn rules(&self) -> Vec<BitRule> {
        // That a pixel is not clear is what the other fields give the reason of.
        if self.offset + self.length > 32 || self.length == 0 || self.name.eq_ignore_ascii_case("clear") {
            return Vec::new();
        }
        let bits = (u32::MAX >> (32 - self.length)) << self.offset;
        let rule = |(value, name): &(i64, String)| {
            let is_yes = YES.contains(&name.to_ascii_lowercase().as_str());
            let flag = class_flag(if is_yes { &self.name } else { name })?;
            let equals = u32::try_from(*value).ok()?.checked_shl(self.offset as u32)?;
            (equals & !bits == 0).then_some(BitRule {
                mask: bits,
                equals,
                flag,
            })
        };
        self.classes.iter().filter_map(rule).collect()
    }
}

impl Reader<'_> {
    /// What `object` says that values mean; `None` where it does not.
    pub(in crate::scene) fn values(&mut self, object: &Object, at: &str) -> Option<Values> {
        let classes = self.classes(object, at, "classification:classes");
        if !classes.is_empty() {
            return Some(Values::Classes(classes));
        }
        let fields = self.fields(object, at);
        if !fields.is_empty() {
            return Some(Values::Fields(fields));
        }
        let listed = self.list(object, at, "file:values");
        let classes = listed.iter().filter_map(|entry| {
            let summary = entry.get("summary")?.as_str()?;
            let values = entry.get("values")?.as_array()?.iter().filter_map(Value::as_i64);
            Some(values.map(|value| (value, summary.to_owned())))
        });
        let classes: Vec<(i64, String)> = classes.flatten().collect();
        (!classes.is_empty()).then_some(Values::Classes(classes))
    }

    fn classes(&mut self, object: &Object, at: &str, key: &str) -> Vec<(i64, String)> {
        let mut classes = Vec::new();
        for (number, class) in self.list(object, at, key).iter().enumerate() {
            let name = ["name", "title", "description"]
                .iter()
                .find_map(|key| class.get(key)?.as_str());
            match (class.get("value").and_then(Value::as_i64), name) {
                (Some(value), Some(name)) => classes.push((value, name.to_owned())),
                _ => self.faults.push(Fault::new(
                    format!("{at}.{key}[{number}]"),
                    "expected an integer `value` and a `name`",
                )),
            }
        }
        classes
    }

    fn fields(&mut self, object: &Object, at: &str) -> Vec<Field> {
        let mut fields = Vec::new();
        for (number, value) in self.list(object, at, "classification:bitfields").iter().enumerate() {
            let at = format!("{at}.classification:bitfields[{number}]");
            let whole = |key: &str| value.get(key).and_then(Value::as_u64).filter(|bits| *bits <= 64);
            let (Some(object), Some(offset), Some(length)) = (value.as_object(), whole("offset"), whole("length"))
            else {
                self.faults
                    .push(Fault::new(at, "expected an `offset` and a `length` of up to 64 bits"));
                continue;
            };
            let name = ["name", "description"]
                .iter()
                .find_map(|key| object.get(*key)?.as_str());
            let name = name.unwrap_or_default().to_owned();
            let mut classes = self.classes(object, &at, "classes");
            if classes.is_empty() && length == 1 {
                classes.push((1, name.clone()));
            }
            fields.push(Field {
                name,
                offset,
                length,
                classes,
            });
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, offset: u64, length: u64, classes: &[&str]) -> Field {
        Field {
            name: name.to_owned(),
            offset,
            length,
            classes: (0..).zip(classes.iter().map(|name| (*name).to_owned())).collect(),
        }
    }

    #[test]
    fn bits_are_told_by_the_names_of_classes_and_fields() {
        let fields = Values::Fields(vec![
            field("fill", 0, 1, &["not_fill", "fill"]),
            field("cloud", 3, 1, &["no", "yes"]),
            field("clear", 6, 1, &["not_clear", "clear"]),
            field(
                "cloud_shadow_confidence",
                10,
                2,
                &["not_set", "low", "reserved", "high"],
            ),
            field("top", 31, 1, &["off", "snow"]),
            // No 32 bits hold it.
            field("cloud", 40, 1, &["no", "yes"]),
        ]);
        let coding = fields.coding().unwrap();
        for (raw, flag) in [
            (0, flags::CLEAR),
            (1, flags::NODATA),
            (8, flags::CLOUD),
            (64, flags::CLEAR),
            (1 << 10, flags::CLEAR),
            (3 << 10, flags::SHADOW),
            (1 << 31, flags::SNOW),
        ] {
            assert_eq!(coding.decode(f64::from(raw as u32)), flag, "{raw}");
        }
        assert_eq!(
            Values::Fields(vec![field("water", 0, 1, &["no", "yes"])]).coding(),
            None
        );
    }

    #[test]
    fn values_that_are_all_no_data_are_no_classes() {
        let classes = |names: &[(i64, &str)]| {
            let classes = names.iter().map(|(value, name)| (*value, (*name).to_owned()));
            Values::Classes(classes.collect()).only_nodata()
        };
        assert_eq!(classes(&[(-9999, "no data"), (0, "fill")]), Some(vec![-9999.0, 0.0]));
        assert_eq!(classes(&[(0, "no data"), (1, "forest")]), None);
        assert_eq!(classes(&[]), None);
    }
}
