//! What a detector is given, and what it answers.

use std::borrow::Cow;

use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::geo::Rect;
#[cfg(test)]
use crate::raster::plane;
use crate::raster::{Flags, Plane, flags};

/// Every date of a comparison on a rectangle of the site grid, screened.
#[derive(Debug, Clone, PartialEq)]
pub struct ScreenedStack {
    /// Which pixels: those that are asked about, and a halo around them.
    pub rect: Rect,
    /// The dates, oldest first, the judged one last: one array a band, in physical units (reflectance; decibels for radar); NaN where
    /// that date is not clear.
    pub dates: Vec<Vec<Array2<f32>>>,
    /// Why a pixel cannot be judged: [`crate::raster::flags::CLEAR`] where it can.
    pub flags: Plane<Flags>,
}

/// When a pixel changed: between two of the dates, by their places among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BreakDate {
    /// The last date on which it was seen unchanged.
    pub last_unchanged: u16,
    /// The first date on which it was seen changed.
    pub first_changed: u16,
}

/// What a series shows of a pixel beside its newest change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Course {
    /// How often it changed.
    pub changes: u16,
    /// When it did so first.
    pub first: BreakDate,
    /// Which way it changed last.
    pub direction: Direction,
}

/// Which way a change of radar power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More in all polarisations: something was built, or came.
    Positive,
    /// Less in all of them: something was removed, or went.
    Negative,
    /// More in one, less in another.
    Indefinite,
}

/// What a fit says of itself, for the record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diagnostics {
    /// Rounds of an iteration: the canonical correlations after each, ascending.
    pub rounds: Vec<Vec<f64>>,
    /// Bands that take no part, by number, and why.
    pub dropped: Vec<(usize, String)>,
    /// Equivalent number of looks of each band.
    pub looks: Vec<f64>,
}

/// A fitted detector: a plain function from screened dates to scores.
pub trait Scorer: Send + Sync {
    /// How far it looks beyond a pixel, pixels.
    fn halo(&self) -> usize;

    /// Stored scores (hundredths of sigma of no-change noise) of `core`, which lies at least [`Scorer::halo`] pixels inside `stack`;
    /// [`crate::raster::stats::SCORE_NODATA`] where a pixel cannot be judged.
    fn score(&self, stack: &ScreenedStack, core: &Rect) -> Plane<i16>;

    /// How far its smoothing draws a fringe around what changed, pixels; 0 where its scores do not grow as the change does.
    fn fringe_px(&self) -> usize {
        0
    }

    /// When each pixel that is `wanted` changed; others may be told or not. `None` from a detector that compares two dates only.
    fn break_date(&self, _stack: &ScreenedStack, _wanted: &Plane<bool>) -> Option<Plane<Option<BreakDate>>> {
        None
    }

    /// The course of each pixel of `core`; `None` from a detector that does not follow a series.
    fn course(&self, _stack: &ScreenedStack, _core: &Rect) -> Option<Plane<Option<Course>>> {
        None
    }

    /// What the fit says of itself.
    fn diagnostics(&self) -> Diagnostics {
        Diagnostics::default()
    }
}

/// A part of a training sample: a rectangle, and the screened dates of it and of a halo around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The pixels that count.
    pub core: Rect,
    /// The dates, screened.
    pub stack: ScreenedStack,
}

impl ScreenedStack {
    /// `rect` where no date is: nothing.
    pub fn nothing(rect: &Rect) -> Self {
        Self {
            rect: *rect,
            dates: Vec::new(),
            flags: Plane::filled(*rect, flags::NOT_COVERED),
        }
    }

    /// The judged date, and what it is compared with where two pictures are wanted: of the earlier dates the latest that is clear,
    /// pixel by pixel.
    pub fn sides(&self) -> [Cow<'_, [Array2<f32>]>; 2] {
        match self.dates.as_slice() {
            [] => [Cow::Borrowed(&[]), Cow::Borrowed(&[])],
            [only] => [Cow::Borrowed(&[]), Cow::Borrowed(only)],
            [before, after] => [Cow::Borrowed(before), Cow::Borrowed(after)],
            [first, others @ .., last, after] => {
                let mut latest = last.clone();
                for earlier in others.iter().rev().chain([first]) {
                    for (value, other) in latest.iter_mut().zip(earlier) {
                        value.zip_mut_with(other, |value, other| {
                            if value.is_nan() {
                                *value = *other;
                            }
                        });
                    }
                }
                [Cow::Owned(latest), Cow::Borrowed(after)]
            }
        }
    }
}

#[cfg(test)]
impl ScreenedStack {
    /// `rect` alone, which must lie inside: what a tile holds.
    pub fn crop(&self, rect: &Rect) -> Self {
        let cut = |band: &Array2<f32>| plane::view(band, &self.rect, rect).to_owned();
        Self {
            rect: *rect,
            dates: self.dates.iter().map(|date| date.iter().map(cut).collect()).collect(),
            flags: self.flags.crop(rect),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_series_is_shown_against_the_latest_clear_date() {
        let rect = Rect::new(0, 0, 3, 1);
        let nan = f32::NAN;
        let date = |values: [f32; 3]| vec![array![values]];
        let mut stack = ScreenedStack {
            rect,
            dates: vec![
                date([1.0, 2.0, 3.0]),
                date([4.0, nan, 6.0]),
                date([nan, nan, 9.0]),
                date([0.0, 0.5, nan]),
            ],
            flags: Plane::filled(rect, flags::CLEAR),
        };
        let [before, after] = stack.sides();
        assert_eq!(before[0], array![[4.0, 2.0, 9.0]]);
        assert_eq!(after[0][[0, 1]], 0.5);
        stack.dates.drain(..2);
        assert!(stack.sides()[0][0][[0, 0]].is_nan());
    }
}
