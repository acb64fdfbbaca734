//! Blocks of TIFFs that are packed by deflate, unpacked: each is held against its checksum, at which GDAL does not look.

use std::cell::RefCell;
use std::os::unix::fs::FileExt;
use std::path::Path;

use libdeflater::{DecompressionError, Decompressor};

use super::{Place, Tiff};
use crate::geo::Rect;
use crate::io::IoError;

/// Tags of compression by deflate: Adobe's, and the older one.
const DEFLATE: [u64; 2] = [8, 32946];

/// A thread keeps no more room than this from block to block, bytes.
const KEPT: usize = 16 << 20;

/// What a thread unpacks with.
struct Scratch {
    decompressor: Decompressor,
    packed: Vec<u8>,
    unpacked: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        decompressor: Decompressor::new(),
        packed: Vec::new(),
        unpacked: Vec::new(),
    });
}

/// Whether blocks of `tiff` are packed by deflate: nothing else is read here.
pub(in crate::io) fn is_deflate(tiff: &Tiff) -> bool {
    DEFLATE.contains(&tiff.compression)
}

/// Holds every block of `tiff`, which is the file `path`, that has pixels of `rect` in `band` against its checksum.
///
/// # Errors
/// A block that is damaged.
pub(in crate::io) fn verify(tiff: &Tiff, path: &Path, band: usize, rect: &Rect) -> Result<(), IoError> {
    tiff.places(band, rect)
        .try_for_each(|place| with_unpacked(tiff, path, &place, |_| ()).map(drop))
}

/// What `work` makes of the unpacked bytes of the block at `place`; `None` where the file leaves it out for want of data.
pub(super) fn with_unpacked<R>(
    tiff: &Tiff,
    path: &Path,
    place: &Place,
    work: impl FnOnce(&mut [u8]) -> R,
) -> Result<Option<R>, IoError> {
    let damaged = |message: String| IoError::Damaged {
        path: path.to_owned(),
        place: told(tiff, place),
        message,
    };
    let Some((offset, size)) = tiff.find(place).map_err(damaged)? else {
        return Ok(None);
    };
    let row = tiff.row_bytes() as usize;
    let [least, most] = [place.rows.0, place.rows.1].map(|rows| row.saturating_mul(rows));
    // Deflate makes nothing longer by more than a few bytes in a thousand; what lies behind its end is not looked at.
    let size = size.min((most + most / 64 + 1024) as u64) as usize;
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.packed.resize(size, 0);
        scratch.unpacked.resize(most, 0);
        tiff.file
            .read_exact_at(&mut scratch.packed, offset)
            .map_err(|error| damaged(format!("its {size} bytes at {offset} cannot be read ({error})")))?;
        if tiff.is_reversed {
            scratch.packed.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        let found = scratch
            .decompressor
            .zlib_decompress(&scratch.packed, &mut scratch.unpacked)
            .map_err(|error| match error {
                DecompressionError::BadData => damaged("its bytes do not fit their checksum".into()),
                DecompressionError::InsufficientSpace => damaged(format!("it unpacks to more than {most} bytes")),
            })?;
        if found < least {
            return Err(damaged(format!("expected {least} bytes unpacked, found {found}")));
        }
        let result = work(&mut scratch.unpacked[..found - found % row]);
        if scratch.packed.capacity() + scratch.unpacked.capacity() > KEPT {
            (scratch.packed, scratch.unpacked) = (Vec::new(), Vec::new());
        }
        Ok(Some(result))
    })
}

/// Which block of the file is at `place`, in words.
fn told(tiff: &Tiff, place: &Place) -> String {
    let band = match tiff.is_apart {
        true => format!("band {}", place.band),
        false => "all bands".into(),
    };
    let rect = place.rect;
    format!(
        "the block in column {} and row {} of {band} (pixels {} to {} across, {} to {} down)",
        place.column,
        place.row,
        rect.x,
        rect.right() - 1,
        rect.y,
        rect.bottom() - 1
    )
}
