//! Whether the numbers of two dates can be what they are said to be, and are coded alike: a wrong scale or offset must not pass for ground.

use crate::raster::stats::{median, median_and_sigma};

/// A factor between two dates that no ground explains where their pixels go together.
const FACTOR: f64 = 5.0;
/// One that no ground, snow or cloud explains in all bands.
const WILD_FACTOR: f64 = 50.0;
/// Pixels of two dates go together from this correlation on.
const TOGETHER: f64 = 0.5;
/// An offset is the same in all bands where theirs differ from it by less than this part.
const SAME_OFFSET: f64 = 0.15;
/// Ground changes by less than an offset of the coding: so many times the spread of the difference.
const PLAIN_OFFSET: f64 = 3.0;
/// Haze and exposure move one or two bands alike.
const MIN_OFFSET_BANDS: usize = 3;
/// The part of the pixels that may be as no ground is.
const ODD_PART: f64 = 0.05;
/// Power is not above 0 where noise was taken off, and programs have numbers of their own for no data, but not in so large a part of the pixels.
const MAX_IMPOSSIBLE: f64 = 0.8;
/// Reflectance below which nothing is, water included, in all bands at once.
const DARKEST: f32 = 5e-4;
/// Fewer pixels do not tell.
const MIN_PIXELS: usize = 50;

/// What the numbers of a date are said to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values {
    /// Anything.
    Numbers,
    /// Reflectance, held inside a range that ends with this.
    Reflectance(f32),
    /// Radar power, given in decibels.
    Power,
    /// Decibels of radar power, as they are stored.
    Decibels,
}

/// One date, on pixels that both share.
#[derive(Debug, Clone, PartialEq)]
pub struct Date<'a> {
    /// Its scene.
    pub id: &'a str,
    /// What its numbers are said to be.
    pub values: Values,
    /// Its bands in physical units, the pixels in one order; NaN where there is no measurement.
    pub bands: Vec<Vec<f32>>,
    /// The part of its pixels whose numbers cannot be measured so: power that is not above 0, what lies far outside the range.
    pub impossible: f64,
    /// Whose counts its numbers are: platform and type of integers that nobody gave a scale; absent of anything else.
    pub counts: Option<(&'a str, &'a str)>,
}

/// Why two dates cannot be compared as they are coded; `None` where nothing speaks against it.
pub fn refused(before: &Date<'_>, after: &Date<'_>) -> Option<String> {
    [before, after]
        .into_iter()
        .find_map(impossible)
        .or_else(|| differ(before, after))
}

/// Why the numbers of `date` are not what they are said to be.
fn impossible(date: &Date<'_>) -> Option<String> {
    let all = |is: &dyn Fn(f32) -> bool| {
        let of_band = |band: &Vec<f32>| {
            let known = band.iter().filter(|value| !value.is_nan());
            let (n, odd) = known.fold((0, 0), |(n, odd), value| (n + 1, odd + usize::from(is(*value))));
            n >= MIN_PIXELS && odd as f64 >= (1.0 - ODD_PART) * n as f64
        };
        !date.bands.is_empty() && date.bands.iter().all(of_band)
    };
    let id = date.id;
    match date.values {
        Values::Numbers => None,
        Values::Reflectance(most) => {
            let odd = if date.impossible >= MAX_IMPOSSIBLE {
                let part = 100.0 * date.impossible;
                format!("{part:.0} % of its pixels are far from 0 to {most}, as counts and values for no data are")
            } else if all(&|value| value >= most) {
                format!("in every band nearly all reach {most}, the most that there is")
            } else if all(&|value| value <= DARKEST) {
                format!("in every band nearly all are below {DARKEST}, darker than any ground")
            } else {
                return None;
            };
            Some(format!(
                "the numbers of {id} are not reflectance: {odd}; state its scale, offset and nodata (docs/ingestion.md)"
            ))
        }
        Values::Power => (date.impossible >= MAX_IMPOSSIBLE).then(|| {
            format!(
                "the numbers of {id} are not power: {:.0} % of them are not above 0; these look like decibels: state unit = \"decibel\" for the \
                 folder, or \"unit\": \"dB\" for the item's bands",
                100.0 * date.impossible
            )
        }),
        Values::Decibels => all(&|value| value >= 0.0).then(|| {
            format!(
                "the numbers of {id} are not decibels: nearly all are above 0, where backscatter seldom is; these look like power: state \
                 unit = \"linear\" for the folder, or leave out the unit of the item's bands"
            )
        }),
    }
}

/// How two dates are coded differently.
fn differ(before: &Date<'_>, after: &Date<'_>) -> Option<String> {
    let is_optical = |date: &Date<'_>| matches!(date.values, Values::Numbers | Values::Reflectance(_));
    // Raw counts of two instruments have no coding in common, and nobody says so: that is fitted.
    let are_of_two = before
        .counts
        .zip(after.counts)
        .is_some_and(|(a, b)| a.0 != b.0 && a.1 != b.1);
    // Indices alone are no bands: what holds of all of none says nothing.
    let is_nothing = before.bands.is_empty() || after.bands.is_empty();
    if !is_optical(before) || !is_optical(after) || are_of_two || is_nothing {
        return None;
    }
    let bands = before.bands.iter().zip(&after.bands);
    let bands: Vec<Band> = bands.map(|(x, y)| Band::of(x, y)).collect::<Option<_>>()?;
    let remedy = "state scale and offset of each (docs/ingestion.md)";
    for (high, low, factors) in [
        (
            after.id,
            before.id,
            bands.iter().map(|band| band.factor).collect::<Vec<_>>(),
        ),
        (
            before.id,
            after.id,
            bands.iter().map(|band| 1.0 / band.factor).collect(),
        ),
    ] {
        let least = factors.iter().copied().fold(f64::INFINITY, f64::min);
        if least >= WILD_FACTOR || least >= FACTOR && bands.iter().all(|band| band.correlation >= TOGETHER) {
            let most = factors.iter().copied().fold(0.0, f64::max);
            return Some(format!(
                "the two dates are coded differently: in every band {high} is {} to {} times {low}, which no ground explains; {remedy}",
                short(least),
                short(most)
            ));
        }
    }
    let offsets: Vec<f64> = bands.iter().map(|band| band.offset).collect();
    let offset = median(&mut offsets.clone())?;
    let is_same = |band: &Band| {
        (band.offset - offset).abs() <= SAME_OFFSET * offset.abs() && offset.abs() >= PLAIN_OFFSET * band.spread
    };
    (bands.len() >= MIN_OFFSET_BANDS && offset != 0.0 && bands.iter().all(is_same)).then(|| {
        format!(
            "the two dates are coded differently: in every band {} is {} {} than {}, which no ground explains; {remedy}",
            after.id,
            short(offset.abs()),
            if offset > 0.0 { "more" } else { "less" },
            before.id
        )
    })
}

/// What a band of both dates says of how they are coded.
struct Band {
    /// The later date as a multiple of the earlier one, by medians and by spreads: that of the two nearer to 1; 1 where there is none.
    factor: f64,
    /// Correlation of the pixels, the outermost held in.
    correlation: f64,
    /// Median of the differences, later minus earlier.
    offset: f64,
    /// Their spread.
    spread: f64,
}

impl Band {
    /// Of pixels of both dates; `None` of too few.
    fn of(before: &[f32], after: &[f32]) -> Option<Self> {
        let both = before.iter().zip(after).filter(|(x, y)| !x.is_nan() && !y.is_nan());
        let (x, y): (Vec<f64>, Vec<f64>) = both.map(|(x, y)| (f64::from(*x), f64::from(*y))).unzip();
        if x.len() < MIN_PIXELS {
            return None;
        }
        let mut differences: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y - x).collect();
        let (offset, spread) = median_and_sigma(&mut differences)?;
        let ([x_low, x_mid, x_high], [y_low, y_mid, y_high]) = (quantiles(&x), quantiles(&y));
        let (medians, spreads) = (y_mid / x_mid, (y_high - y_low) / (x_high - x_low));
        let is_flat = x_high == x_low && y_high == y_low;
        let factor = if x_mid <= 0.0 || y_mid <= 0.0 {
            1.0
        } else if is_flat {
            medians
        } else if medians > 1.0 {
            medians.min(spreads).max(1.0)
        } else {
            medians.max(spreads).min(1.0)
        };
        let held = |values: &[f64], low: f64, high: f64| values.iter().map(|v| v.clamp(low, high)).collect::<Vec<_>>();
        Some(Self {
            factor,
            correlation: correlation(&held(&x, x_low, x_high), &held(&y, y_low, y_high)),
            offset,
            spread,
        })
    }
}

/// The values below which 5, 50 and 95 % of `values` lie; there are some.
fn quantiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [0.05, 0.5, 0.95].map(|part| sorted[(part * (sorted.len() - 1) as f64).round() as usize])
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (x_mean, y_mean) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (u, v) = (x - x_mean, y - y_mean);
        xx += u * u;
        yy += v * v;
        xy += u * v;
    }
    if xx > 0.0 && yy > 0.0 {
        xy / (xx * yy).sqrt()
    } else {
        0.0
    }
}

/// Two digits that count.
fn short(value: f64) -> String {
    let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let digits = (1.0 - magnitude).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ground of some contrast: reflectance of four bands, the same for the same pixel.
    fn ground() -> Vec<Vec<f32>> {
        let of = |mean: f32| (0..200).map(|i| mean * (0.7 + 0.003 * i as f32)).collect();
        [0.04, 0.06, 0.05, 0.3].map(of).to_vec()
    }

    /// What a later look at it shows: a little noise.
    fn later(change: impl Fn(usize, f32) -> f32) -> Vec<Vec<f32>> {
        let noise = |i: usize| 1.0 + 0.02 * ((i * 7919 % 100) as f32 / 50.0 - 1.0);
        let band = |(index, band): (usize, Vec<f32>)| {
            let pixels = band.into_iter().enumerate();
            pixels.map(|(i, value)| change(index, value * noise(i))).collect()
        };
        ground().into_iter().enumerate().map(band).collect()
    }

    fn date(id: &str, values: Values, bands: Vec<Vec<f32>>) -> Date<'_> {
        Date {
            id,
            values,
            bands,
            impossible: 0.0,
            counts: None,
        }
    }

    fn told(after: Vec<Vec<f32>>) -> Option<String> {
        let (before, after) = (date("a", Values::Numbers, ground()), date("b", Values::Numbers, after));
        let there = refused(&before, &after);
        assert_eq!(there.is_some(), refused(&after, &before).is_some(), "{there:?}");
        there
    }

    #[test]
    fn a_factor_or_an_offset_in_all_bands_is_another_coding() {
        for factor in [10_000.0, 255.0, 100.0, 10.0] {
            let why = told(later(|_, v| v * factor)).unwrap();
            assert!(
                why.starts_with("the two dates are coded differently: in every band b is"),
                "{why}"
            );
        }
        let why = told(later(|_, v| 10_000.0 * v + 1000.0)).unwrap();
        assert!(why.contains("coded differently"), "{why}");
        let why = told(later(|_, v| v + 0.1)).unwrap();
        assert!(why.contains("in every band b is 0.1 more than a"), "{why}");
        // As stored numbers of bands that vary little.
        let flat = |more: f32| {
            (0..3)
                .map(|_| (0..100).map(|i| 400.0 + (i % 7) as f32 + more).collect())
                .collect()
        };
        let (before, after) = (
            date("a", Values::Numbers, flat(1000.0)),
            date("b", Values::Numbers, flat(0.0)),
        );
        let why = refused(&before, &after).unwrap();
        assert!(why.contains("b is 1000 less than a"), "{why}");
    }

    #[test]
    fn ground_season_haze_snow_and_cloud_are_no_coding() {
        assert_eq!(told(later(|_, v| v)), None);
        // Sun and exposure.
        assert_eq!(told(later(|_, v| 3.0 * v)), None);
        // Haze is in the blue, green leaves are not.
        assert_eq!(told(later(|band, v| v + [0.06, 0.04, 0.03, 0.01][band])), None);
        assert_eq!(told(later(|band, v| v * [0.6, 0.8, 0.4, 1.9][band])), None);
        // A harvest in half of the pixels.
        assert_eq!(
            told(later(|band, v| if v * 1000.0 % 2.0 < 1.0 {
                [0.1, 0.13, 0.18, 0.25][band]
            } else {
                v
            })),
            None
        );
        // All is white, whatever lies below.
        let white = |_: usize| (0..200).map(|i| 0.7 + 0.1 * ((i * 7919 % 97) as f32 / 97.0)).collect();
        assert_eq!(told((0..4).map(white).collect()), None);
        let (before, after) = (
            date("a", Values::Numbers, vec![vec![0.1; 20]]),
            date("b", Values::Numbers, vec![vec![1000.0; 20]]),
        );
        assert_eq!(refused(&before, &after), None, "too few pixels tell nothing");
    }

    #[test]
    fn counts_of_two_instruments_differ_as_they_may() {
        let refusal = |before: Option<(&'static str, &'static str)>, after: Option<(&'static str, &'static str)>| {
            let of = |bands, counts| Date {
                counts,
                ..date("a", Values::Numbers, bands)
            };
            refused(&of(ground(), before), &of(later(|_, v| 83.0 * v), after)).is_some()
        };
        let (tm, ali) = (Some(("landsat-5", "uint8")), Some(("eo-1", "uint16")));
        assert!(!refusal(tm, ali));
        assert!(refusal(tm, None));
        assert!(refusal(
            Some(("sentinel-2a", "uint16")),
            Some(("sentinel-2b", "uint16"))
        ));
    }

    #[test]
    fn numbers_that_are_not_what_they_are_said_to_be_are_told() {
        let said = |values: Values, value: f32, impossible: f64| {
            let one = Date {
                impossible,
                ..date("a", values, vec![vec![value; 60], vec![value; 60]])
            };
            refused(&one, &one.clone())
        };
        assert!(
            said(Values::Reflectance(1.0), 1.0, 0.0)
                .unwrap()
                .contains("the numbers of a are not reflectance")
        );
        assert!(
            said(Values::Reflectance(1.0), 0.0, 0.0)
                .unwrap()
                .contains("darker than any ground")
        );
        assert!(
            said(Values::Reflectance(1.0), f32::NAN, 0.9)
                .unwrap()
                .contains("90 % of its pixels are far from 0 to 1")
        );
        assert_eq!(said(Values::Reflectance(1.0), 0.9, 0.5), None);
        assert_eq!(said(Values::Reflectance(1.0), 0.004, 0.0), None);
        assert!(
            said(Values::Power, f32::NAN, 1.0)
                .unwrap()
                .contains("these look like decibels: state unit")
        );
        assert_eq!(said(Values::Power, -12.0, 0.5), None);
        assert!(
            said(Values::Decibels, 0.1, 0.0)
                .unwrap()
                .contains("these look like power")
        );
        assert_eq!(said(Values::Decibels, -12.0, 0.0), None);
    }
}
