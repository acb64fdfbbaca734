//! What a run tells while it goes on. The library prints nothing: bars, JSON lines and silence are observers.

/// Something that happened.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The plan stands.
    Planned {
        /// Sites to survey.
        sites: usize,
        /// Sites whose report is up to date already.
        up_to_date: usize,
    },
    /// A file is being hashed.
    Hashing {
        /// Which.
        path: &'a str,
    },
    /// A scene will not be used.
    SceneRefused {
        /// Its id.
        scene: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// What an earlier run left is no longer as it was left, and is made anew.
    Spoiled {
        /// The file, or the folder of the site.
        path: &'a str,
        /// What is wrong.
        why: &'a str,
    },
    /// Something of scenes that are used that whoever reads comparisons of them should know.
    Note {
        /// What.
        note: &'a str,
    },
    /// A site is begun.
    SiteStarted {
        /// Its id.
        site: &'a str,
    },
    /// Tiles of one pass are done.
    Tiles {
        /// The site's id.
        site: &'a str,
        /// The pass: score, regions or measure.
        pass: &'a str,
        /// Done so far.
        done: usize,
        /// Of so many.
        total: usize,
    },
    /// A site's report is in its place.
    SiteDone {
        /// Its id.
        site: &'a str,
        /// What it says, a sentence each.
        summary: &'a [String],
        /// Whether it needs review.
        needs_review: bool,
    },
    /// A site failed; the run goes on.
    SiteFailed {
        /// Its id.
        site: &'a str,
        /// Why.
        error: &'a str,
    },
}

/// Sees events, from any thread.
pub trait Observer: Sync {
    /// Called for each event.
    fn see(&self, event: &Event<'_>);
}

/// Sees nothing.
pub struct Silent;

impl Observer for Silent {
    fn see(&self, _: &Event<'_>) {}
}
