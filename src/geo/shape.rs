//! Polygons in pixels of the site grid, and the pixels whose centre they hold.
//!
//! A library's rasteriser works relative to the window it burns, so that a centre on an edge can fall either way with the
//! tiling; here a row's crossings depend on the absolute row alone, which keeps tiled == whole exact.

use geo::{BoundingRect, LineString, MultiPolygon};
use serde::{Deserialize, Serialize};

use super::Rect;

/// A polygon with holes, or several, in pixel coordinates of a site grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "MultiPolygon<f64>", into = "MultiPolygon<f64>")]
pub struct Shape {
    polygon: MultiPolygon<f64>,
    bounds: Rect,
    /// Edges sorted by their upper end: (top y, bottom y, x at top, dx/dy).
    edges: Vec<[f64; 4]>,
}

impl From<MultiPolygon<f64>> for Shape {
    fn from(polygon: MultiPolygon<f64>) -> Self {
        Self::new(polygon)
    }
}

impl From<Shape> for MultiPolygon<f64> {
    fn from(shape: Shape) -> Self {
        shape.polygon
    }
}

impl Shape {
    /// The shape of `polygon`, whose coordinates are pixels of the site grid.
    pub fn new(polygon: MultiPolygon<f64>) -> Self {
        let bounds = match polygon.bounding_rect() {
            Some(b) => {
                let (x, y) = (b.min().x.floor() as i64, b.min().y.floor() as i64);
                Rect::new(
                    x,
                    y,
                    (b.max().x.ceil() as i64 - x) as usize,
                    (b.max().y.ceil() as i64 - y) as usize,
                )
            }
            None => Rect::new(0, 0, 0, 0),
        };
        let mut edges = Vec::new();
        for part in &polygon {
            push_edges(part.exterior(), &mut edges);
            part.interiors().iter().for_each(|ring| push_edges(ring, &mut edges));
        }
        edges.sort_by(|a, b| a[0].total_cmp(&b[0]));
        Self { polygon, bounds, edges }
    }

    /// The polygon, in pixels.
    pub fn polygon(&self) -> &MultiPolygon<f64> {
        &self.polygon
    }

    /// The smallest rectangle of pixels around the shape.
    pub fn bounds(&self) -> Rect {
        self.bounds
    }

    /// Columns `[from, to)` of row `y` whose pixel centres lie inside, ascending, by the even-odd rule.
    pub fn spans(&self, y: i64) -> Vec<(i64, i64)> {
        let centre = y as f64 + 0.5;
        let reached = self.edges.partition_point(|edge| edge[0] <= centre);
        let mut crossings: Vec<f64> = self.edges[..reached]
            .iter()
            .filter(|edge| centre < edge[1])
            .map(|edge| edge[2] + (centre - edge[0]) * edge[3])
            .collect();
        crossings.sort_by(f64::total_cmp);
        crossings
            .chunks_exact(2)
            .map(|pair| ((pair[0] - 0.5).ceil() as i64, (pair[1] - 0.5).ceil() as i64))
            .filter(|(from, to)| from < to)
            .collect()
    }

    /// Calls `inside(y, from, to)` for every longest run `[from, to)` of pixels of `area` in a row `y` whose centres the shape
    /// holds: row by row, from left to right.
    pub fn for_each_span(&self, area: &Rect, mut inside: impl FnMut(i64, i64, i64)) {
        let area = area.intersect(&self.bounds);
        for y in area.y..area.bottom() {
            for (from, to) in self.spans(y) {
                let (from, to) = (from.max(area.x), to.min(area.right()));
                if from < to {
                    inside(y, from, to);
                }
            }
        }
    }

    /// Calls `inside(x, y)` for every pixel of `area` whose centre the shape holds.
    pub fn for_each_pixel(&self, area: &Rect, mut inside: impl FnMut(i64, i64)) {
        self.for_each_span(area, |y, from, to| (from..to).for_each(|x| inside(x, y)));
    }
}

fn push_edges(ring: &LineString<f64>, edges: &mut Vec<[f64; 4]>) {
    for line in ring.lines() {
        let (a, b) = if line.start.y <= line.end.y {
            (line.start, line.end)
        } else {
            (line.end, line.start)
        };
        if a.y < b.y {
            edges.push([a.y, b.y, a.x, (b.x - a.x) / (b.y - a.y)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use geo::{Polygon, polygon};

    use super::*;

    fn square_with_hole() -> Shape {
        let outer = polygon![(x: 0.0, y: 0.0), (x: 6.0, y: 0.0), (x: 6.0, y: 6.0), (x: 0.0, y: 6.0)];
        let hole = vec![(2.0, 2.0), (4.0, 2.0), (4.0, 4.0), (2.0, 4.0), (2.0, 2.0)];
        Shape::new(MultiPolygon(vec![Polygon::new(
            outer.exterior().clone(),
            vec![hole.into()],
        )]))
    }

    #[test]
    fn a_hole_is_not_inside() {
        let shape = square_with_hole();
        assert_eq!(shape.spans(0), [(0, 6)]);
        assert_eq!(shape.spans(3), [(0, 2), (4, 6)]);
        assert_eq!(shape.spans(6), []);
        let mut count = 0;
        shape.for_each_pixel(&Rect::new(-5, -5, 20, 20), |_, _| count += 1);
        assert_eq!(count, 32);
    }

    #[test]
    fn neighbours_that_share_an_edge_share_no_pixel() {
        // The diagonal passes through pixel centres: each centre belongs to exactly one side.
        let lower = Shape::new(MultiPolygon(vec![
            polygon![(x: 0.0, y: 0.0), (x: 8.0, y: 8.0), (x: 0.0, y: 8.0)],
        ]));
        let upper = Shape::new(MultiPolygon(vec![
            polygon![(x: 0.0, y: 0.0), (x: 8.0, y: 0.0), (x: 8.0, y: 8.0)],
        ]));
        let mut seen = [[0; 8]; 8];
        for shape in [lower, upper] {
            shape.for_each_pixel(&Rect::new(0, 0, 8, 8), |x, y| seen[y as usize][x as usize] += 1);
        }
        assert!(seen.iter().flatten().all(|n| *n == 1), "{seen:?}");
    }
}
