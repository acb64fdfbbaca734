//! `report.html`: one file that opens from disk, asks the network for nothing and runs no script.

use std::{collections::BTreeMap, io::Cursor};

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{
    AutoEscape, Environment, UndefinedBehavior, Value, escape_formatter, syntax::SyntaxConfig, value::Serde,
};
use serde::Serialize;

use super::{
    ReportError,
    svg::{self, Window},
    words,
};
use crate::finding::{Anomaly, Comparison, Coverage, CutoffRecord, Evidence, Interval, SiteReport, Verdict};

/// Rings of polygons in pixels of the site grid; holes by the even-odd rule.
pub type Rings = Vec<Vec<[f64; 2]>>;

/// Everything that the page shows and the record does not hold. All of it may be missing: the page says so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pictures {
    /// The newest scene over the whole site grid, PNG.
    pub overview: Option<Vec<u8>>,
    /// The scene before it, over the same ground and stretched alike, PNG.
    pub overview_before: Option<Vec<u8>>,
    /// Overview pixels per pixel of the site grid.
    pub overview_scale: f64,
    /// Pictures of anomalies by their id.
    pub chips: BTreeMap<String, Chip>,
    /// Outlines of anomalies by their id, in pixels of the site grid.
    pub outlines: BTreeMap<String, Rings>,
    /// The site's boundary, in pixels of the site grid.
    pub site_outline: Rings,
    /// Zones by their id, in pixels of the site grid.
    pub zone_outlines: BTreeMap<String, Rings>,
    /// Activities by their id, in pixels of the site grid.
    pub activity_outlines: BTreeMap<String, Rings>,
}

/// The ground around an anomaly on both dates, stretched alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chip {
    /// The earlier date, PNG.
    pub before: Vec<u8>,
    /// The later date, PNG.
    pub after: Vec<u8>,
    /// What both show: x, y, width, height in pixels of the site grid.
    pub window_px: [i64; 4],
}

/// The report as one HTML file.
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

/// What the template is given: the record, and what is drawn and said about it.
#[derive(Serialize)]
struct View<'a> {
    report: &'a SiteReport,
    standing: (&'static str, &'static str),
    summary: Vec<String>,
    unobserved: bool,
    counts: Vec<Count>,
    span: Option<Interval>,
    map: Option<Map>,
    groups: Vec<Group<'a>>,
    anomalies: usize,
    activities: Vec<Activity<'a>>,
    parameters: BTreeMap<String, String>,
}

/// A verdict: its class in the style sheet, its words, how often.
#[derive(Serialize)]
struct Count {
    class: &'static str,
    words: &'static str,
    number: usize,
}

/// The site from above.
#[derive(Serialize)]
struct Map {
    window: Window,
    picture: Option<Layer>,
    before: Option<Layer>,
    scene: Option<String>,
    scene_before: Option<String>,
    site: String,
    zones: Vec<Mark>,
    activities: Vec<Mark>,
    anomalies: Vec<Mark>,
}

/// A picture and its size in pixels of the site grid.
#[derive(Serialize)]
struct Layer {
    uri: String,
    width: f64,
    height: f64,
}

/// An outline with its label, placed in per cent of the map.
#[derive(Serialize)]
struct Mark {
    number: usize,
    class: &'static str,
    label: String,
    path: String,
    left: f64,
    top: f64,
}

/// A comparison and what was found in it.
#[derive(Serialize)]
struct Group<'a> {
    comparison: &'a Comparison,
    days: String,
    judged: bool,
    observed: String,
    cards: Vec<Card<'a>>,
    coverage: Vec<CoverageRow>,
    false_alarms: Option<String>,
}

#[derive(Serialize)]
struct Card<'a> {
    number: usize,
    anomaly: &'a Anomaly,
    class: &'static str,
    words: &'static str,
    place: String,
    size: Option<String>,
    pair: Option<Pair>,
    supports: Vec<&'a Evidence>,
    against: Vec<&'a Evidence>,
}

#[derive(Serialize)]
struct Pair {
    before: String,
    after: String,
    window: Window,
    outline: String,
    declared: String,
}

#[derive(Serialize)]
struct Activity<'a> {
    finding: &'a crate::finding::ActivityFinding,
    class: &'static str,
    words: &'static str,
    days: String,
    anomalies: Vec<(usize, &'a str)>,
}

/// One area of a coverage table: a bar of its observed part, and reasons for the rest.
#[derive(Serialize)]
struct CoverageRow {
    name: String,
    observed: String,
    bar_percent: f64,
    reasons: Option<String>,
    pixels: u64,
}

impl<'a> View<'a> {
    fn new(report: &'a SiteReport, pictures: &Pictures) -> Result<Self, ReportError> {
        let pixel_m = report.grid.as_ref().map(|g| g.pixel_m);
        // Newest comparison first, and in it what has to be reviewed first; the numbers follow that order.
        let mut number = 0;
        let mut numbers = BTreeMap::new();
        let mut groups = Vec::new();
        for comparison in report.comparisons.iter().rev() {
            let mut anomalies: Vec<&Anomaly> = comparison.anomalies.iter().collect();
            anomalies.sort_by_key(|a| (!a.verdict.needs_review(), a.verdict));
            let mut cards = Vec::new();
            for anomaly in anomalies {
                number += 1;
                numbers.insert(anomaly.id.as_str(), number);
                cards.push(Card::new(number, anomaly, pixel_m, pictures));
            }
            groups.push(Group::new(comparison, cards));
        }
        let activities = report.activities.iter().map(|a| Activity {
            finding: a,
            class: class(a.verdict),
            words: words::of_activity(a),
            days: words::days(&a.window),
            anomalies: a
                .anomalies
                .iter()
                .filter_map(|id| Some((*numbers.get(id.as_str())?, id.as_str())))
                .collect(),
        });
        let counted = report.verdicts();
        let counts = VERDICTS.iter().map(|v| Count {
            class: class(*v),
            words: v.words(),
            number: counted.get(v).copied().unwrap_or(0),
        });
        let judged = || report.comparisons.iter().filter(|c| words::was_judged(c));
        let start = judged().map(|c| c.dates.start.clone()).min();
        let end = judged().map(|c| c.dates.end.clone()).max();
        let mut parameters = BTreeMap::new();
        flatten("", &report.parameters, &mut parameters);
        Ok(Self {
            report,
            standing: standing(report),
            summary: words::summary(report),
            unobserved: judged().next().is_none(),
            counts: counts.collect(),
            span: start.zip(end).map(|(start, end)| Interval { start, end }),
            map: Map::new(report, pictures, &groups)?,
            anomalies: number,
            activities: activities.collect(),
            groups,
            parameters,
        })
    }
}

const VERDICTS: [Verdict; 6] = [
    Verdict::Undeclared,
    Verdict::OverRun,
    Verdict::DeclaredNotSeen,
    Verdict::Inconclusive,
    Verdict::NotObservable,
    Verdict::Consistent,
];

/// The class of a verdict in the style sheet.
pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Undeclared => "undeclared",
        Verdict::OverRun => "over-run",
        Verdict::DeclaredNotSeen => "not-seen",
        Verdict::Consistent => "consistent",
        Verdict::NotObservable => "not-observable",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// How the site stands: class and words. What was not seen keeps a site from being called clear.
fn standing(report: &SiteReport) -> (&'static str, &'static str) {
    let hidden = |v| v == Verdict::NotObservable;
    let whole = |c: &Comparison| words::was_judged(c) && c.coverage.observed == c.coverage.pixels;
    if report.needs_review() {
        ("undeclared", "needs review")
    } else if !report.comparisons.iter().any(words::was_judged) {
        ("not-observable", "could not be observed")
    } else if report.comparisons.iter().all(whole) && !report.activities.iter().any(|a| hidden(a.verdict)) {
        ("consistent", "nothing to review")
    } else {
        ("consistent", "nothing to review in what was observed")
    }
}

impl Map {
    /// `None` without a site grid: there is nothing to draw on.
    fn new(report: &SiteReport, pictures: &Pictures, groups: &[Group]) -> Result<Option<Self>, ReportError> {
        let Some(grid) = &report.grid else { return Ok(None) };
        let Some(window) = Window::new([0.0, 0.0, grid.width as f64, grid.height as f64], grid.pixel_m) else {
            return Ok(None);
        };
        let mark =
            |number: usize, class: &'static str, label: String, rings: &Rings, corner: fn([f64; 4]) -> (f64, f64)| {
                let (x, y) = corner(svg::bounds(rings)?);
                let (left, top) = window.place(x, y);
                Some(Mark {
                    number,
                    class,
                    label,
                    path: svg::path(rings),
                    left,
                    top,
                })
            };
        let top_left = |[l, t, _, _]: [f64; 4]| (l, t);
        let bottom_left = |[l, _, _, b]: [f64; 4]| (l, b);
        let zones = pictures
            .zone_outlines
            .iter()
            .filter_map(|(id, rings)| mark(0, "zone", id.clone(), rings, top_left));
        let activities = report.activities.iter().filter_map(|a| {
            mark(
                0,
                "activity",
                a.id.clone(),
                pictures.activity_outlines.get(&a.id)?,
                bottom_left,
            )
        });
        let anomalies = groups.iter().flat_map(|g| &g.cards).map(|card| {
            let [x, y, w, _] = card.anomaly.bounds_px.map(|v| v as f64);
            let (left, top) = window.place(x + w / 2.0, y);
            let outline = pictures.outlines.get(&card.anomaly.id);
            Mark {
                number: card.number,
                class: card.class,
                label: format!("anomaly {}: {}", card.number, card.words),
                path: outline.map(|rings| svg::path(rings)).unwrap_or_default(),
                left,
                top,
            }
        });
        let newest = report.comparisons.last();
        let scene = |id: Option<&String>| {
            id.map(|id| match report.scenes.iter().find(|s| s.id == *id) {
                Some(scene) => format!("{id}, {}", words::days(&scene.acquired)),
                None => id.clone(),
            })
        };
        let layer = |png: &Option<Vec<u8>>, what: &str| {
            png.as_ref()
                .map(|bytes| Layer::new(bytes, pictures.overview_scale, what))
                .transpose()
        };
        Ok(Some(Self {
            picture: layer(&pictures.overview, "the overview of the newest scene")?,
            before: layer(&pictures.overview_before, "the overview of the scene before")?,
            scene: scene(newest.map(|c| &c.after)),
            scene_before: scene(newest.map(|c| &c.before)),
            site: svg::path(&pictures.site_outline),
            zones: zones.collect(),
            activities: activities.collect(),
            anomalies: anomalies.collect(),
            window,
        }))
    }
}

impl Layer {
    fn new(bytes: &[u8], scale: f64, what: &str) -> Result<Self, ReportError> {
        if !(scale > 0.0 && scale.is_finite()) {
            let message = format!("expected a positive scale (picture pixels per grid pixel), found {scale}");
            return Err(ReportError::Picture {
                what: what.to_owned(),
                message,
            });
        }
        let failed = |source| ReportError::Image {
            what: what.to_owned(),
            source,
        };
        let reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format();
        let size = reader
            .map_err(image::ImageError::IoError)
            .and_then(|r| r.into_dimensions());
        let (width, height) = size.map_err(failed)?;
        Ok(Self {
            uri: data_uri(bytes),
            width: f64::from(width) / scale,
            height: f64::from(height) / scale,
        })
    }
}

impl<'a> Group<'a> {
    fn new(comparison: &'a Comparison, cards: Vec<Card<'a>>) -> Self {
        let mut coverage = vec![CoverageRow::new("whole site".to_owned(), &comparison.coverage)];
        let zones = comparison.zones.iter();
        coverage.extend(zones.map(|z| CoverageRow::new(format!("{} ({})", z.id, z.role), &z.coverage)));
        Self {
            comparison,
            days: words::days(&comparison.dates),
            judged: words::was_judged(comparison),
            observed: words::share(comparison.coverage.observed, comparison.coverage.pixels),
            coverage,
            false_alarms: comparison
                .cutoff
                .as_ref()
                .map(|c| false_alarms(c, comparison.anomalies.len())),
            cards,
        }
    }
}

/// How many of the anomalies of a comparison are expected to be none, in plain words.
fn false_alarms(cutoff: &CutoffRecord, anomalies: usize) -> String {
    let Some(seed) = cutoff.seed_sigma else {
        return format!(
            "No score is so high that a false discovery rate of {} could be kept, so no change was claimed.",
            words::percent(cutoff.seed_fdr)
        );
    };
    let pixels = format!(
        "{} of {} judged pixels score {seed:.2} sigma or more; by the scores of unchanged ground, {} of them would do so by chance.",
        grouped(cutoff.claimed),
        grouped(cutoff.judged),
        three_figures(cutoff.expected_false_pixels)
    );
    let expected = three_figures(cutoff.expected_false_anomalies);
    match anomalies {
        0 => format!("{pixels} None of them forms a region that is large enough to be an anomaly."),
        1 => format!("{pixels} That is about {expected} false alarms expected, where 1 anomaly was found."),
        n => format!("{pixels} That is about {expected} false alarms expected among the {n} anomalies found."),
    }
}

impl CoverageRow {
    fn new(name: String, coverage: &Coverage) -> Self {
        Self {
            name,
            observed: words::share(coverage.observed, coverage.pixels),
            bar_percent: crate::finding::round(100.0 * coverage.observed as f64 / coverage.pixels.max(1) as f64, 1),
            reasons: words::reasons(coverage),
            pixels: coverage.pixels,
        }
    }
}

impl<'a> Card<'a> {
    fn new(number: usize, anomaly: &'a Anomaly, pixel_m: Option<f64>, pictures: &Pictures) -> Self {
        let pair = pixel_m
            .zip(pictures.chips.get(&anomaly.id))
            .and_then(|(pixel_m, chip)| {
                let declared = anomaly
                    .activities
                    .iter()
                    .filter_map(|id| pictures.activity_outlines.get(id));
                Some(Pair {
                    before: data_uri(&chip.before),
                    after: data_uri(&chip.after),
                    window: Window::new(chip.window_px.map(|v| v as f64), pixel_m)?,
                    outline: pictures
                        .outlines
                        .get(&anomaly.id)
                        .map(|rings| svg::path(rings))
                        .unwrap_or_default(),
                    declared: declared.map(|rings| svg::path(rings)).collect(),
                })
            });
        let [_, _, w, h] = anomaly.bounds_px.map(|v| v as f64);
        let (supports, against) = anomaly.evidence.iter().partition(|e| e.supports);
        Self {
            number,
            anomaly,
            class: class(anomaly.verdict),
            words: anomaly.verdict.words(),
            place: place(anomaly.centroid),
            size: pixel_m
                .and_then(|m| Window::new([0.0, 0.0, w, h], m))
                .map(|window| window.size),
            pair,
            supports,
            against,
        }
    }
}

/// `48.11730° N, 1.67780° W`: five decimals are about a metre.
fn place([lon, lat]: [f64; 2]) -> String {
    let (north, east) = (if lat < 0.0 { 'S' } else { 'N' }, if lon < 0.0 { 'W' } else { 'E' });
    format!("{:.5}° {north}, {:.5}° {east}", lat.abs(), lon.abs())
}

fn data_uri(bytes: &[u8]) -> String {
    let kind = match image::guess_format(bytes) {
        Ok(image::ImageFormat::Jpeg) => "jpeg",
        _ => "png",
    };
    format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
}

/// Digits in threes, apart by narrow spaces that do not break.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

fn three_figures(v: f64) -> f64 {
    let rounded: f64 = format!("{v:.2e}").parse().unwrap_or(v);
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// `2016-06-08 10:56 UTC` of an RFC 3339 instant in UTC; others as they are.
fn minute(instant: &str) -> String {
    match (instant.get(..10), instant.get(10..11), instant.get(11..16)) {
        (Some(day), Some("T"), Some(time)) if instant.ends_with('Z') => format!("{day} {time} UTC"),
        _ => instant.to_owned(),
    }
}

/// The parameters as `section.key` and their value.
fn flatten(prefix: &str, value: &serde_json::Value, out: &mut BTreeMap<String, String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let name = if prefix.is_empty() {
                    key.clone()
                } else {
                    format!("{prefix}.{key}")
                };
                flatten(&name, value, out);
            }
        }
        serde_json::Value::String(text) => drop(out.insert(prefix.to_owned(), text.clone())),
        serde_json::Value::Null => drop(out.insert(prefix.to_owned(), "not set".to_owned())),
        other => drop(out.insert(prefix.to_owned(), other.to_string())),
    }
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

    #[test]
    fn figures() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(123), "123");
        assert_eq!(place([-1.6778, 48.1173]), "48.11730° N, 1.67780° W");
        assert_eq!(minute("2016-06-08T10:56:12.5Z"), "2016-06-08 10:56 UTC");
        assert_eq!(minute("2016-06-08T10:56:12+02:00"), "2016-06-08T10:56:12+02:00");
        assert_eq!(minute("é"), "é");
        assert_eq!(three_figures(0.012_345), 0.0123);
        assert_eq!(
            three_figures(-1e-300).to_string(),
            "-0.000".replace("0.000", &three_figures(1e-300).to_string())
        );
    }
}
