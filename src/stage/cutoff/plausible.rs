//! Whether a cut can be believed: what every method has to pass before its level is taken.

use super::null::Null;
use crate::number::round;
use crate::raster::stats::{Histogram, SCORE_SCALE};

/// Pixels at or above the stored score `level`.
pub(super) fn at_or_above(scores: &Histogram, level: i16) -> u64 {
    let above = scores.occupied().rev().take_while(|(score, _)| *score >= level);
    above.map(|(_, n)| n).sum()
}

/// The null distribution may explain this share of the claimed pixels.
const MAX_EXPLAINED: f64 = 0.25;

/// `level`, when the pixels at or above it are more than the null distribution puts there.
///
/// # Errors
/// The reason, when that distribution makes too many of them.
pub(super) fn unlike_no_change(scores: &Histogram, null: &Null, level: i16) -> Result<i16, String> {
    let claimed = at_or_above(scores, level) as f64;
    let share = null.expected(scores.total(), level) / claimed.max(1.0);
    if share <= MAX_EXPLAINED {
        return Ok(level);
    }
    Err(format!(
        "no change alone explains {} of the pixels above its cut at {:.2} sigma, expected at most {}",
        percent(share.min(1.0)),
        f64::from(level) * SCORE_SCALE,
        percent(MAX_EXPLAINED)
    ))
}

/// Otsu and minimum error part two classes of like size and kind (Kittler and Illingworth, "On threshold selection using
/// clustering criteria", 1985). Where the upper one is smaller than this they part season from noise, not change from season. The
/// place is measured, not derived: of six urban scenes, where their cut is wrong, minimum error finds at most 0.161 of the pixels
/// above it, and 0.182 where it is right (docs/accuracy.md); the margin is thin.
const MIN_CLASS: f64 = 0.17;

/// Whether the upper class of a cut, `upper` of the pixels, is large enough.
///
/// # Errors
/// The reason, when it is too rare.
pub(super) fn common(upper: f64) -> Result<(), String> {
    if upper >= MIN_CLASS {
        return Ok(());
    }
    Err(format!(
        "its upper class holds {} of the pixels, expected at least {}: too rare for it",
        percent(upper),
        percent(MIN_CLASS)
    ))
}

/// `share` in words.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", round(100.0 * share, 2))
}
