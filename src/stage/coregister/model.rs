//! The registration of a whole site: what it says, and where it takes a point.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TiePoint;
use super::rejected::{MIN_CLEAR, Reason};
use crate::geo::Affine;

/// Of nine cells, those that must hold a tie point (ALGORITHMS.md section 3).
pub(super) const MIN_CELLS: usize = 4;
/// The least area of the hull of the tie points, part of that of all windows (ALGORITHMS.md section 3).
pub(super) const MIN_HULL: f64 = 0.4;

/// Which model was fitted: the simplest that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// The scene lies right as far as can be told, or was not measured: nothing is moved.
    Identity,
    /// The same shift everywhere.
    Shift,
    /// A shift that varies linearly over the site.
    Affine,
}

impl Model {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Shift => "shift",
            Self::Affine => "affine",
        }
    }
}

/// A shift for every point of the site grid: `shift = c0 + c1 u + c2 v` on either axis, `u` and `v` from the middle of
/// the site. Points are in pixels of the grid, (0, 0) the outer corner of its first pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shifts {
    /// The middle of the site, grid pixels.
    pub centre: [f64; 2],
    /// Constant, slope along x, slope along y of the shift in x.
    pub x: [f64; 3],
    /// The same of the shift in y.
    pub y: [f64; 3],
}

impl Shifts {
    /// The same shift everywhere.
    pub fn constant(centre: [f64; 2], shift: [f64; 2]) -> Self {
        Self {
            centre,
            x: [shift[0], 0.0, 0.0],
            y: [shift[1], 0.0, 0.0],
        }
    }

    /// What to add to the position of the target's content so that it comes to (`x`, `y`) of the grid, pixels.
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        let (u, v) = (x - self.centre[0], y - self.centre[1]);
        [self.x, self.y].map(|c| c[0] + c[1] * u + c[2] * v)
    }

    /// Where each point comes from: the point less its shift.
    pub fn source(&self) -> Affine {
        let [u, v] = self.centre;
        let row = |[x, y]: [f64; 2], c: [f64; 3]| [x - c[1], y - c[2], c[1] * u + c[2] * v - c[0]];
        Affine {
            x: row([1.0, 0.0], self.x),
            y: row([0.0, 1.0], self.y),
        }
    }
}

/// What the residual says of the scene.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The residual is small.
    Pass,
    /// The residual is larger: the detector must be tolerant, and the report says so.
    Degraded,
    /// The residual is too large to compare the pair.
    Refused,
    /// It was not measured, and is not moved.
    Unmeasured(Unmeasured),
}

/// Why a site was not measured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unmeasured {
    /// No window fits in.
    #[error("the site of {w} x {h} pixels is too small to be measured; widen margin_m")]
    TooSmall {
        /// Columns of the site.
        w: usize,
        /// Rows.
        h: usize,
    },
    /// Clouds, no data.
    #[error(
        "expected at least {:.0} % of the ground clear and covered on both dates, found {found:.0} %; choose clearer scenes, or where nothing \
         hides the ground scenes that reach farther around the site",
        100.0 * MIN_CLEAR
    )]
    Cloud {
        /// There, percent.
        found: f64,
    },
    /// Too few windows could be measured.
    #[error("expected at least {expected} tie points, found {found} of {windows} windows{}", most(.reason))]
    TooFew {
        /// Needed.
        expected: usize,
        /// Found.
        found: usize,
        /// Windows looked at.
        windows: usize,
        /// The most frequent reason of rejection.
        reason: Option<Reason>,
    },
    /// The tie points lie on one side.
    #[error(
        "expected tie points that agree in at least {MIN_CELLS} of 9 cells of the site and around {:.0} % of it, found {cells} and {hull:.0} %",
        100.0 * MIN_HULL
    )]
    Clustered {
        /// Cells of a 3 x 3 division of the site that hold a tie point.
        cells: usize,
        /// The area of the hull of the tie points, percent of that of all windows.
        hull: f64,
    },
    /// The tie points contradict each other.
    #[error("expected at least {expected} of {points} tie points to agree on a shift, found {agreeing}")]
    NoConsensus {
        /// Needed.
        expected: usize,
        /// Tie points that the model holds for.
        agreeing: usize,
        /// Tie points.
        points: usize,
    },
}

fn most(reason: &Option<Reason>) -> String {
    reason.map_or(String::new(), |r| format!("; most were rejected: {r}"))
}

/// How the target lies against the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// Whether the pair can be compared.
    pub outcome: Outcome,
    /// The model behind [`Registration::source`].
    pub model: Model,
    /// From a point of the site grid to the point of the target's own, unshifted grid that shows the same.
    pub source: Affine,
    /// The measured shift to apply to the target in the middle of the site, pixels: x right, y down. It is measured but
    /// not applied where the model is [`Model::Identity`].
    pub shift_px: [f64; 2],
    /// Root mean square length of the shifts of the tie points, pixels: the residual had nothing been moved; NaN when
    /// not measured.
    pub unmoved_px: f64,
    /// Root mean square distance of the tie points from what is applied, pixels; NaN when not measured.
    pub residual_px: f64,
    /// 90 % of the tie points lie nearer than this, pixels (circular error); NaN when not measured.
    pub circular_error_90_px: f64,
    /// Root mean square distance of each tie point from the model fitted without it, pixels; NaN when not measured.
    pub held_out_px: f64,
    /// Tie points that agree with the model.
    pub used: Vec<TiePoint>,
    /// Tie points that do not.
    pub outliers: Vec<TiePoint>,
}
