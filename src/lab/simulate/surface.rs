//! What the ground is made of, and how bright that is in each channel.

use super::random::{hash, unit};

/// Channels: six optical bands in the order of [`super::recipe::Band`], then radar VV and VH.
pub const CHANNELS: usize = 8;
/// The channel of VV; VH follows.
pub const RADAR: usize = 6;

/// Reflectance (optical, 0 to 1) or backscatter (radar, linear power) in each channel.
pub type Spectrum = [f32; CHANNELS];

/// What the ground is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Plain words.
pub enum Material {
    WinterCrop,
    SummerCrop,
    Meadow,
    Lawn,
    Garden,
    Broadleaf,
    Conifer,
    Cleared,
    Water,
    Soil,
    Dug,
    Track,
    Gravel,
    Concrete,
    Asphalt,
    Rubble,
    RedRoof,
    GreyRoof,
    BrightRoof,
    Vehicle,
}

/// How a material looks.
struct Look {
    /// Without leaves.
    bare: Spectrum,
    /// In full leaf; as `bare` where nothing grows.
    green: Spectrum,
    /// Relative strength of the texture 25 m, 70 m and 300 m wide (for 10 m pixels).
    texture: [f32; 3],
    /// How much one field (or roof, or stand) differs from another, as a fraction.
    spread: f32,
}

const STRAW: Spectrum = [0.082, 0.118, 0.152, 0.280, 0.330, 0.240, 0.055, 0.008];
const EARTH: Spectrum = [0.065, 0.090, 0.125, 0.200, 0.290, 0.240, 0.060, 0.007];
const CROP: Spectrum = [0.030, 0.070, 0.036, 0.450, 0.200, 0.095, 0.090, 0.020];
const HAY: Spectrum = [0.055, 0.085, 0.090, 0.240, 0.270, 0.170, 0.060, 0.012];
const GRASS: Spectrum = [0.032, 0.070, 0.042, 0.380, 0.210, 0.105, 0.065, 0.014];

const fn look(bare: Spectrum, green: Spectrum, texture: [f32; 3], spread: f32) -> Look {
    Look {
        bare,
        green,
        texture,
        spread,
    }
}

const fn same(spectrum: Spectrum, texture: [f32; 3], spread: f32) -> Look {
    look(spectrum, spectrum, texture, spread)
}

/// Typical figures at 10 m, near those of public spectral libraries and Sentinel-1 statistics; none of them is a measurement.
const fn look_of(material: Material) -> Look {
    match material {
        Material::WinterCrop => look(STRAW, CROP, [0.03, 0.05, 0.06], 0.13),
        Material::SummerCrop => look(EARTH, CROP, [0.03, 0.05, 0.06], 0.13),
        Material::Meadow => look(HAY, GRASS, [0.04, 0.06, 0.08], 0.10),
        Material::Lawn => look(HAY, GRASS, [0.04, 0.06, 0.06], 0.05),
        Material::Garden => look(
            [0.060, 0.080, 0.085, 0.190, 0.210, 0.150, 0.110, 0.028],
            [0.045, 0.072, 0.058, 0.270, 0.190, 0.115, 0.120, 0.032],
            [0.22, 0.10, 0.05],
            0.08,
        ),
        Material::Broadleaf => look(
            [0.030, 0.042, 0.048, 0.180, 0.170, 0.100, 0.120, 0.030],
            [0.018, 0.042, 0.021, 0.370, 0.155, 0.065, 0.150, 0.040],
            [0.17, 0.10, 0.06],
            0.07,
        ),
        Material::Conifer => same(
            [0.016, 0.029, 0.019, 0.230, 0.110, 0.050, 0.140, 0.035],
            [0.20, 0.09, 0.06],
            0.08,
        ),
        Material::Cleared => same(
            [0.055, 0.080, 0.095, 0.195, 0.260, 0.190, 0.070, 0.010],
            [0.14, 0.10, 0.05],
            0.05,
        ),
        Material::Water => same(
            [0.046, 0.047, 0.029, 0.018, 0.009, 0.006, 0.008, 0.0006],
            [0.03, 0.02, 0.06],
            0.10,
        ),
        Material::Soil => same(EARTH, [0.05, 0.06, 0.08], 0.16),
        Material::Dug => same(
            [0.110, 0.150, 0.200, 0.275, 0.370, 0.330, 0.110, 0.013],
            [0.12, 0.10, 0.04],
            0.06,
        ),
        Material::Track => same(
            [0.110, 0.140, 0.170, 0.225, 0.290, 0.250, 0.045, 0.006],
            [0.06, 0.04, 0.03],
            0.06,
        ),
        Material::Gravel => same(
            [0.135, 0.158, 0.180, 0.225, 0.270, 0.240, 0.040, 0.005],
            [0.06, 0.04, 0.02],
            0.07,
        ),
        Material::Concrete => same(
            [0.175, 0.200, 0.218, 0.250, 0.280, 0.260, 0.030, 0.004],
            [0.05, 0.03, 0.02],
            0.08,
        ),
        Material::Asphalt => same(
            [0.080, 0.090, 0.098, 0.125, 0.150, 0.140, 0.020, 0.003],
            [0.05, 0.04, 0.02],
            0.08,
        ),
        Material::Rubble => same(
            [0.150, 0.172, 0.190, 0.225, 0.265, 0.250, 0.260, 0.030],
            [0.20, 0.10, 0.02],
            0.05,
        ),
        Material::RedRoof => same(
            [0.060, 0.085, 0.150, 0.210, 0.260, 0.230, 0.700, 0.090],
            [0.05, 0.02, 0.00],
            0.18,
        ),
        Material::GreyRoof => same(
            [0.105, 0.112, 0.118, 0.140, 0.165, 0.155, 0.900, 0.110],
            [0.05, 0.02, 0.00],
            0.20,
        ),
        Material::BrightRoof => same(
            [0.285, 0.300, 0.305, 0.330, 0.320, 0.290, 1.100, 0.120],
            [0.04, 0.02, 0.00],
            0.12,
        ),
        Material::Vehicle => same(
            [0.042, 0.052, 0.048, 0.085, 0.095, 0.085, 2.600, 0.350],
            [0.05, 0.02, 0.00],
            0.15,
        ),
    }
}

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
        let look = look_of(spot.material);
        let bits = hash(0x51, i64::from(spot.id), spot.material as i64);
        let own = |n: u32| ((bits >> (n * 16)) & 0xFFFF) as f32 / 32_768.0 - 1.0;
        // A field is a little ahead of or behind its neighbours.
        let day = self.day + 9.0 * own(0);
        let green = (greenness(spot.material, day) * (1.0 + 0.12 * own(1) + 0.15 * texture[1] * look.texture[2] * 4.0))
            .clamp(0.0, 1.0);
        let now = 2.0 * unit(hash(self.seed, i64::from(spot.id), 0)) as f32 - 1.0;
        let rough = look.texture[0] * texture[0] + look.texture[1] * texture[1] + look.texture[2] * texture[2];
        // The factor 1.7 makes the uniform draw's standard deviation about that stated.
        let bright = (1.0 + look.spread * own(2)) * (1.0 + 1.7 * self.variability * now) * (1.0 + rough) * weight;
        // Ground that is redder in red is less blue in blue.
        let tilt = 0.5 * look.spread * own(3);
        for (&channel, sum) in channels.iter().zip(sum) {
            let base = look.bare[channel] + (look.green[channel] - look.bare[channel]) * green;
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
        let look = |shaded| {
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
        let (sun, shade) = (look(false), look(true));
        assert!(shade[0] < sun[0] && shade[1] / sun[1] < shade[0] / sun[0]);
    }
}
