//! How bright the ground is in each channel, by what it is made of, at a time of the year.

use super::material::{Material, RADAR, Spectrum, appearance_of};
use super::random::{hash, unit};

/// What remains of the light in shade, by channel: the sky still lights it, more so in blue. Radar is not shaded here.
const SHADE: Spectrum = [0.48, 0.40, 0.34, 0.28, 0.22, 0.20, 1.0, 1.0];

/// 0 below `low`, 1 above `high`, smooth between.
pub fn smooth(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// How green a material is on a day of the year, 0 to 1, in temperate northern lands.
fn greenness(material: Material, day: f32) -> f32 {
    let season =
        |from: f32, full: f32, fading: f32, gone: f32| smooth(from, full, day) * (1.0 - smooth(fading, gone, day));
    match material {
        Material::WinterCrop => {
            0.3 * smooth(295.0, 330.0, day) + (0.3 + 0.7 * smooth(75.0, 125.0, day)) * season(-1.0, 0.0, 170.0, 200.0)
        }
        Material::SummerCrop => season(130.0, 190.0, 245.0, 275.0),
        Material::Meadow | Material::Lawn => 0.35 + 0.65 * season(65.0, 120.0, 270.0, 330.0),
        Material::Garden => 0.25 + 0.75 * season(80.0, 130.0, 270.0, 320.0),
        Material::Broadleaf => season(98.0, 135.0, 275.0, 312.0),
        _ => 0.0,
    }
}

/// What one point of the ground is. Points that are equal look alike, texture aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// What it is made of.
    pub material: Material,
    /// The field, stand or roof it belongs to.
    pub id: u32,
    /// Whether something stands between it and the sun.
    pub shaded: bool,
}

/// How the ground looks at one time.
pub struct Season {
    day: f32,
    variability: f32,
    /// Tells the dates apart.
    seed: u64,
}

impl Season {
    /// `day` of the year; fields differ by `variability` (a fraction) from what they were under another `seed`.
    pub fn new(day: f64, variability: f64, seed: u64) -> Self {
        Self {
            day: day as f32,
            variability: variability as f32,
            seed,
        }
    }

    /// Adds `weight` times the look of `spot` under `texture` (25, 70 and 300 m wide, each -1 to 1) to `sum`, in the given channels.
    pub fn add(&self, spot: Spot, texture: [f32; 3], weight: f32, channels: &[usize], sum: &mut [f32]) {
        let appearance = appearance_of(spot.material);
        let bits = hash(0x51, i64::from(spot.id), spot.material as i64);
        let own = |n: u32| ((bits >> (n * 16)) & 0xFFFF) as f32 / 32_768.0 - 1.0;
        // A field is a little ahead of or behind its neighbours.
        let day = self.day + 9.0 * own(0);
        let green = (greenness(spot.material, day)
            * (1.0 + 0.12 * own(1) + 0.15 * texture[1] * appearance.texture[2] * 4.0))
            .clamp(0.0, 1.0);
        let now = 2.0 * unit(hash(self.seed, i64::from(spot.id), 0)) as f32 - 1.0;
        let rough = appearance.texture[0] * texture[0]
            + appearance.texture[1] * texture[1]
            + appearance.texture[2] * texture[2];
        // The factor 1.7 makes the uniform draw's standard deviation about that stated.
        let bright = (1.0 + appearance.spread * own(2)) * (1.0 + 1.7 * self.variability * now) * (1.0 + rough) * weight;
        // Ground that is redder in red is less blue in blue.
        let tilt = 0.5 * appearance.spread * own(3);
        for (&channel, sum) in channels.iter().zip(sum) {
            let base = appearance.bare[channel] + (appearance.green[channel] - appearance.bare[channel]) * green;
            let hue = if channel < RADAR {
                1.0 + tilt * (channel as f32 - 1.0) * 0.5
            } else {
                1.0
            };
            let light = if spot.shaded { SHADE[channel] } else { 1.0 };
            *sum += base * bright * hue * light;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ndvi(material: Material, day: f64) -> f32 {
        let mut sum = [0.0; 2];
        let spot = Spot {
            material,
            id: 4,
            shaded: false,
        };
        Season::new(day, 0.0, 1).add(spot, [0.0; 3], 1.0, &[2, 3], &mut sum);
        (sum[1] - sum[0]) / (sum[1] + sum[0])
    }

    #[test]
    fn vegetation_follows_the_season_and_stone_does_not() {
        assert!(ndvi(Material::Broadleaf, 180.0) > ndvi(Material::Broadleaf, 20.0) + 0.2);
        assert!(ndvi(Material::WinterCrop, 140.0) > ndvi(Material::WinterCrop, 225.0) + 0.3);
        assert!(ndvi(Material::SummerCrop, 215.0) > ndvi(Material::SummerCrop, 100.0) + 0.3);
        assert_eq!(ndvi(Material::Concrete, 20.0), ndvi(Material::Concrete, 200.0));
        assert!(ndvi(Material::Water, 180.0) < 0.0);
    }

    #[test]
    fn shade_is_darker_and_bluer() {
        let season = Season::new(180.0, 0.0, 1);
        let appearance = |shaded| {
            let mut sum = [0.0; 2];
            season.add(
                Spot {
                    material: Material::Concrete,
                    id: 1,
                    shaded,
                },
                [0.0; 3],
                1.0,
                &[0, 3],
                &mut sum,
            );
            sum
        };
        let (sun, shade) = (appearance(false), appearance(true));
        assert!(shade[0] < sun[0] && shade[1] / sun[1] < shade[0] / sun[0]);
    }
}
