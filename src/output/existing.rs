//! What stands in the output before a run, and whether it is still what was published.

use std::collections::BTreeMap;
use std::io::ErrorKind::NotFound;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::engine::record;
use crate::finding::SiteReport;
use crate::intake;
use crate::output::error::PublishError;
use crate::output::files::{PICTURES, RASTERS, RECORD, STAGING};
use crate::output::formats::{FORMATS, ITEM, files_beside};
use crate::output::publish::{LAST_RUN, OutFolder};
use crate::report;
use crate::seal::digest;
use crate::seal::stamp::Stamp;

/// What stands in the folder of a site.
pub enum ExistingReport {
    /// No report.
    Nothing,
    /// The report of other inputs, other parameters or another program.
    Other(Box<SiteReport>),
    /// The report that this run would make.
    Current(Box<SiteReport>),
    /// Files that are not what was published: why, and the record where it can be read.
    Spoiled(String, Option<Box<SiteReport>>),
}

impl ExistingReport {
    /// The record, where there is one to be read.
    pub fn report(&self) -> Option<&SiteReport> {
        match self {
            Self::Nothing | Self::Spoiled(_, None) => None,
            Self::Other(report) | Self::Current(report) | Self::Spoiled(_, Some(report)) => Some(report),
        }
    }
}

/// What stands in `folder`, where this run would make a report of the key `run_key`.
///
/// Files that bear the stamps of `seen` are believed to be whole; else all are held against the hashes in the report's item, and the
/// item against the record.
pub fn existing_report(folder: &Path, run_key: &str, seen: Option<&String>) -> ExistingReport {
    let record = RECORD.name;
    let text = match intake::text(&folder.join(record), intake::MAX_REPORT_BYTES) {
        Ok(read) => read.text,
        Err(_) if std::fs::symlink_metadata(folder).is_err() => return ExistingReport::Nothing,
        Err(error) => return ExistingReport::Spoiled(format!("{record} cannot be read: {}", error.problem), None),
    };
    let report: Box<SiteReport> = match SiteReport::parse(&text) {
        Ok(report) => Box::new(report),
        Err(error) => return ExistingReport::Spoiled(format!("{record} is no record: {error}"), None),
    };
    let is_current = report.run_key == run_key;
    // What another version of the program would put into the item is not known.
    let is_told = is_current || report.program == record::program();
    let is_seen = seen.is_some() && stamps(folder).as_ref() == seen;
    let why = if is_seen || !is_told {
        None
    } else {
        spoiled(folder, &report)
    };
    match why {
        Some(why) => ExistingReport::Spoiled(why, Some(report)),
        None if is_current => ExistingReport::Current(report),
        None => ExistingReport::Other(report),
    }
}

/// Why the files in `folder` are not those that were published with `report`.
fn spoiled(folder: &Path, report: &SiteReport) -> Option<String> {
    let rasters = RASTERS.into_iter().filter(|_| report.grid.is_some());
    let renderings = FORMATS.map(|format| format.file);
    let names = renderings
        .into_iter()
        .chain([PICTURES])
        .chain(rasters)
        .map(|file| file.name);
    let is_there =
        |name: &&str| intake::about(&folder.join(name)).is_ok_and(|about| about.is_some_and(|about| about.is_file()));
    let missing: Vec<&str> = names.filter(|name| !is_there(name)).collect();
    if !missing.is_empty() {
        return Some(format!("no {}", missing.join(", ")));
    }
    let item = ITEM.name;
    let made = files_beside(folder).and_then(|files| Ok((report::stac_item(report, &files)?, files)));
    let (expected, files) = match made {
        Ok(made) => made,
        Err(error) => return Some(error.to_string()),
    };
    let found = match std::fs::read(folder.join(item)) {
        Ok(found) if found == expected.as_bytes() => return None,
        Ok(found) => String::from_utf8_lossy(&found).into_owned(),
        Err(error) => return Some(format!("{item} cannot be read: {error}")),
    };
    let others = files.iter().filter(|file| !found.contains(&file.sha256));
    let others: Vec<&str> = others.map(|file| file.kind.name).collect();
    Some(match others.as_slice() {
        [] => format!("{item} is not what was published"),
        others => format!("{} not what {item} says", others.join(", ")),
    })
}

/// Clocks of file systems may be no finer: what was changed so lately may be changed again without a trace.
const TICK: Duration = Duration::from_millis(50);

/// The SHA-256 of the names and stamps of what lies in `folder`; `None` where it cannot be looked at, or was changed too lately to be
/// told by them.
pub fn stamps(folder: &Path) -> Option<String> {
    let mut stamps = BTreeMap::new();
    for entry in std::fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(STAGING) {
            stamps.insert(name, Stamp::of(&entry.path()).ok()?);
        }
    }
    let settled = SystemTime::now().checked_sub(TICK)?;
    stamps.values().all(|stamp| stamp.is_before(settled)).then_some(())?;
    Some(digest::bytes(&serde_json::to_vec(&stamps).ok()?))
}

/// What the last run saw when it ended: it lies in the output folder, after its own SHA-256, and without it everything is looked at anew.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LastRun {
    /// SHA-256 of the files of the run itself, by name.
    run: BTreeMap<String, String>,
    /// What [`stamps`] says of each site, by its folder.
    pub sites: BTreeMap<String, String>,
}

impl LastRun {
    /// What the last run into `out` saw; nothing where no run has left word, `None` where the word is not what a run left.
    pub fn read(out: &OutFolder) -> Option<Self> {
        let path = out.path().join(LAST_RUN);
        if std::fs::symlink_metadata(&path).is_err_and(|error| error.kind() == NotFound) {
            return Some(Self::default());
        }
        Self::of(&intake::text(&path, intake::MAX_REPORT_BYTES).ok()?.text)
    }

    fn of(text: &str) -> Option<Self> {
        let (sha256, seen) = text.split_once('\n')?;
        (digest::bytes(seen.as_bytes()) == sha256).then_some(())?;
        serde_json::from_str(seen).ok()
    }

    fn text(&self) -> String {
        let seen = serde_json::to_string(self).unwrap_or_default();
        format!("{}\n{seen}", digest::bytes(seen.as_bytes()))
    }

    /// Whether the file `name` of the run itself is not what the last run wrote, as far as that is known.
    pub fn is_spoiled(&self, out: &OutFolder, name: &str) -> bool {
        let found = std::fs::read(out.path().join(name)).map(|bytes| digest::bytes(&bytes));
        let known = self.run.get(name);
        known.is_some_and(|known| found.as_ref().ok() != Some(known))
    }

    /// Writes the file `name` of the run itself, where it does not stand as it should.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, out: &OutFolder, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let stands = std::fs::read(out.path().join(name)).is_ok_and(|found| found == bytes);
        if !stands {
            out.write(name, bytes)?;
        }
        self.run.insert(name.to_owned(), digest::bytes(bytes));
        Ok(())
    }

    /// Takes the stamps of the reports of `sites`: their folders, and whether this run found or made them whole.
    pub fn note<'a>(&mut self, out: &OutFolder, sites: impl Iterator<Item = (&'a str, bool)>) {
        let mut noted = BTreeMap::new();
        for (folder, is_whole) in sites {
            let stamps = match is_whole {
                true => stamps(&out.path().join(folder)),
                // This run did not look.
                false => self.sites.remove(folder),
            };
            noted.extend(stamps.map(|stamps| (folder.to_owned(), stamps)));
        }
        self.sites = noted;
    }

    /// Leaves word for the next run.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn leave(&self, out: &OutFolder) -> Result<(), PublishError> {
        let text = self.text();
        let stands = std::fs::read(out.path().join(LAST_RUN)).is_ok_and(|found| found == text.as_bytes());
        if stands {
            Ok(())
        } else {
            out.write(LAST_RUN, text.as_bytes())
        }
    }
}
