//! A plane: a rectangle of the site grid and the values of its pixels.

use std::ops::{Index, IndexMut};

use ndarray::iter::IndexedIter;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Ix2, Zip, s};

use crate::geo::Rect;

/// Values of the pixels of a rectangle, row by row and without gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane<T> {
    rect: Rect,
    /// Its shape is (rows, columns) of `rect`, in the standard layout.
    data: Array2<T>,
}

impl<T: Clone> Plane<T> {
    /// A plane that holds `value` everywhere.
    pub fn filled(rect: Rect, value: T) -> Self {
        Self {
            rect,
            data: Array2::from_elem((rect.h, rect.w), value),
        }
    }

    /// A plane of `whole`, which must hold this one, with `beyond` around it.
    pub fn placed_in(&self, whole: Rect, beyond: T) -> Self {
        let mut placed = Self::filled(whole, beyond);
        placed.part_mut(&self.rect).assign(&self.data);
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
    /// The plane of `rect` that holds `values`, row by row.
    ///
    /// # Panics
    /// There are fewer or more of them than pixels: a mistake of the program.
    pub fn new(rect: Rect, values: Vec<T>) -> Self {
        let data = Array2::from_shape_vec((rect.h, rect.w), values);
        let data = data.unwrap_or_else(|error| panic!("values of a plane of {rect:?}: {error}"));
        Self { rect, data }
    }

    /// The plane of `rect` that holds what `array` does, whose shape is (rows, columns).
    ///
    /// # Panics
    /// It has another shape, or is not laid out row by row: a mistake of the program.
    pub fn of(rect: Rect, array: Array2<T>) -> Self {
        assert_eq!(array.dim(), (rect.h, rect.w), "rows and columns of a plane");
        assert!(array.is_standard_layout(), "{LAID_OUT}");
        Self { rect, data: array }
    }

    /// The plane of `rect` that holds what `value` gives for the row and column of each pixel.
    pub fn from_fn(rect: Rect, mut value: impl FnMut([usize; 2]) -> T) -> Self {
        let data = Array2::from_shape_fn((rect.h, rect.w), |(row, column)| value([row, column]));
        Self { rect, data }
    }

    /// Which pixels of the site grid these are.
    pub fn rect(&self) -> Rect {
        self.rect
    }

    /// All values, row by row.
    pub fn values(&self) -> &[T] {
        values(&self.data)
    }

    /// All values, row by row.
    pub fn values_mut(&mut self) -> &mut [T] {
        values_mut(&mut self.data)
    }

    /// The values of a row, counted from the plane's first.
    pub fn row(&self, index: usize) -> &[T] {
        &self.values()[index * self.rect.w..][..self.rect.w]
    }

    /// The values of a row, counted from the plane's first.
    pub fn row_mut(&mut self, index: usize) -> &mut [T] {
        let width = self.rect.w;
        &mut self.values_mut()[index * width..][..width]
    }

    /// The rows, from the first on.
    pub fn rows(&self) -> impl Iterator<Item = &[T]> {
        self.values().chunks_exact(self.rect.w.max(1))
    }

    /// The rows, from the first on.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let width = self.rect.w.max(1);
        self.values_mut().chunks_exact_mut(width)
    }

    /// The rows of `part`, which must lie inside the plane.
    pub fn rows_of<'a>(&'a self, part: &Rect) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
        rows(&self.data, &self.rect, part)
    }

    /// The rows of `part`, which must lie inside the plane.
    pub fn rows_of_mut<'a>(&'a mut self, part: &Rect) -> impl Iterator<Item = &'a mut [T]> + use<'a, T> {
        let (x, y) = corner(&self.rect, part);
        let (columns, width) = (self.rect.w, part.w);
        let rows = &mut self.values_mut()[y * columns..][..part.h * columns];
        rows.chunks_exact_mut(columns.max(1))
            .map(move |row| &mut row[x..][..width])
    }

    /// Each value with its row and column.
    pub fn indexed_iter(&self) -> IndexedIter<'_, T, Ix2> {
        self.data.indexed_iter()
    }

    /// The values as an array of rows and columns.
    pub fn view(&self) -> ArrayView2<'_, T> {
        self.data.view()
    }

    /// The values of `part`, which must lie inside the plane.
    pub fn part(&self, part: &Rect) -> ArrayView2<'_, T> {
        view(&self.data, &self.rect, part)
    }

    /// The values of `part`, which must lie inside the plane.
    pub fn part_mut(&mut self, part: &Rect) -> ArrayViewMut2<'_, T> {
        let (x, y) = corner(&self.rect, part);
        self.data.slice_mut(s![y..y + part.h, x..x + part.w])
    }

    /// The values as an array of its own of rows and columns.
    pub fn into_array(self) -> Array2<T> {
        self.data
    }

    /// The plane of what `of` makes of each value.
    pub fn map<V>(&self, of: impl FnMut(&T) -> V) -> Plane<V> {
        Plane {
            rect: self.rect,
            data: self.data.map(of),
        }
    }

    /// Lets `change` each value by that of `other` in the same place; both must have as many rows and columns.
    pub fn zip_mut_with<V>(&mut self, other: &Plane<V>, change: impl FnMut(&mut T, &V)) {
        Zip::from(&mut self.data).and(&other.data).for_each(change);
    }

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

/// The value in that row and column, counted from the plane's first.
impl<T> Index<[usize; 2]> for Plane<T> {
    type Output = T;

    fn index(&self, at: [usize; 2]) -> &T {
        &self.data[at]
    }
}

impl<T> IndexMut<[usize; 2]> for Plane<T> {
    fn index_mut(&mut self, at: [usize; 2]) -> &mut T {
        &mut self.data[at]
    }
}

const LAID_OUT: &str = "arrays are laid out row by row";

/// All values of an array, row by row.
///
/// # Panics
/// It is not laid out so, as all are that the program makes: a mistake that must not become values that are not there.
pub fn values<T>(array: &Array2<T>) -> &[T] {
    array.as_slice().expect(LAID_OUT)
}

/// All values of an array, row by row.
///
/// # Panics
/// As [`values`].
pub fn values_mut<T>(array: &mut Array2<T>) -> &mut [T] {
    array.as_slice_mut().expect(LAID_OUT)
}

/// The column and row of `whole` in which `part` begins.
fn corner(whole: &Rect, part: &Rect) -> (usize, usize) {
    ((part.x - whole.x) as usize, (part.y - whole.y) as usize)
}

/// The values of `part` in an array that holds the pixels of `whole`; `part` must lie inside.
pub fn view<'a, T>(data: &'a Array2<T>, whole: &Rect, part: &Rect) -> ArrayView2<'a, T> {
    let (x, y) = corner(whole, part);
    data.slice(s![y..y + part.h, x..x + part.w])
}

/// The rows of `part` in an array that holds the pixels of `whole`; `part` must lie inside.
///
/// # Panics
/// As [`values`].
pub fn rows<'a, T>(data: &'a Array2<T>, whole: &Rect, part: &Rect) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
    let (x, y) = corner(whole, part);
    let (columns, width) = (whole.w, part.w);
    let all = values(data);
    (y..y + part.h).map(move |row| &all[row * columns + x..][..width])
}

/// An array of its own with the pixels of `part`; as [`rows`].
pub fn cropped<T: Clone>(data: &Array2<T>, whole: &Rect, part: &Rect) -> Array2<T> {
    let mut out = Vec::with_capacity(part.area());
    // Row by row: an iterator over a view goes pixel by pixel.
    rows(data, whole, part).for_each(|row| out.extend_from_slice(row));
    Plane::new(*part, out).data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_parts_are_those_of_the_rectangle() {
        let rect = Rect::new(-2, 3, 4, 3);
        let mut plane = Plane::from_fn(rect, |[row, column]| 10 * row + column);
        assert_eq!(plane.values(), [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]);
        assert_eq!((plane.row(1), plane.rows().count()), (&[10, 11, 12, 13][..], 3));
        assert_eq!(
            (plane.get(-2, 3), plane.get(1, 5), plane.get(2, 3)),
            (Some(&0), Some(&23), None)
        );
        let part = plane.crop(&Rect::new(-1, 4, 2, 2));
        assert_eq!(part.values(), [11, 12, 21, 22]);
        assert!(plane.rows_of(&part.rect).eq(part.rows()));
        plane.rows_of_mut(&Rect::new(1, 3, 1, 2)).for_each(|row| row[0] = 5);
        assert_eq!([plane[[0, 3]], plane[[1, 3]], plane[[2, 3]]], [5, 5, 23]);
        plane.zip_mut_with(&plane.clone(), |value, other| *value += other);
        assert_eq!(plane[[2, 3]], 46);
        assert_eq!(part.placed_in(rect, 7).row(1), [7, 11, 12, 7]);
    }

    #[test]
    fn what_is_empty_has_no_rows() {
        let mut none = Plane::filled(Rect::new(5, 5, 0, 0), 1);
        assert_eq!(
            (none.values().len(), none.rows().count(), none.rows_mut().count()),
            (0, 0, 0)
        );
    }

    #[test]
    #[should_panic(expected = "laid out row by row")]
    fn an_array_of_columns_is_told() {
        values(&Array2::from_elem((2, 3), 0).reversed_axes());
    }
}
