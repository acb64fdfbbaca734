//! Which stored numbers are measurements, and the physical values that they stand for.

use crate::io::resample::Kernel;
use crate::raster::{Flags, flags};
use crate::scene::{BandAsset, Kind};
use crate::stage::sensitivity::paint::Effect;

/// A floating-point number this near to a no-data value is that value, as a part of it: texts such as `-3.40282e+38` round it to six digits,
/// and pixels are packed with fewer bits.
const ROUNDED: f64 = 1e-5;
/// The same of a value that no measurement can be, which may be rounded to four digits (`-3.4e38`), or to 16 bits.
const ROUNDED_OUTSIDE: f64 = 1e-3;
/// How far outside the range of its sensor a value can be that is a measurement all the same, in widths of that range: below it, and above it. Glint
/// and fire are some times brighter than all that reflects (0 to 1), and no error of the atmosphere takes half of it away.
const BEYOND_REFLECTANCE: (f64, f64) = (0.5, 10.0);
/// The same of decibels.
const BEYOND_DECIBELS: (f64, f64) = (0.5, 1.0);
/// Between these lies what floating-point numbers can be whose range nobody knows: reflectance, percent, counts, radiance, kelvin and decibels
/// do, and what programs write for nothing (-999, -9999, -3.4e38, 1e10, 1e20, 9.97e36) does not.
const ANY_FLOAT: (f64, f64) = (-999.0, 1e7);

/// How the stored numbers of a band become physical ones.
#[derive(Debug, Clone)]
pub(in crate::io) struct Radiometry {
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
    /// What is no measurement any more, before power becomes decibels: values from the one down, and from the other up.
    possible: (f32, f32),
    decibel: bool,
}

/// Between which values, both left out, those of `band` can be measured at all, before power becomes decibels.
fn possible(band: &BandAsset, kind: Kind, is_float: bool) -> (f64, f64) {
    let any = (f64::NEG_INFINITY, f64::INFINITY);
    match band.valid {
        Some([low, high]) => {
            let (below, above) = match kind {
                Kind::Optical => BEYOND_REFLECTANCE,
                Kind::Sar => BEYOND_DECIBELS,
            };
            let (low, high) = (low - below * (high - low), high + above * (high - low));
            match band.decibel {
                // Power that is not above 0 is seen to once it was averaged.
                true => (any.0, libm::exp10(high / 10.0)),
                false => (low, high),
            }
        }
        None if is_float => ANY_FLOAT,
        None => any,
    }
}

impl Radiometry {
    /// Of `band` of a scene of that `kind`, whose file states the values `nodata` and holds floating-point numbers or whole ones.
    pub fn of(band: &BandAsset, kind: Kind, nodata: &[f64], is_float: bool) -> Self {
        let any = (f32::NEG_INFINITY, f32::INFINITY);
        let range = band.valid.map_or(any, |[low, high]| (low as f32, high as f32));
        let (low, high) = if band.decibel { any } else { range };
        let possible = possible(band, kind, is_float);
        let mut ranges: Vec<[f64; 2]> = Vec::new();
        for value in band.nodata.iter().chain(nodata).filter(|value| value.is_finite()) {
            let physical = value * band.scale + band.offset;
            let near = match (is_float, physical > possible.0 && physical < possible.1) {
                (false, _) => 0.0,
                (true, true) => value.abs() * ROUNDED,
                (true, false) => value.abs() * ROUNDED_OUTSIDE,
            };
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
            possible: (possible.0 as f32, possible.1 as f32),
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
            possible: self.possible,
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
        let usable = self.is_possible(value) && stored < self.saturated && !self.is_nodata(stored);
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
        } else if !self.is_possible((stored * self.scale + self.offset) as f32) {
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

    /// Whether a physical value can be measured at all: NaN and infinity never.
    fn is_possible(&self, value: f32) -> bool {
        value > self.possible.0 && value < self.possible.1
    }

    fn is_nodata(&self, stored: f64) -> bool {
        self.nodata.iter().any(|[low, high]| (*low..=*high).contains(&stored))
    }
}

/// [`Radiometry`] as it is asked of each pixel.
#[derive(Clone, Copy)]
pub(in crate::io) struct Physical<'a> {
    radiometry: &'a Radiometry,
    scale: f32,
    offset: f32,
    saturated: f32,
    possible: (f32, f32),
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
        let is_possible = value > self.possible.0 && value < self.possible.1;
        let is_nodata = stored >= self.nodata[0] && stored <= self.nodata[1];
        let usable = is_possible && stored < self.saturated && !is_nodata;
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
pub(in crate::io) fn kernel_of(kind: Kind) -> Kernel {
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
        Radiometry::of(&band, Kind::Optical, of_file, is_float)
    }

    /// Which of `stored` floats are measured by a band whose range is `valid`, in decibels made of power or not.
    fn measured(kind: Kind, valid: Option<[f64; 2]>, decibel: bool, is_float: bool, stored: &[f32]) -> Vec<f32> {
        let band = BandAsset {
            valid,
            decibel,
            ..band("red")
        };
        let all = Radiometry::of(&band, kind, &[], is_float);
        let measured = |value: &&f32| {
            let is_measured = !all.physical().of(**value).is_nan();
            assert_eq!(!all.of_wide(f64::from(**value)).is_nan(), is_measured, "{value}");
            assert_eq!(all.reason(f64::from(**value)) == flags::CLEAR, is_measured, "{value}");
            is_measured
        };
        stored.iter().filter(measured).copied().collect()
    }

    #[test]
    fn what_lies_far_outside_what_a_band_can_be_is_no_measurement() {
        let fills = [f32::MIN, -32_768.0, -9999.0, -999.0, 1e10, 1e20, 9.969_21e36, f32::MAX];
        let reflectance = [&[-1.0, -0.9999, -0.2, -0.05, 0.0, 0.4, 1.7, 6.5, 11.0][..], &fills].concat();
        let expected = [-0.2, -0.05, 0.0, 0.4, 1.7, 6.5];
        let valid = Some([0.0, 1.0]);
        assert_eq!(measured(Kind::Optical, valid, false, true, &reflectance), expected);
        assert_eq!(measured(Kind::Optical, valid, false, false, &reflectance), expected);
        // Percent, kelvin, counts.
        let numbers = [&[-0.2, 0.3, 55.0, 288.0, 10_000.0, 65_535.0][..], &fills].concat();
        assert_eq!(measured(Kind::Optical, None, false, true, &numbers), numbers[..6]);
        assert_eq!(measured(Kind::Sar, None, false, true, &numbers), numbers[..6]);
        // Of whole numbers nobody knows the range.
        assert_eq!(
            measured(Kind::Optical, None, false, false, &[-9999.0, 3e9]),
            [-9999.0, 3e9]
        );
        let valid = Some([-40.0, 30.0]);
        let decibels = [&[-55.0, -12.0, 45.0][..], &[-99.0, 255.0], &fills].concat();
        assert_eq!(measured(Kind::Sar, valid, false, true, &decibels), decibels[..3]);
        // What is not above 0 may be made up for by its neighbours.
        let power = [-0.001, 0.0, 1e-9, 0.2, 5000.0, 1e10, 1e20, f32::MAX];
        assert_eq!(measured(Kind::Sar, valid, true, true, &power), power[..5]);
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
        for text in [
            "-3.4028234663852886e+38",
            "-3.4028235e+38",
            "-3.402823e+38",
            "-3.40282e+38",
            "-3.403e+38",
            "-3.4e38",
        ] {
            let lowest = radiometry(&[], &[text.parse().unwrap()], true);
            assert!(lowest.physical().of(f32::MIN).is_nan(), "{text}");
            assert!(lowest.of_wide(f64::from(f32::MIN)).is_nan(), "{text}");
            assert_eq!(lowest.reason(f64::from(f32::MIN)), flags::NODATA, "{text}");
        }
        // A number of 16 bits near to -9999; reflectance is not rounded so.
        let half = radiometry(&[-9999.0, 0.2], &[], true);
        assert_eq!(half.reason(-9992.0), flags::NODATA);
        let reasons = [0.200_001, 0.2001, 0.2002].map(|stored| half.reason(stored));
        assert_eq!(reasons, [flags::NODATA, flags::CLEAR, flags::CLEAR]);
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
