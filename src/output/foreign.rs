//! What stands in an output folder and is not sitewatch's: it is left as it is.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::intake;
use crate::output::files::{PICTURES, RASTERS, RECORD, STAGING};
use crate::output::formats::{FORMATS, ITEM};

/// The word that every text of ours holds.
const MARK: &[u8] = b"sitewatch";
/// How far into a text the mark is looked for, bytes.
const LOOKED_AT: u64 = 1 << 20;

/// What stands at `place` that a report must not replace; `None` where nothing does, or a report, whole or damaged.
///
/// # Errors
/// The system does not tell.
pub fn in_place_of_report(place: &Path) -> io::Result<Option<String>> {
    match fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(about) if about.is_dir() => {}
        Ok(about) if about.is_symlink() => return Ok(Some("a link".into())),
        Ok(_) => return Ok(Some("a file".into())),
    }
    let renderings = FORMATS.map(|format| format.file);
    let files = renderings.iter().chain(&RASTERS).chain(&[RECORD, PICTURES]);
    let ours: Vec<&str> = files.map(|file| file.name).collect();
    let mut is_empty = true;
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What a process that was killed has left of ours.
        if name.starts_with(STAGING) {
            continue;
        }
        if !ours.contains(&name.as_ref()) || entry.file_type()?.is_dir() {
            return Ok(Some(format!("`{}`", name.escape_debug())));
        }
        is_empty = false;
    }
    let mut unread = None;
    for name in [ITEM.name, "report.html", RECORD.name] {
        match is_marked(&place.join(name)) {
            Ok(true) => return Ok(None),
            Ok(false) => {}
            Err(error) => unread = Some(error),
        }
    }
    match unread {
        _ if is_empty => Ok(None),
        Some(error) => Err(error),
        None => Ok(Some("no report of sitewatch".into())),
    }
}

/// What stands at `place` that a file of the run must not replace; `None` where nothing does, or an empty file, or one of ours.
///
/// # Errors
/// The system does not tell.
pub fn in_place_of_file(place: &Path) -> io::Result<Option<String>> {
    let found = match fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
        Ok(about) if about.is_dir() => Some("a folder"),
        Ok(about) if about.is_symlink() => Some("a link"),
        Ok(about) if about.len() == 0 || is_marked(place)? => None,
        Ok(_) => Some("a file"),
    };
    Ok(found.map(str::to_owned))
}

/// Whether the beginning or the end of the file at `path` says that it is ours; not so where there is none.
fn is_marked(path: &Path) -> io::Result<bool> {
    // A pipe would be waited for.
    let Some(about) = intake::about(path)?.filter(fs::Metadata::is_file) else {
        return Ok(false);
    };
    let mut file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(LOOKED_AT).read_to_end(&mut bytes)?;
    if about.len() > 2 * LOOKED_AT {
        io::Seek::seek(&mut file, io::SeekFrom::End(-(LOOKED_AT as i64)))?;
    }
    file.take(LOOKED_AT).read_to_end(&mut bytes)?;
    Ok(bytes.windows(MARK.len()).any(|window| window == MARK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_is_told_and_a_damaged_report_is_none_the_less_one() {
        let root = tempfile::tempdir().unwrap();
        let found = |files: &[(&str, &str)]| {
            let place = root.path().join("site");
            let _ = fs::remove_dir_all(&place);
            for (name, text) in files {
                let path = place.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            in_place_of_report(&place).unwrap()
        };
        let ours = ("item.json", r#"{"sitewatch:run_key": "1"}"#);
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[ours, ("report.json", "{"), ("score.tif", "")]), None);
        assert_eq!(found(&[ours, ("notes.txt", "")]).as_deref(), Some("`notes.txt`"));
        assert_eq!(found(&[ours, ("sub/my.txt", "")]).as_deref(), Some("`sub`"));
        assert_eq!(found(&[("20210601.tif", "")]).as_deref(), Some("`20210601.tif`"));
        let of_another = found(&[("report.json", r#"{"program": "another"}"#)]);
        assert_eq!(of_another.as_deref(), Some("no report of sitewatch"));
        let file = root.path().join("file");
        fs::write(&file, "x").unwrap();
        assert_eq!(in_place_of_report(&file).unwrap().as_deref(), Some("a file"));
        std::os::unix::fs::symlink(root.path(), root.path().join("link")).unwrap();
        assert_eq!(
            in_place_of_report(&root.path().join("link")).unwrap().as_deref(),
            Some("a link")
        );
    }

    #[test]
    fn a_file_of_the_run_replaces_its_own_kind_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("index.html");
        assert_eq!(in_place_of_file(&path).unwrap(), None);
        for (text, is_ours) in [
            ("", true),
            ("<title>Sites – sitewatch</title>", true),
            ("<h1>Mine</h1>", false),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(in_place_of_file(&path).unwrap().is_none(), is_ours, "{text}");
        }
        fs::write(&path, format!("{}sitewatch", "x".repeat(3 << 20))).unwrap();
        assert_eq!(in_place_of_file(&path).unwrap(), None, "the end is looked at too");
    }
}
