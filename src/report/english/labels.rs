//! Headings, labels and short phrases of the pages.

use super::{days, plural};
use crate::declaration::Role;
use crate::finding::{CourseRecord, Interval, Verdict, Vote};
use crate::report::format::three_figures;
use crate::report::pictures::rendition::Rendition;
use crate::stage::detect::Direction;

macro_rules! labels {
    ($($name:ident = $text:literal;)*) => {
        $(pub(in crate::report) const $name: &str = $text;)*
    };
}

labels! {
    // The page and its parts.
    SKIP = "Skip to the report";
    CONTENTS = "Contents";
    SITE = "Site";
    SUMMARY = "Summary";
    ANOMALIES = "Anomalies";
    ACTIVITIES = "Declared activities";
    TIMELINE = "Time line";
    COVERAGE = "Coverage";
    METHOD = "Measurement";
    SENSITIVITY = "Sensitivity";
    SCENES = "Scenes";
    PROVENANCE = "Inputs and parameters";
    FOOTER = "σ is the noise of ground that did not change. Areas are on the WGS 84 ellipsoid, coordinates in WGS 84, times in UTC. \
              The record is report.json; this page is a rendering of it.";

    // Summary.
    TO_REVIEW = "To review";
    OBSERVED = "What was observed";
    DECLARED = "Declared and seen";
    NOTHING_TO_REVIEW = "Nothing in what was observed.";
    NOTHING_JUDGED = "Nothing could be judged. This does not mean that nothing changed.";
    NOTHING_DECLARED_SEEN = "No declared activity was seen.";
    COUNTS = "How often each verdict was given";
    COUNTED = "Counted: anomalies, declared activities without a trace or without a view, and comparisons that could not be judged.";

    // The site and the tools over its pictures.
    TOOLS = "How all pictures are shown";
    TOOL_DATES = "Dates";
    MODE_BESIDE = "side by side";
    MODE_SWIPE = "swipe";
    MODE_FLICKER = "flicker";
    TOOL_COLOURS = "Colours";
    TOOL_OVER = "Over them";
    OUTLINES = "outlines";
    SCORE = "score";
    SCORES = "Score";
    CHANCE = "Chance";
    VIEWER = "both dates; with the keys plus and minus zoom, arrows move, 0 shows all, f flips the dates";
    BEFORE = "before";
    AFTER = "after";
    SWIPE_EDGE = "Edge between the dates";
    FLIP = "flip";
    ZOOM_IN = "Zoom in";
    ZOOM_OUT = "Zoom out";
    ZOOM_ALL = "all";
    LEGEND = "Legend";
    SITE_BOUNDARY = "site boundary";
    ZONE = "zone";
    ACTIVITY_AREA = "area of a declared activity";
    NO_MAP = "There is no picture of the site: no scenes could be compared.";

    // Anomalies.
    SEE_COVERAGE = "See the coverage.";
    FILTER = "Which anomalies are shown";
    SEARCH = "Search";
    FILTER_STATUS = "{shown} of {all} shown";
    ALL_ANOMALIES = "All anomalies";
    NUMBER = "No.";
    VERDICT = "Verdict";
    AREA_M2 = "Area, m²";
    PEAK_SIGMA = "Peak, σ";
    LIKELIHOOD = "Likelihood";
    CONFIDENCE = "Confidence";
    BETWEEN = "Between";
    ZONES = "Zones";
    DECLARED_AS = "Activities";
    PREVIOUS = "previous";
    NEXT = "next";
    TO_TABLE = "table";
    NO_PICTURES = "No pictures were made of this anomaly. Its place is on the map and in the record.";
    WHY = "Why this verdict";
    NO_EVIDENCE = "No evidence for this verdict is recorded.";
    AGAINST = "What speaks against it";
    NOTHING_AGAINST = "Nothing on record.";
    FIGURES = "Figures";
    CHANGED_BETWEEN = "Changed between";
    CENTRE = "Centre";
    AREA = "Area";
    DETECTORS = "Detectors";
    COURSE = "Course";
    ID = "Id";
    UNKNOWN = "not known";
    UP_AND_BAR = "grid north up, scale bar";
    CHANGE_CAPTION = "Mean change per band, after normalisation";
    BAND = "Band";
    CHANGE_MEAN = "After − before";
    CHANGE_SIGMA = "In σ of noise";

    // Activities.
    NO_ACTIVITY = "No activity was declared for this site.";
    ACTIVITIES_FATE = "What became of each activity";
    ACTIVITIES_CAPTION = "What became of each; the end of a window does not belong to it";
    ACTIVITY = "Activity";
    DECLARED_WHAT = "Declared";
    WINDOW = "Window";
    FOUND = "Found";
    WHY_SHORT = "Why";
    AREA_OBSERVED = "Area observed";
    NO_REASON = "no reason recorded";

    // Coverage and measurement.
    NO_COVERAGE = "No two scenes could be compared: nothing of the site was observed.";
    COVERAGE_MEANS = "What was not observed was not judged: change there would not appear in this report.";
    WHOLE_SITE = "whole site";
    PLACE = "Area";
    OBSERVED_PART = "Observed";
    PART = "Part";
    UNOBSERVED_WHY = "Not observed, by reason";
    PIXELS = "Pixels";
    NOTHING = "nothing";
    NONE = "none";
    NORMALISATION = "Normalisation";
    GAIN = "Gain";
    OFFSET = "Offset";
    NOISE = "Noise";
    CORRELATION = "Correlation";

    // Sensitivity.
    SENSITIVITY_CAPTION = "Areas from which on a change would have been found, with 95 % intervals";
    CURVES_CAPTION = "Probability that a change of that area would have been found, on the whole site; points are the shares that were found.";
    CHANGE = "Change";
    HALF_FOUND = "Found with 50 %, m²";
    NEARLY_ALL_FOUND = "Found with 90 %, m²";
    FOUND_OF_ALL = "Found, of all sizes";

    // Scenes and provenance.
    NO_SCENE = "No scene was compared.";
    SCENES_COMPARED = "Scenes that were compared";
    SCENE = "Scene";
    ACQUIRED = "Acquired";
    SENSOR = "Sensor";
    ORBIT = "Orbit";
    ONTO_GRID = "Bands onto the site grid";
    NO_SCENE_REFUSED = "No scene was refused.";
    SCENES_REFUSED = "Scenes that were refused";
    MADE_BY = "Made by";
    FORM = "Report form";
    RUN_KEY = "Run key";
    GRID = "Site grid";
    DECLARATIONS = "Declarations";
    DECLARATION = "Declaration";
    PARTY = "Party";
    AGREEMENT = "Agreement";
    ISSUED = "Issued";
    SUPERSEDES = "Supersedes";
    INPUTS = "Input files";
    FILE = "File";
    SHA256 = "SHA-256";
    BYTES = "Bytes";
    PARAMETERS = "Parameters in force";
    PARAMETER = "Parameter";
    VALUE = "Value";
    MEANING = "Meaning";

    // The index.
    SITES = "Sites";
    WORST_FIRST = "Worst first";
    VERDICTS = "Verdicts";
    SENTENCE = "In a sentence";
    FAILED = "failed";
    UNREADABLE = "Scenes that could not be read";
    UNREADABLE_MEANS = "They are in the catalogue, and what they show is not known. Fetch them again and run again.";
    NOTHING_FOUND = "nothing found";
    RANK = "Rank";
}

/// An area of the site: a zone, or the whole.
pub(in crate::report) fn area_of(zone: Option<&str>) -> String {
    zone.map_or_else(|| WHOLE_SITE.to_owned(), |zone| format!("zone {zone}"))
}

/// The name of a rendition in the tools.
pub(in crate::report) fn rendition(rendition: Rendition) -> &'static str {
    match rendition {
        Rendition::Natural => "natural",
        Rendition::FalseColour => "false colour (infrared, red, green)",
        Rendition::Composite => "first three bands",
        Rendition::Grey => "grey",
        Rendition::Ndvi => "NDVI",
    }
}

/// What the map shows.
pub(in crate::report) fn map(anomalies: usize) -> String {
    let anomalies = plural(anomalies, "anomaly", "anomalies");
    format!("The site with its boundary, zones, declared activities and {anomalies}, each of which is described below")
}

/// What an anomaly's pictures show.
pub(in crate::report) fn anomaly(number: usize) -> String {
    format!("Anomaly {number}")
}

/// What stands under the map, after its size.
pub(in crate::report) fn map_caption(normalised: bool, shown: usize, not_shown: usize) -> String {
    let cut = if not_shown == 0 {
        String::new()
    } else {
        format!(
            " Of {} anomalies the {shown} that are listed below are outlined.",
            shown + not_shown
        )
    };
    format!(
        "The dates of the newest comparison{}; grey stripes were not observed.{cut}",
        alike(normalised)
    )
}

/// What stands under an anomaly's pictures, after their size.
pub(in crate::report) fn pictures_caption(normalised: bool, declared: bool) -> String {
    let dashed = if declared { " Dashed: declared area." } else { "" };
    format!("Both dates{}.{dashed}", alike(normalised))
}

fn alike(normalised: bool) -> &'static str {
    if normalised {
        ", stretched alike, the earlier one with the gain and offset that make unchanged ground look the same"
    } else {
        ", stretched alike"
    }
}

/// A class of the score in the legend.
pub(in crate::report) fn score_class(from: f64, to: Option<f64>) -> String {
    match to {
        Some(to) => format!("score {from} to {to} σ"),
        None => format!("score {from} σ or more"),
    }
}

/// A kind of change in the legend.
pub(in crate::report) fn change_of(verdict: Verdict) -> String {
    format!("{} change", verdict.words())
}

/// What stands over the table of anomalies.
pub(in crate::report) fn table_caption(shown: usize, all: usize) -> String {
    let order = "newest comparison first, then what has to be reviewed, then the strongest";
    if shown < all {
        format!("{shown} of {all}, {order}; the rest is in anomalies.gpkg, anomalies.csv and in the record")
    } else {
        format!("All {all}, {order}")
    }
}

/// What stands in place of anomalies.
pub(in crate::report) fn no_anomaly(unobserved: bool) -> &'static str {
    if unobserved {
        "None: nothing could be judged. This does not mean that nothing changed."
    } else {
        "None in what was observed."
    }
}

/// What stands in place of the anomalies of one comparison.
pub(in crate::report) fn nothing_in(judged: bool, observed: &str) -> String {
    if judged {
        format!("No change was found in the {observed} of the site that was observed.")
    } else {
        "Not judged.".to_owned()
    }
}

/// The title of a comparison.
pub(in crate::report) fn comparison(dates: &Interval, before: &str, after: &str) -> String {
    format!("{}: {after} against {before}", days(dates))
}

/// The title of a comparison's coverage.
pub(in crate::report) fn coverage_of(title: &str, judged: bool) -> String {
    if judged {
        title.to_owned()
    } else {
        format!("{title} – not judged")
    }
}

/// The title of an anomaly.
pub(in crate::report) fn headline(area: &str, peak: &str) -> String {
    format!("{area} m², peak {peak} σ")
}

/// The dates of a change.
pub(in crate::report) fn between(dates: &Interval) -> String {
    let (start, end) = (super::day(dates.start), super::day(dates.end));
    format!("{start} and {end}")
}

/// Names, or that there are none.
pub(in crate::report) fn list(names: &[String]) -> String {
    if names.is_empty() {
        NONE.to_owned()
    } else {
        names.join(", ")
    }
}

/// The extent of an anomaly.
pub(in crate::report) fn area(area: &str, pixels: u64, size: Option<&str>) -> String {
    let within = size.map_or_else(String::new, |size| format!(", within {size}"));
    format!("{area} m² ({}{within})", plural(pixels as usize, "pixel", "pixels"))
}

/// The scores of an anomaly.
pub(in crate::report) fn scores(peak: f64, mean: f64) -> String {
    format!("peak {peak:.2} σ, mean {mean:.2} σ")
}

/// What chance makes of an anomaly.
pub(in crate::report) fn chance(p: f64, q: f64) -> String {
    format!("p = {}, q = {}", three_figures(p), three_figures(q))
}

/// What each detector says.
pub(in crate::report) fn votes(votes: &[Vote]) -> String {
    let vote = |vote: &Vote| match vote.mean_sigma {
        Some(mean) => {
            let finds = if vote.finds == Some(true) {
                "finds it"
            } else {
                "does not find it"
            };
            format!("{} {mean:.2} σ ({finds})", vote.detector.word())
        }
        None => format!("{} could not judge it", vote.detector.word()),
    };
    votes.iter().map(vote).collect::<Vec<_>>().join("; ")
}

/// How ground went through a series of radar scenes.
pub(in crate::report) fn course(course: &CourseRecord) -> String {
    let times = plural(course.changes as usize, "change", "changes");
    let direction = match course.direction {
        Direction::Positive => "more power",
        Direction::Negative => "less power",
        Direction::Indefinite => "not the same way in every polarisation",
    };
    format!(
        "{times}, the first between {}; last: {direction}",
        between(&course.first)
    )
}

/// An anomaly in the list of what to review.
pub(in crate::report) fn to_review(words: &str, headline: &str, zones: &[String]) -> String {
    let place = if zones.is_empty() {
        String::new()
    } else {
        format!(", zone {}", zones.join(", "))
    };
    format!("{words}: {headline}{place}")
}

/// How many more there are to review.
pub(in crate::report) fn more_to_review(more: usize) -> Option<String> {
    (more > 0).then(|| format!("and {more} more"))
}

/// The rest of the site's line: its area, and the period that was judged.
pub(in crate::report) fn facts_of_site(area_km2: f64, period: Option<&Interval>) -> String {
    let period = period.map_or_else(String::new, |period| format!("; judged {}", days(period)));
    format!(", {area_km2} km²{period}")
}

/// A count of a verdict where nothing was judged.
pub(in crate::report) fn not_known(words: &str) -> String {
    format!("{words}: not known")
}

/// When an activity was notified.
pub(in crate::report) fn notified(day: &str) -> String {
    format!("notified {day}")
}

/// Evidence against a finding, in a list of reasons for it.
pub(in crate::report) fn against(text: &str) -> String {
    format!("Against: {text}")
}

/// Anomalies of an activity that the page does not show.
pub(in crate::report) fn others(shown: usize, hidden: usize) -> String {
    match (shown, hidden) {
        (0, 0) => NONE.to_owned(),
        (_, 0) => String::new(),
        (_, n) => format!("and {n} not shown"),
    }
}

/// A zone with its role.
pub(in crate::report) fn zone(id: &str, role: Role) -> String {
    format!("{id} ({role})")
}

/// The program and the libraries that decide its numbers.
pub(in crate::report) fn program(program: &crate::finding::Program) -> String {
    format!(
        "sitewatch {}, GDAL {}, PROJ {}",
        program.sitewatch, program.gdal, program.proj
    )
}

/// The site grid.
pub(in crate::report) fn grid(grid: &crate::finding::GridRecord) -> String {
    format!(
        "{}, {} × {} pixels of {} m, top left at {} m east, {} m north",
        grid.crs, grid.width, grid.height, grid.pixel_m, grid.left_m, grid.top_m
    )
}

/// How the site stands, from what is left to say: review, no view, clear, clear where seen.
pub(in crate::report) fn standing(review: bool, observed: bool, whole: bool) -> &'static str {
    match (review, observed, whole) {
        (true, ..) => "Needs review",
        (_, false, _) => "Could not be observed",
        (.., true) => "Nothing to review",
        _ => "Nothing to review in what was observed",
    }
}

/// What stands under the map of a run.
pub(in crate::report) fn sites_map(sites: usize) -> String {
    format!("Where the {sites} sites lie; a dot leads to its row. The colour is that of the worst verdict.")
}

/// A longitude or latitude on a line, with the letters of its positive and negative side.
pub(in crate::report) fn degrees(value: f64, letters: [char; 2]) -> String {
    let rounded = crate::number::round(value.abs(), 4);
    format!("{rounded}° {}", letters[usize::from(value < 0.0)])
}

/// The table of an anomaly's change per band.
pub(in crate::report) fn change_label(number: usize) -> String {
    format!("Change per band of anomaly {number}")
}
