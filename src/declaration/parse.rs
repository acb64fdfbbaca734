//! One declaration file in, a [`Declaration`] or everything that is wrong with it out.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::feature::read_feature;
use super::fields::{Fields, check_crs, check_type, describe};
use super::geometry::count_positions;
use super::{Declaration, Header, MAX_BYTES, MAX_FEATURES, MAX_VERTICES, quote, resolve};
use crate::fault::Fault;
use crate::intake::{self, Problem, Text};
use crate::seal::digest::Digest;

/// The declaration in the file at `path`, and the digest of what was read.
///
/// # Errors
/// Everything that is wrong with the file, each with its place in it; an unreadable file has one fault without a place.
pub fn read(path: &Path) -> Result<(Declaration, Digest), Vec<Fault>> {
    let Text { text, digest } = intake::text(path, MAX_BYTES as u64)
        .map_err(|error| vec![Fault::new("", format!("cannot read it: {}", error.problem))])?;
    Ok((parse(&text)?, digest))
}

/// The declaration in `text`: GeoJSON.
///
/// # Errors
/// Everything that is wrong with it, each with its place: a JSON path, or line and column where it is not JSON.
pub fn parse(text: &str) -> Result<Declaration, Vec<Fault>> {
    if text.len() > MAX_BYTES {
        let problem = Problem::TooLarge {
            found: text.len() as u64,
            most: MAX_BYTES as u64,
        };
        return Err(vec![Fault::new("", problem.to_string())]);
    }
    let root = intake::json(text).map_err(|problem| vec![problem.into()])?;
    let Value::Object(root) = root else {
        return Err(vec![Fault::new(
            "",
            format!("expected a GeoJSON FeatureCollection, found {}", describe(&root)),
        )]);
    };

    let mut faults = Vec::new();
    check_type(&root, "FeatureCollection", "", &mut faults);
    check_crs(&root, "", &mut faults);
    let header = header(&root, &mut faults);
    let mut declaration = Declaration {
        header: header.clone().unwrap_or_else(unknown_header),
        sites: Vec::new(),
        zones: Vec::new(),
        activities: Vec::new(),
    };
    match root.get("features") {
        Some(Value::Array(features)) => read_features(features, &mut declaration, &mut faults),
        Some(other) => {
            faults.push(Fault::new(
                "features",
                format!("expected an array of features, found {}", describe(other)),
            ));
        }
        None => faults.push(Fault::new("features", "is missing: expected an array of features")),
    }
    if faults.is_empty() {
        return Ok(declaration);
    }
    // What is wrong between the good features belongs to the same list; what a faulty feature
    // or another file may still resolve does not.
    faults.extend(resolve::check_among(&declaration));
    Err(faults)
}

/// Stands in for a faulty header while the features are read; only messages ever show it.
fn unknown_header() -> Header {
    Header {
        id: "this file".into(),
        party: String::new(),
        agreement: String::new(),
        issued: Timestamp::UNIX_EPOCH,
        supersedes: None,
    }
}

fn header(root: &Map<String, Value>, faults: &mut Vec<Fault>) -> Option<Header> {
    let mut top = Fields {
        object: root,
        place: String::new(),
        label: String::new(),
        faults,
    };
    let object = match top.required("declaration")? {
        Value::Object(object) => object,
        other => {
            top.fault("declaration", format!("expected an object, found {}", describe(other)));
            return None;
        }
    };
    let mut fields = Fields {
        object,
        place: "declaration.".into(),
        label: String::new(),
        faults,
    };
    let (id, party, agreement) = (fields.id("id"), fields.party("party"), fields.title("agreement"));
    let (issued, supersedes) = (fields.instant("issued"), fields.optional("supersedes", Fields::id));
    if id.is_some() && supersedes.as_ref() == Some(&id) {
        fields.fault(
            "supersedes",
            "a declaration cannot supersede itself: name the one before it",
        );
    }
    Some(Header {
        id: id?,
        party: party?,
        agreement: agreement?,
        issued: issued?,
        supersedes: supersedes.flatten(),
    })
}

fn read_features(features: &[Value], declaration: &mut Declaration, faults: &mut Vec<Fault>) {
    if features.len() > MAX_FEATURES {
        faults.push(Fault::new(
            "features",
            format!(
                "holds {} features; at most {MAX_FEATURES} are read: split the declaration",
                features.len()
            ),
        ));
        return;
    }
    let vertices: usize = features
        .iter()
        .filter_map(|feature| feature.get("geometry")?.get("coordinates"))
        .map(count_positions)
        .sum();
    if vertices > MAX_VERTICES {
        faults.push(Fault::new(
            "features",
            format!(
                "hold {vertices} vertices; at most {MAX_VERTICES} are read: simplify them or split the declaration"
            ),
        ));
        return;
    }
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, feature) in features.iter().enumerate() {
        read_feature(feature, &format!("features[{index}]"), declaration, faults);
        let id = feature
            .get("properties")
            .and_then(|properties| properties.get("id"))
            .and_then(Value::as_str);
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            match ids.get(id) {
                Some(first) => faults.push(Fault::new(
                    format!("features[{index}].properties.id"),
                    format!(
                        "the id {} already belongs to features[{first}]: sites, zones and activities share one set of ids",
                        quote(id)
                    ),
                )),
                None => {
                    ids.insert(id, index);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
