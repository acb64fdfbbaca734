//! What is wrong with an input, and where: `check` prints all of them at once.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// One thing that is wrong with an input file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Where: a JSON path (`features[3].properties.from`), a TOML key, or `line 4, column 7`.
    pub place: String,
    /// What was expected, what was found (with units), and what to do.
    pub message: String,
}

impl Fault {
    /// A fault at `place` with `message`, each on one line whatever it quotes.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        let (place, message) = (place.into(), message.into());
        Self {
            place: one_line(&place).into_owned(),
            message: one_line(&message).into_owned(),
        }
    }

    /// What the TOML reader found wrong with `text`: its line and column, and for an unknown name the nearest known one.
    pub fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map_or_else(String::new, |span| {
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
            format!("line {line}, column {column}")
        });
        let message = error.message();
        // serde says "unknown field `a`, expected one of `b`, `c`": every other piece between back quotes is a name.
        let known = message.strip_prefix("unknown ").and_then(|rest| {
            let mut names = rest.split('`').skip(1).step_by(2);
            nearest(names.next()?, names)
        });
        Self::new(place, format!("{message}{}", did_you_mean(known)))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.place, self.message)
        }
    }
}

/// Whatever is not seen as it stands: control, format and private characters, separators other than the space.
static UNSEEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[^\p{L}\p{M}\p{N}\p{P}\p{S} \x{200C}\x{200D}]").ok());

/// `text` as it can stand in a line of a log: what would break the line, order a terminal or turn text around is escaped.
pub fn one_line(text: &str) -> Cow<'_, str> {
    match &*UNSEEN {
        Some(unseen) => unseen.replace_all(text, |found: &Captures| found[0].escape_default().to_string()),
        None => text.escape_default().to_string().into(),
    }
}

/// The name in `known` that is nearest to `name`, when it is near enough to be a slip of the pen.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// `; did you mean 'x'?`, or nothing.
pub fn did_you_mean(known: Option<&str>) -> String {
    known.map_or_else(String::new, |known| format!("; did you mean '{known}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_line() {
        let plain = "C:\\a 'b' \"c\" é 基地 می\u{200c}خواهم e\u{301}";
        assert!(matches!(one_line(plain), Cow::Borrowed(same) if same == plain));
        assert_eq!(
            one_line("a\nb\r\x1b[2J\u{202e}c\u{2028}\u{feff}"),
            r"a\nb\r\u{1b}[2J\u{202e}c\u{2028}\u{feff}"
        );
        let fault = Fault::new("x\ny", "found `\x1b`");
        assert_eq!(fault.to_string(), r"x\ny: found `\u{1b}`");
    }
}
