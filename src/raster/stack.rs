//! A stack: one scene on a rectangle of the site grid; and the seam behind which files are read.

use ndarray::Array2;

use super::{Flags, Plane, flags, plane};
use crate::geo::Rect;

/// One scene on a rectangle of the site grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Which pixels of the site grid.
    pub rect: Rect,
    /// Bands in physical units, shape (rows, columns) each; NaN where `flags` has a reason that leaves no value.
    pub bands: Vec<Array2<f32>>,
    /// Reasons that the quality bands state, of all pixels of `rect` and some around it.
    pub quality: Plane<Flags>,
    /// Reasons found while reading: not covered, no data, invalid, saturated.
    pub flags: Plane<Flags>,
}

impl Stack {
    /// A stack on `rect` that holds nothing.
    pub fn nothing(rect: &Rect) -> Self {
        Self {
            rect: *rect,
            bands: Vec::new(),
            quality: Plane::filled(*rect, flags::CLEAR),
            flags: Plane::filled(*rect, flags::NOT_COVERED),
        }
    }

    /// All that the file and its quality bands say of the pixel in that row and column; both must be of one rectangle.
    pub fn reasons(&self, at: [usize; 2]) -> Flags {
        self.flags[at] | self.quality[at]
    }

    /// The part of it on `rect`, which it holds; quality bands stay whole.
    pub fn cut(self, rect: &Rect) -> Self {
        if self.rect == *rect {
            return self;
        }
        let cut = |band: &Array2<f32>| plane::cropped(band, &self.rect, rect);
        Self {
            rect: *rect,
            bands: self.bands.iter().map(cut).collect(),
            flags: self.flags.crop(rect),
            ..self
        }
    }
}

/// Why pixels could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reading {path}: {message}")]
pub struct ReadError {
    /// Which file.
    pub path: String,
    /// What happened, expected against found, remedy last.
    pub message: String,
}

/// Something that reads one scene on the site grid: GDAL files in the program, memory in tests.
pub trait PixelSource: Sync {
    /// The scene's pixels on `rect`, its quality bands on `around`, which holds `rect`; both may reach beyond the scene and the site grid.
    ///
    /// # Errors
    /// A file that cannot be read, named.
    fn read_around(&self, rect: &Rect, around: &Rect) -> Result<Stack, ReadError>;

    /// The scene's pixels and quality bands on `rect`.
    ///
    /// # Errors
    /// A file that cannot be read, named.
    fn read(&self, rect: &Rect) -> Result<Stack, ReadError> {
        self.read_around(rect, rect)
    }
}

/// A scene held in memory. What lies beyond it is [`flags::NOT_COVERED`]; NaN is [`flags::NODATA`].
#[derive(Debug, Clone)]
pub struct MemorySource {
    /// Where the arrays lie on the site grid.
    pub rect: Rect,
    /// Bands in physical units.
    pub bands: Vec<Array2<f32>>,
    /// Reasons that quality bands state; absent where there are none.
    pub quality: Option<Array2<Flags>>,
}

impl PixelSource for MemorySource {
    fn read_around(&self, rect: &Rect, around: &Rect) -> Result<Stack, ReadError> {
        fn placed<T: Clone>(source: &Array2<T>, whole: &Rect, rect: &Rect, beyond: T) -> Plane<T> {
            let both = rect.intersect(whole);
            let mut target = Plane::filled(*rect, beyond);
            if !both.is_empty() {
                target.part_mut(&both).assign(&plane::view(source, whole, &both));
            }
            target
        }
        let bands = self
            .bands
            .iter()
            .map(|band| placed(band, &self.rect, rect, f32::NAN).into_array());
        let bands: Vec<_> = bands.collect();
        let reasons = Plane::from_fn(*rect, |at| {
            let [row, column] = at;
            if !self.rect.contains(rect.x + column as i64, rect.y + row as i64) {
                flags::NOT_COVERED
            } else if bands.iter().any(|band| band[at].is_nan()) {
                flags::NODATA
            } else {
                flags::CLEAR
            }
        });
        Ok(Stack {
            rect: *rect,
            quality: match &self.quality {
                Some(quality) => placed(quality, &self.rect, around, flags::NOT_COVERED),
                None => Plane::filled(*around, flags::CLEAR),
            },
            bands,
            flags: reasons,
        })
    }
}
