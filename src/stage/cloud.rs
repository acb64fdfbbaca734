//! An own plain test for cloud, cirrus, cloud shadow and snow, for reflectance that comes without a quality band.
//!
//! It looks at two dates: what is bright, white and much brighter than the same ground on the other date, over more ground than a
//! building covers, is cloud. One date alone does not tell cloud from bright ground (white roofs pass every spectral test), so none of the
//! tests for cloud is made on one date. Large bodies only: new roofs and bare soil are bright, white and new as well, and must stay.

use ndarray::{Array2, Zip};

use crate::geo::Rect;
use crate::raster::{Flags, Plane, flags};
use crate::stage::screen::bodies::{Sums, any, either, fits, mostly, within};

/// Cloud is whiter than this: sum of |band - mean| / mean over blue, green and red (Zhu and Woodcock 2012, equation 2).
const WHITENESS: f32 = 0.7;
/// Haze optimised transformation, blue - 0.5 red - 0.08, is above 0 (Zhu and Woodcock 2012, equation 3).
const HOT: f32 = 0.08;
/// Neither vegetation nor snow: NDVI and NDSI are below this (Zhu and Woodcock 2012, equation 1).
const INDEX: f32 = 0.8;
/// Cloud is brighter than the other date by this in blue, green and red, reflectance. Tmask asks for 0.04 in green alone (Zhu and Woodcock 2014).
const RISE: f32 = 0.06;
/// The thin rim of a cloud is brighter by this.
const RIM_RISE: f32 = 0.02;
/// How far from the body the rim is looked for, metres.
const RIM_M: f64 = 300.0;
/// A body of cloud holds a disc of this radius, metres: 3.1 ha.
const BODY_M: f64 = 100.0;
/// The same where the band at 1.38 um confirms it: 1.1 ha.
const CONFIRMED_BODY_M: f64 = 60.0;
/// The band at 1.38 um confirms cloud where it rises by this more than around (thin cirrus over the whole scene confirms nothing).
/// Measured on Sentinel-2: cumulus 0.0025 to 0.0028, new roofs and quarries 0.0008 at most.
const CONFIRMED: f64 = 0.0015;
/// Cirrus: the band at 1.38 um rises by this. Sen2Cor calls 0.012 cirrus on one date; against the other date high ground cancels.
const CIRRUS: f32 = 0.012;
/// Snow: NDSI above 0.4, near infrared above 0.11, green above 0.1 (Hall et al. 1995; Zhu and Woodcock 2012, equation 20).
const SNOW: [f32; 3] = [0.4, 0.11, 0.1];
/// A body of snow holds a disc of this radius, metres: single roofs that glint pass the test as well.
const SNOW_BODY_M: f64 = 30.0;
/// In shadow, near and shortwave infrared fall to this part of what the ground around has kept.
const DARKENED: f64 = 0.6;
/// The rim of a shadow keeps at most this part.
const RIM_DARKENED: f64 = 0.8;
/// The ground around, with which cloud and shadow are compared: a box of this half edge, metres.
const AROUND_M: f64 = 500.0;
/// A body of shadow holds a disc of this radius, metres.
const SHADOW_BODY_M: f64 = 60.0;
/// How far from the body of a shadow its rim is looked for, metres.
const SHADOW_RIM_M: f64 = 100.0;
/// How far from its cloud a shadow is looked for, metres: a base at 1150 m under a sun 30 degrees high.
const SHADOW_REACH_M: f64 = 2_000.0;
/// No distance is longer than this, pixels: finer imagery would read far more ground than it judges.
const LONGEST_PX: f64 = 256.0;

/// Why the test cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApplicable {
    /// Digital numbers.
    #[error(
        "looking for cloud: expected reflectance, found digital numbers: state scale and offset, or give a quality band"
    )]
    NotReflectance,
    /// A visible band is missing.
    #[error("looking for cloud: expected the bands blue, green and red, found no {0}: give a quality band")]
    NoBand(&'static str),
}

/// The bands of one date that the tests use: reflectance, equal shapes, NaN where there is none.
#[derive(Debug, Clone, Copy)]
pub struct CloudBands<'a> {
    blue: &'a Array2<f32>,
    green: &'a Array2<f32>,
    red: &'a Array2<f32>,
    nir: Option<&'a Array2<f32>>,
    swir16: Option<&'a Array2<f32>>,
    cirrus: Option<&'a Array2<f32>>,
}

impl<'a> CloudBands<'a> {
    /// The bands among `bands` by their common names, `names` being in step.
    ///
    /// # Errors
    /// The values are no reflectance, or a visible band is missing.
    pub fn new(names: &[&str], bands: &'a [Array2<f32>], is_reflectance: bool) -> Result<Self, NotApplicable> {
        if !is_reflectance {
            return Err(NotApplicable::NotReflectance);
        }
        let find = |wanted: &str| {
            names
                .iter()
                .zip(bands)
                .find(|(name, _)| **name == wanted)
                .map(|(_, band)| band)
        };
        let need = |wanted: &'static str| find(wanted).ok_or(NotApplicable::NoBand(wanted));
        Ok(Self {
            blue: need("blue")?,
            green: need("green")?,
            red: need("red")?,
            nir: find("nir").or_else(|| find("nir08")),
            swir16: find("swir16"),
            cirrus: find("cirrus"),
        })
    }
}

/// Pixels that are read around a rectangle to test it, on a grid of `pixel_m` metres.
pub fn halo(pixel_m: f64) -> usize {
    let whole = |metres: f64| pixels(metres, pixel_m).ceil() as usize;
    // A disc out and back; each box of three by three adds a pixel.
    let body = (2 * whole(BODY_M)).max(2 * whole(CONFIRMED_BODY_M) + whole(AROUND_M));
    let cloud = body + whole(RIM_M) + 1;
    let shadow = 2 * whole(SHADOW_BODY_M) + whole(SHADOW_RIM_M) + 1;
    shadow + (whole(SHADOW_REACH_M) + cloud).max(whole(AROUND_M))
}

fn pixels(metres: f64, pixel_m: f64) -> f64 {
    (metres / pixel_m).clamp(0.0, LONGEST_PX)
}

/// [`flags::CLOUD`], [`flags::CIRRUS`], [`flags::SHADOW`] and [`flags::SNOW`] of both dates on `core`.
///
/// `rect` is what the bands hold: `core` and [`halo`] pixels around it. What lies nearer to the edge of the scene than a body's radius
/// is not found, and ground that is cloudy alike on both dates is found on neither.
pub fn pair(before: &CloudBands, after: &CloudBands, rect: &Rect, core: &Rect, pixel_m: f64) -> [Plane<Flags>; 2] {
    [(before, after), (after, before)].map(|(one, other)| {
        let found = one_date(one, other, pixel_m);
        Plane::of(*rect, found).crop(core)
    })
}

fn one_date(one: &CloudBands, other: &CloudBands, pixel_m: f64) -> Array2<Flags> {
    let px = |metres: f64| pixels(metres, pixel_m);
    let mut found = Array2::from_elem(one.blue.dim(), flags::CLEAR);
    let mut mark = |mask: &Array2<bool>, bit: Flags| {
        found.zip_mut_with(mask, |flag, is| *flag |= if *is { bit } else { flags::CLEAR });
    };
    mark(&fits(&mostly(&snow(one)), px(SNOW_BODY_M)), flags::SNOW);
    let rise = rise(one, other);
    let white = Zip::from(&white(one))
        .and(&rise)
        .map_collect(|white, rise| *white && *rise > RISE);
    let mut body = fits(&mostly(&white), px(BODY_M));
    let mut high = Array2::from_elem(body.dim(), false);
    if let Some((here, there)) = one.cirrus.zip(other.cirrus) {
        body = either(&body, &confirmed(&white, here, there, pixel_m));
        let higher = Zip::from(here)
            .and(there)
            .map_collect(|here, there| here - there > CIRRUS);
        high = fits(&mostly(&higher), px(CONFIRMED_BODY_M));
    }
    if any(&body) || any(&high) {
        let rim = mostly(&rise.mapv(|rise| rise > RIM_RISE));
        let cloud = with_rim(&body, &within(&body, px(RIM_M)), &rim);
        let near = within(&either(&cloud, &high), px(SHADOW_REACH_M));
        mark(&shadow(one, other, &near, pixel_m), flags::SHADOW);
        mark(&cloud, flags::CLOUD);
        mark(&high, flags::CIRRUS);
    }
    found
}

/// The smaller bodies of what is white that the band at 1.38 um confirms.
fn confirmed(white: &Array2<bool>, here: &Array2<f32>, there: &Array2<f32>, pixel_m: f64) -> Array2<bool> {
    if !any(white) {
        return white.clone();
    }
    let sums = Sums::of(here, there);
    let radius = pixels(AROUND_M, pixel_m).ceil() as usize;
    let confirmed = Zip::indexed(white)
        .and(here)
        .and(there)
        .map_collect(|(row, column), white, here, there| {
            *white && f64::from(here - there) - sums.rise(row, column, radius) > CONFIRMED
        });
    fits(&mostly(&confirmed), pixels(CONFIRMED_BODY_M, pixel_m))
}

/// How much brighter the date is than the other one, in the visible band where that is least; NaN where a band is.
fn rise(one: &CloudBands, other: &CloudBands) -> Array2<f32> {
    let difference = |a: &Array2<f32>, b: &Array2<f32>| a - b;
    let [blue, green, red] = [
        difference(one.blue, other.blue),
        difference(one.green, other.green),
        difference(one.red, other.red),
    ];
    // f32::min would pass over a NaN.
    let least = |a: f32, b: f32| if a < b || a.is_nan() { a } else { b };
    Zip::from(&blue)
        .and(&green)
        .and(&red)
        .map_collect(|blue, green, red| least(least(*blue, *green), *red))
}

/// The spectral tests of Fmask that need no thermal band. NaN passes none.
fn white(one: &CloudBands) -> Array2<bool> {
    let mut white = Zip::from(one.blue)
        .and(one.green)
        .and(one.red)
        .map_collect(|blue, green, red| {
            let mean = (blue + green + red) / 3.0;
            let spread = (blue - mean).abs() + (green - mean).abs() + (red - mean).abs();
            spread < WHITENESS * mean && blue - 0.5 * red > HOT
        });
    let mut below = |a: &Array2<f32>, b: &Array2<f32>| {
        Zip::from(&mut white)
            .and(a)
            .and(b)
            .for_each(|white, a, b| *white &= a - b < INDEX * (a + b));
    };
    if let Some(nir) = one.nir {
        below(nir, one.red);
    }
    if let Some(swir16) = one.swir16 {
        below(one.green, swir16);
    }
    white
}

/// Snow on one date; nowhere without near and shortwave infrared.
fn snow(one: &CloudBands) -> Array2<bool> {
    let (Some(nir), Some(swir16)) = (one.nir, one.swir16) else {
        return Array2::from_elem(one.green.dim(), false);
    };
    let [index, near_infrared, bright] = SNOW;
    Zip::from(one.green)
        .and(swir16)
        .and(nir)
        .map_collect(|green, swir, nir| {
            green - swir > index * (green + swir) && *nir > near_infrared && *green > bright
        })
}

/// Bodies of ground near cloud, and their rims, that lost light in the infrared which the ground around them kept.
fn shadow(one: &CloudBands, other: &CloudBands, near_cloud: &Array2<bool>, pixel_m: f64) -> Array2<bool> {
    let (Some(nir), Some(swir16)) = (one.nir.zip(other.nir), one.swir16.zip(other.swir16)) else {
        return Array2::from_elem(near_cloud.dim(), false);
    };
    let sums = [nir, swir16].map(|(here, there)| Sums::of(here, there));
    let radius = pixels(AROUND_M, pixel_m).ceil() as usize;
    let kept_below = |part: f64| {
        let mut dark = near_cloud.clone();
        Zip::indexed(&mut dark).for_each(|(row, column), dark| {
            *dark &= sums.iter().all(|sums| {
                let ([a, b, _], [all_a, all_b, _]) = (sums.boxed(row, column, 1), sums.boxed(row, column, radius));
                // a / b < part all_a / all_b, without a division by nothing.
                b > 0.0 && a * all_b < part * all_a * b
            });
        });
        mostly(&dark)
    };
    let body = fits(&kept_below(DARKENED), pixels(SHADOW_BODY_M, pixel_m));
    let near = within(&body, pixels(SHADOW_RIM_M, pixel_m));
    if !any(&body) {
        return body;
    }
    with_rim(&body, &near, &kept_below(RIM_DARKENED))
}

/// The body, and its rim where that is near.
fn with_rim(body: &Array2<bool>, near: &Array2<bool>, rim: &Array2<bool>) -> Array2<bool> {
    Zip::from(body)
        .and(near)
        .and(rim)
        .map_collect(|body, near, rim| *body || (*near && *rim))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = ["blue", "green", "red", "nir", "swir16", "cirrus"];
    const GROUND: [f32; 6] = [0.13, 0.10, 0.09, 0.12, 0.12, 0.0012];
    const CLOUD: [f32; 6] = [0.30, 0.29, 0.31, 0.36, 0.36, 0.004];
    const SHADE: [f32; 6] = [0.11, 0.075, 0.055, 0.05, 0.04, 0.0012];
    const SNOW: [f32; 6] = [0.7, 0.7, 0.7, 0.65, 0.05, 0.0012];

    /// Ground with discs of other spectra: column, row, radius in pixels.
    fn date(edge: usize, discs: &[([f32; 6], f64, f64, f64)]) -> Vec<Array2<f32>> {
        (0..6)
            .map(|band| {
                Array2::from_shape_fn((edge, edge), |(row, column)| {
                    let inside = |x: f64, y: f64, r: f64| (column as f64 - x).hypot(row as f64 - y) <= r;
                    let disc = discs.iter().rev().find(|(_, x, y, r)| inside(*x, *y, *r));
                    // A texture, so that nothing is equal by chance.
                    let texture = 1.0 + 0.02 * ((row * 7 + column * 13) % 5) as f32;
                    disc.map_or(GROUND, |disc| disc.0)[band] * texture
                })
            })
            .collect()
    }

    /// The flags of the later date, without the bands from `bands` on.
    fn later(before: &[Array2<f32>], after: &[Array2<f32>], pixel_m: f64, bands: usize) -> Array2<Flags> {
        let cloud_bands = |date| CloudBands::new(&NAMES[..bands], date, true).unwrap();
        let (rows, columns) = before[0].dim();
        let all = Rect::new(0, 0, columns, rows);
        let [_, after] = pair(
            &cloud_bands(&before[..bands]),
            &cloud_bands(&after[..bands]),
            &all,
            &all,
            pixel_m,
        );
        after.into_array()
    }

    #[test]
    fn a_body_of_cloud_is_found_and_a_roof_stays() {
        let before = date(100, &[]);
        let after = date(100, &[(CLOUD, 30.0, 30.0, 13.0), (CLOUD, 70.0, 70.0, 8.0)]);
        let found = later(&before, &after, 10.0, 5);
        assert_eq!((found[[30, 30]], found[[30, 40]]), (flags::CLOUD, flags::CLOUD));
        // 2 ha of white roof, and the ground.
        assert_eq!((found[[70, 70]], found[[50, 50]]), (flags::CLEAR, flags::CLEAR));
        // The band at 1.38 um tells the small cloud from a roof.
        let found = later(&before, &after, 10.0, 6);
        assert_eq!((found[[30, 30]], found[[70, 70]]), (flags::CLOUD, flags::CLOUD));
        // Thin cirrus over the whole scene confirms nothing.
        let mut hazy = after.clone();
        hazy[5] = &before[5] + 0.004;
        assert_eq!(later(&before, &hazy, 10.0, 6)[[70, 70]], flags::CLEAR);
        // What is white on both dates is ground.
        assert_eq!(
            later(&after, &after, 10.0, 6),
            Array2::from_elem((100, 100), flags::CLEAR)
        );
    }

    #[test]
    fn a_shadow_needs_a_cloud() {
        let before = date(120, &[]);
        let dark = (SHADE, 85.0, 85.0, 10.0);
        let alone = later(&before, &date(120, &[dark]), 10.0, 6);
        assert!(alone.iter().all(|flag| *flag == flags::CLEAR));
        let after = date(120, &[dark, (CLOUD, 30.0, 30.0, 13.0)]);
        let found = later(&before, &after, 10.0, 6);
        assert_eq!((found[[30, 30]], found[[85, 85]]), (flags::CLOUD, flags::SHADOW));
        // A pond is too small.
        let pond = date(120, &[(SHADE, 85.0, 85.0, 4.0), (CLOUD, 30.0, 30.0, 13.0)]);
        assert_eq!(later(&before, &pond, 10.0, 6)[[85, 85]], flags::CLEAR);
        // A day that is darker everywhere has no shadow.
        let dim: Vec<_> = date(120, &[(CLOUD, 30.0, 30.0, 13.0)])
            .iter()
            .map(|band| band * 0.8)
            .collect();
        let bits = later(&before, &dim, 10.0, 6).fold(0, |all, flag| all | flag);
        assert_eq!(bits, flags::CLOUD);
    }

    #[test]
    fn cirrus_and_snow_have_tests_of_their_own() {
        let before = date(60, &[]);
        let mut after = before.clone();
        after[5]
            .slice_mut(ndarray::s![10..30, 10..30])
            .mapv_inplace(|value| value + 0.013);
        let found = later(&before, &after, 10.0, 6);
        assert_eq!((found[[20, 20]], found[[45, 45]]), (flags::CIRRUS, flags::CLEAR));
        let found = later(&before, &date(60, &[(SNOW, 30.0, 30.0, 10.0)]), 10.0, 6);
        assert_eq!((found[[30, 30]], found[[5, 5]]), (flags::SNOW, flags::CLEAR));
    }

    #[test]
    fn a_tile_is_a_part_of_the_whole() {
        let pixel_m = 100.0;
        let before = date(100, &[]);
        let after = date(
            100,
            &[
                (CLOUD, 48.0, 50.0, 6.0),
                (SHADE, 60.0, 44.0, 4.0),
                (CLOUD, 20.0, 80.0, 3.0),
            ],
        );
        let whole = later(&before, &after, pixel_m, 6);
        assert!(
            [flags::CLOUD, flags::SHADOW]
                .iter()
                .all(|bit| whole.iter().any(|flag| flag & bit != 0))
        );
        let margin = halo(pixel_m);
        for (x, y) in [(40, 40), (50, 45), (57, 40), (44, 48)] {
            let core = Rect::new(x, y, 10, 10);
            let rect = core.grow(margin).intersect(&Rect::new(0, 0, 100, 100));
            let all = Rect::new(0, 0, 100, 100);
            let cut = |date: &[Array2<f32>]| -> Vec<_> {
                date.iter()
                    .map(|band| crate::raster::plane::view(band, &all, &rect).to_owned())
                    .collect()
            };
            let (a, b) = (cut(&before), cut(&after));
            let cloud_bands = |date| CloudBands::new(&NAMES, date, true).unwrap();
            let [_, tile] = pair(&cloud_bands(&a), &cloud_bands(&b), &rect, &core, pixel_m);
            assert_eq!(tile.view(), crate::raster::plane::view(&whole, &all, &core), "{x} {y}");
        }
    }

    #[test]
    fn no_data_is_nothing_and_breaks_nothing() {
        let empty = vec![Array2::from_elem((40, 40), f32::NAN); 6];
        let bright = date(40, &[(CLOUD, 20.0, 20.0, 15.0)]);
        for (before, after) in [(&empty, &bright), (&bright, &empty), (&empty, &empty)] {
            assert!(later(before, after, 10.0, 6).iter().all(|flag| *flag == flags::CLEAR));
        }
        for edge in [0, 1] {
            assert_eq!(later(&date(edge, &[]), &date(edge, &[]), 10.0, 6).len(), edge * edge);
        }
    }

    #[test]
    fn digital_numbers_and_missing_bands_are_refused() {
        let date = date(2, &[]);
        let why = |names: &[&str], is| CloudBands::new(names, &date, is).unwrap_err();
        assert_eq!(why(&NAMES, false), NotApplicable::NotReflectance);
        assert_eq!(why(&["VV", "green", "red"], true), NotApplicable::NoBand("blue"));
    }
}
