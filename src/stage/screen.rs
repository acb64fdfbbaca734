//! Which pixels can be judged: quality bands, no data, and a buffer around clouds and shadows.

pub(in crate::stage) mod bodies;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::geo::Rect;
use crate::raster::{Flags, Plane, Stack, flags};
use bodies::within;

/// No buffer is wider, pixels.
const WIDEST_PX: f64 = 512.0;

/// `[screen]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreenParams {
    /// Reasons for which a pixel is not judged, beside no data and no coverage: cloud, cirrus, shadow, snow, saturated.
    pub exclude: Vec<String>,
    /// Pixels nearer than this to cloud or cloud shadow are not judged either, metres.
    #[schemars(range(min = 0.0, max = 10_000.0), extend("unit" = "metres"))]
    pub cloud_buffer_m: f64,
}

impl ScreenParams {
    /// The bits that keep a pixel from being judged. The product's own rim around cloud is one of them where a buffer is asked for.
    pub fn excluded(&self) -> Flags {
        let always = flags::NOT_COVERED | flags::NODATA | flags::INVALID;
        let named = self.exclude.iter().filter_map(|name| flags::by_name(name));
        let all = named.fold(always, |all, bit| all | bit);
        if all & flags::CLOUD != 0 && self.cloud_buffer_m > 0.0 {
            all | flags::NEAR_CLOUD
        } else {
            all
        }
    }

    /// How far the stage looks: the buffer in whole pixels of `pixel_m` metres, rounded up.
    pub fn halo(&self, pixel_m: f64) -> usize {
        (self.cloud_buffer_m / pixel_m).ceil().clamp(0.0, WIDEST_PX) as usize
    }
}

/// Why each pixel of `area` cannot be judged; [`flags::CLEAR`] where it can.
///
/// `area` must lie at least [`ScreenParams::halo`] pixels inside the stack.
pub fn screen(stack: &Stack, area: &Rect, pixel_m: f64, params: &ScreenParams) -> Plane<Flags> {
    buffered(stated(stack), area, pixel_m, params)
}

/// All that the file and its quality bands say of each pixel that the quality bands are of, whether it keeps from judging or not.
pub fn stated(stack: &Stack) -> Plane<Flags> {
    let mut all = stack.quality.clone();
    let own = stack.rect.intersect(&all.rect());
    if !own.is_empty() {
        all.part_mut(&own)
            .zip_mut_with(&stack.flags.part(&own), |all, own| *all |= own);
    }
    all
}

/// The reasons of `all` that count, on `area`, with the buffer around cloud, cirrus and shadow.
///
/// `area` must lie at least [`ScreenParams::halo`] pixels inside.
pub fn buffered(mut all: Plane<Flags>, area: &Rect, pixel_m: f64, params: &ScreenParams) -> Plane<Flags> {
    let excluded = params.excluded();
    all.values_mut().iter_mut().for_each(|flag| *flag &= excluded);
    let reach = (params.cloud_buffer_m / pixel_m).min(WIDEST_PX);
    if reach > 0.0 {
        let clouded = excluded & (flags::CLOUD | flags::SHADOW | flags::CIRRUS);
        if all.values().iter().fold(flags::CLEAR, |any, flag| any | flag) & clouded != 0 {
            let near = within(&all.view().mapv(|flag| flag & clouded != 0), reach);
            all.zip_mut_with(&Plane::of(all.rect(), near), |flag, near| {
                *flag |= if *near { flags::NEAR_CLOUD } else { flags::CLEAR }
            });
        }
    }
    all.crop(area)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    fn params(cloud_buffer_m: f64) -> ScreenParams {
        ScreenParams {
            exclude: vec!["cloud".into(), "shadow".into()],
            cloud_buffer_m,
        }
    }

    fn stack(quality: Array2<Flags>) -> Stack {
        let rect = Rect::new(0, 0, quality.dim().1, quality.dim().0);
        Stack {
            rect,
            bands: vec![],
            quality: Plane::of(rect, quality),
            flags: Plane::filled(rect, flags::CLEAR),
        }
    }

    #[test]
    fn a_cloud_grows_by_its_buffer_and_snow_may_stay() {
        let (o, x, s) = (flags::CLEAR, flags::CLOUD, flags::SNOW);
        let stack = stack(array![[o, o, o, o, o], [o, o, x, o, s], [o, o, o, o, o]]);
        let out = screen(&stack, &stack.rect, 10.0, &params(10.0));
        let (n, c) = (flags::NEAR_CLOUD, flags::CLOUD | flags::NEAR_CLOUD);
        assert_eq!(out.view(), array![[0, 0, n, 0, 0], [0, n, c, n, 0], [0, 0, n, 0, 0]]);
        let out = screen(&stack, &stack.rect, 10.0, &params(0.0));
        assert_eq!(out.row(1), [0, 0, flags::CLOUD, 0, 0]);
    }

    #[test]
    fn a_cloud_beside_the_bands_reaches_in() {
        let inner = Rect::new(1, 0, 2, 1);
        let mut stack = stack(array![[flags::CLOUD, 0, 0, 0]]);
        (stack.rect, stack.flags) = (inner, Plane::filled(inner, flags::CLEAR));
        stack.flags[[0, 1]] = flags::NODATA;
        let out = screen(&stack, &inner, 10.0, &params(10.0));
        assert_eq!(out.values(), [flags::NEAR_CLOUD, flags::NODATA]);
    }

    #[test]
    fn the_buffer_is_a_disc_in_metres() {
        let mut quality = Array2::zeros((11, 11));
        quality[[5, 5]] = flags::CLOUD;
        let stack = stack(quality);
        let out = screen(&stack, &stack.rect, 10.0, &params(36.0));
        for ((y, x), flag) in out.indexed_iter() {
            let distance = 10.0 * ((y as f64 - 5.0).powi(2) + (x as f64 - 5.0).powi(2)).sqrt();
            assert_eq!(*flag != 0, distance <= 36.0, "at {x}, {y}");
        }
    }

    #[test]
    fn the_rim_of_a_product_counts_where_a_buffer_is_asked_for() {
        let stack = stack(array![[0, flags::NEAR_CLOUD, 0]]);
        let rim = |buffer| screen(&stack, &stack.rect, 10.0, &params(buffer));
        assert_eq!(rim(10.0).values(), [0, flags::NEAR_CLOUD, 0]);
        assert_eq!(rim(0.0).values(), [0, 0, 0]);
        let mut snow_only = params(10.0);
        snow_only.exclude = vec!["snow".into()];
        assert_eq!(screen(&stack, &stack.rect, 10.0, &snow_only).values(), [0, 0, 0]);
    }
}
