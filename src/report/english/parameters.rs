//! What each parameter means: the comments of the file of defaults.

/// The file of defaults, whose comments say what each parameter means.
pub(super) const DEFAULTS: &str = include_str!("../../../pipelines/default.toml");

/// What the parameter `section.key` means: its comment in pipelines/default.toml. `None` for keys that are not there.
///
/// A comment `as above` stands for that of the last key of the same name; so does none, after the comment of the section.
pub(in crate::report) fn parameter_meaning(key: &str) -> Option<String> {
    let entries = entries();
    let place = entries.iter().position(|entry| entry.key == key)?;
    let entry = &entries[place];
    if !entry.comment.is_empty() && entry.comment != "as above" {
        return Some(entry.comment.clone());
    }
    let name = |key: &str| key.rsplit('.').next().map(str::to_owned);
    let above = entries[..place].iter().rev();
    let mut above = above.filter(|e| name(&e.key) == name(key) && !e.comment.is_empty() && e.comment != "as above");
    let above = above.next().map(|e| e.comment.clone());
    let section = entries
        .iter()
        .find(|e| Some(e.key.as_str()) == key.rsplit_once('.').map(|(section, _)| section));
    match (section.map(|s| s.comment.clone()).filter(|s| !s.is_empty()), above) {
        (Some(section), Some(above)) if entry.comment.is_empty() => Some(format!("{section}: {above}")),
        (section, above) => above.or(section),
    }
}

/// A section or a key of the file of defaults.
struct Entry {
    /// `section` or `section.key`.
    key: String,
    comment: String,
}

/// Everything that the file of defaults has or names, in its order.
fn entries() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let (mut section, mut prose) = (String::new(), String::new());
    for line in DEFAULTS.lines() {
        // A key that is commented out has no default, but it can be given.
        let code = line.strip_prefix("# ").unwrap_or(line);
        let (code, comment) = code.split_once(" # ").unwrap_or((code, ""));
        let comment = comment.trim();
        let word = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if let Some(name) = code.trim().strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            section = name.trim_matches(['[', ']']).to_owned();
            let comment = if code.starts_with("[[") {
                prose.as_str()
            } else {
                comment
            };
            entries.push(Entry {
                key: section.clone(),
                comment: comment.to_owned(),
            });
        } else if let Some((name, value)) = code.split_once(" = ").filter(|(name, _)| word(name)) {
            // `or ...` tells of other values than the one that stands there.
            let comment = match comment.starts_with("or ") {
                true => format!("{}, {comment}", value.trim()),
                false => comment.to_owned(),
            };
            entries.push(Entry {
                key: format!("{section}.{name}"),
                comment,
            });
        } else if let (Some(more), Some(last)) = (line.trim_start().strip_prefix("# "), entries.last_mut())
            && line.starts_with(' ')
        {
            last.comment = format!("{} {more}", last.comment);
        } else {
            prose = code.trim().to_owned();
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Keys as the table of parameters has them.
    fn flatten(prefix: &str, value: &Value, keys: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| {
                let dot = if prefix.is_empty() { "" } else { "." };
                flatten(&format!("{prefix}{dot}{key}"), value, keys);
            }),
            _ => keys.push(prefix.to_owned()),
        }
    }

    #[test]
    fn every_parameter_has_a_meaning() {
        let mut keys = Vec::new();
        flatten("", &toml::from_str(DEFAULTS).unwrap(), &mut keys);
        assert!(keys.len() > 60, "{}", keys.len());
        for key in keys {
            let meaning = parameter_meaning(&key).unwrap_or_default();
            assert!(
                !meaning.is_empty() && meaning != "as above" && !meaning.contains('#'),
                "{key}: {meaning}"
            );
        }
    }

    #[test]
    fn comments_are_read_as_they_stand() {
        let meaning = |key| parameter_meaning(key).unwrap_or_default();
        assert_eq!(
            meaning("screen.cloud_buffer_m"),
            "pixels nearer than this to cloud, cirrus or shadow are not judged either, metres"
        );
        // Without a default, in a list, on two lines, as above.
        assert!(meaning("grid.pixel_m").starts_with("edge of a pixel, metres"));
        assert!(meaning("inputs.folder").starts_with("A folder of rasters"));
        assert_eq!(
            meaning("inputs.folder.nodata"),
            "a stored value that means no data, beside those of the file and of the sensor"
        );
        assert!(meaning("detect.detector").ends_with("history, combine"));
        assert_eq!(
            meaning("detect.omnibus.evidence_px"),
            meaning("detect.logratio.evidence_px")
        );
        assert!(meaning("profile.radar-pair.least_sigma").contains("sigma"));
        assert!(meaning("compare.which").starts_with(r#""newest-against-previous", or "newest-against-period""#));
        assert_eq!(parameter_meaning("screen.<script>"), None);
        assert_eq!(parameter_meaning(""), None);
    }
}
