//! The folder of each site in the output: safe in a file system, and of one site alone.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Placed, Site, quote};
use crate::fault::Fault;

/// What the program itself writes beside the folders of the sites, in lower case.
const RESERVED: [&str; 3] = ["index.html", "run.json", "lock"];
/// The most bytes that a folder's name has.
const LONGEST: usize = 100;
/// The bytes of what tells two names apart: a dash and eight hexadecimal digits.
const SUFFIX: usize = 9;

/// Gives each of `sites` its folder, so that no two have the same even where a file system takes `a` and `A` for one.
///
/// What cannot be told apart, by chance one pair in four thousand million, is added to `faults`.
pub(super) fn assign(sites: &mut [Placed<Site>], place_in: &dyn Fn(&str, &str) -> String, faults: &mut Vec<Fault>) {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for site in sites.iter() {
        *alike.entry(folded(&folder_name(&site.item.id))).or_default() += 1;
    }
    let mut holders: BTreeMap<String, String> = BTreeMap::new();
    for Placed { place, item: site, .. } in sites {
        let name = folder_name(&site.id);
        let shared = alike.get(&folded(&name)).is_some_and(|count| *count > 1);
        site.folder = match shared && name == site.id && folded(&name) != name {
            true => suffixed(&site.id),
            false => name,
        };
        let other = holders.insert(folded(&site.folder), site.id.clone());
        // One id twice is told where ids are checked.
        if let Some(other) = other.filter(|other| *other != site.id) {
            faults.push(Fault::new(
                format!("{}.properties.id", place_in(&site.declared_in, place)),
                format!(
                    "site {}: its folder would be that of the site {}: change one id",
                    quote(&site.id),
                    quote(&other)
                ),
            ));
        }
    }
}

/// `name` as a file system that does not tell cases apart sees it.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// A name for `id` that is safe as a folder: `[A-Za-z0-9._-]`, 1 to 100 bytes, no dot at either end, none of the program's own.
///
/// An id that is already such a name stays as it is; any other gets the first eight hexadecimal
/// digits of its SHA-256 behind it. So does an id that itself ends like such a suffix: it cannot
/// pose as the name of another.
fn folder_name(id: &str) -> String {
    let poses = id.len() >= SUFFIX
        && id.is_char_boundary(id.len() - SUFFIX)
        && id[id.len() - SUFFIX..]
            .strip_prefix('-')
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let free = !id.is_empty() && !RESERVED.contains(&folded(id).as_str());
    let dotted = id.starts_with('.') || id.ends_with('.');
    if free && id.len() <= LONGEST && !dotted && id.chars().all(is_safe) && !poses {
        return id.to_owned();
    }
    suffixed(id)
}

fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// What is safe of `id`, and what tells it from all others.
fn suffixed(id: &str) -> String {
    let mut name: String = id
        .chars()
        .take(LONGEST - SUFFIX)
        .map(|c| if is_safe(c) { c } else { '_' })
        .collect();
    if name.is_empty() || name.starts_with('.') {
        name.replace_range(..name.len().min(1), "_");
    }
    let digest = Sha256::digest(id.as_bytes());
    name.push('-');
    name.extend(digest.iter().take(4).map(|byte| format!("{byte:02x}")));
    name
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use geo::MultiPolygon;

    use super::*;

    fn sites(ids: &[&str]) -> Vec<Placed<Site>> {
        ids.iter()
            .map(|id| Placed {
                place: String::new(),
                site: id.to_string(),
                item: Site {
                    id: id.to_string(),
                    name: String::new(),
                    boundary: MultiPolygon(Vec::new()),
                    zones: Vec::new(),
                    activities: Vec::new(),
                    declared_in: "D".into(),
                    folder: String::new(),
                },
            })
            .collect()
    }

    fn folders(ids: &[&str]) -> Vec<String> {
        let mut sites = sites(ids);
        let mut faults = Vec::new();
        assign(&mut sites, &|_, place| place.to_owned(), &mut faults);
        assert_eq!(faults, []);
        sites.into_iter().map(|site| site.item.folder).collect()
    }

    fn faults_of(ids: &[&str]) -> Vec<Fault> {
        let mut faults = Vec::new();
        assign(&mut sites(ids), &|_, place| place.to_owned(), &mut faults);
        faults
    }

    #[test]
    fn ids_that_differ_in_case_alone_have_folders_that_differ_in_more() {
        assert_eq!(folders(&["S", "T"]), ["S", "T"]);
        let found = folders(&["site", "SITE", "Site", "T"]);
        assert_eq!((found[0].as_str(), found[3].as_str()), ("site", "T"));
        let apart: BTreeSet<String> = found.iter().map(|name| folded(name)).collect();
        assert_eq!(apart.len(), 4, "{found:?}");
        // What a site's id would have to be to share a folder with the suffixed one.
        let posing = found[1].to_uppercase();
        let found = folders(&["site", "SITE", &posing, &posing.to_lowercase()]);
        let apart: BTreeSet<String> = found.iter().map(|name| folded(name)).collect();
        assert_eq!(apart.len(), 4, "{found:?}");
    }

    #[test]
    fn safe_ids_are_their_own_folder() {
        for id in ["S-1", "rennes", "a.b_c-D9", &"x".repeat(100)] {
            assert_eq!(folder_name(id), id);
        }
    }

    #[test]
    fn unsafe_ids_become_safe_and_stay_apart() {
        let long = "x".repeat(101);
        let longer = "x".repeat(102);
        let accents = "é".repeat(101);
        let posing = folder_name("a/b");
        let ids = [
            "",
            ".",
            "..",
            ".git",
            "_git",
            "a/b",
            "a\\b",
            "a b",
            "a_b",
            "基地",
            "基站",
            "../../etc",
            "index.html",
            "Run.JSON",
            "LOCK",
            "a.",
            "a\0b",
            &long,
            &longer,
            &accents,
            &posing,
        ];
        let names: BTreeSet<String> = ids.iter().map(|id| folder_name(id)).collect();
        assert_eq!(names.len(), ids.len(), "{names:?}");
        for name in names {
            assert!(
                !name.is_empty() && name.len() <= 100 && !name.starts_with('.'),
                "{name}"
            );
            assert!(
                name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
                "{name}"
            );
        }
        assert_eq!(folder_name(""), "_-e3b0c442");
        assert_eq!(folder_name("..").split('-').next(), Some("_."));
    }

    #[test]
    fn what_two_sites_would_share_is_a_fault() {
        // Two ids with the same folder, found by trying: the suffix has 32 bits.
        let mut seen = BTreeMap::new();
        let marks: Vec<char> = "!#%&()*+,:;<=>?@[]^`{|}~".chars().collect();
        let (one, two) = (0..marks.len().pow(5))
            .find_map(|n| {
                let id: String = (0..5)
                    .map(|place| marks[n / marks.len().pow(place) % marks.len()])
                    .collect();
                seen.insert(folder_name(&id), id.clone()).map(|other| (other, id))
            })
            .unwrap();
        assert_eq!(faults_of(&[&one, &two]).len(), 1);
        assert_eq!(faults_of(&[&one, "S"]), []);
    }
}
