//! How far around a pixel is read, and where it is known from which pixels are clouds.

use crate::raster::flags;
use crate::scene::{Kind, Scene};
use crate::stage::screen::ScreenParams;
use crate::stage::{cloud, detect, persistent};

/// Where it is known from which pixels are clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clouds {
    /// The quality bands of the scenes, if there are any.
    Stated,
    /// Beside them the own test on two dates of reflectance, because one of them has no quality band that tells.
    Tested,
}

impl Clouds {
    /// For a comparison of `scenes`: a pair of optical reflectance is tested where a date does not state its clouds.
    pub fn of(scenes: &[&Scene]) -> Self {
        let states = |scene: &Scene| scene.quality.iter().any(|q| q.coding.reasons() & flags::CLOUD != 0);
        let is_reflectance = |scene: &Scene| {
            let mut measured = scene.bands.iter().filter(|band| !band.derived).peekable();
            scene.kind == Kind::Optical
                && measured.peek().is_some()
                && measured.all(|band| band.valid == Some([0.0, 1.0]))
        };
        match scenes {
            [_, _] if scenes.iter().all(|one| is_reflectance(one)) && !scenes.iter().all(|one| states(one)) => {
                Self::Tested
            }
            _ => Self::Stated,
        }
    }

    /// The bands to read for a comparison of `compared` between scenes that have all of `shared`.
    pub fn bands(self, compared: &[String], shared: &[String]) -> Vec<String> {
        let mut bands = compared.to_vec();
        if self == Self::Tested {
            let looked_at = |name: &&String| CLOUD_BANDS.contains(&name.as_str()) && !compared.contains(name);
            bands.extend(shared.iter().filter(looked_at).cloned());
        }
        bands
    }
}

/// Bands that the own cloud test looks at.
const CLOUD_BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir16", "cirrus"];

/// Pixels that are read around a rectangle at most, on a grid of `pixel_m` metres.
pub fn halo(screen: &ScreenParams, pixel_m: f64, clouds: Clouds, dates: usize) -> usize {
    detect::WIDEST_HALO + screen_halo(screen, pixel_m, clouds, dates)
}

/// Pixels around those that are to be screened.
pub fn screen_halo(screen: &ScreenParams, pixel_m: f64, clouds: Clouds, dates: usize) -> usize {
    let own = match clouds {
        Clouds::Tested => cloud::halo(pixel_m),
        Clouds::Stated if dates >= persistent::MIN_DATES => persistent::halo(pixel_m),
        Clouds::Stated => 0,
    };
    own + screen.halo(pixel_m)
}
