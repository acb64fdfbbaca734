//! Whether an output is whole: its files fit together, and are those that they should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use sitewatch::output::render;

/// The files of a folder and of those in it, by their path from it.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            found.extend(
                files(&entry.path())
                    .into_iter()
                    .map(|(file, bytes)| (format!("{name}/{file}"), bytes)),
            );
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// A copy of the files of `from` at `to`, where nothing stands.
pub fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// What differs between two outputs, but for times: those in run.json, and the stamps of files that a run leaves for the next.
pub fn differences(found: &Path, expected: &Path) -> Vec<String> {
    let [found, expected] = [found, expected].map(|folder| {
        let mut files = files(folder);
        files.remove(".seen.json");
        files
    });
    let names: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let same = |name: &str, a: &[u8], b: &[u8]| {
        if name == "run.json" {
            sites(a).is_some() && sites(a) == sites(b)
        } else {
            a == b
        }
    };
    let told = names
        .into_iter()
        .filter_map(|name| match (found.get(name), expected.get(name)) {
            (Some(a), Some(b)) if same(name, a, b) => None,
            (Some(_), Some(_)) => Some(format!("{name} differs")),
            (Some(_), None) => Some(format!("{name} is left behind")),
            _ => Some(format!("{name} is missing")),
        });
    told.collect()
}

/// What run.json says of sites, but for what differs from run to run.
fn sites(run: &[u8]) -> Option<Value> {
    let mut run: Value = serde_json::from_slice(run).ok()?;
    for site in run["sites"].as_array_mut()? {
        let site = site.as_object_mut()?;
        site.retain(|key, _| {
            matches!(
                key.as_str(),
                "site" | "folder" | "verdicts" | "error" | "summary" | "observed_fraction"
            )
        });
    }
    Some(run["sites"].take())
}

/// Why the report in `folder` is not whole; `None` when it is.
pub fn half_made(folder: &Path) -> Option<String> {
    let item: Value = match fs::read(folder.join("item.json")).map(|bytes| serde_json::from_slice(&bytes)) {
        Ok(Ok(item)) => item,
        _ => return Some("item.json cannot be read".into()),
    };
    let mut named = BTreeSet::from(["item.json".to_owned()]);
    for asset in item["assets"].as_object()?.values() {
        let name = asset["href"].as_str()?.trim_start_matches("./").to_owned();
        let Ok(sitewatch::seal::digest::Digest { sha256, .. }) = sitewatch::seal::digest::file(&folder.join(&name))
        else {
            return Some(format!("{name} cannot be read"));
        };
        if asset["file:checksum"] != format!("1220{sha256}") {
            return Some(format!("{name} has not the hash that item.json says"));
        }
        named.insert(name);
    }
    let found: BTreeSet<String> = files(folder).into_keys().collect();
    if found != named || named.len() < 10 {
        return Some(format!("it has {found:?}, item.json names {named:?}"));
    }
    let again = tempfile::tempdir().unwrap();
    copy(folder, again.path());
    match render::again(&again.path().join("report.json"), &["stac"]) {
        Ok(_) if files(again.path()) == files(folder) => None,
        Ok(_) => Some("item.json made anew differs".into()),
        Err(error) => Some(format!("item.json cannot be made anew: {error}")),
    }
}

/// Whether the report `now` lacks a comparison, or the judgement of one, that `before` had.
pub fn knows_less(now: &Path, before: &Path) -> bool {
    let read = |folder: &Path| -> Value {
        serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap_or_default()).unwrap_or_default()
    };
    let known = |report: &Value| -> Vec<Value> {
        let comparisons = report["comparisons"].as_array().into_iter().flatten();
        comparisons
            .map(|c| serde_json::json!([c["before"], c["after"], c["observable"], c["anomalies"], c["coverage"]]))
            .collect()
    };
    let (now, before) = (known(&read(now)), known(&read(before)));
    !before.iter().all(|comparison| now.contains(comparison))
}

/// Whether `said` names a file of `paths`: itself, the file that it is a helper of (a journal), or its folder where it is
/// one of the program's own aside.
pub fn names(said: &str, paths: &[std::path::PathBuf]) -> bool {
    paths.iter().any(|path| {
        let told = |path: &Path| {
            path.file_name()
                .is_some_and(|name| said.contains(&*name.to_string_lossy()))
        };
        let of_helper = |name: &str| {
            ["-journal", "-wal", "-shm", ".aux.xml", ".ovr", ".msk"]
                .iter()
                .any(|end| name.strip_suffix(end).is_some_and(|file| said.contains(file)))
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_aside = path
            .iter()
            .any(|part| part.to_string_lossy().starts_with(".sitewatch-"));
        told(path) || of_helper(&name) || (is_aside && path.parent().is_some_and(told))
    })
}

/// What a run printed, on one line.
pub fn one_line(said: &str) -> String {
    said.lines().map(str::trim).collect::<Vec<_>>().join(" | ")
}
