//! What to simulate, from a TOML file.
//!
//! Places are boxes `[left, top, right, bottom]` in metres, right of and below the top-left corner of the scene.

use jiff::Timestamp;
use serde::Deserialize;

use crate::fault::{Fault, nearest};
use crate::finding::Verdict;

/// The longest edge of a scene, in pixels.
const MAX_EDGE_PX: usize = 40_000;
/// The most dates, sites, changes or other listed things.
const MAX_LISTED: usize = 10_000;

/// A place: `[left, top, right, bottom]`, metres right of and below the top-left corner of the scene.
pub type BoxM = [f64; 4];

/// Scenes to make, and what is true in them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Everything random follows from this number.
    pub seed: u32,
    /// The projected reference system (metres) of the scene.
    #[serde(default = "epsg_utm33")]
    pub epsg: u32,
    /// Easting and northing of the top-left corner, metres.
    #[serde(default = "corner")]
    pub origin_m: [f64; 2],
    /// Edge of a pixel, metres.
    #[serde(default = "ten")]
    pub pixel_m: f64,
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// Bands in file order, by STAC common name.
    #[serde(default = "four_bands")]
    pub bands: Vec<Band>,
    /// Pixels of the image under one pixel of the quality band, each way: 1, or 2 for a 20 m band under 10 m.
    #[serde(default = "one")]
    pub quality_every_px: usize,
    /// The platform named in the catalogue.
    #[serde(default = "sentinel_2a")]
    pub platform: String,
    /// The countryside.
    #[serde(default)]
    pub land: Land,
    /// Head of the declaration.
    #[serde(default)]
    pub declaration: Head,
    /// Declared sites.
    #[serde(default, rename = "site")]
    pub sites: Vec<Site>,
    /// Many declared sites at once, in rows and columns over the scene.
    pub sites_grid: Option<SitesGrid>,
    /// Declared zones.
    #[serde(default, rename = "zone")]
    pub zones: Vec<Zone>,
    /// Declared activities, carried out or not.
    #[serde(default, rename = "activity")]
    pub activities: Vec<Activity>,
    /// What really happens, declared or not.
    #[serde(default, rename = "change")]
    pub changes: Vec<Change>,
    /// Optical scenes, in order of time.
    #[serde(default, rename = "date")]
    pub dates: Vec<Date>,
    /// Radar scenes, in order of time.
    #[serde(default, rename = "sar")]
    pub radar: Vec<Radar>,
}

/// An optical band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // The names are STAC's common names.
pub enum Band {
    Blue,
    Green,
    Red,
    Nir,
    Swir16,
    Swir22,
}

/// The countryside around the sites.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Land {
    /// Usual width of a field, metres.
    pub field_m: f64,
    /// About this fraction of the land is forest.
    pub forest_fraction: f64,
    /// About this fraction of the land is lakes.
    pub lake_fraction: f64,
    /// Towns.
    pub towns: usize,
    /// Roads through the scene; towns are joined by further roads.
    pub roads: usize,
    /// Rivers through the scene.
    pub rivers: usize,
    /// How much a field differs from date to date beyond the season, as a fraction of its reflectance (moisture, tillage).
    pub variability: f64,
}

impl Default for Land {
    fn default() -> Self {
        Self {
            field_m: 140.0,
            forest_fraction: 0.22,
            lake_fraction: 0.01,
            towns: 0,
            roads: 2,
            rivers: 1,
            variability: 0.03,
        }
    }
}

/// Head of the declaration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Head {
    /// Identifier.
    pub id: String,
    /// Who declares.
    pub party: String,
    /// Under which agreement.
    pub agreement: String,
    /// When it was issued.
    #[serde(deserialize_with = "moment")]
    pub issued: Timestamp,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            id: "simulated-1".into(),
            party: "Party A".into(),
            agreement: "Simulated Agreement".into(),
            issued: "2021-01-01T00:00:00Z".parse().unwrap_or_default(),
        }
    }
}

/// What stands on a site before anything changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Roads, yards, halls and lawns.
    #[default]
    Base,
    /// Whatever the countryside has.
    Open,
}

/// A declared site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Identifier.
    pub id: String,
    /// Name; the identifier when absent.
    pub name: Option<String>,
    /// Its boundary.
    pub box_m: BoxM,
    /// What stands on it.
    #[serde(default)]
    pub style: Style,
}

/// Sites in rows and columns, evenly spread over the scene.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SitesGrid {
    /// Rows of sites.
    pub rows: usize,
    /// Columns of sites.
    pub cols: usize,
    /// Edge of a site, metres.
    pub size_m: f64,
    /// Every so many sites a hall is built between the first and the last date that nobody declared; 0 for none.
    #[serde(default)]
    pub undeclared_every: usize,
    /// Every so many sites a hall is built as declared; 0 for none.
    #[serde(default)]
    pub declared_every: usize,
}

/// What a zone is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // The words of the declaration format.
pub enum Role {
    Building,
    Storage,
    Exclusion,
    Reference,
    Other,
}

/// A declared zone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Identifier.
    pub id: String,
    /// The site it lies in.
    pub site: String,
    /// What it is for.
    pub role: Role,
    /// Its boundary.
    pub box_m: BoxM,
}

/// A kind of activity or change, in the words of the declaration format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// A hall goes up.
    Construction,
    /// A hall comes down.
    Demolition,
    /// Soil is dug up.
    Earthworks,
    /// Forest is cleared.
    Clearance,
    /// Vehicles stand on a yard.
    Movement,
    /// Anything else: for activities only.
    Other,
}

/// A declared activity. It says nothing about what happens: see [`Change`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Identifier.
    pub id: String,
    /// The site it takes place on.
    pub site: String,
    /// The zone it takes place in; else `box_m` is given.
    pub zone: Option<String>,
    /// Where it takes place; else `zone` is given.
    pub box_m: Option<BoxM>,
    /// Its kind.
    pub what: What,
    /// Its window begins.
    #[serde(deserialize_with = "moment")]
    pub from: Timestamp,
    /// Its window has ended.
    #[serde(deserialize_with = "moment")]
    pub to: Timestamp,
    /// When it was announced.
    #[serde(deserialize_with = "moment")]
    pub notified: Timestamp,
    /// How far outside its area it may reach, metres.
    pub tolerance_m: Option<f64>,
    /// The right verdict on the activity, told in the truth file.
    pub verdict: Option<Verdict>,
}

/// Something that happens on the ground.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its kind.
    pub what: What,
    /// Where.
    pub box_m: BoxM,
    /// Scenes from this moment on show it.
    #[serde(deserialize_with = "moment")]
    pub at: Timestamp,
    /// Scenes from this moment on show the ground as it was before.
    #[serde(default, deserialize_with = "maybe_moment")]
    pub until: Option<Timestamp>,
    /// Turned clockwise by so many degrees about the middle of the box.
    #[serde(default)]
    pub angle_deg: f64,
    /// Height of the hall, metres: the length of its shadow follows.
    #[serde(default = "nine")]
    pub height_m: f64,
    /// The activity that this change belongs to, told in the truth file.
    pub activity: Option<String>,
    /// The right verdict on the change, told in the truth file.
    pub verdict: Option<Verdict>,
}

/// One optical scene.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Date {
    /// When it was acquired.
    #[serde(deserialize_with = "moment")]
    pub time: Timestamp,
    /// Reflectance is multiplied by this: one number for all bands, or one per band.
    #[serde(default = "unit_gain")]
    pub gain: Vec<f64>,
    /// And this is added: one number for all bands, or one per band.
    #[serde(default = "no_offset")]
    pub offset: Vec<f64>,
    /// Standard deviation of the sensor's noise, reflectance.
    #[serde(default = "usual_noise")]
    pub noise: f64,
    /// Standard deviation of the (Gaussian) point spread, pixels.
    #[serde(default = "usual_psf")]
    pub psf_px: f64,
    /// How far the content lies right of and below its true place, pixels.
    #[serde(default)]
    pub shift_px: [f64; 2],
    /// Day of the year that vegetation shows, 1 to 366; that of `time` when absent.
    pub season_day: Option<f64>,
    /// Another grid than the recipe's.
    #[serde(default)]
    pub grid: GridChange,
    /// Clouds at given places.
    #[serde(default, rename = "cloud")]
    pub clouds: Vec<Cloud>,
    /// About this fraction of the scene lies under scattered clouds.
    #[serde(default)]
    pub cloud_fraction: f64,
    /// How far apart scattered clouds are, metres.
    #[serde(default = "usual_cloud")]
    pub cloud_size_m: f64,
    /// A slanted edge of the swath, beyond which there is no data.
    pub wedge: Option<Wedge>,
}

/// How the grid of a date differs from the recipe's.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridChange {
    /// The left edge lies so many pixels further right.
    #[serde(default)]
    pub left_px: i64,
    /// The top edge lies so many pixels further down.
    #[serde(default)]
    pub top_px: i64,
    /// Columns, when others.
    pub width_px: Option<usize>,
    /// Rows, when others.
    pub height_px: Option<usize>,
    /// Another reference system: the grid is then the box around the scene in it, in metres or degrees.
    pub epsg: Option<u32>,
}

/// A cloud and its shadow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// Ground that it hides.
    pub box_m: BoxM,
    /// Width of its frayed edge, outside of the box, metres.
    #[serde(default = "eighty")]
    pub edge_m: f64,
    /// 1 hides the ground; less is haze.
    #[serde(default = "full")]
    pub opacity: f64,
}

/// A side of the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // Left and right.
pub enum Side {
    Left,
    Right,
}

/// Where the swath ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wedge {
    /// The side without data.
    pub side: Side,
    /// Fraction of the first row without data.
    pub top: f64,
    /// Fraction of the last row without data.
    pub bottom: f64,
}

/// One radar scene: VV and VH, linear power, on the recipe's grid.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Radar {
    /// When it was acquired.
    #[serde(deserialize_with = "moment")]
    pub time: Timestamp,
    /// Looks: speckle has the relative variance 1 / looks.
    #[serde(default = "four_looks")]
    pub looks: u32,
    /// Standard deviation of the (Gaussian) point spread, pixels.
    #[serde(default = "usual_psf")]
    pub psf_px: f64,
    /// How far the content lies right of and below its true place, pixels.
    #[serde(default)]
    pub shift_px: [f64; 2],
    /// Power is multiplied by this.
    #[serde(default = "full")]
    pub gain: f64,
}

fn epsg_utm33() -> u32 {
    32633
}
fn corner() -> [f64; 2] {
    [500_000.0, 5_400_000.0]
}
fn ten() -> f64 {
    10.0
}
fn one() -> usize {
    1
}
fn four_bands() -> Vec<Band> {
    vec![Band::Blue, Band::Green, Band::Red, Band::Nir]
}
fn sentinel_2a() -> String {
    "sentinel-2a".into()
}
fn nine() -> f64 {
    9.0
}
fn unit_gain() -> Vec<f64> {
    vec![1.0]
}
fn no_offset() -> Vec<f64> {
    vec![0.0]
}
fn usual_noise() -> f64 {
    0.003
}
fn usual_psf() -> f64 {
    0.55
}
fn usual_cloud() -> f64 {
    1500.0
}
fn eighty() -> f64 {
    80.0
}
fn full() -> f64 {
    1.0
}
fn four_looks() -> u32 {
    4
}

/// A time in UTC, `2021-05-03T10:10:31Z`, or a day, which means its first moment.
fn moment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let day = || text.parse::<jiff::civil::Date>()?.to_zoned(jiff::tz::TimeZone::UTC);
    text.parse()
        .or_else(|_| day().map(|zoned| zoned.timestamp()))
        .map_err(|_: jiff::Error| {
            let what =
                format!("`{text}` is not a time; expected one like 2021-05-03T10:10:31Z, or a day like 2021-05-03");
            serde::de::Error::custom(what)
        })
}

fn maybe_moment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    moment(deserializer).map(Some)
}

/// The recipe in `text`, with `sites_grid` written out as sites, changes and activities.
///
/// # Errors
/// Every fault found, each with its place: the line for what is not TOML or not a known key, the key for a value that cannot be.
pub fn parse(text: &str) -> Result<Recipe, Vec<Fault>> {
    let mut recipe: Recipe = toml::from_str(text).map_err(|error| vec![syntax(text, &error)])?;
    let faults = super::check::faults(&recipe);
    if faults.is_empty() {
        expand_grid(&mut recipe);
        Ok(recipe)
    } else {
        Err(faults)
    }
}

/// Line and column of a fault that the TOML reader found, with the nearest known key where one is unknown.
fn syntax(text: &str, error: &toml::de::Error) -> Fault {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let before = &text.as_bytes()[..at];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = at
        - before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1)
        + 1;
    let mut message = error.message().to_owned();
    // serde names the unknown key and all known ones between back quotes.
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown ")
        && let Some(name) = quoted.next()
        && let Some(known) = nearest(name, quoted)
    {
        message = format!("unknown key or value `{name}`; did you mean `{known}`?");
    }
    Fault::new(format!("line {line}, column {column}"), message)
}

/// Writes out `sites_grid`: a hall of 90 x 60 m in the middle of the sites that have one.
fn expand_grid(recipe: &mut Recipe) {
    let Some(grid) = recipe.sites_grid.take() else { return };
    let first = recipe.dates.first().map_or(Timestamp::UNIX_EPOCH, |date| date.time);
    let last = recipe.dates.last().map_or(first, |date| date.time);
    let between = Timestamp::from_second(first.as_second().midpoint(last.as_second())).unwrap_or(first);
    let (width, height) = recipe.size_m();
    for number in 1..=grid.rows * grid.cols {
        let (row, col) = ((number - 1) / grid.cols, (number - 1) % grid.cols);
        let x = width * (col as f64 + 0.5) / grid.cols as f64;
        let y = height * (row as f64 + 0.5) / grid.rows as f64;
        let around = |half_width: f64, half_height: f64| {
            // On whole metres, so that the declaration is short and exact.
            [x - half_width, y - half_height, x + half_width, y + half_height].map(f64::round)
        };
        let id = format!("site-{number:03}");
        let every = |n: usize| n > 0 && number % n == 0;
        let (declared, undeclared) = (every(grid.declared_every), every(grid.undeclared_every));
        let hall = around(45.0, 30.0);
        let activity = declared.then(|| format!("{id}-hall"));
        if let Some(activity) = &activity {
            recipe.activities.push(Activity {
                id: activity.clone(),
                site: id.clone(),
                zone: None,
                box_m: Some(around(55.0, 40.0)),
                what: What::Construction,
                from: first,
                to: last,
                notified: first,
                tolerance_m: None,
                verdict: Some(Verdict::Consistent),
            });
        }
        if declared || undeclared {
            recipe.changes.push(Change {
                what: What::Construction,
                box_m: hall,
                at: between,
                until: None,
                angle_deg: 0.0,
                height_m: nine(),
                verdict: Some(if declared {
                    Verdict::Consistent
                } else {
                    Verdict::Undeclared
                }),
                activity,
            });
        }
        let half = grid.size_m / 2.0;
        recipe.sites.push(Site {
            id,
            name: None,
            box_m: around(half, half),
            style: Style::Base,
        });
    }
}

impl Recipe {
    /// Width and height of the scene, metres.
    pub fn size_m(&self) -> (f64, f64) {
        (
            self.width_px as f64 * self.pixel_m,
            self.height_px as f64 * self.pixel_m,
        )
    }

    /// The recipe's reference system.
    pub fn crs(&self) -> String {
        format!("EPSG:{}", self.epsg)
    }
}

impl SitesGrid {
    /// Whether the number of sites is one that can be made.
    pub(super) fn fits(&self) -> bool {
        self.rows.saturating_mul(self.cols) <= MAX_LISTED
    }
}

/// Bounds that `check` keeps: edge in pixels, listed things.
pub(super) const BOUNDS: (usize, usize) = (MAX_EDGE_PX, MAX_LISTED);

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A small recipe with one site and one change.
    pub(in crate::lab::simulate) const SMALL: &str = r#"
        seed = 3
        width_px = 64
        height_px = 48
        [[site]]
        id = "A"
        box_m = [100, 80, 520, 400]
        [[change]]
        what = "construction"
        box_m = [250, 200, 340, 260]
        at = "2021-06-15"
        verdict = "undeclared"
        [[date]]
        time = "2021-06-01T10:10:31Z"
        [[date]]
        time = "2021-07-01T10:10:31Z"
        gain = [1.05]
        shift_px = [0.3, -0.2]
    "#;

    #[test]
    fn a_small_recipe_is_read_with_its_defaults() {
        let recipe = parse(SMALL).unwrap();
        assert_eq!((recipe.epsg, recipe.bands.len(), recipe.pixel_m), (32633, 4, 10.0));
        assert_eq!(recipe.changes[0].at.to_string(), "2021-06-15T00:00:00Z");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
        let faults = parse(&SMALL.replace("shift_px", "shfit_px")).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].place.starts_with("line 18"), "{}", faults[0]);
        assert!(faults[0].message.contains("`shift_px`"), "{}", faults[0]);
    }

    #[test]
    fn all_impossible_values_are_told_at_once() {
        let text = SMALL
            .replace("width_px = 64", "width_px = 50000")
            .replace("[1.05]", "[1, 1, 1]");
        let faults = parse(&text).unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(places, ["width_px", "date[1].gain"]);
    }

    #[test]
    fn a_grid_of_sites_is_written_out() {
        let text = format!("sites_grid = {{ rows = 2, cols = 3, size_m = 120, undeclared_every = 3 }}\n{SMALL}");
        let recipe = parse(&text).unwrap();
        assert_eq!((recipe.sites.len(), recipe.changes.len()), (7, 3));
        assert_eq!(recipe.sites[1].box_m, [47.0, 60.0, 167.0, 180.0]);
    }
}
