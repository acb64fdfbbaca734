//! Things with outlines, and what of them is seen at a time.

use ::geo::{Area, BoundingRect, Contains, ConvexHull, Coord, LineString, MultiPoint, Polygon};

use super::material::Material;
use super::random::noise;
use super::written::BoxM;

/// When a thing is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// At all times.
    Always,
    /// From the first second to (not including) the second.
    During(i64, i64),
    /// At all other times.
    Except(i64, i64),
}

impl When {
    /// Whether it is there at `second` (Unix time).
    pub fn holds(self, second: i64) -> bool {
        match self {
            Self::Always => true,
            Self::During(from, until) => (from..until).contains(&second),
            Self::Except(from, until) => !(from..until).contains(&second),
        }
    }
}

/// A thing with an outline. Those later in a list lie on top.
#[derive(Debug, Clone)]
pub struct Thing {
    /// Its outline, metres right of and below the scene's top-left corner.
    pub outline: Polygon<f64>,
    /// What it is made of.
    pub material: Material,
    /// Tells it from others of the same material.
    pub id: u32,
    /// Height above the ground, metres; 0 casts no shadow.
    pub height_m: f64,
    /// When it is there.
    pub when: When,
}

/// A thing or a shadow as it lies at one time, with the box around it.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its outline.
    pub outline: Polygon<f64>,
    /// Left, top, right, bottom of its outline.
    pub bounds: BoxM,
    /// What it is made of; `None` for a shadow.
    pub material: Option<Material>,
    /// Tells it from others of the same material.
    pub id: u32,
    /// Whether it fills most of its bounds, so that it cannot cross a pixel within them and miss the pixel's corners.
    pub stout: bool,
}

impl Shape {
    fn new(outline: Polygon<f64>, material: Option<Material>, id: u32) -> Self {
        let bounds = bounds(&outline);
        let [left, top, right, bottom] = bounds;
        let stout = outline.unsigned_area() > 0.6 * (right - left) * (bottom - top);
        Self {
            outline,
            bounds,
            material,
            id,
            stout,
        }
    }

    /// Whether it covers the point.
    pub fn covers(&self, x: f64, y: f64) -> bool {
        let [left, top, right, bottom] = self.bounds;
        x >= left && x <= right && y >= top && y <= bottom && self.outline.contains(&Coord { x, y })
    }
}

/// Left, top, right, bottom of an outline; an empty box for an empty outline.
pub fn bounds(outline: &Polygon<f64>) -> BoxM {
    outline.bounding_rect().map_or([0.0; 4], |rect| {
        [rect.min().x, rect.min().y, rect.max().x, rect.max().y]
    })
}

/// Shapes in painting order at `second`, where something of height 1 m has a shadow `[dx, dy]` metres long: ground, then shadows, then what stands.
pub fn shapes_at(things: &[Thing], second: i64, shadow: [f64; 2]) -> Vec<Shape> {
    let there = || things.iter().filter(|thing| thing.when.holds(second));
    let shape = |thing: &Thing| Shape::new(thing.outline.clone(), Some(thing.material), thing.id);
    let flat = there().filter(|thing| thing.height_m <= 0.0).map(shape);
    let standing = || there().filter(|thing| thing.height_m > 0.0);
    let shadows = standing().map(|thing| {
        let corners = thing.outline.exterior().coords();
        let reach = |corner: &Coord<f64>| {
            let (dx, dy) = (shadow[0] * thing.height_m, shadow[1] * thing.height_m);
            [
                *corner,
                Coord {
                    x: corner.x + dx,
                    y: corner.y + dy,
                },
            ]
        };
        let points: MultiPoint<f64> = corners.flat_map(reach).map(::geo::Point::from).collect();
        Shape::new(points.convex_hull(), None, 0)
    });
    flat.chain(shadows).chain(standing().map(shape)).collect()
}

pub fn polygon(points: impl IntoIterator<Item = [f64; 2]>) -> Polygon<f64> {
    let ring: Vec<Coord<f64>> = points.into_iter().map(|[x, y]| Coord { x, y }).collect();
    Polygon::new(LineString::new(ring), Vec::new())
}

/// A box turned by an angle (radians, clockwise as seen on the map) about its middle.
pub fn turned([left, top, right, bottom]: BoxM, angle: f64) -> Polygon<f64> {
    let (x, y) = (left.midpoint(right), top.midpoint(bottom));
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let turn = |px: f64, py: f64| {
        let (dx, dy) = (px - x, py - y);
        [x + dx * cos - dy * sin, y + dx * sin + dy * cos]
    };
    polygon([
        turn(left, top),
        turn(right, top),
        turn(right, bottom),
        turn(left, bottom),
    ])
}

/// A box whose sides are eaten into by up to `rough` metres, turned by an angle about its middle.
pub fn eaten(place: BoxM, angle: f64, rough: f64, seed: u32) -> Polygon<f64> {
    let [left, top, right, bottom] = place;
    let (width, height) = (right - left, bottom - top);
    let steps = 10;
    let side = |ax: f64, ay: f64, bx: f64, by: f64, inward: [f64; 2], number: i32| {
        (0..steps).map(move |i| {
            let t = f64::from(i) / f64::from(steps);
            let depth = rough * (0.5 + 0.5 * f64::from(noise(u64::from(seed), t * 5.0, f64::from(number) * 7.3)));
            [
                ax + (bx - ax) * t + inward[0] * depth,
                ay + (by - ay) * t + inward[1] * depth,
            ]
        })
    };
    let (x, y) = (left + width / 2.0, top + height / 2.0);
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let points = side(left, top, right, top, [0.0, 1.0], 1)
        .chain(side(right, top, right, bottom, [-1.0, 0.0], 2))
        .chain(side(right, bottom, left, bottom, [0.0, -1.0], 3))
        .chain(side(left, bottom, left, top, [1.0, 0.0], 4))
        .map(|[px, py]| {
            let (dx, dy) = (px - x, py - y);
            [x + dx * cos - dy * sin, y + dx * sin + dy * cos]
        });
    polygon(points)
}

pub fn inset([left, top, right, bottom]: BoxM, by: f64) -> BoxM {
    [left + by, top + by, right - by, bottom - by]
}
