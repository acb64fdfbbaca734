//! How unusual each pixel of a pair is, by three kinds of evidence that must agree: what [the detector](super) judges.

use std::ops::Range;

use multiversion::multiversion;
use ndarray::Array2;

use super::pair::{Row, Standard};
use super::perceptron::{LANES, Lanes, Network};
use super::rows::{Last, LastClear};
use crate::geo::Rect;
use crate::raster::Plane;
use crate::stage::detect::ScreenedStack;
use crate::stage::detect::blur::{Mask, Window};

/// Half the side of the square whose standard deviation is taken, pixels.
pub const TEXTURE_PX: usize = 2;
/// Standard deviation of the Gaussian that smooths the statistic, pixels, and where it is cut off.
const SMOOTH_PX: (f64, usize) = (2.0, 5);
/// One band counts for no more than the square of this many of its deviations: glint on a roof must not outweigh all else.
const BAND_CAP: f32 = 6.0;

/// Where residuals of one band lie without change, in its standard unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residual {
    /// Their median.
    pub centre: f32,
    /// Their robust variance.
    pub variance: f32,
}

/// What the evidence is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    standard: Standard,
    /// Which bands are visible light.
    visible: Vec<bool>,
    /// Tells the later date from the earlier one, and the earlier from the later.
    networks: [Network; 2],
    /// Of the later date less what was told, of the earlier one less what was told, and of the difference; band by band.
    residuals: [Vec<Residual>; 3],
    /// Squared shift between the dates that is put down to registration, square pixels.
    shift2: f32,
    texture: Window,
    smooth: Window,
}

impl Evidence {
    /// The evidence by a `standard`; the `networks` tell the later date from the earlier one and the earlier from the later, and
    /// `residuals` are those of the residuals of both, and of the difference; all count as `visible` where none does.
    pub fn new(
        standard: Standard,
        visible: &[bool],
        networks: [Network; 2],
        residuals: [Vec<Residual>; 3],
        shift_px: f64,
    ) -> Self {
        let bands = residuals[2].len();
        let any = visible.iter().take(bands).any(|v| *v);
        Self {
            standard,
            visible: (0..bands)
                .map(|band| !any || visible.get(band) == Some(&true))
                .collect(),
            networks,
            residuals,
            shift2: (shift_px * shift_px) as f32,
            texture: Window::square(TEXTURE_PX),
            smooth: Window::gaussian(SMOOTH_PX.0, SMOOTH_PX.1),
        }
    }

    /// How far it looks beyond a pixel, pixels.
    pub fn halo() -> usize {
        SMOOTH_PX.1 + TEXTURE_PX + Standard::HALO
    }

    /// How far its smoothing draws a fringe around what changed, pixels: two standard deviations.
    pub fn fringe() -> usize {
        (2.0 * SMOOTH_PX.0) as usize
    }

    /// Where the statistic would lie if every residual were one deviation long.
    pub fn nominal(&self) -> f64 {
        let bands = self.visible.len();
        let visible = self.visible.iter().filter(|v| **v).count();
        libm::cbrt(((bands * bands * visible) as f64).sqrt())
    }

    /// The statistic of each pixel of `core`, and which of them are clear; `None` where the dates do not have the bands it was fitted to.
    pub fn statistic(&self, stack: &ScreenedStack, core: &Rect) -> Option<(Array2<f32>, Mask)> {
        let area = core.grow(self.smooth.radius());
        let wide = area.grow(TEXTURE_PX);
        let mut product = Plane::filled(area, 0.0);
        let mut weights = Plane::filled(area, 0.0);
        let mut differences = Differences::new(self, wide.w);
        let mut scratch = Scratch::default();
        self.standard.walk(stack, &wide, |y, row| {
            differences.add(y, row);
            // What its texture tells is known when the rows below have been seen.
            if let Some(at) = y.checked_sub(TEXTURE_PX).filter(|at| *at < area.h) {
                let own = TEXTURE_PX..TEXTURE_PX + area.w;
                weights.row_mut(at).copy_from_slice(&row.clear[own]);
                residual(self, row, &mut scratch, product.row_mut(at));
            }
            if let Some(at) = y.checked_sub(2 * TEXTURE_PX) {
                let (visible, texture) = differences.of(at);
                let (out, clear) = (product.row_mut(at), weights.row(at));
                for (((r, v), t), weight) in out.iter_mut().zip(visible).zip(texture).zip(clear) {
                    *r = if *weight == 0.0 {
                        0.0
                    } else {
                        libm::cbrtf((*r * v * t).sqrt())
                    };
                }
            }
        })?;
        let mask = Mask::new(weights.into_array());
        let smoothed = self
            .smooth
            .mean(&product.into_array(), self.smooth.cover(&mask).as_ref());
        Some((smoothed, mask.inner(self.smooth.radius())))
    }

    /// The variance of a residual: what the training sample shows, but no less than what the sensor states, and what the shift between the
    /// dates makes of the slope.
    #[inline(always)]
    fn variance(&self, residual: &Residual, stated: f32, squared_gradient: f32) -> f32 {
        residual.variance.max(stated) + self.shift2 * squared_gradient
    }
}

/// What is used again from row to row.
#[derive(Default)]
struct Scratch {
    inputs: [Vec<Lanes>; 2],
    squared_gradients: [Vec<Lanes>; 2],
    units: Vec<Lanes>,
    told: Vec<Lanes>,
}

/// The squared residual of telling one date from the other, summed over the bands, the smaller of both directions; of a row without
/// its outermost pixels.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma"))]
fn residual(evidence: &Evidence, row: &Row, scratch: &mut Scratch, out: &mut [f32]) {
    let Scratch {
        inputs,
        squared_gradients,
        units,
        told,
    } = scratch;
    for (index, out) in out.chunks_mut(LANES).enumerate() {
        let from = TEXTURE_PX + index * LANES;
        for ((side, inputs), squared_gradients) in row.sides.iter().zip(&mut *inputs).zip(&mut *squared_gradients) {
            inputs.clear();
            let rows = [&side.bands, &side.near, &side.far].into_iter().flatten();
            inputs.extend(rows.map(|row| lanes(row, from)));
            squared_gradients.clear();
            squared_gradients.extend(side.squared_gradients.iter().map(|row| lanes(row, from)));
        }
        let mut least = [f32::INFINITY; LANES];
        for to in [1, 0] {
            evidence.networks[1 - to].predict(&inputs[1 - to], units, told);
            let mut sums = [0.0; LANES];
            for (band, told) in told.iter().enumerate() {
                let (residual, scale) = (&evidence.residuals[1 - to][band], &evidence.standard.scales[to][band]);
                let (found, steep) = (
                    &inputs[to][band],
                    [&squared_gradients[0][band], &squared_gradients[1][band]],
                );
                for lane in 0..LANES {
                    let squared_gradient = steep[0][lane].min(steep[1][lane]);
                    let stated = scale.sensor_variance(found[lane]);
                    let off = found[lane] - told[lane] - residual.centre;
                    sums[lane] +=
                        (off * off / evidence.variance(residual, stated, squared_gradient)).min(BAND_CAP * BAND_CAP);
                }
            }
            least
                .iter_mut()
                .zip(&sums)
                .for_each(|(least, sum)| *least = least.min(*sum));
        }
        out.iter_mut().zip(&least).for_each(|(out, least)| *out = *least);
    }
}

/// [`LANES`] values of a row from a column on; 0 beyond its end.
#[inline(always)]
fn lanes(row: &[f32], from: usize) -> Lanes {
    let values = row.get(from..).unwrap_or_default();
    match values.first_chunk() {
        Some(whole) => *whole,
        None => {
            let mut out = [0.0; LANES];
            out.iter_mut().zip(values).for_each(|(out, value)| *out = *value);
            out
        }
    }
}

/// The difference between the dates in the last rows, band by band, in deviations.
struct Differences<'a> {
    evidence: &'a Evidence,
    clear: LastClear,
    /// With its sign, and squared.
    signed: Vec<Last>,
    square: Vec<Last>,
    columns: Range<usize>,
    visible: Vec<f32>,
    texture: Vec<f32>,
    means: [Vec<f32>; 2],
    spare: Vec<f32>,
}

impl<'a> Differences<'a> {
    /// None yet, of rows of so many pixels.
    fn new(evidence: &'a Evidence, width: usize) -> Self {
        let rows = 2 * TEXTURE_PX + 1;
        let lasts = || evidence.visible.iter().map(|_| Last::new(rows, width)).collect();
        let inner = || vec![0.0; width - 2 * TEXTURE_PX];
        Self {
            evidence,
            clear: LastClear::new(rows, width),
            signed: lasts(),
            square: lasts(),
            columns: 0..width,
            visible: inner(),
            texture: inner(),
            means: [inner(), inner()],
            spare: Vec::new(),
        }
    }

    /// Takes in row `y`.
    fn add(&mut self, y: usize, row: &Row) {
        self.clear.add(y, &row.clear);
        for (band, (signed, square)) in self.signed.iter_mut().zip(&mut self.square).enumerate() {
            difference(self.evidence, row, band, signed.next(y), square.next(y));
        }
    }

    /// The squared difference in visible light, and the variance of the difference around each pixel, both summed over bands: without its
    /// outermost pixels, the row in the middle of those that begin with row `first`.
    fn of(&mut self, first: usize) -> (&[f32], &[f32]) {
        let rows = first..first + 2 * TEXTURE_PX + 1;
        let window = &self.evidence.texture;
        let cover = self.clear.cover(window, rows.clone(), &self.columns);
        self.visible.fill(0.0);
        self.texture.fill(0.0);
        for (band, lasts) in self.signed.iter().zip(&self.square).enumerate() {
            if self.evidence.visible[band] {
                let square = &lasts.1.row(first + TEXTURE_PX)[TEXTURE_PX..];
                self.visible
                    .iter_mut()
                    .zip(square)
                    .for_each(|(sum, square)| *sum += square);
            }
            let [mean, mean_square] = &mut self.means;
            for (last, mean) in [(lasts.0, &mut *mean), (lasts.1, &mut *mean_square)] {
                let rows = last.part(rows.clone(), &self.columns);
                window.mean_row(&rows, cover.as_deref(), &mut self.spare, mean);
            }
            for ((sum, m), q) in self.texture.iter_mut().zip(&*mean).zip(&*mean_square) {
                *sum += (q - m * m).max(0.0);
            }
        }
        (&self.visible, &self.texture)
    }
}

/// The difference of one band in deviations, and its square; 0 where not clear.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma"))]
fn difference(evidence: &Evidence, row: &Row, band: usize, signed: &mut [f32], square: &mut [f32]) {
    let (residual, [earlier, later]) = (
        &evidence.residuals[2][band],
        [0, 1].map(|side| &evidence.standard.scales[side][band]),
    );
    let [before, after] = &row.sides;
    let pixels = signed.iter_mut().zip(square).zip(&row.clear);
    let values = before.bands[band].iter().zip(&after.bands[band]);
    let squared_gradients = before.squared_gradients[band]
        .iter()
        .zip(&after.squared_gradients[band]);
    for ((((signed, square), weight), (x, y)), (s, t)) in pixels.zip(values).zip(squared_gradients) {
        let stated = 0.5 * (earlier.sensor_variance(*x) + later.sensor_variance(*y));
        let deviation = (y - x - residual.centre) / evidence.variance(residual, stated, s.min(*t)).sqrt();
        *signed = weight * deviation.clamp(-BAND_CAP, BAND_CAP);
        *square = *signed * *signed;
    }
}
