//! What the names of classes say of a pixel: they are words for people, in many spellings.

use std::collections::BTreeMap;

use super::Coding;
use crate::raster::flags::{self, Flags};

const NEGATIONS: [&str; 3] = ["no", "not", "non"];
/// Beginnings of what a pixel lacks that a negation says it lacks: `no_observation`, `not processed`, `unavailable`.
const OBSERVING: [&str; 11] = [
    "data", "observ", "value", "info", "process", "avail", "measur", "acqui", "cover", "retriev", "imag",
];
/// The same of a pixel that is there and no use: `not_clear`, `unusable`.
const GOOD: [&str; 4] = ["clear", "valid", "usable", "reliable"];
/// Words that say it alone.
const NOTHING: [&str; 9] = [
    "fill",
    "null",
    "nan",
    "void",
    "missing",
    "empty",
    "outside",
    "masked",
    "undefined",
];

/// The coding of named classes: those that can be judged are listed as clear. `None` when no name is a reason.
pub(super) fn coding_of(classes: &[(i64, String)]) -> Option<Coding> {
    let coded: BTreeMap<i64, Flags> = classes
        .iter()
        .map(|(value, name)| (*value, class_flag(name).unwrap_or(flags::CLEAR)))
        .collect();
    let has_reason = coded.values().any(|flag| *flag != flags::CLEAR);
    has_reason.then_some(Coding::Classes(coded))
}

/// What a class of that name means for judging a pixel; `None` when it can be judged.
pub(super) fn class_flag(name: &str) -> Option<Flags> {
    let name = name.trim().to_ascii_lowercase();
    let words: Vec<&str> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if lacks(&words, &OBSERVING) || words == ["n", "a"] {
        return Some(flags::NODATA);
    }
    if lacks(&words, &GOOD) {
        return Some(flags::INVALID);
    }
    let name = words.join("_");
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let word = |known: &[&str]| words.iter().any(|one| known.contains(one));
    if has(&["invalid"]) && !word(&NEGATIONS) {
        return Some(flags::INVALID);
    }
    if word(&NEGATIONS) || word(&["clear", "free", "low", "without"]) {
        return None;
    }
    if word(&NOTHING) || has(&["off_swath", "out_of_swath"]) {
        return Some(flags::NODATA);
    }
    if has(&["saturat", "defective"]) {
        return Some(flags::SATURATED);
    }
    if has(&["shadow"]) {
        return Some(flags::SHADOW);
    }
    if has(&["adjacent", "dilated", "near_cloud", "cloud_buffer"]) {
        return Some(flags::NEAR_CLOUD);
    }
    if has(&["cirrus", "thin_cloud"]) || word(&["haze"]) {
        return Some(flags::CIRRUS);
    }
    if has(&["cloud"]) {
        return Some(flags::CLOUD);
    }
    if word(&["snow", "ice"]) {
        return Some(flags::SNOW);
    }
    word(&["bad", "corrupt", "corrupted"]).then_some(flags::INVALID)
}

/// Whether one of `words` denies one of `stems`, in one word (`nodata`, `unobserved`) or by the word before it (`no data`).
fn lacks(words: &[&str], stems: &[&str]) -> bool {
    let begins = |word: &str| stems.iter().any(|stem| word.starts_with(stem));
    let denies = |word: &str| {
        let prefixes = NEGATIONS.iter().chain(&["un"]);
        prefixes.filter_map(|no| word.strip_prefix(no)).any(begins)
    };
    let is_denied = |at: usize| at > 0 && NEGATIONS.contains(&words[at - 1]);
    (0..words.len()).any(|at| is_denied(at) && begins(words[at]) || !is_denied(at) && denies(words[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_tell_reasons() {
        let reason = |name: &str| class_flag(name).map_or("clear", |flag| flags::first_reason(flag).unwrap());
        for (expected, names) in [
            (
                "nodata",
                "no_data|NoData|Fill|not_observed|no_observation|no value|no information|not processed|unobserved|unprocessed|null|\
                 outside swath|off-swath|not available|n/a|missing|masked out|No Data (fill)|not acquired|not covered",
            ),
            (
                "invalid",
                "not_clear|unclear|no valid data|not valid|unusable|invalid|invalid_cloud_free|bad data",
            ),
            ("saturated", "saturated or defective"),
            ("shadow", "cloud_shadow|cloud_or_shadow"),
            (
                "cloud",
                "cloud high probability|Clouds|cloud medium confidence|CLOUD_HIGH_PROBABILITY",
            ),
            ("cirrus", "thin-cirrus"),
            ("near_cloud", "adjacent_to_cloud|dilated"),
            ("snow", "snow_ice"),
            (
                "clear",
                "cloud_low_probability|not_cloud|no clouds|not_fill|not_dilated|cloud_free|clear|water|device|not_vegetated|NOT_VEGETATED|non_forest|\
                 no change|unclassified|valid|valid data|none|not_nodata|not_water|novel|norway|national park|unvegetated|not invalid",
            ),
        ] {
            for name in names.split('|') {
                assert_eq!(reason(name), expected, "{name}");
            }
        }
    }

    #[test]
    fn classes_that_can_be_judged_are_listed_so() {
        assert_eq!(coding_of(&[(0, "clear".into()), (1, "water".into())]), None);
        let coding = coding_of(&[(0, "clear".into()), (1, "cloud".into())]).unwrap();
        assert_eq!(
            [0.0, 1.0, 255.0].map(|raw| coding.decode(raw)),
            [flags::CLEAR, flags::CLOUD, flags::INVALID]
        );
        // Who names the bad ones alone means that all others are good.
        let coding = coding_of(&[(1, "cloud".into())]).unwrap();
        assert_eq!(coding.decode(0.0), flags::CLEAR);
    }
}
