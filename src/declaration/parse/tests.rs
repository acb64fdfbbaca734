use super::super::{MAX_RING_VERTICES, Role, What, check_alone};
use super::*;
use proptest::prelude::*;

const SQUARE: &str = r#"{"type":"Polygon","coordinates":[[[10,50],[10.1,50],[10.1,50.1],[10,50.1],[10,50]]]}"#;
const SMALL: &str =
    r#"{"type":"Polygon","coordinates":[[[10.01,50.01],[10.02,50.01],[10.02,50.02],[10.01,50.02],[10.01,50.01]]]}"#;

fn feature(properties: &str, geometry: &str) -> String {
    format!(r#"{{"type":"Feature","properties":{properties},"geometry":{geometry}}}"#)
}

fn file(features: &[String]) -> String {
    format!(
        r#"{{"type":"FeatureCollection","declaration":{{"id":"D-1","party":"A","agreement":"Test","issued":"2024-01-15"}},"features":[{}]}}"#,
        features.join(",")
    )
}

fn site(geometry: &str) -> String {
    feature(r#"{"kind":"site","id":"S","name":"Base"}"#, geometry)
}

fn zone(geometry: &str) -> String {
    feature(r#"{"kind":"zone","id":"Z","site":"S","role":"storage"}"#, geometry)
}

fn activity(more: &str, geometry: &str) -> String {
    feature(
        &format!(r#"{{"kind":"activity","id":"A","site":"S","what":"construction","notified":"2024-01-01"{more}}}"#),
        geometry,
    )
}

const WINDOW: &str = r#","from":"2024-02-01","to":"2024-03-01T12:00:00+02:00""#;

fn whole() -> String {
    let activity = activity(
        &format!(r#"{WINDOW},"zone":"Z","tolerance_m":20.5,"extra":[1]"#),
        "null",
    );
    file(&[site(SQUARE), zone(SMALL), activity])
}

fn faults(text: &str) -> Vec<(String, String)> {
    parse(text)
        .unwrap_err()
        .into_iter()
        .map(|fault| (fault.place, fault.message))
        .collect()
}

/// The only fault of `text`, whose place must be `place`.
fn fault(text: &str, place: &str) -> String {
    let found = faults(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].0, place, "{}", found[0].1);
    found[0].1.clone()
}

fn ring_fault(ring: &str, place: &str) -> String {
    fault(
        &file(&[site(&format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#))]),
        place,
    )
}

#[test]
fn a_whole_declaration_is_read() {
    let text = whole();
    let declaration = parse(&text).unwrap();
    assert_eq!(declaration.header.issued.to_string(), "2024-01-15T00:00:00Z");
    assert_eq!(declaration.sites[0].item.name, "Base");
    assert_eq!(
        (declaration.zones[0].item.role, declaration.zones[0].site.as_str()),
        (Role::Storage, "S")
    );
    let activity = &declaration.activities[0];
    assert_eq!(activity.place, "features[2]");
    assert_eq!(
        (activity.item.what, activity.item.tolerance_m),
        (What::Construction, 20.5)
    );
    assert_eq!(activity.item.from.to_string(), "2024-02-01T00:00:00Z");
    assert_eq!(activity.item.to.to_string(), "2024-03-01T10:00:00Z");
    assert_eq!(activity.item.zone.as_deref(), Some("Z"));
    assert_eq!(check_alone(&declaration), []);
}

#[test]
fn all_faults_come_at_once_with_their_places() {
    let text = file(&[
        feature(r#"{"kind":"Site","id":"S"}"#, SQUARE),
        feature(r#"{"kind":"zone","id":7,"role":"Storge"}"#, "null"),
        activity(
            r#","from":"2024-02-30","to":"2024-03-01T10:00:00","tolerance_m":-1"#,
            "null",
        ),
        "3".into(),
    ]);
    let found = faults(&text);
    let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(
        places,
        [
            "features[0].properties.kind",
            "features[1].properties.id",
            "features[1].properties.site",
            "features[1].properties.role",
            "features[1].geometry",
            "features[2].properties.from",
            "features[2].properties.to",
            "features[2].properties.tolerance_m",
            "features[2].geometry",
            "features[3]",
        ]
    );
    assert_eq!(
        found[0].1,
        r#"feature "S": expected one of site, zone, activity; found "Site" (is "site" meant?)"#
    );
    assert_eq!(found[1].1, "zone: expected text, found the number 7");
    assert!(
        found[3].1.ends_with(r#"found "Storge" (is "storage" meant?)"#),
        "{}",
        found[3].1
    );
    assert!(found[5].1.starts_with(r#"activity "A": "#), "{}", found[5].1);
    assert!(found[5].1.ends_with(": there is no such day"), "{}", found[5].1);
    assert!(found[6].1.contains("add Z"), "{}", found[6].1);
    assert_eq!(found[9].1, "expected a feature object, found the number 3");
}

#[test]
fn the_header_is_checked() {
    let text = r#"{"type":"FeatureCollection","declaration":{"id":"D","partie":"A","agreement":" ","issued":2024,"supersedes":"D"},"features":[]}"#;
    let found = faults(text);
    let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(
        places,
        [
            "declaration.party",
            "declaration.agreement",
            "declaration.issued",
            "declaration.supersedes"
        ]
    );
    assert_eq!(found[0].1, r#"is missing (is "partie" meant?)"#);
    assert_eq!(
        fault(r#"{"type":"FeatureCollection","features":[]}"#, "declaration"),
        "is missing"
    );
    assert_eq!(faults("{}").len(), 3);
    assert_eq!(fault("[]", ""), "expected a GeoJSON FeatureCollection, found an array");
}

#[test]
fn what_is_not_json_has_line_and_column() {
    assert!(fault("{\n  \"type\": NaN\n}", "line 2, column 11").starts_with("not JSON: expected"));
    assert!(fault("", "line 1, column 0").starts_with("not JSON"));
    let (place, message) = faults("{\"a\": 1e999}").remove(0);
    assert!(
        place.starts_with("line 1, column ") && message.contains("out of range"),
        "{place} {message}"
    );
    assert!(faults(&"[".repeat(100_000))[0].1.contains("recursion"));
}

#[test]
fn another_reference_system_is_refused() {
    let with = |crs: &str| whole().replacen('{', &format!(r#"{{"crs":{crs},"#), 1);
    let named = |name: &str| format!(r#"{{"type":"name","properties":{{"name":"{name}"}}}}"#);
    assert!(parse(&with(&named("urn:ogc:def:crs:OGC:1.3:CRS84"))).is_ok());
    assert!(fault(&with(&named("urn:ogc:def:crs:EPSG::32631")), "crs").contains("EPSG::32631"));
    fault(&with("null"), "crs");
}

#[test]
fn ids_are_unique_in_a_file() {
    let message = fault(&file(&[site(SQUARE), site(SQUARE)]), "features[1].properties.id");
    assert!(
        message.contains(r#"the id "S" already belongs to features[0]"#),
        "{message}"
    );
    for (id, why) in [
        ("a\\u0000", "U+0000"),
        ("a\u{202e}", "U+202E"),
        ("a\u{200d}", "U+200D"),
        (" a", "space"),
        ("", "empty"),
        (&"x".repeat(129), "129 bytes"),
    ] {
        let text = file(&[feature(&format!(r#"{{"kind":"site","id":"{id}","name":"n"}}"#), SQUARE)]);
        assert!(fault(&text, "features[0].properties.id").contains(why));
    }
}

#[test]
fn windows_are_half_open() {
    let window = |from: &str, to: &str| {
        file(&[
            site(SQUARE),
            activity(&format!(r#","from":"{from}","to":"{to}""#), SMALL),
        ])
    };
    assert!(parse(&window("2024-02-01", "2024-02-02")).is_ok());
    assert!(parse(&window("2024-02-01", "2024-02-01T00:00:00.001Z")).is_ok());
    let message = fault(&window("2024-02-01", "2024-02-01"), "features[1].properties.to");
    assert!(message.contains("the day after"), "{message}");
    fault(&window("2024-02-02", "2024-02-01"), "features[1].properties.to");
    for wrong in [
        "20240201",
        "2024-02-01T00Z",
        "2024-02-01T25:00:00Z",
        "1 Feb 2024",
        "2024-02-01[UTC]",
        "２０２４",
    ] {
        fault(&window(wrong, "2025-01-01"), "features[1].properties.from");
    }
}

#[test]
fn null_properties_count_as_absent() {
    let more = format!(r#"{WINDOW},"zone":null,"tolerance_m":null"#);
    let declaration = parse(&file(&[site(SQUARE), activity(&more, SMALL)])).unwrap();
    assert_eq!(declaration.activities[0].item.tolerance_m, 0.0);
    assert_eq!(declaration.activities[0].item.zone, None);
}

#[test]
fn rings_are_checked_by_position() {
    let message = ring_fault(
        "[[10,50],[11,50],[11,51],[10,51]]",
        "features[0].geometry.coordinates[0]",
    );
    assert!(
        message.starts_with(r#"site "S": the ring is not closed: it begins at 10.000000, 50.000000"#),
        "{message}"
    );
    ring_fault("[[10,50],[11,50],[10,50]]", "features[0].geometry.coordinates[0]");
    ring_fault(
        "[[10,50],[11],[11,51],[10,50]]",
        "features[0].geometry.coordinates[0][1]",
    );
    let message = ring_fault(r#"[[10,50],[11,"x"]]"#, "features[0].geometry.coordinates[0][1][1]");
    assert!(
        message.ends_with(r#"expected a number, found the text "x""#),
        "{message}"
    );
    ring_fault("[10,50]", "features[0].geometry.coordinates[0][0]");
    ring_fault("null", "features[0].geometry.coordinates[0]");
}

#[test]
fn places_on_earth_are_checked() {
    let place = "features[0].geometry.coordinates[0][0]";
    let swapped = ring_fault("[[50,130],[50.1,130],[50.1,130.1],[50,130]]", place);
    assert!(
        swapped.contains("look swapped") && swapped.contains("(and 3 more in this ring)"),
        "{swapped}"
    );
    let metres = ring_fault(
        "[[500000,5500000],[500100,5500000],[500100,5500100],[500000,5500000]]",
        place,
    );
    assert!(metres.contains("reproject"), "{metres}");
    let beyond = ring_fault(
        "[[179,10],[181,10],[181,11],[179,10]]",
        "features[0].geometry.coordinates[0][1]",
    );
    assert!(beyond.contains("split there into a MultiPolygon"), "{beyond}");
    let across = ring_fault(
        "[[179,10],[-179,10],[-179,11],[179,10]]",
        "features[0].geometry.coordinates[0][1]",
    );
    assert!(
        across.contains("more than 180 degrees") && across.contains("MultiPolygon"),
        "{across}"
    );
}

#[test]
fn a_site_split_at_the_antimeridian_holds_a_zone_split_there() {
    let split = |low: &str, high: &str| {
        format!(
            r#"{{"type":"MultiPolygon","coordinates":[
                [[[179.{low},10.{low}],[180,10.{low}],[180,10.{high}],[179.{low},10.{high}],[179.{low},10.{low}]]],
                [[[-180,10.{low}],[-179.{low},10.{low}],[-179.{low},10.{high}],[-180,10.{high}],[-180,10.{low}]]]]}}"#
        )
    };
    let text = file(&[site(&split("1", "9")), zone(&split("2", "8"))]);
    assert_eq!(check_alone(&parse(&text).unwrap()), []);
}

#[test]
fn a_site_may_hold_a_pole() {
    let parsed = |geometry: &str| parse(&file(&[site(geometry)]));
    let whole = r#"{"type":"Polygon","coordinates":[[[-180,-90],[180,-90],[180,-89.9],[-180,-89.9],[-180,-90]]]}"#;
    let half = |west: i32| {
        let east = west + 180;
        format!("[[[{west},-90],[{east},-90],[{east},-89.9],[{west},-89.9],[{west},-90]]]")
    };
    let halves = format!(
        r#"{{"type":"MultiPolygon","coordinates":[{},{}]}}"#,
        half(-180),
        half(0)
    );
    let around = r#"{"type":"Polygon","coordinates":[[[-180,89.9],[-60,89.8],[60,89.8],[180,89.9],[180,90],[-180,90],[-180,89.9]]]}"#;
    for cap in [whole, &halves, around] {
        assert!(parsed(cap).is_ok(), "{cap}: {:?}", parsed(cap).err());
    }
    // A belt around the earth is no site.
    let belt = "[[-180,10],[180,10],[180,20],[-180,20],[-180,10]]";
    assert!(ring_fault(belt, "features[0].geometry.coordinates[0][1]").contains("more than 180 degrees"));
}

#[test]
fn a_self_intersection_says_where() {
    let message = ring_fault(
        "[[10,50],[12,52],[12,50],[10,52],[10,50]]",
        "features[0].geometry.coordinates[0]",
    );
    assert!(
        message.contains("self-intersection) near 11.000000, 51.000000"),
        "{message}"
    );
    let flat = ring_fault(
        "[[10,50],[11,51],[12,52],[10,50]]",
        "features[0].geometry.coordinates[0]",
    );
    assert!(flat.contains("encloses no area"), "{flat}");
    let twice = ring_fault(
        "[[10,50],[10,50],[11,51],[10,50]]",
        "features[0].geometry.coordinates[0]",
    );
    assert!(twice.contains("fewer than three"), "{twice}");
}

#[test]
fn holes_and_parts_are_checked() {
    let outer = "[[0,0],[9,0],[9,9],[0,9],[0,0]]";
    let square = |x: f64| format!("[[{x},1],[{0},1],[{0},3],[{x},3],[{x},1]]", x + 2.0);
    let polygon = |rings: &[&str]| format!(r#"{{"type":"Polygon","coordinates":[{}]}}"#, rings.join(","));
    let parsed = |geometry: &str| parse(&file(&[site(geometry)]));
    assert!(parsed(&polygon(&[outer, &square(1.0), &square(5.0)])).is_ok());
    let reason = |geometry: &str, place: &str| fault(&file(&[site(geometry)]), place);
    let place = "features[0].geometry.coordinates";
    assert!(reason(&polygon(&[outer, &square(8.0)]), place).contains("hole 1 (ring [1]) does not lie inside"));
    assert!(
        reason(
            &polygon(&[outer, &square(1.0), "[[2,2],[4,2],[4,4],[2,4],[2,2]]"]),
            place
        )
        .contains("overlap")
    );

    let multi = |a: f64, b: f64| {
        format!(
            r#"{{"type":"MultiPolygon","coordinates":[[{}],[{}]]}}"#,
            square(a),
            square(b)
        )
    };
    assert!(parsed(&multi(1.0, 4.0)).is_ok());
    assert!(reason(&multi(1.0, 2.0), place).ends_with("polygons [0] and [1] overlap"));
    assert!(reason(&multi(3.0, 1.0), place).contains("share an edge"));
    assert!(reason(r#"{"type":"MultiPolygon","coordinates":[]}"#, place).contains("no polygon"));
    assert!(reason(r#"{"type":"Polygon","coordinates":[]}"#, place).contains("no ring"));
    reason(r#"{"type":"Point","coordinates":[1,2]}"#, "features[0].geometry.type");
}

#[test]
fn altitude_is_dropped_and_rings_are_turned() {
    let clockwise = r#"{"type":"Polygon","coordinates":[[[10,50,7],[10,51,7],[11,51,7],[11,50,7],[10,50,7]]]}"#;
    let declaration = parse(&file(&[site(clockwise)])).unwrap();
    let expected = r#"{"type":"Polygon","coordinates":[[[10,50],[11,50],[11,51],[10,51],[10,50]]]}"#;
    assert_eq!(declaration.sites, parse(&file(&[site(expected)])).unwrap().sites);
}

#[test]
fn relations_among_good_features_are_in_the_same_list() {
    let text = file(&[site(SMALL), zone(SQUARE), feature("null", "null")]);
    let places: Vec<String> = faults(&text).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["features[2].properties", "features[1].geometry"]);
}

#[test]
fn files_are_bounded() {
    let many = file(&vec!["1".to_owned(); MAX_FEATURES + 1]);
    assert!(fault(&many, "features").contains("100001 features"));
    let ring = format!("[{}]", vec!["[1.00000,1.00000]"; MAX_RING_VERTICES + 1].join(","));
    let found = faults(&file(&[site(&format!(
        r#"{{"type":"Polygon","coordinates":[{ring}]}}"#
    ))]));
    assert!(found[0].1.contains("10001 positions"));
    let rings = vec![ring; 100].join(",");
    assert!(
        fault(
            &file(&[site(&format!(r#"{{"type":"Polygon","coordinates":[{rings}]}}"#))]),
            "features"
        )
        .contains("1000100 vertices")
    );
    assert!(fault(&format!("[{}]", vec!["{}"; 4_000_000].join(",")), "").contains("JSON values take"));
    assert!(fault(&" ".repeat(MAX_BYTES + 1), "").contains("at most 67108864"));
}

#[test]
fn files_are_read_and_what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("declaration.geojson");
    let first = |path: &Path| read(path).unwrap_err()[0].message.clone();
    assert!(first(&path).starts_with("cannot read it: "));
    assert!(first(folder.path()).ends_with("it is a folder, not a regular file"));
    std::fs::write(&path, b"{\"\xff\"").unwrap();
    assert!(first(&path).contains("not UTF-8 from byte 2 on"));
    std::fs::write(&path, format!("\u{feff}{}", whole())).unwrap();
    assert_eq!(read(&path).unwrap().0, parse(&whole()).unwrap());
    std::fs::File::create(&path)
        .unwrap()
        .set_len(MAX_BYTES as u64 + 1)
        .unwrap();
    assert!(first(&path).contains("67108865 bytes"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever bytes are replaced by tokens that matter: faults, never a panic.
    #[test]
    fn mutated_text_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, 0..14usize), 1..6)
    ) {
        const TOKENS: [&str; 14] =
            ["", "null", "1e308", "-180", "90.5", "[", "]", "{}", "\"\"", ",", "[[]]", "\"zone\"", "é", "10.05"];
        let mut text: Vec<char> = whole().chars().collect();
        for (at, length, token) in edits {
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, TOKENS[token].chars());
        }
        let text: String = text.into_iter().collect();
        if let Ok(declaration) = parse(&text) {
            check_alone(&declaration);
        }
    }

    /// Whatever coordinates a polygon has, valid or not: faults, never a panic.
    #[test]
    fn wild_polygons_never_panic(
        rings in prop::collection::vec(prop::collection::vec((-3i8..4, -3i8..4), 0..7), 0..4),
        others in prop::collection::vec(prop::collection::vec((-3i8..4, -3i8..4), 3..6), 0..3)
    ) {
        let shown = |rings: &[Vec<(i8, i8)>]| {
            let rings: Vec<String> = rings.iter().map(|ring| {
                let positions: Vec<String> =
                    ring.iter().chain(ring.first()).map(|(x, y)| format!("[{x},{y}]")).collect();
                format!("[{}]", positions.join(","))
            }).collect();
            format!("[{}]", rings.join(","))
        };
        let single = format!(r#"{{"type":"Polygon","coordinates":{}}}"#, shown(&rings));
        let parts: Vec<String> = others.iter().map(|ring| shown(std::slice::from_ref(ring))).collect();
        let multi = format!(r#"{{"type":"MultiPolygon","coordinates":[{}]}}"#, parts.join(","));
        let ground = r#"{"type":"Polygon","coordinates":[[[-2,-2],[2,-2],[2,2],[-2,2],[-2,-2]]]}"#;
        for text in [file(&[site(ground), zone(&single)]), file(&[site(&multi), zone(&single)])] {
            if let Ok(declaration) = parse(&text) {
                check_alone(&declaration);
            }
        }
    }
}
