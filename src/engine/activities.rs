//! Declared activities held against what all comparisons of a site show of them.

use crate::declaration::Activity;
use crate::engine::judge::Judged;
use crate::engine::record;
use crate::engine::score::Scored;
use crate::finding::{ActivityFinding, Geometry, Verdict};
use crate::number::round;
use crate::plan::{Ground, SitePlan};
use crate::stage::judge::{self, JudgeParams, Observation, Span};

/// What one comparison shows of the declared activities.
pub struct ObservedActivities {
    /// From the first to the last instant of its scenes.
    span: Span,
    /// Pixels of each activity's area: all, and those that were judged.
    areas: Vec<(u64, u64)>,
    /// Matching change: anomaly, activity, pixels.
    matched: Vec<(String, String, u64)>,
}

impl ObservedActivities {
    /// What `scored` shows of them, in which `judged` was found.
    pub fn of(scored: &Scored<'_>, judged: &Judged, ground: &Ground) -> Self {
        let areas = scored.counts.areas.iter().skip(1 + ground.zones.len());
        Self {
            span: record::span(scored.pair),
            areas: areas.map(|count| count.pixels()).collect(),
            matched: judged.matched.clone(),
        }
    }

    /// What it shows of the activity `id`, which is the `index`th.
    fn observation(&self, index: usize, id: &str) -> Observation {
        let matched = self.matched.iter().filter(|(_, activity, _)| activity == id);
        Observation {
            span: self.span,
            area: self.areas.get(index).copied().unwrap_or_default(),
            matched: matched.map(|(anomaly, _, pixels)| (anomaly.clone(), *pixels)).collect(),
        }
    }
}

/// What became of every activity of the site of `plan`, one view a comparison.
pub fn judge_activities(
    plan: &SitePlan,
    observed_activities: &[ObservedActivities],
    params: &JudgeParams,
) -> Vec<ActivityFinding> {
    let pixel_m2 = plan.ground.as_ref().map_or(1.0, |ground| ground.grid.pixel_area_m2());
    let activities = plan.site.activities.iter().enumerate();
    activities
        .map(|(index, activity)| {
            let observations: Vec<Observation> = observed_activities
                .iter()
                .map(|seen| seen.observation(index, &activity.id))
                .collect();
            activity_finding(activity, &observations, pixel_m2, params)
        })
        .collect()
}

fn activity_finding(
    activity: &Activity,
    observations: &[Observation],
    pixel_area_m2: f64,
    params: &JudgeParams,
) -> ActivityFinding {
    let (verdict, evidence, observed) = judge::judge_activity(activity, observations, pixel_area_m2, params);
    let mut anomalies: Vec<String> = observations
        .iter()
        .flat_map(|observation| &observation.matched)
        .map(|(id, _)| id.clone())
        .collect();
    anomalies.sort();
    anomalies.dedup();
    ActivityFinding {
        id: activity.id.clone(),
        what: activity.what,
        window: record::window(activity),
        notified: activity.notified,
        verdict,
        evidence,
        anomalies: if verdict == Verdict::Consistent {
            anomalies
        } else {
            Vec::new()
        },
        observed_fraction: round(observed, 6),
        geometry: Geometry::from(&activity.polygon),
    }
}
