//! Where the dates of a folder's files are, and the date of each.

use std::path::Path;

use regex::Regex;

use crate::fault::Fault;
use crate::scene::file_date::{Interval, date_pattern, interval_of_name, interval_of_tag};
use crate::scene::folder::spec::{FolderParams, Refused};

/// What the one group of a pattern holds where nothing is said of it, as for strptime.
const YEAR_MONTH_DAY: &str = "%Y%m%d";

/// Answers with a file's tag of a name, `None` where it has none; the error says why the file cannot be read.
pub type ReadTag<'a> = dyn Fn(&Path, &str) -> Result<Option<String>, String> + 'a;

/// Where the dates of files are.
pub(in crate::scene) enum Dates<'a> {
    /// In their names.
    Named { pattern: Regex, format: &'a str },
    /// In a tag.
    Tagged(&'a str),
}

impl<'a> Dates<'a> {
    /// Where `spec` says that they are.
    ///
    /// # Errors
    /// The pattern is none.
    pub fn of(spec: &'a FolderParams) -> Result<Self, Fault> {
        if let (None, Some(tag)) = (&spec.date_pattern, &spec.date_tag) {
            return Ok(Self::Tagged(tag));
        }
        let pattern = date_pattern(spec.date_pattern.as_deref().unwrap_or_default())
            .map_err(|message| Fault::new("date.file_name.pattern", message))?;
        let format = spec.date_format.as_deref().unwrap_or(YEAR_MONTH_DAY);
        Ok(Self::Named { pattern, format })
    }

    /// When `file` was acquired.
    ///
    /// # Errors
    /// It does not tell, or cannot be read.
    pub fn interval(&self, file: &Path, read_tag: &ReadTag) -> Result<Interval, Refused> {
        match self {
            Self::Named { pattern, format } => interval_of_name(file, pattern, format).map_err(Refused::by_rule),
            Self::Tagged(tag) => {
                let text = read_tag(file, tag)
                    .map_err(|error| Refused::unreadable(format!("cannot read its tag {tag}: {error}")))?
                    .ok_or_else(|| Refused::by_rule(format!("has no tag {tag} to take the date from")))?;
                interval_of_tag(&text).map_err(|wrong| Refused::by_rule(format!("its tag {tag} {wrong}")))
            }
        }
    }
}
