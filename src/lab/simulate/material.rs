//! What the ground can be made of, and how that looks.

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
pub struct Appearance {
    /// Without leaves.
    pub bare: Spectrum,
    /// In full leaf; as `bare` where nothing grows.
    pub green: Spectrum,
    /// Relative strength of the texture 25 m, 70 m and 300 m wide (for 10 m pixels).
    pub texture: [f32; 3],
    /// How much one field (or roof, or stand) differs from another, as a fraction.
    pub spread: f32,
}

const fn appearance(bare: Spectrum, green: Spectrum, texture: [f32; 3], spread: f32) -> Appearance {
    Appearance {
        bare,
        green,
        texture,
        spread,
    }
}

const fn same(spectrum: Spectrum, texture: [f32; 3], spread: f32) -> Appearance {
    appearance(spectrum, spectrum, texture, spread)
}

// Typical figures at 10 m, near those of public spectral libraries and Sentinel-1 statistics; none of them is a measurement.

const STRAW: Spectrum = [0.082, 0.118, 0.152, 0.280, 0.330, 0.240, 0.055, 0.008];
const EARTH: Spectrum = [0.065, 0.090, 0.125, 0.200, 0.290, 0.240, 0.060, 0.007];
const CROP: Spectrum = [0.030, 0.070, 0.036, 0.450, 0.200, 0.095, 0.090, 0.020];
const HAY: Spectrum = [0.055, 0.085, 0.090, 0.240, 0.270, 0.170, 0.060, 0.012];
const GRASS: Spectrum = [0.032, 0.070, 0.042, 0.380, 0.210, 0.105, 0.065, 0.014];

const WINTER_CROP: Appearance = appearance(STRAW, CROP, [0.03, 0.05, 0.06], 0.13);
const SUMMER_CROP: Appearance = appearance(EARTH, CROP, [0.03, 0.05, 0.06], 0.13);
const MEADOW: Appearance = appearance(HAY, GRASS, [0.04, 0.06, 0.08], 0.10);
const LAWN: Appearance = appearance(HAY, GRASS, [0.04, 0.06, 0.06], 0.05);
const GARDEN: Appearance = appearance(
    [0.060, 0.080, 0.085, 0.190, 0.210, 0.150, 0.110, 0.028],
    [0.045, 0.072, 0.058, 0.270, 0.190, 0.115, 0.120, 0.032],
    [0.22, 0.10, 0.05],
    0.08,
);
const BROADLEAF: Appearance = appearance(
    [0.030, 0.042, 0.048, 0.180, 0.170, 0.100, 0.120, 0.030],
    [0.018, 0.042, 0.021, 0.370, 0.155, 0.065, 0.150, 0.040],
    [0.17, 0.10, 0.06],
    0.07,
);
const CONIFER: Appearance = same(
    [0.016, 0.029, 0.019, 0.230, 0.110, 0.050, 0.140, 0.035],
    [0.20, 0.09, 0.06],
    0.08,
);
const CLEARED: Appearance = same(
    [0.055, 0.080, 0.095, 0.195, 0.260, 0.190, 0.070, 0.010],
    [0.14, 0.10, 0.05],
    0.05,
);
const WATER: Appearance = same(
    [0.046, 0.047, 0.029, 0.018, 0.009, 0.006, 0.008, 0.0006],
    [0.03, 0.02, 0.06],
    0.10,
);
const SOIL: Appearance = same(EARTH, [0.05, 0.06, 0.08], 0.16);
const DUG: Appearance = same(
    [0.110, 0.150, 0.200, 0.275, 0.370, 0.330, 0.110, 0.013],
    [0.12, 0.10, 0.04],
    0.06,
);
const TRACK: Appearance = same(
    [0.110, 0.140, 0.170, 0.225, 0.290, 0.250, 0.045, 0.006],
    [0.06, 0.04, 0.03],
    0.06,
);
const GRAVEL: Appearance = same(
    [0.135, 0.158, 0.180, 0.225, 0.270, 0.240, 0.040, 0.005],
    [0.06, 0.04, 0.02],
    0.07,
);
const CONCRETE: Appearance = same(
    [0.175, 0.200, 0.218, 0.250, 0.280, 0.260, 0.030, 0.004],
    [0.05, 0.03, 0.02],
    0.08,
);
const ASPHALT: Appearance = same(
    [0.080, 0.090, 0.098, 0.125, 0.150, 0.140, 0.020, 0.003],
    [0.05, 0.04, 0.02],
    0.08,
);
const RUBBLE: Appearance = same(
    [0.150, 0.172, 0.190, 0.225, 0.265, 0.250, 0.260, 0.030],
    [0.20, 0.10, 0.02],
    0.05,
);
const RED_ROOF: Appearance = same(
    [0.060, 0.085, 0.150, 0.210, 0.260, 0.230, 0.700, 0.090],
    [0.05, 0.02, 0.00],
    0.18,
);
const GREY_ROOF: Appearance = same(
    [0.105, 0.112, 0.118, 0.140, 0.165, 0.155, 0.900, 0.110],
    [0.05, 0.02, 0.00],
    0.20,
);
const BRIGHT_ROOF: Appearance = same(
    [0.285, 0.300, 0.305, 0.330, 0.320, 0.290, 1.100, 0.120],
    [0.04, 0.02, 0.00],
    0.12,
);
const VEHICLE: Appearance = same(
    [0.042, 0.052, 0.048, 0.085, 0.095, 0.085, 2.600, 0.350],
    [0.05, 0.02, 0.00],
    0.15,
);

/// How `material` looks.
pub const fn appearance_of(material: Material) -> Appearance {
    match material {
        Material::WinterCrop => WINTER_CROP,
        Material::SummerCrop => SUMMER_CROP,
        Material::Meadow => MEADOW,
        Material::Lawn => LAWN,
        Material::Garden => GARDEN,
        Material::Broadleaf => BROADLEAF,
        Material::Conifer => CONIFER,
        Material::Cleared => CLEARED,
        Material::Water => WATER,
        Material::Soil => SOIL,
        Material::Dug => DUG,
        Material::Track => TRACK,
        Material::Gravel => GRAVEL,
        Material::Concrete => CONCRETE,
        Material::Asphalt => ASPHALT,
        Material::Rubble => RUBBLE,
        Material::RedRoof => RED_ROOF,
        Material::GreyRoof => GREY_ROOF,
        Material::BrightRoof => BRIGHT_ROOF,
        Material::Vehicle => VEHICLE,
    }
}
