//! Which changes are injected, where, and which of them together.

use crate::geo::{Rect, Shape};
use crate::stage::random::SplitMix;

/// The smallest and the largest area of a change, pixels of the site grid.
pub const RANGE_PX: [f64; 2] = [1.0, 64.0];
/// Sizes that are tried, from the smallest to the largest by equal factors.
const SIZES: usize = 25;
/// Goes through them so that any part of a round is spread over all: prime to their number, near its golden section.
const STRIDE: usize = 16;
/// Contrasts of darker and brighter ground, in sigma of the no-change noise of each band.
pub const CONTRASTS_SIGMA: [f64; 5] = [0.5, 1.0, 2.0, 4.0, 6.0];

/// What the ground becomes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Darker in every band, by so many sigma.
    Darker(f64),
    /// Brighter in every band, by so many sigma.
    Brighter(f64),
    /// The spectrum of this number.
    Spectrum(usize),
}

impl Change {
    /// All kinds, where there are so many `spectra`.
    pub fn all(spectra: usize) -> Vec<Self> {
        let darker = CONTRASTS_SIGMA.into_iter().map(Self::Darker);
        let brighter = CONTRASTS_SIGMA.into_iter().map(Self::Brighter);
        darker.chain(brighter).chain((0..spectra).map(Self::Spectrum)).collect()
    }
}

/// A change that is injected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// What the ground becomes.
    pub change: Change,
    /// Its area, pixels.
    pub size_px: f64,
    /// Its centre, pixels of the site grid.
    pub centre: [f64; 2],
}

impl Trial {
    /// The `index`th trial at `centre`: the kinds of change in turn, each through all sizes.
    pub fn of_design(index: usize, kinds: &[Change], centre: [f64; 2]) -> Option<Self> {
        let change = *kinds.get(index.checked_rem(kinds.len())?)?;
        let step = index / kinds.len() * STRIDE % SIZES;
        let [smallest, largest] = RANGE_PX;
        let size_px = smallest * libm::pow(largest / smallest, step as f64 / (SIZES - 1) as f64);
        Some(Self {
            change,
            size_px,
            centre,
        })
    }

    /// Edge of the square, pixels.
    pub fn edge(&self) -> f64 {
        self.size_px.sqrt()
    }

    /// The pixels of the site grid that it touches.
    pub fn touched(&self) -> Rect {
        let half = 0.5 * self.edge();
        let [x, y] = self.centre;
        let (left, top) = ((x - half).floor() as i64, (y - half).floor() as i64);
        let (right, bottom) = ((x + half).ceil() as i64, (y + half).ceil() as i64);
        Rect::new(left, top, (right - left) as usize, (bottom - top) as usize)
    }
}

/// The pixels of a shape, from which places are drawn.
pub struct Places {
    /// Row, first column, and how many pixels there are before it and with it.
    spans: Vec<(i64, i64, u64, u64)>,
}

impl Places {
    /// The pixels of `shape` that lie in `area`.
    pub fn of(shape: &Shape, area: &Rect) -> Self {
        let bounds = shape.bounds().intersect(area);
        let (mut spans, mut before) = (Vec::new(), 0);
        for y in bounds.y..bounds.bottom() {
            for (from, to) in shape.spans(y) {
                let (from, to) = (from.max(bounds.x), to.min(bounds.right()));
                if from < to {
                    let through = before + (to - from) as u64;
                    spans.push((y, from, before, through));
                    before = through;
                }
            }
        }
        Self { spans }
    }

    /// A point of the shape, each as likely as any other; `None` where it holds no pixel.
    pub fn draw(&self, random: &mut SplitMix) -> Option<[f64; 2]> {
        let (.., pixels) = self.spans.last()?;
        let wanted = random.draw() % pixels;
        let place = self.spans.partition_point(|(.., through)| *through <= wanted);
        let (y, from, before, _) = self.spans.get(place)?;
        let x = from + (wanted - before) as i64;
        Some([x as f64 + random.unit(), *y as f64 + random.unit()])
    }
}

/// Batches of trials that do not meet: what a batch reads of `zones`, the rectangles that each trial sways, lies within about
/// `reach_px`, and no two of them meet. Each batch is a list of places in `zones`; together they hold every one once.
pub fn batches(zones: &[Rect], reach_px: i64) -> Vec<Vec<usize>> {
    let mut batches: Vec<((i64, i64), Vec<usize>)> = Vec::new();
    for (index, zone) in zones.iter().enumerate() {
        let cell = (zone.y.div_euclid(reach_px), zone.x.div_euclid(reach_px));
        let room = batches
            .iter_mut()
            .find(|(place, held)| *place == cell && held.iter().all(|other| zones[*other].intersect(zone).is_empty()));
        match room {
            Some((_, held)) => held.push(index),
            None => batches.push((cell, vec![index])),
        }
    }
    batches.into_iter().map(|(_, held)| held).collect()
}

#[cfg(test)]
mod tests {
    use geo::{MultiPolygon, polygon};

    use super::*;

    #[test]
    fn the_design_has_every_kind_and_size_as_often_from_end_to_end() {
        let kinds = Change::all(3);
        assert_eq!(kinds.len(), 13);
        let trials: Vec<Trial> = (0..13 * SIZES * 2)
            .filter_map(|index| Trial::of_design(index, &kinds, [0.0; 2]))
            .collect();
        for kind in &kinds {
            let mut sizes: Vec<f64> = trials.iter().filter(|t| t.change == *kind).map(|t| t.size_px).collect();
            sizes.sort_by(f64::total_cmp);
            assert_eq!((sizes.len(), sizes[0], sizes[49]), (50, 1.0, 64.0));
            assert!(sizes.chunks(2).all(|two| two[0] == two[1]));
            let ratio = |two: &[f64]| two[1] / two[0];
            let distinct: Vec<f64> = sizes.iter().step_by(2).copied().collect();
            assert!(
                distinct
                    .windows(2)
                    .all(|two| (ratio(two) - 64_f64.powf(1.0 / 24.0)).abs() < 1e-12)
            );
        }
        assert_eq!(Trial::of_design(0, &[], [0.0; 2]), None);
    }

    #[test]
    fn a_trial_touches_the_pixels_that_it_covers_a_part_of() {
        let trial = |size_px, centre| Trial {
            change: Change::Spectrum(0),
            size_px,
            centre,
        };
        assert_eq!(trial(1.0, [3.5, 4.5]).touched(), Rect::new(3, 4, 1, 1));
        assert_eq!(trial(1.0, [3.4, 4.5]).touched(), Rect::new(2, 4, 2, 1));
        assert_eq!(trial(9.0, [3.5, 4.75]).touched(), Rect::new(2, 3, 3, 4));
    }

    #[test]
    fn places_are_drawn_evenly_over_a_shape_with_a_hole() {
        let ring = polygon![
            exterior: [(x: 0.0, y: 0.0), (x: 6.0, y: 0.0), (x: 6.0, y: 4.0), (x: 0.0, y: 4.0)],
            interiors: [[(x: 2.0, y: 1.0), (x: 4.0, y: 1.0), (x: 4.0, y: 3.0), (x: 2.0, y: 3.0)]],
        ];
        let places = Places::of(&Shape::new(MultiPolygon(vec![ring])), &Rect::new(0, 0, 5, 9));
        let mut random = SplitMix(5);
        let mut seen = [[0; 6]; 4];
        let n = 16_000;
        for _ in 0..n {
            let [x, y] = places.draw(&mut random).unwrap();
            seen[y as usize][x as usize] += 1;
        }
        // 16 pixels; 1,000 draws each, give or take five standard deviations.
        for (y, row) in seen.iter().enumerate() {
            for (x, count) in row.iter().enumerate() {
                let inside = x < 5 && !((2..4).contains(&x) && (1..3).contains(&y));
                let expected = if inside { 845..1155 } else { 0..1 };
                assert!(expected.contains(count), "{x} {y}: {count}");
            }
        }
        assert_eq!(
            Places::of(&Shape::new(MultiPolygon(vec![])), &Rect::new(0, 0, 5, 9)).draw(&mut random),
            None
        );
    }

    #[test]
    fn no_two_of_a_lot_meet_and_none_is_lost() {
        let mut random = SplitMix(1);
        let mut at = || (random.draw() % 300) as i64;
        let zones: Vec<Rect> = (0..200).map(|_| Rect::new(at(), at(), 20, 20)).collect();
        let batches = batches(&zones, 100);
        let mut all: Vec<usize> = batches.iter().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<_>>());
        assert!(batches.len() < 60, "{}", batches.len());
        for batch in &batches {
            for (i, a) in batch.iter().enumerate() {
                for b in &batch[..i] {
                    assert!(zones[*a].intersect(&zones[*b]).is_empty());
                    assert!((zones[*a].x - zones[*b].x).abs() < 100 && (zones[*a].y - zones[*b].y).abs() < 100);
                }
            }
        }
    }
}
