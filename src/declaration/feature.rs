//! One GeoJSON feature in, a site, a zone or an activity out.

use geo::MultiPolygon;
use serde_json::{Map, Value};

use super::fields::{Fields, check_crs, check_type, describe};
use super::{Activity, Declaration, Kind, Placed, Role, Site, What, Zone, geometry, quote};
use crate::fault::Fault;

/// Adds the feature to `declaration`, or what is wrong with it to `faults`.
pub(super) fn read_feature(value: &Value, place: &str, declaration: &mut Declaration, faults: &mut Vec<Fault>) {
    let Value::Object(feature) = value else {
        faults.push(Fault::new(
            place,
            format!("expected a feature object, found {}", describe(value)),
        ));
        return;
    };
    check_type(feature, "Feature", &format!("{place}."), faults);
    check_crs(feature, &format!("{place}."), faults);
    let object = match feature.get("properties") {
        Some(Value::Object(object)) => object,
        Some(other) => {
            let message = format!("expected an object with `kind` and `id`, found {}", describe(other));
            faults.push(Fault::new(format!("{place}.properties"), message));
            return;
        }
        None => {
            faults.push(Fault::new(
                format!("{place}.properties"),
                "is missing: expected an object with `kind` and `id`",
            ));
            return;
        }
    };
    let mut label = "feature".to_owned();
    if let Some(kind) = object
        .get("kind")
        .and_then(Value::as_str)
        .filter(|k| Kind::ALL.iter().any(|known| known.word() == *k))
    {
        label = kind.to_owned();
    }
    if let Some(id) = object.get("id").and_then(Value::as_str) {
        label = format!("{label} {}", quote(id));
    }
    label.push_str(": ");

    let polygon = polygon(feature, place, &label, faults);
    let mut fields = Fields {
        object,
        place: format!("{place}.properties."),
        label,
        faults,
    };
    let kind = fields.word("kind", Kind::ALL, Kind::word);
    let id = fields.id("id");
    let read = match kind {
        Some(Kind::Site) => site(&mut fields, id, polygon, place, declaration),
        Some(Kind::Zone) => zone(&mut fields, id, polygon, place, declaration),
        Some(Kind::Activity) => activity(&mut fields, id, polygon, place, declaration),
        None => None,
    };
    // `None` only says that a fault was noted on the way.
    debug_assert!(read.is_some() || !faults.is_empty());
}

/// What a feature's `geometry` turned out to be.
enum Shape {
    Polygon(MultiPolygon<f64>),
    Null,
    Faulty,
}

fn polygon(feature: &Map<String, Value>, place: &str, label: &str, faults: &mut Vec<Fault>) -> Shape {
    let value = match feature.get("geometry") {
        None | Some(Value::Null) => return Shape::Null,
        Some(value) => value,
    };
    let place = format!("{place}.geometry");
    if let Value::Object(object) = value {
        check_crs(object, &format!("{place}."), faults);
    }
    match geometry::read(value, &place) {
        Ok(polygon) => Shape::Polygon(polygon),
        Err(found) => {
            faults.extend(
                found
                    .into_iter()
                    .map(|fault| Fault::new(fault.place, format!("{label}{}", fault.message))),
            );
            Shape::Faulty
        }
    }
}

/// The polygon of a feature that must have one.
fn demand(polygon: Shape, fields: &mut Fields<'_, '_>, place: &str) -> Option<MultiPolygon<f64>> {
    match polygon {
        Shape::Polygon(polygon) => Some(polygon),
        Shape::Faulty => None,
        Shape::Null => {
            let message = format!("{}has no geometry: expected a Polygon or a MultiPolygon", fields.label);
            fields.faults.push(Fault::new(format!("{place}.geometry"), message));
            None
        }
    }
}

fn site(
    fields: &mut Fields<'_, '_>,
    id: Option<String>,
    polygon: Shape,
    place: &str,
    declaration: &mut Declaration,
) -> Option<()> {
    let name = fields.title("name");
    let boundary = demand(polygon, fields, place);
    let id = id?;
    declaration.sites.push(Placed {
        place: place.to_owned(),
        site: id.clone(),
        item: Site {
            id,
            name: name?,
            boundary: boundary?,
            zones: Vec::new(),
            activities: Vec::new(),
            declared_in: declaration.header.id.clone(),
            party: declaration.header.party.clone(),
            folder: String::new(),
        },
    });
    Some(())
}

fn zone(
    fields: &mut Fields<'_, '_>,
    id: Option<String>,
    polygon: Shape,
    place: &str,
    declaration: &mut Declaration,
) -> Option<()> {
    let site = fields.id("site");
    let role = fields.word("role", Role::ALL, Role::word);
    let polygon = demand(polygon, fields, place);
    declaration.zones.push(Placed {
        place: place.to_owned(),
        site: site?,
        item: Zone {
            id: id?,
            role: role?,
            polygon: polygon?,
            declared_in: declaration.header.id.clone(),
        },
    });
    Some(())
}

fn activity(
    fields: &mut Fields<'_, '_>,
    id: Option<String>,
    polygon: Shape,
    place: &str,
    declaration: &mut Declaration,
) -> Option<()> {
    let site = fields.id("site");
    let zone = fields.optional("zone", Fields::id);
    let what = fields.word("what", What::ALL, What::word);
    let (from, to, notified) = (fields.instant("from"), fields.instant("to"), fields.instant("notified"));
    let tolerance_m = match fields.optional("tolerance_m", Fields::metres) {
        Some(found) => found,
        None => Some(0.0),
    };
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        let hint = match from == to {
            true => "; to cover a whole day, let `to` be the day after",
            false => "",
        };
        let expected = "`to` is the first moment after the activity";
        fields.fault(
            "to",
            format!("expected a moment after `from` ({from}), found {to}: {expected}{hint}"),
        );
    }
    let polygon = match polygon {
        Shape::Null if zone.is_some() => Some(MultiPolygon(Vec::new())),
        Shape::Null => {
            let message = format!(
                "{}has neither a geometry nor a `zone`: give it one of them",
                fields.label
            );
            fields.faults.push(Fault::new(format!("{place}.geometry"), message));
            None
        }
        other => demand(other, fields, place),
    };
    let zone = match zone {
        Some(found) => Some(found?),
        None => None,
    };
    declaration.activities.push(Placed {
        place: place.to_owned(),
        site: site?,
        item: Activity {
            id: id?,
            zone,
            what: what?,
            from: from?,
            to: to?,
            notified: notified?,
            tolerance_m: tolerance_m?,
            polygon: polygon?,
            declared_in: declaration.header.id.clone(),
        },
    });
    Some(())
}
