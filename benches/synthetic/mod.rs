//! Scenes that are computed: parcels, noise, a few changes and clouds. Every value depends on nothing but where and when it is.

use ndarray::Array2;
use sitewatch::geo::{Grid, Rect};
use sitewatch::raster::{Flags, MemorySource, flags};

/// Edge of a scene, pixels.
pub const EDGE: usize = 1024;
/// A scene's pixels.
pub const WHOLE: Rect = Rect {
    x: 0,
    y: 0,
    w: EDGE,
    h: EDGE,
};
/// Bands of an optical scene.
pub const BANDS: usize = 4;
/// Edge of a pixel, metres.
pub const PIXEL_M: f64 = 10.0;

/// Edge of a parcel, pixels.
const PARCEL: i64 = 23;

/// The bands of an optical scene; the first two serve for a radar scene.
pub fn names() -> Vec<String> {
    ["blue", "green", "red", "nir"].map(String::from).to_vec()
}

/// Where the scenes lie.
pub fn grid() -> Grid {
    Grid {
        crs: "EPSG:32633".into(),
        left_m: 440_000.0,
        top_m: 5_400_000.0,
        pixel_m: PIXEL_M,
        width: EDGE,
        height: EDGE,
    }
}

/// So many dates of reflectance, with a quality band; of the newest a fiftieth of the parcels has changed.
pub fn optical(dates: u64) -> Vec<MemorySource> {
    scenes(dates, BANDS as u64, true, |x, y, band, date, is_last| {
        let parcel = [x / PARCEL, y / PARCEL];
        let ground = 0.05 + 0.3 * uniform(parcel[0], parcel[1], band);
        let changed = is_last && uniform(parcel[0], parcel[1], 99) < 0.02;
        let season = 1.0 + 0.02 * date as f32;
        let noise = 0.01 * (uniform(x, y, 1000 + 10 * date + band) - 0.5);
        season * ground + noise + if changed { 0.15 } else { 0.0 }
    })
}

/// So many dates of speckle of four looks, decibels, in two bands.
pub fn radar(dates: u64) -> Vec<MemorySource> {
    scenes(dates, 2, false, |x, y, band, date, is_last| {
        let parcel = [x / PARCEL, y / PARCEL];
        let changed = is_last && uniform(parcel[0], parcel[1], 99) < 0.02;
        let look = |k: u64| -(uniform(x, y, 4000 + 100 * date + 10 * band + k) + 1e-7).ln();
        let power = (0..4).map(look).sum::<f32>() / 4.0 * if changed { 4.0 } else { 1.0 };
        10.0 * (power * (0.05 + 0.2 * uniform(parcel[0], parcel[1], band))).log10()
    })
}

fn scenes(
    dates: u64,
    bands: u64,
    has_quality: bool,
    value: impl Fn(i64, i64, u64, u64, bool) -> f32,
) -> Vec<MemorySource> {
    let plane = |of: &dyn Fn(i64, i64) -> f32| Array2::from_shape_fn((EDGE, EDGE), |(y, x)| of(x as i64, y as i64));
    let scene = |date: u64| MemorySource {
        rect: WHOLE,
        bands: (0..bands)
            .map(|band| plane(&|x, y| value(x, y, band, date, date + 1 == dates)))
            .collect(),
        quality: has_quality.then(|| Array2::from_shape_fn((EDGE, EDGE), |(y, x)| cloud(x as i64, y as i64, date))),
    };
    (0..dates).map(scene).collect()
}

/// The flag of a pixel: a cloud of 40 pixels around one of some places.
fn cloud(x: i64, y: i64, date: u64) -> Flags {
    let (i, j) = (x / 200, y / 200);
    let (dx, dy) = (x - 200 * i - 100, y - 200 * j - 100);
    let clouded = uniform(i, j, 500 + date) < 0.15 && dx * dx + dy * dy < 400;
    if clouded { flags::CLOUD } else { flags::CLEAR }
}

/// A value of 0 to 1 for a place and a layer (the finaliser of SplitMix64: Steele, Lea and Flood, 2014).
fn uniform(x: i64, y: i64, layer: u64) -> f32 {
    let mut z = (x as u64) ^ (y as u64) << 20 ^ layer << 40;
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32
}
