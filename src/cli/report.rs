//! `sitewatch report`.

use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::confine::{confine, folder_of};
use super::exit;
use super::output::{print, tell};
use crate::output::OutputError;
use crate::output::files::Format;
use crate::output::publish::PublishError;
use crate::output::render;

pub fn report(record: &Path, to: &[Format]) -> u8 {
    confine(&[folder_of(record)]);
    crate::io::prepare();
    match render::again(record, to) {
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

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (word, what) = match self {
            Self::Html => ("html", "the page"),
            Self::Gpkg => ("gpkg", "for QGIS, with styles"),
            Self::Geojson => ("geojson", "for other map programs"),
            Self::Csv => ("csv", "for spreadsheets"),
            Self::Junit => ("junit", "for CI"),
            Self::Stac => ("stac", "a STAC Item of the report and its files"),
        };
        Some(PossibleValue::new(word).help(format!("{}: {what}", self.file())))
    }
}
