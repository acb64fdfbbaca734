//! Ways to show a scene: which its bands allow, and the colour that a pixel has in each.

/// No picture is made from more bands than this: red, green, blue, near infrared.
pub const SHOWN_BANDS: usize = 4;

/// The bands of one pixel that pictures are made from, in any unit; NaN where not observed, 0 where there are fewer bands.
pub type Pixel = [f32; SHOWN_BANDS];

/// A way to turn bands into colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rendition {
    /// Red, green and blue as they are.
    Natural,
    /// Near infrared, red and green as red, green and blue: vegetation is red.
    FalseColour,
    /// The first three bands as red, green and blue.
    Composite,
    /// The first band, black to white.
    Grey,
    /// Normalised difference of near infrared and red (Rouse et al., 1974), brown to green.
    Ndvi,
}

impl Rendition {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Natural,
        Self::FalseColour,
        Self::Composite,
        Self::Grey,
        Self::Ndvi,
    ];

    /// Its word in file names and style sheets.
    pub fn word(self) -> &'static str {
        match self {
            Self::Natural => "natural",
            Self::FalseColour => "false",
            Self::Composite => "composite",
            Self::Grey => "grey",
            Self::Ndvi => "ndvi",
        }
    }
}

/// Which bands pictures are made from, and the ways in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Their places among the bands of the comparison, at most [`SHOWN_BANDS`].
    pub bands: Vec<usize>,
    /// The usual way first; with the places in `bands` of red, green and blue.
    pub renditions: Vec<(Rendition, [usize; 3])>,
}

impl Palette {
    /// What bands of these STAC common names allow.
    pub fn of(names: &[String]) -> Self {
        let find = |name: &str| names.iter().position(|band| band == name);
        let (red, green, blue, nir) = (find("red"), find("green"), find("blue"), find("nir"));
        let mut ways = Vec::new();
        if let (Some(red), Some(green), Some(blue)) = (red, green, blue) {
            ways.push((Rendition::Natural, [red, green, blue]));
        }
        if let (Some(nir), Some(red), Some(green)) = (nir, red, green) {
            ways.push((Rendition::FalseColour, [nir, red, green]));
        }
        if ways.is_empty() {
            ways.push(if names.len() >= 3 {
                (Rendition::Composite, [0, 1, 2])
            } else {
                (Rendition::Grey, [0; 3])
            });
        }
        if let (Some(nir), Some(red)) = (nir, red)
            && ways[0].0 != Rendition::Composite
        {
            ways.push((Rendition::Ndvi, [nir, red, red]));
        }
        let mut bands: Vec<usize> = ways.iter().flat_map(|(_, channels)| *channels).collect();
        bands.sort_unstable();
        bands.dedup();
        let place = |band: usize| bands.iter().position(|known| *known == band).unwrap_or(0);
        let renditions = ways.iter().map(|(way, channels)| (*way, channels.map(place)));
        Self {
            renditions: renditions.collect(),
            bands,
        }
    }

    /// The pixel of these bands: `value` gives that of a band of the comparison.
    pub fn pixel(&self, value: impl Fn(usize) -> f32) -> Pixel {
        std::array::from_fn(|place| self.bands.get(place).map_or(0.0, |band| value(*band)))
    }
}

/// A rendition with its stretch: what one pixel looks like, on whichever date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Painter {
    /// The way.
    pub rendition: Rendition,
    channels: [usize; 3],
    /// Drawn as 0, per channel.
    low: [f32; 3],
    /// Drawn as 255.
    high: [f32; 3],
}

/// Ends of the stretch, as fractions of the observed pixels.
const LOW_QUANTILE: f64 = 0.02;
const HIGH_QUANTILE: f64 = 0.98;

impl Painter {
    /// A painter for each rendition of `palette`. One stretch for all `pixels`, which are those of both dates: what looks different
    /// is different. It runs from the 2nd to the 98th percentile of each channel; 0 to 1 when nothing was observed.
    pub fn all(palette: &Palette, pixels: &[&[Pixel]]) -> Vec<Self> {
        let of_band = |band: usize| {
            let observed = pixels.iter().copied().flatten().filter(|pixel| is_observed(pixel));
            let mut values: Vec<f32> = observed.map(|pixel| pixel[band]).collect();
            let last = values.len().checked_sub(1)? as f64;
            let places = [(LOW_QUANTILE * last).floor(), (HIGH_QUANTILE * last).ceil()];
            Some(places.map(|place| *values.select_nth_unstable_by(place as usize, f32::total_cmp).1))
        };
        let ends: Vec<[f32; 2]> = (0..palette.bands.len())
            .map(|band| of_band(band).unwrap_or([0.0, 1.0]))
            .collect();
        let painter = |(rendition, channels): &(Rendition, [usize; 3])| Self {
            rendition: *rendition,
            channels: *channels,
            low: channels.map(|band| ends[band][0]),
            high: channels.map(|band| ends[band][1]),
        };
        palette.renditions.iter().map(painter).collect()
    }

    /// The colour of a pixel; `None` where it was not observed.
    pub fn colour(&self, pixel: &Pixel) -> Option<[u8; 3]> {
        if !is_observed(pixel) {
            return None;
        }
        let value = self.channels.map(|band| pixel[band]);
        if self.rendition == Rendition::Ndvi {
            return Some(ndvi_colour(value[0], value[1]));
        }
        Some(std::array::from_fn(|channel| {
            let (low, high) = (self.low[channel], self.high[channel]);
            if high > low {
                ((value[channel] - low) / (high - low) * 255.0)
                    .round()
                    .clamp(0.0, 255.0) as u8
            } else {
                // An empty stretch: the middle.
                127
            }
        }))
    }
}

/// Whether every band of a pixel was observed.
fn is_observed(pixel: &Pixel) -> bool {
    pixel.iter().all(|value| value.is_finite())
}

/// Colours of the index from -0.2 (and below) to 0.9 (and above): water blue, bare ground brown, vegetation green.
const NDVI_COLOURS: [[u8; 3]; 12] = [
    [58, 92, 140],
    [120, 144, 170],
    [196, 180, 160],
    [186, 152, 112],
    [190, 164, 104],
    [206, 194, 110],
    [192, 204, 110],
    [152, 190, 92],
    [106, 168, 74],
    [62, 142, 58],
    [28, 112, 44],
    [8, 80, 32],
];
const NDVI_LOW: f32 = -0.2;
const NDVI_STEP: f32 = 0.1;

fn ndvi_colour(nir: f32, red: f32) -> [u8; 3] {
    let sum = nir + red;
    let index = if sum > 0.0 { (nir - red) / sum } else { 0.0 };
    let place = ((index - NDVI_LOW) / NDVI_STEP).floor().clamp(0.0, 11.0);
    NDVI_COLOURS[place as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn ways(bands: &[&str]) -> Vec<Rendition> {
        let palette = Palette::of(&names(bands));
        assert!(palette.bands.len() <= SHOWN_BANDS);
        palette.renditions.iter().map(|(way, _)| *way).collect()
    }

    #[test]
    fn bands_decide_what_can_be_shown() {
        use Rendition::*;
        assert_eq!(ways(&["blue", "green", "red", "nir"]), [Natural, FalseColour, Ndvi]);
        assert_eq!(ways(&["blue", "green", "red"]), [Natural]);
        assert_eq!(ways(&["green", "red", "nir"]), [FalseColour, Ndvi]);
        assert_eq!(ways(&["red", "nir"]), [Grey, Ndvi]);
        assert_eq!(ways(&["a", "b", "c", "d"]), [Composite]);
        assert_eq!(ways(&["vv", "vh"]), [Grey]);
        assert_eq!(ways(&["ndvi"]), [Grey]);
        let palette = Palette::of(&names(&["swir16", "nir", "red", "green", "blue"]));
        assert_eq!(palette.bands, [1, 2, 3, 4]);
        assert_eq!(palette.renditions[1], (FalseColour, [0, 1, 2]));
        assert_eq!(palette.pixel(|band| band as f32), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(Palette::of(&names(&["vv"])).pixel(|_| 7.0), [7.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn one_value_is_one_colour_on_both_dates_and_outliers_do_not_decide() {
        let palette = Palette::of(&names(&["vv"]));
        let mut before: Vec<Pixel> = (0..=100).map(|v| [v as f32, 0.0, 0.0, 0.0]).collect();
        before[100][0] = 1e9;
        let after = [[f32::NAN, 0.0, 0.0, 0.0], [50.0, 0.0, 0.0, 0.0]];
        let painter = Painter::all(&palette, &[&before, &after])[0];
        assert_eq!((painter.low[0], painter.high[0]), (2.0, 98.0));
        assert_eq!(painter.colour(&before[50]), painter.colour(&after[1]));
        assert_eq!(painter.colour(&before[2]), Some([0; 3]));
        assert_eq!(painter.colour(&before[100]), Some([255; 3]));
        assert_eq!(painter.colour(&after[0]), None);
    }

    #[test]
    fn nothing_observed_and_one_value_have_colours_too() {
        let palette = Palette::of(&names(&["vv"]));
        let blind = Painter::all(&palette, &[&[[f32::NAN; 4]]])[0];
        assert_eq!(blind.colour(&[1.0, 0.0, 0.0, 0.0]), Some([255; 3]));
        let flat = Painter::all(&palette, &[&[[3.0, 0.0, 0.0, 0.0]]])[0];
        assert_eq!(flat.colour(&[3.0, 0.0, 0.0, 0.0]), Some([127; 3]));
    }

    #[test]
    fn vegetation_is_green_and_water_blue_by_the_index_alone() {
        let [r, g, b] = ndvi_colour(0.45, 0.05);
        assert!(g > r && g > b);
        let [r, _, b] = ndvi_colour(0.01, 0.05);
        assert!(b > r);
        assert_eq!(ndvi_colour(0.0, 0.0), ndvi_colour(0.05, 0.05));
        assert_eq!(ndvi_colour(0.85, 0.15), ndvi_colour(0.17, 0.03));
    }
}
