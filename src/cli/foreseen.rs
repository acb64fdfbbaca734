//! What `check` and `plan` tell of what a run would do, with the exit code that says so.

use std::collections::{BTreeMap, BTreeSet};

use super::exit;
use super::output::{print, print_lines, tell};
use crate::config::Config;
use crate::finding::NOT_COVERING;
use crate::plan::inputs::{self, Inputs};
use crate::plan::{SitePlan, left_out, plan_sites};
use crate::scene::Scene;

/// Notes that are told one by one: most of a long folder are alike.
const MAX_NOTES: usize = 20;

/// Tells what a run of `config` would leave out, and of each site what `describe` says; the exit code of that run as far as no pixel is
/// needed to know it.
pub fn tell_foreseen(config: &Config, inputs: &Inputs, mut describe: impl FnMut(&SitePlan) -> Vec<String>) -> u8 {
    let refused = &inputs.declared.refused;
    refused.iter().for_each(|one| print(&format!("not in force: {one}")));
    tell_notes(&inputs.scenes);
    let plans = plan_sites(config, inputs);
    let mut code = exit::DONE;
    let mut notes: BTreeSet<String> = BTreeSet::new();
    // Most reasons are those of every site: each is told once.
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (site, plan) in inputs.declared.sites.iter().zip(&plans) {
        match plan {
            Ok(plan) => {
                print_lines(&describe(plan));
                if plan.pairs.is_empty() {
                    print(&format!("site {}: nothing can be compared", site.id));
                    code = exit::PARTLY;
                }
                if let Some(why) = plan.ground.as_ref().and_then(left_out::too_little) {
                    print(&format!("site {}: nothing can be compared: {why}", site.id));
                    code = exit::PARTLY;
                }
                for pair in &plan.pairs {
                    notes.extend(pair.notes.iter().map(|note| format!("site {}: {note}", site.id)));
                    notes.extend(left_out::notes(config, pair));
                }
                for one in &plan.refused {
                    reasons.entry((&one.id, &one.reason)).or_default().push(&site.id);
                }
            }
            Err(error) => {
                tell(&format!("error: site {}: {error}", site.id));
                code = exit::PARTLY;
            }
        }
    }
    notes.iter().for_each(|note| print(&format!("note: {note}")));
    let mut nowhere = 0;
    for ((id, reason), sites) in reasons {
        let everywhere = sites.len() == plans.len();
        match (sites.as_slice(), reason == NOT_COVERING) {
            (_, true) => nowhere += usize::from(everywhere),
            _ if everywhere => print(&format!("not used: {id}: {reason}")),
            ([only], _) => print(&format!("not used on site {only}: {id}: {reason}")),
            (some, _) => print(&format!("not used on {} sites: {id}: {reason}", some.len())),
        }
    }
    if nowhere > 0 {
        print(&format!("not used: {nowhere} scene(s) that cover no site"));
    }
    match inputs.refused.iter().any(|one| one.unreadable) {
        true => exit::PARTLY,
        false => code,
    }
}

/// Tells what whoever reads comparisons of `scenes` should know, each once.
pub fn tell_notes(scenes: &[Scene]) {
    let notes = inputs::notes(scenes);
    notes
        .iter()
        .take(MAX_NOTES)
        .for_each(|note| print(&format!("note: {note}")));
    if notes.len() > MAX_NOTES {
        print(&format!("note: and {} like these", notes.len() - MAX_NOTES));
    }
}
