//! Affine maps of the plane: how far one date lies beside another.

/// `(x, y) -> (a x + b y + c, d x + e y + f)`, in pixels of the site grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// `[a, b, c]`: what gives x.
    pub x: [f64; 3],
    /// `[d, e, f]`: what gives y.
    pub y: [f64; 3],
}

impl Affine {
    /// What leaves every point where it is.
    pub const IDENTITY: Self = Self {
        x: [1.0, 0.0, 0.0],
        y: [0.0, 1.0, 0.0],
    };

    /// A translation by (`dx`, `dy`).
    pub fn shift(dx: f64, dy: f64) -> Self {
        Self {
            x: [1.0, 0.0, dx],
            y: [0.0, 1.0, dy],
        }
    }

    /// The same seen from an origin at (`x`, `y`).
    pub fn from_origin(&self, x: f64, y: f64) -> Self {
        let (to_x, to_y) = self.apply(x, y);
        let mut seen = *self;
        (seen.x[2], seen.y[2]) = (to_x - x, to_y - y);
        seen
    }

    /// Where the point (`x`, `y`) goes.
    pub fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        let of = |row: [f64; 3]| row[0] * x + row[1] * y + row[2];
        (of(self.x), of(self.y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_go_where_the_map_says() {
        assert_eq!(Affine::IDENTITY.apply(3.0, -4.0), (3.0, -4.0));
        assert_eq!(Affine::shift(0.5, -2.0).apply(3.0, -4.0), (3.5, -6.0));
        let turned = Affine {
            x: [0.0, -1.0, 0.0],
            y: [1.0, 0.0, 1.0],
        };
        assert_eq!(turned.apply(3.0, -4.0), (4.0, 4.0));
    }
}
