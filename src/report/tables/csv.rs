//! `anomalies.csv`: the rows of anomalies.geojson for a spreadsheet.

use std::io::Write;

use csv::{Terminator, WriterBuilder};
use serde::Serialize;

use super::geojson::without_a_trace;
use crate::finding::{Evidence, SiteReport, Verdict};
use crate::report::ReportError;
use crate::report::english::detectors;
use crate::report::english::evidence::reasons;
use crate::report::numbered::{Numbered, numbered};

/// UTF-8 says so at its head: else Excel reads `m²` as `mÂ²`.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Cells that begin with one of these are formulas to a spreadsheet (OWASP, "CSV Injection").
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// Columns, in the order of the file.
const COLUMNS: [&str; 26] = [
    "site",
    "kind",
    "number",
    "id",
    "verdict",
    "needs_review",
    "likelihood",
    "confidence",
    "lon",
    "lat",
    "area_m2",
    "pixels",
    "peak_sigma",
    "mean_sigma",
    "p_value",
    "q_value",
    "from",
    "to",
    "before",
    "after",
    "detector",
    "what",
    "zones",
    "activities",
    "evidence_for",
    "evidence_against",
];

/// A row; what does not apply is an empty cell.
#[derive(Default, Serialize)]
struct Row {
    site: String,
    kind: &'static str,
    number: Option<u64>,
    id: String,
    verdict: Option<Verdict>,
    needs_review: bool,
    likelihood: String,
    confidence: &'static str,
    lon: Option<f64>,
    lat: Option<f64>,
    area_m2: Option<f64>,
    pixels: Option<u64>,
    peak_sigma: Option<f64>,
    mean_sigma: Option<f64>,
    p_value: Option<f64>,
    q_value: Option<f64>,
    from: String,
    to: String,
    before: String,
    after: String,
    detector: String,
    what: String,
    zones: String,
    activities: String,
    evidence_for: String,
    evidence_against: String,
}

/// Writes a header and a row for each feature of anomalies.geojson to `out`: anomalies, then declared activities that were not
/// seen or could not be observed. Anomalies stand in the order of the page, and `number` is their number there.
///
/// RFC 4180 (comma, CRLF) in UTF-8 with a byte order mark. Lists of ids are joined by `, `, reasons by `; `. Dates are RFC 3339;
/// of an activity `from` and `to` are its declared window. Text that a spreadsheet would run as a formula has an apostrophe
/// before it.
///
/// # Errors
/// When `out` cannot be written.
pub fn anomalies_csv(report: &SiteReport, mut out: impl Write) -> Result<(), ReportError> {
    let anomaly = |numbered: Numbered<'_>| {
        let (c, a) = (numbered.comparison, numbered.anomaly);
        Row {
            kind: "anomaly",
            number: numbered.number,
            id: text(&a.id),
            verdict: Some(a.verdict),
            needs_review: a.verdict.needs_review(),
            likelihood: numbered.likelihood.unwrap_or_default(),
            confidence: numbered.confidence,
            lon: Some(a.centroid[0]),
            lat: Some(a.centroid[1]),
            area_m2: Some(a.area_m2),
            pixels: Some(a.pixels),
            peak_sigma: Some(a.peak_sigma),
            mean_sigma: Some(a.mean_sigma),
            p_value: a.p_value,
            q_value: a.q_value,
            from: a.dates.start.to_string(),
            to: a.dates.end.to_string(),
            before: text(&c.before),
            after: text(&c.after),
            detector: detectors(c),
            zones: text(&a.zones.join(", ")),
            activities: text(&a.activities.join(", ")),
            evidence_for: because(&a.evidence, true, None),
            evidence_against: because(&a.evidence, false, None),
            ..Row::default()
        }
    };
    let anomalies = numbered(report).into_iter().map(anomaly);
    let activities = without_a_trace(report).map(|a| Row {
        kind: "activity",
        id: text(&a.id),
        verdict: Some(a.verdict),
        needs_review: a.verdict.needs_review(),
        from: a.window.start.to_string(),
        to: a.window.end.to_string(),
        what: a.what.word().to_owned(),
        evidence_for: because(&a.evidence, true, Some(&a.id)),
        evidence_against: because(&a.evidence, false, Some(&a.id)),
        ..Row::default()
    });

    let failed = |source| ReportError::Write {
        what: "anomalies.csv",
        source,
    };
    out.write_all(BYTE_ORDER_MARK).map_err(failed)?;
    let mut table = WriterBuilder::new()
        .has_headers(false)
        .terminator(Terminator::CRLF)
        .from_writer(out);
    table.write_record(COLUMNS).map_err(|e| failed(e.into()))?;
    for row in anomalies.chain(activities) {
        let site = text(&report.site.id);
        table.serialize(Row { site, ..row }).map_err(|e| failed(e.into()))?;
    }
    table.flush().map_err(failed)
}

/// `cell` as a spreadsheet shows it: never a formula.
fn text(cell: &str) -> String {
    let apostrophe = if cell.starts_with(FORMULA) { "'" } else { "" };
    format!("{apostrophe}{cell}")
}

fn because(evidence: &[Evidence], supports: bool, own: Option<&str>) -> String {
    text(&reasons(evidence, supports, own).join("; "))
}

#[cfg(test)]
mod tests {
    use csv::ReaderBuilder;

    use super::*;
    use crate::finding::Fact;
    use crate::report::sample;

    fn written(report: &SiteReport) -> String {
        let mut bytes = Vec::new();
        anomalies_csv(report, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// The cells of a column, read back.
    fn column(written: &str, name: &str) -> Vec<String> {
        let mut table = ReaderBuilder::new().from_reader(written.as_bytes());
        let at = table.headers().unwrap().iter().position(|n| n == name).unwrap();
        table.records().map(|row| row.unwrap()[at].to_owned()).collect()
    }

    #[test]
    fn a_row_for_each_feature_of_the_map() {
        let csv = written(&sample::full());
        let first = csv.lines().nth(1).unwrap();
        assert_eq!(
            first,
            "plant-7,anomaly,1,sw-41c9e0aa,undeclared,true,almost certain,low,2.003562,48.79775,11996.6,120,14.23,9.87,1.3e-6,0.02,2020-02-11T10:56:12Z,\
             2020-07-05T10:56:18Z,S2B_31UDQ_20200211_0_L2A,S2B_31UDQ_20200705_0_L2A,difference,,hall-1,,\
             no declared activity's area holds any of it; 100 % of it lies in zone hall-1 (building),\
             8 % of its edge borders on ground that was not observed"
        );
        let kinds = column(&csv, "kind");
        assert_eq!(
            kinds,
            ["anomaly", "anomaly", "anomaly", "anomaly", "activity", "activity"]
        );
        assert_eq!(column(&csv, "verdict")[4..], ["declared_not_seen", "not_observable"]);
        assert_eq!(column(&csv, "what")[4], "construction");
    }

    #[test]
    fn the_header_names_the_cells() {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.serialize(Row::default()).unwrap();
        let written = String::from_utf8(table.into_inner().unwrap()).unwrap();
        assert_eq!(written.lines().next().unwrap(), COLUMNS.join(","));
    }

    #[test]
    fn a_quiet_site_has_the_header_alone() {
        let csv = written(&sample::quiet());
        assert_eq!(csv, format!("\u{feff}{}\r\n", COLUMNS.join(",")));
    }

    #[test]
    fn hostile_text_is_text() {
        let mut report = sample::full();
        report.site.id = "-2+3,\"x\"\r\n".into();
        let anomaly = &mut report.comparisons[0].anomalies[0];
        anomaly.zones = vec!["=cmd()|' /C calc'!A1".into(), "<script>".into()];
        anomaly.evidence[0].fact = Fact::Notice {
            activity: "\t=1+1".into(),
            notified: jiff::Timestamp::UNIX_EPOCH,
        };
        anomaly.centroid = [-1.5, -48.0];
        let csv = written(&report);
        assert_eq!(column(&csv, "site")[0], "'-2+3,\"x\"\r\n");
        assert_eq!(column(&csv, "zones")[0], "'=cmd()|' /C calc'!A1, <script>");
        assert!(column(&csv, "evidence_for")[0].starts_with("'\t=1+1 was notified on "));
        assert_eq!((&*column(&csv, "lon")[0], &*column(&csv, "lat")[0]), ("-1.5", "-48.0"));
        // RFC 4180: every line end outside of quotes is CRLF; inside, what was there.
        assert_eq!(csv.matches('\n').count(), csv.matches("\r\n").count());
        assert!(column(&csv, "id").iter().all(|id| !id.is_empty()));
    }
}
