//! Where things lie: rectangles, the site grid, tiles and shapes. No pixels, no files.

pub mod affine;
pub mod grid;
pub mod longitude;
pub mod rect;
pub mod shape;
pub mod tile;

pub use affine::Affine;
pub use grid::Grid;
pub use rect::Rect;
pub use shape::Shape;
