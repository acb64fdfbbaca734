//! Tiles: rectangles that partition the site grid.

use super::Rect;

/// The tiles of `area`, row by row, of at most `edge` pixels in each direction.
pub fn tiles(area: Rect, edge: usize) -> Vec<Rect> {
    let edge = edge.max(1);
    let mut tiles = Vec::new();
    for y in (0..area.h).step_by(edge) {
        for x in (0..area.w).step_by(edge) {
            tiles.push(Rect::new(
                area.x + x as i64,
                area.y + y as i64,
                edge.min(area.w - x),
                edge.min(area.h - y),
            ));
        }
    }
    tiles
}

/// Puts `pieces` into the order in which they are worked off: strip by strip of `width` pixels, in each from the top down, so that what
/// lies around the row before is still at hand. `corner` is the left upper corner of a piece.
pub fn in_strips<T>(pieces: &mut [T], width: usize, corner: impl Fn(&T) -> (i64, i64)) {
    pieces.sort_by_key(|piece| {
        let (x, y) = corner(piece);
        (x.div_euclid(width.max(1) as i64), y, x)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_are_worked_off_from_the_top_down() {
        let mut corners: Vec<(i64, i64)> = (0..2).flat_map(|y| (0..3).map(move |x| (x * 10, y * 10))).collect();
        in_strips(&mut corners, 20, |corner| *corner);
        assert_eq!(corners, [(0, 0), (10, 0), (0, 10), (10, 10), (20, 0), (20, 10)]);
    }

    #[test]
    fn tiles_partition_the_area() {
        let area = Rect::new(3, -2, 10, 7);
        for edge in [1, 3, 4, 64] {
            let mut seen = vec![0; area.area()];
            for tile in tiles(area, edge) {
                for y in tile.y..tile.bottom() {
                    for x in tile.x..tile.right() {
                        seen[((y - area.y) as usize) * area.w + (x - area.x) as usize] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|n| *n == 1), "edge {edge}");
        }
    }
}
