//! What decoding a JPEG 2000 file takes beside its pixels, as its headers say (ISO/IEC 15444-1, annexes A, B and I).
//!
//! OpenJPEG holds something for each tile when it opens a file, and something for each precinct and code-block when it decodes a tile, whatever
//! these hold: a file of a megabyte can take gigabytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that OpenJPEG 2.5 holds for a tile, for each component of one, for a precinct in a band, and for a code-block: 680 were seen for each of
/// a million code-blocks, the others are sizes of its structures.
const TILE: u64 = 6_000;
const COMPONENT: u64 = 1_100;
const PRECINCT: u64 = 320;
const CODE_BLOCK: u64 = 700;

/// More parts of tiles are not looked through.
const MAX_PARTS: usize = 200_000;

const SIZ: u16 = 0xff51;
const COD: u16 = 0xff52;
const COC: u16 = 0xff53;
const SOT: u16 = 0xff90;
const SOD: u16 = 0xff93;
const EOC: u16 = 0xffd9;

/// What a file takes, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::io) struct Weight {
    /// For all tiles, once it is open.
    pub tiles: u64,
    /// The boxes beside the pixels, of which GDAL makes trees.
    pub boxes: u64,
    /// For the precincts and code-blocks of a tile, while it is decoded.
    pub coding: u64,
    /// The bytes of the largest tile as they are packed.
    pub packed: u64,
}

/// How large the tiles are: columns and rows of one, how many there are, and their components.
#[derive(Debug, Clone, Copy)]
struct Size {
    tile: (u64, u64),
    tiles: u64,
    components: u64,
}

/// What the JPEG 2000 in `file` takes.
///
/// # Errors
/// What cannot be read, does not fit together, or is too much to be looked through, in words.
pub(in crate::io) fn weight(file: &File) -> Result<Weight, String> {
    let end = file.metadata().map_err(unreadable)?.len();
    let (begin, boxes) = codestream(file, end)?;
    let mut at = begin.saturating_add(2);
    let mut size = None;
    // The costliest way in which any tile says that it is coded.
    let (mut costliest, mut parts) = (0, 0);
    let mut packed: BTreeMap<u64, u64> = BTreeMap::new();
    let mut part_end = None;
    // What is cut short or no marker is the decoder's to tell.
    while let Ok(marker @ 0xff00..) = number(file, at, 2) {
        let marker = marker as u16;
        match (marker, part_end) {
            (SOD, Some(next)) => {
                at = next;
                part_end = None;
                continue;
            }
            (EOC | SOD, _) => break,
            _ => {}
        }
        let length = number(file, at + 2, 2)?.max(2);
        let value = |offset: u64, bytes: usize| number(file, at + 4 + offset, bytes);
        match (marker, size) {
            (SIZ, None) => size = Some(sizes(&value)?),
            (COD, Some(of)) => costliest = costliest.max(coding(of, &value, 5)?),
            (COC, Some(of)) => {
                let index = if of.components < 257 { 1 } else { 2 };
                costliest = costliest.max(coding(of, &|offset, bytes| value(index + offset, bytes), 1)?);
            }
            (SOT, Some(_)) => {
                parts += 1;
                if parts > MAX_PARTS {
                    return Err(format!("its tiles lie in more than {MAX_PARTS} parts"));
                }
                let bytes = match value(2, 4)? {
                    0 => end.saturating_sub(at),
                    bytes => bytes.max(14),
                };
                *packed.entry(value(0, 2)?).or_default() += bytes;
                is_within(at.saturating_add(bytes), end)?;
                part_end = Some(at + bytes);
            }
            _ => {}
        }
        at += 2 + length;
    }
    let size = size.ok_or("its size is not told")?;
    Ok(Weight {
        tiles: size.tiles.saturating_mul(TILE + COMPONENT * size.components),
        boxes,
        coding: costliest,
        packed: packed.into_values().max().unwrap_or(0).min(end),
    })
}

/// Where the codestream of `file`, which is `end` bytes long, begins, and the bytes of all boxes beside it.
fn codestream(file: &File, end: u64) -> Result<(u64, u64), String> {
    if number(file, 0, 4)? == 0xff4f_ff51 {
        return Ok((0, 0));
    }
    let (mut at, mut beside, mut found) = (0_u64, 0_u64, None);
    while at.saturating_add(8) <= end {
        let (short, kind) = (number(file, at, 4)?, number(file, at + 4, 4)?);
        let (head, length) = match short {
            0 => (8, end - at),
            1 => (16, number(file, at + 8, 8)?),
            short => (8, short),
        };
        let is_codestream = kind == u64::from(u32::from_be_bytes(*b"jp2c"));
        match found {
            None if is_codestream => {
                is_within(at.saturating_add(length), end)?;
                found = Some(at + head);
            }
            _ => beside += length.max(head).min(end - at),
        }
        at = at.saturating_add(length.max(head));
    }
    let begin = found.ok_or("it holds no codestream")?;
    Ok((begin, beside))
}

/// Looks whether a part that ends at `place` lies in a file of `end` bytes.
///
/// # Errors
/// It does not, in words.
fn is_within(place: u64, end: u64) -> Result<(), String> {
    match place <= end {
        true => Ok(()),
        false => Err(format!(
            "it is not complete: it ends after {end} bytes, and its pixels go on to {place}"
        )),
    }
}

/// The marker SIZ, of which `value` gives numbers.
fn sizes(value: &impl Fn(u64, usize) -> Result<u64, String>) -> Result<Size, String> {
    let [right, bottom, left, top, w, h, tiles_left, tiles_top] =
        [2, 6, 10, 14, 18, 22, 26, 30].map(|offset| value(offset, 4));
    let (w, h) = (w?.max(1), h?.max(1));
    let (across, down) = (right?.saturating_sub(tiles_left?), bottom?.saturating_sub(tiles_top?));
    let (width, height) = (across - left?.min(across), down - top?.min(down));
    Ok(Size {
        tile: (w.min(width.max(1)), h.min(height.max(1))),
        tiles: across.div_ceil(w).saturating_mul(down.div_ceil(h)),
        components: value(34, 2)?,
    })
}

/// Bytes for the precincts and code-blocks of a tile that is coded as `value` says, from `offset` on (A.6.1, SPcod).
fn coding(size: Size, value: &impl Fn(u64, usize) -> Result<u64, String>, offset: u64) -> Result<u64, String> {
    let has_precincts = value(0, 1)? & 1 == 1;
    let levels = value(offset, 1)?.min(32);
    let [block_w, block_h] = [value(offset + 1, 1)?, value(offset + 2, 1)?].map(|exponent| exponent.min(8) + 2);
    let mut sum = 0_u64;
    for level in 0..=levels {
        let precinct = match has_precincts {
            true => value(offset + 5 + level, 1)?,
            false => 0xff,
        };
        let (precinct_w, precinct_h) = (precinct & 15, precinct >> 4);
        let shrunk = |length: u64, by: u64| length.div_ceil(1 << by.min(40)).max(1);
        let (w, h) = (shrunk(size.tile.0, levels - level), shrunk(size.tile.1, levels - level));
        let precincts = shrunk(w, precinct_w).saturating_mul(shrunk(h, precinct_h));
        // Above the coarsest level there are three bands of half the size, and precincts halve with them.
        let (bands, halved) = if level == 0 { (1, 0) } else { (3, 1) };
        let block_w = block_w.min(precinct_w.saturating_sub(halved));
        let block_h = block_h.min(precinct_h.saturating_sub(halved));
        let blocks = shrunk(shrunk(w, halved), block_w).saturating_mul(shrunk(shrunk(h, halved), block_h));
        let bytes = precincts
            .saturating_mul(PRECINCT)
            .saturating_add(blocks.max(precincts).saturating_mul(CODE_BLOCK));
        sum = sum.saturating_add(bytes.saturating_mul(bands));
    }
    Ok(sum.saturating_mul(size.components))
}

/// The number in `bytes` of `file` at `at`, the most significant first.
fn number(file: &File, at: u64, bytes: usize) -> Result<u64, String> {
    let mut number = [0; 8];
    file.read_exact_at(&mut number[8 - bytes..], at).map_err(unreadable)?;
    Ok(u64::from_be_bytes(number))
}

fn unreadable(error: io::Error) -> String {
    format!("its headers cannot be read ({error}); is it complete?")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn segment(marker: u16, content: &[u8]) -> Vec<u8> {
        let length = content.len() as u16 + 2;
        [&marker.to_be_bytes()[..], &length.to_be_bytes(), content].concat()
    }

    /// A codestream of one part, of a raster of `size` px in tiles of `tile` px and three components, with `more` in its main header.
    fn codestream(size: u32, tile: u32, more: &[u8]) -> Vec<u8> {
        let sizes = [size, size, 0, 0, tile, tile, 0, 0].map(u32::to_be_bytes).concat();
        let sizes = [&[0, 0], &sizes[..], &[0, 3], &[7, 1, 1].repeat(3)].concat();
        let part = [[0, 0].as_slice(), &100_u32.to_be_bytes(), &[0, 1]].concat();
        let mut all = [&[0xff, 0x4f], &segment(SIZ, &sizes)[..], more, &segment(SOT, &part)].concat();
        all.extend(SOD.to_be_bytes());
        all.extend([0; 86]);
        all.extend(EOC.to_be_bytes());
        all
    }

    /// The marker COD: its style, decomposition levels, exponents of code-blocks, and precincts.
    fn cod(style: u8, levels: u8, block: u8, precincts: &[u8]) -> Vec<u8> {
        segment(
            COD,
            &[&[style, 0, 0, 1, 0, levels, block, block, 0, 1], precincts].concat(),
        )
    }

    fn of(bytes: &[u8]) -> Result<Weight, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        weight(&file)
    }

    #[test]
    fn tiles_precincts_and_code_blocks_are_counted_as_the_headers_say() {
        let coding = |size, tile, more: &[u8]| of(&codestream(size, tile, more)).unwrap().coding / 3;
        assert_eq!(coding(1000, 64, &cod(0, 0, 4, &[])), PRECINCT + CODE_BLOCK);
        assert_eq!(coding(1000, 64, &cod(0, 0, 0, &[])), PRECINCT + 256 * CODE_BLOCK);
        // A quarter of the code-blocks in the coarse level, three quarters in the bands of the finer one.
        assert_eq!(coding(1000, 64, &cod(0, 1, 0, &[])), 4 * PRECINCT + 256 * CODE_BLOCK);
        // No code-block is larger than its precinct.
        assert_eq!(coding(1000, 64, &cod(1, 0, 4, &[0x33])), 64 * (PRECINCT + CODE_BLOCK));
        // The tile ends with the raster.
        assert_eq!(coding(8, 64, &cod(0, 0, 0, &[])), PRECINCT + 4 * CODE_BLOCK);
        // One component coded in smaller blocks counts for all.
        let coc = segment(COC, &[0, 0, 0, 0, 0, 0, 1]);
        let both = [cod(0, 0, 4, &[]), coc].concat();
        assert_eq!(coding(1000, 64, &both), PRECINCT + 256 * CODE_BLOCK);
        let found = of(&codestream(1000, 64, &cod(0, 0, 4, &[]))).unwrap();
        assert_eq!(
            (found.tiles, found.packed, found.boxes),
            (256 * (TILE + 3 * COMPONENT), 100, 0)
        );
    }

    #[test]
    fn boxes_are_passed_over_and_counted() {
        let inner = codestream(64, 64, &cod(0, 0, 4, &[]));
        let a_box = |kind: &[u8; 4], content: &[u8]| {
            let length = content.len() as u32 + 8;
            [&length.to_be_bytes()[..], kind, content].concat()
        };
        let file = [
            a_box(b"jP  ", &[1; 4]),
            a_box(b"jp2c", &inner),
            a_box(b"xml ", &[b' '; 50]),
        ]
        .concat();
        let found = of(&file).unwrap();
        assert_eq!((found.boxes, found.coding), (12 + 58, 3 * (PRECINCT + CODE_BLOCK)));
    }

    #[test]
    fn junk_is_an_error_or_nothing_and_comes_to_an_end() {
        let whole = codestream(1000, 64, &cod(1, 2, 4, &[0x11, 0x22, 0x33]));
        for cut in 0..whole.len() {
            drop(of(&whole[..cut]));
        }
        for at in 2..whole.len() {
            for junk in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = junk;
                drop(of(&bytes));
            }
        }
        assert!(of(b"nothing").is_err());
        assert!(of(&[0; 64]).unwrap_err().contains("no codestream"));
    }
}
