//! `sitewatch evaluate`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::confine::{confine, folder_of, made};
use super::exit;
use super::output::{print, print_json, print_lines, tell};
use crate::lab::evaluate::{self, Coding, Estimate, Evaluation, Figures};
use crate::verify as expect;

/// Reports and what they are held against: what really changed, or what an earlier run found.
#[derive(Args)]
pub struct EvaluateArgs {
    /// What really changed: a labelled raster, or polygons (.geojson) outside of which nothing changed; may be given several times
    #[arg(long, required_unless_present = "expect")]
    truth: Vec<PathBuf>,
    /// An output folder of an earlier run, or that part of it which you keep: report.json, score.tif and flags.tif of each site; the
    /// reports must be alike within stated tolerances, and exit code 1 says that they are not
    #[arg(long, value_name = "DIR", conflicts_with_all = ["truth", "json"])]
    expect: Option<PathBuf>,
    /// With --expect: write JUnit XML to this file (against a truth there are figures, none of which passes or fails)
    #[arg(long, value_name = "FILE", requires = "expect", conflicts_with = "truth")]
    junit: Option<PathBuf>,
    /// What the values of a labelled raster mean; other values are unlabelled
    #[arg(long, value_name = "CODING", default_value = "changed=2,unchanged=1")]
    labels: Coding,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Folder for evaluation.json, precision-recall.svg and detection.svg; with --expect for pictures of what differs
    #[arg(long)]
    out: Option<PathBuf>,
    /// What run wrote: report.json files, folders of sites, or its whole output folder
    #[arg(required = true)]
    reports: Vec<PathBuf>,
}

pub fn evaluate(args: &EvaluateArgs) -> u8 {
    let out = match args.out.as_deref().map(made).transpose() {
        Ok(out) => out,
        Err(code) => return code,
    };
    let junit = args
        .junit
        .as_deref()
        .into_iter()
        .flat_map(|file| [file, folder_of(file)]);
    confine(&out.into_iter().chain(junit).collect::<Vec<_>>());
    crate::io::prepare();
    if let Some(expected) = &args.expect {
        return expect(expected, args);
    }
    let found = match evaluate::evaluate(&args.truth, args.labels, &args.reports) {
        Ok(found) => found,
        Err(error) => {
            tell(&format!("error: {error}"));
            return exit::USAGE;
        }
    };
    for one in &found.left_out {
        tell(&format!("left out: {}: {}", one.site, one.reason));
    }
    if args.json {
        print_json(&serde_json::json!(found));
    } else {
        print_lines(&tables(&found));
    }
    match args.out.as_ref().map(|out| evaluate::write(&found, out)).transpose() {
        Ok(files) => {
            files
                .iter()
                .flatten()
                .for_each(|path| tell(&path.display().to_string()));
            exit::DONE
        }
        Err(error) => {
            tell(&format!("error: {error}"));
            exit::PARTLY
        }
    }
}

/// Holds each of the reports against what is `expected`.
fn expect(expected: &Path, args: &EvaluateArgs) -> u8 {
    let checks = match expect::expect(expected, &args.reports, args.out.as_deref()) {
        Ok(checks) => checks,
        Err(error) => {
            tell(&format!("error: {error}"));
            return exit::USAGE;
        }
    };
    for check in &checks {
        let word = if check.departures.is_empty() {
            "as expected"
        } else {
            "DIFFERS"
        };
        print(&format!("{word:<12} {:<24} {}", check.site, check.layer));
        check
            .departures
            .iter()
            .for_each(|departure| print(&format!("    {departure}")));
        if let Some(picture) = &check.picture {
            print(&format!("    picture: {}", picture.display()));
        }
    }
    if let Some(path) = &args.junit {
        let written =
            expect::junit(&checks).and_then(|xml| std::fs::write(path, xml).map_err(|error| error.to_string()));
        if let Err(error) = written {
            tell(&format!(
                "error: writing {}: {error}; is the folder writable?",
                path.display()
            ));
            return exit::PARTLY;
        }
    }
    if checks.iter().all(|check| check.departures.is_empty()) {
        exit::DONE
    } else {
        exit::REVIEW
    }
}

/// A column: its title, its width, what stands in it.
type Column = (&'static str, usize, fn(&Figures) -> String);

const SCORES: [Column; 7] = [
    ("changed", 9, |f| f.pixels.judged.changed.to_string()),
    ("unchanged", 10, |f| f.pixels.judged.unchanged.to_string()),
    ("not judged", 11, |f| f.pixels.not_judged.all().to_string()),
    ("AUROC", 24, |f| estimate(f.pixels.auroc)),
    ("average precision", 24, |f| estimate(f.pixels.average_precision)),
    ("best F1", 24, |f| estimate(f.pixels.best_f1)),
    ("at, sigma", 10, |f| {
        f.pixels
            .best_f1_sigma
            .map_or_else(|| "-".into(), |sigma| format!("{sigma:.2}"))
    }),
];

const CLAIMED: [Column; 5] = [
    ("pixels", 9, |f| f.pixels.claimed.pixels.to_string()),
    ("precision", 24, |f| estimate(f.pixels.claimed.precision)),
    ("recall", 24, |f| estimate(f.pixels.claimed.recall)),
    ("F1", 24, |f| estimate(f.pixels.claimed.f1)),
    ("kappa", 24, |f| estimate(f.pixels.claimed.kappa)),
];

const OBJECTS: [Column; 8] = [
    ("objects", 9, |f| f.objects.objects.to_string()),
    ("hit", 6, |f| f.objects.hit.to_string()),
    ("not judged", 11, |f| f.objects.not_judged.to_string()),
    ("hit rate", 24, |f| estimate(f.objects.hit_rate)),
    ("false regions", 14, |f| f.objects.false_regions.to_string()),
    ("per km2", 24, |f| estimate(f.objects.false_regions_per_km2)),
    ("unchanged km2", 14, |f| format!("{:.2}", f.objects.unchanged_km2)),
    ("unlabelled", 11, |f| f.objects.unlabelled_regions.to_string()),
];

fn tables(found: &Evaluation) -> Vec<String> {
    let mut rows: Vec<&Figures> = found.sites.iter().collect();
    if rows.len() > 1 {
        rows.push(&found.overall);
    }
    let mut lines = Vec::new();
    lines.push("Pixels, by their scores".to_owned());
    table(&SCORES, &rows, &mut lines);
    lines.push("Pixels that were claimed".to_owned());
    table(&CLAIMED, &rows, &mut lines);
    lines.push("Changed objects, and anomalies on unchanged ground".to_owned());
    table(&OBJECTS, &rows, &mut lines);
    lines.push("Objects by size, all sites".to_owned());
    for class in found.overall.objects.by_area.iter().filter(|class| class.objects > 0) {
        let size = match class.to_m2 {
            Some(to) => format!("{} to {to} m2", class.from_m2),
            None => format!("from {} m2", class.from_m2),
        };
        let rate = estimate(class.hit_rate);
        lines.push(format!("{size:<20} {:>9} {:>6} {rate:>24}", class.objects, class.hit));
    }
    lines.push(String::new());
    lines.extend(found.rules.iter().flat_map(|rule| wrapped(rule, 120)));
    lines
}

fn table(columns: &[Column], rows: &[&Figures], lines: &mut Vec<String>) {
    let line = |name: &str, cells: &mut dyn Iterator<Item = String>| {
        cells
            .fold(format!("{name:<20}"), |line, cell| line + &cell)
            .trim_end()
            .to_owned()
    };
    let titles = columns.iter().map(|(title, width, _)| format!("{title:>width$}"));
    lines.push(line("site", &mut titles.into_iter()));
    for figures in rows {
        let cells = columns
            .iter()
            .map(|(_, width, cell)| format!("{:>width$}", cell(figures)));
        lines.push(line(&figures.site, &mut cells.into_iter()));
    }
    lines.push(String::new());
}

fn estimate(estimate: Option<Estimate>) -> String {
    match estimate {
        None => "-".into(),
        Some(Estimate { value, interval: None }) => format!("{value:.4}"),
        Some(Estimate {
            value,
            interval: Some([low, high]),
        }) => format!("{value:.4} [{low:.4} {high:.4}]"),
    }
}

/// `text` in lines of at most `width` characters, words left whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= width => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
