//! One site's scores, anomalies and truth, laid over each other.

use std::collections::BTreeMap;
use std::path::Path;

use geo::MultiPolygon;

use super::error::EvaluateError;
use super::label::Label;
use super::objects::{Claim, Ground, Object};
use super::pixels::{Counts, Labelled};
use super::polygons::shape;
use super::truth::{SiteTruth, Truth};
use crate::finding::{Anomaly, SiteReport};
use crate::geo::{Grid, Rect, Shape};
use crate::io::crs::{Projector, WGS84};
use crate::io::pool::Pool;
use crate::raster::Plane;
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};
use crate::stage::regions::{Labeller, runs};

/// Edge of a block, pixels.
pub const BLOCK_PX: i64 = 64;
/// A site of more blocks has larger ones, for time and memory.
const MAX_BLOCKS: usize = 1024;
/// Rows that are read at once.
const ROWS: usize = 256;

/// What was counted on a site.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Its id.
    pub site: String,
    /// Pixels, by block of an absolute lattice.
    pub blocks: Vec<Counts>,
    /// Changes of the truth.
    pub objects: Vec<Object>,
    /// Anomalies.
    pub claims: Vec<Claim>,
    /// Judged unchanged ground, square kilometres in the plane of the site grid.
    pub unchanged_km2: f64,
}

/// The site of `report`, whose score.tif is `scores`, against `truth`; why not, where it cannot be measured.
///
/// # Errors
/// A raster that cannot be read; ground that cannot be projected.
pub fn measure(
    report: &SiteReport,
    scores: &Path,
    truth: &Truth,
    pool: &Pool,
) -> Result<Result<Measured, &'static str>, EvaluateError> {
    let (Some(record), Some(newest)) = (&report.grid, report.comparisons.last()) else {
        return Ok(Err("no scenes were compared"));
    };
    if !scores.exists() {
        return Ok(Err("there is no score.tif beside its report"));
    }
    let grid = Grid::from(record);
    let to_grid = Projector::new(WGS84, &grid.crs)?;
    let on_grid = |geometry: &_| shape(&MultiPolygon::from(geometry), &to_grid, &grid);
    let boundary = on_grid(&report.site.geometry)?;
    let outlines: Vec<Shape> = newest
        .anomalies
        .iter()
        .map(|anomaly| on_grid(&anomaly.geometry))
        .collect::<Result<_, _>>()?;
    let truth = truth.on(&grid)?;
    let peak = |anomaly: &Anomaly| (anomaly.peak_sigma / SCORE_SCALE).round().clamp(-32_767.0, 32_767.0) as i16;
    let mut tally = Tally::new(&grid, newest.anomalies.iter().map(peak).collect(), &truth);
    for y in (0..grid.height).step_by(ROWS) {
        let rect = Rect::new(0, y as i64, grid.width, ROWS.min(grid.height - y));
        let scores = pool.read::<i16>(scores, newest.band, &rect)?;
        let mut labels = truth.labels(&rect, pool)?;
        leave_out(&mut labels, &scores, &boundary);
        let mut owners = Plane::filled(rect, None);
        for (number, outline) in outlines.iter().enumerate() {
            outline.for_each_pixel(&rect, |x, y| {
                owners.get_mut(x, y).into_iter().for_each(|owner| *owner = Some(number));
            });
        }
        tally.add(&Strip { labels, scores, owners });
    }
    let measured = tally.finish(report.site.id.clone(), &grid);
    let labelled = measured
        .blocks
        .iter()
        .any(|b| b.judged().all() + b.not_judged.all() > 0);
    Ok(if labelled {
        Ok(measured)
    } else {
        Err("the truth says nothing of its ground; does it lie there, and are its labels those of --labels?")
    })
}

/// Takes the labels off ground outside of the site; what has a score lies on it.
fn leave_out(labels: &mut Plane<Label>, scores: &Plane<i16>, boundary: &Shape) {
    let mut outside = Plane::filled(labels.rect(), true);
    boundary.for_each_pixel(&labels.rect(), |x, y| {
        outside.get_mut(x, y).into_iter().for_each(|outside| *outside = false);
    });
    for ((label, outside), score) in labels
        .values_mut()
        .iter_mut()
        .zip(outside.values())
        .zip(scores.values())
    {
        if *outside && *score == SCORE_NODATA {
            *label = Label::Unlabelled;
        }
    }
}

/// Some rows of a site.
struct Strip {
    labels: Plane<Label>,
    scores: Plane<i16>,
    /// Which anomaly covers each pixel.
    owners: Plane<Option<usize>>,
}

/// Codes of pixels of an object, in the order in which one outdoes the other; above them the peak of the anomaly there.
const ELSEWHERE: i16 = SCORE_NODATA;
const UNJUDGED: i16 = 0;
const MISSED: i16 = 1;

/// What is counted of an object that is a polygon.
#[derive(Clone, Copy)]
struct Polygon {
    pixels: u64,
    code: i16,
}

struct Tally<'a> {
    truth: &'a SiteTruth<'a>,
    /// The first column and row of the grid on the lattice of its reference system, pixels.
    origin: (i64, i64),
    block_px: i64,
    blocks: BTreeMap<(i64, i64), Counts>,
    /// Highest stored score of each anomaly.
    peaks: Vec<i16>,
    /// Labels under each anomaly, and its pixels.
    under: Vec<(Labelled, u64)>,
    polygons: Vec<Polygon>,
    components: Labeller,
}

impl<'a> Tally<'a> {
    fn new(grid: &Grid, peaks: Vec<i16>, truth: &'a SiteTruth<'a>) -> Self {
        let mut block_px = BLOCK_PX;
        while grid.width.div_ceil(block_px as usize) * grid.height.div_ceil(block_px as usize) > MAX_BLOCKS {
            block_px *= 2;
        }
        let polygons = match truth {
            SiteTruth::Polygons(shapes) => shapes.changed.len(),
            SiteTruth::Rasters(..) => 0,
        };
        let nothing = Polygon {
            pixels: 0,
            code: ELSEWHERE,
        };
        Self {
            truth,
            origin: (
                (grid.left_m / grid.pixel_m).round() as i64,
                (-grid.top_m / grid.pixel_m).round() as i64,
            ),
            block_px,
            blocks: BTreeMap::new(),
            under: vec![(Labelled::default(), 0); peaks.len()],
            peaks,
            polygons: vec![nothing; polygons],
            // Every component of labelled change counts, however small.
            components: Labeller::new(UNJUDGED, 1),
        }
    }

    fn add(&mut self, strip: &Strip) {
        let mut codes = Plane::filled(strip.labels.rect(), ELSEWHERE);
        let rect = strip.labels.rect();
        let pixels = strip
            .labels
            .indexed_iter()
            .zip(strip.scores.values())
            .zip(strip.owners.values());
        for (((((row, column), label), score), owner), code) in pixels.zip(codes.values_mut()) {
            if let Some((labels, pixels)) = owner.and_then(|owner| self.under.get_mut(owner)) {
                labels.add(*label);
                *pixels += 1;
            }
            if *label == Label::Unlabelled {
                continue;
            }
            let judged = (*score != SCORE_NODATA).then_some(*score);
            let place = |at: i64, origin: i64| (at + origin).div_euclid(self.block_px);
            let block = (
                place(rect.y + row as i64, self.origin.1),
                place(rect.x + column as i64, self.origin.0),
            );
            self.blocks
                .entry(block)
                .or_default()
                .add(*label, judged, owner.is_some());
            if *label == Label::Changed {
                let peak = owner.and_then(|owner| self.peaks.get(owner));
                *code = match (judged, peak) {
                    (None, _) => UNJUDGED,
                    (Some(_), None) => MISSED,
                    (Some(_), Some(peak)) => (MISSED + 1).max(*peak),
                };
            }
        }
        match self.truth {
            SiteTruth::Rasters(..) => self.components.add_band(runs(&codes, UNJUDGED, MISSED)),
            SiteTruth::Polygons(shapes) => {
                for (polygon, shape) in self.polygons.iter_mut().zip(&shapes.changed) {
                    shape.for_each_pixel(&rect, |x, y| {
                        let code = codes.get(x, y).copied().unwrap_or(ELSEWHERE);
                        polygon.pixels += u64::from(code != ELSEWHERE);
                        polygon.code = polygon.code.max(code);
                    });
                }
            }
        }
    }

    fn finish(self, site: String, grid: &Grid) -> Measured {
        let components = self.components.finish();
        let components = components.iter().map(|region| (region.pixels(), region.peak()));
        let polygons = self.polygons.iter().map(|polygon| (polygon.pixels, polygon.code));
        let objects = components.chain(polygons).filter(|(pixels, _)| *pixels > 0);
        let claims = self
            .peaks
            .iter()
            .zip(&self.under)
            .map(|(peak, (labels, pixels))| Claim {
                peak: *peak,
                ground: match labels {
                    _ if labels.changed > 0 => Ground::Change,
                    _ if 2 * labels.unchanged >= *pixels && *pixels > 0 => Ground::NoChange,
                    _ => Ground::Unknown,
                },
            });
        let blocks: Vec<Counts> = self.blocks.into_values().collect();
        let unchanged: u64 = blocks.iter().map(|block| block.judged().unchanged).sum();
        Measured {
            site,
            objects: objects
                .map(|(pixels, code)| Object {
                    area_m2: pixels as f64 * grid.pixel_area_m2(),
                    judged: code > UNJUDGED,
                    found: (code > MISSED).then_some(code),
                })
                .collect(),
            claims: claims.collect(),
            blocks,
            unchanged_km2: unchanged as f64 * grid.pixel_area_m2() / 1e6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::polygons::Shapes;
    use super::super::truth::Coding;
    use super::*;

    fn grid(width: usize, height: usize) -> Grid {
        Grid {
            crs: "EPSG:32631".into(),
            left_m: 500_000.0,
            top_m: 5_000_000.0,
            pixel_m: 10.0,
            width,
            height,
        }
    }

    fn plane<T>(rows: &[&str], value: impl Fn(u8) -> T) -> Plane<T> {
        let (h, w) = (rows.len(), rows[0].len());
        Plane::from_fn(Rect::new(0, 0, w, h), |[y, x]| value(rows[y].as_bytes()[x]))
    }

    /// Labels `c`hanged, `u`nchanged and `.`; scores of 100 a digit, `x` not judged; anomalies by number.
    fn strip(labels: &[&str], scores: &[&str], owners: &[&str]) -> Strip {
        Strip {
            labels: plane(labels, |byte| match byte {
                b'c' => Label::Changed,
                b'u' => Label::Unchanged,
                _ => Label::Unlabelled,
            }),
            scores: plane(scores, |byte| match byte {
                b'x' => SCORE_NODATA,
                digit => i16::from(digit - b'0') * 100,
            }),
            owners: plane(owners, |byte| byte.is_ascii_digit().then(|| usize::from(byte - b'0'))),
        }
    }

    const LABELS: [&str; 4] = ["cc.uuuuu", "..cuuu..", "uuuuuu.c", "cuuuuuuc"];
    const SCORES: [&str; 4] = ["1119999x", "11111111", "1111111x", "9111111x"];
    const OWNERS: [&str; 4] = ["   000  ", "     11 ", "     111", "2       "];

    #[test]
    fn components_are_hit_missed_or_not_judged_and_anomalies_true_false_or_unknown() {
        let coding = Coding::default();
        let truth = SiteTruth::Rasters(Vec::new(), &coding);
        let mut tally = Tally::new(&grid(8, 4), vec![900, 300, 700], &truth);
        tally.add(&strip(&LABELS, &SCORES, &OWNERS));
        let measured = tally.finish("s".into(), &grid(8, 4));
        let object = |pixels: f64, judged, found| Object {
            area_m2: pixels * 100.0,
            judged,
            found,
        };
        // The first is joined over a corner; the second was not judged, although an anomaly lies on it.
        assert_eq!(
            measured.objects,
            [
                object(3.0, true, None),
                object(2.0, false, None),
                object(1.0, true, Some(700)),
            ]
        );
        let grounds: Vec<Ground> = measured.claims.iter().map(|claim| claim.ground).collect();
        assert_eq!(grounds, [Ground::NoChange, Ground::Change, Ground::Change]);
        let all = Counts::sum(&measured.blocks);
        assert_eq!((all.judged().changed, all.judged().unchanged), (4, 19));
        assert_eq!((all.not_judged.changed, all.not_judged.unchanged), (2, 1));
        assert_eq!((all.claimed.changed, all.claimed.unchanged), (1, 5));
        assert!((measured.unchanged_km2 - 0.0019).abs() < 1e-12);
    }

    #[test]
    fn an_anomaly_mostly_on_unlabelled_ground_is_unknown() {
        let coding = Coding::default();
        let truth = SiteTruth::Rasters(Vec::new(), &coding);
        let mut tally = Tally::new(&grid(4, 1), vec![900], &truth);
        tally.add(&strip(&["u..."], &["9999"], &["000 "]));
        assert_eq!(tally.finish("s".into(), &grid(4, 1)).claims[0].ground, Ground::Unknown);
    }

    #[test]
    fn polygons_are_objects_of_their_own_where_they_overlap() {
        let square = |x: f64, w: f64| Shape::new(geo::Rect::new((x, 0.0), (x + w, 1.0)).to_polygon().into());
        let truth = SiteTruth::Polygons(Shapes {
            changed: vec![square(0.0, 2.0), square(1.0, 3.0), square(6.0, 1.0)],
            unlabelled: Vec::new(),
        });
        let mut tally = Tally::new(&grid(6, 1), vec![800], &truth);
        tally.add(&strip(&["ccccuu"], &["1111x1"], &["   0  "]));
        let found: Vec<_> = tally.finish("s".into(), &grid(6, 1)).objects;
        // The third lies off the site: it is no object.
        let told: Vec<_> = found.iter().map(|object| (object.area_m2, object.found)).collect();
        assert_eq!(told, [(200.0, None), (300.0, Some(800))]);
    }

    #[test]
    fn blocks_lie_on_an_absolute_lattice() {
        let coding = Coding::default();
        let truth = SiteTruth::Rasters(Vec::new(), &coding);
        let count = |left_px: f64| {
            let grid = Grid {
                left_m: left_px * 10.0,
                ..grid(8, 4)
            };
            let mut tally = Tally::new(&grid, vec![0; 3], &truth);
            tally.add(&strip(&LABELS, &SCORES, &OWNERS));
            tally.finish("s".into(), &grid).blocks.len()
        };
        assert_eq!((count(64.0), count(124.0), count(-4.0)), (1, 2, 2));
    }
}
