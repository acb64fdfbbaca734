//! What the parties declared: sites, zones in them and activities, read from GeoJSON (RFC 7946).
//!
//! A declaration is a FeatureCollection with a foreign member `declaration` and features whose
//! `properties.kind` is `site`, `zone` or `activity`:
//!
//! ```
//! let text = r#"{
//!   "type": "FeatureCollection",
//!   "declaration": {"id": "D-1", "party": "A", "agreement": "Example", "issued": "2024-01-15"},
//!   "features": [{
//!     "type": "Feature",
//!     "properties": {"kind": "site", "id": "S-1", "name": "North base"},
//!     "geometry": {"type": "Polygon", "coordinates": [[[10, 50], [10.1, 50], [10.1, 50.1], [10, 50.1], [10, 50]]]}
//!   }]
//! }"#;
//! let declared = sitewatch::declaration::merge(vec![sitewatch::declaration::parse(text).unwrap()]).unwrap();
//! assert_eq!(declared.sites[0].name, "North base");
//! ```
//!
//! [`read`] and [`parse()`] check one file; [`merge()`] joins several, where later ones add to and
//! supersede earlier ones, and checks what can only be seen in the whole: that references resolve and
//! that zones and activities lie where they say. Zones and activities of a site come from the party that declares the site; those of
//! others are refused by name. Ids share one namespace over all kinds and sites of a party; the id of a site is its alone among all parties.

mod feature;
mod fields;
mod folders;
mod geometry;
mod headers;
mod inside;
mod merge;
mod parse;
mod polygons;
mod resolve;
mod rings;

use geo::MultiPolygon;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use folders::folder_name;
pub use merge::merge;
pub use parse::{parse, read};
pub use resolve::check_alone;

/// The largest declaration file that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
/// The most features one file may hold.
pub const MAX_FEATURES: usize = 100_000;
/// The most vertices one file may hold.
pub const MAX_VERTICES: usize = 1_000_000;
/// The most vertices one ring may hold: the test for self-intersection takes time in their square.
pub const MAX_RING_VERTICES: usize = 10_000;
/// The most rings one geometry may hold: rings are compared with each other in pairs.
pub const MAX_RINGS: usize = 1_000;
/// The longest id, in bytes.
pub const MAX_ID_BYTES: usize = 128;
/// The largest tolerance of an activity, in metres.
pub const MAX_TOLERANCE_M: f64 = 10_000.0;

/// Defines an enum whose variants are the words of the declaration format.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every variant, in the order of the format's description.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word that stands for it in a declaration and in reports.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What a feature declares.
    Kind {
        /// A declared place.
        Site = "site",
        /// A polygon with a role inside a site.
        Zone = "zone",
        /// An announced change.
        Activity = "activity",
    }
}

words! {
    /// What a zone is for.
    Role {
        /// Buildings stand here or may be put up here.
        Building = "building",
        /// Things are stored here: they come and go.
        Storage = "storage",
        /// Nothing may be done here.
        Exclusion = "exclusion",
        /// Ground that should not change.
        Reference = "reference",
        /// None of the other roles.
        Other = "other",
    }
}

words! {
    /// What an activity does.
    What {
        /// Something is built.
        Construction = "construction",
        /// Something is taken down.
        Demolition = "demolition",
        /// Ground is moved.
        Earthworks = "earthworks",
        /// Vegetation is removed.
        Clearance = "clearance",
        /// Vehicles or goods are moved.
        Movement = "movement",
        /// None of the other words.
        Other = "other",
    }
}

/// Who declared, under which agreement, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Header {
    /// The declaration's own id.
    pub id: String,
    /// Who declares.
    pub party: String,
    /// The agreement under which it is declared.
    pub agreement: String,
    /// When it was issued: declarations take effect in this order.
    pub issued: Timestamp,
    /// The id of the declaration whose features this one may declare again.
    pub supersedes: Option<String>,
}

/// A declared place with everything declared in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// The site's id.
    pub id: String,
    /// The site's name, for people.
    pub name: String,
    /// Longitude and latitude in degrees, WGS 84; exterior rings counter-clockwise.
    pub boundary: MultiPolygon<f64>,
    /// The zones in force, by id. Empty until [`merge()`].
    pub zones: Vec<Zone>,
    /// The activities in force, by id. Empty until [`merge()`].
    pub activities: Vec<Activity>,
    /// The id of the declaration that holds this version.
    pub declared_in: String,
    /// Who declares it: zones and activities of others are refused.
    pub party: String,
    /// The name of its folder in an output folder. Empty until [`merge()`].
    pub folder: String,
}

/// A polygon inside a site with a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// The zone's id.
    pub id: String,
    /// What the zone is for.
    pub role: Role,
    /// Longitude and latitude in degrees, WGS 84; exterior rings counter-clockwise.
    pub polygon: MultiPolygon<f64>,
    /// The id of the declaration that holds this version.
    pub declared_in: String,
}

/// An announced change, in the half-open window [`from`, `to`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The activity's id.
    pub id: String,
    /// The zone it is bound to, if it names one.
    pub zone: Option<String>,
    /// What is done.
    pub what: What,
    /// The first moment of the window.
    pub from: Timestamp,
    /// The first moment after the window.
    pub to: Timestamp,
    /// When the other parties were told.
    pub notified: Timestamp,
    /// How far outside its polygon, in metres, a change still counts as this activity.
    pub tolerance_m: f64,
    /// Its own polygon or, after [`merge()`], its zone's. Longitude and latitude in degrees, WGS 84.
    pub polygon: MultiPolygon<f64>,
    /// The id of the declaration that holds this version.
    pub declared_in: String,
}

/// A feature as one file declares it: where it stands there, and the site it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// The JSON path of the feature in its file: `features[3]`.
    pub place: String,
    /// The id of the site it belongs to; a site's own id.
    pub site: String,
    /// What it declares.
    pub item: T,
}

/// One file: valid in itself, its references not yet resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Who declared, and when.
    pub header: Header,
    /// The sites, in file order, without zones and activities.
    pub sites: Vec<Placed<Site>>,
    /// The zones, in file order.
    pub zones: Vec<Placed<Zone>>,
    /// The activities, in file order; an empty polygon stands for that of the zone.
    pub activities: Vec<Placed<Activity>>,
}

/// Everything in force after all declarations, and what they replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The declarations by time of issue, then id.
    pub declarations: Vec<Header>,
    /// The sites in force, by id.
    pub sites: Vec<Site>,
    /// The features that a later declaration declared again, in the order in which that happened.
    pub superseded: Vec<Superseded>,
    /// The zones and activities that are not in force, because their site is another party's.
    pub refused: Vec<RefusedFeature>,
}

impl Declared {
    /// What is refused that concerns `site`: features declared on it, and features that its party declared on sites of others.
    pub fn refused_about(&self, site: &Site) -> Vec<RefusedFeature> {
        let about = |one: &&RefusedFeature| one.site == site.id || one.party == site.party;
        self.refused.iter().filter(about).cloned().collect()
    }
}

/// A zone or an activity that a party declared on the site of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RefusedFeature {
    /// The id of the declaration that holds it.
    pub declared_in: String,
    /// The feature's id.
    pub id: String,
    /// What it declares.
    pub kind: Kind,
    /// Who declares it.
    pub party: String,
    /// The id of the site that it names.
    pub site: String,
    /// Who declares that site.
    pub site_party: String,
}

impl std::fmt::Display for RefusedFeature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, site, .. } = self;
        write!(
            f,
            "{kind} {} of {} in {} is refused: the site {} is declared by {}, and zones and activities of a site come from its own party",
            quote(&self.id),
            quote(&self.party),
            quote(&self.declared_in),
            quote(site),
            quote(&self.site_party)
        )
    }
}

/// An earlier version of a feature, and who replaced it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Superseded {
    /// What the feature declares.
    pub kind: Kind,
    /// The feature's id.
    pub id: String,
    /// The id of the declaration that held the earlier version.
    pub declared_in: String,
    /// The id of the declaration that replaced it.
    pub superseded_by: String,
}

/// `text` in quotation marks for a message: escaped, and cut when it is long.
fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_serde_writes() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.word());
        }
        for what in What::ALL {
            assert_eq!(serde_json::to_value(what).unwrap(), what.word());
        }
        assert_eq!(serde_json::to_value(Kind::Activity).unwrap(), "activity");
    }

    #[test]
    fn quotes_are_short_and_escaped() {
        assert_eq!(quote("a\n\u{202e}\"b"), r#""a\n\u{202e}\"b""#);
        assert!(quote(&"é".repeat(1000)).chars().count() < 70);
    }
}
