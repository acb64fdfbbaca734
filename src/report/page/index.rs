//! `index.html`: the sites of a run on a small map and in one table, worst first.

use std::{cmp::Reverse, collections::BTreeMap};

use askama::Template;

use super::shell;
use super::sites_map::SitesMap;
use crate::finding::{RefusedScene, Verdict};
use crate::report::ReportError;
use crate::report::english::{self, labels as say};
use crate::report::format::class;

/// One site of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexRow {
    /// Folder of the site's report, beside the index.
    pub folder: String,
    /// The site's id.
    pub site: String,
    /// The site's name.
    pub name: String,
    /// How often each verdict was given: [`crate::finding::SiteReport::verdicts`].
    pub verdicts: BTreeMap<Verdict, usize>,
    /// Fraction of the site that was observed; `None` when nothing could be compared.
    pub observed_fraction: Option<f64>,
    /// `[longitude, latitude]` of its middle.
    pub place: [f64; 2],
    /// Whether a report stands in the folder.
    pub stands: bool,
    /// Why this run made no report; what is said else is that of an earlier one.
    pub error: Option<String>,
    /// The first sentence of [`crate::report::summary`].
    pub sentence: String,
}

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    sentence: String,
    map: Option<SitesMap>,
    rows: Vec<Row<'a>>,
    unreadable: &'a [&'a RefusedScene],
}

struct Row<'a> {
    link: Option<String>,
    site: &'a str,
    name: &'a str,
    badges: Vec<(&'static str, String)>,
    observed: String,
    fraction: f64,
    sentence: &'a str,
}

/// The page of a run over many sites: what needs review first, then what failed, what was not observed, and the rest by id; then the
/// scenes that are `unreadable`.
///
/// # Errors
/// When the template fails.
pub fn index_html(rows: &[IndexRow], unreadable: &[&RefusedScene]) -> Result<String, ReportError> {
    let count = |row: &IndexRow, verdict| {
        if row.error.is_some() {
            0
        } else {
            row.verdicts.get(&verdict).copied().unwrap_or(0)
        }
    };
    let needs_review =
        |row: &IndexRow| row.error.is_none() && row.verdicts.iter().any(|(v, n)| *n > 0 && v.needs_review());
    let mut sorted: Vec<&IndexRow> = rows.iter().collect();
    sorted.sort_by_key(|row| {
        let worst = [
            Verdict::Undeclared,
            Verdict::OverRun,
            Verdict::DeclaredNotSeen,
            Verdict::Inconclusive,
        ];
        let (counts, unseen) = (
            worst.map(|v| Reverse(count(row, v))),
            count(row, Verdict::NotObservable),
        );
        (
            !needs_review(row),
            counts,
            row.error.is_none(),
            Reverse(unseen),
            &row.site,
            &row.folder,
        )
    });
    let failed = rows.iter().filter(|r| r.error.is_some()).count();
    let unseen = rows
        .iter()
        .filter(|r| r.error.is_none() && r.observed_fraction.is_none())
        .count();
    let review = rows.iter().filter(|r| needs_review(r)).count();
    let place = |(number, row): (usize, &&IndexRow)| {
        let worst = row
            .verdicts
            .iter()
            .find(|(_, n)| **n > 0)
            .map(|(verdict, _)| class(*verdict));
        let class = match (&row.error, row.observed_fraction) {
            (Some(_), _) => "failed",
            (None, None) => class(Verdict::NotObservable),
            _ => worst.unwrap_or(class(Verdict::Consistent)),
        };
        (row.place, class, row.name.clone(), number + 1)
    };
    let page = Page {
        policy: shell::policy(shell::STYLE),
        style: shell::STYLE,
        script: shell::SCRIPT,
        sentence: english::of_run(rows.len(), review, failed, unseen),
        map: SitesMap::new(sorted.iter().enumerate().map(place).collect()),
        rows: sorted.iter().map(|row| Row::new(row)).collect(),
        unreadable,
    };
    let name = "index.html";
    page.render().map_err(|source| ReportError::Template { name, source })
}

impl<'a> Row<'a> {
    fn new(row: &'a IndexRow) -> Self {
        let badge = |(verdict, n): (&Verdict, &usize)| (class(*verdict), format!("{n} {}", verdict.words()));
        let failed = row.error.iter().map(|_| ("failed", say::FAILED.to_owned()));
        let badges = failed
            .chain(row.verdicts.iter().filter(|(_, n)| **n > 0).map(badge))
            .collect();
        let observed = row.observed_fraction;
        Self {
            link: row.stands.then(|| format!("./{}/report.html", encode(&row.folder))),
            site: &row.site,
            name: &row.name,
            badges,
            observed: observed.map_or_else(|| say::NOTHING.to_owned(), english::percent),
            fraction: observed.unwrap_or(0.0),
            sentence: row.error.as_deref().unwrap_or(&row.sentence),
        }
    }
}

/// A relative path for a link: everything but the unreserved characters of RFC 3986 and `/` in per cent.
fn encode(folder: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    folder.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn row(site: &str, verdicts: &[(Verdict, usize)]) -> IndexRow {
        IndexRow {
            folder: site.to_owned(),
            site: site.to_owned(),
            name: format!("Site {site}"),
            verdicts: verdicts.iter().copied().collect(),
            observed_fraction: Some(0.87),
            place: [13.0 + site.len() as f64 / 10.0, 48.0],
            stands: true,
            error: None,
            sentence: "No change was found.".to_owned(),
        }
    }

    fn rows() -> Vec<IndexRow> {
        let failed = IndexRow {
            stands: false,
            observed_fraction: None,
            error: Some("no scene covers <it>".into()),
            ..row("failed", &[])
        };
        let blind = IndexRow {
            observed_fraction: None,
            ..row("blind", &[(Verdict::NotObservable, 1)])
        };
        vec![
            row("quiet", &[(Verdict::Consistent, 2)]),
            blind,
            row("one", &[(Verdict::Undeclared, 1)]),
            failed,
            row("over", &[(Verdict::OverRun, 9)]),
            row("two", &[(Verdict::Undeclared, 2), (Verdict::Consistent, 1)]),
        ]
    }

    #[test]
    fn the_worst_comes_first() {
        let html = index_html(&rows(), &[]).unwrap();
        let places: Vec<usize> = ["two", "one", "over", "failed", "blind", "quiet"]
            .iter()
            .map(|site| html.find(&format!(r#"data-value="Site {site}""#)).unwrap())
            .collect();
        assert!(places.is_sorted(), "{places:?}");
        assert!(html.contains("3 of 6 sites need review; 1 failed; 1 could not be observed."));
        assert!(!html.contains("<it>") && html.contains("no scene covers &"));
        sample::write("index.html", html.as_bytes());
    }

    #[test]
    fn a_site_that_failed_shows_what_stands_and_scenes_that_cannot_be_read_are_listed() {
        let kept = IndexRow {
            error: Some("scene x cannot be read".into()),
            ..row("kept", &[(Verdict::Undeclared, 1)])
        };
        let scene = RefusedScene {
            id: "x<y".into(),
            reason: "B04.tif: the file is empty".into(),
            unreadable: true,
        };
        let html = index_html(&[kept], &[&scene]).unwrap();
        assert!(
            html.contains(r#"href="./kept/report.html""#)
                && html.contains("1 undeclared")
                && html.contains("scene x cannot")
        );
        assert!(html.contains("B04.tif: the file is empty") && !html.contains("x<y"));
    }

    #[test]
    fn links_stay_in_the_folder_of_the_run() {
        let evil = IndexRow {
            folder: "javascript:alert(1)\" x=\"".into(),
            ..row("a", &[])
        };
        let html = index_html(&[evil], &[]).unwrap();
        assert!(html.contains(r#"href="./javascript%3Aalert%281%29%22%20x%3D%22/report.html""#));
        assert!(index_html(&[], &[]).unwrap().contains("The run had no sites."));
    }
}
