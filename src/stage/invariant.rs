//! Radiometric normalisation on invariant pixels: a line for each band through the pixels that IR-MAD holds for unchanged, tested on a
//! third of them that had no part in it (Canty, Nielsen and Schmidt, "Automatic radiometric normalization of multitemporal satellite
//! imagery", 2004; Canty and Nielsen, the same "with the iteratively re-weighted MAD transformation", 2008).

use super::detect::irmad::Irmad;
use super::distributions;
use super::normalise::{LinearFit, Sample, SensorNoise};
use crate::raster::stats::median_and_sigma;

/// A pixel counts as unchanged when its probability of no change exceeds this (`ncpThresh` of Canty's `radcal.py`).
pub const NO_CHANGE: f64 = 0.95;
/// Fewer unchanged pixels than this give no fit of the scene (ours).
const MIN_PIXELS: usize = 500;
/// They must lie in this many of the nine blocks of the site (ours).
const MIN_BLOCKS: usize = 4;
/// Factors between two dates outside these bounds are no radiometry (ours).
const SLOPES: (f64, f64) = (0.5, 2.0);
/// Pixels of a square of this edge are all fitted or all held out: neighbours are alike, and would test nothing.
const SQUARE_PX: i64 = 8;
/// One square in this many is held out.
const HELD_OUT: u64 = 3;
/// Noise is never taken below this part of the band's own spread, as in [`super::normalise`].
const MIN_NOISE: f64 = 1e-3;

/// A straight line, y = slope x + intercept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Change of y for a change of x by one.
    pub slope: f64,
    /// y at x = 0.
    pub intercept: f64,
    /// Correlation of x and y.
    pub correlation: f64,
}

/// The line with the least squared distances at right angles to it (orthogonal regression, total least squares); `None` where the pairs
/// do not correlate or there are fewer than two. Values that are not finite are not expected.
pub fn orthogonal_line(pairs: &[[f32; 2]]) -> Option<Line> {
    let n = pairs.len() as f64;
    let mean = |side: usize| pairs.iter().map(|pair| f64::from(pair[side])).sum::<f64>() / n;
    let (x_mean, y_mean) = (mean(0), mean(1));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for [x, y] in pairs {
        let (x, y) = (f64::from(*x) - x_mean, f64::from(*y) - y_mean);
        (xx, yy, xy) = (xx + x * x, yy + y * y, xy + x * y);
    }
    if pairs.len() < 2 || xx <= 0.0 || yy <= 0.0 || xy == 0.0 {
        return None;
    }
    let slope = ((yy - xx) + ((yy - xx) * (yy - xx) + 4.0 * xy * xy).sqrt()) / (2.0 * xy);
    Some(Line {
        slope,
        intercept: y_mean - slope * x_mean,
        correlation: xy / (xx * yy).sqrt(),
    })
}

/// How the held-out pixels of a band agree with the later date once the line is applied to the earlier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Paired t of the means.
    pub t: f64,
    /// Probability of a t as far from 0 without a difference of the means.
    pub p_means: f64,
    /// Ratio of the variances, normalised over later.
    pub f: f64,
    /// Probability of a ratio as far from 1, either way, without a difference of the variances.
    pub p_variances: f64,
}

/// One band: after = slope x before + intercept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InvariantBand {
    /// The line through the fitted pixels.
    pub line: Line,
    /// What the held-out pixels say of it.
    pub held_out: Agreement,
    /// 1.4826 x median absolute deviation from the line over the whole sample, in the band's unit: the unchanged pixels are those with
    /// the least, and would flatter it.
    pub noise: f64,
}

/// A normalisation on invariant pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Invariant {
    /// One line a band.
    pub bands: Vec<InvariantBand>,
    /// Which pixels of the sample count as unchanged.
    pub unchanged: Vec<bool>,
    /// Unchanged pixels that were fitted, and that were held out.
    pub pixels: [usize; 2],
    /// Blocks of the nine that hold unchanged pixels.
    pub blocks: usize,
}

/// Why the invariant pixels give no normalisation; [`super::normalise::fit`] is what is left then.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvariantError {
    /// IR-MAD did not come to rest, so its unchanged pixels may be a clique that only happens to agree.
    #[error(
        "normalising on invariant pixels: expected IR-MAD to settle, found it still moving after {rounds} rounds; the robust fit is used"
    )]
    Unsettled {
        /// Rounds of IR-MAD.
        rounds: usize,
    },
    /// Too few pixels are unchanged.
    #[error(
        "normalising on invariant pixels: expected at least {expected} unchanged pixels, found {found}; the robust fit is used"
    )]
    TooFew {
        /// Needed.
        expected: usize,
        /// There.
        found: usize,
    },
    /// They lie too close together.
    #[error(
        "normalising on invariant pixels: expected unchanged pixels in at least {expected} of 9 blocks of the site, found them in {found}; \
         the robust fit is used"
    )]
    Clustered {
        /// Needed.
        expected: usize,
        /// There.
        found: usize,
    },
    /// No line, or one that is no radiometry.
    #[error(
        "normalising on invariant pixels: expected a slope of 0.5 to 2 in band {band}, found {slope:.3}; the robust fit is used"
    )]
    Slope {
        /// Number of the band.
        band: usize,
        /// Its slope; NaN where the dates do not correlate.
        slope: f64,
    },
}

impl Invariant {
    /// The linear fit of each band, with the noise that its sensor states (none where `sensor` is short).
    pub fn linear_fits(&self, sensor: &[SensorNoise]) -> Vec<LinearFit> {
        let sensors = sensor.iter().copied().chain(std::iter::repeat(SensorNoise::default()));
        let fit = |(band, sensor): (&InvariantBand, SensorNoise)| LinearFit {
            gain: band.line.slope,
            offset: band.line.intercept,
            noise: (band.noise * band.noise + sensor.floor * sensor.floor).sqrt(),
            noise_fraction: sensor.fraction,
            correlation: band.line.correlation,
        };
        self.bands.iter().zip(sensors).map(fit).collect()
    }
}

/// The line of each band of `sample`, on the pixels that `irmad`, fitted to it, holds for unchanged.
///
/// # Errors
/// An IR-MAD that did not settle; what [`fit`] refuses.
pub fn of_irmad(sample: &Sample, irmad: &Irmad) -> Result<Invariant, InvariantError> {
    if irmad.converged {
        fit(sample, &irmad.no_change)
    } else {
        let rounds = irmad.history.len();
        Err(InvariantError::Unsettled { rounds })
    }
}

/// The line of each band of `sample`, given the probability of no change of each pixel (of [`super::detect::irmad`]). Which pixels are held out
/// depends on their places alone.
///
/// # Errors
/// Fewer than 500 unchanged pixels, or in fewer than 4 of the 3 x 3 blocks that the places span; a slope outside 0.5 to 2.
pub fn fit(sample: &Sample, no_change: &[f64]) -> Result<Invariant, InvariantError> {
    let places = &sample.places;
    let unchanged: Vec<bool> = (0..sample.len())
        .map(|i| no_change.get(i).is_some_and(|p| *p > NO_CHANGE) && places.get(i).is_some())
        .collect();
    let chosen: Vec<usize> = (0..sample.len()).filter(|i| unchanged[*i]).collect();
    let (fitted, held): (Vec<usize>, Vec<usize>) = chosen.iter().partition(|i| !held_out(places[**i]));
    if chosen.len() < MIN_PIXELS || held.len() < 2 || fitted.len() < 2 {
        let found = chosen.len();
        return Err(InvariantError::TooFew {
            expected: MIN_PIXELS,
            found,
        });
    }
    let blocks = blocks(places, &chosen);
    if blocks < MIN_BLOCKS {
        return Err(InvariantError::Clustered {
            expected: MIN_BLOCKS,
            found: blocks,
        });
    }
    let mut bands = Vec::with_capacity(sample.before.len());
    for (band, (x, y)) in sample.before.iter().zip(&sample.after).enumerate() {
        let pairs = |of: &[usize]| of.iter().map(|i| [x[*i], y[*i]]).collect::<Vec<_>>();
        let line = orthogonal_line(&pairs(&fitted))
            .filter(|line| line.slope >= SLOPES.0 && line.slope <= SLOPES.1)
            .ok_or_else(|| {
                let slope = orthogonal_line(&pairs(&fitted)).map_or(f64::NAN, |line| line.slope);
                InvariantError::Slope { band, slope }
            })?;
        let mut residuals: Vec<f64> = (x.iter().zip(y))
            .map(|(x, y)| f64::from(*y) - line.slope * f64::from(*x) - line.intercept)
            .filter(|r| r.is_finite())
            .collect();
        let sigma = median_and_sigma(&mut residuals).map_or(0.0, |(_, sigma)| sigma);
        let mut later: Vec<f64> = y.iter().map(|y| f64::from(*y)).filter(|y| y.is_finite()).collect();
        let spread = median_and_sigma(&mut later).map_or(0.0, |(_, sigma)| sigma);
        let noise = sigma.max(MIN_NOISE * spread).max(f64::from(f32::EPSILON));
        bands.push(InvariantBand {
            line,
            held_out: agreement(&line, &pairs(&held)),
            noise,
        });
    }
    let pixels = [fitted.len(), held.len()];
    Ok(Invariant {
        bands,
        unchanged,
        pixels,
        blocks,
    })
}

/// Whether the square of a place is held out: by a hash of the square (SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", 2014).
fn held_out((x, y): (i64, i64)) -> bool {
    let [column, row] = [x, y].map(|v| v.div_euclid(SQUARE_PX) as u64);
    let mut hash = column.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(row);
    for factor in [0xbf58_476d_1ce4_e5b9_u64, 0x94d0_49bb_1331_11eb] {
        hash = (hash ^ (hash >> 30)).wrapping_mul(factor);
    }
    (hash ^ (hash >> 31)) % HELD_OUT == 0
}

/// How many of the 3 x 3 blocks of all `places` hold a chosen one.
fn blocks(places: &[(i64, i64)], chosen: &[usize]) -> usize {
    let bounds = |of: fn(&(i64, i64)) -> i64| {
        let (low, high) = places
            .iter()
            .map(of)
            .fold((i64::MAX, i64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        (low, (high - low + 1).max(1))
    };
    let (columns, rows) = (bounds(|place| place.0), bounds(|place| place.1));
    let third = |v: i64, (low, length): (i64, i64)| (3 * (v - low) / length).clamp(0, 2) as usize;
    let mut seen = [false; 9];
    for (x, y) in chosen.iter().filter_map(|i| places.get(*i)) {
        seen[3 * third(*y, rows) + third(*x, columns)] = true;
    }
    seen.iter().filter(|seen| **seen).count()
}

fn agreement(line: &Line, pairs: &[[f32; 2]]) -> Agreement {
    let n = pairs.len() as f64;
    let normalised: Vec<f64> = pairs
        .iter()
        .map(|[x, _]| line.slope * f64::from(*x) + line.intercept)
        .collect();
    let found: Vec<f64> = pairs.iter().map(|[_, y]| f64::from(*y)).collect();
    let differences: Vec<f64> = normalised.iter().zip(&found).map(|(a, b)| a - b).collect();
    let mean_and_variance = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / n;
        (
            mean,
            values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0),
        )
    };
    let (mean, variance) = mean_and_variance(&differences);
    let t = if mean == 0.0 { 0.0 } else { mean / (variance / n).sqrt() };
    let f = mean_and_variance(&normalised).1 / mean_and_variance(&found).1;
    Agreement {
        t,
        p_means: distributions::student_two_sided(t, n - 1.0),
        f,
        p_variances: distributions::variance_ratio_two_sided(f, n - 1.0, n - 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::detect::irmad::tests::pair as pair_of_bands;
    use crate::stage::detect::irmad::{self, IrmadParams};

    /// A triangular noise on [-1, 1] without a generator.
    fn noise(i: usize) -> f32 {
        let parts = [(i * 7919) % 1000, (i * 104_729 + 31) % 1009];
        parts[0] as f32 / 1000.0 + parts[1] as f32 / 1009.0 - 1.0
    }

    /// 60 x 60 pixels of one band, after = 1.25 x before + 3 with noise on both dates, one in ten changed; and who is unchanged.
    fn pair() -> (Sample, Vec<f64>) {
        let mut sample = Sample {
            before: vec![Vec::new()],
            after: vec![Vec::new()],
            ..Sample::default()
        };
        let mut no_change = Vec::new();
        for i in 0..3600 {
            let ground = 10.0 + 5.0 * noise(13 * i + 5);
            let changed = i % 10 == 0;
            sample.before[0].push(ground + 0.1 * noise(3 * i));
            sample.after[0].push(if changed {
                40.0
            } else {
                1.25 * ground + 3.0 + 0.1 * noise(7 * i + 2)
            });
            sample.places.push(((i % 60) as i64 - 20, (i / 60) as i64));
            no_change.push(if changed { 0.1 } else { 0.99 });
        }
        (sample, no_change)
    }

    #[test]
    fn the_orthogonal_line_is_the_first_principal_axis() {
        // x = 0, 1, 2, 3 and y = 1, 2, 4, 5: numpy.linalg.eigh(numpy.cov(x, y)) has the axis (0.576, 0.817).
        let line = orthogonal_line(&[[0.0, 1.0], [1.0, 2.0], [2.0, 4.0], [3.0, 5.0]]).unwrap();
        assert!((line.slope - 1.419_004_9).abs() < 1e-6, "{line:?}");
        assert!((line.intercept - (3.0 - 1.5 * line.slope)).abs() < 1e-12);
        assert!((line.correlation - 0.989_949_5).abs() < 1e-6, "{line:?}");
        // Either date may come first.
        let other = orthogonal_line(&[[1.0, 0.0], [2.0, 1.0], [4.0, 2.0], [5.0, 3.0]]).unwrap();
        assert!((other.slope * line.slope - 1.0).abs() < 1e-12);
        assert_eq!(orthogonal_line(&[[1.0, 2.0], [1.0, 3.0]]), None);
        assert_eq!(orthogonal_line(&[]), None);
    }

    #[test]
    fn the_line_of_unchanged_ground_is_found_and_holds_on_what_was_held_out() {
        let (sample, no_change) = pair();
        let found = fit(&sample, &no_change).unwrap();
        let band = found.bands[0];
        assert!(
            (band.line.slope - 1.25).abs() < 0.01 && (band.line.intercept - 3.0).abs() < 0.1,
            "{band:?}"
        );
        assert!(band.line.correlation > 0.999 && band.held_out.p_means > 0.01 && band.held_out.p_variances > 0.01);
        assert_eq!((found.blocks, found.pixels[0] + found.pixels[1]), (9, 3240));
        assert!(
            (found.pixels[1] as f64 / 3240.0 - 1.0 / 3.0).abs() < 0.1,
            "{:?}",
            found.pixels
        );
        let sensor = SensorNoise {
            floor: 3.0,
            fraction: 0.02,
        };
        let fit = found.linear_fits(&[sensor])[0];
        assert_eq!(
            (fit.gain, fit.offset, fit.noise_fraction),
            (band.line.slope, band.line.intercept, 0.02)
        );
        assert!(
            fit.noise > 3.0 && fit.noise < 3.01 && band.noise > 0.03 && band.noise < 0.12,
            "{fit:?} {band:?}"
        );
    }

    #[test]
    fn held_out_pixels_that_disagree_are_noticed() {
        let line = Line {
            slope: 1.0,
            intercept: 0.0,
            correlation: 1.0,
        };
        let pairs =
            |shift: f32, gain: f32| (0..200).map(move |i| [noise(i), gain * noise(i) + shift + 0.1 * noise(3 * i)]);
        let fine = agreement(&line, &pairs(0.0, 1.0).collect::<Vec<_>>());
        let shifted = agreement(&line, &pairs(0.1, 1.0).collect::<Vec<_>>());
        let wider = agreement(&line, &pairs(0.0, 1.5).collect::<Vec<_>>());
        assert!(fine.p_means > 0.05 && fine.p_variances > 0.5, "{fine:?}");
        assert!(shifted.p_means < 1e-6 && shifted.t < 0.0, "{shifted:?}");
        assert!(wider.p_variances < 1e-6 && wider.f < 0.6, "{wider:?}");
    }

    #[test]
    fn an_irmad_that_did_not_settle_is_not_used() {
        let mut sample = pair_of_bands(11, 3, 3600, 10);
        sample.places = pair().0.places;
        let of = |max_iterations: usize| {
            let params = IrmadParams {
                max_iterations,
                ..IrmadParams::default()
            };
            of_irmad(&sample, &irmad::fit(&sample, &params).unwrap())
        };
        assert_eq!(of(2), Err(InvariantError::Unsettled { rounds: 2 }));
        // Pixels are few, but for nothing else.
        assert!(
            matches!(of(50), Err(InvariantError::TooFew { found: 100..500, .. })),
            "{:?}",
            of(50)
        );
    }

    #[test]
    fn too_few_too_clustered_and_too_steep_are_refused() {
        let (sample, no_change) = pair();
        let only = |keep: &dyn Fn(usize) -> bool| -> Vec<f64> {
            no_change
                .iter()
                .enumerate()
                .map(|(i, p)| if keep(i) { *p } else { 0.0 })
                .collect()
        };
        assert_eq!(
            fit(&sample, &only(&|i| i < 500)),
            Err(InvariantError::TooFew {
                expected: 500,
                found: 450
            })
        );
        assert_eq!(
            fit(&sample, &only(&|i| i < 20 * 60)),
            Err(InvariantError::Clustered { expected: 4, found: 3 })
        );
        let mut steep = sample.clone();
        steep.after[0].iter_mut().for_each(|v| *v *= 2.0);
        assert!(matches!(fit(&steep, &no_change), Err(InvariantError::Slope { band: 0, slope }) if slope > 2.4));
        let mut level = sample.clone();
        level.after[0].fill(1.0);
        assert!(matches!(fit(&level, &no_change), Err(InvariantError::Slope { band: 0, slope }) if slope.is_nan()));
        assert!(matches!(
            fit(&Sample::default(), &[]),
            Err(InvariantError::TooFew { found: 0, .. })
        ));
    }
}
