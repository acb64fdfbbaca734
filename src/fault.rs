//! What is wrong with an input, and where: `check` prints all of them at once.

use std::fmt;

/// One thing that is wrong with an input file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Where: a JSON path (`features[3].properties.from`), a TOML key, or `line 4, column 7`.
    pub place: String,
    /// What was expected, what was found (with units), and what to do.
    pub message: String,
}

impl Fault {
    /// A fault at `place` with `message`.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
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
