//! Which stored numbers are measurements, and the physical values that they stand for.

use super::resample::Kernel;
use crate::raster::{Flags, flags};
use crate::scene::{BandAsset, Kind};
use crate::stage::sensitivity::paint::Effect;

/// A floating-point number this near to a no-data value is that value, as a part of it: texts such as `-3.4028235e+38` round it. GDAL allows as
/// much.
const ROUNDED: f64 = 4.0 * f32::EPSILON as f64;

/// How the stored numbers of a band become physical ones.
#[derive(Debug, Clone)]
pub(super) struct Radiometry {
    scale: f64,
    offset: f64,
    /// Numbers from and to which a value is no data: a pair for each value that anybody states.
    nodata: Vec<[f64; 2]>,
    /// Infinite where there is none.
    saturated: f64,
    /// What physical values are held inside before they are resampled: power may have any.
    low: f32,
    high: f32,
    /// The sensor's physical range.
    range: (f32, f32),
    decibel: bool,
}

impl Radiometry {
    /// Of `band`, whose file states the values `nodata` and holds floating-point numbers or whole ones.
    pub fn of(band: &BandAsset, nodata: &[f64], is_float: bool) -> Self {
        let any = (f32::NEG_INFINITY, f32::INFINITY);
        let range = band.valid.map_or(any, |[low, high]| (low as f32, high as f32));
        let (low, high) = if band.decibel { any } else { range };
        let mut ranges: Vec<[f64; 2]> = Vec::new();
        for value in band.nodata.iter().chain(nodata).filter(|value| value.is_finite()) {
            let near = if is_float { value.abs() * ROUNDED } else { 0.0 };
            let range = [value - near, value + near];
            if !ranges.contains(&range) {
                ranges.push(range);
            }
        }
        Self {
            scale: band.scale,
            offset: band.offset,
            nodata: ranges,
            saturated: band.saturated.unwrap_or(f64::INFINITY),
            low,
            high,
            range,
            decibel: band.decibel,
        }
    }

    /// What is painted is held inside, physical units.
    pub fn limits(&self) -> (f32, f32) {
        (self.low, self.high)
    }

    /// Whether values are power that becomes decibels.
    pub fn is_power(&self) -> bool {
        self.decibel
    }

    /// `effect`, stated in the band's unit, on what is read: decibels that are added multiply power.
    pub fn effect(&self, effect: Effect) -> Effect {
        match effect {
            Effect::Add(decibels) if self.decibel => Effect::Scale(libm::exp10f(decibels / 10.0)),
            other => other,
        }
    }

    /// The physical values of stored numbers that a 32-bit float holds; NaN where one is no measurement.
    pub fn physical(&self) -> Physical<'_> {
        Physical {
            radiometry: self,
            scale: self.scale as f32,
            offset: self.offset as f32,
            saturated: self.saturated as f32,
            nodata: match self.nodata[..] {
                [] => [f32::NAN; 2],
                [[low, high], ..] => [low as f32, high as f32],
            },
            has_more: self.nodata.len() > 1,
        }
    }

    /// The physical value of any stored number; NaN where it is no measurement.
    pub fn of_wide(&self, stored: f64) -> f32 {
        let value = (stored * self.scale + self.offset) as f32;
        let usable = value.is_finite() && stored < self.saturated && !self.is_nodata(stored);
        if usable {
            value.max(self.low).min(self.high)
        } else {
            f32::NAN
        }
    }

    /// Why a stored number is no measurement.
    pub fn reason(&self, stored: f64) -> Flags {
        if stored.is_nan() || self.is_nodata(stored) {
            flags::NODATA
        } else if stored.is_infinite() {
            flags::INVALID
        } else if stored >= self.saturated {
            flags::SATURATED
        } else if !((stored * self.scale + self.offset) as f32).is_finite() {
            flags::INVALID
        } else {
            flags::CLEAR
        }
    }

    /// Puts power into decibels, held inside the sensor's range; what has none is no measurement.
    pub fn decibels<'a>(&self, values: impl IntoIterator<Item = (&'a mut f32, &'a mut Flags)>) {
        let (low, high) = self.range;
        for (value, reason) in values.into_iter().filter(|(value, _)| !value.is_nan()) {
            if *value > 0.0 {
                *value = (10.0 * libm::log10f(*value)).max(low).min(high);
            } else {
                *value = f32::NAN;
                *reason |= flags::INVALID;
            }
        }
    }

    fn is_nodata(&self, stored: f64) -> bool {
        self.nodata.iter().any(|[low, high]| (*low..=*high).contains(&stored))
    }
}

/// [`Radiometry`] as it is asked of each pixel.
#[derive(Clone, Copy)]
pub(super) struct Physical<'a> {
    radiometry: &'a Radiometry,
    scale: f32,
    offset: f32,
    saturated: f32,
    /// Most bands have one value for no data, or none.
    nodata: [f32; 2],
    /// Whether there are others.
    pub has_more: bool,
}

impl Physical<'_> {
    /// The physical value of a stored number where there is at most one value for no data.
    #[inline]
    pub fn of(&self, stored: f32) -> f32 {
        let value = stored * self.scale + self.offset;
        // NaN is neither larger nor smaller.
        let is_nodata = stored >= self.nodata[0] && stored <= self.nodata[1];
        let usable = value.abs() < f32::INFINITY && stored < self.saturated && !is_nodata;
        let value = value.max(self.radiometry.low).min(self.radiometry.high);
        if usable { value } else { f32::NAN }
    }

    /// The same, whatever is stated.
    pub fn of_many(&self, stored: f32) -> f32 {
        if self.radiometry.is_nodata(stored.into()) {
            f32::NAN
        } else {
            self.of(stored)
        }
    }
}

/// Beside a bright point radar power would fall below nothing under a kernel that overshoots, and speckle has no edges to keep.
pub(super) fn kernel_of(kind: Kind) -> Kernel {
    match kind {
        Kind::Optical => Kernel::Cubic,
        Kind::Sar => Kernel::Bilinear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::select::tests::band;

    fn radiometry(nodata: &[f64], of_file: &[f64], is_float: bool) -> Radiometry {
        let band = BandAsset {
            nodata: nodata.to_vec(),
            ..band("red")
        };
        Radiometry::of(&band, of_file, is_float)
    }

    #[test]
    fn every_value_that_anybody_states_is_no_data() {
        for (stated, of_file) in [(vec![0.0, 9999.0], vec![7.0]), (vec![f64::NAN, 0.0], vec![7.0, 9999.0])] {
            let all = radiometry(&stated, &of_file, false);
            let physical = all.physical();
            for (stored, is_measured) in [(0.0, false), (7.0, false), (8.0, true), (9999.0, false)] {
                assert_eq!(!physical.of_many(stored).is_nan(), is_measured, "{stored}");
                assert_eq!(!all.of_wide(stored.into()).is_nan(), is_measured, "{stored}");
                assert_eq!(all.reason(stored.into()) == flags::CLEAR, is_measured, "{stored}");
            }
            assert!(physical.has_more);
        }
    }

    #[test]
    fn a_float_is_the_no_data_value_that_its_text_rounds_and_a_whole_number_never() {
        // The lowest 32-bit float as programs write it.
        for text in ["-3.4028234663852886e+38", "-3.4028235e+38", "-3.402823e+38"] {
            let lowest = radiometry(&[], &[text.parse().unwrap()], true);
            assert!(lowest.physical().of(f32::MIN).is_nan(), "{text}");
            assert!(lowest.of_wide(f64::from(f32::MIN)).is_nan(), "{text}");
            assert_eq!(lowest.reason(f64::from(f32::MIN)), flags::NODATA, "{text}");
        }
        // As 32-bit floats these two are one number.
        let whole = radiometry(&[], &[4_294_967_295.0], false);
        assert!(whole.of_wide(4_294_967_295.0).is_nan());
        assert!(!whole.of_wide(4_294_967_294.0).is_nan());
    }

    #[test]
    fn what_no_float_holds_is_invalid() {
        let any = radiometry(&[], &[], true);
        assert!(any.of_wide(1e39).is_nan());
        assert_eq!(any.reason(1e39), flags::INVALID);
    }
}
