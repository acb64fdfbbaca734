//! The last rows of planes: all that a window needs while it is moved down, small enough for the processor's cache.

use std::ops::Range;

use crate::stage::detect::blur::Window;

/// The last rows of a plane.
pub struct Last {
    rows: Vec<Vec<f32>>,
}

impl Last {
    /// Room for so many rows of so many values.
    pub fn new(rows: usize, width: usize) -> Self {
        Self {
            rows: vec![vec![0.0; width]; rows],
        }
    }

    /// Row `index` of the plane, which must be one of the last.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.rows[index % self.rows.len()]
    }

    /// The same columns of some of the last rows.
    pub fn part(&self, rows: Range<usize>, columns: &Range<usize>) -> Vec<&[f32]> {
        rows.map(|row| &self.row(row)[columns.clone()]).collect()
    }

    /// The place of row `index`, which is that of the oldest.
    pub fn next(&mut self, index: usize) -> &mut [f32] {
        let rows = self.rows.len();
        &mut self.rows[index % rows]
    }
}

/// The last rows of a mask: 1 where a pixel is clear, 0 elsewhere.
pub struct LastClear {
    /// Those rows.
    pub weights: Last,
    /// The last row with a pixel that is not clear.
    unclear: Option<usize>,
}

impl LastClear {
    /// Room for so many rows of so many pixels.
    pub fn new(rows: usize, width: usize) -> Self {
        Self {
            weights: Last::new(rows, width),
            unclear: None,
        }
    }

    /// Puts in row `index`.
    pub fn add(&mut self, index: usize, weights: &[f32]) {
        self.weights.next(index).copy_from_slice(weights);
        if weights.iter().any(|weight| *weight != 1.0) {
            self.unclear = Some(index);
        }
    }

    /// The same columns of some of the last rows; `None` where all are clear, as far as is known.
    pub fn part(&self, rows: Range<usize>, columns: &Range<usize>) -> Option<Vec<&[f32]>> {
        let unclear = self.unclear.is_some_and(|last| last >= rows.start);
        unclear.then(|| self.weights.part(rows, columns))
    }

    /// One row of what [`Window::cover`] gives for a mask of these rows and columns.
    pub fn cover(&self, window: &Window, rows: Range<usize>, columns: &Range<usize>) -> Option<Vec<f32>> {
        Some(window.cover_row(&self.part(rows, columns)?))
    }
}
