//! What the page shows and the record does not hold: pictures, and `pictures.zip`, which keeps them beside the record.

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::ReportError;
use super::rendition::Rendition;

/// Rings of polygons in pixels of the site grid; holes by the even-odd rule.
pub type Rings = Vec<Vec<[f64; 2]>>;

/// What is outlined, by id, in pixels of the site grid.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlines {
    /// Anomalies that the page shows.
    pub anomalies: BTreeMap<String, Rings>,
    /// Declared activities.
    pub activities: BTreeMap<String, Rings>,
    /// The site's boundary.
    pub site: Rings,
    /// Declared zones.
    pub zones: BTreeMap<String, Rings>,
}

/// The same ground on both dates, drawn alike: PNG or JPEG.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chip {
    /// The earlier and the later date in each rendition, the usual one first.
    pub dates: Vec<(Rendition, [Vec<u8>; 2])>,
    /// The score, to be laid over both.
    pub score: Option<Vec<u8>>,
    /// What all of them show: x, y, width, height in pixels of the site grid.
    pub window_px: [i64; 4],
}

/// Pictures of a report; any may be missing: the page says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gallery {
    /// Anomalies by their id.
    pub chips: BTreeMap<String, Chip>,
    /// The whole site, on the dates of the newest comparison.
    pub site: Option<Chip>,
}

/// Folder of the site's pictures in the archive. No anomaly has this id.
const SITE: &str = "site";
/// What the pictures show: windows by folder.
const WINDOWS: &str = "windows.json";
const DATES: [&str; 2] = ["before", "after"];
const SCORE: &str = "score";

/// No picture in an archive is larger, bytes.
const MAX_PICTURE_BYTES: u64 = 64 << 20;

type Windows = BTreeMap<String, [i64; 4]>;

impl Gallery {
    /// Writes `pictures.zip`: a folder for the site and for each anomaly, in it `before-natural.png` and the like. The same
    /// pictures, the same bytes.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: impl Write + Seek) -> Result<(), ReportError> {
        let chips = self.chips.iter().map(|(id, chip)| (id.as_str(), chip));
        let all: Vec<(&str, &Chip)> = self.site.iter().map(|chip| (SITE, chip)).chain(chips).collect();
        let windows: Windows = all
            .iter()
            .map(|(id, chip)| ((*id).to_owned(), chip.window_px))
            .collect();
        let windows = serde_json::to_vec(&windows).map_err(|source| ReportError::json(WINDOWS, source))?;
        let mut zip = ZipWriter::new(out);
        // Pictures are compressed already; the time is that of no clock.
        let stored = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default());
        let mut add = |name: String, bytes: &[u8]| -> Result<(), ReportError> {
            zip.start_file(name, stored).map_err(failed)?;
            zip.write_all(bytes).map_err(|error| failed(error.into()))
        };
        add(WINDOWS.to_owned(), &windows)?;
        for (id, chip) in all {
            for (rendition, dates) in &chip.dates {
                for (date, bytes) in DATES.iter().zip(dates) {
                    add(format!("{id}/{date}-{}.{}", rendition.word(), extension(bytes)), bytes)?;
                }
            }
            if let Some(score) = &chip.score {
                add(format!("{id}/{SCORE}.{}", extension(score)), score)?;
            }
        }
        zip.finish().map_err(failed)?;
        Ok(())
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// When it is no such archive.
    pub fn read(archive: impl Read + Seek) -> Result<Self, ReportError> {
        let mut zip = ZipArchive::new(archive).map_err(failed)?;
        let mut files = BTreeMap::new();
        let mut order = Vec::new();
        for index in 0..zip.len() {
            let file = zip.by_index(index).map_err(failed)?;
            let name = file.name().map_err(failed)?.into_owned();
            let mut bytes = Vec::new();
            file.take(MAX_PICTURE_BYTES)
                .read_to_end(&mut bytes)
                .map_err(|error| failed(error.into()))?;
            order.push(name.clone());
            files.insert(name, bytes);
        }
        let windows = files.remove(WINDOWS).unwrap_or_default();
        let windows: Windows = serde_json::from_slice(&windows).map_err(|source| ReportError::json(WINDOWS, source))?;
        let mut chips: BTreeMap<String, Chip> = windows
            .into_iter()
            .map(|(id, window_px)| {
                let chip = Chip {
                    window_px,
                    ..Chip::default()
                };
                (id, chip)
            })
            .collect();
        for name in order {
            let Some((id, file)) = name.split_once('/') else {
                continue;
            };
            let stem = file.split('.').next().unwrap_or(file);
            let (Some(chip), Some(bytes)) = (chips.get_mut(id), files.remove(&name)) else {
                continue;
            };
            match stem.split_once('-') {
                None if stem == SCORE => chip.score = Some(bytes),
                Some((date, way)) => {
                    let date = DATES.iter().position(|known| *known == date);
                    let way = Rendition::ALL.into_iter().find(|known| known.word() == way);
                    if let (Some(date), Some(way)) = (date, way) {
                        if chip.dates.last().is_none_or(|(last, _)| *last != way) {
                            chip.dates.push((way, Default::default()));
                        }
                        if let Some((_, both)) = chip.dates.last_mut() {
                            both[date] = bytes;
                        }
                    }
                }
                None => {}
            }
        }
        Ok(Self {
            site: chips.remove(SITE),
            chips,
        })
    }
}

fn failed(source: zip::result::ZipError) -> ReportError {
    ReportError::Archive { source }
}

/// The usual extension of a picture's file.
fn extension(bytes: &[u8]) -> &'static str {
    match image::guess_format(bytes) {
        Ok(image::ImageFormat::Jpeg) => "jpg",
        _ => "png",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::report::sample;

    fn packed(gallery: &Gallery) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        gallery.write(&mut out).unwrap();
        out.into_inner()
    }

    #[test]
    fn what_is_written_is_read_back() {
        for gallery in [sample::gallery(), Gallery::default()] {
            let bytes = packed(&gallery);
            assert_eq!(bytes, packed(&gallery));
            assert_eq!(Gallery::read(Cursor::new(bytes)).unwrap(), gallery);
        }
    }

    #[test]
    fn an_archive_of_something_else_is_refused() {
        assert!(Gallery::read(Cursor::new(b"no archive".to_vec())).is_err());
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(
            "a/before-natural.png",
            SimpleFileOptions::default().compression_method(CompressionMethod::Stored),
        )
        .unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        assert!(Gallery::read(Cursor::new(bytes)).is_err());
    }
}
