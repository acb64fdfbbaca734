//! `sitewatch evaluate`.

use std::path::Path;

use super::{exit, print, tell};
use crate::lab::evaluate::{Evaluation, evaluate as measure};

pub fn evaluate(truth: &Path, out: &Path, json: bool) -> u8 {
    crate::io::prepare();
    match measure(truth, out) {
        Ok(found) if json => {
            print(&serde_json::json!(found).to_string());
            exit::DONE
        }
        Ok(found) => {
            print(&table(&found));
            exit::DONE
        }
        Err(error) => {
            tell(&format!("error: {error}"));
            exit::USAGE
        }
    }
}

fn table(found: &[Evaluation]) -> String {
    let figure = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.4}"));
    let mut lines = vec![format!(
        "{:<20} {:>9} {:>9} {:>7} {:>7} {:>7} {:>7} | claimed {:>7} {:>7} {:>7} {:>7}",
        "site", "changed", "unchanged", "AUROC", "AP", "best F1", "at", "prec.", "recall", "F1", "kappa"
    )];
    for e in found {
        lines.push(format!(
            "{:<20} {:>9} {:>9} {:>7} {:>7} {:>7} {:>7} | {:>7} {:>7} {:>7} {:>7} {:>7}",
            e.site,
            e.changed,
            e.unchanged,
            figure(e.auroc),
            figure(e.average_precision),
            figure(e.best_f1),
            e.best_f1_sigma
                .map_or_else(|| "-".into(), |sigma| format!("{sigma:.2}")),
            e.claimed.pixels,
            figure(e.claimed.precision),
            figure(e.claimed.recall),
            figure(e.claimed.f1),
            figure(e.claimed.kappa),
        ));
    }
    lines.join("\n")
}
