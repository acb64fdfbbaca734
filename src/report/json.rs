//! `report.json`: the record itself, and the JSON Schema that it follows.

use serde::Deserialize;

use super::ReportError;
use crate::finding::SiteReport;

/// Name of the schema; its number is [`crate::finding::REPORT_VERSION`].
const SCHEMA_ID: &str = "urn:sitewatch:report:1.0";

/// The record as JSON: keys in alphabetical order, indented, one newline at the end. The same record, the same bytes.
///
/// # Errors
/// When the record holds a number that is not finite, which JSON cannot say.
pub fn report_json(report: &SiteReport) -> Result<Vec<u8>, ReportError> {
    let json = |source| ReportError::Json {
        what: "report.json",
        source,
    };
    let mut value = serde_json::to_value(report).map_err(json)?;
    // A NaN became `null` in silence: what cannot be read back must not be written.
    SiteReport::deserialize(&value).map_err(ReportError::NotFinite)?;
    value.sort_all_objects();
    let mut bytes = serde_json::to_vec_pretty(&value).map_err(json)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The JSON Schema (2020-12) of `report.json`, generated from the types; published as `docs/report.schema.json`.
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(SiteReport);
    schema.insert("$id".to_owned(), SCHEMA_ID.into());
    let mut value = schema.to_value();
    value.sort_all_objects();
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{finding::REPORT_VERSION, report::sample};

    /// Updated by `SITEWATCH_UPDATE=1 cargo test`.
    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
        if std::env::var_os("SITEWATCH_UPDATE").is_some() {
            std::fs::write(path, schema()).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            published == schema(),
            "docs/report.schema.json is stale: run the tests with SITEWATCH_UPDATE=1"
        );
        assert!(SCHEMA_ID.ends_with(REPORT_VERSION));
    }

    #[test]
    fn keys_are_sorted_and_the_record_comes_back() {
        let report = sample::full();
        let text = String::from_utf8(report_json(&report).unwrap()).unwrap();
        assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
        let top: Vec<&str> = text.lines().filter(|l| l.starts_with("  \"")).collect();
        assert!(top.is_sorted(), "{top:?}");
        assert_eq!(serde_json::from_str::<SiteReport>(&text).unwrap(), report);
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused() {
        let mut report = sample::full();
        report.comparisons[0].anomalies[0].area_m2 = f64::NAN;
        assert!(matches!(report_json(&report), Err(ReportError::NotFinite(_))));
    }
}
