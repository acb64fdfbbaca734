//! Progress: bars on a terminal, plain lines elsewhere, JSON lines for machines.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::Log;
use super::log::{self, Level};
use super::output::{tell, tell_json};
use crate::engine::events::Event;
use crate::engine::events::Observer;
use crate::fault::one_line;

/// The observer that `log` asks for.
pub fn observer(log: Log) -> Box<dyn Observer> {
    match log {
        Log::Json => Box::new(JsonLines),
        Log::Auto if std::io::stderr().is_terminal() => Box::new(Bars::new()),
        _ => Box::new(Plain),
    }
}

struct Plain;

impl Observer for Plain {
    fn see(&self, event: &Event<'_>) {
        if let Some(line) = line(event) {
            tell(&line);
        }
    }
}

fn line(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Planned { sites, up_to_date: 0 } => format!("{sites} site(s) to survey"),
        Event::Planned { sites, up_to_date } => format!("{sites} site(s) to survey, {up_to_date} up to date"),
        Event::SceneRefused { scene, reason } => format!("scene {scene} is not used: {reason}"),
        Event::Spoiled { path, why } => format!("{path} is made anew: {why}"),
        Event::Note { note } => format!("note: {note}"),
        Event::SiteDone { site, needs_review, .. } => {
            format!("site {site} done{}", if *needs_review { ": needs review" } else { "" })
        }
        Event::SiteFailed { site, error } => format!("site {site} failed: {error}"),
        Event::SiteStarted { .. } | Event::Hashing { .. } | Event::Tiles { .. } => return None,
    })
}

struct JsonLines;

impl Observer for JsonLines {
    fn see(&self, event: &Event<'_>) {
        // Tiles come by the thousand: a line for the last of each pass is enough for a machine.
        if matches!(event, Event::Tiles { done, total, .. } if done != total) {
            return;
        }
        let level = match event {
            Event::SiteFailed { .. } => Level::Error,
            Event::SceneRefused { .. } | Event::Spoiled { .. } | Event::Note { .. } => Level::Warn,
            _ => Level::Info,
        };
        let line = log::line(level, serde_json::to_value(event).unwrap_or_default());
        line.iter().for_each(tell_json);
    }
}

struct Bars {
    all: MultiProgress,
    sites: ProgressBar,
    tiles: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        // How many sites there are is known once the inputs are read and hashed.
        let sites = all.add(ProgressBar::new(0).with_style(style("{wide_msg}")));
        sites.set_message("reading the inputs");
        Self {
            all,
            sites,
            tiles: Mutex::new(BTreeMap::new()),
        }
    }

    fn with_tiles(&self, work: impl FnOnce(&mut BTreeMap<String, ProgressBar>)) {
        work(&mut self.tiles.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Observer for Bars {
    fn see(&self, event: &Event<'_>) {
        match event {
            Event::Hashing { path } => self.sites.set_message(format!("hashing {}", one_line(path))),
            Event::Planned { sites: 0, .. } => self.sites.set_message("all sites are up to date"),
            Event::Planned { sites, .. } => {
                self.sites.set_length(*sites as u64);
                self.sites.set_prefix("all sites");
                self.sites
                    .set_style(style("{prefix:20!} {bar:30} {pos}/{len} sites, {eta} to go"));
            }
            Event::Tiles {
                site,
                pass,
                done,
                total,
            } => self.with_tiles(|tiles| {
                let bar = tiles.entry((*site).to_owned()).or_insert_with(|| {
                    let bar = ProgressBar::new(0)
                        .with_style(style("{prefix:20!} {bar:30} {pos}/{len} tiles, {msg}, {eta} to go"));
                    bar.set_prefix(one_line(site).into_owned());
                    self.all.add(bar)
                });
                bar.set_length(*total as u64);
                bar.set_position(*done as u64);
                bar.set_message((*pass).to_owned());
            }),
            Event::SiteDone { site, .. } | Event::SiteFailed { site, .. } => {
                self.with_tiles(|tiles| {
                    if let Some(bar) = tiles.remove(*site) {
                        bar.finish_and_clear();
                    }
                });
                self.sites.inc(1);
            }
            Event::SceneRefused { .. } | Event::Spoiled { .. } | Event::Note { .. } | Event::SiteStarted { .. } => {}
        }
        if matches!(
            event,
            Event::SceneRefused { .. } | Event::Spoiled { .. } | Event::Note { .. } | Event::SiteFailed { .. }
        ) && let Some(line) = line(event)
        {
            // A line that cannot be drawn is in run.json all the same.
            let _ = self.all.println(one_line(&line));
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.with_tiles(|tiles| tiles.values().for_each(ProgressBar::finish_and_clear));
        self.sites.finish_and_clear();
        // What is left of lines that were drawn; where it cannot be cleared, nothing can be told either.
        let _ = self.all.clear();
    }
}
