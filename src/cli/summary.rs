//! What a run says at its end: a line a site, the worst first, verdicts in colour on a terminal.

use std::path::Path;

use console::{Alignment, Style, measure_text_width, pad_str};

use crate::fault::one_line;
use crate::finding::SiteOutcome;
use crate::finding::Verdict;
use crate::run::outcome::Outcome;

/// Sites that are told one by one; the index has all of them.
const MAX_SITES: usize = 40;

/// The end of a run: its sites in a table, and what to open.
pub fn summary(outcome: &Outcome, out: &Path) -> String {
    let mut sites: Vec<&SiteOutcome> = outcome.sites.iter().collect();
    // Those that need somebody first; the order of the declaration settles the rest.
    sites.sort_by_key(|site| (!site.needs_review, site.error.is_none(), !site.unobserved));
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = width(&mut sites.iter().map(|site| measure_text_width(&one_line(&site.site))));
    let mut lines = Vec::new();
    for site in sites.iter().take(MAX_SITES) {
        let id = one_line(&site.site);
        let name = pad_str(&id, names, Alignment::Left, None);
        let state = if site.up_to_date { " (up to date)" } else { "" };
        lines.push(format!("{name}  {}  {}{state}", verdicts(site), one_line(&site.name)));
        let sentences = site.summary.iter().take(if site.needs_review { 3 } else { 1 });
        lines.extend(sentences.map(|sentence| format!("{:names$}  {}", "", one_line(sentence))));
    }
    if sites.len() > MAX_SITES {
        lines.push(format!("and {} more sites: see the index", sites.len() - MAX_SITES));
    }
    let unreadable = outcome.unreadable().count();
    if unreadable > 0 {
        lines.push(format!("{unreadable} scene(s) could not be read: see the index"));
    }
    if outcome.stopped {
        lines.push("Stopped; sites that were done stay, run again to go on.".into());
    } else if !sites.is_empty() && sites.iter().all(|site| site.up_to_date) {
        lines.push("Nothing new: every report is up to date.".into());
    }
    let index = out.join("index.html").display().to_string();
    lines.push(format!("Open {}", one_line(&index)));
    lines.join("\n")
}

/// How often each verdict was given.
fn verdicts(site: &SiteOutcome) -> String {
    if site.error.is_some() {
        return Style::new().red().bold().apply_to("failed").to_string();
    }
    let given = site.verdicts.iter().filter(|(_, n)| **n > 0);
    let words: Vec<String> = given
        .map(|(verdict, n)| {
            colour(*verdict)
                .apply_to(format!("{n} {}", verdict.words()))
                .to_string()
        })
        .collect();
    if words.is_empty() {
        "nothing found".into()
    } else {
        words.join(", ")
    }
}

fn colour(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Undeclared => Style::new().red().bold(),
        Verdict::OverRun => Style::new().yellow().bold(),
        Verdict::DeclaredNotSeen => Style::new().blue().bold(),
        Verdict::Inconclusive => Style::new().magenta(),
        Verdict::Consistent => Style::new().green(),
        Verdict::NotObservable => Style::new().dim(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::finding::StageSeconds;

    fn site(id: &str, verdicts: &[(Verdict, usize)]) -> SiteOutcome {
        SiteOutcome {
            site: id.into(),
            name: format!("Site {id}"),
            folder: id.into(),
            stands: true,
            up_to_date: false,
            needs_review: verdicts.iter().any(|(verdict, _)| verdict.needs_review()),
            is_news: false,
            unobserved: false,
            verdicts: verdicts.iter().copied().collect::<BTreeMap<_, _>>(),
            observed_fraction: Some(1.0),
            place: [0.0; 2],
            summary: vec!["First.".into(), "Second.".into()],
            error: None,
            stopped: false,
            seconds: StageSeconds::default(),
        }
    }

    #[test]
    fn what_needs_review_comes_first_and_the_path_last() {
        let failed = SiteOutcome {
            error: Some("no".into()),
            ..site("broken", &[])
        };
        let outcome = Outcome {
            sites: vec![
                site("a", &[(Verdict::Consistent, 1)]),
                failed,
                site("bb", &[(Verdict::Undeclared, 2)]),
            ],
            refused: Vec::new(),
            stopped: false,
        };
        let text = console::strip_ansi_codes(&summary(&outcome, Path::new("out"))).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "bb      2 undeclared  Site bb");
        assert_eq!(lines[1], "        First.");
        assert_eq!(lines[3], "broken  failed  Site broken");
        assert_eq!(lines[5], "a       1 consistent  Site a");
        assert_eq!(lines.last(), Some(&"Open out/index.html"));
    }
}
