//! How unusual each pixel of a pair is, by three kinds of evidence that must agree: what [the detector](super) judges.

use multiversion::multiversion;
use ndarray::{Array2, Zip, s};

use super::pair::{Pair, Standard};
use super::perceptron::{LANES, Lanes, Network};
use crate::geo::Rect;
use crate::stage::detect::Seen;
use crate::stage::detect::blur::{Mask, Window};

/// Half the side of the square whose standard deviation is taken, pixels.
pub const TEXTURE_PX: usize = 2;
/// Standard deviation of the Gaussian that smooths the statistic, pixels, and where it is cut off.
const SMOOTH_PX: (f64, usize) = (2.0, 5);
/// One band counts for no more than the square of this many of its deviations: glint on a roof must not outweigh all else.
const BAND_CAP: f32 = 6.0;

/// Where residuals of one band lie without change, in its standard unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
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
    laws: [Vec<Law>; 3],
    /// Squared shift between the dates that is put down to registration, square pixels.
    shift2: f32,
    texture: Window,
    smooth: Window,
}

impl Evidence {
    /// The evidence by a `standard`; the `networks` tell the later date from the earlier one and the earlier from the later, and
    /// `laws` are those of the residuals of both, and of the difference; all count as `visible` where none does.
    pub fn new(
        standard: Standard,
        visible: &[bool],
        networks: [Network; 2],
        laws: [Vec<Law>; 3],
        shift_px: f64,
    ) -> Self {
        let bands = laws[2].len();
        let any = visible.iter().take(bands).any(|v| *v);
        Self {
            standard,
            visible: (0..bands)
                .map(|band| !any || visible.get(band) == Some(&true))
                .collect(),
            networks,
            laws,
            shift2: (shift_px * shift_px) as f32,
            texture: Window::square(TEXTURE_PX),
            smooth: Window::gaussian(SMOOTH_PX.0, SMOOTH_PX.1),
        }
    }

    /// How far it looks beyond a pixel, pixels.
    pub fn halo() -> usize {
        SMOOTH_PX.1 + Standard::halo(TEXTURE_PX)
    }

    /// How far its smoothing draws a skirt around what changed, pixels: two standard deviations.
    pub fn skirt() -> usize {
        (2.0 * SMOOTH_PX.0) as usize
    }

    /// Where the statistic would lie if every residual were one deviation long.
    pub fn nominal(&self) -> f64 {
        let bands = self.visible.len();
        let visible = self.visible.iter().filter(|v| **v).count();
        libm::cbrt(((bands * bands * visible) as f64).sqrt())
    }

    /// The statistic of each pixel of `core`, and which of them are clear; `None` where the dates do not have the bands it was fitted to.
    pub fn statistic(&self, seen: &Seen, core: &Rect) -> Option<(Array2<f32>, Mask)> {
        let area = core.grow(self.smooth.radius());
        let pair = self.standard.pair(seen, &area, TEXTURE_PX)?;
        let mask = pair.mask.inner(TEXTURE_PX);
        let mut product = residual(self, &pair);
        let (visible, texture) = difference(self, &pair);
        Zip::from(&mut product)
            .and(&visible)
            .and(&texture)
            .and(&mask.weights)
            .for_each(|r, v, t, weight| {
                *r = if *weight == 0.0 {
                    0.0
                } else {
                    libm::cbrtf((*r * *v * *t).sqrt())
                };
            });
        let smoothed = self.smooth.mean(&product, self.smooth.cover(&mask).as_ref());
        Some((smoothed, mask.inner(self.smooth.radius())))
    }

    /// The variance of a residual: what the survey shows, but no less than what the sensor states, and what the shift between the
    /// dates makes of the slope.
    #[inline(always)]
    fn variance(&self, law: &Law, stated: f32, slope: f32) -> f32 {
        law.variance.max(stated) + self.shift2 * slope
    }
}

/// The squared residual of telling one date from the other, summed over the bands, the smaller of both directions.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn residual(evidence: &Evidence, pair: &Pair) -> Array2<f32> {
    let (rows, columns) = pair.sides[0].far.first().map_or((0, 0), Array2::dim);
    let mut out = Array2::zeros((rows, columns));
    let mut inputs = [Vec::new(), Vec::new()];
    let mut slopes = [Vec::new(), Vec::new()];
    let (mut spare, mut told) = (Vec::new(), Vec::new());
    for row in 0..rows {
        for from in (0..columns).step_by(LANES) {
            for ((side, inputs), slopes) in pair.sides.iter().zip(&mut inputs).zip(&mut slopes) {
                let (row, column) = (row + TEXTURE_PX, from + TEXTURE_PX);
                inputs.clear();
                inputs.extend(
                    [&side.bands, &side.near]
                        .into_iter()
                        .flatten()
                        .map(|plane| lanes(plane, row, column)),
                );
                inputs.extend(side.far.iter().map(|plane| lanes(plane, row - TEXTURE_PX, from)));
                slopes.clear();
                slopes.extend(side.slopes.iter().map(|plane| lanes(plane, row, column)));
            }
            let mut least = [f32::INFINITY; LANES];
            for to in [1, 0] {
                evidence.networks[1 - to].predict(&inputs[1 - to], &mut spare, &mut told);
                let mut sums = [0.0; LANES];
                for (band, told) in told.iter().enumerate() {
                    let (law, scale) = (&evidence.laws[1 - to][band], &evidence.standard.scales[to][band]);
                    let (found, steep) = (&inputs[to][band], [&slopes[0][band], &slopes[1][band]]);
                    for lane in 0..LANES {
                        let slope = steep[0][lane].min(steep[1][lane]);
                        let stated = scale.sensor_variance(found[lane]);
                        let off = found[lane] - told[lane] - law.centre;
                        sums[lane] += (off * off / evidence.variance(law, stated, slope)).min(BAND_CAP * BAND_CAP);
                    }
                }
                least
                    .iter_mut()
                    .zip(&sums)
                    .for_each(|(least, sum)| *least = least.min(*sum));
            }
            let width = LANES.min(columns - from);
            for (lane, value) in least.iter().take(width).enumerate() {
                out[[row, from + lane]] = *value;
            }
        }
    }
    out
}

/// The squared difference in visible light, and the variance of the difference around each pixel, both summed over bands.
#[multiversion(targets("x86_64+avx2"))]
fn difference(evidence: &Evidence, pair: &Pair) -> (Array2<f32>, Array2<f32>) {
    let (rows, columns) = pair.mask.weights.dim();
    let (rows, columns) = (rows - 2 * TEXTURE_PX, columns - 2 * TEXTURE_PX);
    let mut visible = Array2::<f32>::zeros((rows, columns));
    let mut texture = Array2::<f32>::zeros((rows, columns));
    let cover = evidence.texture.cover(&pair.mask);
    let [before, after] = &pair.sides;
    for (band, law) in evidence.laws[2].iter().enumerate() {
        let [earlier, later] = [0, 1].map(|side| &evidence.standard.scales[side][band]);
        let mut signed = pair.mask.weights.clone();
        let mut square = Array2::zeros(signed.dim());
        let [x, y, s, t] = [&before.bands, &after.bands, &before.slopes, &after.slopes]
            .map(|planes| planes[band].as_slice().unwrap_or_default());
        let pixels = signed.iter_mut().zip(&mut square).zip(x).zip(y).zip(s).zip(t);
        for (((((signed, square), x), y), s), t) in pixels {
            let stated = 0.5 * (earlier.sensor_variance(*x) + later.sensor_variance(*y));
            let deviation = (y - x - law.centre) / evidence.variance(law, stated, s.min(*t)).sqrt();
            *signed *= deviation.clamp(-BAND_CAP, BAND_CAP);
            *square = *signed * *signed;
        }
        if evidence.visible[band] {
            visible += &square.slice(s![TEXTURE_PX..TEXTURE_PX + rows, TEXTURE_PX..TEXTURE_PX + columns]);
        }
        let mean = evidence.texture.mean(&signed, cover.as_ref());
        let mean_square = evidence.texture.mean(&square, cover.as_ref());
        for ((sum, m), q) in texture.iter_mut().zip(&mean).zip(&mean_square) {
            *sum += (q - m * m).max(0.0);
        }
    }
    (visible, texture)
}

/// [`LANES`] values of a row from a column on; 0 beyond its end.
#[inline(always)]
fn lanes(plane: &Array2<f32>, row: usize, from: usize) -> Lanes {
    let columns = plane.dim().1;
    let row = plane
        .as_slice()
        .unwrap_or_default()
        .get(row * columns..(row + 1) * columns);
    let values = row.unwrap_or_default().get(from..).unwrap_or_default();
    match values.first_chunk() {
        Some(whole) => *whole,
        None => {
            let mut out = [0.0; LANES];
            out.iter_mut().zip(values).for_each(|(out, value)| *out = *value);
            out
        }
    }
}
