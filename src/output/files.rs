//! Which files a report is made of, beside its renderings.

use crate::report::FileKind;

/// What begins so is no report: what a run which died has left is swept by the next.
pub(crate) const STAGING: &str = ".sitewatch-";

/// The record.
pub const RECORD: FileKind = FileKind {
    name: "report.json",
    key: "record",
    title: "Record of the report",
    media_type: "application/json",
    role: "metadata",
};
/// What the page shows and the record does not hold.
pub const PICTURES: FileKind = FileKind {
    name: "pictures.zip",
    key: "pictures",
    title: "Pictures of the report",
    media_type: "application/zip",
    role: "metadata",
};

const COG: &str = "image/tiff; application=geotiff; profile=cloud-optimized";

/// Scores and flags.
pub const RASTERS: [FileKind; 2] = [
    FileKind {
        name: "score.tif",
        key: "score",
        title: "Change score, sigma of no-change noise",
        media_type: COG,
        role: "data",
    },
    FileKind {
        name: "flags.tif",
        key: "flags",
        title: "Why a pixel was not judged, a bit a reason",
        media_type: COG,
        role: "data-mask",
    },
];
