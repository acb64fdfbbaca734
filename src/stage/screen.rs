//! Which pixels can be judged: quality bands, no data, and a buffer around clouds and shadows.

use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::geo::Rect;
use crate::raster::{Flags, Plane, Stack, flags};
use crate::scene::Coding;

/// `[screen]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreenParams {
    /// Reasons for which a pixel is not judged, beside no data and no coverage: cloud, cirrus, shadow, snow, saturated.
    pub exclude: Vec<String>,
    /// Pixels nearer than this to cloud or cloud shadow are not judged either, metres.
    pub cloud_buffer_m: f64,
}

impl ScreenParams {
    /// The bits that keep a pixel from being judged.
    pub fn excluded(&self) -> Flags {
        let always = flags::NOT_COVERED | flags::NODATA | flags::INVALID;
        self.exclude
            .iter()
            .filter_map(|name| flags::by_name(name))
            .fold(always, |all, bit| all | bit)
    }

    /// How far the stage looks: the buffer in whole pixels of `pixel_m` metres, rounded up.
    pub fn halo(&self, pixel_m: f64) -> usize {
        (self.cloud_buffer_m / pixel_m).ceil().clamp(0.0, 512.0) as usize
    }
}

/// Why each pixel of `area` cannot be judged; [`flags::CLEAR`] where it can.
///
/// `area` must lie at least [`ScreenParams::halo`] pixels inside the stack. `codings` belong to `stack.quality`, one each.
pub fn screen(stack: &Stack, codings: &[&Coding], area: &Rect, pixel_m: f64, params: &ScreenParams) -> Plane<Flags> {
    let excluded = params.excluded();
    let mut all = stack.flags.clone();
    for (plane, coding) in stack.quality.iter().zip(codings) {
        for (flag, raw) in all.data.iter_mut().zip(plane) {
            *flag |= if raw.is_nan() {
                flags::NOT_COVERED
            } else {
                coding.decode(f64::from(*raw))
            };
        }
    }
    all.data.mapv_inplace(|flag| flag & excluded);
    let radius = params.halo(pixel_m);
    let clouded = excluded & (flags::CLOUD | flags::SHADOW | flags::CIRRUS);
    let near = (radius > 0)
        .then(|| grown(&all.data, clouded, radius, params.cloud_buffer_m / pixel_m))
        .flatten();
    if let Some(near) = near {
        all.data.zip_mut_with(&near, |flag, near| *flag |= near);
    }
    all.crop(area)
}

/// [`flags::NEAR_CLOUD`] within `reach` pixels of any of `bits`; `None` when no pixel has them.
fn grown(all: &Array2<Flags>, bits: Flags, radius: usize, reach: f64) -> Option<Array2<Flags>> {
    let (rows, columns) = all.dim();
    let mut any = false;
    // Clouded pixels to the left of each column, so that a row segment is asked in one subtraction.
    let mut before = Array2::<u32>::zeros((rows, columns + 1));
    for row in 0..rows {
        for column in 0..columns {
            let hit = u32::from(all[[row, column]] & bits != 0);
            any |= hit != 0;
            before[[row, column + 1]] = before[[row, column]] + hit;
        }
    }
    if !any {
        return None;
    }
    let widths: Vec<usize> = (0..=radius)
        .map(|dy| (reach * reach - (dy * dy) as f64).max(0.0).sqrt() as usize)
        .collect();
    Some(Array2::from_shape_fn((rows, columns), |(row, column)| {
        let near = (row.saturating_sub(radius)..(row + radius + 1).min(rows)).any(|y| {
            let width = widths[y.abs_diff(row)];
            if y.abs_diff(row) as f64 > reach {
                return false;
            }
            before[[y, (column + width + 1).min(columns)]] > before[[y, column.saturating_sub(width)]]
        });
        if near { flags::NEAR_CLOUD } else { flags::CLEAR }
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ndarray::array;

    use super::*;

    fn params(cloud_buffer_m: f64) -> ScreenParams {
        ScreenParams {
            exclude: vec!["cloud".into(), "shadow".into()],
            cloud_buffer_m,
        }
    }

    fn stack(quality: Array2<f32>) -> Stack {
        let rect = Rect::new(0, 0, quality.dim().1, quality.dim().0);
        Stack {
            rect,
            bands: vec![],
            quality: vec![quality],
            flags: Plane::filled(rect, flags::CLEAR),
        }
    }

    #[test]
    fn a_cloud_grows_by_its_buffer_and_snow_may_stay() {
        let coding = Coding::Classes(BTreeMap::from([(9, flags::CLOUD), (11, flags::SNOW)]));
        let stack = stack(array![
            [0., 0., 0., 0., 0.],
            [0., 0., 9., 0., 11.],
            [0., 0., 0., 0., 0.]
        ]);
        let out = screen(&stack, &[&coding], &stack.rect, 10.0, &params(10.0));
        let (n, c) = (flags::NEAR_CLOUD, flags::CLOUD | flags::NEAR_CLOUD);
        assert_eq!(out.data, array![[0, 0, n, 0, 0], [0, n, c, n, 0], [0, 0, n, 0, 0]]);
        let out = screen(&stack, &[&coding], &stack.rect, 10.0, &params(0.0));
        assert_eq!(out.data.row(1).to_vec(), [0, 0, flags::CLOUD, 0, 0]);
    }

    #[test]
    fn the_buffer_is_a_disc_in_metres() {
        let mut quality = Array2::zeros((11, 11));
        quality[[5, 5]] = 1.0;
        let coding = Coding::Classes(BTreeMap::from([(1, flags::CLOUD)]));
        let stack = stack(quality);
        let out = screen(&stack, &[&coding], &stack.rect, 10.0, &params(36.0));
        for ((y, x), flag) in out.data.indexed_iter() {
            let distance = 10.0 * ((y as f64 - 5.0).powi(2) + (x as f64 - 5.0).powi(2)).sqrt();
            assert_eq!(*flag != 0, distance <= 36.0, "at {x}, {y}");
        }
    }
}
