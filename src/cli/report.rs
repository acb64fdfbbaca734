//! `sitewatch report`.

use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser};

use super::confine::{confine, folder_of};
use super::exit;
use super::output::{print, tell};
use crate::output::formats::{FORMATS, Format};
use crate::output::render;
use crate::output::{OutputError, PublishError};

pub fn report(record: &Path, to: &[String]) -> u8 {
    confine(&[folder_of(record)]);
    crate::io::prepare();
    let words: Vec<&str> = to.iter().map(String::as_str).collect();
    match render::again(record, &words) {
        Ok(files) => {
            files.iter().for_each(|path| print(&path.display().to_string()));
            exit::DONE
        }
        Err(error) => {
            tell(&format!("error: {error}"));
            match error {
                OutputError::Publish(PublishError::Read { .. }) => exit::USAGE,
                OutputError::Publish(PublishError::Locked(_)) => exit::LATER,
                _ => exit::PARTLY,
            }
        }
    }
}

/// The words of the formats, for the parser of the command line.
pub fn words() -> PossibleValuesParser {
    let word =
        |format: &Format| PossibleValue::new(format.word).help(format!("{}: {}", format.file.name, format.purpose));
    PossibleValuesParser::new(FORMATS.iter().map(word))
}
