//! Bright built surfaces that a mask calls cloud on every date: what never moves is no cloud, and is unmasked.

use ndarray::Array2;

use crate::geo::Rect;
use crate::raster::{Flags, Plane, flags};

/// Fewer dates than this, with the pixel seen and the ground around it clear, prove nothing.
pub const MIN_DATES: usize = 4;
/// Called cloud on at least this part of these dates. Real cloud is met on 15 % of them at most (68 dates of Sentinel-2 in Slovenia).
const PERSISTENT: f64 = 0.9;
/// The ground around is clear when at most this part of it is called cloud.
const CLOUDED_AROUND: f64 = 0.2;
/// The ground around: a square ring from this distance, metres; halls, ports and quarries are smaller.
const RING_FROM_M: f64 = 300.0;
/// To this distance, metres.
const RING_TO_M: f64 = 600.0;
/// Not even the widest ring is wider, pixels.
const WIDEST_PX: f64 = 256.0;

/// What masks say of cloud; their own rims around it come with it.
const CALLED: Flags = flags::CLOUD | flags::CIRRUS | flags::NEAR_CLOUD;
/// The pixel was not seen.
const UNSEEN: Flags = flags::NOT_COVERED | flags::NODATA | flags::INVALID;

/// Pixels that are read around a rectangle, on a grid of `pixel_m` metres.
pub fn halo(pixel_m: f64) -> usize {
    pixels(RING_TO_M, pixel_m)
}

fn pixels(metres: f64, pixel_m: f64) -> usize {
    (metres / pixel_m).clamp(1.0, WIDEST_PX).ceil() as usize
}

/// Where `core` is called cloud on nearly every date on which the ground around is clear: no cloud, to be unmasked.
///
/// `per_date` are flags as decoded (before any buffer) of one rectangle, which holds `core` and [`halo`] pixels around it: at least
/// [`MIN_DATES`] dates, else nothing is unmasked. A surface that is new among the dates is not on all of them: to keep it, give the
/// dates before and the dates after apart.
pub fn unmasked(per_date: &[Plane<Flags>], core: &Rect, pixel_m: f64) -> Plane<bool> {
    let mut open = Array2::<u32>::zeros((core.h, core.w));
    let mut called = open.clone();
    let (from, to) = (pixels(RING_FROM_M, pixel_m), halo(pixel_m));
    for date in per_date {
        let counts = Counts::of(date);
        for ((row, column), open) in open.indexed_iter_mut() {
            let (y, x) = (
                (core.y - date.rect().y) as usize + row,
                (core.x - date.rect().x) as usize + column,
            );
            let flag = date[[y, x]];
            if flag & UNSEEN == 0 && counts.clear_around(y, x, from, to) {
                *open += 1;
                called[[row, column]] += u32::from(flag & CALLED != 0);
            }
        }
    }
    Plane::from_fn(*core, |at| {
        open[at] as usize >= MIN_DATES && f64::from(called[at]) >= PERSISTENT * f64::from(open[at])
    })
}

/// How many pixels of `flags` were called cloud and are so no longer; other reasons stay.
pub fn unmask(flags: &mut Plane<Flags>, given: &Plane<bool>) -> usize {
    let mut count = 0;
    for ((row, column), is) in given.indexed_iter() {
        let (x, y) = (given.rect().x + column as i64, given.rect().y + row as i64);
        if let Some(flag) = flags.get_mut(x, y).filter(|flag| *is && **flag & CALLED != 0) {
            *flag &= !CALLED;
            count += 1;
        }
    }
    count
}

/// How many pixels of a box are seen, and how many are called cloud: sums from the top left corner.
struct Counts(Array2<[u32; 2]>);

impl Counts {
    fn of(flags: &Plane<Flags>) -> Self {
        let Rect {
            w: columns, h: rows, ..
        } = flags.rect();
        let mut sums = Array2::from_elem((rows + 1, columns + 1), [0; 2]);
        for row in 0..rows {
            let mut line = [0; 2];
            for column in 0..columns {
                let flag = flags[[row, column]];
                let seen = flag & UNSEEN == 0;
                line = [
                    line[0] + u32::from(seen),
                    line[1] + u32::from(seen && flag & CALLED != 0),
                ];
                let above: [u32; 2] = sums[[row, column + 1]];
                sums[[row + 1, column + 1]] = [above[0] + line[0], above[1] + line[1]];
            }
        }
        Self(sums)
    }

    fn boxed(&self, row: usize, column: usize, radius: usize) -> [u32; 2] {
        let (rows, columns) = self.0.dim();
        let (top, bottom) = (row.saturating_sub(radius), (row + radius + 1).min(rows - 1));
        let (left, right) = (column.saturating_sub(radius), (column + radius + 1).min(columns - 1));
        [0, 1].map(|what| {
            let at = |row: usize, column: usize| self.0[[row, column]][what];
            at(bottom, right) + at(top, left) - at(top, right) - at(bottom, left)
        })
    }

    /// Whether a quarter of the ring or more was seen, and hardly any of that is called cloud.
    fn clear_around(&self, row: usize, column: usize, from: usize, to: usize) -> bool {
        let ([inner, inner_called], [outer, outer_called]) =
            (self.boxed(row, column, from), self.boxed(row, column, to));
        let edge = |radius: usize| (2 * radius + 1) * (2 * radius + 1);
        let (seen, called) = (outer - inner, outer_called - inner_called);
        4 * seen as usize >= edge(to) - edge(from) && seen > 0 && f64::from(called) <= CLOUDED_AROUND * f64::from(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIXEL_M: f64 = 60.0;

    /// A date of 40 x 40 pixels that is clear but for what `flag` says.
    fn date(flag: impl Fn(i64, i64) -> Flags) -> Plane<Flags> {
        let rect = Rect::new(100, -20, 40, 40);
        Plane::from_fn(rect, |[row, column]| flag(column as i64, row as i64))
    }

    fn roof(x: i64, y: i64) -> bool {
        (18..22).contains(&x) && (18..21).contains(&y)
    }

    fn count(per_date: &[Plane<Flags>]) -> usize {
        let given = unmasked(per_date, &per_date[0].rect(), PIXEL_M);
        given.values().iter().filter(|is| **is).count()
    }

    #[test]
    fn what_is_cloud_on_every_date_is_given_back_with_its_rim() {
        let called = |x, y| {
            if roof(x, y) {
                flags::CLOUD
            } else if roof(x - 1, y) {
                flags::NEAR_CLOUD
            } else {
                flags::CLEAR
            }
        };
        let dates = vec![date(called); 4];
        assert_eq!(count(&dates), 15);
        assert_eq!(count(&dates[..3]), 0);
        let mut first = date(|x, y| {
            if roof(x, y) {
                flags::CLOUD | flags::SNOW
            } else if x == 0 {
                flags::CLOUD
            } else {
                0
            }
        });
        let given = unmasked(&dates, &first.rect(), PIXEL_M);
        assert_eq!(unmask(&mut first, &given), 12);
        assert_eq!((first[[19, 19]], first[[0, 0]]), (flags::SNOW, flags::CLOUD));
    }

    #[test]
    fn overcast_dates_and_dates_without_the_pixel_do_not_count() {
        let clear_but_for_roof = date(|x, y| if roof(x, y) { flags::CLOUD } else { flags::CLEAR });
        let mut dates = vec![clear_but_for_roof; 3];
        dates.push(date(|_, _| flags::CLOUD));
        dates.push(date(|x, y| if roof(x, y) { flags::NODATA } else { flags::CLEAR }));
        assert_eq!(count(&dates), 0);
        assert_eq!(count(&vec![date(|_, _| flags::CLOUD); 9]), 0);
    }

    #[test]
    fn cloud_that_moves_stays_cloud() {
        let mut dates: Vec<_> = (0..4)
            .map(|_| date(|x, y| if roof(x, y) { flags::CLOUD } else { flags::CLEAR }))
            .collect();
        dates.push(date(|_, _| flags::CLEAR));
        assert_eq!(count(&dates), 0);
        // One clear date of ten is a mask that missed once.
        dates.splice(0..0, vec![dates[0].clone(); 5]);
        assert_eq!(count(&dates), 12);
    }

    #[test]
    fn a_tile_is_a_part_of_the_whole() {
        let spotted = |seed: i64| {
            date(move |x, y| {
                if roof(x, y) || (x * 31 + y * 17 + seed * 7) % 19 == 0 {
                    flags::CLOUD
                } else {
                    flags::CLEAR
                }
            })
        };
        let dates: Vec<_> = (0..6).map(spotted).collect();
        let whole = unmasked(&dates, &dates[0].rect(), PIXEL_M);
        assert!(whole.values().iter().any(|is| *is));
        for (x, y) in [(115, -5), (119, 0), (100, -20)] {
            let core = Rect::new(x, y, 6, 5);
            let seen = core.grow(halo(PIXEL_M)).intersect(&dates[0].rect());
            let cut: Vec<_> = dates.iter().map(|date| date.crop(&seen)).collect();
            assert_eq!(unmasked(&cut, &core, PIXEL_M), whole.crop(&core));
        }
    }

    #[test]
    fn no_date_and_no_pixel_give_nothing_back() {
        let core = Rect::new(0, 0, 2, 2);
        assert_eq!(unmasked(&[], &core, PIXEL_M), Plane::filled(core, false));
        let one = Plane::filled(Rect::new(0, 0, 1, 1), flags::CLOUD);
        assert!(!unmasked(&vec![one.clone(); 5], &one.rect(), PIXEL_M)[[0, 0]]);
    }
}
