//! Rectangles of pixels: half-open, x right, y down.

/// A rectangle of whole pixels, `[x, x + w) x [y, y + h)`. Coordinates may be negative: a halo reaches beyond the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Leftmost column.
    pub x: i64,
    /// Topmost row.
    pub y: i64,
    /// Columns.
    pub w: usize,
    /// Rows.
    pub h: usize,
}

impl Rect {
    /// The rectangle with its top-left pixel at (`x`, `y`).
    pub fn new(x: i64, y: i64, w: usize, h: usize) -> Self {
        Self { x, y, w, h }
    }

    /// The column after the last.
    pub fn right(&self) -> i64 {
        self.x + self.w as i64
    }

    /// The row after the last.
    pub fn bottom(&self) -> i64 {
        self.y + self.h as i64
    }

    /// Pixels in the rectangle.
    pub fn area(&self) -> usize {
        self.w * self.h
    }

    /// Whether it holds no pixel.
    pub fn is_empty(&self) -> bool {
        self.w == 0 || self.h == 0
    }

    /// Whether the pixel (`x`, `y`) lies inside.
    pub fn contains(&self, x: i64, y: i64) -> bool {
        x >= self.x && x < self.right() && y >= self.y && y < self.bottom()
    }

    /// The rectangle grown by `margin` pixels on every side.
    pub fn grow(&self, margin: usize) -> Self {
        let m = margin as i64;
        Self::new(self.x - m, self.y - m, self.w + 2 * margin, self.h + 2 * margin)
    }

    /// What both rectangles share; empty when they do not meet.
    pub fn intersect(&self, other: &Self) -> Self {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (self.right().min(other.right()), self.bottom().min(other.bottom()));
        Self::new(x, y, (right - x).max(0) as usize, (bottom - y).max(0) as usize)
    }

    /// The smallest rectangle that holds both.
    pub fn union(&self, other: &Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self::new(x, y, (right - x) as usize, (bottom - y) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_that_do_not_meet_share_nothing() {
        let a = Rect::new(0, 0, 4, 4);
        assert!(a.intersect(&Rect::new(4, 0, 2, 2)).is_empty());
        assert_eq!(a.intersect(&Rect::new(2, -1, 5, 3)), Rect::new(2, 0, 2, 2));
        assert_eq!(a.union(&Rect::new(6, 2, 1, 1)), Rect::new(0, 0, 7, 4));
        assert_eq!(a.grow(2), Rect::new(-2, -2, 8, 8));
    }
}
