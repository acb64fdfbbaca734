//! Tail probabilities of the distributions that the tests here need, by `libm` alone: the same bits everywhere.

/// Probability that a chi-square variable of `degrees` degrees of freedom exceeds `x`: a finite sum for whole degrees
/// (Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964, 26.4.4 and 26.4.5). NaN gives NaN.
pub fn chi_square_tail(x: f64, degrees: usize) -> f64 {
    let y = 0.5 * x.max(0.0);
    if x.is_nan() || degrees == 0 {
        return f64::NAN;
    }
    let (mut sum, mut term, mut k) = if degrees.is_multiple_of(2) {
        (1.0, 1.0, 1.0)
    } else {
        (0.0, 2.0 * (y / core::f64::consts::PI).sqrt(), 1.5)
    };
    if degrees % 2 == 1 && degrees > 1 {
        sum = term;
    }
    // Of a large sum a part of exp(-y) is taken at once: neither runs out of range.
    let mut left = y;
    while 2.0 * k < degrees as f64 {
        term *= y / k;
        sum += term;
        k += 1.0;
        if sum > 1e200 && left > 400.0 {
            (sum, term, left) = (sum * libm::exp(-400.0), term * libm::exp(-400.0), left - 400.0);
        }
    }
    let head = if degrees % 2 == 1 { libm::erfc(y.sqrt()) } else { 0.0 };
    (head + libm::exp(-left) * sum).min(1.0)
}

/// What a chi-square value of `degrees` degrees of freedom is worth in standard deviations of a normal distribution: the value that this law
/// exceeds as seldom. Exact down to a probability of 1e-300, beyond that good to 0.1 percent; never below -8.
pub fn chi_square_sigma(x: f64, degrees: usize) -> f64 {
    let tail = chi_square_tail(x, degrees);
    if tail.is_nan() {
        f64::NAN
    } else if tail > 1e-300 {
        normal_upper(tail)
    } else {
        // Leading term of the chi-square tail against phi(z)/z, solved by repeating.
        let half = 0.5 * degrees as f64;
        let log_tail = (half - 1.0) * libm::log(0.5 * x) - 0.5 * x - libm::lgamma(half);
        (0..4).fold((-2.0 * log_tail).sqrt(), |z: f64, _| {
            (-2.0 * (log_tail + libm::log(z * (2.0 * core::f64::consts::PI).sqrt()))).sqrt()
        })
    }
}

/// The value that a standard normal variable exceeds with probability `tail`, held inside -8 and +38: Wichura, "Algorithm AS 241: the
/// percentage points of the normal distribution", 1988 (PPND16, about 1e-16).
pub fn normal_upper(tail: f64) -> f64 {
    let tail = tail.clamp(1e-310, 1.0 - 1e-15);
    let q = 0.5 - tail;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * CENTRE.at(r);
    }
    let r = (-libm::log(tail.min(1.0 - tail))).sqrt();
    let z = if r <= 5.0 {
        SHOULDER.at(r - 1.6)
    } else {
        TAIL.at(r - 5.0)
    };
    if q < 0.0 { (-z).max(-8.0) } else { z }
}

/// A ratio of two polynomials, by their coefficients from the constant on.
struct Ratio {
    above: [f64; 8],
    below: [f64; 8],
}

impl Ratio {
    fn at(&self, r: f64) -> f64 {
        let polynomial = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * r + c);
        polynomial(&self.above) / polynomial(&self.below)
    }
}

const CENTRE: Ratio = Ratio {
    above: [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    below: [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
};
const SHOULDER: Ratio = Ratio {
    above: [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    below: [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
};
const TAIL: Ratio = Ratio {
    above: [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    below: [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
};

/// Probability that Student's t of `degrees` degrees of freedom lies farther from 0 than `t`.
pub fn student_two_sided(t: f64, degrees: f64) -> f64 {
    beta_part(degrees / (degrees + t * t), 0.5 * degrees, 0.5)
}

/// Probability of a ratio of two variances at least as far from 1 as `f`, either way, with `above` and `below` degrees of freedom.
pub fn variance_ratio_two_sided(f: f64, above: f64, below: f64) -> f64 {
    let upper = beta_part(below / (below + above * f), 0.5 * below, 0.5 * above);
    if upper > 0.5 { 2.0 * (1.0 - upper) } else { 2.0 * upper }
}

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (Press et al., "Numerical Recipes", 6.4, with
/// Lentz's method); good to about 1e-10 for a and b up to a million.
pub fn beta_part(x: f64, a: f64, b: f64) -> f64 {
    if x.is_nan() || a.is_nan() || b.is_nan() || a <= 0.0 || b <= 0.0 {
        return f64::NAN;
    }
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        1.0 - beta_below(1.0 - x, b, a)
    } else {
        beta_below(x, a, b)
    }
}

/// [`beta_part`] where its continued fraction converges quickly.
fn beta_below(x: f64, a: f64, b: f64) -> f64 {
    let log_front =
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x) - libm::log(a);
    let away = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut fraction) = (1.0, d);
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            step = c * d;
            fraction *= step;
        }
        if (step - 1.0).abs() < 1e-14 {
            break;
        }
    }
    libm::exp(log_front) * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, part: f64) {
        assert!(
            (found - expected).abs() <= part * expected.abs(),
            "{found} against {expected}"
        );
    }

    #[test]
    fn chi_square_tails_are_those_of_scipy() {
        // scipy.stats.chi2.sf(x, degrees)
        for (x, degrees, tail) in [
            (0.5, 1, 4.795001221869534e-01),
            (3.84, 1, 5.004352124870519e-02),
            (5.0, 2, 8.20849986238988e-02),
            (0.01, 3, 9.997348349413444e-01),
            (7.81, 3, 5.010605635000589e-02),
            (30.0, 4, 4.894437128029217e-06),
            (22.36, 13, 5.002875315440244e-02),
            (60.0, 13, 5.253479852705724e-08),
            (200.0, 6, 1.897610755368224e-40),
            (1000.0, 3, 1.799420876531407e-216),
            (2100.0, 2000, 5.867111137731806e-02),
            (2100.0, 2001, 6.052953120249574e-02),
        ] {
            near(chi_square_tail(x, degrees), tail, 1e-12);
        }
        assert_eq!(chi_square_tail(0.0, 3), 1.0);
        assert!(chi_square_tail(f64::NAN, 3).is_nan() && chi_square_tail(1.0, 0).is_nan());
    }

    #[test]
    fn a_chi_square_value_in_sigma_is_that_of_scipy_and_never_falls() {
        // scipy.stats.norm.isf(scipy.stats.chi2.sf(x, degrees)); the last two from the logarithms of both tails.
        for (x, degrees, sigma) in [
            (0.1, 4, -3.033392495280),
            (30.0, 4, 4.421785207578),
            (100.0, 13, 7.878322575754),
            (600.0, 3, 24.204070109418),
            (1300.0, 4, 35.749831477989),
        ] {
            near(chi_square_sigma(x, degrees), sigma, 1e-10);
        }
        near(chi_square_sigma(2000.0, 4), 44.4607061494691, 1e-3);
        near(chi_square_sigma(20_000.0, 6), 141.25439968562858, 1e-3);
        for degrees in [1, 3, 4, 13] {
            let steps: Vec<f64> = (0..3000).map(|i| chi_square_sigma(f64::from(i), degrees)).collect();
            assert!(steps.windows(2).all(|pair| pair[1] >= pair[0]), "{degrees}");
        }
    }

    #[test]
    fn normal_t_and_f_are_those_of_scipy() {
        // scipy.stats.norm.isf(p)
        for (tail, z) in [
            (0.9999, -3.719016485455709),
            (0.2, 0.8416212335729142),
            (1e-3, 3.090232306167813),
            (1e-100, 21.273453560965322),
        ] {
            near(normal_upper(tail), z, 1e-12);
        }
        // 2 * scipy.stats.t.sf(t, n)
        for (t, n, p) in [
            (0.5, 3.0, 0.651447964848151),
            (-1.96, 5000.0, 0.050051252291819504),
            (12.0, 40.0, 7.82417130425598e-15),
            (0.0, 7.0, 1.0),
        ] {
            near(student_two_sided(t, n), p, 1e-9);
        }
        // 2 * min(scipy.stats.f.sf(f, a, b), scipy.stats.f.cdf(f, a, b))
        for (f, a, b, p) in [
            (1.05, 3000.0, 3000.0, 0.18155055247397195),
            (0.8, 50.0, 50.0, 0.4329291648980722),
            (2.5, 10.0, 20.0, 0.07780727268371915),
        ] {
            near(variance_ratio_two_sided(f, a, b), p, 1e-9);
        }
        assert!(student_two_sided(f64::NAN, 3.0).is_nan() && variance_ratio_two_sided(f64::NAN, 3.0, 3.0).is_nan());
    }
}
