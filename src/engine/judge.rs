//! Regions held against what was declared: anomalies with their verdicts.

use crate::engine::EngineError;
use crate::engine::driver::in_order;
use crate::engine::find::Detections;
use crate::engine::measure::Measure;
use crate::engine::record::{self, AnomalyMaker};
use crate::engine::score::Scored;
use crate::engine::session::SiteWork;
use crate::finding::{Anomaly, CutoffRecord};
use crate::stage::false_alarms::Significance;
use crate::stage::judge;
use crate::stage::regions::Region;

/// What a comparison shows, judged.
#[derive(Default)]
pub struct Judged {
    /// How the cutoff was set; absent where nothing can be judged.
    pub cutoff: Option<CutoffRecord>,
    /// Anomalies, strongest first.
    pub anomalies: Vec<Anomaly>,
    /// Matching change: anomaly, activity, pixels.
    pub matched: Vec<(String, String, u64)>,
}

/// A region that is claimed, what was measured of it, and what chance makes of it.
type Claimed<'a> = (&'a Region, &'a Measure, &'a Significance);

/// Regions that are judged together, for each batch one projection to WGS 84 is made; and the runs after which a batch ends: the strongest
/// regions are often the largest.
const BATCH: usize = 256;
const BATCH_RUNS: usize = 10_000;

/// Outlines, places and judges every region of `found`, side by side; `measures` are theirs.
///
/// # Errors
/// A place that cannot be carried to WGS 84; the run was stopped.
pub fn judge(
    work: &SiteWork<'_>,
    scored: &Scored<'_>,
    found: &Detections,
    measures: &[Measure],
) -> Result<Judged, EngineError> {
    let (ground, params) = (work.ground, &work.config().judge);
    let claimed = found.regions.iter().zip(measures).zip(&found.significances);
    let claimed: Vec<Claimed<'_>> = claimed
        .map(|((region, measure), significance)| (region, measure, significance))
        .collect();
    let judge_batch = |batch: &&[Claimed<'_>]| -> Result<Vec<_>, EngineError> {
        let maker = AnomalyMaker::new(&work.plan.site, ground, scored)?;
        let judge_one = |(region, measure, significance): &Claimed<'_>| {
            let span = record::break_span(scored.pair, measure.break_date);
            let mut judgement = judge::judge(region, measure.edge, span, &ground.activities, &ground.zones, params);
            let matched = std::mem::take(&mut judgement.matched);
            let anomaly = maker.make(region, judgement, measure, significance)?;
            Ok((anomaly, matched))
        };
        batch.iter().map(judge_one).collect()
    };
    let dropped = (found.peaks.len() - found.regions.len()) as u64;
    let mut judged = Judged {
        cutoff: found
            .cutoff
            .as_ref()
            .map(|cutoff| record::cutoff(cutoff, &found.significances, dropped)),
        ..Judged::default()
    };
    in_order(&batches(&claimed), work.stop(), judge_batch, |batch| {
        for (anomaly, matched) in batch? {
            let id = &anomaly.id;
            let matched = matched
                .into_iter()
                .map(|(activity, pixels)| (id.clone(), activity, pixels));
            judged.matched.extend(matched);
            judged.anomalies.push(anomaly);
        }
        Ok::<(), EngineError>(())
    })?;
    Ok(judged)
}

/// `claimed` in batches.
fn batches<'a, 'b>(claimed: &'b [Claimed<'a>]) -> Vec<&'b [Claimed<'a>]> {
    let (mut count, mut held) = (0, 0);
    let together = |_: &Claimed<'_>, next: &Claimed<'_>| {
        (count, held) = (count + 1, held + next.0.runs.len());
        let is_full = count == BATCH || held > BATCH_RUNS;
        if is_full {
            (count, held) = (0, next.0.runs.len());
        }
        !is_full
    };
    claimed.chunk_by(together).collect()
}
