//! Phase correlation: the whole-pixel shift of a window.
//!
//! Kuglin and Hines, "The phase correlation image alignment method", 1975, on a Hann window (AROSICS has none: the
//! frame then correlates with itself at shift 0), with the high frequencies, where aliasing is, damped as in Stone et
//! al., "A fast direct Fourier-based algorithm for subpixel registration of images", TGRS 2001.

use std::f64::consts::PI;

use rustfft::{Fft, FftDirection, FftPlannerScalar, num_complex::Complex};

use super::field::Field;
use super::rejected::Reason;

/// The highest peak of the correlation surface and what stands against it, among shifts of up to a quarter of the
/// window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Peak {
    /// What to add to the position of the target's content, whole pixels.
    pub shift: [i64; 2],
    /// Height over the mean of the rest, in standard deviations of the rest.
    pub reliability: f64,
    /// The shift of the second highest peak.
    pub other: [i64; 2],
    /// Its height as a part of the highest.
    pub second: f64,
}

/// Standard deviation of the Gaussian that the surface is smoothed with, pixels; it damps high frequencies.
const DAMPING: f64 = 0.8;
/// What belongs to a peak, pixels from its top.
const PEAK_RADIUS: i64 = 3;
/// The least reliability. The surface of two unlike windows holds some hundred independent values: the highest of so
/// many normal values is 3 to 3.5, so that 5 has a chance of one in ten thousand.
const MIN_RELIABILITY: f64 = 5.0;
/// A second peak higher than this part of the first: either may be the right one.
const MAX_SECOND: f64 = 0.7;
/// Frequencies with less than this part of the mean amplitude carry rounding, not phase.
const MIN_AMPLITUDE: f64 = 1e-6;

impl Peak {
    /// Whether the peak can be trusted.
    pub(super) fn judge(&self, max_shift: usize) -> Result<(), Reason> {
        if self.reliability.is_nan() || self.reliability < MIN_RELIABILITY {
            Err(Reason::Unreliable)
        } else if self.second > MAX_SECOND {
            Err(Reason::Ambiguous)
        } else if self.shift.iter().any(|s| s.unsigned_abs() > max_shift as u64) {
            Err(Reason::BeyondMaxShift)
        } else {
            Ok(())
        }
    }
}

/// The highest peak of two fields of one size.
pub(super) fn peak(r: &Field, t: &Field) -> Peak {
    let (w, h) = (r.w as i64, r.h as i64);
    let surface = surface(r, t);
    let wrapped = |d: i64, n: i64| if d < 0 { d + n } else { d };
    let at = |dx: i64, dy: i64| surface[(wrapped(dy, h) * w + wrapped(dx, w)) as usize];
    let reach = w.min(h) / 4;
    let shifts = || (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| [dx, dy]));
    let highest = |shifts: &mut dyn Iterator<Item = [i64; 2]>| {
        shifts.fold((f64::NEG_INFINITY, [0, 0]), |best, [dx, dy]| {
            if at(dx, dy) > best.0 {
                (at(dx, dy), [dx, dy])
            } else {
                best
            }
        })
    };
    let (height, shift) = highest(&mut shifts());
    let rest = |[dx, dy]: &[i64; 2]| (dx - shift[0]).abs() > PEAK_RADIUS || (dy - shift[1]).abs() > PEAK_RADIUS;
    let (second, other) = highest(&mut shifts().filter(rest));
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for [dx, dy] in shifts().filter(rest) {
        n += 1.0;
        sum += at(dx, dy);
        squares += at(dx, dy) * at(dx, dy);
    }
    let mean = sum / n;
    let sigma = (squares / n - mean * mean).max(0.0).sqrt();
    Peak {
        shift,
        reliability: rounded((height - mean) / sigma.max(f64::MIN_POSITIVE)),
        other,
        second: rounded(second / height.max(f64::MIN_POSITIVE)),
    }
}

/// To a thousandth: rustfft takes its sines from the system, which may differ in the last bit between processors.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// The phase correlation surface by shift to apply to the target, wrapped.
fn surface(r: &Field, t: &Field) -> Vec<f64> {
    let (w, h) = (r.w, r.h);
    let (hx, hy) = (hann(w), hann(h));
    // Both fields in one transform: r real, t imaginary.
    let mut both: Vec<Complex<f64>> = (0..w * h)
        .map(|i| {
            let weight = hx[i % w] * hy[i / w];
            Complex::new(r.texture[i] * weight, t.texture[i] * weight)
        })
        .collect();
    let mut planner = FftPlannerScalar::new();
    let forward = [
        planner.plan_fft(w, FftDirection::Forward),
        planner.plan_fft(h, FftDirection::Forward),
    ];
    let inverse = [
        planner.plan_fft(w, FftDirection::Inverse),
        planner.plan_fft(h, FftDirection::Inverse),
    ];
    transform(&mut both, w, h, &forward);
    let mut cross = vec![Complex::new(0.0, 0.0); w * h];
    for y in 0..h {
        for x in 0..w {
            let (a, b) = (both[y * w + x], both[(h - y) % h * w + (w - x) % w].conj());
            let (r, t) = ((a + b) * 0.5, (a - b) * Complex::new(0.0, -0.5));
            cross[y * w + x] = r * t.conj();
        }
    }
    let amplitude = |c: &Complex<f64>| (c.re * c.re + c.im * c.im).sqrt();
    let least = MIN_AMPLITUDE * cross.iter().map(amplitude).sum::<f64>() / (w * h) as f64;
    let (dx, dy) = (damping(w), damping(h));
    for y in 0..h {
        for x in 0..w {
            let c = &mut cross[y * w + x];
            *c *= dx[x] * dy[y] / (amplitude(c) + least).max(f64::MIN_POSITIVE);
        }
    }
    cross[0] = Complex::new(0.0, 0.0);
    transform(&mut cross, w, h, &inverse);
    cross.iter().map(|c| c.re).collect()
}

/// The transform of rows, then of columns.
fn transform(data: &mut [Complex<f64>], w: usize, h: usize, plans: &[std::sync::Arc<dyn Fft<f64>>; 2]) {
    plans[0].process(data);
    let mut turned = vec![Complex::new(0.0, 0.0); w * h];
    for y in 0..h {
        for x in 0..w {
            turned[x * h + y] = data[y * w + x];
        }
    }
    plans[1].process(&mut turned);
    for y in 0..h {
        for x in 0..w {
            data[y * w + x] = turned[x * h + y];
        }
    }
}

fn hann(n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| 0.5 - 0.5 * libm::cos(2.0 * PI * (i as f64 + 0.5) / n as f64))
        .collect()
}

/// The transform of the Gaussian [`DAMPING`] at the frequencies of `n` places.
fn damping(n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| {
            let f = i.min(n - i) as f64 / n as f64;
            libm::exp(-2.0 * PI * PI * DAMPING * DAMPING * f * f)
        })
        .collect()
}
