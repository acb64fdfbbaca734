//! The ground as a perfect sensor would see it through a given point spread, on any grid, tile by tile.

use crate::geo::Rect;
use crate::io::IoError;
use crate::io::crs::Projector;

use super::country::Country;
use super::random::noise;
use super::recipe::Recipe;
use super::shape::Shape;
use super::surface::{Season, Spot};
use super::written::BoxM;

/// Sub-samples of a pixel that holds an edge, on a Fibonacci lattice (two neighbours of the Fibonacci sequence): each lies
/// in a column and a row of its own, so that an edge along an axis is placed to a thirteenth of a pixel, not to a third.
const SUB: usize = 13;
const SUB_STEP: usize = 8;
/// Edge in pixels of the squares in which shapes are looked up.
const BUCKET: usize = 8;
/// Pixels between places that are projected exactly; those between are interpolated.
const NODE: usize = 64;

/// The lattice of a scene.
#[derive(Debug, Clone)]
pub struct Lattice {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Coordinates of the top-left corner in `crs`.
    pub corner: [f64; 2],
    /// Edge of a pixel in units of `crs`.
    pub pixel: f64,
    /// `EPSG:<number>`.
    pub crs: String,
}

/// A rectangle of pixels of a lattice.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub w: usize,
    /// Rows.
    pub h: usize,
}

impl Window {
    /// The same pixels, as rasters name them.
    pub fn rect(&self) -> Rect {
        Rect::new(self.x as i64, self.y as i64, self.w, self.h)
    }
}

/// Where pixels lie in the recipe's scene, metres right of and below its top-left corner.
pub struct Places {
    /// Columns of `nodes`, which lie NODE pixels apart, the first at the corner of the window with its margin.
    columns: usize,
    nodes: Vec<[f64; 2]>,
}

impl Places {
    /// Places of `window` and `margin` pixels around it, of content that lies `shift` pixels right of and below its true place.
    ///
    /// # Errors
    /// When the lattice's reference system does not reach the recipe's.
    pub fn new(
        recipe: &Recipe,
        lattice: &Lattice,
        window: Window,
        margin: usize,
        shift: [f64; 2],
    ) -> Result<Self, IoError> {
        let (left, top) = (
            window.x as f64 - margin as f64 - shift[0],
            window.y as f64 - margin as f64 - shift[1],
        );
        let same = lattice.crs == recipe.crs();
        // On the recipe's own lattice two nodes each way are exact; else one every NODE pixels.
        let count = |pixels: usize| {
            if same {
                2
            } else {
                (pixels + 2 * margin).div_ceil(NODE) + 1
            }
        };
        let (columns, rows) = (count(window.w), count(window.h));
        let step = NODE as f64;
        let mut x = Vec::with_capacity(columns * rows);
        let mut y = Vec::with_capacity(columns * rows);
        for index in 0..columns * rows {
            x.push(lattice.corner[0] + (left + (index % columns) as f64 * step) * lattice.pixel);
            y.push(lattice.corner[1] - (top + (index / columns) as f64 * step) * lattice.pixel);
        }
        if !same {
            Projector::new(&lattice.crs, &recipe.crs())?.project(&mut x, &mut y)?;
        }
        // To the millimetre, so that the last bits of PROJ decide nothing.
        let round = |metres: f64| {
            if same {
                metres
            } else {
                (metres * 1024.0).round() / 1024.0
            }
        };
        let nodes = x
            .iter()
            .zip(&y)
            .map(|(x, y)| [round(x - recipe.origin_m[0]), round(recipe.origin_m[1] - y)])
            .collect();
        Ok(Self { columns, nodes })
    }

    /// The place of a point, in pixels right of and below the corner of the window with its margin.
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        let (x, y) = (x / NODE as f64, y / NODE as f64);
        let rows = self.nodes.len() / self.columns;
        // Beyond the last node the last cell goes on.
        let column = (x.max(0.0) as usize).min(self.columns - 2);
        let row = (y.max(0.0) as usize).min(rows - 2);
        let (u, v) = (x - column as f64, y - row as f64);
        let node = |dx: usize, dy: usize| self.nodes[(row + dy) * self.columns + column + dx];
        let (a, b, c, d) = (node(0, 0), node(1, 0), node(0, 1), node(1, 1));
        let mix = |i: usize| {
            let (top, bottom) = (a[i] + (b[i] - a[i]) * u, c[i] + (d[i] - c[i]) * u);
            top + (bottom - top) * v
        };
        [mix(0), mix(1)]
    }

    /// The box around a rectangle of pixels.
    fn around(&self, left: f64, top: f64, right: f64, bottom: f64) -> BoxM {
        let corners = [
            self.at(left, top),
            self.at(right, top),
            self.at(left, bottom),
            self.at(right, bottom),
        ];
        corners.iter().fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |b, p| {
            [b[0].min(p[0]), b[1].min(p[1]), b[2].max(p[0]), b[3].max(p[1])]
        })
    }
}

/// What is needed to see the ground at one time.
pub struct Scenery<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// Everything with an outline, in painting order.
    pub shapes: Vec<Shape>,
    /// How materials look.
    pub season: Season,
    /// The channels to make, in the order of bands.
    pub channels: Vec<usize>,
    /// Standard deviation of the point spread, pixels.
    pub psf_px: f64,
    /// How far content lies right of and below its true place, pixels.
    pub shift_px: [f64; 2],
    /// The lattice.
    pub lattice: Lattice,
}

impl Scenery<'_> {
    /// The ground in `window`: one plane per channel, row by row; and the places of its pixels, without a margin.
    ///
    /// # Errors
    /// As [`Places::new`].
    pub fn see(&self, window: Window) -> Result<(Vec<Vec<f32>>, Places), IoError> {
        let kernel = gaussian(self.psf_px);
        let margin = kernel.len() / 2;
        let places = Places::new(self.recipe, &self.lattice, window, margin, self.shift_px)?;
        let (w, h) = (window.w + 2 * margin, window.h + 2 * margin);
        let sharp = self.sharp(&places, w, h);
        let planes = sharp.into_iter().map(|plane| blur(&plane, w, h, &kernel)).collect();
        // Clouds and swath edges belong to the pixel's own place, not to the content's.
        let own = Places::new(self.recipe, &self.lattice, window, 0, [0.0; 2])?;
        Ok((planes, own))
    }

    /// The mean over each of `w * h` pixels, without point spread.
    fn sharp(&self, places: &Places, w: usize, h: usize) -> Vec<Vec<f32>> {
        let whole = places.around(-1.0, -1.0, w as f64 + 1.0, h as f64 + 1.0);
        let country = Country::new(&self.recipe.land, self.recipe.seed, whole);
        let near: Vec<&Shape> = self.shapes.iter().filter(|shape| touch(shape.bounds, whole)).collect();
        let columns = w.div_ceil(BUCKET);
        let buckets: Vec<Vec<&Shape>> = (0..columns * h.div_ceil(BUCKET))
            .map(|index| {
                let (x, y) = ((index % columns * BUCKET) as f64, (index / columns * BUCKET) as f64);
                let reach = BUCKET as f64 + 1.0;
                let area = places.around(x - 1.0, y - 1.0, x + reach, y + reach);
                near.iter().copied().filter(|shape| touch(shape.bounds, area)).collect()
            })
            .collect();
        let bucket = |x: usize, y: usize| &buckets[(y.min(h - 1) / BUCKET) * columns + x.min(w - 1) / BUCKET];

        let corner = |x: usize, y: usize| {
            let [px, py] = places.at(x as f64, y as f64);
            spot(&country, bucket(x, y), px, py)
        };
        let texture_m = self.recipe.pixel_m;
        let seed = u64::from(self.recipe.seed) << 8;
        let mut planes = vec![vec![0.0_f32; w * h]; self.channels.len()];
        let mut sum = vec![0.0_f32; self.channels.len()];
        let mut upper: Vec<Spot> = (0..=w).map(|x| corner(x, 0)).collect();
        for y in 0..h {
            let lower: Vec<Spot> = (0..=w).map(|x| corner(x, y + 1)).collect();
            for x in 0..w {
                let [px, py] = places.at(x as f64 + 0.5, y as f64 + 0.5);
                let texture = [2.6, 7.0, 31.0]
                    .map(|wide| noise(seed | wide as u64, px / (wide * texture_m), py / (wide * texture_m)));
                sum.fill(0.0);
                let one = upper[x];
                let edge = one != upper[x + 1] || one != lower[x] || one != lower[x + 1];
                let inside = || {
                    let area = places.around(x as f64, y as f64, x as f64 + 1.0, y as f64 + 1.0);
                    bucket(x, y)
                        .iter()
                        .any(|shape| touch(shape.bounds, area) && !(shape.stout && holds(shape.bounds, area)))
                };
                if edge || (!bucket(x, y).is_empty() && inside()) {
                    let spots: [Spot; SUB] = std::array::from_fn(|sub| {
                        let part = |n: usize| (n as f64 + 0.5) / SUB as f64;
                        let [sx, sy] = places.at(x as f64 + part(sub), y as f64 + part(sub * SUB_STEP % SUB));
                        spot(&country, bucket(x, y), sx, sy)
                    });
                    for run in spots.chunk_by(|a, b| a == b) {
                        let weight = run.len() as f32 / spots.len() as f32;
                        self.season.add(run[0], texture, weight, &self.channels, &mut sum);
                    }
                } else {
                    self.season.add(one, texture, 1.0, &self.channels, &mut sum);
                }
                for (plane, sum) in planes.iter_mut().zip(&sum) {
                    plane[y * w + x] = *sum;
                }
            }
            upper = lower;
        }
        planes
    }
}

/// What lies at a place: the uppermost shape that covers it, else the countryside; in shade where only a shadow lies above.
fn spot(country: &Country, shapes: &[&Shape], x: f64, y: f64) -> Spot {
    let mut shaded = false;
    for shape in shapes.iter().rev() {
        if shape.material.is_none() && shaded {
            continue;
        }
        if shape.covers(x, y) {
            match shape.material {
                Some(material) => {
                    return Spot {
                        material,
                        id: shape.id,
                        shaded,
                    };
                }
                None => shaded = true,
            }
        }
    }
    Spot {
        shaded,
        ..country.spot(x, y)
    }
}

fn touch(a: BoxM, b: BoxM) -> bool {
    a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

/// Whether `b` lies within `a`.
fn holds(a: BoxM, b: BoxM) -> bool {
    a[0] < b[0] && a[1] < b[1] && a[2] > b[2] && a[3] > b[3]
}

/// A Gaussian out to three deviations, with the sum 1.
fn gaussian(deviation: f64) -> Vec<f32> {
    let reach = (3.0 * deviation).ceil() as i32;
    let weight = |i: i32| libm::exp(-0.5 * f64::from(i * i) / (deviation * deviation).max(1e-12));
    let total: f64 = (-reach..=reach).map(weight).sum();
    (-reach..=reach).map(|i| (weight(i) / total) as f32).collect()
}

/// A plane of `w * h` under a separable kernel, without the margin of half a kernel on each side.
fn blur(plane: &[f32], w: usize, h: usize, kernel: &[f32]) -> Vec<f32> {
    let inner = w + 1 - kernel.len();
    let mut rows = vec![0.0_f32; inner * h];
    for y in 0..h {
        let (source, target) = (&plane[y * w..(y + 1) * w], &mut rows[y * inner..(y + 1) * inner]);
        for (offset, &weight) in kernel.iter().enumerate() {
            for (sum, value) in target.iter_mut().zip(&source[offset..]) {
                *sum += value * weight;
            }
        }
    }
    let mut out = vec![0.0_f32; inner * (h + 1 - kernel.len())];
    for (y, target) in out.chunks_exact_mut(inner).enumerate() {
        for (offset, &weight) in kernel.iter().enumerate() {
            let source = &rows[(y + offset) * inner..(y + offset + 1) * inner];
            for (sum, value) in target.iter_mut().zip(source) {
                *sum += value * weight;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::layout::things;
    use super::super::parse::{parse, tests::SMALL};
    use super::super::shape::shapes_at;
    use super::*;

    fn scenery(recipe: &Recipe, shift_px: [f64; 2], psf_px: f64) -> Scenery<'_> {
        Scenery {
            recipe,
            shapes: shapes_at(&things(recipe), recipe.dates[1].time.as_second(), [-0.3, -0.6]),
            season: Season::new(180.0, 0.03, 1),
            channels: vec![2, 3],
            psf_px,
            shift_px,
            lattice: Lattice {
                width: 64,
                height: 48,
                corner: recipe.origin_m,
                pixel: 10.0,
                crs: recipe.crs(),
            },
        }
    }

    #[test]
    fn tiles_join_without_a_seam() {
        let recipe = parse(SMALL).unwrap();
        let scenery = scenery(&recipe, [0.3, -0.2], 0.7);
        let (whole, _) = scenery
            .see(Window {
                x: 0,
                y: 0,
                w: 64,
                h: 48,
            })
            .unwrap();
        let (part, _) = scenery
            .see(Window {
                x: 21,
                y: 13,
                w: 10,
                h: 9,
            })
            .unwrap();
        for y in 0..9 {
            for x in 0..10 {
                let (a, b) = (whole[1][(y + 13) * 64 + x + 21], part[1][y * 10 + x]);
                assert!((a - b).abs() < 1e-6, "{x} {y}: {a} {b}");
            }
        }
    }

    #[test]
    fn a_shift_of_a_whole_pixel_moves_the_image_by_one() {
        let recipe = parse(SMALL).unwrap();
        let window = Window {
            x: 4,
            y: 4,
            w: 20,
            h: 20,
        };
        let (still, _) = scenery(&recipe, [0.0; 2], 0.5).see(window).unwrap();
        let (moved, _) = scenery(&recipe, [1.0, 0.0], 0.5).see(window).unwrap();
        for x in 0..19 {
            assert!((still[0][5 * 20 + x] - moved[0][5 * 20 + x + 1]).abs() < 1e-6);
        }
    }

    #[test]
    fn half_a_pixel_of_shift_lies_half_way() {
        let recipe = parse(SMALL).unwrap();
        let window = Window {
            x: 4,
            y: 4,
            w: 50,
            h: 38,
        };
        let see = |shift: f64| scenery(&recipe, [shift, 0.0], 2.5).see(window).unwrap().0.remove(1);
        let (zero, half, one) = (see(0.0), see(0.5), see(1.0));
        // Under a wide point spread the half-shifted image is near the mean of the two whole ones; a shift that was rounded
        // to whole pixels would be half of what moved away from it.
        let error: f32 = (0..zero.len())
            .map(|i| (half[i] - 0.5 * (zero[i] + one[i])).abs())
            .sum();
        let moved: f32 = (0..zero.len()).map(|i| (zero[i] - one[i]).abs()).sum();
        assert!(error < 0.2 * moved, "{error} {moved}");
    }

    #[test]
    fn another_zone_sees_the_same_ground() {
        let recipe = parse(SMALL).unwrap();
        let lattice = Lattice {
            width: 64,
            height: 48,
            corner: [0.0; 2],
            pixel: 10.0,
            crs: "EPSG:32632".into(),
        };
        let there = Projector::new(&recipe.crs(), &lattice.crs).unwrap();
        let (mut x, mut y) = ([recipe.origin_m[0] + 300.0], [recipe.origin_m[1] - 200.0]);
        there.project(&mut x, &mut y).unwrap();
        let lattice = Lattice {
            corner: [x[0] - 320.0, y[0] + 240.0],
            ..lattice
        };
        let places = Places::new(
            &recipe,
            &lattice,
            Window {
                x: 0,
                y: 0,
                w: 64,
                h: 48,
            },
            0,
            [0.0; 2],
        )
        .unwrap();
        let [found_x, found_y] = places.at(32.0, 24.0);
        assert!(
            (found_x - 300.0).abs() < 0.01 && (found_y - 200.0).abs() < 0.01,
            "{found_x} {found_y}"
        );
    }
}
