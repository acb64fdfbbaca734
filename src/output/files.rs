//! Which files a report is made of.

/// What begins so is no report: what a run which died has left is swept by the next.
pub(crate) const ASIDE: &str = ".sitewatch-";

/// The record.
pub const RECORD: &str = "report.json";
/// What the page shows and the record does not hold.
pub const PICTURES: &str = "pictures.zip";

/// Scores and flags.
pub const RASTERS: [&str; 2] = ["score.tif", "flags.tif"];

/// A rendering of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The page.
    Html,
    /// Anomalies, activities, zones and the site for QGIS, with styles.
    Gpkg,
    /// Anomalies for other map programs.
    Geojson,
    /// Anomalies for spreadsheets.
    Csv,
    /// Verdicts as test results, for CI.
    Junit,
    /// The report and its files, for catalogues.
    Stac,
}

impl Format {
    /// All of them, in the order in which they are made: the last holds the hashes of the others.
    pub const ALL: [Self; 6] = [
        Self::Html,
        Self::Gpkg,
        Self::Geojson,
        Self::Csv,
        Self::Junit,
        Self::Stac,
    ];

    /// The name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Gpkg => "anomalies.gpkg",
            Self::Geojson => "anomalies.geojson",
            Self::Csv => "anomalies.csv",
            Self::Junit => "junit.xml",
            Self::Stac => "item.json",
        }
    }
}
