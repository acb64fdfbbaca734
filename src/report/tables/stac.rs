//! `item.json`: a STAC Item of the report, so that catalogues find it and programs know what its files hold.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::ser::Error as _;
use serde_json::{Map, Value, json};

use super::geojson::{anomalies, bbox, without_a_trace};
use crate::finding::{Comparison, SceneRecord, SiteReport, Verdict};
use crate::report::ReportError;
use crate::report::english::{summary, was_judged};

/// What a file of a report is, for catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileKind {
    /// Its name in the folder of a site.
    pub name: &'static str,
    /// The key of its asset.
    pub key: &'static str,
    /// What people read of it.
    pub title: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// The role of its asset.
    pub role: &'static str,
}

/// A file that lies beside the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StacAsset {
    /// What it is.
    pub kind: FileKind,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
}

// Extensions, in the versions that are written.
const FILE: &str = "https://stac-extensions.github.io/file/v2.1.0/schema.json";
const LABEL: &str = "https://stac-extensions.github.io/label/v1.0.1/schema.json";
const PROCESSING: &str = "https://stac-extensions.github.io/processing/v1.2.0/schema.json";
const PROJECTION: &str = "https://stac-extensions.github.io/projection/v2.0.0/schema.json";
const RASTER: &str = "https://stac-extensions.github.io/raster/v2.0.0/schema.json";

/// A STAC 1.1.0 Item (GeoJSON Feature) of the report and the files beside it, `assets`: pretty, keys sorted, one newline at the end.
///
/// Its place is the boundary of the site. Its time is that of the judged comparisons; when none could be judged, that of the
/// scenes; when there is no scene, the instant at which the newest declaration was issued. The scenes that were compared are
/// `derived_from` links: to the address that their catalogue gives, else to `urn:sitewatch:scene:` and the id. Our own properties
/// begin with `sitewatch:`; `sitewatch:observed_fraction` is the smallest of the judged comparisons.
///
/// Extensions: file, label (anomalies.geojson), processing, projection and raster (score.tif, flags.tif).
///
/// # Errors
/// When the record holds no scene and no declaration, so no time.
pub fn stac_item(report: &SiteReport, assets: &[StacAsset]) -> Result<String, ReportError> {
    let boundary = &report.site.geometry;
    let geometry = match boundary.coordinates.as_slice() {
        [] => Value::Null,
        [polygon] => json!({ "type": "Polygon", "coordinates": polygon }),
        polygons => json!({ "type": "MultiPolygon", "coordinates": polygons }),
    };
    let has = |key: &str| assets.iter().any(|asset| asset.kind.key == key);
    let labelled = has("labels");
    let (score, flags) = (has("score"), has("flags"));
    let extensions: Vec<&str> = [
        (FILE, !assets.is_empty()),
        (LABEL, labelled),
        (PROCESSING, true),
        (PROJECTION, report.grid.is_some() && (score || flags)),
        (RASTER, report.grid.is_some() && score),
    ]
    .into_iter()
    .filter_map(|(extension, used)| used.then_some(extension))
    .collect();

    let mut properties = properties(report)?;
    if labelled {
        for (key, value) in labels(report) {
            properties[key] = value;
        }
    }
    let mut item = json!({
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": extensions,
        "id": id(report),
        "geometry": geometry,
        "properties": properties,
        "links": report.scenes.iter().flat_map(SceneRecord::parts).map(|(id, href)| derived_from(id, href)).collect::<Vec<_>>(),
        "assets": assets.iter().map(|asset| of_asset(report, asset)).collect::<Map<_, _>>(),
    });
    if let Some(bbox) = bbox([boundary].into_iter()) {
        item["bbox"] = json!(bbox);
    }
    item.sort_all_objects();
    Ok(format!("{item:#}\n"))
}

/// The site and the first twelve digits of the run key: one result, one id.
fn id(report: &SiteReport) -> String {
    let key = report.run_key.get(..12).unwrap_or(&report.run_key);
    format!("{}-{key}", report.site.id)
}

fn properties(report: &SiteReport) -> Result<Value, ReportError> {
    let nothing = || serde_json::Error::custom("expected the time of a scene or of a declaration, found none");
    let (start, end) = times(report).ok_or_else(|| ReportError::json("item.json", nothing()))?;
    let judged = report.comparisons.iter().filter(|c| was_judged(c));
    let observed = judged.map(|c| c.coverage.observed_fraction).reduce(f64::min);
    let mut properties = json!({
        "title": format!("{}: change against what was declared", report.site.name),
        "description": summary(report).join(" "),
        "datetime": null,
        "processing:level": "L4",
        "processing:lineage": "Scenes on one grid, screened, normalised and compared; each change judged against the \
            declarations in force. The record (report.json) holds parameters, inputs with hashes and evidence.",
        "processing:software": {
            "sitewatch": report.program.sitewatch,
            "GDAL": report.program.gdal,
            "PROJ": report.program.proj,
        },
        "sitewatch:needs_review": report.needs_review(),
        "sitewatch:observed_fraction": observed.unwrap_or(0.0),
        "sitewatch:report_version": report.report_version,
        "sitewatch:run_key": report.run_key,
        "sitewatch:site": report.site.id,
        "sitewatch:verdicts": report.verdicts(),
    });
    if start == end {
        properties["datetime"] = json!(start.to_string());
    } else {
        properties["start_datetime"] = json!(start.to_string());
        properties["end_datetime"] = json!(end.to_string());
    }
    if let Some(grid) = &report.grid {
        properties["gsd"] = json!(grid.pixel_m);
    }
    Ok(properties)
}

/// Earliest and latest instant that the report speaks of; `None` when it holds none that can be read.
fn times(report: &SiteReport) -> Option<(Timestamp, Timestamp)> {
    let judged = report.comparisons.iter().filter(|c| was_judged(c));
    let judged = judged.flat_map(|c| [c.dates.start, c.dates.end]);
    let scenes = report.scenes.iter().flat_map(|s| [s.acquired.start, s.acquired.end]);
    let newest = report.declarations.iter().map(|d| d.issued).max();
    span(judged).or_else(|| span(scenes)).or_else(|| newest.map(|t| (t, t)))
}

fn span(instants: impl Iterator<Item = Timestamp>) -> Option<(Timestamp, Timestamp)> {
    let instants: Vec<Timestamp> = instants.collect();
    instants.iter().min().copied().zip(instants.iter().max().copied())
}

/// What anomalies.geojson labels: each feature, with its verdict.
fn labels(report: &SiteReport) -> [(&'static str, Value); 7] {
    let anomalies = anomalies(report).map(|(_, a)| a.verdict);
    let mut counts = BTreeMap::new();
    for verdict in anomalies.chain(without_a_trace(report).map(|a| a.verdict)) {
        *counts.entry(verdict).or_insert(0_usize) += 1;
    }
    let classes: Vec<&Verdict> = counts.keys().collect();
    let counts: Vec<Value> = counts
        .iter()
        .map(|(verdict, n)| json!({ "name": verdict, "count": n }))
        .collect();
    [
        ("label:type", json!("vector")),
        ("label:properties", json!(["verdict"])),
        ("label:classes", json!([{ "name": "verdict", "classes": classes }])),
        (
            "label:overviews",
            json!([{ "property_key": "verdict", "counts": counts }]),
        ),
        (
            "label:description",
            json!(
                "Changes, and declared activities without a trace, with the verdict of the program: before any review."
            ),
        ),
        ("label:tasks", json!(["detection", "classification"])),
        ("label:methods", json!(["automated"])),
    ]
}

fn of_asset(report: &SiteReport, asset: &StacAsset) -> (String, Value) {
    let FileKind {
        name,
        key,
        title,
        media_type,
        role,
    } = asset.kind;
    let mut members = json!({
        "href": format!("./{}", percent_encoded(name)),
        "title": title,
        "type": media_type,
        "roles": [role],
        "file:size": asset.bytes,
        // Multihash: 12 is SHA-256, 20 (hexadecimal) its 32 bytes.
        "file:checksum": format!("1220{}", asset.sha256),
    });
    if let Some(grid) = &report.grid
        && let Some(pixels) = pixels(key)
    {
        let name = |c: &Comparison| json!({ "name": format!("{} to {}", c.before, c.after) });
        members["bands"] = report.comparisons.iter().map(name).collect();
        members["proj:code"] = json!(grid.crs);
        members["proj:shape"] = json!([grid.height, grid.width]);
        members["proj:transform"] = json!([grid.pixel_m, 0.0, grid.left_m, 0.0, -grid.pixel_m, grid.top_m]);
        // STAC 1.1: what all bands share stands on the asset.
        for (key, value) in pixels {
            members[key] = value;
        }
    }
    (key.to_owned(), members)
}

/// What the pixels of score.tif and flags.tif are; `None` of other files.
fn pixels(key: &str) -> Option<Vec<(&'static str, Value)>> {
    match key {
        "score" => Some(vec![
            ("data_type", json!("int16")),
            ("nodata", json!(-32768)),
            ("raster:offset", json!(0.0)),
            ("raster:scale", json!(0.01)),
            ("unit", json!("sigma")),
        ]),
        "flags" => Some(vec![
            ("data_type", json!("uint16")),
            ("nodata", json!(crate::raster::flags::OUTSIDE_SITE)),
        ]),
        _ => None,
    }
}

fn derived_from(id: &str, href: Option<&str>) -> Value {
    let name = || format!("urn:sitewatch:scene:{}", percent_encoded(id));
    json!({
        "rel": "derived_from",
        "href": href.map_or_else(name, str::to_owned),
        "title": id,
    })
}

/// `text` with every byte but those that RFC 3986 calls unreserved as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            encoded + char::from(byte).encode_utf8(&mut [0; 4])
        }
        _ => format!("{encoded}%{byte:02X}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn assets(keys: &[&'static str]) -> Vec<StacAsset> {
        let kind = |key| FileKind {
            name: "a b.é",
            key,
            title: "A file",
            media_type: "text/plain",
            role: "data",
        };
        let asset = |key: &&'static str| StacAsset {
            kind: kind(key),
            bytes: 7,
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        };
        keys.iter().map(asset).collect()
    }

    fn item(report: &SiteReport, keys: &[&'static str]) -> Value {
        let text = stac_item(report, &assets(keys)).unwrap();
        let item: Value = serde_json::from_str(&text).unwrap();
        let mut sorted = item.clone();
        sorted.sort_all_objects();
        assert_eq!(text, format!("{sorted:#}\n"));
        item
    }

    const ALL: [&str; 4] = ["labels", "table", "score", "flags"];

    /// Validated from outside by tests/validators/stac.py. `SITEWATCH_SAMPLE=folder` writes it there.
    #[test]
    fn the_item_says_where_when_and_what() {
        let report = sample::full();
        let item = item(&report, &ALL);
        sample::write("item.json", format!("{item:#}\n").as_bytes());
        assert_eq!(item["id"], "plant-7-5d0c1c9e3b5d");
        assert_eq!(item["geometry"]["type"], "Polygon");
        let properties = &item["properties"];
        assert_eq!(properties["datetime"], Value::Null);
        assert_eq!(properties["start_datetime"], "2020-02-11T10:56:12Z");
        assert_eq!(properties["end_datetime"], "2020-07-05T10:56:18Z");
        assert_eq!(properties["sitewatch:observed_fraction"], 0.87);
        assert_eq!(properties["sitewatch:verdicts"]["undeclared"], 1);
        assert_eq!(
            properties["label:overviews"][0]["counts"][0],
            json!({ "name": "undeclared", "count": 1 })
        );
        assert_eq!(properties["label:classes"][0]["classes"].as_array().unwrap().len(), 6);
        assert_eq!(
            item["links"][0]["href"],
            "https://catalogue.example/items/S2B_31UDQ_20200211_0_L2A"
        );
        assert_eq!(item["assets"].as_object().unwrap().len(), ALL.len());
        let score = &item["assets"]["score"];
        assert_eq!(
            score["bands"][0]["name"],
            "S2B_31UDQ_20200211_0_L2A to S2B_31UDQ_20200705_0_L2A"
        );
        assert_eq!(
            score["proj:transform"],
            json!([10.0, 0.0, 426_580.0, 0.0, -10.0, 5_405_430.0])
        );
        assert_eq!(score["file:checksum"].as_str().unwrap().len(), 68);
    }

    #[test]
    fn extensions_are_named_when_they_are_used() {
        let report = sample::quiet();
        assert_eq!(item(&report, &[])["stac_extensions"], json!([PROCESSING]));
        let flags_alone = item(&report, &["flags"]);
        assert_eq!(flags_alone["stac_extensions"], json!([FILE, PROCESSING, PROJECTION]));
        let mut without_grid = report.clone();
        without_grid.grid = None;
        let item = item(&without_grid, &ALL);
        assert_eq!(item["stac_extensions"], json!([FILE, LABEL, PROCESSING]));
        assert!(!item.to_string().contains("proj:") && !item.to_string().contains("raster:"));
        assert_eq!(item["properties"]["label:overviews"][0]["counts"], json!([]));
    }

    #[test]
    fn the_time_is_that_of_the_scenes_or_of_the_declaration_when_nothing_was_judged() {
        let mut report = sample::unobserved();
        let properties = item(&report, &[])["properties"].clone();
        assert_eq!(properties["end_datetime"], "2020-08-14T10:56:18Z");
        report.comparisons.clear();
        report.scenes.clear();
        let properties = item(&report, &[])["properties"].clone();
        assert_eq!(properties["datetime"], "2020-01-15T00:00:00Z");
        assert_eq!(properties.get("start_datetime"), None);
        report.declarations.clear();
        let error = stac_item(&report, &[]).unwrap_err();
        assert!(error.to_string().contains("found none"), "{error}");
    }

    #[test]
    fn a_name_from_outside_cannot_leave_its_place() {
        let mut report = sample::full();
        report.scenes[0].id = "../a b#?é".into();
        report.scenes[0].href = None;
        let item = item(&report, &["table"]);
        assert_eq!(item["links"][0]["href"], "urn:sitewatch:scene:..%2Fa%20b%23%3F%C3%A9");
        assert_eq!(item["links"][0]["title"], "../a b#?é");
        assert_eq!(item["assets"]["table"]["href"], "./a%20b.%C3%A9");
    }
}
