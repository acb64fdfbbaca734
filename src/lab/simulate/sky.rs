//! What lies between the ground and the sensor: sun, clouds and their shadows, the edge of the swath.

use super::acquisition::{Date, Side};
use super::country::exceeded_by;
use super::random::{hash, noise, octaves};
use super::recipe::Recipe;
use super::surface::smooth;

/// Height of the clouds, metres.
const CLOUD_BASE_M: f64 = 900.0;

/// Where a shadow of something 1 m high ends, `[dx, dy]` in metres right and down, in mid-morning near 50 degrees north.
///
/// The sun stands in the south-south-east, at 39 degrees at the equinoxes and 23.4 (the obliquity) more or less at the solstices.
pub fn shadow(day: f64) -> [f64; 2] {
    let season = libm::sin(std::f64::consts::TAU * (day - 80.0) / 365.25);
    let length = 1.0 / libm::tan((39.0 + 23.4 * season).to_radians());
    let away = 335.0_f64.to_radians();
    [length * libm::sin(away), -length * libm::cos(away)]
}

/// The sky on one date.
pub struct Sky<'a> {
    date: &'a Date,
    seed: u64,
    scattered_from: f32,
    shift: [f64; 2],
}

impl<'a> Sky<'a> {
    /// The sky of `date`, which is number `number` of the recipe, on a day of the year.
    pub fn new(recipe: &Recipe, date: &'a Date, number: usize, day: f64) -> Self {
        let [dx, dy] = shadow(day);
        Self {
            date,
            seed: hash(u64::from(recipe.seed), number as i64, 60),
            scattered_from: exceeded_by(date.cloud_fraction),
            shift: [dx * CLOUD_BASE_M, dy * CLOUD_BASE_M],
        }
    }

    /// Whether there is any cloud at all.
    pub fn cloudy(&self) -> bool {
        !self.date.clouds.is_empty() || self.date.cloud_fraction > 0.0
    }

    /// How much of the light from `(x, y)` a cloud stops: 0 to 1.
    pub fn cloud(&self, x: f64, y: f64) -> f32 {
        let mut cover = 0.0_f32;
        for cloud in &self.date.clouds {
            let [left, top, right, bottom] = cloud.box_m;
            let (dx, dy) = ((left - x).max(x - right).max(0.0), (top - y).max(y - bottom).max(0.0));
            let away = (dx * dx + dy * dy).sqrt();
            if away >= cloud.edge_m.max(1e-6) {
                continue;
            }
            // Lumps as wide as the edge and half of that: clouds are not boxes.
            let scale = cloud.edge_m.max(1.0);
            let lump =
                noise(self.seed, x / scale, y / scale) + 0.5 * noise(self.seed ^ 1, 2.0 * x / scale, 2.0 * y / scale);
            let frayed = f64::from(0.5 + 0.33 * lump).clamp(0.03, 1.0);
            let inside = 1.0 - smooth(0.0, (cloud.edge_m * frayed).max(1e-6) as f32, away as f32);
            cover = cover.max(inside * cloud.opacity as f32);
        }
        if self.scattered_from.is_finite() {
            let size = self.date.cloud_size_m;
            let value = octaves(self.seed ^ 0x77, x / size, y / size)
                + 0.06 * noise(self.seed ^ 0x78, x * 12.0 / size, y * 12.0 / size);
            cover = cover.max(smooth(self.scattered_from - 0.03, self.scattered_from + 0.09, value));
        }
        cover
    }

    /// How much of the direct light a cloud keeps from the ground at `(x, y)`: 0 to 1.
    pub fn shade(&self, x: f64, y: f64) -> f32 {
        self.cloud(x - self.shift[0], y - self.shift[1])
    }

    /// Reflectance of the cloud itself, before the band's own factor.
    pub fn brightness(&self, x: f64, y: f64) -> f32 {
        0.46 + 0.30 * octaves(self.seed ^ 0x79, x / 260.0, y / 260.0)
    }

    /// Whether the swath does not reach a place: `across` and `down` are 0 to 1 from the left and the top.
    pub fn beyond(&self, across: f64, down: f64) -> bool {
        self.date.wedge.as_ref().is_some_and(|wedge| {
            let lost = wedge.top + (wedge.bottom - wedge.top) * down;
            match wedge.side {
                Side::Left => across < lost,
                Side::Right => across > 1.0 - lost,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::{parse, tests::SMALL};
    use super::*;

    #[test]
    fn shadows_point_up_and_left_and_are_longer_in_winter() {
        let (summer, winter) = (shadow(172.0), shadow(355.0));
        assert!(summer[0] < 0.0 && summer[1] < 0.0);
        assert!(winter[1] < 3.0 * summer[1]);
    }

    #[test]
    fn a_cloud_hides_its_box_and_ends_beyond_its_edge() {
        let text = format!("{SMALL}\n[[date.cloud]]\nbox_m = [100, 100, 300, 200]\nedge_m = 50\n");
        let recipe = parse(&text).unwrap();
        let sky = Sky::new(&recipe, &recipe.dates[1], 1, 180.0);
        assert_eq!((sky.cloud(101.0, 199.0), sky.cloud(200.0, 150.0)), (1.0, 1.0));
        assert_eq!((sky.cloud(351.0, 150.0), sky.cloud(200.0, 251.0)), (0.0, 0.0));
        let [dx, dy] = shadow(180.0);
        assert_eq!(sky.shade(200.0 + dx * CLOUD_BASE_M, 150.0 + dy * CLOUD_BASE_M), 1.0);
    }

    #[test]
    fn the_wedge_is_slanted() {
        let text = format!("{SMALL}\nwedge = {{ side = \"right\", top = 0.4, bottom = 0.1 }}\n");
        let recipe = parse(&text).unwrap();
        let sky = Sky::new(&recipe, &recipe.dates[1], 1, 180.0);
        assert!(sky.beyond(0.7, 0.0) && !sky.beyond(0.7, 1.0) && !sky.beyond(0.1, 0.0));
    }
}
