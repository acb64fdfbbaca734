//! What parties declared on sites of each other, which is refused, in words.

use super::words::{named, plural};
use crate::declaration::RefusedFeature;
use crate::finding::SiteReport;

/// What others declared on the site, and its party on sites of others; nothing of none.
pub(super) fn of_refused_features(report: &SiteReport) -> Vec<String> {
    let (here, elsewhere): (Vec<_>, Vec<_>) = report
        .refused_features
        .iter()
        .partition(|one| one.site == report.site.id);
    let mut said = Vec::new();
    if let Some(first) = here.first() {
        let subject = plural(here.len(), "feature was", "features were");
        let names: Vec<String> = here.iter().map(|one| of_party(one)).collect();
        said.push(format!(
            "{subject} refused: {}. Only {}, who declares the site, declares zones and activities on it.",
            named(&names),
            first.site_party
        ));
    }
    if let Some(first) = elsewhere.first() {
        let subject = plural(elsewhere.len(), "feature", "features");
        let names: Vec<String> = elsewhere
            .iter()
            .map(|one| format!("{} {} on {} of {}", one.kind, one.id, one.site, one.site_party))
            .collect();
        said.push(format!(
            "{subject} that {} declared on sites of others {} refused: {}.",
            first.party,
            if elsewhere.len() == 1 { "was" } else { "were" },
            named(&names)
        ));
    }
    said
}

fn of_party(one: &RefusedFeature) -> String {
    format!("{} {} of {} ({})", one.kind, one.id, one.party, one.declared_in)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::Kind;
    use crate::report::sample;

    #[test]
    fn both_sites_tell_of_what_was_refused() {
        let mut report = sample::full();
        assert!(of_refused_features(&report).is_empty());
        let refused = |id: &str, party: &str, site: &str, site_party: &str| RefusedFeature {
            declared_in: "D-2".into(),
            id: id.into(),
            kind: Kind::Activity,
            party: party.into(),
            site: site.into(),
            site_party: site_party.into(),
        };
        report.refused_features = vec![
            refused("act-9", "Party B", "plant-7", "Party A"),
            refused("act-3", "Party A", "mine-2", "Party B"),
        ];
        assert_eq!(
            of_refused_features(&report),
            [
                "1 feature was refused: activity act-9 of Party B (D-2). Only Party A, who declares the site, declares zones and activities on it.",
                "1 feature that Party A declared on sites of others was refused: activity act-3 on mine-2 of Party B."
            ]
        );
        report.refused_features[1] = refused("act-4", "Party B", "plant-7", "Party A");
        assert!(of_refused_features(&report)[0].starts_with("2 features were refused: "));
    }
}
