//! The documents beside the rasters: the declaration, the catalogue of scenes, the truth as outlines.

use ::geo::{Area, Polygon};
use serde_json::{Map, Value, json};

use crate::io::IoError;
use crate::io::crs::{Projector, WGS84};
use crate::seal::digest::Digest;

use super::ground::Lattice;
use super::layout::footprints;
use super::recipe::{Band, Recipe, Role, What};
use super::scene::SCALE;
use super::written::BoxM;

/// Extensions that the items use, by the addresses that name them.
const EXTENSIONS: [&str; 5] = [
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
    "https://stac-extensions.github.io/sar/v1.0.0/schema.json",
];

/// A scene that was made, as the catalogue tells it.
pub struct Entry {
    /// Its id, of letters, digits and underscores.
    pub id: String,
    /// When it was acquired.
    pub time: jiff::Timestamp,
    /// Its lattice.
    pub lattice: Lattice,
    /// Fraction of its pixels under cloud; `None` for radar.
    pub cloud: Option<f64>,
    /// The bands.
    pub bands: Made,
    /// The quality band.
    pub quality: Option<Made>,
}

impl Entry {
    fn is_optical(&self) -> bool {
        self.cloud.is_some()
    }
}

/// A raster that was made.
pub struct Made {
    /// Its path from the catalogue's folder.
    pub path: String,
    /// What it holds.
    pub digest: Digest,
}

impl Made {
    /// The fields of an asset that say which file it is, and of which bytes.
    fn told(&self, asset: &mut Value) {
        asset["href"] = json!(format!("./{}", self.path));
        asset["file:size"] = json!(self.digest.bytes);
        // A multihash: SHA-256, 32 bytes.
        asset["file:checksum"] = json!(format!("1220{}", self.digest.sha256));
    }
}

/// Outlines of a recipe as GeoJSON geometries in WGS 84.
struct Outlines<'a> {
    recipe: &'a Recipe,
    to_wgs84: Projector,
}

impl<'a> Outlines<'a> {
    fn new(recipe: &'a Recipe) -> Result<Self, IoError> {
        Ok(Self {
            recipe,
            to_wgs84: Projector::new(&recipe.crs(), WGS84)?,
        })
    }

    /// A closed ring of points in metres, counter-clockwise as RFC 7946 wants it, to a centimetre.
    fn polygon(&self, points: &[[f64; 2]]) -> Result<Value, IoError> {
        let [east, north] = self.recipe.origin_m;
        let mut x: Vec<f64> = points.iter().map(|point| east + point[0]).collect();
        let mut y: Vec<f64> = points.iter().map(|point| north - point[1]).collect();
        self.to_wgs84.project(&mut x, &mut y)?;
        let mut ring: Vec<Value> = x
            .iter()
            .zip(&y)
            .map(|(x, y)| json!([degrees(*x), degrees(*y)]))
            .collect();
        // Clockwise in a frame with y down is counter-clockwise on the globe, and the outlines run clockwise on the map.
        ring.reverse();
        if let Some(first) = ring.first().cloned() {
            ring.push(first);
        }
        Ok(json!({ "type": "Polygon", "coordinates": [ring] }))
    }

    fn of_box(&self, [left, top, right, bottom]: BoxM) -> Result<Value, IoError> {
        self.polygon(&[[left, top], [right, top], [right, bottom], [left, bottom]])
    }

    fn of_outline(&self, outline: &Polygon<f64>) -> Result<Value, IoError> {
        let mut points: Vec<[f64; 2]> = outline.exterior().coords().map(|corner| [corner.x, corner.y]).collect();
        points.pop();
        self.polygon(&points)
    }
}

/// Degrees to seven decimals: a centimetre.
fn degrees(value: f64) -> f64 {
    (value * 1e7).round() / 1e7
}

fn feature(geometry: &Value, properties: Map<String, Value>) -> Value {
    json!({ "type": "Feature", "geometry": geometry, "properties": properties })
}

fn properties(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { return Map::new() };
    // What was not given is left out.
    map.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Building => "building",
        Role::Storage => "storage",
        Role::Exclusion => "exclusion",
        Role::Reference => "reference",
        Role::Other => "other",
    }
}

fn what(what: What) -> &'static str {
    match what {
        What::Construction => "construction",
        What::Demolition => "demolition",
        What::Earthworks => "earthworks",
        What::Clearance => "clearance",
        What::Movement => "movement",
        What::Other => "other",
    }
}

/// `declaration.geojson`: sites, zones and activities as the recipe declares them.
///
/// # Errors
/// When places of the recipe have no longitude and latitude.
pub fn declaration(recipe: &Recipe) -> Result<Value, IoError> {
    let outlines = Outlines::new(recipe)?;
    let mut features = Vec::new();
    for site in &recipe.sites {
        let name = site.name.as_ref().unwrap_or(&site.id);
        let told = json!({ "kind": "site", "id": site.id, "name": name });
        features.push(feature(&outlines.of_box(site.box_m)?, properties(told)));
    }
    for zone in &recipe.zones {
        let told = json!({ "kind": "zone", "id": zone.id, "site": zone.site, "role": role(zone.role) });
        features.push(feature(&outlines.of_box(zone.box_m)?, properties(told)));
    }
    for activity in &recipe.activities {
        let told = json!({
            "kind": "activity", "id": activity.id, "site": activity.site, "zone": activity.zone,
            "what": what(activity.what), "from": activity.from.to_string(), "to": activity.to.to_string(),
            "notified": activity.notified.to_string(), "tolerance_m": activity.tolerance_m,
        });
        // Without a polygon of its own it takes its zone's.
        let geometry = activity.box_m.map_or(Ok(Value::Null), |place| outlines.of_box(place))?;
        features.push(feature(&geometry, properties(told)));
    }
    let head = &recipe.declaration;
    Ok(json!({
        "type": "FeatureCollection",
        "declaration": {
            "id": head.id, "party": head.party, "agreement": head.agreement, "issued": head.issued.to_string(),
        },
        "features": features,
    }))
}

/// `truth.geojson`: where the ground changed and when, and the right verdicts on changes and activities.
///
/// # Errors
/// When places of the recipe have no longitude and latitude.
pub fn truth(recipe: &Recipe) -> Result<Value, IoError> {
    let outlines = Outlines::new(recipe)?;
    let mut features = Vec::new();
    for (change, (outline, _)) in recipe.changes.iter().zip(footprints(recipe)) {
        let told = json!({
            "kind": "change", "what": what(change.what), "at": change.at.to_string(),
            "until": change.until.map(|until| until.to_string()), "activity": change.activity,
            "verdict": change.verdict, "area_m2": outline.unsigned_area().round(),
        });
        features.push(feature(&outlines.of_outline(&outline)?, properties(told)));
    }
    for activity in &recipe.activities {
        let zone = || {
            recipe
                .zones
                .iter()
                .find(|zone| Some(&zone.id) == activity.zone.as_ref())
        };
        let Some(place) = activity.box_m.or_else(|| zone().map(|zone| zone.box_m)) else {
            continue;
        };
        let told =
            json!({ "kind": "activity", "id": activity.id, "what": what(activity.what), "verdict": activity.verdict });
        features.push(feature(&outlines.of_box(place)?, properties(told)));
    }
    Ok(json!({ "type": "FeatureCollection", "features": features }))
}

/// Name and STAC common name of a band.
fn names(band: Band) -> (&'static str, &'static str) {
    match band {
        Band::Blue => ("B02", "blue"),
        Band::Green => ("B03", "green"),
        Band::Red => ("B04", "red"),
        Band::Nir => ("B08", "nir"),
        Band::Swir16 => ("B11", "swir16"),
        Band::Swir22 => ("B12", "swir22"),
    }
}

/// The common names of the recipe's bands, in file order.
pub fn band_names(recipe: &Recipe) -> Vec<&'static str> {
    recipe.bands.iter().map(|&band| names(band).1).collect()
}

/// `items.json`: a STAC 1.1 ItemCollection of the scenes.
///
/// # Errors
/// When a scene's corners have no longitude and latitude.
pub fn items(recipe: &Recipe, entries: &[Entry]) -> Result<Value, IoError> {
    let features: Result<Vec<Value>, IoError> = entries.iter().map(|entry| item(recipe, entry)).collect();
    Ok(json!({ "type": "FeatureCollection", "features": features? }))
}

fn item(recipe: &Recipe, entry: &Entry) -> Result<Value, IoError> {
    let corners = corners(&entry.lattice)?;
    let ring: Vec<[f64; 2]> = corners.iter().map(|corner| corner.map(degrees)).collect();
    let low = |axis: usize| degrees(corners.iter().map(|corner| corner[axis]).fold(f64::MAX, f64::min));
    let high = |axis: usize| degrees(corners.iter().map(|corner| corner[axis]).fold(f64::MIN, f64::max));
    let mut assets = Map::new();
    assets.insert("bands".into(), bands_asset(recipe, entry));
    if let Some(quality) = &entry.quality {
        assets.insert("scl".into(), quality_asset(recipe, &entry.lattice, quality));
    }
    Ok(json!({
        "type": "Feature", "stac_version": "1.1.0", "stac_extensions": EXTENSIONS, "id": entry.id,
        "collection": if entry.is_optical() { "sentinel-2-l2a" } else { "sentinel-1-rtc" },
        "geometry": { "type": "Polygon", "coordinates": [ring] },
        "bbox": [low(0), low(1), high(0), high(1)],
        "properties": item_properties(recipe, entry), "assets": assets, "links": [],
    }))
}

/// The corners of a lattice in degrees, counter-clockwise, the last repeating the first.
fn corners(lattice: &Lattice) -> Result<Vec<[f64; 2]>, IoError> {
    let Lattice {
        width,
        height,
        corner: [left, top],
        pixel,
        crs,
    } = lattice;
    let (right, bottom) = (left + *width as f64 * pixel, top - *height as f64 * pixel);
    let (mut x, mut y) = (
        vec![*left, *left, right, right, *left],
        vec![*top, bottom, bottom, *top, *top],
    );
    Projector::new(crs, WGS84)?.project(&mut x, &mut y)?;
    Ok(x.into_iter().zip(y).map(|(x, y)| [x, y]).collect())
}

fn item_properties(recipe: &Recipe, entry: &Entry) -> Value {
    let Lattice {
        width,
        height,
        corner: [left, top],
        pixel,
        crs,
    } = &entry.lattice;
    let mut told = match entry.is_optical() {
        true => json!({
            "constellation": "sentinel-2", "platform": recipe.platform, "instruments": ["msi"],
            // Before 04.00 there is no offset of -1000 in the digital numbers.
            "s2:processing_baseline": "03.01",
            "eo:cloud_cover": entry.cloud.map(|fraction| (fraction * 1e4).round() / 1e2),
        }),
        false => json!({
            "constellation": "sentinel-1", "platform": "sentinel-1a", "instruments": ["c-sar"],
            "sar:product_type": "RTC", "sar:instrument_mode": "IW", "sar:frequency_band": "C", "sar:polarizations": ["VV", "VH"],
        }),
    };
    told["datetime"] = json!(entry.time.to_string());
    told["gsd"] = json!(recipe.pixel_m);
    told["proj:code"] = json!(crs);
    told["proj:shape"] = json!([height, width]);
    told["proj:transform"] = json!([pixel, 0.0, left, 0.0, -pixel, top]);
    told
}

/// The media type of the rasters.
const GEOTIFF: &str = "image/tiff; application=geotiff";

fn bands_asset(recipe: &Recipe, entry: &Entry) -> Value {
    let optical = |band: &Band| json!({ "name": names(*band).0, "eo:common_name": names(*band).1 });
    let bands: Vec<Value> = match entry.is_optical() {
        true => recipe.bands.iter().map(optical).collect(),
        false => ["VV", "VH"].iter().map(|name| json!({ "name": name })).collect(),
    };
    let mut asset = json!({
        "type": GEOTIFF, "roles": ["data"], "gsd": recipe.pixel_m, "bands": bands,
        "data_type": if entry.is_optical() { "uint16" } else { "float32" }, "nodata": 0,
    });
    entry.bands.told(&mut asset);
    if entry.is_optical() {
        // Written as in the Sentinel-2 catalogues, not as the nearest f32.
        debug_assert!((SCALE - 0.0001).abs() < 1e-9);
        asset["raster:scale"] = json!(0.0001);
        asset["raster:offset"] = json!(0);
    }
    asset
}

fn quality_asset(recipe: &Recipe, lattice: &Lattice, quality: &Made) -> Value {
    let every = recipe.quality_every_px;
    let (pixel, [left, top]) = (lattice.pixel * every as f64, lattice.corner);
    let mut asset = json!({
        "type": GEOTIFF, "roles": ["data-mask"], "title": "Scene classification map (SCL)",
        "gsd": recipe.pixel_m * every as f64, "data_type": "uint8", "nodata": 0,
        "proj:shape": [lattice.height.div_ceil(every), lattice.width.div_ceil(every)],
        "proj:transform": [pixel, 0.0, left, 0.0, -pixel, top],
    });
    quality.told(&mut asset);
    asset
}

#[cfg(test)]
mod tests {
    use super::super::parse::{parse, tests::SMALL};
    use super::*;

    #[test]
    fn rings_are_closed_and_run_counter_clockwise() {
        let recipe = parse(SMALL).unwrap();
        let document = declaration(&recipe).unwrap();
        let ring: Vec<[f64; 2]> =
            serde_json::from_value(document["features"][0]["geometry"]["coordinates"][0].clone()).unwrap();
        assert_eq!(ring.first(), ring.last());
        let twice_area: f64 = ring
            .windows(2)
            .map(|pair| pair[0][0] * pair[1][1] - pair[1][0] * pair[0][1])
            .sum();
        assert!(twice_area > 0.0);
        assert_eq!(document["declaration"]["party"], "Party A");
    }

    #[test]
    fn the_truth_names_the_verdict_and_leaves_out_what_was_not_given() {
        let recipe = parse(SMALL).unwrap();
        let document = truth(&recipe).unwrap();
        let told = &document["features"][0]["properties"];
        assert_eq!(told["verdict"], "undeclared");
        assert_eq!(told["area_m2"], 5400.0);
        assert!(told.get("until").is_none());
    }
}
