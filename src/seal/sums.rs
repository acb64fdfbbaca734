//! `SHA256SUMS`: the hashes that a folder states of its files, as `sha256sum` of GNU coreutils writes them.

use std::collections::BTreeMap;

use crate::fault::Fault;

/// The name of such a file.
pub const NAME: &str = "SHA256SUMS";

/// SHA-256 in lower-case hexadecimal by name, from the lines of `text`.
///
/// A line holds 64 hexadecimal digits, a space, a space or `*`, and the name; a line that begins with a backslash has `\n`, `\r` and `\\` in its name.
///
/// # Errors
/// The first line that is none; a name with two hashes.
pub fn read(text: &str) -> Result<BTreeMap<String, String>, Fault> {
    let mut sums = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |message: &str| Fault::new(format!("line {}", number + 1), message);
        let (sum, name) =
            entry(line).ok_or_else(|| fault("expected a SHA-256 in hexadecimal, two spaces and a name"))?;
        let before = sums.insert(name, sum.clone());
        if before.is_some_and(|before| before != sum) {
            return Err(fault("a name that another line states otherwise"));
        }
    }
    Ok(sums)
}

fn entry(line: &str) -> Option<(String, String)> {
    let (line, is_escaped) = line.strip_prefix('\\').map_or((line, false), |rest| (rest, true));
    let (sum, rest) = line.split_at_checked(64)?;
    let name = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"))?;
    let name = name.strip_prefix("./").unwrap_or(name);
    if name.is_empty() || !sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let name = match is_escaped {
        true => unescaped(name)?,
        false => name.to_owned(),
    };
    Some((sum.to_ascii_lowercase(), name))
}

fn unescaped(name: &str) -> Option<String> {
    let mut plain = String::new();
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next()? {
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                _ => return None,
            },
            letter => letter,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_sha256sum() {
        let (a, b) = ("a".repeat(64), "B0".repeat(32));
        let sums = read(&format!(
            "# made by hand\n{a}  x.tif\r\n{b} *./y z.tif\n\\{a}  line\\nfeed\\\\.tif\n"
        ))
        .unwrap();
        let names: Vec<&str> = sums.keys().map(String::as_str).collect();
        assert_eq!(names, ["line\nfeed\\.tif", "x.tif", "y z.tif"]);
        assert_eq!((&sums["x.tif"], &sums["y z.tif"]), (&a, &b.to_lowercase()));
        let wrong = [
            format!("{a} x.tif"),
            format!("{}  x.tif", "g".repeat(64)),
            format!("{a}  "),
            "a".into(),
            format!("é{a}  x"),
        ];
        for line in wrong {
            assert_eq!(
                read(&format!("{a}  x\n{line}\n")).unwrap_err().place,
                "line 2",
                "{line}"
            );
        }
        assert!(read(&format!("{a}  x\n{b}  x\n")).is_err());
    }
}
