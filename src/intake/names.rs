//! Which characters names from outside may hold: those that are seen, so that no two names look the same and none moves the text around it.

use std::sync::LazyLock;

use regex::Regex;

/// Names by which things are told apart: nothing that leaves no mark, not even where it is called a letter.
static NOT_IN_IDS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[^[\p{L}\p{M}\p{N}\p{P}\p{S} ]--\p{Default_Ignorable_Code_Point}]").ok());

/// Names for people may join and part letters, as Persian and the scripts of India need it (U+200C, U+200D).
static NOT_IN_TITLES: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[^\p{L}\p{M}\p{N}\p{P}\p{S} \x{200C}\x{200D}]").ok());

/// That `text` can tell a thing from others: an id, a party, a band.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn id(text: &str) -> Result<(), String> {
    allowed(text, &NOT_IN_IDS)?;
    match text.trim() == text {
        true => Ok(()),
        false => Err("begins or ends with a space: remove it".into()),
    }
}

/// That `text` can be shown to people as the name of something.
///
/// # Errors
/// The first character that it may not hold, and what to do.
pub fn title(text: &str) -> Result<(), String> {
    allowed(text, &NOT_IN_TITLES)
}

fn allowed(text: &str, others: &LazyLock<Option<Regex>>) -> Result<(), String> {
    let Some(others) = &**others else {
        return Err("cannot be looked at: this program was built without the classes of Unicode".into());
    };
    let Some(found) = others.find(text) else {
        return Ok(());
    };
    let place = text[..found.start()].chars().count() + 1;
    let code = found.as_str().chars().next().map_or(0, u32::from);
    Err(format!(
        "holds U+{code:04X} as its character {place}; expected letters, digits, marks, punctuation, symbols and plain spaces only: remove it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_allowed() {
        for text in [
            "S-1",
            "Base nord",
            "基地 №5",
            "e\u{301}",
            "نطنز",
            "a+b=<c>€",
            "x_1.tif",
            "🛰",
        ] {
            assert_eq!((id(text), title(text)), (Ok(()), Ok(())), "{text}");
        }
        // Persian parts letters within a word.
        let parted = "می\u{200c}خواهم";
        assert!(title(parted).is_ok() && id(parted).is_err());
    }

    #[test]
    fn what_is_not_seen_or_moves_text_is_refused_with_its_code() {
        for (hidden, code) in [
            ('\0', "U+0000"),
            ('\n', "U+000A"),
            ('\t', "U+0009"),
            ('\x1b', "U+001B"),
            ('\u{7f}', "U+007F"),
            ('\u{85}', "U+0085"),
            ('\u{a0}', "U+00A0"),
            ('\u{ad}', "U+00AD"),
            ('\u{61c}', "U+061C"),
            ('\u{200b}', "U+200B"),
            ('\u{200e}', "U+200E"),
            ('\u{2028}', "U+2028"),
            ('\u{2029}', "U+2029"),
            ('\u{202e}', "U+202E"),
            ('\u{2066}', "U+2066"),
            ('\u{3000}', "U+3000"),
            ('\u{e000}', "U+E000"),
            ('\u{feff}', "U+FEFF"),
            ('\u{e0041}', "U+E0041"),
            ('\u{10ffff}', "U+10FFFF"),
        ] {
            let text = format!("ab{hidden}c");
            for said in [id(&text), title(&text)] {
                let said = said.unwrap_err();
                assert!(said.contains(&format!("{code} as its character 3;")), "{said}");
            }
        }
        for blank in ['\u{3164}', '\u{115f}', '\u{34f}', '\u{fe0f}'] {
            assert!(id(&format!("a{blank}")).is_err(), "{:04X}", u32::from(blank));
        }
        assert!(id(" a").is_err() && id("a ").is_err());
    }
}
