//! `report.html`: one file that opens from disk and asks the network for nothing.

use askama::Template;

use super::view::Page;
use crate::finding::SiteReport;
use crate::report::ReportError;
use crate::report::pictures::gallery::{Gallery, Outlines};

/// The report as one HTML file. It shows no more anomalies of a comparison than the record's parameter `report.max_shown` says.
///
/// # Errors
/// When the template fails.
pub fn report_html(report: &SiteReport, gallery: &Gallery, outlines: &Outlines) -> Result<String, ReportError> {
    let name = "report.html";
    let page = Page::new(report, gallery, outlines);
    page.render().map_err(|source| ReportError::Template { name, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::What;
    use crate::finding::Fact;
    use crate::report::{english, sample};

    fn full(report: &SiteReport) -> String {
        report_html(report, &sample::gallery(), &sample::outlines()).unwrap()
    }

    fn bare(report: &SiteReport) -> String {
        report_html(report, &Gallery::default(), &Outlines::default()).unwrap()
    }

    /// What would make a browser ask for something: an address in an attribute or in a style.
    fn assert_asks_for_nothing(html: &str) {
        let request =
            regex::Regex::new(r#"(?i)<(?:link|iframe|object|embed|base)\b|<script\s|@import|url\(|srcset=|\sstyle="#)
                .unwrap();
        assert!(request.find(html).is_none(), "{:?}", request.find(html));
        let address = regex::Regex::new(
            r#"(?i)\s(?:src|href|xlink:href|action|data|poster|background)\s*=\s*["']?([^"'>]{0,20})"#,
        )
        .unwrap();
        let mut found = 0;
        for hit in address.captures_iter(html) {
            let target = &hit[1];
            assert!(
                target.starts_with('#') || target.starts_with("data:image/") || target.starts_with("./"),
                "{target}"
            );
            found += 1;
        }
        assert!(found > 0);
        assert!(html.contains("default-src &#x27;none&#x27;") || html.contains("default-src &#39;none&#39;"));
        assert!(!html.contains("unsafe-inline"));
    }

    #[test]
    fn the_page_asks_for_nothing() {
        let report = sample::full();
        let html = full(&report);
        assert_asks_for_nothing(&html);
        assert_eq!(html, full(&report));
        sample::write("report.html", html.as_bytes());
    }

    /// Only the style sheet, the script and numbers enter a template unescaped.
    #[test]
    fn nothing_from_outside_is_marked_safe() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/page/templates");
        let mut safe = Vec::new();
        let marked = regex::Regex::new(r"\{\{([^}]*)\|\s*safe").unwrap();
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            safe.extend(marked.captures_iter(&text).map(|hit| hit[1].trim().to_owned()));
        }
        safe.sort();
        safe.dedup();
        assert_eq!(
            safe,
            [
                "script",
                "style",
                "viewer.frame.place_of_all()",
                "viewer.window.place_of_all()"
            ]
        );
    }

    /// The English of the page stands in `english`: templates hold no words.
    #[test]
    fn templates_hold_no_words() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/page/templates");
        let code = regex::Regex::new(r"(?s)\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>").unwrap();
        let spoken = regex::Regex::new(r#"\s(?:aria-label|title|alt|placeholder)="([^"]*)""#).unwrap();
        let values = regex::Regex::new(r"\{%.*?%\}|\{\{.*?\}\}").unwrap();
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "html") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let between = code.replace_all(&text, " ").replace("sitewatch", "");
            let said = spoken
                .captures_iter(&text)
                .map(|hit| values.replace_all(&hit[1], "").into_owned());
            for words in std::iter::once(between).chain(said) {
                let letters: String = words.chars().filter(|c| c.is_alphabetic()).collect();
                assert!(
                    letters.is_empty() || letters == "HIDDEN",
                    "{}: {letters}",
                    path.display()
                );
            }
        }
    }

    #[test]
    fn names_from_outside_appear_as_text_only() {
        let mut report = sample::full();
        let mut outlines = sample::outlines();
        let evil = "<script>alert(1)</script>";
        let quoted = r#"x" onload="alert(2)' onclick='alert(3)"#;
        report.site.name = evil.to_owned();
        report.site.id = quoted.to_owned();
        report.inputs[0].path = quoted.to_owned();
        report.parameters = serde_json::json!({ evil: quoted });
        report.scenes[0].id = evil.to_owned();
        report.refused[0].reason = evil.to_owned();
        report.declarations[0].party = evil.to_owned();
        report.comparisons[0].after = evil.to_owned();
        report.comparisons[0].notes = vec![evil.to_owned()];
        report.activities[0].id = quoted.to_owned();
        report.comparisons[0].zones[0].id = evil.to_owned();
        let ring = vec![vec![[1.0, 1.0], [9.0, 1.0], [9.0, 9.0], [1.0, 1.0]]];
        outlines.zones.insert(quoted.to_owned(), ring);
        let anomaly = &mut report.comparisons[0].anomalies[0];
        anomaly.id = quoted.to_owned();
        anomaly.zones = vec![evil.to_owned()];
        anomaly.activities = vec![quoted.to_owned()];
        anomaly.evidence[0].fact = Fact::Area {
            activity: evil.to_owned(),
            fraction: 1.0,
            tolerance_m: 0.0,
            what: What::Construction,
        };
        anomaly.change[0].band = evil.to_owned();
        let html = report_html(&report, &sample::gallery(), &outlines).unwrap();
        assert_eq!(html.matches("<script").count(), 1, "the page's own");
        assert!(!html.contains("<script>alert"));
        assert!(!html.contains(r#"" onload="#) && !html.contains("' onclick="));
    }

    #[test]
    fn every_state_renders() {
        let mut nothing = sample::unobserved();
        nothing.comparisons.clear();
        nothing.scenes.clear();
        nothing.grid = None;
        for (name, report) in [
            ("unobserved.html", sample::unobserved()),
            ("quiet.html", sample::quiet()),
            ("bare.html", nothing),
        ] {
            let html = bare(&report);
            assert!(html.contains(&english::summary(&report)[0]), "{name}");
            sample::write(name, html.as_bytes());
        }
    }

    #[test]
    fn no_more_anomalies_are_shown_than_asked_for_and_the_page_says_so() {
        let mut report = sample::crowded(300);
        report.parameters = serde_json::json!({"report": {"max_shown": 7}});
        let html = bare(&report);
        assert_eq!(html.matches("<article").count(), 7);
        assert!(html.contains("<caption>7 of 300,"));
        assert!(html.contains("Of 300 anomalies the 7 that are listed below are outlined."));
        let id = |index: usize| report.comparisons[0].anomalies[index].id.as_str();
        let first = crate::report::shown(&report.comparisons[0].anomalies, 7);
        assert!((0..300).all(|index| html.contains(id(index)) == first.contains(&index)));
        assert!(
            first
                .iter()
                .all(|index| report.comparisons[0].anomalies[*index].verdict.needs_review())
        );
    }

    #[test]
    fn hundreds_of_anomalies_without_pictures() {
        let html = bare(&sample::crowded(300));
        assert_eq!(html.matches("<article").count(), 300);
        assert_eq!(html.matches("No pictures were made").count(), 300);
        sample::write("crowded.html", html.as_bytes());
    }

    #[test]
    fn outlines_lie_on_the_picture() {
        let html = full(&sample::full());
        // The grid is 120 x 90 pixels; a shape is defined once and drawn where it is needed.
        assert!(html.contains(r#"viewBox="0 0 120 90""#));
        assert_eq!(
            html.matches(r#"<path id="o1" d="M20 20L32 20L32 30L20 30Z""#).count(),
            1
        );
        assert!(
            html.matches(r##"href="#o1" class="outline line v-undeclared""##)
                .count()
                >= 4
        );
    }

    #[test]
    fn likelihood_and_confidence_stand_apart() {
        let html = full(&sample::full());
        assert!(html.contains("It is almost certain (95 to 99 %)"));
        assert!(html.contains("Confidence in this verdict is"));
    }

    #[test]
    fn an_unobserved_site_shows_no_zeros_that_would_calm() {
        let html = bare(&sample::unobserved());
        assert!(!html.contains("<strong>0</strong>"));
        assert!(html.contains("could not be observed"));
    }
}
