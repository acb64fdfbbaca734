//! How the judged date of a pair lies beside the earlier one: windows over the site are read and handed to `stage::coregister`.

use std::collections::BTreeMap;

use crate::engine::EngineError;
use crate::engine::driver::in_order;
use crate::engine::session::Session;
use crate::engine::spared::{Lost, Spared};
use crate::engine::stack::StackReader;
use crate::finding::RegistrationOutcome;
use crate::finding::RegistrationRecord;
use crate::geo::{Affine, Rect};
use crate::io::mapping::Target;
use crate::number::round;
use crate::plan::Ground;
use crate::plan::pairs::Pair;
use crate::plan::reach::Clouds;
use crate::raster::{PixelSource, ReadError};
use crate::scene::Acquisition;
use crate::stage::coregister::{self, Outcome, Registration, Rejected, TiePoint};

/// A site with less ground than this along an edge is measured together with its surroundings, pixels: room for some windows.
const MIN_EDGE_PX: usize = 192;

/// Bands on which dates are matched, the best first: those with strong texture that all optical sensors have.
const MATCHED: [&str; 4] = ["nir", "red", "nir08", "green"];
/// Bands that are matched at most.
const MAX_MATCHED: usize = 2;

/// How `dates[1]` lies beside `dates[0]` on `ground`.
///
/// Where `spare` is given, what cannot be read is told there and costs no more than its windows.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn measure(
    session: &Session<'_>,
    ground: &Ground,
    pair: &Pair,
    dates: [&Acquisition; 2],
    spare: Option<&Lost>,
) -> Result<(Registration, RegistrationRecord), EngineError> {
    let grid = &ground.grid;
    let short = MIN_EDGE_PX.saturating_sub(grid.width.min(grid.height));
    let area = grid.rect().grow(short.div_ceil(2));
    let bands = matched(&pair.bands);
    let margin_px = ground.margin_px + short.div_ceil(2);
    let target = Target {
        grid,
        margin: margin_px,
        moved: &Affine::IDENTITY,
    };
    let open = |date: &Acquisition| session.open(date, &target, &bands);
    let sources = [open(dates[0])?, open(dates[1])?];
    let spared = sources.each_ref().map(|source| Spared::of(source, bands.len(), spare));
    let reader = StackReader {
        dates: spared.iter().map(|date| date as &dyn PixelSource).collect(),
        bands: &bands,
        compared: bands.len(),
        clouds: Clouds::Stated,
        grid,
        boundary: &ground.boundary,
        screen: &session.config.screen,
    };
    let params = &session.config.coregister;
    let windows = coregister::windows(area, params);
    let (mut points, mut rejected): (Vec<TiePoint>, Vec<Rejected>) = (Vec::new(), Vec::new());
    in_order(
        &windows,
        session.stop,
        |window: &Rect| {
            let stack = reader.stack(window, 0)?;
            let [reference, target] = stack.sides();
            Ok(coregister::tie_point(&reference, &target, *window, params))
        },
        |found: Result<_, ReadError>| {
            match found? {
                Ok(point) => points.push(point),
                Err(why) => rejected.push(why),
            }
            Ok::<(), EngineError>(())
        },
    )?;
    let registration = coregister::fit(&points, &rejected, area, params);
    let record = record(&registration, &rejected, &dates[1].whole.id);
    Ok((registration, record))
}

fn matched(bands: &[String]) -> Vec<String> {
    let known = MATCHED.iter().filter(|name| bands.iter().any(|band| band == *name));
    let mut chosen: Vec<String> = known.take(MAX_MATCHED).map(|name| (*name).to_owned()).collect();
    if chosen.is_empty() {
        chosen = bands.iter().take(MAX_MATCHED).cloned().collect();
    }
    chosen
}

fn record(registration: &Registration, rejected: &[Rejected], moved: &str) -> RegistrationRecord {
    let known = |value: f64| (!value.is_nan()).then(|| round(value, 3));
    let (outcome, reason) = match &registration.outcome {
        Outcome::Pass => (RegistrationOutcome::Pass, None),
        Outcome::Degraded => (RegistrationOutcome::Degraded, None),
        Outcome::Refused => (RegistrationOutcome::Refused, None),
        Outcome::Unmeasured(why) => (RegistrationOutcome::Unmeasured, Some(why.to_string())),
    };
    let mut reasons = BTreeMap::new();
    for one in rejected {
        *reasons.entry(one.reason).or_insert(0) += 1;
    }
    let measured = reason.is_none();
    RegistrationRecord {
        circular_error_90_px: known(registration.circular_error_90_px),
        held_out_px: known(registration.held_out_px),
        model: registration.model,
        moved: moved.to_owned(),
        outcome,
        outliers: registration.outliers.len() as u64,
        reason,
        rejected: reasons,
        residual_px: known(registration.residual_px),
        shift_px: measured.then(|| registration.shift_px.map(|shift| round(shift, 3))),
        tie_points: registration.used.len() as u64,
    }
}
