//! What an Item says that helps to choose among scenes and to recognise their sensors. What of it cannot be read is noted, and costs no scene.

use ::geo::MultiPolygon;
use serde_json::Value;

use crate::fault::one_line;
use crate::scene::Pass;
use crate::scene::stac::footprint::footprint;
use crate::scene::stac::object::{Object, kind_of};

/// What helps to choose among scenes and to recognise their sensors; nothing where the item does not say it.
pub(in crate::scene) struct Hints {
    pub footprint: Option<MultiPolygon<f64>>,
    pub platform: Option<String>,
    pub constellation: Option<String>,
    pub collection: Option<String>,
    pub relative_orbit: Option<u32>,
    pub pass: Option<Pass>,
    /// The pass that it is a piece of, in the words of whoever names it.
    pub overpass: Option<String>,
    /// 0 to 1.
    pub cloud_fraction: Option<f64>,
    /// What could not be read.
    pub notes: Vec<String>,
}

impl Hints {
    /// Those of `item` and its `properties`.
    pub(in crate::scene) fn of(item: &Object, properties: &Object) -> Self {
        let mut notes = Vec::new();
        let footprint = footprint(item.get("geometry")).unwrap_or_else(|why| {
            notes.push(format!("the ground of its geometry is not known: {why}"));
            None
        });
        let orbit = text(properties, "sat:relative_orbit", &mut notes);
        let state = text(properties, "sat:orbit_state", &mut notes);
        let platform = text(properties, "platform", &mut notes);
        let constellation = text(properties, "constellation", &mut notes);
        let collection = text(item, "collection", &mut notes);
        let relative_orbit = orbit.and_then(|orbit| relative_orbit(&orbit, &mut notes));
        Self {
            footprint,
            platform: platform.map(|name| one_line(&name).into_owned()),
            constellation,
            collection,
            relative_orbit,
            pass: state.and_then(|state| pass(&state)),
            overpass: overpass(properties),
            cloud_fraction: cloud_fraction(properties),
            notes,
        }
    }
}

/// A text, or a number as text.
fn text(object: &Object, key: &str, notes: &mut Vec<String>) -> Option<String> {
    match object.get(key)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        other => {
            notes.push(format!(
                "its {key} is not read: expected a string, found {}",
                kind_of(other)
            ));
            None
        }
    }
}

fn relative_orbit(orbit: &str, notes: &mut Vec<String>) -> Option<u32> {
    let number: Option<f64> = orbit.trim().parse().ok();
    let whole = number.filter(|one| one.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(one));
    if whole.is_none() {
        let found = one_line(orbit);
        notes.push(format!(
            "its sat:relative_orbit is not read: expected a whole number, found {found}"
        ));
    }
    whole.map(|orbit| orbit as u32)
}

fn pass(state: &str) -> Option<Pass> {
    match state.to_ascii_lowercase().as_str() {
        "ascending" => Some(Pass::Ascending),
        "descending" => Some(Pass::Descending),
        _ => None,
    }
}

/// Catalogues write -1 or a word where it was not computed, and numbers as text.
fn cloud_fraction(properties: &Object) -> Option<f64> {
    let percent = match properties.get("eo:cloud_cover")? {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

/// What an item says of the pass that it is a piece of.
fn overpass(properties: &Object) -> Option<String> {
    let value = |key: &str| match properties.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let keys = [
        "s2:datatake_id",
        "sat:absolute_orbit",
        "landsat:wrs_path",
        "pl:strip_id",
    ];
    keys.iter().find_map(|key| {
        let value = value(key)?;
        // Of a Sentinel-2 datatake (GS2A_20210610T105621_031163_N05.00) the last part is the version of the processor.
        let value = value.split_once("_N").map_or(value.as_str(), |(pass, _)| pass);
        Some(format!("{key} {value}"))
    })
}
