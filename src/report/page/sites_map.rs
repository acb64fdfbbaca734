//! Where the sites of a run lie: dots on a graticule, without a base map, because the page asks nobody for one.

use crate::number::round;
use crate::report::english::labels as say;

/// Size of the map, in its own units.
const WIDTH: f64 = 720.0;
const MIN_HEIGHT: f64 = 160.0;
const MAX_HEIGHT: f64 = 460.0;
/// Ground around the outermost sites: this part of the extent, and no less than so many degrees.
const MARGIN: f64 = 0.12;
const MIN_MARGIN_DEG: f64 = 0.02;
/// Lines of the graticule across the map, at most.
const LINES: f64 = 7.0;

/// The map.
pub(super) struct SitesMap {
    pub width: f64,
    pub height: f64,
    pub lines: Vec<Line>,
    pub dots: Vec<Dot>,
    pub caption: String,
}

/// A meridian or a parallel.
pub(super) struct Line {
    pub path: String,
    pub label: String,
    pub x: f64,
    pub y: f64,
}

/// A site.
pub(super) struct Dot {
    pub x: f64,
    pub y: f64,
    pub class: &'static str,
    pub title: String,
    /// Its row in the table, from 1.
    pub row: usize,
}

/// A site to be drawn: `[longitude, latitude]`, class, title, row.
pub(super) type Place = ([f64; 2], &'static str, String, usize);

impl SitesMap {
    /// Equirectangular about the middle latitude; `None` with fewer than two sites.
    pub(super) fn new(places: Vec<Place>) -> Option<Self> {
        if places.len() < 2 {
            return None;
        }
        let span = |values: &[f64]| {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            (low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
        };
        let mut east: Vec<f64> = places.iter().map(|place| place.0[0]).collect();
        // Sites on both sides of the antimeridian lie beside each other.
        if span(&east).1 - span(&east).0 > 180.0 {
            east.iter_mut().filter(|lon| **lon < 0.0).for_each(|lon| *lon += 360.0);
        }
        let north: Vec<f64> = places.iter().map(|place| place.0[1]).collect();
        let grown = |(low, high): (f64, f64)| {
            let margin = ((high - low) * MARGIN).max(MIN_MARGIN_DEG);
            (low - margin, high + margin)
        };
        let ((left, right), (mut bottom, mut top)) = (grown(span(&east)), grown(span(&north)));
        let stretch = libm::cos(((bottom + top) / 2.0).to_radians()).max(0.05);
        let scale = WIDTH / (right - left);
        let wanted = (top - bottom) * scale / stretch;
        let height = wanted.clamp(MIN_HEIGHT, MAX_HEIGHT);
        // A tall extent is drawn smaller, a flat one gets ground above and below.
        let scale = scale * (height / wanted).min(1.0);
        let spare = (height * stretch / scale - (top - bottom)) / 2.0;
        (bottom, top) = (bottom - spare, top + spare);
        let width_deg = WIDTH / scale;
        let left = (left + right - width_deg) / 2.0;
        let x = |lon: f64| round((lon - left) * scale, 1);
        let y = |lat: f64| round((top - lat) * scale / stretch, 1);

        let step = step(width_deg.max(top - bottom));
        let steps = |from: f64, to: f64| {
            let (first, last) = ((from / step).ceil() as i64, (to / step).floor() as i64);
            (first..=last).map(move |n| n as f64 * step)
        };
        let meridian = |lon: f64| Line {
            path: format!("M{} 0V{height}", x(lon)),
            label: say::degrees(if lon > 180.0 { lon - 360.0 } else { lon }, ['E', 'W']),
            x: x(lon) + 3.0,
            y: round(height - 4.0, 1),
        };
        let parallel = |lat: f64| Line {
            path: format!("M0 {}H{WIDTH}", y(lat)),
            label: say::degrees(lat, ['N', 'S']),
            x: 3.0,
            y: y(lat) - 3.0,
        };
        let lines = steps(left, left + width_deg).map(meridian);
        let dot = |((_, class, title, row), (lon, lat)): (&Place, (&f64, &f64))| Dot {
            x: x(*lon),
            y: y(*lat),
            class,
            title: title.clone(),
            row: *row,
        };
        // The worst comes first in the table and lies on top here.
        let dots = places.iter().zip(east.iter().zip(&north)).map(dot).rev();
        Some(Self {
            width: WIDTH,
            height: round(height, 1),
            lines: lines.chain(steps(bottom, top).map(parallel)).collect(),
            caption: say::sites_map(places.len()),
            dots: dots.collect(),
        })
    }
}

/// Degrees between lines: 1, 2 or 5 times a power of ten, so that few lines cross `extent` degrees.
fn step(extent: f64) -> f64 {
    let mut decade = 10.0;
    while decade * 1.0 > extent / LINES && decade > 1e-4 {
        decade /= 10.0;
    }
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|n| n * decade)
        .find(|step| extent / step <= LINES)
        .unwrap_or(30.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lon: f64, lat: f64) -> Place {
        ([lon, lat], "consistent", format!("{lon} {lat}"), 1)
    }

    #[test]
    fn north_is_up_and_every_site_lies_on_the_map() {
        let map = SitesMap::new(vec![place(13.0, 48.0), place(13.5, 48.4), place(12.8, 48.1)]).unwrap();
        let find = |title: &str| map.dots.iter().find(|dot| dot.title == title).unwrap();
        assert!(find("13.5 48.4").y < find("13 48").y && find("13.5 48.4").x > find("13 48").x);
        assert!(
            map.dots
                .iter()
                .all(|d| d.x > 0.0 && d.x < map.width && d.y > 0.0 && d.y < map.height)
        );
        assert!((2..=16).contains(&map.lines.len()), "{}", map.lines.len());
        assert!(map.lines.iter().any(|line| line.label == "13° E"));
    }

    #[test]
    fn sites_on_both_sides_of_the_antimeridian_lie_beside_each_other() {
        let map = SitesMap::new(vec![place(179.9, -17.0), place(-179.9, -17.0)]).unwrap();
        assert!(map.dots.iter().all(|dot| dot.x > 50.0 && dot.x < 670.0));
        assert!(
            map.lines
                .iter()
                .all(|line| !line.label.starts_with("18") || line.label.starts_with("180"))
        );
    }

    #[test]
    fn one_site_needs_no_map_and_the_whole_world_fits() {
        assert!(SitesMap::new(vec![place(1.0, 1.0)]).is_none());
        let world = vec![place(-80.0, -60.0), place(90.0, 75.0), place(0.0, 0.0), place(1.0, 1.0)];
        let map = SitesMap::new(world).unwrap();
        assert!(map.height <= MAX_HEIGHT);
        assert!(map.dots.iter().all(|d| d.y > 0.0 && d.y < map.height));
        let twins = SitesMap::new(vec![place(2.0, 3.0), place(2.0, 3.0)]).unwrap();
        assert!(twins.dots.iter().all(|dot| dot.x.is_finite() && dot.y.is_finite()));
    }
}
