//! Pixels drawn from a training sample: what the networks of [the detector](super) are trained and measured on.

use multiversion::multiversion;

use super::evidence::Residual;
use super::pair::{Read, Side};
use super::perceptron::{LANES, Network};
use crate::raster::stats::median_and_sigma;
use crate::stage::detect::Cell;
use crate::stage::random::SplitMix;

/// No residual is read more finely than this part of a band's unit: constant and quantised bands.
const MIN_NOISE: f64 = 1e-3;

/// What a network is trained on: rows of inputs, and rows of what the other date is to be told.
#[derive(Debug, Default)]
pub struct Samples {
    /// Values of a pixel and means of its nearer and farther surroundings, band by band.
    pub inputs: Vec<f32>,
    /// Its values.
    pub targets: Vec<f32>,
}

impl Samples {
    /// Adds what one date holds in column `x` of a row.
    pub fn collect(&mut self, side: &Side, x: usize) {
        self.targets.extend(side.bands.iter().map(|row| row[x]));
        let inputs = side.bands.iter().chain(&side.near).chain(&side.far);
        self.inputs.extend(inputs.map(|row| row[x]));
    }
}

/// Rows and columns in the core of each cell of about `wanted` clear pixels, row by row, drawn by their place on the site grid.
pub fn places(cells: &[Cell], wanted: usize) -> Vec<Vec<(usize, usize)>> {
    let mut places: Vec<Vec<(usize, usize)>> = cells.iter().map(clear_places).collect();
    let total: usize = places.iter().map(Vec::len).sum();
    let share = wanted as f64 / total.max(1) as f64;
    for (cell, places) in cells.iter().zip(&mut places) {
        places.retain(|(y, x)| {
            let place = ((cell.core.y + *y as i64) as u64) << 32 ^ ((cell.core.x + *x as i64) as u64 & 0xffff_ffff);
            SplitMix(place).unit() < share
        });
    }
    places
}

fn clear_places(cell: &Cell) -> Vec<(usize, usize)> {
    let sides = cell.stack.sides();
    let mut rows = Read::new(&cell.stack, &sides.each_ref().map(|side| &**side), &cell.core);
    let mut places = Vec::new();
    for y in 0..cell.core.h {
        let weights = rows.next().0.iter().enumerate();
        places.extend(weights.filter(|(_, weight)| **weight == 1.0).map(|(x, _)| (y, x)));
    }
    places
}

/// The values of one band of one date at the drawn places.
pub fn values_at(cells: &[Cell], places: &[Vec<(usize, usize)>], side: usize, band: usize) -> Vec<f64> {
    let mut values = Vec::new();
    for (cell, places) in cells.iter().zip(places) {
        let sides = cell.stack.sides();
        let (top, left) = (cell.core.y - cell.stack.rect.y, cell.core.x - cell.stack.rect.x);
        if let Some(plane) = sides[side].get(band) {
            values.extend(
                places
                    .iter()
                    .map(|(y, x)| f64::from(plane[[y + top as usize, x + left as usize]])),
            );
        }
    }
    values
}

/// What a network tells of each sample, one row of `bands` each.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma"))]
pub fn told(network: &Network, inputs: &[f32], bands: usize) -> Vec<f32> {
    let width = 3 * bands;
    let mut out = Vec::with_capacity(inputs.len() / 3);
    let (mut spare, mut outputs) = (Vec::new(), Vec::new());
    let mut side_by_side = vec![[0.0; LANES]; width];
    for rows in inputs.chunks(LANES * width) {
        for (lane, row) in rows.chunks(width).enumerate() {
            side_by_side
                .iter_mut()
                .zip(row)
                .for_each(|(lanes, value)| lanes[lane] = *value);
        }
        network.predict(&side_by_side, &mut spare, &mut outputs);
        for lane in 0..rows.len() / width {
            out.extend(outputs.iter().map(|lanes| lanes[lane]));
        }
    }
    out
}

/// Centre and variance of what was found less what was told, band by band.
pub fn residuals_of(found: &[f32], told: &[f32], bands: usize) -> Vec<Residual> {
    let of = |band: usize| {
        let pairs = found.iter().zip(told).skip(band).step_by(bands);
        let mut residuals: Vec<f64> = pairs.map(|(found, told)| f64::from(found - told)).collect();
        let (centre, sigma) = median_and_sigma(&mut residuals).unwrap_or((0.0, 0.0));
        let sigma = sigma.max(MIN_NOISE);
        Residual {
            centre: centre as f32,
            variance: (sigma * sigma) as f32,
        }
    };
    (0..bands).map(of).collect()
}
