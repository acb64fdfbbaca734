//! The shape of a town: a rough outline, and a lattice of streets that is turned within it.

use ::geo::Polygon;

use super::material::Material;
use super::random::{Draw, noise};
use super::shape::polygon;

/// Metres between the streets across, and between those along.
const STREET_M: f64 = 64.0;
const CROSS_M: f64 = 150.0;

/// Corners of the outline.
const CORNERS: i32 = 64;

/// A town. Places in it are metres along and across its streets, from its centre.
pub struct Town {
    centre: [f64; 2],
    /// Metres from the centre to the outskirts, more or less.
    pub radius: f64,
    /// How far the streets are turned, radians.
    pub angle: f64,
    seed: u64,
}

impl Town {
    /// A town of that radius in metres.
    pub fn drawn(centre: [f64; 2], radius: f64, draw: &mut Draw) -> Self {
        let seed = u64::from(draw.bits());
        let angle = draw.between(0.0, 1.5);
        Self {
            centre,
            radius,
            angle,
            seed,
        }
    }

    /// Metres from the centre to its edge in that direction of the map.
    fn reach(&self, angle: f64) -> f64 {
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        let wide = f64::from(noise(self.seed, cos * 1.5 + 9.0, sin * 1.5));
        let fine = f64::from(noise(self.seed ^ 1, cos * 4.0 + 9.0, sin * 4.0));
        self.radius * (1.0 + 0.4 * wide + 0.15 * fine)
    }

    /// Its outline on the map.
    pub fn outline(&self) -> Polygon<f64> {
        let [x, y] = self.centre;
        polygon((0..CORNERS).map(|i| {
            let angle = f64::from(i) * std::f64::consts::TAU / f64::from(CORNERS);
            let reach = self.reach(angle);
            [x + libm::cos(angle) * reach, y + libm::sin(angle) * reach]
        }))
    }

    /// Half the length of its streets, metres.
    pub fn half_m(&self) -> f64 {
        self.radius * 1.4
    }

    /// Where a place in it lies on the map.
    pub fn place(&self, [u, v]: [f64; 2]) -> [f64; 2] {
        let ([x, y], sin, cos) = (self.centre, libm::sin(self.angle), libm::cos(self.angle));
        [x + u * cos - v * sin, y + u * sin + v * cos]
    }

    /// Whether a place lies within its outline, not at the very edge.
    pub fn holds(&self, [u, v]: [f64; 2]) -> bool {
        (u * u + v * v).sqrt() < self.reach(libm::atan2(v, u) + self.angle) * 0.93
    }

    /// Where the streets across lie.
    pub fn rows(&self) -> impl Iterator<Item = f64> + use<> {
        places(self.half_m(), STREET_M)
    }

    /// Where the streets along lie.
    pub fn columns(&self) -> impl Iterator<Item = f64> + use<> {
        places(self.half_m(), CROSS_M)
    }

    /// Both ends of a street on the map, whose places are those of `street`; `None` where none of it lies in the town.
    pub fn span(&self, street: impl Fn(f64) -> [f64; 2]) -> Option<[[f64; 2]; 2]> {
        let along = (0..=80).map(|i| self.radius * 1.4 * (f64::from(i) / 40.0 - 1.0));
        let inside = along.filter(|&at| self.holds(street(at)));
        let (low, high) = inside.fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(at), high.max(at)));
        (low < high).then(|| [low, high].map(|end| self.place(street(end))))
    }
}

/// Whole multiples of `step`, to `half` on both sides of 0.
fn places(half: f64, step: f64) -> impl Iterator<Item = f64> {
    let most = (half / step) as i32;
    (-most..=most).map(move |number| f64::from(number) * step)
}

/// A house; now and then a large one.
pub struct House {
    /// Metres along the street and across it.
    pub size_m: [f64; 2],
    is_large: bool,
}

impl House {
    /// One of a usual size.
    pub fn drawn(draw: &mut Draw) -> Self {
        let (w, h) = (draw.between(9.0, 14.0), draw.between(8.0, 11.0));
        let is_large = draw.chance(0.03);
        Self {
            size_m: if is_large { [w * 2.6, h * 1.8] } else { [w, h] },
            is_large,
        }
    }

    /// What its roof is of.
    pub fn roof(&self, draw: &mut Draw) -> Material {
        let usual = draw.pick(&[
            Material::RedRoof,
            Material::RedRoof,
            Material::RedRoof,
            Material::GreyRoof,
        ]);
        match self.is_large {
            true => draw.pick(&[Material::GreyRoof, Material::BrightRoof]),
            false => usual,
        }
    }
}
