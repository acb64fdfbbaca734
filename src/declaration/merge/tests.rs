use super::super::{check_alone, parse};
use super::*;

/// A square from `at`, `at` + 50 to `at + size` on, in degrees.
fn square(at: f64, size: f64) -> String {
    let (a, b) = (at, at + size);
    let (c, d) = (a + 50.0, b + 50.0);
    format!(r#"{{"type":"Polygon","coordinates":[[[{a},{c}],[{b},{c}],[{b},{d}],[{a},{d}],[{a},{c}]]]}}"#)
}

fn feature(properties: &str, geometry: &str) -> String {
    format!(r#"{{"type":"Feature","properties":{{{properties}}},"geometry":{geometry}}}"#)
}

fn site(id: &str, at: f64, size: f64) -> String {
    feature(&format!(r#""kind":"site","id":"{id}","name":"n""#), &square(at, size))
}

fn zone(id: &str, site: &str, at: f64, size: f64) -> String {
    feature(
        &format!(r#""kind":"zone","id":"{id}","site":"{site}","role":"other""#),
        &square(at, size),
    )
}

fn activity(id: &str, site: &str, zone: Option<&str>, geometry: &str) -> String {
    let zone = zone.map(|zone| format!(r#""zone":"{zone}","#)).unwrap_or_default();
    feature(
        &format!(
            r#""kind":"activity","id":"{id}","site":"{site}",{zone}"what":"other","from":"2024-02-01","to":"2024-03-01","notified":"2024-01-01""#
        ),
        geometry,
    )
}

/// Declaration `id` = D1, D2, ... is issued on that day of January 2024.
fn declaration(id: &str, supersedes: Option<&str>, features: &[String]) -> Declaration {
    let day = &id[1..];
    let supersedes = supersedes
        .map(|s| format!(r#","supersedes":"{s}""#))
        .unwrap_or_default();
    parse(&format!(
            r#"{{"type":"FeatureCollection","declaration":{{"id":"{id}","party":"A","agreement":"T","issued":"2024-01-0{day}"{supersedes}}},"features":[{}]}}"#,
            features.join(",")
        ))
        .unwrap()
}

fn places(result: Result<Declared, Vec<Fault>>) -> Vec<String> {
    result.unwrap_err().into_iter().map(|fault| fault.place).collect()
}

fn message(result: Result<Declared, Vec<Fault>>) -> String {
    let faults = result.unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].message.clone()
}

#[test]
fn later_files_add_to_earlier_ones_in_any_order_given() {
    let first = declaration("D1", None, &[site("T", 5.0, 1.0), site("S", 1.0, 1.0)]);
    let second = declaration(
        "D2",
        None,
        &[zone("Z", "S", 1.2, 0.1), activity("B", "S", Some("Z"), "null")],
    );
    let third = declaration("D3", None, &[activity("A", "S", None, &square(1.9, 5.0))]);
    let declared = merge(vec![third.clone(), first.clone(), second.clone()]).unwrap();
    assert_eq!(declared, merge(vec![first, second, third]).unwrap());
    let ids: Vec<&str> = declared.declarations.iter().map(|header| header.id.as_str()).collect();
    assert_eq!(ids, ["D1", "D2", "D3"]);
    assert_eq!(declared.superseded, []);
    let [s, t] = declared.sites.as_slice() else {
        panic!("two sites")
    };
    assert_eq!((s.id.as_str(), t.id.as_str(), t.zones.len()), ("S", "T", 0));
    assert_eq!(s.zones[0].declared_in, "D2");
    let [a, b] = s.activities.as_slice() else {
        panic!("two activities")
    };
    assert_eq!((a.id.as_str(), b.id.as_str()), ("A", "B"));
    assert_eq!(
        b.polygon, s.zones[0].polygon,
        "an activity without a polygon has its zone's"
    );
    assert_ne!(a.polygon, b.polygon);
}

#[test]
fn what_is_declared_again_supersedes_and_the_rest_stays() {
    let first = declaration(
        "D1",
        None,
        &[site("S", 1.0, 1.0), zone("Z", "S", 1.2, 0.1), zone("Y", "S", 1.5, 0.1)],
    );
    let second = declaration("D2", Some("D1"), &[zone("Z", "S", 1.3, 0.1)]);
    // D3 names D2, and so reaches Y in D1 as well.
    let third = declaration("D3", Some("D2"), &[zone("Y", "S", 1.6, 0.1), zone("Z", "S", 1.4, 0.1)]);
    let declared = merge(vec![first, second, third]).unwrap();
    let zones: Vec<(&str, &str)> = declared.sites[0]
        .zones
        .iter()
        .map(|zone| (zone.id.as_str(), zone.declared_in.as_str()))
        .collect();
    assert_eq!(zones, [("Y", "D3"), ("Z", "D3")]);
    assert_eq!(declared.sites[0].declared_in, "D1");
    let superseded: Vec<(&str, &str, &str)> = declared
        .superseded
        .iter()
        .map(|s| (s.id.as_str(), s.declared_in.as_str(), s.superseded_by.as_str()))
        .collect();
    assert_eq!(superseded, [("Z", "D1", "D2"), ("Y", "D1", "D3"), ("Z", "D2", "D3")]);
}

#[test]
fn an_id_is_declared_again_only_by_who_supersedes() {
    let first = || declaration("D1", None, &[site("S", 1.0, 1.0)]);
    let again = merge(vec![first(), declaration("D2", None, &[site("S", 2.0, 1.0)])]);
    assert!(message(again).contains("only a declaration that supersedes \"D1\""));
    let between = declaration("D2", Some("D1"), &[]);
    let beside = declaration("D3", None, &[site("S", 2.0, 1.0)]);
    let found = places(merge(vec![first(), between, beside]));
    assert_eq!(found, ["declaration \"D3\": features[0].properties.id"]);
    let two = declaration("D1", None, &[site("S", 1.0, 1.0), zone("Z", "S", 1.2, 0.1)]);
    let kind = merge(vec![two, declaration("D2", Some("D1"), &[site("Z", 4.0, 1.0)])]);
    assert!(message(kind).contains("in \"D1\" it is a zone"));
}

#[test]
fn supersedes_names_an_earlier_declaration_of_the_same_party() {
    let first = || declaration("D1", None, &[]);
    assert!(message(merge(vec![first(), declaration("D2", Some("D9"), &[])])).contains("no declaration with the id"));
    assert!(
        message(merge(vec![
            declaration("D1", Some("D2"), &[]),
            declaration("D2", None, &[])
        ]))
        .contains("not before")
    );
    let mut other = declaration("D2", Some("D1"), &[]);
    other.header.party = "B".into();
    assert!(message(merge(vec![first(), other])).contains("its own declarations only"));
    assert!(message(merge(vec![first(), first()])).contains("two declarations have this id"));
}

#[test]
fn references_resolve_over_the_whole() {
    let lone = declaration(
        "D2",
        None,
        &[
            zone("Z", "Rennes-1", 1.2, 0.1),
            activity("A", "Q", Some("Z"), "null"),
            activity("B", "Z", Some("A"), "null"),
        ],
    );
    let expected = [
        "features[0].properties.site",
        "features[1].properties.site",
        "features[1].properties.zone",
        "features[2].properties.site",
        "features[2].properties.zone",
    ];
    let alone: Vec<String> = check_alone(&lone).into_iter().map(|fault| fault.place).collect();
    assert_eq!(alone, expected);
    let first = declaration("D1", None, &[site("Rennes-2", 1.0, 1.0)]);
    let faults = merge(vec![first, lone]).unwrap_err();
    assert!(faults[0].place.starts_with("declaration \"D2\": features[0]"));
    assert_eq!(
        faults[0].message,
        r#"zone "Z": no site with the id "Rennes-1" is declared (is "Rennes-2" meant?)"#
    );
    assert!(
        faults[2]
            .message
            .contains(r#"belongs to the site "Rennes-1", not to "Q""#)
    );
    assert!(faults[3].message.contains("is the id of a zone"));
}

#[test]
fn zones_lie_in_their_site_but_for_rounding() {
    let with = |at: f64, size: f64| {
        merge(vec![declaration(
            "D1",
            None,
            &[site("S", 1.0, 1.0), zone("Z", "S", at, size)],
        )])
    };
    for (at, size) in [(1.0, 1.0), (1.0 - 5e-10, 1.0), (1.0, 1.0 + 1e-9), (1.2, 0.8)] {
        assert!(with(at, size).is_ok(), "{at} {size}");
    }
    let out = message(with(1.5, 0.6));
    assert!(
        out.contains(r#"in its site "S" as declared in "D1", but "#) && out.contains(" m2 of it, near "),
        "{out}"
    );
    // A strip of 1e-7 degrees, a centimetre, on two sides.
    assert!(message(with(1.0, 1.0 + 1e-7)).contains("lie outside"));
    assert!(message(with(3.0, 1.0)).contains("all of it"));
    assert!(message(with(0.0, 3.0)).contains("lie outside"));
}

#[test]
fn holes_of_a_site_are_outside_and_swapped_zones_get_a_hint() {
    let holed = feature(
        r#""kind":"site","id":"S","name":"n""#,
        r#"{"type":"Polygon","coordinates":[[[1,51],[2,51],[2,52],[1,52],[1,51]],[[1.4,51.4],[1.4,51.6],[1.6,51.6],[1.6,51.4],[1.4,51.4]]]}"#,
    );
    let in_hole = declaration("D1", None, &[holed.clone(), zone("Z", "S", 1.45, 0.1)]);
    assert!(message(merge(vec![in_hole])).contains("lie outside"));
    let activity_in_hole = declaration(
        "D1",
        None,
        &[holed.clone(), activity("A", "S", None, &square(1.45, 0.1))],
    );
    assert!(message(merge(vec![activity_in_hole])).contains("expected to overlap"));
    let swapped = feature(
        r#""kind":"zone","id":"Z","site":"S","role":"other""#,
        r#"{"type":"Polygon","coordinates":[[[51.1,1.1],[51.2,1.1],[51.2,1.2],[51.1,1.1]]]}"#,
    );
    assert!(message(merge(vec![declaration("D1", None, &[holed, swapped])])).contains("look swapped"));
}

#[test]
fn activities_overlap_their_site() {
    let with = |at: f64| {
        merge(vec![declaration(
            "D1",
            None,
            &[site("S", 1.0, 1.0), activity("A", "S", None, &square(at, 0.5))],
        )])
    };
    assert!(with(1.9).is_ok());
    assert!(
        message(with(2.0)).contains("expected to overlap"),
        "to touch is not to overlap"
    );
    assert!(message(with(3.0)).contains("expected to overlap"));
}

/// As `declaration`, of party B.
fn of_b(id: &str, supersedes: Option<&str>, features: &[String]) -> Declaration {
    let mut declaration = declaration(id, supersedes, features);
    declaration.header.party = "B".into();
    declaration
        .sites
        .iter_mut()
        .for_each(|site| site.item.party = "B".into());
    declaration
}

#[test]
fn no_party_declares_on_the_site_of_another() {
    let own = || {
        declaration(
            "D2",
            None,
            &[
                site("S", 1.0, 1.0),
                zone("Z", "S", 1.2, 0.1),
                activity("A1", "S", None, &square(1.5, 0.1)),
            ],
        )
    };
    let alone = merge(vec![own()]).unwrap();
    let foreign = |id: &str| {
        of_b(
            id,
            None,
            &[
                site("T", 5.0, 1.0),
                // Ids that the other party uses as well, ground that is not the site's, a zone of the other party.
                zone("Z", "S", 9.0, 0.1),
                activity("A1", "S", None, &square(1.0, 1.0)),
                activity("X", "S", Some("Z"), "null"),
                activity("S", "T", None, &square(5.0, 0.5)),
            ],
        )
    };
    for id in ["D1", "D3"] {
        let both = merge(vec![own(), foreign(id)]).unwrap();
        let [s, t] = both.sites.as_slice() else {
            panic!("two sites")
        };
        assert_eq!(s, &alone.sites[0]);
        assert_eq!(t.activities.len(), 1);
        let refused: Vec<(Kind, &str)> = both.refused.iter().map(|one| (one.kind, one.id.as_str())).collect();
        assert_eq!(
            refused,
            [(Kind::Activity, "A1"), (Kind::Activity, "X"), (Kind::Zone, "Z")]
        );
        assert_eq!(both.refused_about(s), both.refused);
        assert_eq!(both.refused_about(t), both.refused);
        let told = both.refused[0].to_string();
        assert!(
            told.starts_with(&format!(
                r#"activity "A1" of "B" in "{id}" is refused: the site "S" is declared by "A""#
            )),
            "{told}"
        );
    }
}

#[test]
fn what_is_refused_concerns_no_third_party() {
    let own = declaration("D1", None, &[site("S", 1.0, 1.0)]);
    let foreign = of_b("D2", None, &[activity("X", "S", None, &square(1.0, 1.0))]);
    let mut third = declaration("D3", None, &[site("U", 7.0, 1.0)]);
    third.header.party = "C".into();
    third.sites[0].item.party = "C".into();
    let declared = merge(vec![own, foreign, third]).unwrap();
    let about: Vec<usize> = declared.sites.iter().map(|s| declared.refused_about(s).len()).collect();
    assert_eq!(about, [1, 0]);
}

#[test]
fn a_superseded_site_stays_its_partys() {
    let first = declaration("D1", None, &[site("S", 1.0, 1.0)]);
    let second = of_b("D2", None, &[activity("X", "S", None, &square(1.0, 1.0))]);
    let third = declaration("D3", Some("D1"), &[site("S", 1.0, 0.9)]);
    let fourth = of_b("D4", Some("D2"), &[activity("X", "S", None, &square(1.0, 0.5))]);
    let declared = merge(vec![first, second, third, fourth]).unwrap();
    assert_eq!(declared.sites[0].activities, []);
    let refused: Vec<&str> = declared.refused.iter().map(|one| one.declared_in.as_str()).collect();
    assert_eq!(refused, ["D4"]);
}

#[test]
fn the_id_of_a_site_is_its_alone() {
    let own = || declaration("D2", None, &[site("S", 1.0, 1.0)]);
    for id in ["D1", "D3"] {
        let taken = merge(vec![own(), of_b(id, None, &[site("S", 1.0, 1.0)])]);
        assert!(message(taken).contains("already declared in"));
    }
    let other = of_b("D3", Some("D2"), &[site("S", 1.0, 1.0)]);
    assert!(!merge(vec![own(), other]).unwrap_err().is_empty());
}
