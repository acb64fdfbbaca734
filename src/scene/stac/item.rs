//! One STAC Item becomes a scene: its time, its sensor, which assets are bands, and which say what cannot be judged.
//!
//! Read by walking the JSON: the `stac` crate would bring 83 packages, and would stop at the first fault of an item.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use crate::fault::Fault;
use crate::intake::names;
use crate::scene::sensor::Sensors;
use crate::scene::stac::hints::Hints;
use crate::scene::stac::measured::{Bands, chosen};
use crate::scene::stac::object::{Object, Reader, Unusable, kind_of, under};
use crate::scene::stac::product::{Product, about, unknown};
use crate::scene::{Scene, last_second};

/// The scene of an Item. `at` is its place in its file; relative paths are looked up in `base`.
///
/// # Errors
/// Everything that is wrong with it, each with its JSON path.
pub(in crate::scene) fn scene(
    item: &Value,
    at: &str,
    source: &Path,
    base: &Path,
    sensors: &Sensors,
) -> Result<Scene, Unusable> {
    let mut reader = Reader {
        base,
        faults: Vec::new(),
        unreadable: false,
    };
    let scene = reader.scene(item, at, source, sensors);
    match scene {
        Some(scene) if reader.faults.is_empty() => Ok(scene),
        _ => Err(Unusable {
            faults: reader.faults,
            unreadable: reader.unreadable,
        }),
    }
}

/// Where an item says that it is on the web; what is not an address of the web is no use to others.
fn self_link(item: &Object) -> Option<String> {
    let links = item.get("links")?.as_array()?.iter();
    let own = links.filter(|link| link.get("rel").and_then(Value::as_str) == Some("self"));
    let mut addresses = own.filter_map(|link| link.get("href")?.as_str());
    let is_web = |address: &&str| address.starts_with("https://") || address.starts_with("http://");
    addresses.find(is_web).map(str::to_owned)
}

impl Reader<'_> {
    fn scene(&mut self, item: &Value, at: &str, source: &Path, sensors: &Sensors) -> Option<Scene> {
        let Some(item) = item.as_object() else {
            return self.fault(at.to_owned(), format!("expected an Item, found {}", kind_of(item)));
        };
        let id = self.id(item, at);
        self.check_version(item, at);
        let place = under(at, "properties");
        let Some(properties) = item.get("properties").and_then(Value::as_object) else {
            return self.fault(place, "expected an object");
        };
        let times = self.times(properties, &place);
        let hints = Hints::of(item, properties);
        let common = self.common_numbers(properties, &place);
        let assets = self.assets(item, at, &common);

        let about = about(properties, &hints, &assets);
        let product = Product::of(&about, properties, sensors);
        let chosen = match chosen(&product, &assets, sensors) {
            Ok(chosen) => chosen,
            Err(why) => return self.fault(under(at, "assets"), why),
        };
        let Bands { bands, absent } = self.bands(&chosen, &product);
        let mut notes = hints.notes;
        let quality = self.quality(&assets, product.recognised, sensors, &mut notes);
        let (start, end) = times?;
        let id = id?;
        let notes = notes.into_iter().map(|note| format!("{id}: {note}"));
        let unknown = product.is_unknown(&bands).then(|| unknown(&about));
        Some(Scene {
            notes: notes.chain(unknown).collect(),
            id,
            start,
            end,
            sensor: product.sensor_id().to_owned(),
            kind: product.kind,
            collection: item.get("collection").and_then(Value::as_str).map(str::to_owned),
            platform: hints.platform,
            relative_orbit: hints.relative_orbit,
            pass: hints.pass,
            overpass: hints.overpass,
            cloud_fraction: hints.cloud_fraction,
            footprint: hints.footprint,
            bands,
            absent,
            quality,
            source: source.to_path_buf(),
            href: self_link(item),
        })
    }

    /// The item's id.
    fn id(&mut self, item: &Object, at: &str) -> Option<String> {
        match item.get("id") {
            Some(Value::String(id)) if !id.is_empty() => match names::id(id) {
                Ok(()) => Some(id.clone()),
                Err(wrong) => self.fault(under(at, "id"), wrong),
            },
            _ => self.fault(under(at, "id"), "expected a string that is not empty"),
        }
    }

    fn check_version(&mut self, item: &Object, at: &str) {
        if let Some(version) = self.text(item, at, "stac_version")
            && !(version.starts_with("1.0") || version.starts_with("1.1"))
        {
            self.faults.push(Fault::new(
                under(at, "stac_version"),
                format!("expected 1.0 or 1.1, found `{version}`: migrate the item"),
            ));
        }
    }

    /// The acquisition interval: `start_datetime` to `end_datetime` where both are given, else `datetime`: an instant, or a whole day.
    fn times(&mut self, properties: &Object, at: &str) -> Option<(Timestamp, Timestamp)> {
        let before = self.faults.len();
        let instant = self.time(properties, at, "datetime");
        let start = self.time(properties, at, "start_datetime");
        let end = self.time(properties, at, "end_datetime");
        match (start, end, instant) {
            (Some((start, _)), Some((_, end)), _) if start > end => self.fault(
                under(at, "start_datetime"),
                format!("{start} is after end_datetime, {end}"),
            ),
            (Some((start, _)), Some((_, end)), _) => Some((start, last_second(start, end))),
            (_, _, Some(instant)) => Some(instant),
            _ if self.faults.len() > before => None,
            _ => self.fault(
                under(at, "datetime"),
                "expected a time, or null with start_datetime and end_datetime",
            ),
        }
    }
}
