//! A plane: a rectangle of the site grid and the values of its pixels.

use ndarray::{Array2, ArrayView2, s};

use crate::geo::Rect;

/// Values of the pixels of `rect`; `data` has the shape (rows, columns).
#[derive(Debug, Clone, PartialEq)]
pub struct Plane<T> {
    /// Which pixels of the site grid.
    pub rect: Rect,
    /// Their values, row by row.
    pub data: Array2<T>,
}

impl<T: Clone> Plane<T> {
    /// A plane that holds `value` everywhere.
    pub fn filled(rect: Rect, value: T) -> Self {
        Self {
            rect,
            data: Array2::from_elem((rect.h, rect.w), value),
        }
    }

    /// The values of `part`, which must lie inside the plane.
    pub fn view(&self, part: &Rect) -> ArrayView2<'_, T> {
        view(&self.data, &self.rect, part)
    }

    /// A plane of `whole`, which must hold this one, with `beyond` around it.
    pub fn placed_in(&self, whole: Rect, beyond: T) -> Self {
        let mut placed = Self::filled(whole, beyond);
        let (x, y) = ((self.rect.x - whole.x) as usize, (self.rect.y - whole.y) as usize);
        let (w, h) = (self.rect.w, self.rect.h);
        placed.data.slice_mut(s![y..y + h, x..x + w]).assign(&self.data);
        placed
    }

    /// A plane of its own with the values of `part`, which must lie inside.
    pub fn crop(&self, part: &Rect) -> Self {
        Self {
            rect: *part,
            data: cropped(&self.data, &self.rect, part),
        }
    }
}

impl<T> Plane<T> {
    /// The value of the pixel (`x`, `y`) of the site grid; `None` outside.
    pub fn get(&self, x: i64, y: i64) -> Option<&T> {
        self.rect
            .contains(x, y)
            .then(|| &self.data[[(y - self.rect.y) as usize, (x - self.rect.x) as usize]])
    }

    /// The place of the value of pixel (`x`, `y`); `None` outside.
    pub fn get_mut(&mut self, x: i64, y: i64) -> Option<&mut T> {
        let rect = self.rect;
        rect.contains(x, y)
            .then(|| &mut self.data[[(y - rect.y) as usize, (x - rect.x) as usize]])
    }
}

/// The values of `part` in an array that holds the pixels of `whole`; `part` must lie inside.
pub fn view<'a, T>(data: &'a Array2<T>, whole: &Rect, part: &Rect) -> ArrayView2<'a, T> {
    let (x, y) = ((part.x - whole.x) as usize, (part.y - whole.y) as usize);
    data.slice(s![y..y + part.h, x..x + part.w])
}

/// The rows of `part` in an array, laid out row by row, that holds the pixels of `whole`; `part` must lie inside.
pub fn rows<'a, T>(data: &'a Array2<T>, whole: &Rect, part: &Rect) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
    let (x, y) = ((part.x - whole.x) as usize, (part.y - whole.y) as usize);
    let (columns, width) = (whole.w, part.w);
    let all = data.as_slice().unwrap_or_default();
    (y..y + part.h).map(move |row| &all[row * columns + x..][..width])
}

/// An array of its own with the pixels of `part`; as [`rows`].
pub fn cropped<T: Clone>(data: &Array2<T>, whole: &Rect, part: &Rect) -> Array2<T> {
    let mut out = Vec::with_capacity(part.area());
    // Row by row: an iterator over a view goes pixel by pixel.
    rows(data, whole, part).for_each(|row| out.extend_from_slice(row));
    Array2::from_shape_vec((part.h, part.w), out).unwrap_or_else(|_| view(data, whole, part).to_owned())
}
