//! What became of a run and of each of its sites, and the index that tells it.

use std::collections::BTreeMap;

use geo::{BoundingRect, MultiPolygon};

use crate::declaration::Site;
use crate::finding::{RefusedScene, SiteOutcome, SiteReport, StageSeconds};
use crate::number::round;
use crate::report::{IndexRow, summary};
use crate::run::error::SiteError;

/// Why a site has no report of this run.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// In words.
    pub error: String,
    /// Whether the run was asked to stop, and nothing else is the matter.
    pub stopped: bool,
}

impl From<SiteError> for Failure {
    fn from(error: SiteError) -> Self {
        Self {
            error: error.to_string(),
            stopped: error.is_stopped(),
        }
    }
}

impl From<String> for Failure {
    fn from(error: String) -> Self {
        Self { error, stopped: false }
    }
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Sites, in the order of the declaration.
    pub sites: Vec<SiteOutcome>,
    /// Scenes that no site could use, and why.
    pub refused: Vec<RefusedScene>,
    /// Whether it was asked to stop before it was done.
    pub stopped: bool,
}

impl Outcome {
    /// Scenes that should be readable and are not.
    pub fn unreadable(&self) -> impl Iterator<Item = &RefusedScene> {
        self.refused.iter().filter(|scene| scene.unreadable)
    }
}

impl SiteOutcome {
    /// Of `site`, in whose folder `report` stands.
    pub fn of(site: &Site, report: &SiteReport) -> Self {
        let unobserved = report.is_unobserved();
        let newest = report.comparisons.last().filter(|_| !unobserved);
        Self {
            site: site.id.clone(),
            name: site.name.clone(),
            folder: site.folder.clone(),
            stands: true,
            up_to_date: false,
            needs_review: report.needs_review(),
            is_news: false,
            unobserved,
            verdicts: report.verdicts(),
            observed_fraction: newest.map(|c| c.coverage.observed_fraction),
            place: middle(&site.boundary),
            summary: summary(report),
            error: None,
            stopped: false,
            seconds: StageSeconds::default(),
        }
    }

    /// Whether it says that something has to be reviewed, and another thing than `before`, the report that it replaces.
    pub fn is_news_beside(&self, before: Option<&Self>) -> bool {
        let said = |one: &Self| (one.verdicts.clone(), one.summary.clone());
        self.needs_review && before.map(said) != Some(said(self))
    }

    /// Of `site`, which failed by `failure`; what an earlier run has published in its folder is as `before` says.
    pub fn failed(site: &Site, failure: Failure, before: Option<&Self>) -> Self {
        Self {
            needs_review: false,
            is_news: false,
            unobserved: false,
            summary: vec![format!("It could not be surveyed: {}", failure.error)],
            error: Some(failure.error),
            stopped: failure.stopped,
            ..before.cloned().unwrap_or_else(|| Self::nothing(site))
        }
    }

    fn nothing(site: &Site) -> Self {
        Self {
            site: site.id.clone(),
            name: site.name.clone(),
            folder: site.folder.clone(),
            stands: false,
            up_to_date: false,
            needs_review: false,
            is_news: false,
            unobserved: false,
            verdicts: BTreeMap::new(),
            observed_fraction: None,
            place: middle(&site.boundary),
            summary: Vec::new(),
            error: None,
            stopped: false,
            seconds: StageSeconds::default(),
        }
    }

    /// Its row of the index.
    pub fn row(&self) -> IndexRow {
        IndexRow {
            folder: self.folder.clone(),
            site: self.site.clone(),
            name: self.name.clone(),
            stands: self.stands,
            verdicts: self.verdicts.clone(),
            observed_fraction: self.observed_fraction,
            place: self.place,
            error: self.error.clone(),
            sentence: self.summary.first().cloned().unwrap_or_default(),
        }
    }
}

/// `[longitude, latitude]` of the middle of a site: that of its box, which needs no projection.
fn middle(boundary: &MultiPolygon<f64>) -> [f64; 2] {
    let Some(bounds) = boundary.bounding_rect() else {
        return [0.0; 2];
    };
    let middle = bounds.center();
    [middle.x, middle.y].map(|v| round(v, 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_stopped_by_the_run_alone_whatever_the_words_are() {
        let stopped = Failure::from(SiteError::stopped());
        assert!(stopped.stopped && !stopped.error.is_empty());
        assert!(!Failure::from(stopped.error).stopped);
        assert!(!Failure::from(SiteError::Moved("a.tif".into())).stopped);
    }
}
