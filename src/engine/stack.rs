//! The dates of a comparison, read and screened: every pass over the pixels reads through this.

use ndarray::Zip;

use crate::geo::{Grid, Rect, Shape};
use crate::plan::reach::{Clouds, screen_halo};
use crate::raster::{Flags, PixelSource, Plane, ReadError, Stack, flags, plane};
use crate::stage::detect::ScreenedStack;
use crate::stage::screen::{self, ScreenParams};
use crate::stage::{cloud, persistent};

/// A tile of the site, screened.
pub struct ScreenedTile {
    /// All dates.
    pub stack: ScreenedStack,
    /// Where the masks of a series call bright ground cloud on every date and are ignored; absent where that is nowhere.
    pub unmasked: Option<Plane<bool>>,
}

/// Reads the dates of a comparison, oldest first, and screens them.
pub struct StackReader<'a> {
    /// The dates; the judged one is the last.
    pub dates: Vec<&'a dyn PixelSource>,
    /// Names of the bands that the sources read: those that are compared, then those that only the screen needs.
    pub bands: &'a [String],
    /// How many are compared.
    pub compared: usize,
    /// Where clouds come from.
    pub clouds: Clouds,
    /// The site grid.
    pub grid: &'a Grid,
    /// The site's boundary, beyond which nothing is judged; what lies there lends no evidence to what lies inside.
    pub boundary: &'a Shape,
    /// How it is told which pixels can be judged.
    pub screen: &'a ScreenParams,
}

/// A series is judged where at least so many of its earlier dates are clear.
const MIN_EARLIER: u16 = 3;

/// Whether a tile is one of the black squares of a chess board.
fn is_odd(core: &Rect) -> bool {
    let place = |from: i64, length: usize| from.div_euclid(length.max(1) as i64);
    (place(core.x, core.w) + place(core.y, core.h)) % 2 != 0
}

impl StackReader<'_> {
    /// All dates on `core` and `halo` pixels around it.
    ///
    /// A pixel of a pair can be judged where both dates are clear; of a series where the judged date is, and enough others are.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn stack(&self, core: &Rect, halo: usize) -> Result<ScreenedStack, ReadError> {
        Ok(self.all(core, halo)?.stack)
    }

    /// What [`StackReader::stack`] reads, ground beyond the site's boundary marked as outside.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn tile(&self, core: &Rect, halo: usize) -> Result<ScreenedTile, ReadError> {
        let mut tile = self.all(core, halo)?;
        let stack = &mut tile.stack;
        for y in stack.rect.y..stack.rect.bottom() {
            let mut left = stack.rect.x;
            let row = (y - stack.rect.y) as usize;
            let mut outside = |from: i64, to: i64| {
                let (from, to) = ((from - stack.rect.x) as usize, (to - stack.rect.x) as usize);
                let beyond = &mut stack.flags.row_mut(row)[from..to];
                beyond.iter_mut().for_each(|flag| *flag |= flags::OUTSIDE_SITE);
            };
            self.boundary
                .for_each_span(&Rect::new(stack.rect.x, y, stack.rect.w, 1), |_, from, to| {
                    outside(left, from);
                    left = to;
                });
            outside(left, stack.rect.right());
        }
        Ok(tile)
    }

    fn all(&self, core: &Rect, halo: usize) -> Result<ScreenedTile, ReadError> {
        let rect = core.grow(halo);
        let pixel_m = self.grid.pixel_m;
        let params = self.screen;
        let padded = rect.grow(screen_halo(self.screen, pixel_m, self.clouds, self.dates.len()));
        let screened = rect.grow(params.halo(pixel_m));
        let read = if self.bands_tell_of_clouds() { padded } else { rect };
        // Neighbours go through the dates the other way round: what one has read last, the store of blocks still holds.
        let back = is_odd(core);
        let mut dates = self.dates.clone();
        if back {
            dates.reverse();
        }
        let stacks = dates.iter().map(|date| date.read_around(&read, &padded));
        let mut stacks = stacks.collect::<Result<Vec<Stack>, ReadError>>()?;
        if back {
            stacks.reverse();
        }
        let mut why: Vec<Plane<Flags>> = stacks.iter().map(screen::stated).collect();
        let unmasked = self.unmask(&mut why, &screened);
        self.mark_clouds(&stacks, &mut why, &screened);
        let mut dates = Vec::with_capacity(self.dates.len());
        let mut reasons = Plane::filled(rect, flags::CLEAR);
        let mut earlier = Plane::filled(rect, (0_u16, flags::CLEAR));
        for (index, (stack, why)) in stacks.into_iter().zip(why).enumerate() {
            let why = screen::buffered(why.crop(&screened), &rect, pixel_m, params);
            if index + 1 == self.dates.len() {
                reasons.zip_mut_with(&why, |all, one| *all |= one);
            } else {
                earlier.zip_mut_with(&why, |(clear, all), one| {
                    *clear += u16::from(*one == flags::CLEAR);
                    *all |= one;
                });
            }
            let all_clear = why.values().iter().all(|flag| *flag == flags::CLEAR);
            let bands = stack.bands.into_iter().take(self.compared).map(|band| {
                let mut band = if read == rect {
                    band
                } else {
                    plane::cropped(&band, &read, &rect)
                };
                if !all_clear {
                    Zip::from(&mut band).and(why.view()).for_each(|value, why| {
                        *value = if *why == flags::CLEAR { *value } else { f32::NAN };
                    });
                }
                band
            });
            dates.push(bands.collect());
        }
        let needed = MIN_EARLIER.min(self.dates.len().saturating_sub(1) as u16);
        reasons.zip_mut_with(&earlier, |reason, (clear, why)| {
            if *clear < needed {
                *reason |= why;
            }
        });
        let stack = ScreenedStack {
            rect,
            dates,
            flags: reasons,
        };
        Ok(ScreenedTile { stack, unmasked })
    }

    /// Whether pixels are screened by what the bands show around them: by the own test, or where a series has seen something.
    fn bands_tell_of_clouds(&self) -> bool {
        self.clouds == Clouds::Tested || self.dates.len() >= persistent::MIN_DATES
    }

    /// Takes back what the masks of a series call cloud on every date: bright built ground; which pixels that is.
    fn unmask(&self, why: &mut [Plane<Flags>], screened: &Rect) -> Option<Plane<bool>> {
        if self.dates.len() < persistent::MIN_DATES {
            return None;
        }
        let given = persistent::unmasked(why, screened, self.grid.pixel_m);
        if !given.values().iter().any(|is| *is) {
            return None;
        }
        for date in why {
            persistent::unmask(date, &given);
        }
        Some(given)
    }

    /// Adds what the own test finds.
    fn mark_clouds(&self, stacks: &[Stack], why: &mut [Plane<Flags>], screened: &Rect) {
        let ([before, after], Clouds::Tested) = (stacks, self.clouds) else {
            return;
        };
        let names: Vec<&str> = self.bands.iter().map(String::as_str).collect();
        let looks = (
            cloud::CloudBands::new(&names, &before.bands, true),
            cloud::CloudBands::new(&names, &after.bands, true),
        );
        if let (Ok(earlier), Ok(later)) = looks {
            let found = cloud::pair(&earlier, &later, &before.rect, screened, self.grid.pixel_m);
            for (date, found) in why.iter_mut().zip(&found) {
                for ((row, column), flag) in found.indexed_iter() {
                    let (x, y) = (screened.x + column as i64, screened.y + row as i64);
                    if let Some(all) = date.get_mut(x, y) {
                        *all |= flag;
                    }
                }
            }
        }
    }
}
