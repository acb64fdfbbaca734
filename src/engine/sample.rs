//! The training sample: cells of a fixed lattice, read before the tiles are scored, to which normalisation and detectors are fitted.

use std::sync::atomic::AtomicBool;

use crate::engine::EngineError;
use crate::engine::driver::in_order;
use crate::engine::stack::StackReader;
use crate::geo::Rect;
use crate::plan::training::SAMPLE;
use crate::raster::{ReadError, flags};
use crate::stage::detect::{self, Cell, DetectParams, smooth};
use crate::stage::normalise::Sample;

/// What `reader` shows of `cores`, in their order.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn cells(reader: &StackReader<'_>, cores: &[Rect], stop: &AtomicBool) -> Result<Vec<Cell>, EngineError> {
    let mut cells = Vec::new();
    in_order(
        cores,
        stop,
        |core| {
            let stack = reader.stack(core, detect::WIDEST_HALO)?;
            Ok(Cell { core: *core, stack })
        },
        |cell: Result<Cell, ReadError>| {
            cells.push(cell?);
            Ok::<(), EngineError>(())
        },
    )?;
    Ok(cells)
}

/// Clear pixels of the judged date and of the one before it, smoothed, on a regular lattice over `cells`.
pub fn pixels(cells: &[Cell], params: &DetectParams) -> Sample {
    let pixels: usize = cells.iter().map(|cell| cell.core.area()).sum();
    let stride = (1..).find(|stride| pixels / (stride * stride) <= SAMPLE).unwrap_or(1) as i64;
    let mut sample = Sample::default();
    for Cell { core, stack } in cells {
        let [before, after] = stack
            .sides()
            .map(|bands| smooth::smooth(&bands, &stack.rect, &stack.flags, core, params));
        let bands = before.values.len();
        sample.before.resize(bands, Vec::new());
        sample.after.resize(bands, Vec::new());
        sample.squared_gradients.resize(bands, Vec::new());
        for ((row, column), flag) in stack.flags.part(core).indexed_iter() {
            let (x, y) = (core.x + column as i64, core.y + row as i64);
            if *flag != flags::CLEAR || x % stride != 0 || y % stride != 0 {
                continue;
            }
            let at = [row, column];
            sample.places.push((x, y));
            for band in 0..bands {
                sample.before[band].push(before.values[band][at]);
                sample.after[band].push(after.values[band][at]);
                sample.squared_gradients[band]
                    .push([before.squared_gradients[band][at], after.squared_gradients[band][at]]);
            }
        }
    }
    sample
}
