//! What the page shows and the record does not hold: pictures, and `pictures.zip`, which keeps them beside the record.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::rendition::Rendition;
use crate::report::ReportError;

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

/// No archive is larger, bytes: pictures of thirty comparisons take half of it.
const MAX_BYTES: u64 = 1 << 30;
/// No picture in an archive is larger, bytes.
const MAX_PICTURE_BYTES: u64 = 64 << 20;
/// Bytes that are read of an archive to learn what is in it: entries take several times as much memory as they do in the file.
const MAX_DIRECTORY_BYTES: u64 = 16 << 20;

type Windows = BTreeMap<String, [i64; 4]>;

impl Gallery {
    /// Writes `pictures.zip`: a folder for the site and for each anomaly, in it `before-natural.png` and the like. The same
    /// pictures, the same bytes.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: impl Write + Seek) -> Result<(), ReportError> {
        let mut out = Patient {
            out,
            error: None,
            position: 0,
            end: 0,
        };
        let zipped = self.zip(&mut out);
        match out.error {
            Some(source) => Err(ReportError::Write {
                what: "pictures.zip",
                source,
            }),
            None => zipped,
        }
    }

    fn zip(&self, out: impl Write + Seek) -> Result<(), ReportError> {
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

    /// Reads what [`Self::write`] wrote: pictures that are stored as they are, each once. It takes no more memory than the archive has
    /// bytes, and some 10 bytes for each of its directory.
    ///
    /// # Errors
    /// When it is no such archive.
    pub fn read(mut archive: impl Read + Seek) -> Result<Self, ReportError> {
        let size = archive.seek(SeekFrom::End(0)).map_err(|error| failed(error.into()))?;
        if size > MAX_BYTES {
            return Err(refused(format!("it has {size} bytes, expected at most {MAX_BYTES}")));
        }
        let left = Cell::new(MAX_DIRECTORY_BYTES);
        let stored = stored(&mut opened(Bounded { archive, left: &left })?)?;
        let windows = stored.iter().find(|(name, _)| name == WINDOWS);
        let windows = windows.map_or(&[][..], |(_, bytes)| bytes);
        let windows: Windows = serde_json::from_slice(windows).map_err(|source| ReportError::json(WINDOWS, source))?;
        let chip = |(id, window_px): (String, [i64; 4])| {
            let chip = Chip {
                window_px,
                ..Chip::default()
            };
            (id, chip)
        };
        let mut chips: BTreeMap<String, Chip> = windows.into_iter().map(chip).collect();
        for (name, picture) in stored {
            if let Some((id, file)) = name.split_once('/')
                && let Some(chip) = chips.get_mut(id)
            {
                chip.take(file.split('.').next().unwrap_or(file), picture);
            }
        }
        Ok(Self {
            site: chips.remove(SITE),
            chips,
        })
    }
}

impl Chip {
    /// Puts the picture of that name in its place; one of another name is left out.
    fn take(&mut self, name: &str, picture: Vec<u8>) {
        if name == SCORE {
            self.score = Some(picture);
            return;
        }
        let Some((date, way)) = name.split_once('-') else {
            return;
        };
        let date = DATES.iter().position(|known| *known == date);
        let way = Rendition::ALL.into_iter().find(|known| known.word() == way);
        if let (Some(date), Some(way)) = (date, way) {
            if self.dates.last().is_none_or(|(last, _)| *last != way) {
                self.dates.push((way, Default::default()));
            }
            if let Some((_, both)) = self.dates.last_mut() {
                both[date] = picture;
            }
        }
    }
}

/// The archive, with its directory read. As much is read of it from here on as it has entries, which do not overlap.
fn opened<R: Read + Seek>(bounded: Bounded<'_, R>) -> Result<ZipArchive<Bounded<'_, R>>, ReportError> {
    let left = bounded.left;
    // Ours begin with their first byte: no other beginning is looked for.
    let from_its_start = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    let mut zip = ZipArchive::with_config(from_its_start, bounded).map_err(failed)?;
    if zip.has_duplicate_names() {
        return Err(refused("a name stands in it twice".into()));
    }
    left.set(u64::MAX);
    if zip.has_overlapping_entries().map_err(failed)? {
        return Err(refused("its entries overlap".into()));
    }
    Ok(zip)
}

/// What is stored in the archive, by name, in its order.
fn stored<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let mut stored = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).map_err(failed)?;
        let name = file.name().map_err(failed)?.into_owned();
        let (found, packed) = (file.size(), file.compressed_size());
        if file.compression() != CompressionMethod::Stored || found != packed {
            return Err(refused(
                "an entry is compressed, expected pictures stored as they are".into(),
            ));
        }
        if found > MAX_PICTURE_BYTES {
            return Err(refused(format!(
                "an entry has {found} bytes, expected at most {MAX_PICTURE_BYTES}"
            )));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| failed(error.into()))?;
        stored.push((name, bytes));
    }
    Ok(stored)
}

fn failed(source: ZipError) -> ReportError {
    ReportError::Archive { source }
}

/// That an archive is none of ours, and why.
fn refused(why: String) -> ReportError {
    failed(ZipError::InvalidArchive(why.into()))
}

/// A reader that gives a bounded number of bytes.
struct Bounded<'a, R> {
    archive: R,
    /// How many it still gives.
    left: &'a Cell<u64>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.archive.read(buffer)?;
        let left = self.left.get().checked_sub(n as u64);
        self.left.set(left.ok_or_else(|| {
            io::Error::other(format!(
                "its directory has more than {MAX_DIRECTORY_BYTES} bytes, the most that is read"
            ))
        })?);
        Ok(n)
    }
}

impl<R: Seek> Seek for Bounded<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.archive.seek(to)
    }
}

/// A writer that remembers its first error and lets everything after it pass: a zip writer that is dropped unfinished speaks on
/// standard error, where log lines stand.
struct Patient<W> {
    out: W,
    error: Option<io::Error>,
    /// Where the next byte goes, and where the last one ends.
    position: u64,
    end: u64,
}

impl<W> Patient<W> {
    fn attempt(&mut self, write: impl FnOnce(&mut W) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = write(&mut self.out).err();
        }
    }
}

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(|out| out.write_all(bytes));
        self.position += bytes.len() as u64;
        self.end = self.end.max(self.position);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt(Write::flush);
        Ok(())
    }
}

impl<W: Seek> Seek for Patient<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        self.position = place.ok_or(io::ErrorKind::InvalidInput)?;
        let place = self.position;
        self.attempt(|out| out.seek(SeekFrom::Start(place)).map(drop));
        Ok(place)
    }
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

    /// An archive of entries (name, bytes) as other programs may write it.
    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            zip.start_file(*name, stored).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for at in 0..=bytes.len() - from.len() {
            if bytes[at..].starts_with(from) {
                bytes[at..at + from.len()].copy_from_slice(to);
            }
        }
        bytes
    }

    fn why(bytes: Vec<u8>) -> String {
        Gallery::read(Cursor::new(bytes)).unwrap_err().to_string()
    }

    #[test]
    fn hostile_archives_are_refused_before_they_are_read() {
        let good = archive(&[(WINDOWS, b"{}"), ("a/one.png", b"1"), ("a/two.png", b"2")]);
        assert!(Gallery::read(Cursor::new(good.clone())).is_ok());
        let doubled = why(replaced(&good, b"a/two.png", b"a/one.png"));
        assert!(doubled.contains("twice"), "{doubled}");
        // The directory's second and third entry point at the same header, as overlapping bombs do.
        let headers: Vec<usize> = (0..good.len())
            .filter(|at| good[*at..].starts_with(b"PK\x01\x02"))
            .collect();
        let mut overlapping = good.clone();
        overlapping.copy_within(headers[1] + 42..headers[1] + 46, headers[2] + 42);
        let overlapping = why(overlapping);
        assert!(overlapping.contains("overlap"), "{overlapping}");
        // Method 8 is deflate.
        let mut deflated = good.clone();
        deflated[headers[1] + 10] = 8;
        assert!(Gallery::read(Cursor::new(deflated)).is_err());
        // An entry that says it unpacks to more than it is packed in.
        let mut grown = good.clone();
        grown[headers[1] + 24..headers[1] + 28].copy_from_slice(&u32::MAX.to_le_bytes()[..]);
        assert!(Gallery::read(Cursor::new(grown)).is_err());
    }

    #[test]
    fn a_directory_is_read_up_to_a_bound() {
        let left = Cell::new(3);
        let mut bounded = Bounded {
            archive: Cursor::new(b"abcd"),
            left: &left,
        };
        bounded.read_exact(&mut [0; 3]).unwrap();
        let error = bounded.read_exact(&mut [0; 1]).unwrap_err();
        assert!(error.to_string().contains("directory"), "{error}");
    }

    /// A file on a disk that has room for so many bytes.
    struct Disk(Cursor<Vec<u8>>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.get_ref().len() + bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Disk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn a_full_disk_is_told_once_and_by_name() {
        let gallery = sample::gallery();
        let whole = packed(&gallery).len();
        for room in [0, 10, whole / 2, whole - 1] {
            let error = gallery.write(Disk(Cursor::default(), room)).unwrap_err();
            assert!(
                matches!(
                    error,
                    ReportError::Write {
                        what: "pictures.zip",
                        ..
                    }
                ),
                "{room}: {error}"
            );
        }
        assert!(gallery.write(Disk(Cursor::default(), whole)).is_ok());
    }

    #[test]
    fn a_writer_that_failed_goes_on_as_if_it_had_not() {
        let mut patient = Patient {
            out: Disk(Cursor::default(), 2),
            error: None,
            position: 0,
            end: 0,
        };
        patient.write_all(b"abcd").unwrap();
        assert_eq!(patient.seek(SeekFrom::Start(1)).unwrap(), 1);
        patient.write_all(b"x").unwrap();
        assert_eq!(
            [
                patient.stream_position().unwrap(),
                patient.seek(SeekFrom::End(0)).unwrap()
            ],
            [2, 4]
        );
        assert_eq!(patient.error.unwrap().kind(), io::ErrorKind::StorageFull);
    }
}
