//! `report.json`: the record itself, and the JSON Schema that it follows.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use crate::finding::{RunRecord, SiteReport};
use crate::report::ReportError;

/// Name of the schema; its number is [`crate::finding::REPORT_VERSION`].
const SCHEMA_ID: &str = "urn:sitewatch:report:2.0";
/// That of run.json; its number is [`crate::finding::RUN_VERSION`].
const RUN_SCHEMA_ID: &str = "urn:sitewatch:run:1.0";

/// Writes the record as JSON to `out`: keys in alphabetical order, an anomaly a line, one newline at the end. The same record,
/// the same bytes; nothing of it is held in memory.
///
/// # Errors
/// When the record holds a number that is not finite, which JSON cannot say; when `out` cannot be written.
pub fn report_json(report: &SiteReport, mut out: impl Write) -> Result<(), ReportError> {
    let what = "report.json";
    let lines = Lines {
        pretty: PrettyFormatter::new(),
        depth: 0,
    };
    let written = report.serialize(&mut Serializer::with_formatter(&mut out, lines));
    written.map_err(|source| ReportError::json(what, source))?;
    out.write_all(b"\n")
        .map_err(|source| ReportError::Write { what, source })
}

/// Levels that are indented; what is nested deeper stands on one line. Comparisons, their anomalies and zones: a line each.
const INDENTED_LEVELS: usize = 4;

/// JSON whose outer levels are indented and whose inner ones stand on one line.
struct Lines {
    pretty: PrettyFormatter<'static>,
    depth: usize,
}

impl Lines {
    fn indents(&self) -> bool {
        self.depth <= INDENTED_LEVELS
    }
}

/// Calls the method on the formatter that the depth asks for.
macro_rules! by_depth {
    ($lines:ident, $method:ident($($argument:expr),*)) => {
        if $lines.indents() {
            $lines.pretty.$method($($argument),*)
        } else {
            CompactFormatter.$method($($argument),*)
        }
    };
}

impl Formatter for Lines {
    /// The record has no `null`: serde_json means a number that is not finite.
    fn write_null<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "expected a finite number, found NaN or an infinity",
        ))
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        by_depth!(self, begin_array(out))
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let ended = by_depth!(self, end_array(out));
        self.depth -= 1;
        ended
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        by_depth!(self, begin_array_value(out, first))
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self, end_array_value(out))
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        by_depth!(self, begin_object(out))
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let ended = by_depth!(self, end_object(out));
        self.depth -= 1;
        ended
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        by_depth!(self, begin_object_key(out, first))
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self, begin_object_value(out))
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self, end_object_value(out))
    }
}

/// The JSON Schema (2020-12) of `report.json`, generated from the types; published as `docs/report.schema.json`.
pub fn schema() -> String {
    schema_of::<SiteReport>(SCHEMA_ID)
}

/// The JSON Schema of `run.json`, in the same way; published as `docs/run.schema.json`.
pub fn run_schema() -> String {
    schema_of::<RunRecord>(RUN_SCHEMA_ID)
}

fn schema_of<T: JsonSchema>(id: &str) -> String {
    let mut schema = schemars::schema_for!(T);
    schema.insert("$id".to_owned(), id.into());
    let mut value = schema.to_value();
    value.sort_all_objects();
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{REPORT_VERSION, RUN_VERSION};
    use crate::report::sample;

    fn written(report: &SiteReport) -> Result<String, ReportError> {
        let mut bytes = Vec::new();
        report_json(report, &mut bytes)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    /// Updated by `SITEWATCH_UPDATE=1 cargo test`.
    #[test]
    fn the_published_schemas_are_those_of_the_types() {
        for (name, made) in [("report", schema()), ("run", run_schema())] {
            let path = format!("{}/docs/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("SITEWATCH_UPDATE").is_some() {
                std::fs::write(&path, &made).unwrap();
            }
            let published = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                published == made,
                "{path} is stale: run the tests with SITEWATCH_UPDATE=1"
            );
        }
        assert!(SCHEMA_ID.ends_with(REPORT_VERSION));
        assert!(RUN_SCHEMA_ID.ends_with(RUN_VERSION));
    }

    #[test]
    fn keys_are_sorted_and_the_record_comes_back() {
        let report = sample::full();
        let text = written(&report).unwrap();
        assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
        assert_eq!(serde_json::from_str::<SiteReport>(&text).unwrap(), report);
        let mut sorted: serde_json::Value = serde_json::from_str(&text).unwrap();
        sorted.sort_all_objects();
        let squeezed: String = text
            .lines()
            .map(|line| line.trim_start().replacen("\": ", "\":", 1))
            .collect();
        assert_eq!(squeezed, sorted.to_string());
        let anomalies = report.comparisons.iter().flat_map(|c| &c.anomalies);
        for anomaly in anomalies {
            let id = format!("\"id\":\"{}\"", anomaly.id);
            assert_eq!(text.lines().filter(|line| line.contains(&id)).count(), 1, "{id}");
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused() {
        let mut report = sample::full();
        report.comparisons[0].anomalies[0].area_m2 = f64::NAN;
        let error = written(&report).unwrap_err();
        assert!(error.to_string().contains("finite"), "{error}");
    }
}
