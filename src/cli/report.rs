//! `sitewatch report`.

use std::path::Path;

use super::{To, exit, print, tell};
use crate::pipeline::SiteError;
use crate::pipeline::publish::PublishError;
use crate::pipeline::render::{self, Format};

pub fn report(record: &Path, to: &[To]) -> u8 {
    crate::io::prepare();
    let formats: Vec<Format> = to.iter().map(|to| format(*to)).collect();
    match render::again(record, &formats) {
        Ok(files) => {
            files.iter().for_each(|path| print(&path.display().to_string()));
            exit::DONE
        }
        Err(error) => {
            tell(&format!("error: {error}"));
            match error {
                SiteError::Publish(PublishError::Read { .. }) => exit::USAGE,
                _ => exit::PARTLY,
            }
        }
    }
}

fn format(to: To) -> Format {
    match to {
        To::Html => Format::Html,
        To::Gpkg => Format::Gpkg,
        To::Geojson => Format::Geojson,
        To::Csv => Format::Csv,
        To::Junit => Format::Junit,
        To::Stac => Format::Stac,
    }
}
