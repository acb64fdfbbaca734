//! Several declarations into what is in force: later ones add and supersede, nothing is erased.

use std::collections::BTreeMap;

use super::headers::{check_headers, place_in, supersedes};
use super::resolve::{Missing, resolve};
use super::{
    Activity, Declaration, Declared, Header, Kind, Placed, RefusedFeature, Site, Superseded, Zone, folders, quote,
};
use crate::fault::Fault;

/// Everything in force after all of `declarations`, in whatever order they are given.
///
/// They take effect by time of issue, then id. A feature may be declared again only by a declaration
/// that supersedes the one which holds it, directly or through those in between, and only
/// with the same kind; the earlier version is then listed as superseded. Features that are not declared
/// again stay in force.
///
/// Parties choose their ids without knowing of each other, so those of zones and activities are told apart by party. A zone or an activity on the
/// site of another party is no fault: it is listed as refused, and everything else is as if it had not been declared.
///
/// # Errors
/// Everything that does not fit together; places begin with the id of the declaration.
pub fn merge(mut declarations: Vec<Declaration>) -> Result<Declared, Vec<Fault>> {
    declarations.sort_by(|a, b| (a.header.issued, &a.header.id).cmp(&(b.header.issued, &b.header.id)));
    let headers: Vec<Header> = declarations.iter().map(|d| d.header.clone()).collect();
    let mut faults = check_headers(&headers);

    let mut in_force = InForce::default();
    for declaration in declarations {
        in_force.declare(declaration, &headers, &mut faults);
    }
    let InForce {
        mut of_parties,
        superseded,
    } = in_force;
    let refused = refuse_foreign(&mut of_parties);
    let (mut sites, mut places) = (Vec::new(), BTreeMap::new());
    for features in of_parties.into_values() {
        places.extend(site_places(&features));
        let (of_party, unresolved) = resolve_party(features);
        sites.extend(of_party);
        faults.extend(unresolved);
    }
    sites.sort_by(|a, b| a.id.cmp(&b.id));
    for (index, fault) in folders::assign(&mut sites) {
        let site = &sites[index];
        let place = places.get(&site.id).map_or("", String::as_str);
        let place = place_in(&site.declared_in, &format!("{place}.properties.id"));
        faults.push(Fault::new(place, fault.message));
    }
    match faults.is_empty() {
        true => Ok(Declared {
            declarations: headers,
            sites,
            superseded,
            refused,
        }),
        false => Err(faults),
    }
}

/// The features of one party by id.
type OfParty = BTreeMap<String, Feature>;

/// What is in force after some declarations.
#[derive(Default)]
struct InForce {
    of_parties: BTreeMap<String, OfParty>,
    /// What no longer is.
    superseded: Vec<Superseded>,
}

impl InForce {
    /// Puts the features of the next declaration in force; `headers` are those of all declarations.
    fn declare(&mut self, declaration: Declaration, headers: &[Header], faults: &mut Vec<Fault>) {
        let Declaration {
            header,
            sites,
            zones,
            activities,
        } = declaration;
        let features = sites
            .into_iter()
            .map(Feature::Site)
            .chain(zones.into_iter().map(Feature::Zone))
            .chain(activities.into_iter().map(Feature::Activity));
        for feature in features {
            match self.superseded_by(&feature, &header, headers) {
                Ok(superseded) => {
                    self.superseded.extend(superseded);
                    let of_party = self.of_parties.entry(header.party.clone()).or_default();
                    of_party.insert(feature.id().to_owned(), feature);
                }
                Err(fault) => faults.push(fault),
            }
        }
    }

    /// What is no longer in force once `feature` is, by the declaration of this `header`.
    ///
    /// # Errors
    /// Its id is in force, and not for this declaration to declare again.
    fn superseded_by(
        &self,
        feature: &Feature,
        header: &Header,
        headers: &[Header],
    ) -> Result<Option<Superseded>, Fault> {
        let (id, kind) = (feature.id(), feature.kind());
        let Some(held) = self.held(feature, &header.party) else {
            return Ok(None);
        };
        let (held_kind, holder) = (held.kind(), held.declared_in());
        let at = |key: &str| place_in(&header.id, &format!("{}.properties.{key}", feature.place()));
        if !supersedes(headers, header, holder) {
            let (id, shown) = (quote(id), quote(holder));
            let message = format!(
                "{kind} {id}: the id is already declared in {shown}: only a declaration that supersedes {shown} may declare it again"
            );
            return Err(Fault::new(at("id"), message));
        }
        if kind != held_kind {
            let (id, shown) = (quote(id), quote(holder));
            let message = format!("{kind} {id}: in {shown} it is a {held_kind}: use a new id");
            return Err(Fault::new(at("kind"), message));
        }
        Ok(Some(Superseded {
            kind,
            id: id.to_owned(),
            declared_in: holder.to_owned(),
            superseded_by: header.id.clone(),
        }))
    }

    /// What has the id of `feature`: of the `party` itself, or a site of another where it is a site.
    fn held(&self, feature: &Feature, party: &str) -> Option<&Feature> {
        let id = feature.id();
        let is_site = |held: &&Feature| held.kind() == Kind::Site && feature.kind() == Kind::Site;
        let own = self.of_parties.get(party).and_then(|features| features.get(id));
        let mut others = self.of_parties.iter().filter(|(other, _)| *other != party);
        own.or_else(|| others.find_map(|(_, features)| features.get(id).filter(is_site)))
    }
}

/// Where the sites among `features` stand in their files, by id.
fn site_places(features: &OfParty) -> BTreeMap<String, String> {
    let sites = features.values().filter(|feature| feature.kind() == Kind::Site);
    sites
        .map(|site| (site.id().to_owned(), site.place().to_owned()))
        .collect()
}

/// The sites of one party with their zones and activities, and what does not fit together.
fn resolve_party(features: OfParty) -> (Vec<Site>, Vec<Fault>) {
    let (mut sites, mut zones, mut activities) = (Vec::new(), Vec::new(), Vec::new());
    for feature in features.into_values() {
        match feature {
            Feature::Site(site) => sites.push(site),
            Feature::Zone(zone) => zones.push(zone),
            Feature::Activity(activity) => activities.push(activity),
        }
    }
    resolve(sites, zones, activities, Missing::Fault, &place_in)
}

/// Takes the zones and activities out of `in_force` that name the site of another party.
fn refuse_foreign(in_force: &mut BTreeMap<String, OfParty>) -> Vec<RefusedFeature> {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for (party, features) in &*in_force {
        let sites = features.values().filter(|feature| feature.kind() == Kind::Site);
        owners.extend(sites.map(|site| (site.id().to_owned(), party.clone())));
    }
    let mut refused = Vec::new();
    for (party, features) in in_force {
        features.retain(|id, feature| match owners.get(feature.site()) {
            Some(owner) if owner != party => {
                refused.push(RefusedFeature {
                    declared_in: feature.declared_in().to_owned(),
                    id: id.clone(),
                    kind: feature.kind(),
                    party: party.clone(),
                    site: feature.site().to_owned(),
                    site_party: owner.clone(),
                });
                false
            }
            _ => true,
        });
    }
    refused.sort();
    refused
}

/// A feature of any kind.
enum Feature {
    Site(Placed<Site>),
    Zone(Placed<Zone>),
    Activity(Placed<Activity>),
}

impl Feature {
    fn kind(&self) -> Kind {
        match self {
            Self::Site(_) => Kind::Site,
            Self::Zone(_) => Kind::Zone,
            Self::Activity(_) => Kind::Activity,
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Site(site) => &site.item.id,
            Self::Zone(zone) => &zone.item.id,
            Self::Activity(activity) => &activity.item.id,
        }
    }

    /// The id of the site it belongs to; a site's own id.
    fn site(&self) -> &str {
        match self {
            Self::Site(site) => &site.site,
            Self::Zone(zone) => &zone.site,
            Self::Activity(activity) => &activity.site,
        }
    }

    fn place(&self) -> &str {
        match self {
            Self::Site(site) => &site.place,
            Self::Zone(zone) => &zone.place,
            Self::Activity(activity) => &activity.place,
        }
    }

    fn declared_in(&self) -> &str {
        match self {
            Self::Site(site) => &site.item.declared_in,
            Self::Zone(zone) => &zone.item.declared_in,
            Self::Activity(activity) => &activity.item.declared_in,
        }
    }
}

#[cfg(test)]
mod tests;
