//! Two parties: what one declares changes no verdict on the other's site, and both records say that it was refused.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sitewatch::finding::SiteReport;

use super::cli::{sitewatch, text};
use super::common::{root, simulate};

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The declaration `id` of party B with `features`, each of its properties and a geometry.
fn of_party_b(id: &str, features: &[(Value, &Value)]) -> String {
    let features: Vec<Value> = features
        .iter()
        .map(|(properties, geometry)| json!({ "type": "Feature", "properties": properties, "geometry": geometry }))
        .collect();
    json!({
        "type": "FeatureCollection",
        "declaration": { "id": id, "party": "Party B", "agreement": "Example", "issued": "2021-06-05T00:00:00Z" },
        "features": features,
    })
    .to_string()
}

#[test]
fn no_declaration_of_one_party_changes_a_verdict_on_the_site_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = simulate(&root().join("testdata/cases/undeclared/recipe.toml"), folder.path());
    let own: Value = read(&folder.path().join("scenes/declaration.geojson"));
    let ground = &own["features"][0]["geometry"];
    let activity = |id: &str, site: &str| {
        json!({
            "kind": "activity", "id": id, "site": site, "what": "construction",
            "from": "2021-06-10", "to": "2021-07-30", "notified": "2021-06-01",
        })
    };
    let zone = json!({ "kind": "zone", "id": "Z", "site": "S", "role": "building" });
    let in_zone = json!({
        "kind": "activity", "id": "A2", "site": "S", "zone": "Z", "what": "construction",
        "from": "2021-06-10", "to": "2021-07-30", "notified": "2021-06-01",
    });
    let site = json!({ "kind": "site", "id": "T", "name": "Site T" });
    // On A's site by name; and by a site of its own on the same ground, on which it may declare what it likes.
    let other = of_party_b(
        "B-1",
        &[
            (site, ground),
            (activity("A1", "S"), ground),
            (zone, ground),
            (in_zone, &Value::Null),
            (activity("A3", "T"), ground),
        ],
    );
    fs::write(folder.path().join("other.geojson"), other).unwrap();
    let both = folder.path().join("both.toml");
    let files = "declarations = ['scenes/declaration.geojson', 'other.geojson']";
    let declared = fs::read_to_string(&pipeline).unwrap();
    fs::write(
        &both,
        declared.replace("declarations = ['scenes/declaration.geojson']", files),
    )
    .unwrap();
    let [alone, together] = [("alone", &pipeline), ("together", &both)].map(|(name, pipeline)| {
        let out = folder.path().join(name);
        let run = sitewatch(&["run", &text(pipeline), "--out", &text(&out)]);
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        out
    });
    let [alone, together, of_b] = [alone.join("S"), together.join("S"), together.join("T")]
        .map(|site| read::<SiteReport>(&site.join("report.json")));
    assert!(!alone.comparisons[0].anomalies.is_empty());
    assert_eq!(alone.comparisons, together.comparisons);
    assert_eq!(alone.activities, together.activities);
    assert_eq!(alone.verdicts(), together.verdicts());
    assert_ne!(
        of_b.verdicts(),
        together.verdicts(),
        "B's own site is judged by B's declaration"
    );
    for report in [&together, &of_b] {
        let refused: Vec<[&str; 3]> = report
            .refused_features
            .iter()
            .map(|one| [one.id.as_str(), one.party.as_str(), one.site.as_str()])
            .collect();
        let expected = ["A1", "A2", "Z"].map(|id| [id, "Party B", "S"]);
        assert_eq!(refused, expected);
    }
    let page = fs::read_to_string(folder.path().join("together/S/report.html")).unwrap();
    assert!(page.contains("Party B"), "the page says so");
}
