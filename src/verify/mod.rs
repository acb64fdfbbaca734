//! A run held against what it is expected to give, layer by layer: a regression on anybody's own imagery.
//!
//! What is expected is an output folder of an earlier run, or that part of it which somebody keeps: of each site `report.json` and,
//! where they are kept, `score.tif` and `flags.tif`.

mod error;
mod essence;
mod layers;
mod picture;

use std::path::{Path, PathBuf};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::finding::SiteReport;
use crate::intake;
pub use error::ExpectError;
use layers::Layer;
use picture::Frame;

/// One layer of one site: where it departs from what is expected.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// The site's folder.
    pub site: String,
    /// `report.json`, `score.tif` or `flags.tif`.
    pub layer: &'static str,
    /// Each departure, a sentence; empty where it is as expected.
    pub departures: Vec<String>,
    /// A picture of the difference.
    pub picture: Option<PathBuf>,
}

/// The checks of every site that `expected` holds against `found`: output folders, or folders of sites; pictures of what differs go to
/// `pictures`.
///
/// A site is looked for by the name of its folder; one that none of `found` has departs; one that only they have is passed over, so that a part can be kept.
///
/// # Errors
/// What is expected cannot be read, a picture cannot be written.
pub fn expect(expected: &Path, found: &[PathBuf], pictures: Option<&Path>) -> Result<Vec<Check>, ExpectError> {
    let mut checks = Vec::new();
    for (site, folder) in sites(expected)? {
        let there = place(&site, found);
        let name = if site.is_empty() { "site" } else { &site };
        let check = |layer, departures, picture| Check {
            site: name.to_owned(),
            layer,
            departures,
            picture,
        };
        let picture_of = |word: &str| pictures.map(|folder| folder.join(format!("{name}-{word}.png")));
        let report = read(&folder.join(REPORT)).map_err(|message| ExpectError::Expected {
            path: folder.join(REPORT),
            message,
        })?;
        let other = read(&there.join(REPORT));
        let (departures, picture) = match &other {
            Ok(other) => {
                let departures = essence::departures(&report, other);
                let path = picture_of("report").filter(|_| !departures.is_empty());
                let drawn = path.map(|path| picture_of_record([&report, other], [&folder, &there], path));
                (departures, drawn.transpose()?.flatten())
            }
            Err(message) => (
                vec![format!("expected a report, found none that can be read: {message}")],
                None,
            ),
        };
        checks.push(check(REPORT, departures, picture));
        for layer in Layer::ALL {
            let (kept, found) = (folder.join(layer.file()), there.join(layer.file()));
            if !kept.exists() {
                continue;
            }
            let (departures, picture) = match layers::compare(layer, &kept, &found)? {
                Ok(difference) if difference.is_expected() => (Vec::new(), None),
                Ok(difference) => {
                    let path = picture_of(layer.word());
                    if let Some(path) = &path {
                        let of_found = other
                            .as_ref()
                            .map_or_else(|_| Vec::new(), |other| frames(other, difference.band));
                        let frames = [frames(&report, difference.band), of_found];
                        picture::write(layer, difference.band, [&kept, &found], &frames, path)?;
                    }
                    (vec![difference.sentence(layer)], path)
                }
                Err(message) => (vec![message], None),
            };
            checks.push(check(layer.file(), departures, picture));
        }
    }
    Ok(checks)
}

/// Draws the anomalies of two reports over the scores that lie in their `folders` to `path`; `None` where those are not kept or of another size.
fn picture_of_record(
    [expected, found]: [&SiteReport; 2],
    folders: [&Path; 2],
    path: PathBuf,
) -> Result<Option<PathBuf>, ExpectError> {
    let scores = folders.map(|folder| folder.join(Layer::Score.file()));
    let band = essence::departing_band(expected, found);
    match band.filter(|_| scores[0].exists()) {
        Some(band) if layers::same_size(&scores[0], &scores[1])?.is_ok_and(|info| band <= info.bands) => {
            let frames = [expected, found].map(|report| frames(report, band));
            picture::write(Layer::Score, band, [&scores[0], &scores[1]], &frames, &path)?;
            Ok(Some(path))
        }
        _ => Ok(None),
    }
}

/// The anomalies of the comparison that a band holds.
fn frames(report: &SiteReport, band: usize) -> Vec<Frame> {
    let of_band = report.comparisons.iter().filter(|comparison| comparison.band == band);
    let anomalies = of_band.flat_map(|comparison| &comparison.anomalies);
    anomalies.map(|anomaly| (anomaly.bounds_px, anomaly.verdict)).collect()
}

const REPORT: &str = "report.json";

/// Where `site` lies in the first of `found` that has it: it is that folder itself, or in it.
fn place(site: &str, found: &[PathBuf]) -> PathBuf {
    let of = |folder: &PathBuf| match folder.ends_with(site) || site.is_empty() {
        true => folder.clone(),
        false => folder.join(site),
    };
    let has_report = |folder: &PathBuf| folder.join(REPORT).exists();
    let first = || found.first().map(of).unwrap_or_default();
    found.iter().map(of).find(has_report).unwrap_or_else(first)
}

/// The folders of sites under `expected`, with their names, which are empty where it is one itself.
fn sites(expected: &Path) -> Result<Vec<(String, PathBuf)>, ExpectError> {
    if expected.join(REPORT).exists() {
        return Ok(vec![(String::new(), expected.to_owned())]);
    }
    let entries = std::fs::read_dir(expected).into_iter().flatten().flatten();
    let mut sites: Vec<_> = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(_, path)| path.join(REPORT).exists())
        .collect();
    sites.sort();
    match sites.is_empty() {
        true => Err(ExpectError::Nothing(expected.to_owned())),
        false => Ok(sites),
    }
}

fn read(path: &Path) -> Result<SiteReport, String> {
    let read = intake::text(path, intake::MAX_REPORT_BYTES).map_err(|error| error.problem.to_string())?;
    serde_json::from_str(&read.text).map_err(|error| error.to_string())
}

/// `checks` as JUnit XML: a suite for each site, a case for each layer.
///
/// # Errors
/// What the writer says.
pub fn junit(checks: &[Check]) -> Result<String, String> {
    let mut xml = Report::new("sitewatch evaluate --expect");
    for of_site in checks.chunk_by(|a, b| a.site == b.site) {
        let mut suite = TestSuite::new(of_site[0].site.as_str());
        for check in of_site {
            let status = if check.departures.is_empty() {
                TestCaseStatus::success()
            } else {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(format!("{} departures", check.departures.len()));
                let picture = check.picture.iter().map(|path| format!("picture: {}", path.display()));
                let lines: Vec<String> = check.departures.iter().cloned().chain(picture).collect();
                status.set_description(lines.join("\n"));
                status
            };
            let mut case = TestCase::new(check.layer, status);
            case.set_classname(check.site.as_str());
            suite.add_test_case(case);
        }
        xml.add_test_suite(suite);
    }
    xml.to_string().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_departure_fails_its_case_and_nothing_else() {
        let check = |layer, departures: &[&str]| Check {
            site: "A & B".into(),
            layer,
            departures: departures.iter().map(|text| (*text).to_owned()).collect(),
            picture: None,
        };
        let xml = junit(&[check(REPORT, &[]), check("score.tif", &["one <two>"])]).unwrap();
        assert!(xml.contains(r#"tests="2""#) && xml.contains(r#"failures="1""#), "{xml}");
        assert!(xml.contains("A &amp; B") && xml.contains("one &lt;two&gt;"), "{xml}");
    }

    #[test]
    fn a_site_is_found_as_itself_and_in_any_output() {
        let folder = tempfile::tempdir().unwrap();
        let outs = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::create_dir_all(outs[1].join("S")).unwrap();
        std::fs::write(outs[1].join("S").join(REPORT), "{}").unwrap();
        assert_eq!(place("S", &outs), outs[1].join("S"));
        assert_eq!(place("S", &[outs[1].join("S")]), outs[1].join("S"));
        assert_eq!(place("", &[outs[1].join("S")]), outs[1].join("S"));
        assert_eq!(place("T", &outs), outs[0].join("T"));
    }

    #[test]
    fn nothing_to_expect_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = expect(folder.path(), &[folder.path().to_owned()], None).unwrap_err();
        assert!(error.to_string().contains("found none"), "{error}");
        std::fs::write(folder.path().join(REPORT), "{}").unwrap();
        let error = expect(folder.path(), &[folder.path().to_owned()], None).unwrap_err();
        assert!(matches!(error, ExpectError::Expected { .. }), "{error}");
    }
}
