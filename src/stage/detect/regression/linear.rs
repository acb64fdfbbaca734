//! Linear prediction that the changed minority does not bend: least squares, reweighted.

use super::perceptron::Network;
use crate::raster::stats::{MAD_TO_SIGMA, median};

/// Rounds of weighing each sample down by how far it lies off.
const ROUNDS: usize = 8;
/// Samples up to this many robust deviations off, in the mean over the targets, count in full, those farther off in inverse
/// proportion: Huber's weights with his 1.345 rounded up.
const FULL: f64 = 1.5;
/// Part of the variance of inputs of unit scale that is added to the diagonal: bands that tell the same are no trouble.
const RIDGE: f64 = 1e-3;

/// The linear map that tells `targets` from `inputs`: one row a sample in each, of widths `n_in` and `n_out` (at least 1 both), both
/// about of unit scale.
pub fn train(inputs: &[f32], targets: &[f32], n_in: usize, n_out: usize) -> Network {
    let n = inputs.len() / n_in;
    let width = n_in + 1;
    let mut weights = vec![1.0_f64; n];
    let mut solution = vec![vec![0.0; n_out]; width];
    let mut row = vec![1.0_f64; width];
    for _ in 0..ROUNDS {
        let mut normal = vec![vec![0.0; width]; width];
        let mut right = vec![vec![0.0; n_out]; width];
        for (i, weight) in weights.iter().enumerate() {
            let sample = &inputs[i * n_in..(i + 1) * n_in];
            row.iter_mut().zip(sample).for_each(|(r, x)| *r = f64::from(*x));
            let target = &targets[i * n_out..(i + 1) * n_out];
            for (a, x) in row.iter().enumerate() {
                let wx = weight * x;
                normal[a][..=a]
                    .iter_mut()
                    .zip(&row)
                    .for_each(|(sum, other)| *sum += wx * other);
                right[a]
                    .iter_mut()
                    .zip(target)
                    .for_each(|(sum, y)| *sum += wx * f64::from(*y));
            }
        }
        let total: f64 = weights.iter().sum();
        normal
            .iter_mut()
            .enumerate()
            .for_each(|(a, row)| row[a] += RIDGE * total.max(1.0));
        let Some(next) = solve(normal, right) else { break };
        solution = next;
        reweigh(inputs, targets, &solution, &mut weights);
    }
    let column = |o: usize| solution[..n_in].iter().map(|row| row[o] as f32).collect();
    Network::linear(
        (0..n_out).map(column).collect(),
        solution[n_in].iter().map(|bias| *bias as f32).collect(),
    )
}

/// New weights: 1 for samples whose residuals are usual, less the farther they lie off.
fn reweigh(inputs: &[f32], targets: &[f32], solution: &[Vec<f64>], weights: &mut [f64]) {
    let (n_in, n_out, n) = (solution.len() - 1, solution[0].len(), weights.len());
    let mut off = vec![0.0; n];
    for o in 0..n_out {
        let mut residuals = vec![0.0; n];
        for (i, residual) in residuals.iter_mut().enumerate() {
            let sample = &inputs[i * n_in..(i + 1) * n_in];
            let told = sample
                .iter()
                .zip(solution)
                .fold(solution[n_in][o], |sum, (x, w)| sum + f64::from(*x) * w[o]);
            *residual = (f64::from(targets[i * n_out + o]) - told).abs();
        }
        let usual = (MAD_TO_SIGMA * median(&mut residuals.clone()).unwrap_or(0.0)).max(1e-6);
        off.iter_mut()
            .zip(&residuals)
            .for_each(|(sum, r)| *sum += (r / usual) * (r / usual));
    }
    for (weight, sum) in weights.iter_mut().zip(&off) {
        *weight = 1.0 / ((sum / n_out as f64).sqrt() / FULL).max(1.0);
    }
}

/// The solution of `normal` x = `right` by Cholesky's factors; of `normal` the lower triangle is read. `None` where it is not
/// positive definite.
fn solve(mut normal: Vec<Vec<f64>>, mut right: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = normal.len();
    for i in 0..n {
        for j in 0..=i {
            let sum = (0..j).fold(normal[i][j], |sum, k| sum - normal[i][k] * normal[j][k]);
            normal[i][j] = if i == j {
                if sum.is_nan() || sum <= 0.0 {
                    return None;
                }
                sum.sqrt()
            } else {
                sum / normal[j][j]
            };
        }
    }
    for o in 0..right[0].len() {
        for i in 0..n {
            right[i][o] = (0..i).fold(right[i][o], |sum, k| sum - normal[i][k] * right[k][o]) / normal[i][i];
        }
        for i in (0..n).rev() {
            right[i][o] = (i + 1..n).fold(right[i][o], |sum, k| sum - normal[k][i] * right[k][o]) / normal[i][i];
        }
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::super::perceptron::LANES;
    use super::*;

    #[test]
    fn it_finds_the_line_of_the_many() {
        // Every tenth sample lies far off, to one side: plain least squares would be 0.7 off.
        let inputs: Vec<f32> = (0..400).map(|i| ((i * 7) % 41) as f32 / 20.0 - 1.0).collect();
        let targets: Vec<f32> = inputs
            .iter()
            .enumerate()
            .flat_map(|(i, x)| if i % 10 == 0 { [9.0, 9.0] } else { [2.0 * x + 0.5, -x] })
            .collect();
        let line = train(&inputs, &targets, 1, 2);
        let (mut spare, mut out) = (Vec::new(), Vec::new());
        line.predict(&[[0.25; LANES]], &mut spare, &mut out);
        assert!(
            (out[0][0] - 1.0).abs() < 0.1 && (out[1][0] + 0.25).abs() < 0.1,
            "{out:?}"
        );
    }

    #[test]
    fn equal_and_constant_inputs_and_no_sample_give_numbers() {
        let inputs: Vec<f32> = (0..50)
            .flat_map(|i| [i as f32 / 25.0 - 1.0, i as f32 / 25.0 - 1.0, 0.0])
            .collect();
        let targets: Vec<f32> = (0..50).map(|i| i as f32 / 25.0 - 1.0).collect();
        let (mut spare, mut out) = (Vec::new(), Vec::new());
        train(&inputs, &targets, 3, 1).predict(&[[0.5; LANES], [0.5; LANES], [0.0; LANES]], &mut spare, &mut out);
        assert!((out[0][0] - 0.5).abs() < 0.01, "{out:?}");
        train(&[], &[], 3, 1).predict(&[[0.5; LANES]; 3], &mut spare, &mut out);
        assert_eq!(out[0][0], 0.0);
    }

    #[test]
    fn two_equations_of_two_unknowns() {
        // 4x + 2y = 10, 2x + 3y = 9.
        let solved = solve(vec![vec![4.0, 0.0], vec![2.0, 3.0]], vec![vec![10.0], vec![9.0]]).unwrap();
        assert!((solved[0][0] - 1.5).abs() < 1e-12 && (solved[1][0] - 2.0).abs() < 1e-12);
        assert!(solve(vec![vec![0.0]], vec![vec![1.0]]).is_none());
    }
}
