//! Numbers that look random and depend on nothing but a seed and a place: the same on every machine and thread.

/// A well-mixed 64-bit number from another: the finaliser of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable
/// pseudorandom number generators", OOPSLA).
pub fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number that depends on `seed` and two integers.
pub fn hash(seed: u64, a: i64, b: i64) -> u64 {
    let a = (a as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let b = (b as u64).wrapping_mul(0xA076_1D64_78BD_642F);
    mix(seed ^ a ^ b.rotate_left(32))
}

/// 0 to 1 (excluded), from the upper 53 bits.
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Value noise: random values in -1 to 1 on a lattice of 1, joined smoothly (Perlin's quintic, which has no crease).
pub fn noise(seed: u64, x: f64, y: f64) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    let ease = |t: f64| (t * t * t * (t * (t * 6.0 - 15.0) + 10.0)) as f32;
    let (u, v) = (ease(x - column), ease(y - row));
    let (column, row) = (column as i64, row as i64);
    let at = |dx: i64, dy: i64| (hash(seed, column + dx, row + dy) >> 40) as f32 * (2.0 / 16_777_216.0) - 1.0;
    let (a, b, c, d) = (at(0, 0), at(1, 0), at(0, 1), at(1, 1));
    let (top, bottom) = (a + (b - a) * u, c + (d - c) * u);
    top + (bottom - top) * v
}

/// Three octaves of [`noise`], each half as wide and half as strong: about -1 to 1, standard deviation about 0.27.
pub fn octaves(seed: u64, x: f64, y: f64) -> f32 {
    let sum = noise(seed, x, y) + 0.5 * noise(seed ^ 1, x * 2.0, y * 2.0) + 0.25 * noise(seed ^ 2, x * 4.0, y * 4.0);
    sum / 1.75
}

/// Two independent draws from the standard normal distribution, by the polar method (Marsaglia and Bray 1964, "A
/// convenient method for generating normal variables", SIAM Review 6).
pub fn normal_pair(seed: u64) -> [f32; 2] {
    let mut state = seed;
    loop {
        state = mix(state);
        let x = (state >> 32) as f64 / 2_147_483_648.0 - 1.0;
        let y = (state & 0xFFFF_FFFF) as f64 / 2_147_483_648.0 - 1.0;
        let s = x * x + y * y;
        if s > 0.0 && s < 1.0 {
            let factor = (-2.0 * libm::log(s) / s).sqrt();
            return [(x * factor) as f32, (y * factor) as f32];
        }
    }
}

/// The mean of `looks` independent exponential draws of mean 1: speckle of a multi-look intensity image, that is a gamma
/// distribution of shape `looks` and mean 1 (Ulaby, Moore and Fung 1982, "Microwave Remote Sensing", volume II).
pub fn speckle(seed: u64, looks: u32) -> f32 {
    let mut state = seed;
    let (mut log_sum, mut product) = (0.0, 1.0);
    for draw in 1..=looks {
        state = mix(state);
        product *= 1.0 - unit(state);
        // Sixteen draws share one logarithm: their product stays far above the smallest number.
        if draw % 16 == 0 || draw == looks {
            log_sum += libm::log(product);
            product = 1.0;
        }
    }
    (-log_sum / f64::from(looks)) as f32
}

/// A sequence of draws for laying things out.
pub struct Draw(u64);

impl Draw {
    /// The sequence that belongs to `seed`, a purpose and a number.
    pub fn new(seed: u64, purpose: i64, number: usize) -> Self {
        Self(hash(seed, purpose, number as i64))
    }

    fn next(&mut self) -> u64 {
        self.0 = mix(self.0);
        self.0
    }

    /// `low` to `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * unit(self.next())
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        unit(self.next()) < probability
    }

    /// One of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.next() % choices.len() as u64) as usize]
    }

    /// 32 random bits.
    pub fn bits(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_draws_have_mean_0_and_variance_1_and_tails() {
        let draws: Vec<f64> = (0..50_000)
            .flat_map(|i| normal_pair(hash(7, i, 3)))
            .map(f64::from)
            .collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        assert!(mean.abs() < 0.015, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
        // 0.27 % lie beyond three sigma.
        let beyond = draws.iter().filter(|x| x.abs() > 3.0).count();
        assert!((200..340).contains(&beyond), "{beyond}");
    }

    #[test]
    fn speckle_of_n_looks_has_mean_1_and_variance_1_over_n() {
        for looks in [1, 4, 20] {
            let draws: Vec<f64> = (0..40_000).map(|i| f64::from(speckle(hash(5, i, 0), looks))).collect();
            let n = draws.len() as f64;
            let mean = draws.iter().sum::<f64>() / n;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            let (mean_error, ratio) = ((mean - 1.0).abs(), variance * f64::from(looks));
            assert!(
                mean_error < 0.03 && (ratio - 1.0).abs() < 0.06,
                "{looks} looks: {mean} {variance}"
            );
        }
    }

    #[test]
    fn noise_is_continuous_over_the_lattice_and_known_at_one_place() {
        for i in -3..3 {
            let x = f64::from(i);
            assert!((noise(1, x - 1e-9, 0.3) - noise(1, x + 1e-9, 0.3)).abs() < 1e-6);
        }
        // A golden value: it moves when anything in the chain does.
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF);
    }
}
