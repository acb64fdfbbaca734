//! `report.html`: one file that opens from disk, asks the network for nothing and runs no script.

use minijinja::{
    AutoEscape, Environment, UndefinedBehavior, Value, escape_formatter, syntax::SyntaxConfig, value::Serde,
};

use super::format::{grouped, minute, three_figures};
use super::pictures::Pictures;
use super::view::View;
use super::{ReportError, words};
use crate::finding::SiteReport;

/// The report as one HTML file. It shows no more anomalies of a comparison than the record's parameter `report.max_shown` says.
///
/// # Errors
/// When an overview is not an image, its scale is not positive, or the template fails.
pub fn report_html(report: &SiteReport, pictures: &Pictures) -> Result<String, ReportError> {
    let view = View::new(report, pictures)?;
    let name = "report.html";
    let rendered = environment().and_then(|env| env.get_template(name)?.render(Serde(&view)));
    rendered.map_err(|source| ReportError::Template { name, source })
}

/// The templates and their filters. Values are escaped whatever the file: nothing from outside is ever marked safe.
pub(super) fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(|name| {
        if name.ends_with(".css") {
            AutoEscape::None
        } else {
            AutoEscape::Html
        }
    });
    // Numbers as Rust writes them: `120`, not `120.0`.
    env.set_formatter(|out, state, value| {
        if value.is_number()
            && !value.is_integer()
            && let Ok(number) = f64::try_from(value.clone())
        {
            return escape_formatter(out, state, &Value::from(number.to_string()));
        }
        escape_formatter(out, state, value)
    });
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    env.add_filter("grouped", |n: u64| grouped(n));
    env.add_filter("whole", |v: f64| grouped(v.max(0.0).round() as u64));
    env.add_filter("fixed", |v: f64, decimals: usize| {
        format!("{:.decimals$}", crate::finding::round(v, decimals as i32))
    });
    env.add_filter("figures", |v: f64| format!("{}", three_figures(v)));
    env.add_filter("signed", |v: f64| format!("{:+}", three_figures(v)));
    env.add_filter("percent", words::percent);
    env.add_filter("day", |instant: String| words::day(&instant).to_owned());
    env.add_filter("minute", |instant: String| minute(&instant));
    env.add_filter("reason", |reason: String| words::of_reason(&reason));
    env.add_template("style.css", include_str!("style.css"))?;
    env.add_template("report.html", include_str!("report.html"))?;
    env.add_template("index.html", include_str!("index.html"))?;
    Ok(env)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn render(report: &SiteReport) -> String {
        report_html(report, &Pictures::default()).unwrap()
    }

    /// What would make a browser ask for something: an address in an attribute or in a style.
    pub(in crate::report) fn assert_asks_for_nothing(html: &str) {
        let request =
            regex::Regex::new(r#"(?i)<(?:script|link|iframe|object|embed|base)\b|@import|url\(|srcset="#).unwrap();
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
        assert!(html.contains("default-src 'none'"));
    }

    #[test]
    fn the_page_asks_for_nothing() {
        let (report, pictures) = (sample::full(), sample::pictures());
        let html = report_html(&report, &pictures).unwrap();
        assert_asks_for_nothing(&html);
        assert_eq!(html, report_html(&report, &pictures).unwrap());
        sample::write("report.html", html.as_bytes());
    }

    #[test]
    fn names_from_outside_appear_as_text_only() {
        let mut report = sample::full();
        let mut pictures = sample::pictures();
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
        pictures.zone_outlines.insert(
            quoted.to_owned(),
            vec![vec![[1.0, 1.0], [9.0, 1.0], [9.0, 9.0], [1.0, 1.0]]],
        );
        let anomaly = &mut report.comparisons[0].anomalies[0];
        anomaly.id = quoted.to_owned();
        anomaly.zones = vec![evil.to_owned()];
        anomaly.activities = vec![quoted.to_owned()];
        anomaly.evidence[0].text = evil.to_owned();
        anomaly.change[0].band = evil.to_owned();
        let html = report_html(&report, &pictures).unwrap();
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;alert(1)"));
        assert!(!html.contains(r#"" onload="#) && !html.contains("' onclick="));
        assert!(html.contains("x&quot; onload=&quot;alert(2)&#x27; onclick"));
    }

    #[test]
    fn every_state_renders() {
        let mut bare = sample::unobserved();
        bare.comparisons.clear();
        bare.scenes.clear();
        bare.grid = None;
        for (name, report) in [
            ("unobserved.html", sample::unobserved()),
            ("quiet.html", sample::quiet()),
            ("bare.html", bare),
        ] {
            let html = render(&report);
            assert!(html.contains(&words::summary(&report)[0]), "{name}");
            sample::write(name, html.as_bytes());
        }
    }

    #[test]
    fn no_more_anomalies_are_shown_than_asked_for_and_the_page_says_so() {
        let mut report = sample::crowded(300);
        report.parameters = serde_json::json!({"report": {"max_shown": 7}});
        let html = render(&report);
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
        let report = sample::crowded(300);
        let html = render(&report);
        assert_eq!(html.matches("<article").count(), 300);
        assert_eq!(html.matches("No pictures").count(), 300);
        sample::write("crowded.html", html.as_bytes());
    }

    #[test]
    fn outlines_lie_on_the_picture() {
        let html = report_html(&sample::full(), &sample::pictures()).unwrap();
        // The grid is 120 x 90 pixels, the overview twice that.
        assert!(html.contains(r#"viewBox="0 0 120 90""#), "{}", &html[..2000]);
        assert!(html.contains(r#"width="120" height="90" preserveAspectRatio="none""#));
        assert!(html.contains("M20 20L32 20L32 30L20 30Z"));
    }

    #[test]
    fn an_overview_that_is_no_picture_is_refused() {
        let mut pictures = sample::pictures();
        pictures.overview_scale = 0.0;
        assert!(matches!(
            report_html(&sample::full(), &pictures),
            Err(ReportError::Picture { .. })
        ));
        pictures.overview_scale = 1.0;
        pictures.overview = Some(b"no picture".to_vec());
        assert!(matches!(
            report_html(&sample::full(), &pictures),
            Err(ReportError::Image { .. })
        ));
    }

    #[test]
    fn an_unobserved_site_shows_no_zeros_that_would_calm() {
        let html = render(&sample::unobserved());
        assert!(!html.contains("<strong>0</strong>"));
        assert!(html.contains("could not be observed"));
    }
}
