use super::*;
use crate::raster::stats::median;
use crate::stage::random::SplitMix;

/// Independent standard normal values, the same for a seed.
struct Normal(SplitMix);

impl Normal {
    fn next(&mut self) -> f64 {
        distributions::normal_upper(self.0.unit())
    }
}

/// Two dates of `bands` bands of ground that hang together, with noise; one pixel in `changed` has new ground.
pub(crate) fn pair(seed: u64, bands: usize, pixels: usize, changed: usize) -> Sample {
    let mut normal = Normal(SplitMix(seed));
    let mut sample = Sample {
        before: vec![Vec::new(); bands],
        after: vec![Vec::new(); bands],
        ..Sample::default()
    };
    for i in 0..pixels {
        let common = normal.next();
        let ground: Vec<f64> = (0..bands).map(|_| common + normal.next()).collect();
        for (band, value) in ground.iter().enumerate() {
            let noise = 0.3 + 0.1 * band as f64;
            sample.before[band].push((value + noise * normal.next()) as f32);
            let value = if i % changed == changed - 1 {
                3.0 * normal.next()
            } else {
                *value
            };
            sample.after[band].push((0.8 * value + 2.0 + noise * normal.next()) as f32);
        }
    }
    sample
}

fn chi_squares(irmad: &Irmad, sample: &Sample) -> Vec<f64> {
    let at = |date: &[Vec<f32>], i: usize| date.iter().map(|band| band[i]).collect::<Vec<_>>();
    (0..sample.len())
        .map(|i| irmad.chi_square(&at(&sample.before, i), &at(&sample.after, i)))
        .collect()
}

#[test]
fn gain_and_offset_of_any_band_of_either_date_make_no_difference() {
    let sample = pair(1, 4, 3000, 10);
    let params = IrmadParams::default();
    let (reference, z) = fit(&sample, &params)
        .map(|f| (f.clone(), chi_squares(&f, &sample)))
        .unwrap();
    assert!(reference.converged && reference.history.len() > 3);
    let mut normal = Normal(SplitMix(99));
    for _ in 0..20 {
        let mut other = sample.clone();
        for band in other.before.iter_mut().chain(&mut other.after) {
            let (gain, offset) = (
                libm::exp(2.0 * normal.next()) * normal.next().signum(),
                5.0 * normal.next(),
            );
            band.iter_mut()
                .for_each(|v| *v = (gain * (f64::from(*v) + offset)) as f32);
        }
        let found = fit(&other, &params).unwrap();
        assert_eq!(found.history.len(), reference.history.len());
        for (rho, expected) in found.mad.rho.iter().zip(&reference.mad.rho) {
            assert!((rho - expected).abs() < 1e-5, "{rho} {expected}");
        }
        for (found, expected) in chi_squares(&found, &other).iter().zip(&z) {
            assert!(
                (found - expected).abs() < 2e-3 * expected.max(1.0),
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn without_change_z_is_chi_square_distributed() {
    // Kolmogorov-Smirnov: sqrt(n) D exceeds 1.628 once in a hundred.
    for (seed, bands) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (6, 13)] {
        let sample = pair(seed, bands, 20_000, usize::MAX);
        let irmad = fit(&sample, &IrmadParams::default()).unwrap();
        assert!(irmad.converged, "{bands}");
        let mut z = chi_squares(&irmad, &sample);
        z.sort_by(f64::total_cmp);
        let n = z.len() as f64;
        let away = |(i, z): (usize, &f64)| {
            let p = 1.0 - distributions::chi_square_tail(*z, bands);
            (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs())
        };
        let farthest = z.iter().enumerate().map(away).fold(0.0, f64::max);
        assert!(farthest * n.sqrt() < 1.628, "{bands} bands: {}", farthest * n.sqrt());
    }
}

#[test]
fn bands_of_no_use_are_dropped_by_name_and_the_rest_is_as_without_them() {
    let sample = pair(7, 3, 2000, 10);
    let reference = fit(&sample, &IrmadParams::default()).unwrap();
    let mut more = sample.clone();
    for date in [&mut more.before, &mut more.after] {
        let copy = date[2].iter().map(|v| 3.0 - 2.0 * v).collect();
        date.insert(0, vec![4.0; 2000]);
        date.push(copy);
    }
    let found = fit(&more, &IrmadParams::default()).unwrap();
    assert_eq!(found.bands, [1, 2, 3]);
    assert_eq!(found.mad, reference.mad);
    assert_eq!(found.dropped.len(), 2);
    assert_eq!(found.dropped[0], (0, Useless::Constant));
    assert!(
        matches!(found.dropped[1], (4, Useless::Repeats { band: 3, .. })),
        "{:?}",
        found.dropped
    );
    assert_eq!(chi_squares(&found, &more), chi_squares(&reference, &sample));
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let params = IrmadParams::default();
    let sample = pair(8, 3, 500, 10);
    let mut unlike = sample.clone();
    unlike.after.pop();
    assert_eq!(fit(&unlike, &params), Err(IrmadError::Unlike));
    let few = pair(8, 3, 59, 10);
    let too_few = IrmadError::TooFew {
        expected: 60,
        found: 59,
        bands: 3,
    };
    assert_eq!(fit(&few, &params), Err(too_few));
    assert!(matches!(
        fit(&Sample::default(), &params),
        Err(IrmadError::TooFew { found: 0, .. })
    ));
    let mut hidden = sample.clone();
    hidden.after[1].fill(f32::NAN);
    assert!(matches!(
        fit(&hidden, &params),
        Err(IrmadError::TooFew { found: 0, .. })
    ));
    let mut level = sample.clone();
    level.before.iter_mut().for_each(|band| band.fill(0.25));
    assert_eq!(fit(&level, &params), Err(IrmadError::Constant { bands: 3 }));
    let mut same = sample.clone();
    same.after = same.before.clone();
    assert_eq!(fit(&same, &params), Err(IrmadError::Same));
}

#[test]
fn changed_pixels_lose_their_say() {
    let sample = pair(9, 4, 5000, 10);
    let irmad = fit(&sample, &IrmadParams::default()).unwrap();
    let mut changed: Vec<f64> = irmad.no_change.iter().skip(9).step_by(10).copied().collect();
    let mut rest: Vec<f64> = (0..5000).filter(|i| i % 10 != 9).map(|i| irmad.no_change[i]).collect();
    let (changed, rest) = (median(&mut changed).unwrap(), median(&mut rest).unwrap());
    assert!(changed < 1e-6 && (rest - 0.5).abs() < 0.05, "{changed} {rest}");
}
