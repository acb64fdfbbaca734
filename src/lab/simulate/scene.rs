//! Scenes as a sensor delivers them: optical with a quality band, and radar.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::io::IoError;
use crate::io::crs::Projector;

use super::acquisition::{Date, GridChange, Radar};
use super::ground::{Lattice, Scenery, Window};
use super::material::RADAR;
use super::random::{hash, normal_pair, speckle};
use super::recipe::Recipe;
use super::shape::{Thing, shapes_at};
use super::sky::{Sky, shadow};
use super::surface::Season;

/// Reflectance of one digital number.
pub const SCALE: f32 = 1e-4;

/// Classes of the Sentinel-2 Level-2A scene classification (Sentinel-2 Products Specification Document).
mod class {
    pub const NODATA: u8 = 0;
    pub const SHADOW: u8 = 3;
    pub const VEGETATION: u8 = 4;
    pub const BARE: u8 = 5;
    pub const WATER: u8 = 6;
    pub const CLOUD_MEDIUM: u8 = 8;
    pub const CLOUD_HIGH: u8 = 9;
}

/// How strongly a cloud and its shadow act on blue, green, red, nir, swir16, swir22.
const CLOUD: [f32; 6] = [1.02, 1.0, 0.98, 1.0, 0.72, 0.55];
const CLOUD_SHADE: [f32; 6] = [0.42, 0.48, 0.52, 0.58, 0.62, 0.64];

/// Day of the year, 1 to 366.
pub fn day_of_year(time: Timestamp) -> f64 {
    f64::from(time.to_zoned(TimeZone::UTC).day_of_year())
}

/// The lattice of a date: the recipe's, moved or cut by whole pixels, or the box around it in another reference system.
///
/// # Errors
/// When PROJ knows no way to the other system, or the box has too many pixels.
pub fn lattice(recipe: &Recipe, change: &GridChange) -> Result<Lattice, IoError> {
    let [east, north] = recipe.origin_m;
    let Some(epsg) = change.epsg else {
        return Ok(Lattice {
            width: change.width_px.unwrap_or(recipe.width_px),
            height: change.height_px.unwrap_or(recipe.height_px),
            corner: [
                east + change.left_px as f64 * recipe.pixel_m,
                north - change.top_px as f64 * recipe.pixel_m,
            ],
            pixel: recipe.pixel_m,
            crs: recipe.crs(),
        });
    };
    let crs = format!("EPSG:{epsg}");
    let (width, height) = recipe.size_m();
    // Twenty points a side: the sides bend.
    let side = |n: usize| (0..=20).map(move |i| (n, f64::from(i) / 20.0));
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = (0..4)
        .flat_map(side)
        .map(|(n, t)| match n {
            0 => (t, 0.0),
            1 => (t, 1.0),
            2 => (0.0, t),
            _ => (1.0, t),
        })
        .map(|(across, down)| (east + across * width, north - down * height))
        .unzip();
    Projector::new(&recipe.crs(), &crs)?.project(&mut x, &mut y)?;
    let span = |values: &[f64]| {
        values
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)))
    };
    let ((left, right), (bottom, top)) = (span(&x), span(&y));
    // Degrees when the scene is less than a few units wide: one pixel is then as many degrees as on a meridian.
    let degrees = right - left < width / 1000.0;
    let pixel = if degrees {
        (recipe.pixel_m / 111_320.0 * 1e7).round() / 1e7
    } else {
        recipe.pixel_m
    };
    let corner = [(left / pixel).floor() * pixel, (top / pixel).ceil() * pixel];
    let count = |length: f64| (length / pixel).ceil().clamp(16.0, 60_000.0) as usize;
    Ok(Lattice {
        width: count(right - corner[0]),
        height: count(corner[1] - bottom),
        corner,
        pixel,
        crs,
    })
}

/// One optical scene, ready to be made tile by tile.
pub struct Optical<'a> {
    scenery: Scenery<'a>,
    sky: Sky<'a>,
    date: &'a Date,
    recipe: &'a Recipe,
    seed: u64,
}

/// A tile of an optical scene.
pub struct OpticalTile {
    /// Digital numbers per band; 0 where there is nothing.
    pub bands: Vec<Vec<u16>>,
    /// The quality band, at its own pixel.
    pub quality: Vec<u8>,
    /// Pixels under cloud, and pixels with data.
    pub counts: [u64; 2],
}

impl<'a> Optical<'a> {
    /// Scene number `number` of the recipe, where `things` has everything with an outline.
    ///
    /// # Errors
    /// As [`lattice`].
    pub fn new(recipe: &'a Recipe, things: &[Thing], number: usize, date: &'a Date) -> Result<Self, IoError> {
        let day = date.season_day.unwrap_or_else(|| day_of_year(date.time));
        let seed = hash(u64::from(recipe.seed), number as i64, 70);
        let scenery = Scenery {
            recipe,
            shapes: shapes_at(things, date.time.as_second(), shadow(day)),
            season: Season::new(day, recipe.land.variability, seed),
            channels: recipe.bands.iter().map(|&band| band as usize).collect(),
            psf_px: date.psf_px,
            shift_px: date.shift_px,
            lattice: lattice(recipe, &date.grid)?,
        };
        Ok(Self {
            scenery,
            sky: Sky::new(recipe, date, number, day),
            date,
            recipe,
            seed,
        })
    }

    /// Its lattice.
    pub fn lattice(&self) -> &Lattice {
        &self.scenery.lattice
    }

    /// The tile at `window`, whose corner lies on a pixel of the quality band.
    ///
    /// # Errors
    /// When the lattice's reference system does not reach the recipe's.
    pub fn tile(&self, window: Window) -> Result<OpticalTile, IoError> {
        let Window { x: left, y: top, w, h } = window;
        let (mut planes, places) = self.scenery.see(window)?;
        let channels = &self.scenery.channels;
        let per_band = |values: &[f64], band: usize| values[band.min(values.len() - 1)] as f32;
        let cloudy = self.sky.cloudy();
        let mut classes = vec![class::NODATA; w * h];
        let mut counts = [0, 0];
        let (width, height) = (self.lattice().width as f64, self.lattice().height as f64);
        for (index, class) in classes.iter_mut().enumerate() {
            let (x, y) = (index % w, index / w);
            if self
                .sky
                .beyond(((left + x) as f64 + 0.5) / width, ((top + y) as f64 + 0.5) / height)
            {
                continue;
            }
            let (mut cloud, mut shade, mut bright) = (0.0, 0.0, 0.0);
            if cloudy {
                let [px, py] = places.at(x as f64 + 0.5, y as f64 + 0.5);
                (cloud, shade, bright) = (
                    self.sky.cloud(px, py),
                    self.sky.shade(px, py),
                    self.sky.brightness(px, py),
                );
            }
            let at = |channel: usize| {
                channels
                    .iter()
                    .position(|&c| c == channel)
                    .map(|band| planes[band][index])
            };
            *class = classify(at(2), at(3), cloud, shade);
            counts[0] += u64::from(*class >= class::CLOUD_MEDIUM);
            counts[1] += 1;
            if cloud > 0.0 || shade > 0.0 {
                for (plane, &channel) in planes.iter_mut().zip(channels) {
                    let lit = plane[index] * (1.0 - shade * CLOUD_SHADE[channel]);
                    plane[index] = lit * (1.0 - cloud) + cloud * bright * CLOUD[channel];
                }
            }
        }
        let mut bands = vec![vec![0_u16; w * h]; planes.len()];
        for index in 0..w * h {
            if classes[index] == class::NODATA {
                continue;
            }
            let place = [(left + index % w) as i64, (top + index / w) as i64];
            for pair in 0..planes.len().div_ceil(2) {
                let noise = normal_pair(hash(self.seed ^ pair as u64, place[0], place[1]));
                for (half, noise) in noise.into_iter().enumerate().take(planes.len() - 2 * pair) {
                    let band = 2 * pair + half;
                    let value = planes[band][index] * per_band(&self.date.gain, band)
                        + per_band(&self.date.offset, band)
                        + noise * self.date.noise as f32;
                    // 0 is kept for no data.
                    bands[band][index] = (value / SCALE + 0.5).clamp(1.0, 65_535.0) as u16;
                }
            }
        }
        let quality = coarsen(&classes, w, h, self.recipe.quality_every_px);
        Ok(OpticalTile { bands, quality, counts })
    }
}

/// The class of a pixel from its reflectance in red and near infrared and what hides it.
fn classify(red: Option<f32>, nir: Option<f32>, cloud: f32, shade: f32) -> u8 {
    if cloud > 0.6 {
        return class::CLOUD_HIGH;
    }
    if cloud > 0.12 {
        return class::CLOUD_MEDIUM;
    }
    if shade > 0.25 {
        return class::SHADOW;
    }
    match (red, nir) {
        (Some(red), Some(nir)) if nir - red > 0.35 * (nir + red) => class::VEGETATION,
        (Some(red), Some(nir)) if nir < 0.06 && nir < red * 1.1 => class::WATER,
        _ => class::BARE,
    }
}

/// Classes at pixels `every` times as wide: cloud and shadow where any part is, nothing where all is nothing.
fn coarsen(classes: &[u8], w: usize, h: usize, every: usize) -> Vec<u8> {
    if every == 1 {
        return classes.to_vec();
    }
    let (columns, rows) = (w.div_ceil(every), h.div_ceil(every));
    let rank = |class: u8| match class {
        class::CLOUD_HIGH => 5,
        class::CLOUD_MEDIUM => 4,
        class::SHADOW => 3,
        class::NODATA => 0,
        _ => 1,
    };
    let worst = |index: usize| {
        let (x, y) = (index % columns * every, index / columns * every);
        let parts = (y..(y + every).min(h)).flat_map(|y| (x..(x + every).min(w)).map(move |x| classes[y * w + x]));
        parts.max_by_key(|&class| rank(class)).unwrap_or(class::NODATA)
    };
    (0..columns * rows).map(worst).collect()
}

/// One radar scene, ready to be made tile by tile.
pub struct RadarScene<'a> {
    scenery: Scenery<'a>,
    radar: &'a Radar,
    seed: u64,
}

impl<'a> RadarScene<'a> {
    /// Radar scene number `number` of the recipe.
    ///
    /// # Errors
    /// As [`lattice`].
    pub fn new(recipe: &'a Recipe, things: &[Thing], number: usize, radar: &'a Radar) -> Result<Self, IoError> {
        let seed = hash(u64::from(recipe.seed), number as i64, 80);
        let scenery = Scenery {
            recipe,
            shapes: shapes_at(things, radar.time.as_second(), [0.0; 2]),
            season: Season::new(day_of_year(radar.time), recipe.land.variability, seed),
            channels: vec![RADAR, RADAR + 1],
            psf_px: radar.psf_px,
            shift_px: radar.shift_px,
            lattice: lattice(recipe, &GridChange::default())?,
        };
        Ok(Self { scenery, radar, seed })
    }

    /// Its lattice.
    pub fn lattice(&self) -> &Lattice {
        &self.scenery.lattice
    }

    /// Linear power in VV and VH at `window`, with speckle that is independent from pixel to pixel.
    ///
    /// # Errors
    /// When the lattice's reference system does not reach the recipe's.
    pub fn tile(&self, window: Window) -> Result<Vec<Vec<f32>>, IoError> {
        let (mut planes, _) = self.scenery.see(window)?;
        for (band, plane) in planes.iter_mut().enumerate() {
            for (index, power) in plane.iter_mut().enumerate() {
                let (x, y) = (
                    (window.x + index % window.w) as i64,
                    (window.y + index / window.w) as i64,
                );
                *power *= self.radar.gain as f32 * speckle(hash(self.seed ^ band as u64, x, y), self.radar.looks);
            }
        }
        Ok(planes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::things;
    use super::super::parse::{parse, tests::SMALL};
    use super::*;

    fn tile(text: &str, number: usize) -> OpticalTile {
        let recipe = parse(text).unwrap();
        let scene = Optical::new(&recipe, &things(&recipe), number, &recipe.dates[number]).unwrap();
        scene
            .tile(Window {
                x: 0,
                y: 0,
                w: 64,
                h: 48,
            })
            .unwrap()
    }

    #[test]
    fn gain_and_offset_act_on_every_pixel() {
        let quiet = format!("{SMALL}\nnoise = 0\n").replace("gain = [1.05]\n        shift_px = [0.3, -0.2]", "");
        let plain = tile(&quiet, 1);
        let bright = tile(&format!("{quiet}gain = [1.5]\noffset = [0.01]\n"), 1);
        for (a, b) in plain.bands[2].iter().zip(&bright.bands[2]) {
            let expected = f32::from(*a) * 1.5 + 100.0;
            assert!((f32::from(*b) - expected).abs() <= 1.3, "{a} {b}");
        }
    }

    #[test]
    fn noise_is_as_strong_as_stated_and_new_on_every_date() {
        let quiet = format!("{SMALL}\nnoise = 0\n");
        let noisy = format!("{SMALL}\nnoise = 0.01\n");
        let (a, b) = (tile(&quiet, 1), tile(&noisy, 1));
        let differences: Vec<f64> = a.bands[3]
            .iter()
            .zip(&b.bands[3])
            .map(|(a, b)| f64::from(*b) - f64::from(*a))
            .collect();
        let n = differences.len() as f64;
        let deviation = (differences.iter().map(|d| d * d).sum::<f64>() / n).sqrt();
        assert!((deviation - 100.0).abs() < 5.0, "{deviation}");
    }

    #[test]
    fn clouds_are_bright_and_in_the_quality_band_and_the_wedge_is_empty() {
        let more = "[[date.cloud]]\nbox_m = [100, 100, 300, 200]\nedge_m = 50\n";
        let text = format!("{SMALL}\nwedge = {{ side = \"left\", top = 0.1, bottom = 0 }}\n{more}");
        let tile = tile(&text, 1);
        let at = |x: usize, y: usize| (tile.bands[0][y * 64 + x], tile.quality[y * 64 + x]);
        assert!(at(20, 15).0 > 3000 && at(20, 15).1 == 9, "{:?}", at(20, 15));
        assert_eq!(at(2, 2), (0, 0));
        assert!(at(2, 40).0 > 0);
        assert!(tile.counts[0] > 200 && tile.counts[1] < 64 * 48);
    }

    #[test]
    fn a_coarse_quality_band_keeps_the_worst() {
        assert_eq!(coarsen(&[4, 4, 5, 5, 9, 0, 0, 0], 4, 2, 2), [9, 5]);
        assert_eq!(coarsen(&[0, 3, 0], 3, 1, 2), [3, 0]);
    }

    #[test]
    fn a_scene_in_degrees_covers_the_scene_in_metres() {
        let recipe = parse(SMALL).unwrap();
        let found = lattice(
            &recipe,
            &GridChange {
                epsg: Some(4326),
                ..GridChange::default()
            },
        )
        .unwrap();
        // At 48.8 degrees north a degree of longitude is 0.66 as long as one of latitude.
        assert!(
            found.height > 46 && found.height < 54 && found.width > 90 && found.width < 105,
            "{found:?}"
        );
    }
}
