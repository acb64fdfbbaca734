//! A pair of dates in standard units, with the surroundings of each pixel: what a detector that learns is shown, row by row.

use multiversion::multiversion;
use ndarray::Array2;

use super::rows::{Last, LastClear};
use super::scale::{Scale, standards};
use crate::geo::Rect;
use crate::raster::{Flags, flags, plane};
use crate::stage::detect::ScreenedStack;
use crate::stage::detect::blur::Window;

/// Standard deviations of the Gaussians that show the surroundings, pixels, and where they are cut off.
const NEAR_PX: (f64, usize) = (1.5, 4);
const FAR_PX: (f64, usize) = (4.0, 10);

/// One row of one date: a value a pixel, band by band.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Side {
    /// In standard units; 0 where not clear.
    pub bands: Vec<Vec<f32>>,
    /// Squared length of the gradient of the nearer surroundings, squared units a pixel.
    pub squared_gradients: Vec<Vec<f32>>,
    /// Means of the nearer surroundings.
    pub near: Vec<Vec<f32>>,
    /// Means of the farther surroundings.
    pub far: Vec<Vec<f32>>,
}

impl Side {
    fn new(bands: usize, width: usize) -> Self {
        let rows = || vec![vec![0.0; width]; bands];
        Self {
            bands: rows(),
            squared_gradients: rows(),
            near: rows(),
            far: rows(),
        }
    }
}

/// One row of both dates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// 1 where a pixel is clear on both dates, 0 elsewhere.
    pub clear: Vec<f32>,
    /// The earlier and the later date.
    pub sides: [Side; 2],
}

/// What turns dates into the rows of a pair: the scales of both, band by band.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    /// Of the earlier and the later date.
    pub scales: [Vec<Scale>; 2],
    near: Window,
    far: Window,
}

impl Standard {
    /// How far a row looks beyond its pixels.
    pub const HALO: usize = FAR_PX.1;

    /// The standard by these scales.
    pub fn new(scales: [Vec<Scale>; 2]) -> Self {
        Self {
            scales,
            near: Window::gaussian(NEAR_PX.0, NEAR_PX.1),
            far: Window::gaussian(FAR_PX.0, FAR_PX.1),
        }
    }

    /// Shows `each` row of `area`, which lies at least [`Standard::HALO`] pixels inside `stack`, from the top down, with its number;
    /// `None`, and no row, where the bands are not those of the scales.
    pub fn walk(&self, stack: &ScreenedStack, area: &Rect, mut each: impl FnMut(usize, &Row)) -> Option<()> {
        const NEAR: usize = NEAR_PX.1;
        const FAR: usize = FAR_PX.1;
        let sides = stack.sides();
        let mut counts = sides.iter().zip(&self.scales);
        if counts.any(|(side, scales)| side.len() != scales.len()) {
            return None;
        }
        let wide = area.grow(FAR);
        let mut read = Read::new(stack, &sides.each_ref().map(|side| &**side), &wide);
        let mut clear = LastClear::new(2 * FAR + 1, wide.w);
        let mut planes: Vec<(usize, usize, Plane)> = (self.scales.iter().enumerate())
            .flat_map(|(side, scales)| (0..scales.len()).map(move |band| (side, band)))
            .map(|(side, band)| (side, band, Plane::new(2 * FAR + 1, &wide, area)))
            .collect();
        let mut row = Row {
            clear: vec![0.0; area.w],
            sides: self.scales.each_ref().map(|scales| Side::new(scales.len(), area.w)),
        };
        // The pixels of a row, one more on either side, and those that its windows reach.
        let (own, beside) = (FAR..FAR + area.w, FAR - 1..FAR + 1 + area.w);
        let (around, all) = (beside.start - NEAR..beside.end + NEAR, 0..wide.w);
        let mut down = Vec::new();
        for y in 0..wide.h {
            let (weights, bands) = read.next();
            clear.add(y, weights);
            for ((side, band, plane), values) in planes.iter_mut().zip(bands) {
                standards(&self.scales[*side][*band], values, weights, plane.values.next(y));
            }
            // The nearer surroundings are known one row further down than what is shown, for the gradient.
            let Some(below) = (y + 1).checked_sub(FAR).filter(|below| below + 1 >= FAR) else {
                continue;
            };
            let reach = below - NEAR..below + NEAR + 1;
            let cover = clear.cover(&self.near, reach.clone(), &around);
            for (.., plane) in &mut planes {
                let values = plane.values.part(reach.clone(), &around);
                self.near
                    .mean_row(&values, cover.as_deref(), &mut down, plane.near.next(below));
            }
            let Some(shown) = y.checked_sub(2 * FAR) else {
                continue;
            };
            let here = shown + FAR;
            let cover = clear.cover(&self.far, shown..y + 1, &all);
            let weights = clear.part(here - 1..here + 2, &beside);
            for (side, band, plane) in &mut planes {
                let side = &mut row.sides[*side];
                side.bands[*band].copy_from_slice(&plane.values.row(here)[own.clone()]);
                let near = plane.near.part(here - 1..here + 2, &(0..area.w + 2));
                side.near[*band].copy_from_slice(&near[1][1..area.w + 1]);
                squared_gradient(&near, weights.as_deref(), &mut side.squared_gradients[*band]);
                let values = plane.values.part(shown..y + 1, &all);
                self.far
                    .mean_row(&values, cover.as_deref(), &mut down, &mut side.far[*band]);
            }
            row.clear.copy_from_slice(&clear.weights.row(here)[own.clone()]);
            each(shown, &row);
        }
        Some(())
    }
}

/// The last rows of one band of one date.
struct Plane {
    /// In standard units, as far as the farther surroundings reach.
    values: Last,
    /// Means of the nearer surroundings, one pixel further on either side than what is shown.
    near: Last,
}

impl Plane {
    fn new(rows: usize, wide: &Rect, area: &Rect) -> Self {
        Self {
            values: Last::new(rows, wide.w),
            near: Last::new(3, area.w + 2),
        }
    }
}

/// A stack, row by row.
pub struct Read<'a> {
    flags: Box<dyn Iterator<Item = &'a [Flags]> + 'a>,
    planes: Vec<Box<dyn Iterator<Item = &'a [f32]> + 'a>>,
    bands: Vec<&'a [f32]>,
    weights: Vec<f32>,
}

impl<'a> Read<'a> {
    /// The rows of `area`, which lies inside the stack.
    pub fn new(stack: &'a ScreenedStack, sides: &[&'a [Array2<f32>]; 2], area: &Rect) -> Self {
        let rows = |band: &'a Array2<f32>| -> Box<dyn Iterator<Item = &'a [f32]>> {
            Box::new(plane::rows(band, &stack.rect, area))
        };
        Self {
            flags: Box::new(stack.flags.rows_of(area)),
            planes: sides.iter().copied().flatten().map(rows).collect(),
            bands: Vec::new(),
            weights: vec![0.0; area.w],
        }
    }

    /// Which pixels of the next row can be judged and have a number in every band of both dates: 1, or 0; and those bands, the earlier
    /// date's first.
    pub fn next(&mut self) -> (&[f32], &[&'a [f32]]) {
        self.bands.clear();
        self.bands.extend(self.planes.iter_mut().filter_map(Iterator::next));
        clear(self.flags.next().unwrap_or_default(), &self.bands, &mut self.weights);
        (&self.weights, &self.bands)
    }
}

#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma"))]
fn clear(flags: &[Flags], bands: &[&[f32]], weights: &mut [f32]) {
    for (weight, flag) in weights.iter_mut().zip(flags) {
        *weight = if *flag == flags::CLEAR { 1.0 } else { 0.0 };
    }
    for band in bands {
        for (weight, value) in weights.iter_mut().zip(*band) {
            *weight = if value.is_finite() { *weight } else { 0.0 };
        }
    }
}

/// The squared length of the gradient by central differences in the middle one of three `rows`, without its outermost pixels; what is
/// not clear beside a pixel counts as level. `weights` are those of the rows; all are clear where there are none.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma"))]
fn squared_gradient(rows: &[&[f32]], weights: Option<&[&[f32]]>, out: &mut [f32]) {
    out.fill(0.0);
    // Right and left of each pixel, below and above: row and first column.
    for [ahead, behind] in [[(1, 2), (1, 0)], [(2, 1), (0, 1)]] {
        let steps = rows[ahead.0][ahead.1..].iter().zip(&rows[behind.0][behind.1..]);
        let steps = out.iter_mut().zip(steps);
        match weights {
            None => steps.for_each(|(sum, (ahead, behind))| {
                let d = ahead - behind;
                *sum += 0.25 * d * d;
            }),
            Some(weights) => {
                let both = weights[ahead.0][ahead.1..].iter().zip(&weights[behind.0][behind.1..]);
                steps.zip(both).for_each(|((sum, (ahead, behind)), (a, b))| {
                    let d = (ahead - behind) * (a * b);
                    *sum += 0.25 * d * d;
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::normalise::SensorNoise;

    #[test]
    fn a_part_is_the_part_of_the_whole_and_clouds_do_not_bleed() {
        let rect = Rect::new(-3, 5, 50, 44);
        let mut stack = ScreenedStack::nothing(&rect);
        let ramp = |d: usize| Array2::from_shape_fn((44, 50), |(y, x)| ((x * 31 + y * 17 + d * 5) % 23) as f32);
        stack.dates = (0..2).map(|d| vec![ramp(d)]).collect();
        stack.flags.values_mut().fill(flags::CLEAR);
        // A cloud on one date that only the whole sees, and one that both see.
        stack.dates[1][0][[41, 47]] = f32::NAN;
        let quiet = SensorNoise {
            floor: 0.0,
            fraction: 0.0,
        };
        let scale = Scale::fit(&(0..23).map(f64::from).collect::<Vec<_>>(), quiet);
        let standard = Standard::new([vec![scale], vec![scale]]);
        let rows = |stack: &ScreenedStack, area: &Rect| {
            let mut rows = Vec::new();
            let walked = standard.walk(stack, area, |y, row| {
                assert_eq!(y, rows.len());
                rows.push(row.clone());
            });
            walked.map(|()| rows)
        };
        let all = Rect::new(
            rect.x + Standard::HALO as i64,
            rect.y + Standard::HALO as i64,
            50 - 2 * Standard::HALO,
            44 - 2 * Standard::HALO,
        );
        let part = Rect::new(all.x + 3, all.y + 2, 9, 7);
        for value in [f32::NAN, 1e6] {
            stack.dates[0][0][[16, 18]] = value;
            stack.flags[[16, 18]] = flags::CLOUD;
            let whole = rows(&stack, &all).unwrap();
            assert_eq!(whole.len(), all.h);
            let tile = rows(&stack.crop(&part.grow(Standard::HALO)), &part).unwrap();
            for (a, b) in tile.iter().zip(&whole[2..]) {
                let columns = 3..3 + part.w;
                assert_eq!(a.clear, b.clear[columns.clone()]);
                for (a, b) in a.sides.iter().zip(&b.sides) {
                    for (a, b) in [
                        (&a.bands, &b.bands),
                        (&a.near, &b.near),
                        (&a.squared_gradients, &b.squared_gradients),
                        (&a.far, &b.far),
                    ] {
                        assert_eq!(a[0], b[0][columns.clone()]);
                    }
                }
            }
            let means = whole
                .iter()
                .flat_map(|row| &row.sides)
                .flat_map(|side| side.far[0].iter().chain(&side.near[0]));
            assert!(means.map(|v| v.abs()).fold(0.0, f32::max) < 3.0);
        }
        assert!(rows(&ScreenedStack::nothing(&rect), &all).is_none());
    }
}
