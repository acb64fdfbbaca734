//! What the sites of a run share, and the site that is worked on.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::config::Config;
use crate::engine::events::{Event, Observer};
use crate::engine::timers::Stopwatch;
use crate::io::IoError;
use crate::io::blocks::Blocks;
use crate::io::mapping::Target;
use crate::io::meter::Meter;
use crate::io::mosaic::Mosaic;
use crate::io::pool::Pool;
use crate::plan::inputs::Inputs;
use crate::plan::{Ground, SitePlan};
use crate::scene::Acquisition;

/// What the sites of a run share.
pub struct Session<'a> {
    /// What is read.
    pub inputs: &'a Inputs,
    /// Parameters.
    pub config: &'a Config,
    /// Decoded blocks of the scenes.
    pub blocks: &'a Arc<Blocks>,
    /// Open files.
    pub pool: &'a Pool,
    /// Sees progress.
    pub observer: &'a dyn Observer,
    /// Set when the run has to stop.
    pub stop: &'a AtomicBool,
}

impl Session<'_> {
    /// `bands` of `date` on `target`.
    ///
    /// # Errors
    /// A file that cannot be opened, or that lies nowhere on the grid.
    pub fn open(&self, date: &Acquisition, target: &Target, bands: &[String]) -> Result<Mosaic, IoError> {
        Mosaic::new(date, target, bands, &self.inputs.infos, self.blocks)
    }

    /// What the time of all threads is measured by.
    pub fn meter(&self) -> &Meter {
        self.blocks.meter()
    }
}

/// A site that is worked on.
#[derive(Clone, Copy)]
pub struct SiteWork<'a> {
    /// What it shares with the others.
    pub session: &'a Session<'a>,
    /// What is to be done.
    pub plan: &'a SitePlan,
    /// Its grid and what is declared on it.
    pub ground: &'a Ground,
    /// Where its time goes.
    pub stopwatch: &'a Stopwatch,
}

impl<'a> SiteWork<'a> {
    /// Parameters.
    pub fn config(&self) -> &'a Config {
        self.session.config
    }

    /// Set when the run has to stop.
    pub fn stop(&self) -> &'a AtomicBool {
        self.session.stop
    }

    /// Tells that `done` of `total` tiles of a pass are done.
    pub fn tell(&self, pass: &str, done: usize, total: usize) {
        self.session.observer.see(&Event::Tiles {
            site: &self.plan.site.id,
            pass,
            done,
            total,
        });
    }
}
