//! What the score pass counts: areas by reason, scores, and a small picture of both dates.

use std::collections::BTreeMap;

use crate::finding::Coverage;
use crate::geo::Rect;
use crate::raster::stats::{Histogram, SCORE_NODATA};
use crate::raster::{Flags, Plane, flags};
use crate::report::pictures::rendition::SHOWN_BANDS;
use crate::report::{Palette, Pixel};
use crate::stage::detect::ScreenedStack;
use crate::stage::normalise::LinearFit;

/// What the score pass counts.
pub struct Counts {
    /// Scores of the judged pixels.
    pub histogram: Histogram,
    /// The site, then its zones, then its activities.
    pub areas: Vec<AreaCount>,
    /// Both dates on the lattice, row by row.
    pub overview: Vec<OverviewPixel>,
    /// Pixels of the site that the masks of a series call cloud on every date, and that were judged all the same.
    pub unmasked: u64,
}

impl Counts {
    /// Nothing counted yet of so many areas, and nothing seen on `overview_grid`.
    pub fn new(areas: usize, overview_grid: &OverviewGrid) -> Self {
        Self {
            histogram: Histogram::default(),
            areas: vec![AreaCount::default(); areas],
            overview: vec![OverviewPixel::NONE; overview_grid.size.0 * overview_grid.size.1],
            unmasked: 0,
        }
    }
}

/// Pixels of an area: all, judged, and not judged by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AreaCount {
    pixels: u64,
    observed: u64,
    reasons: BTreeMap<&'static str, u64>,
}

impl AreaCount {
    /// Counts pixels that lie side by side.
    pub fn add(&mut self, run: &[Flags]) {
        let is_judged = |flag: &Flags| u64::from(*flag & !flags::OUTSIDE_SITE == flags::CLEAR);
        let judged = run.iter().map(is_judged).sum::<u64>();
        self.pixels += run.len() as u64;
        self.observed += judged;
        if judged < run.len() as u64 {
            for reason in run.iter().filter_map(|flag| flags::first_reason(*flag)) {
                *self.reasons.entry(reason).or_insert(0) += 1;
            }
        }
    }

    /// Adds what `other` counts.
    pub fn merge(&mut self, other: &Self) {
        self.pixels += other.pixels;
        self.observed += other.observed;
        other
            .reasons
            .iter()
            .for_each(|(reason, n)| *self.reasons.entry(reason).or_insert(0) += n);
    }

    /// Pixels, and those that were judged.
    pub fn pixels(&self) -> (u64, u64) {
        (self.pixels, self.observed)
    }

    /// The count as it stands in the record.
    pub fn coverage(&self) -> Coverage {
        Coverage {
            pixels: self.pixels,
            observed: self.observed,
            observed_fraction: crate::number::round(self.observed as f64 / self.pixels.max(1) as f64, 6),
            not_observed: self
                .reasons
                .iter()
                .map(|(reason, n)| ((*reason).to_owned(), *n))
                .collect(),
        }
    }
}

/// Regularly spaced pixels of the site grid, from which a small picture of the site is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverviewGrid {
    /// One of this many pixels, in each direction.
    pub stride: usize,
    /// Columns and rows of the picture.
    pub size: (usize, usize),
    /// Which bands are shown.
    pub palette: Palette,
}

/// A pixel of the overview.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverviewPixel {
    /// Before, as the later date would show it, and after; NaN where not judged.
    pub dates: [Pixel; 2],
    /// The stored score.
    pub score: i16,
}

impl OverviewPixel {
    /// Nothing.
    pub const NONE: Self = Self {
        dates: [[f32::NAN; SHOWN_BANDS]; 2],
        score: SCORE_NODATA,
    };
}

impl OverviewGrid {
    /// The grid over `area` that makes a picture whose longer edge has at most `longest` pixels.
    pub fn new(area: Rect, longest: usize, palette: Palette) -> Self {
        let stride = area.w.max(area.h).div_ceil(longest.max(1)).max(1);
        Self {
            stride,
            size: (area.w.div_ceil(stride), area.h.div_ceil(stride)),
            palette,
        }
    }

    /// The pixels of the core of `scores` that belong to the overview, with their places in it.
    pub fn overview_pixels(
        &self,
        scores: &Plane<i16>,
        stack: &ScreenedStack,
        fits: &[LinearFit],
    ) -> Vec<(usize, OverviewPixel)> {
        let core = scores.rect();
        let step = self.stride as i64;
        let first = |v: i64| v + (step - v.rem_euclid(step)) % step;
        let sides = stack.sides();
        let mut found = Vec::new();
        for y in (first(core.y)..core.bottom()).step_by(self.stride) {
            for x in (first(core.x)..core.right()).step_by(self.stride) {
                let at = [(y - stack.rect.y) as usize, (x - stack.rect.x) as usize];
                let place = (y / step) as usize * self.size.0 + (x / step) as usize;
                let clear = stack.flags[at] & !flags::OUTSIDE_SITE == flags::CLEAR;
                let value =
                    |bands: &[ndarray::Array2<f32>], band: usize| if clear { bands[band][at] } else { f32::NAN };
                let before = |band: usize| {
                    let before = value(&sides[0], band);
                    fits.get(band).map_or(before, |fit| fit.normalised(before))
                };
                let dates = [
                    self.palette.pixel(before),
                    self.palette.pixel(|band| value(&sides[1], band)),
                ];
                let score = scores.get(x, y).copied().unwrap_or(SCORE_NODATA);
                found.push((place, OverviewPixel { dates, score }));
            }
        }
        found
    }
}
