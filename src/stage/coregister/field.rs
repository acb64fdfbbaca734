//! One band of one date in one window, made ready to be matched.

use multiversion::multiversion;
use ndarray::Array2;

/// A band, or its gradient magnitude, in standard deviations of the window. Row by row.
pub(super) struct Field {
    /// Columns.
    pub w: usize,
    /// Rows.
    pub h: usize,
    /// Values; the local mean where it is not clear.
    pub values: Vec<f64>,
    /// Values over the local mean; 0 where it is not clear.
    pub texture: Vec<f64>,
    /// 1 where clear, else 0.
    pub clear: Vec<f64>,
}

/// The local mean is that of the clear pixels this near, pixels: haze, light and season vary more slowly, fields and
/// roofs faster.
const NEIGHBOURHOOD: usize = 12;
/// A standard deviation below this part of the mean is rounding of f32, no texture.
const MIN_TEXTURE: f64 = 1e-5;
/// Standard deviation of the Gaussian in which gradients and sub-pixel shifts are taken, pixels. It stands in for
/// interpolation: a wider one wastes texture (on the oscd cities tie points scatter by a third more at 1.0), a narrower
/// one tells the sampled frequencies apart less well (at 0.7 a twelfth of an amplitude at the Nyquist frequency comes
/// back as its mirror; the shift then errs by 0.01 px at most).
pub(super) const SIGMA: f64 = 0.7;
/// Where the Gaussian is cut off, pixels: over 4 sigma.
const RADIUS: i64 = 3;

/// The part of the window that is clear on both dates; 0 where their sizes differ.
pub(super) fn shared(a: &Array2<f32>, b: &Array2<f32>) -> f64 {
    if a.dim() != b.dim() || a.is_empty() {
        return 0.0;
    }
    let both = a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite()).count();
    both as f64 / a.len() as f64
}

/// The fields of a band and of its gradient magnitude; `None` when they have no texture.
pub(super) fn of_band(band: &Array2<f32>) -> [Option<Field>; 2] {
    let (h, w) = band.dim();
    let clear: Vec<f64> = band.iter().map(|v| f64::from(u8::from(v.is_finite()))).collect();
    let values: Vec<f64> = band
        .iter()
        .map(|v| if v.is_finite() { f64::from(*v) } else { 0.0 })
        .collect();
    let field = of_values(w, h, values, clear);
    let gradient = field.as_ref().and_then(|field| {
        let [gx, gy] = gradients(w, h, &field.values);
        let steepness = gx.iter().zip(&gy).map(|(x, y)| (x * x + y * y).sqrt()).collect();
        let solid = solid(w, h, &field.clear)
            .iter()
            .map(|s| f64::from(u8::from(*s)))
            .collect();
        of_values(w, h, steepness, solid)
    });
    [field, gradient]
}

/// The field of values that are clear where `clear` is 1; `None` when they have no texture.
fn of_values(w: usize, h: usize, values: Vec<f64>, clear: Vec<f64>) -> Option<Field> {
    let n: f64 = clear.iter().sum();
    if n < 1.0 {
        return None;
    }
    let mean = values.iter().zip(&clear).map(|(v, c)| v * c).sum::<f64>() / n;
    let centred: Vec<f64> = values.iter().zip(&clear).map(|(v, c)| (v - mean) * c).collect();
    let local = local_means(w, h, &centred, &clear);
    let texture: Vec<f64> = (0..w * h).map(|i| (centred[i] - local[i]) * clear[i]).collect();
    let sigma = (texture.iter().map(|v| v * v).sum::<f64>() / n).sqrt();
    if sigma.is_nan() || sigma <= MIN_TEXTURE * mean.abs() || sigma < f64::MIN_POSITIVE {
        return None;
    }
    let filled = |i: usize| if clear[i] > 0.0 { centred[i] } else { local[i] };
    let values = (0..w * h).map(|i| filled(i) / sigma).collect();
    let texture = texture.iter().map(|v| v / sigma).collect();
    Some(Field {
        w,
        h,
        values,
        texture,
        clear,
    })
}

/// The mean of the clear pixels in the neighbourhood of every pixel; 0 where there is none. `values` is 0 where not
/// clear.
fn local_means(w: usize, h: usize, values: &[f64], clear: &[f64]) -> Vec<f64> {
    let (sums, counts) = (box_sums(w, h, values), box_sums(w, h, clear));
    sums.iter()
        .zip(&counts)
        .map(|(s, n)| if *n > 0.5 { s / n } else { 0.0 })
        .collect()
}

/// Places that are compared.
pub(super) struct Places {
    w: usize,
    h: usize,
    /// 1 at such a place, else 0; row by row.
    mask: Vec<f64>,
    /// How many there are in the neighbourhood of every pixel.
    counts: Vec<f64>,
}

impl Places {
    /// The places of `mask`, which has `w` columns.
    pub(super) fn new(w: usize, h: usize, mask: Vec<f64>) -> Self {
        let counts = box_sums(w, h, &mask);
        Self { w, h, mask, counts }
    }

    /// Values over the mean of the places in the neighbourhood, in the order of the places.
    pub(super) fn texture(&self, values: &[f64]) -> Vec<f64> {
        let there: Vec<f64> = values.iter().zip(&self.mask).map(|(v, m)| v * m).collect();
        let sums = box_sums(self.w, self.h, &there);
        (0..there.len())
            .filter(|i| self.mask[*i] > 0.0)
            .map(|i| there[i] - sums[i] / self.counts[i])
            .collect()
    }
}

/// The sum over the neighbourhood of every pixel.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn box_sums(w: usize, h: usize, values: &[f64]) -> Vec<f64> {
    // Sums of all that lies above and left of a corner (Crow, "Summed-area tables for texture mapping", 1984).
    let wide = w + 1;
    let mut total = vec![0.0; wide * (h + 1)];
    for y in 0..h {
        let mut row = 0.0;
        for x in 0..w {
            row += values[y * w + x];
            total[(y + 1) * wide + x + 1] = total[y * wide + x + 1] + row;
        }
    }
    let mut out = vec![0.0; w * h];
    for (y, out) in out.chunks_exact_mut(w.max(1)).enumerate() {
        let row = |y: usize| &total[y * wide..][..wide];
        let (above, below) = (
            row(y.saturating_sub(NEIGHBOURHOOD)),
            row((y + NEIGHBOURHOOD + 1).min(h)),
        );
        // Where the neighbourhood is whole, its corners lie side by side.
        let first = NEIGHBOURHOOD.min(w);
        let last = w.saturating_sub(NEIGHBOURHOOD).max(first);
        for x in (0..first).chain(last..w) {
            let (left, right) = (x.saturating_sub(NEIGHBOURHOOD), (x + NEIGHBOURHOOD + 1).min(w));
            out[x] = below[right] - below[left] - above[right] + above[left];
        }
        let beyond = (2 * NEIGHBOURHOOD + 1).min(wide);
        let corners = below[beyond..].iter().zip(below).zip(above[beyond..].iter().zip(above));
        for (out, ((below_right, below_left), (above_right, above_left))) in out[first..last].iter_mut().zip(corners) {
            *out = below_right - below_left - above_right + above_left;
        }
    }
    out
}

/// Weights of a Gaussian, or of its derivative, for the pixels `-RADIUS ..= RADIUS + 1` around the whole pixel below a
/// place that lies `fraction` of a pixel further.
fn kernel(fraction: f64, derivative: bool) -> [f64; 2 * RADIUS as usize + 2] {
    let mut weights = [0.0; 2 * RADIUS as usize + 2];
    let mut total = 0.0;
    for (k, weight) in weights.iter_mut().enumerate() {
        let d = (k as i64 - RADIUS) as f64 - fraction;
        let g = libm::exp(-d * d / (2.0 * SIGMA * SIGMA));
        total += g;
        *weight = if derivative { g * d / (SIGMA * SIGMA) } else { g };
    }
    weights.iter_mut().for_each(|weight| *weight /= total);
    weights
}

/// `values` convolved with a kernel along rows and another along columns, read `shift` pixels away: out(p) = values(p +
/// shift), smoothed. What lies outside the window counts as 0.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn convolved(w: usize, h: usize, values: &[f64], shift: [f64; 2], derivative: [bool; 2]) -> Vec<f64> {
    let whole = [shift[0].floor(), shift[1].floor()];
    let kx = kernel(shift[0] - whole[0], derivative[0]);
    let ky = kernel(shift[1] - whole[1], derivative[1]);
    let (ox, oy) = (whole[0] as i64 - RADIUS, whole[1] as i64 - RADIUS);
    let mut rows = vec![0.0; w * h];
    for (line, out) in values.chunks(w).zip(rows.chunks_mut(w)) {
        for (k, weight) in kx.iter().enumerate() {
            let (to, from, n) = overlap(ox + k as i64, w);
            add(&mut out[to..to + n], &line[from..from + n], *weight);
        }
    }
    let mut out = vec![0.0; w * h];
    for (y, line) in out.chunks_mut(w.max(1)).enumerate() {
        for (k, weight) in ky.iter().enumerate() {
            let from = usize::try_from(y as i64 + oy + k as i64).ok().filter(|from| *from < h);
            if let Some(from) = from {
                add(line, &rows[from * w..][..w], *weight);
            }
        }
    }
    out
}

#[inline(always)]
fn add(to: &mut [f64], from: &[f64], weight: f64) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from);
}

/// The places `i` of a line of `n` for which `i + off` is on the line too: the first of them, the first `i + off`, and
/// how many.
fn overlap(off: i64, n: usize) -> (usize, usize, usize) {
    let cut = |v: i64| v.clamp(0, n as i64) as usize;
    let (to, from) = (cut(-off), cut(off));
    (to, from, n - to.max(from))
}

/// The field read `shift` pixels away, smoothed.
pub(super) fn read(field: &Field, shift: [f64; 2]) -> Vec<f64> {
    convolved(field.w, field.h, &field.values, shift, [false, false])
}

/// Gradients along x and y of the smoothed values.
pub(super) fn gradients(w: usize, h: usize, values: &[f64]) -> [Vec<f64>; 2] {
    [
        convolved(w, h, values, [0.0; 2], [true, false]),
        convolved(w, h, values, [0.0; 2], [false, true]),
    ]
}

/// Whether nearly all of what a pixel is smoothed from is clear.
pub(super) fn solid(w: usize, h: usize, clear: &[f64]) -> Vec<bool> {
    /// A stray pixel at the rim of the Gaussian does no harm.
    const NEARLY_ALL: f64 = 0.97;
    convolved(w, h, clear, [0.0; 2], [false, false])
        .iter()
        .map(|part| *part >= NEARLY_ALL)
        .collect()
}
