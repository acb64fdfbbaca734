//! The way from places in a reference system to the pixels of rasters, around the earth where longitude begins anew.

use crate::io::IoError;
use crate::io::crs::{self, Projector};

/// The way from one reference system to rasters in another, for places near one.
///
/// Where x goes around the earth (degrees of longitude, a cylinder), a raster may count it from -180 or from 0, and its edge may lie in the
/// middle of a site: places near the given one are continuous, and pixels are told in the turn of the raster that is asked for.
pub struct ToPixels {
    projector: Projector,
    turn: Option<Turn>,
}

struct Turn {
    /// How far a turn leads along x.
    length: f64,
    /// The x about which places are continuous.
    about: f64,
}

/// A raster holds a place no more often: no file goes around the earth so many times.
const MAX_TURNS: usize = 3;

impl ToPixels {
    /// The way from places near `near` in the reference system `from` to rasters in `to`.
    ///
    /// # Errors
    /// Reference systems between which PROJ has no way.
    pub fn new(from: &str, to: &str, near: (f64, f64)) -> Result<Self, IoError> {
        let projector = Projector::new(from, to)?;
        let (mut x, mut y) = ([near.0], [near.1]);
        // What has no image there has none nearby.
        let about = projector.project(&mut x, &mut y).is_ok().then_some(x[0]);
        let turn = crs::turn(to)?.zip(about).map(|(length, about)| Turn { length, about });
        Ok(Self { projector, turn })
    }

    /// Pixels to a full turn in rasters of this transform; `None` where x does not go around the earth.
    pub fn turn_px(&self, geotransform: &[f64; 6]) -> Option<f64> {
        let [_, a, _, _, c, _] = *geotransform;
        // Turned rasters are not read around the earth.
        let turn = self.turn.as_ref().filter(|_| c == 0.0 && a != 0.0)?;
        // A turn of less than a pixel is none of the earth.
        Some((turn.length / a).abs()).filter(|px| px.is_finite() && *px >= 1.0)
    }

    /// Replaces the places (`x[i]`, `y[i]`) by pixels of a raster of this transform, in the turn in which the place that all are near lies from 0
    /// to a turn.
    ///
    /// # Errors
    /// A place that has no image, for example outside the projection's area.
    pub fn follow(&self, geotransform: &[f64; 6], x: &mut [f64], y: &mut [f64]) -> Result<(), IoError> {
        self.projector.project(x, y)?;
        let [x0, a, b, y0, c, d] = *geotransform;
        let turn = self.turn.as_ref().filter(|_| self.turn_px(geotransform).is_some());
        let shift = turn.map_or(0.0, |turn| {
            let px = turn.length / a;
            -((turn.about - x0) / a / px.abs()).floor() * px.abs()
        });
        let determinant = a * d - b * c;
        for (x, y) in x.iter_mut().zip(y.iter_mut()) {
            if let Some(Turn { length, about }) = turn {
                *x += length * ((about - *x) / length).round();
            }
            let (u, v) = (*x - x0, *y - y0);
            *x = (d * u - b * v) / determinant + shift;
            *y = (a * v - c * u) / determinant;
        }
        Ok(())
    }

    /// In which turns, counted from that of [`Self::follow`], a raster of `width` columns and this transform holds some of the columns from
    /// `least` to `most`; at least one.
    pub fn turns(&self, geotransform: &[f64; 6], width: usize, (least, most): (f64, f64)) -> Vec<i64> {
        let Some(px) = self.turn_px(geotransform) else {
            return vec![0];
        };
        let first = (-most / px).floor() as i64;
        let last = ((width as f64 - least) / px).ceil() as i64;
        let by = |turn: &i64| *turn as f64 * px;
        let turns = (first..=last).filter(|turn| most + by(turn) > 0.0);
        let turns = turns.take_while(|turn| least + by(turn) < width as f64);
        let turns: Vec<i64> = turns.take(MAX_TURNS).collect();
        if turns.is_empty() { vec![0] } else { turns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::crs::WGS84;

    /// Columns and turns of a site of a hundredth of a degree around `longitude` in a raster of thousandths of a degree from `left` on.
    fn columns(longitude: f64, left: f64, width: usize) -> Vec<(i64, i64)> {
        let transform = [left, 0.001, 0.0, 10.0, 0.0, -0.001];
        let to_raster = ToPixels::new(WGS84, WGS84, (longitude, 5.0)).unwrap();
        let edge = |at: f64| (at + 540.0).rem_euclid(360.0) - 180.0;
        let (mut x, mut y) = ([edge(longitude - 0.005), edge(longitude + 0.005)], [5.0, 5.0]);
        to_raster.follow(&transform, &mut x, &mut y).unwrap();
        let turn = to_raster.turn_px(&transform).unwrap();
        to_raster
            .turns(&transform, width, (x[0], x[1]))
            .into_iter()
            .map(|k| {
                let by = k as f64 * turn;
                ((x[0] + by).round() as i64, (x[1] + by).round() as i64)
            })
            .collect()
    }

    #[test]
    fn longitudes_are_found_however_a_raster_counts_them() {
        assert_eq!(columns(3.0, 2.0, 2000), [(995, 1005)]);
        assert_eq!(columns(-74.0, 285.0, 2000), [(995, 1005)]);
        assert_eq!(columns(286.0, -75.0, 2000), [(995, 1005)]);
        assert_eq!(columns(180.0, 179.0, 2000), [(995, 1005)]);
        assert_eq!(columns(-180.0, -181.0, 2000), [(995, 1005)]);
        // One that goes around the earth, and begins in the middle of the site.
        assert_eq!(columns(180.0, -180.0, 360_000), [(-5, 5), (359_995, 360_005)]);
        assert_eq!(columns(0.0, 0.0, 360_000), [(-5, 5), (359_995, 360_005)]);
        // The site lies on the raster's edge.
        assert_eq!(columns(180.0, 170.0, 10_000), [(9_995, 10_005)]);
        assert_eq!(columns(180.0, -180.0, 10_000), [(-5, 5)]);
        assert_eq!(columns(-0.002, 0.0, 10_000), [(-7, 3)]);
    }

    #[test]
    fn pixels_that_are_no_part_of_the_earth_are_not_counted_around_it() {
        for step in [1e300, 1e6, 361.0] {
            let transform = [0.0, step, 0.0, 10.0, 0.0, -step];
            let to_raster = ToPixels::new(WGS84, WGS84, (3.0, 5.0)).unwrap();
            assert_eq!(
                (
                    to_raster.turn_px(&transform),
                    to_raster.turns(&transform, 1 << 30, (-1e9, 1e9))
                ),
                (None, vec![0])
            );
        }
        let transform = [0.0, 1.0, 0.0, 10.0, 0.0, -1.0];
        let to_raster = ToPixels::new(WGS84, WGS84, (3.0, 5.0)).unwrap();
        assert_eq!(to_raster.turns(&transform, 1 << 30, (2.0, 4.0)).len(), MAX_TURNS);
    }

    #[test]
    fn cylinders_go_around_and_others_do_not() {
        let turn = |crs: &str| {
            ToPixels::new(WGS84, crs, (179.999, 10.0))
                .unwrap()
                .turn_px(&[0.0, 10.0, 0.0, 0.0, 0.0, -10.0])
        };
        assert!((turn("EPSG:3857").unwrap() - 4_007_501.67).abs() < 0.01);
        assert!((turn("EPSG:3832").unwrap() - 4_007_501.67).abs() < 0.01);
        assert_eq!(turn("EPSG:4326"), Some(36.0));
        assert_eq!(turn("EPSG:32660"), None);
        assert_eq!(turn("EPSG:3031"), None);
    }
}
