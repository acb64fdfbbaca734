//! `sitewatch sensitivity`.

use super::args::{PipelineArgs, read_pipeline};
use super::confine::confine;
use super::exit;
use super::output::{print_json, print_lines, tell, tell_faults};
use super::signals::interrupts;
use crate::finding::{ChangeSensitivity, DetectableSize, Sensitivity};
use crate::run::RunError;
use crate::run::sensitivity::{Measured, of_sites};

pub fn sensitivity(args: &PipelineArgs, site: Option<&str>, json: bool) -> u8 {
    // Layers of a site lie in a temporary folder while changes are put into it.
    confine(&[&std::env::temp_dir()]);
    let config = match read_pipeline(args) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match of_sites(&config, site, &interrupts()) {
        Ok(measured) if json => {
            print_json(&serde_json::json!(measured));
            code(&measured)
        }
        Ok(measured) => {
            measured.iter().for_each(|one| print_lines(&table(one)));
            code(&measured)
        }
        Err(RunError::Inputs(faults)) => {
            tell_faults(&faults);
            exit::USAGE
        }
        Err(error) => {
            tell(&format!("error: {error}"));
            match error {
                RunError::Stopped => exit::LATER,
                _ => exit::INTERNAL,
            }
        }
    }
}

fn code(measured: &[Measured]) -> u8 {
    if measured.iter().all(|one| one.sensitivity.is_some()) {
        exit::DONE
    } else {
        exit::PARTLY
    }
}

/// What one comparison would have found, an area and a kind of change a line.
fn table(one: &Measured) -> Vec<String> {
    let mut lines = vec![match &one.scenes {
        Some([before, after]) => format!("site {}: {before} to {after}", one.site),
        None => format!("site {}", one.site),
    }];
    let Some(Sensitivity { areas, notes }) = &one.sensitivity else {
        lines.push(format!("  not measured: {}", one.why_not.join("; ")));
        return lines;
    };
    lines.push(format!(
        "  {:<16} {:<18} {:>30} {:>30}",
        "area", "change", "found at 50 %, m2 (95 %)", "found at 90 %, m2 (95 %)"
    ));
    for area in areas {
        let name = area.zone.as_deref().unwrap_or("whole site");
        for change in &area.changes {
            let what = change.contrast_sigma.map_or_else(
                || change.change.clone(),
                |sigma| format!("{} by {sigma} sigma", change.change),
            );
            let figure = |probability| figure(change, probability);
            lines.push(format!(
                "  {name:<16} {what:<18} {:>30} {:>30}",
                figure(0.5),
                figure(0.9)
            ));
        }
        lines.push(format!("  {name:<16} {} changes injected", area.injected));
    }
    lines.extend(notes.iter().map(|note| format!("  note: {note}")));
    lines
}

fn figure(change: &ChangeSensitivity, probability: f64) -> String {
    let is = |size: &&DetectableSize| size.probability == probability;
    let Some(size) = change.sizes.iter().find(is) else {
        return "-".into();
    };
    let end = |end: Option<f64>| end.map_or_else(|| "beyond".to_owned(), |m2| format!("{m2:.0}"));
    match size.size_m2 {
        Some(m2) => format!("{m2:.0} ({} to {})", end(size.low_m2), end(size.high_m2)),
        None => "not reached".into(),
    }
}
