//! Where things lie: rectangles, the site grid, tiles and shapes. No pixels, no files.

pub mod grid;
pub mod rect;
pub mod shape;
pub mod tile;

pub use grid::Grid;
pub use rect::Rect;
pub use shape::Shape;
pub use tile::Tile;
