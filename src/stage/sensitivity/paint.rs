//! Painting a change into the pixels of a raster, as a sensor would see it: each pixel by the part of it that the change covers.

use crate::raster::Plane;

/// What a change does to the ground that it covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// This much is added, in the band's unit.
    Add(f32),
    /// The value is multiplied by this: a difference in decibels, of power.
    Scale(f32),
    /// The value becomes this.
    Replace(f32),
}

/// A square of ground that changes, on the site grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Square {
    /// Its centre, pixels of the site grid.
    pub centre: [f64; 2],
    /// Its edge, pixels of the site grid.
    pub edge: f64,
    /// What it does to each band that is read; `None` where the band stays.
    pub effects: Vec<Option<Effect>>,
}

/// A change on the lattice of one raster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patch {
    /// Left, top, right, bottom in pixels of the raster: rows and columns of the scene.
    pub bounds: [f64; 4],
    /// What it does.
    pub effect: Effect,
    /// The range that values are held inside.
    pub range: (f32, f32),
}

impl Patch {
    /// The square of edge `edge` around `centre` (pixels of the site grid) where `locate` says that points of the grid lie in the raster.
    pub fn new(
        centre: [f64; 2],
        edge: f64,
        locate: impl Fn(f64, f64) -> (f64, f64),
        effect: Effect,
        range: (f32, f32),
    ) -> Self {
        let [x, y] = centre;
        let at = locate(x, y);
        let (right, down) = (locate(x + 1.0, y), locate(x, y + 1.0));
        // Edges as long as on the grid: exact for lattices along the grid's, and as large for those that are turned a little.
        let half_u = 0.5 * edge * libm::hypot(right.0 - at.0, down.0 - at.0);
        let half_v = 0.5 * edge * libm::hypot(right.1 - at.1, down.1 - at.1);
        Self {
            bounds: [at.0 - half_u, at.1 - half_v, at.0 + half_u, at.1 + half_v],
            effect,
            range,
        }
    }

    /// Paints the change over `values`, whose rectangle is in pixels of the raster. What is no measurement stays so.
    pub fn paint(&self, values: &mut Plane<f32>) {
        let [left, top, right, bottom] = self.bounds;
        let have = values.rect();
        let whole = |from: f64, to: f64, low: i64, high: i64| {
            (from.floor() as i64).clamp(low, high)..(to.ceil() as i64).clamp(low, high)
        };
        for y in whole(top, bottom, have.y, have.bottom()) {
            let down = overlap(top, bottom, y);
            for x in whole(left, right, have.x, have.right()) {
                let part = (down * overlap(left, right, x)) as f32;
                if let Some(value) = values.get_mut(x, y)
                    && part > 0.0
                    && !value.is_nan()
                {
                    let changed = match self.effect {
                        Effect::Add(difference) => *value + difference,
                        Effect::Scale(factor) => *value * factor,
                        Effect::Replace(value) => value,
                    };
                    *value = ((1.0 - part) * *value + part * changed).clamp(self.range.0, self.range.1);
                }
            }
        }
    }
}

/// The part of pixel `i` that lies between `from` and `to`.
fn overlap(from: f64, to: f64, i: i64) -> f64 {
    (to.min(i as f64 + 1.0) - from.max(i as f64)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::Rect;

    const ALL: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

    fn painted(patch: &Patch) -> Vec<f32> {
        let mut plane = Plane::filled(Rect::new(10, 20, 4, 3), 2.0);
        plane[[1, 1]] = f32::NAN;
        patch.paint(&mut plane);
        plane.values().to_vec()
    }

    #[test]
    fn a_pixel_changes_by_the_part_that_is_covered() {
        // From 11.5 to 13.5, from 20.75 to 21.5, and one pixel is no measurement.
        let patch = |effect| Patch {
            bounds: [11.5, 20.75, 13.5, 21.5],
            effect,
            range: ALL,
        };
        let n = f32::NAN;
        let expected = [2.0, 2.5, 3.0, 2.5, 2.0, n, 4.0, 3.0, 2.0, 2.0, 2.0, 2.0];
        let same = |found: Vec<f32>, expected: &[f32]| {
            let alike = found
                .iter()
                .zip(expected)
                .all(|(a, b)| a == b || a.is_nan() && b.is_nan());
            assert!(alike, "{found:?}");
        };
        same(painted(&patch(Effect::Add(4.0))), &expected);
        same(painted(&patch(Effect::Scale(3.0))), &expected);
        same(painted(&patch(Effect::Replace(6.0))), &expected);
        let held = Patch {
            range: (0.0, 2.75),
            ..patch(Effect::Add(4.0))
        };
        assert_eq!(painted(&held)[2], 2.75);
    }

    #[test]
    fn what_is_added_is_the_area_whatever_the_place_and_the_lattice() {
        // Rasters of half and of twice the pixel, one of them turned by a tenth.
        for (scale, turn, part) in [(2.0, 0.0, 4.0), (0.5, 0.0, 0.25), (1.0, 0.1, 1.0)] {
            let locate = |x: f64, y: f64| (scale * (x + turn * y), scale * (y - turn * x));
            let patch = Patch::new([7.3, 9.9], 3.0, locate, Effect::Add(1.0), ALL);
            let mut plane = Plane::filled(Rect::new(-50, -50, 200, 200), 0.0);
            patch.paint(&mut plane);
            let sum: f32 = plane.values().iter().sum();
            let stretch = 1.0 + turn * turn;
            assert!((f64::from(sum) - 9.0 * part * stretch).abs() < 1e-4, "{sum}");
        }
    }
}
