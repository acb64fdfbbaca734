//! Which pixels changed between two moments.

use ::geo::{Contains, Coord, Polygon};

use super::ground::{Lattice, Window};
use super::recipe::Recipe;
use super::shape::{When, bounds};

/// Outside of what both scenes cover.
pub const UNLABELLED: u8 = 0;
/// No change of the recipe lies between the scenes.
pub const UNCHANGED: u8 = 1;
/// At least half of the pixel changed.
pub const CHANGED: u8 = 2;

/// Sub-samples across a pixel.
const SUB: usize = 4;

/// The truth between two moments, on the recipe's own lattice.
pub struct Truth<'a> {
    recipe: &'a Recipe,
    outlines: Vec<&'a Polygon<f64>>,
    covered: [&'a Lattice; 2],
}

impl<'a> Truth<'a> {
    /// The truth between the seconds (Unix time) of two scenes with these lattices.
    pub fn new(
        recipe: &'a Recipe,
        footprints: &'a [(Polygon<f64>, When)],
        seconds: [i64; 2],
        covered: [&'a Lattice; 2],
    ) -> Self {
        let differs = |when: &When| when.holds(seconds[0]) != when.holds(seconds[1]);
        let outlines = footprints
            .iter()
            .filter(|(_, when)| differs(when))
            .map(|(outline, _)| outline)
            .collect();
        Self {
            recipe,
            outlines,
            covered,
        }
    }

    /// Labels of the pixels of `window`, row by row.
    pub fn tile(&self, window: Window) -> Vec<u8> {
        let mut labels: Vec<u8> = (0..window.w * window.h)
            .map(|index| {
                let covered =
                    |lattice: &&Lattice| self.covers(lattice, window.x + index % window.w, window.y + index / window.w);
                if self.covered.iter().all(covered) {
                    UNCHANGED
                } else {
                    UNLABELLED
                }
            })
            .collect();
        let pixel = self.recipe.pixel_m;
        let mut hits = vec![0_u16; labels.len()];
        for outline in &self.outlines {
            let [left, top, right, bottom] = bounds(outline);
            let from = |metres: f64, first: usize, count: usize| {
                ((metres / pixel).floor() - first as f64).clamp(0.0, count as f64) as usize
            };
            let until = |metres: f64, first: usize, count: usize| {
                ((metres / pixel).ceil() - first as f64).clamp(0.0, count as f64) as usize
            };
            for y in from(top, window.y, window.h)..until(bottom, window.y, window.h) {
                for x in from(left, window.x, window.w)..until(right, window.x, window.w) {
                    for sub in 0..SUB * SUB {
                        let part = |n: usize| (n as f64 + 0.5) / SUB as f64;
                        let place = Coord {
                            x: ((window.x + x) as f64 + part(sub % SUB)) * pixel,
                            y: ((window.y + y) as f64 + part(sub / SUB)) * pixel,
                        };
                        // One bit a sub-sample, so that two changes over each other count once.
                        hits[y * window.w + x] |= u16::from(outline.contains(&place)) << sub;
                    }
                }
            }
        }
        for (label, hits) in labels.iter_mut().zip(hits) {
            if *label == UNCHANGED && hits.count_ones() as usize >= SUB * SUB / 2 {
                *label = CHANGED;
            }
        }
        labels
    }

    /// Whether a lattice covers a pixel of the recipe's. One in another reference system is the box around the whole scene.
    fn covers(&self, lattice: &Lattice, x: usize, y: usize) -> bool {
        if lattice.crs != self.recipe.crs() {
            return true;
        }
        let pixel = self.recipe.pixel_m;
        let [east, north] = self.recipe.origin_m;
        let column = x as f64 - ((lattice.corner[0] - east) / pixel).round();
        let row = y as f64 - ((north - lattice.corner[1]) / pixel).round();
        column >= 0.0 && row >= 0.0 && column < lattice.width as f64 && row < lattice.height as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::acquisition::GridChange;
    use super::super::layout::footprints;
    use super::super::parse::{parse, tests::SMALL};
    use super::super::scene::lattice;
    use super::*;

    #[test]
    fn a_hall_of_9_by_6_pixels_is_54_changed_pixels_where_both_scenes_lie() {
        let recipe = parse(SMALL).unwrap();
        let marks = footprints(&recipe);
        let whole = lattice(&recipe, &GridChange::default()).unwrap();
        let moved = lattice(
            &recipe,
            &GridChange {
                left_px: 30,
                ..GridChange::default()
            },
        )
        .unwrap();
        let seconds = [0, 1].map(|i| recipe.dates[i].time.as_second());
        let count = |covered: [&Lattice; 2], label: u8| {
            let labels = Truth::new(&recipe, &marks, seconds, covered).tile(Window {
                x: 0,
                y: 0,
                w: 64,
                h: 48,
            });
            labels.iter().filter(|&&found| found == label).count()
        };
        assert_eq!(count([&whole, &whole], CHANGED), 54);
        assert_eq!(count([&whole, &whole], UNLABELLED), 0);
        assert_eq!(count([&whole, &moved], CHANGED), 24);
        assert_eq!(count([&whole, &moved], UNLABELLED), 30 * 48);
        let before = [seconds[0] - 10, seconds[0]];
        let labels = Truth::new(&recipe, &marks, before, [&whole, &whole]).tile(Window {
            x: 20,
            y: 10,
            w: 20,
            h: 20,
        });
        assert!(labels.iter().all(|&label| label == UNCHANGED));
    }
}
