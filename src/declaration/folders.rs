//! The folders of sites in an output folder: safe names, each another wherever the files are put.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Site, quote};
use crate::fault::Fault;

/// Names that the program's own files have in an output folder.
const TAKEN: [&str; 3] = ["index.html", "lock", "run.json"];

const LONGEST: usize = 100;
/// Bytes of `-` and eight hexadecimal digits.
const SUFFIX: usize = 9;

/// A name for `id` that is safe as a folder: `[A-Za-z0-9._-]`, 1 to 100 bytes, no dot at either end.
///
/// Some file systems drop a dot at the end. An id that is already such a name stays as it is; any other gets the first eight hexadecimal
/// digits of its SHA-256 behind it. So does an id that itself ends like such a suffix: it cannot
/// pose as the name of another.
pub fn folder_name(id: &str) -> String {
    let poses = id.len() >= SUFFIX
        && id.is_char_boundary(id.len() - SUFFIX)
        && id[id.len() - SUFFIX..]
            .strip_prefix('-')
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if !id.is_empty()
        && id.len() <= LONGEST
        && !id.starts_with('.')
        && !id.ends_with('.')
        && id.chars().all(is_safe)
        && !poses
    {
        return id.to_owned();
    }
    suffixed(id)
}

fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// The safe part of `id` with the beginning of its hash behind it.
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

/// Gives each of `sites` its folder.
///
/// It is [`folder_name`] of the id. Where that is a name of the program's own, or, but for upper and lower case, the folder of another site as
/// well, the hash goes behind it: a file system may not tell the case of letters. An id all in lower case keeps its name.
///
/// # Errors
/// The sites, by position in `sites`, whose folder would be that of another all the same.
pub(super) fn assign(sites: &mut [Site]) -> Vec<(usize, Fault)> {
    let folded = |name: &str| name.to_ascii_lowercase();
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for site in &*sites {
        *alike.entry(folded(&folder_name(&site.id))).or_default() += 1;
    }
    let mut holders: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = Vec::new();
    for (index, site) in sites.iter_mut().enumerate() {
        let name = folder_name(&site.id);
        let low = folded(&name);
        let is_shared = alike.get(&low).is_some_and(|sites| *sites > 1) && name != low;
        site.folder = match is_shared || TAKEN.contains(&low.as_str()) {
            true => suffixed(&site.id),
            false => name,
        };
        if let Some(other) = holders.insert(folded(&site.folder), site.id.clone()) {
            let (one, other) = (quote(&site.id), quote(&other));
            let message = format!("site {one}: its folder would be that of the site {other}: change one id");
            faults.push((index, Fault::new("", message)));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::MultiPolygon;
    use std::collections::BTreeSet;

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
            "a.",
            "a",
            "基地",
            "基站",
            "../../etc",
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
                !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && !name.ends_with('.'),
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

    fn sites(ids: &[&str]) -> Vec<Site> {
        let site = |id: &&str| Site {
            id: (*id).to_owned(),
            name: String::new(),
            boundary: MultiPolygon(Vec::new()),
            zones: Vec::new(),
            activities: Vec::new(),
            declared_in: String::new(),
            party: String::new(),
            folder: String::new(),
        };
        ids.iter().map(site).collect()
    }

    fn assigned(ids: &[&str]) -> Vec<String> {
        let mut sites = sites(ids);
        assert_eq!(assign(&mut sites), []);
        sites.into_iter().map(|site| site.folder).collect()
    }

    #[test]
    fn folders_differ_where_case_is_folded_and_from_the_programs_own_files() {
        assert_eq!(assigned(&["S", "T-1", "site.json"]), ["S", "T-1", "site.json"]);
        let found = assigned(&["a", "A", "Index.HTML", "run.json", "lock", "Ab", "aB", "a b", "A b"]);
        assert_eq!(found[0], "a");
        for (name, begins) in found
            .iter()
            .skip(1)
            .zip(["A-", "Index.HTML-", "run.json-", "lock-", "Ab-", "aB-"])
        {
            assert!(name.starts_with(begins) && name.len() == begins.len() + 8, "{found:?}");
        }
        let folded: BTreeSet<String> = found.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(folded.len(), found.len());
    }

    #[test]
    fn two_sites_never_share_a_folder() {
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
        let faults = assign(&mut sites(&[&one, &two]));
        assert_eq!(faults.len(), 1);
        assert!(faults[0].1.message.contains("its folder would be that of the site"));
    }
}
