//! Values that mean no data, as JSON holds them: numbers, or the words `nan`, `inf` and `-inf` (as STAC writes them). For `#[serde(with = ...)]`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// JSON has no word of its own for what is not finite.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Word(String),
}

/// The number that a word stands for, in any case; `None` for other words.
pub fn of_word(word: &str) -> Option<f64> {
    match word.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The values as a list.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|value| match value.is_finite() {
        true => Written::Number(*value),
        false => Written::Word(value.to_string().to_ascii_lowercase()),
    }))
}

/// The values of a list.
///
/// # Errors
/// It is no list of numbers and these words.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let written = Vec::<Written>::deserialize(deserializer)?;
    let value = |one| match one {
        Written::Number(value) => Ok(value),
        Written::Word(word) => of_word(&word).ok_or_else(|| {
            D::Error::custom(format!(
                "expected a number, \"nan\", \"inf\" or \"-inf\", found `{}`",
                word.escape_debug()
            ))
        }),
    };
    written.into_iter().map(value).collect()
}
