//! The multivariate alteration detection transform: the differences of both dates that hang together least, and their distribution
//! without change (Nielsen, Conradsen and Simpson, "Multivariate alteration detection (MAD) and MAF postprocessing in
//! multispectral, bitemporal image data", 1998).
//!
//! Bands are brought to unit variance first, so that nothing here depends on their gains; f64 sums run in the order of the pixels.

use nalgebra::DMatrix;
use nalgebra::linalg::SymmetricEigen;

/// Weighted means and covariances of the bands of both dates: those of the earlier date first, then those of the later.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Means, in the unit of each band.
    pub means: Vec<f64>,
    /// Covariances, one row a band.
    pub covariance: Vec<Vec<f64>>,
}

/// Pixels whose products are summed before the sum is added to the total.
const BLOCK: usize = 1024;

/// Weighted means and covariances of `columns`, one a band and all of one length; `None` where the weights add up to nothing.
pub fn moments(columns: &[&[f32]], weights: &[f64]) -> Option<Moments> {
    let total: f64 = weights.chunks(BLOCK).map(|part| part.iter().sum::<f64>()).sum();
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    let mut centred = vec![[0.0; BLOCK]; columns.len()];
    let mut means = vec![0.0; columns.len()];
    let mut sums = vec![vec![0.0; columns.len()]; columns.len()];
    for (mean, column) in means.iter_mut().zip(columns) {
        let parts = column.chunks(BLOCK).zip(weights.chunks(BLOCK));
        *mean = parts.map(|(values, w)| weighted_sum(values, w)).sum::<f64>() / total;
    }
    let mut weighted = [0.0; BLOCK];
    for (block, w) in weights.chunks(BLOCK).enumerate() {
        for ((target, column), mean) in centred.iter_mut().zip(columns).zip(&means) {
            let values = column.get(block * BLOCK..).unwrap_or_default();
            target
                .iter_mut()
                .zip(values)
                .zip(w)
                .for_each(|((t, v), _)| *t = f64::from(*v) - mean);
        }
        for (i, row) in sums.iter_mut().enumerate() {
            weighted
                .iter_mut()
                .zip(&centred[i])
                .zip(w)
                .for_each(|((t, v), w)| *t = v * w);
            for (sum, other) in row[..=i].iter_mut().zip(&centred) {
                *sum += dot(&weighted[..w.len()], &other[..w.len()]);
            }
        }
    }
    // As Canty's code divides: by (n - 1) mean weights.
    let n = weights.len() as f64;
    let divisor = total * (1.0 - 1.0 / n).max(0.5);
    let covariance = (0..columns.len())
        .map(|i| (0..columns.len()).map(|j| sums[i.max(j)][i.min(j)] / divisor).collect())
        .collect();
    Some(Moments { means, covariance })
}

fn weighted_sum(values: &[f32], weights: &[f64]) -> f64 {
    values.iter().zip(weights).map(|(v, w)| f64::from(*v) * w).sum()
}

/// The scalar product in eight lanes, always the same: compilers may use vectors, and the sum stays what it is.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        lanes.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}

/// A fitted transform: the i-th variate is `a_i'(x - mean) - b_i'(y - mean)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mad {
    /// Canonical correlations, ascending.
    pub rho: Vec<f64>,
    /// Means of the bands of both dates.
    pub means: [Vec<f64>; 2],
    /// What the earlier date is multiplied with: one row a variate. The correlations of its bands with `a_i'x` add up to more than zero.
    pub a: Vec<Vec<f64>>,
    /// The same of the later date; `a_i'x` and `b_i'y` correlate positively.
    pub b: Vec<Vec<f64>>,
    /// Standard deviation of each variate on ground that did not change.
    pub sigma: Vec<f64>,
}

/// Variates whose variance is below this part of what they are made of are rounding: the dates are equal there.
const MIN_VARIANCE: f64 = 1e-10;

impl Mad {
    /// Whether every variate has a spread: not so where both dates are equal up to gain and offset.
    pub fn has_spread(&self) -> bool {
        self.sigma.iter().all(|s| s * s > MIN_VARIANCE)
    }
}

/// The transform of `moments`, whose first half are the bands of the earlier date; `ridge` (0 to less than 1) shrinks the
/// correlations between the bands of each date (Nielsen, "The regularized iteratively reweighted MAD method for change detection in
/// multi- and hyperspectral data", 2007, with the identity as penalty, on bands of unit variance). `None` where bands are constant or
/// depend on each other.
pub fn canonical(moments: &Moments, ridge: f64) -> Option<Mad> {
    let p = moments.means.len() / 2;
    let scales: Vec<f64> = (0..2 * p).map(|k| moments.covariance[k][k].sqrt()).collect();
    if p == 0 || scales.iter().any(|s| s.is_nan() || *s <= 0.0) {
        return None;
    }
    let correlation = |i: usize, j: usize| moments.covariance[i][j] / (scales[i] * scales[j]);
    let block = |rows: usize, columns: usize, keep: f64| -> Vec<Vec<f64>> {
        let value =
            |i, j| correlation(rows + i, columns + j) * keep + if rows == columns && i == j { 1.0 - keep } else { 0.0 };
        (0..p).map(|i| (0..p).map(|j| value(i, j)).collect()).collect()
    };
    let (lower_x, lower_y) = (
        cholesky(&block(0, 0, 1.0 - ridge))?,
        cholesky(&block(p, p, 1.0 - ridge))?,
    );
    // k = Lx^-1 S12 Ly^-T: its singular vectors u, v and values are what is looked for.
    let half: Vec<Vec<f64>> = transposed(&block(0, p, 1.0))
        .iter()
        .map(|column| forward(&lower_x, column))
        .collect();
    let k: Vec<Vec<f64>> = transposed(&half).iter().map(|row| forward(&lower_y, row)).collect();
    let squares = DMatrix::from_fn(p, p, |i, j| product(&k[i], &k[j]));
    let eigen = SymmetricEigen::try_new(squares, f64::EPSILON, 10_000)?;
    let mut order: Vec<usize> = (0..p).collect();
    order.sort_by(|i, j| eigen.eigenvalues[*j].total_cmp(&eigen.eigenvalues[*i]));
    let mut mad = Mad {
        rho: Vec::with_capacity(p),
        means: [moments.means[..p].to_vec(), moments.means[p..].to_vec()],
        a: Vec::with_capacity(p),
        b: Vec::with_capacity(p),
        sigma: Vec::with_capacity(p),
    };
    let k_transposed = transposed(&k);
    let mut vs: Vec<Vec<f64>> = Vec::with_capacity(p);
    for column in order {
        let u: Vec<f64> = eigen.eigenvectors.column(column).iter().copied().collect();
        let v = orthonormal(k_transposed.iter().map(|row| product(row, &u)).collect(), &vs);
        let mu = product(&u, &k.iter().map(|row| product(row, &v)).collect::<Vec<_>>());
        let (mut a, mut b) = (backward(&lower_x, &u), backward(&lower_y, &v));
        let (aa, bb) = (product(&a, &a), product(&b, &b));
        mad.rho
            .push(mu * (1.0 - ridge) / ((1.0 - ridge * aa) * (1.0 - ridge * bb)).sqrt());
        mad.sigma
            .push(((2.0 - ridge * (aa + bb)) / (1.0 - ridge) - 2.0 * mu).max(0.0).sqrt());
        let correlations: f64 = (0..p)
            .map(|i| (0..p).map(|j| correlation(i, j) * a[j]).sum::<f64>())
            .sum();
        let sign = if correlations < 0.0 { -1.0 } else { 1.0 };
        a.iter_mut().zip(&scales[..p]).for_each(|(a, s)| *a *= sign / s);
        b.iter_mut().zip(&scales[p..]).for_each(|(b, s)| *b *= sign / s);
        mad.a.push(a);
        mad.b.push(b);
        vs.push(v);
    }
    // The eigenvectors of the greatest correlations are the surest, so they come first above; the least correlated lead the answer.
    [&mut mad.a, &mut mad.b].iter_mut().for_each(|rows| rows.reverse());
    [&mut mad.rho, &mut mad.sigma]
        .iter_mut()
        .for_each(|values| values.reverse());
    let finite = mad
        .rho
        .iter()
        .chain(&mad.sigma)
        .chain(mad.a.iter().chain(&mad.b).flatten())
        .all(|v| v.is_finite());
    finite.then_some(mad)
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn transposed(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    (0..rows.len())
        .map(|j| rows.iter().map(|row| row[j]).collect())
        .collect()
}

/// `v` made orthogonal to `others` and of length one; where nothing is left of it, the unit vector of which most is left.
fn orthonormal(v: Vec<f64>, others: &[Vec<f64>]) -> Vec<f64> {
    let left = |mut v: Vec<f64>| {
        for _ in 0..2 {
            for other in others {
                let along = product(&v, other);
                v.iter_mut().zip(other).for_each(|(v, o)| *v -= along * o);
            }
        }
        (product(&v, &v).sqrt(), v)
    };
    let p = v.len();
    let mut best = left(v);
    if best.0 < 1e-7 {
        for i in 0..p {
            let next = left((0..p).map(|j| if i == j { 1.0 } else { 0.0 }).collect());
            if next.0 > best.0 {
                best = next;
            }
        }
    }
    best.1.iter().map(|v| v / best.0).collect()
}

/// The lower triangle whose product with its transpose is `matrix`; `None` where that is not positive definite.
fn cholesky(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let mut lower = vec![vec![0.0; matrix.len()]; matrix.len()];
    for i in 0..matrix.len() {
        for j in 0..=i {
            let rest = matrix[i][j] - product(&lower[i][..j], &lower[j][..j]);
            lower[i][j] = match i == j {
                true if rest > 0.0 => rest.sqrt(),
                true => return None,
                false => rest / lower[j][j],
            };
        }
    }
    Some(lower)
}

/// The solution of `lower z = right`.
fn forward(lower: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut z: Vec<f64> = Vec::with_capacity(right.len());
    for (i, value) in right.iter().enumerate() {
        z.push((value - product(&lower[i][..i], &z)) / lower[i][i]);
    }
    z
}

/// The solution of `lower' z = right`.
fn backward(lower: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut z = right.to_vec();
    for i in (0..z.len()).rev() {
        let known: f64 = (i + 1..z.len()).map(|j| lower[j][i] * z[j]).sum();
        z[i] = (z[i] - known) / lower[i][i];
    }
    z
}

/// A transform with its variates on their own scale, ready for many pixels.
pub struct Kernel<'a> {
    means: &'a [Vec<f64>; 2],
    /// By variate, then by date and band.
    weights: Vec<[Vec<f64>; 2]>,
}

/// Pixels taken through the transform together: few enough to stay in the nearest cache.
const TOGETHER: usize = 128;

impl<'a> Kernel<'a> {
    /// The kernel of `mad`; the variances of its variates are divided by `shrinkage`.
    pub fn new(mad: &'a Mad, shrinkage: f64) -> Self {
        let by = shrinkage.sqrt();
        let scaled = |row: &[f64], by: f64| row.iter().map(|w| w / by).collect::<Vec<f64>>();
        let rows = mad.a.iter().zip(&mad.b).zip(&mad.sigma);
        Self {
            means: &mad.means,
            weights: rows
                .map(|((a, b), sigma)| [scaled(a, sigma / by), scaled(b, -sigma / by)])
                .collect(),
        }
    }

    /// Writes Z of each pixel to `out`; `before` and `after` hold its bands, one slice each. Bands that are missing or short leave `out`.
    pub fn run(&self, before: &[&[f32]], after: &[&[f32]], out: &mut [f64]) {
        let bands = self.weights.len();
        let whole = |date: &[&[f32]]| date.len() == bands && date.iter().all(|band| band.len() == out.len());
        if !(whole(before) && whole(after)) {
            return;
        }
        let mut centred = vec![[0.0; TOGETHER]; 2 * bands];
        for (block, out) in out.chunks_mut(TOGETHER).enumerate() {
            let inputs = before
                .iter()
                .zip(&self.means[0])
                .chain(after.iter().zip(&self.means[1]));
            for (target, (values, mean)) in centred.iter_mut().zip(inputs) {
                let values = &values[block * TOGETHER..][..out.len()];
                target
                    .iter_mut()
                    .zip(values)
                    .for_each(|(t, v)| *t = f64::from(*v) - mean);
            }
            let mut z = [0.0; TOGETHER];
            for weights in &self.weights {
                let mut variate = [0.0; TOGETHER];
                for (values, weight) in centred.iter().zip(weights.iter().flatten()) {
                    variate.iter_mut().zip(values).for_each(|(sum, v)| *sum += weight * v);
                }
                z.iter_mut().zip(&variate).for_each(|(z, m)| *z += m * m);
            }
            out.copy_from_slice(&z[..out.len()]);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Six columns of whole numbers without a pattern.
    pub(crate) fn columns(n: usize) -> Vec<Vec<f32>> {
        let value = |band: usize, i: usize| ((i * (7919 + 2 * band) + i * i * (band + 3)) % 1009) as f32;
        let mut columns: Vec<Vec<f32>> = (0..6).map(|band| (0..n).map(|i| value(band, i)).collect()).collect();
        // The later date follows the earlier one, each band less closely than the one before.
        for band in 0..3 {
            let noise = 0.3 * (band + 1) as f32;
            columns[3 + band] = columns[band]
                .iter()
                .zip(&columns[3 + band])
                .map(|(x, e)| x + noise * e)
                .collect();
        }
        columns
    }

    pub(crate) fn of(columns: &[Vec<f32>]) -> Moments {
        let slices: Vec<&[f32]> = columns.iter().map(Vec::as_slice).collect();
        moments(&slices, &vec![1.0; columns[0].len()]).unwrap()
    }

    #[test]
    fn moments_are_weighted_and_those_of_numpy() {
        // numpy.cov([[1, 2, 4], [3, 1, 0]], aweights=[1, 2, 1], ddof=0) = [[1.1875, -1.0625], [-1.0625, 1.1875]], times 3 / 2.
        let found = moments(&[&[1.0, 2.0, 4.0], &[3.0, 1.0, 0.0]], &[1.0, 2.0, 1.0]).unwrap();
        assert_eq!(found.means, [2.25, 1.25]);
        let expected = [[1.1875, -1.0625], [-1.0625, 1.1875]];
        for (row, expected) in found.covariance.iter().zip(expected) {
            for (value, expected) in row.iter().zip(expected) {
                assert!((value - 1.5 * expected).abs() < 1e-12, "{found:?}");
            }
        }
        assert_eq!(moments(&[&[1.0]], &[0.0]), None);
    }

    #[test]
    fn variates_have_unit_variance_correlate_by_rho_and_with_no_other() {
        let moments = of(&columns(3000));
        for ridge in [0.0, 0.1] {
            let mad = canonical(&moments, ridge).unwrap();
            let covariance = |first: usize, a: &[f64], second: usize, b: &[f64]| -> f64 {
                let terms = (0..3).flat_map(|i| (0..3).map(move |j| (i, j)));
                terms
                    .map(|(i, j)| a[i] * moments.covariance[first + i][second + j] * b[j])
                    .sum()
            };
            for i in 0..3 {
                let (own_a, own_b) = (
                    covariance(0, &mad.a[i], 0, &mad.a[i]),
                    covariance(3, &mad.b[i], 3, &mad.b[i]),
                );
                let shared = covariance(0, &mad.a[i], 3, &mad.b[i]);
                assert!((shared / (own_a * own_b).sqrt() - mad.rho[i]).abs() < 1e-9, "{ridge}");
                assert!(
                    (own_a + own_b - 2.0 * shared - mad.sigma[i] * mad.sigma[i]).abs() < 1e-9,
                    "{ridge}"
                );
                for j in (0..3).filter(|j| ridge == 0.0 && *j != i) {
                    assert!(covariance(0, &mad.a[i], 3, &mad.b[j]).abs() < 1e-9);
                    assert!(covariance(0, &mad.a[i], 0, &mad.a[j]).abs() < 1e-9);
                    assert!(covariance(3, &mad.b[i], 3, &mad.b[j]).abs() < 1e-9);
                }
                let scales: Vec<f64> = (0..3).map(|k| moments.covariance[k][k].sqrt()).collect();
                let with = |k: usize| (0..3).map(|j| moments.covariance[k][j] * mad.a[i][j]).sum::<f64>() / scales[k];
                assert!((0..3).map(with).sum::<f64>() > 0.0);
            }
            assert!(mad.rho.is_sorted() && mad.has_spread());
        }
    }

    #[test]
    fn dates_that_do_not_correlate_at_all_still_have_variates() {
        let mut moments = of(&columns(3000));
        for i in 0..6 {
            for j in 0..6 {
                moments.covariance[i][j] = if i == j { 2.0 } else { 0.0 };
            }
        }
        let mad = canonical(&moments, 0.0).unwrap();
        assert_eq!(mad.rho, [0.0; 3]);
        assert!(mad.sigma.iter().all(|s| (s * s - 2.0).abs() < 1e-12));
    }
}
