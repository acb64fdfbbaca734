//! What a comparison's scores say: the cutoff, regions, what is measured of them, and verdicts.

use std::path::PathBuf;

use crate::config::Config;
use crate::engine::SiteError;
use crate::engine::channel::Channel;
use crate::engine::compare::{Compared, Survey};
use crate::engine::driver::in_order;
use crate::engine::measure::{self, Measure};
use crate::engine::passes::{self, Levels, Written};
use crate::engine::record::{self, AnomalyMaker};
use crate::engine::timers::Timers;
use crate::finding::{Anomaly, CutoffRecord};
use crate::plan::{Ground, SitePlan};
use crate::scene::Kind;
use crate::stage::cutoff::{self, Null};
use crate::stage::false_alarms::{ClusterRule, Significance, Tail};
use crate::stage::judge;
use crate::stage::outline::outline;
use crate::stage::profile::CutoffRule;
use crate::stage::regions::Region;

/// What a comparison's scores say.
pub(crate) struct Found {
    pub cutoff: Option<CutoffRecord>,
    pub anomalies: Vec<Anomaly>,
    /// Peaks of all regions, highest first, those included that the false discovery rate of objects drops.
    pub peaks: Vec<i16>,
    /// How high clusters reach without change; absent where nothing was judged.
    pub tail: Option<Tail>,
    /// Matching change: anomaly, activity, pixels.
    pub matched: Vec<(String, String, u64)>,
}

/// Cutoff, regions, measures and verdicts of one comparison.
pub(crate) fn find(
    survey: &Survey<'_>,
    plan: &SitePlan,
    ground: &Ground,
    compared: &Compared<'_>,
    rasters: &[(PathBuf, usize); 2],
    timers: &mut Timers,
) -> Result<Found, SiteError> {
    let mut found = Found {
        cutoff: None,
        anomalies: Vec::new(),
        peaks: Vec::new(),
        tail: None,
        matched: Vec::new(),
    };
    let Some(fit) = &compared.main().fit else {
        return Ok(found);
    };
    if compared.main().scorers.is_empty() {
        return Ok(found);
    }
    let config = survey.config;
    let pass = survey.pass(plan, ground);
    let rule = rule(compared, config, plan.most_false);
    let [scores, reasons] = rasters.each_ref().map(|(path, band)| Written {
        path,
        band: *band,
        pool: survey.pool,
    });
    found.tail = timers.time("cutoff", || tail(survey, ground, compared, &scores))?;
    let cutoff = timers.time("cutoff", || cutoff::fit(&compared.counts.histogram, found.tail, &rule));
    let mut regions = Vec::new();
    if let Some(found) = cutoff.levels {
        let levels = levels(compared, ground, config, found);
        regions = timers.time("regions", || passes::regions(&pass, &scores, &levels))?;
    }
    // Strongest first; the first pixel settles ties.
    regions.sort_by_key(|region| {
        (
            std::cmp::Reverse(region.peak()),
            region.runs.first().map(|run| (run.y, run.from)),
        )
    });
    let peaks: Vec<i16> = regions.iter().map(Region::peak).collect();
    let mut significances = cutoff.significances(&peaks).unwrap_or_default();
    let all = regions.len();
    // Peaks fall and false discovery rates rise: those that are claimed come first.
    significances.retain(|one| cutoff.claims(one));
    regions.truncate(significances.len());
    found.peaks = peaks;
    let measures = timers.time("measure", || {
        measure::measure(&pass, survey, &compared.channels, &fit.bands, &reasons, &regions)
    })?;
    let dropped = (all - regions.len()) as u64;
    found.cutoff = Some(cutoff.record(&significances, dropped));
    let measured = regions.into_iter().zip(measures).zip(significances);
    let order: Vec<Claimed> = measured
        .map(|((region, measure), significance)| (region, measure, significance))
        .collect();
    timers.time("judge", || {
        judge_all(survey, plan, ground, compared, &order, &mut found)
    })?;
    Ok(found)
}

/// How high clusters of `scores` reach without change; `None` where nothing was judged.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
fn tail(
    survey: &Survey<'_>,
    ground: &Ground,
    compared: &Compared<'_>,
    scores: &Written<'_>,
) -> Result<Option<Tail>, SiteError> {
    let Some(null) = Null::fit(&compared.counts.histogram) else {
        return Ok(None);
    };
    let rule = ClusterRule {
        level: null.foot(),
        min_pixels: least_pixels(ground, survey.config),
        skirt_px: skirt_px(&compared.channels),
    };
    let clusters = passes::clusters(&ground.grid.rect(), survey.stop, scores, &rule)?;
    Ok(Tail::fit(&clusters, rule.level))
}

/// Which scores make regions, where the cutoff is at `seed` and `grow`.
pub(crate) fn levels(compared: &Compared<'_>, ground: &Ground, config: &Config, (seed, grow): (i16, i16)) -> Levels {
    Levels {
        seed,
        grow,
        min_pixels: least_pixels(ground, config),
        skirt_px: skirt_px(&compared.channels),
    }
}

/// How the cutoff of a comparison is set.
pub(crate) fn rule(compared: &Compared<'_>, config: &Config, most_false: Option<f64>) -> CutoffRule {
    let scorers = compared.channels.iter().flat_map(|channel| &channel.scorers);
    let detectors: Vec<_> = scorers.map(|(detector, _)| *detector).collect();
    let profile = config
        .profile
        .of(compared.pair.kind == Kind::Sar, compared.pair.is_series());
    profile.cutoff(&config.cutoff, &detectors, most_false)
}

/// A region that is claimed, what was measured of it, and what chance makes of it.
type Claimed = (Region, Measure, Significance);

/// The fewest pixels of a region.
fn least_pixels(ground: &Ground, config: &Config) -> u64 {
    let least = config.regions.min_area_m2 / ground.grid.pixel_area_m2();
    (least - 1e-9).ceil().max(1.0) as u64
}

/// How far smoothing draws a skirt around what changed, pixels.
pub(crate) fn skirt_px(channels: &[Channel<'_>]) -> usize {
    let scorers = channels.iter().flat_map(|channel| &channel.scorers);
    scorers.map(|(_, scorer)| scorer.skirt_px()).max().unwrap_or(0)
}

/// Regions that are judged together, for each lot one way to WGS 84 is found; and the runs after which a lot ends: the strongest regions
/// are often the largest.
const LOT: usize = 256;
const LOT_RUNS: usize = 10_000;

/// Outlines, places and judges every region of `order`, side by side; they enter `found` in their order.
fn judge_all(
    survey: &Survey<'_>,
    plan: &SitePlan,
    ground: &Ground,
    compared: &Compared<'_>,
    order: &[Claimed],
    found: &mut Found,
) -> Result<(), SiteError> {
    let judge_lot = |lot: &&[Claimed]| -> Result<Vec<_>, SiteError> {
        let maker = AnomalyMaker::new(&plan.site, ground, compared)?;
        let judge_one = |(region, measure, significance): &Claimed| {
            let (activities, zones) = (&ground.activities, &ground.zones);
            let span = record::onset_span(compared.pair, measure.onset);
            let mut judgement = judge::judge(region, measure.edge, span, activities, zones, &survey.config.judge);
            let matched = std::mem::take(&mut judgement.matched);
            let outline = outline(&region.runs);
            let anomaly = maker.make(region, &outline, judgement, measure, span, significance)?;
            Ok((anomaly, matched))
        };
        lot.iter().map(judge_one).collect()
    };
    in_order(&lots(order), survey.stop, judge_lot, |judged| {
        for (anomaly, matched) in judged? {
            let id = &anomaly.id;
            let matched = matched
                .into_iter()
                .map(|(activity, pixels)| (id.clone(), activity, pixels));
            found.matched.extend(matched);
            found.anomalies.push(anomaly);
        }
        Ok(())
    })
}

/// `order` in lots.
fn lots(order: &[Claimed]) -> Vec<&[Claimed]> {
    let (mut count, mut held) = (0, 0);
    let together = |_: &Claimed, next: &Claimed| {
        (count, held) = (count + 1, held + next.0.runs.len());
        let is_full = count == LOT || held > LOT_RUNS;
        if is_full {
            (count, held) = (0, next.0.runs.len());
        }
        !is_full
    };
    order.chunk_by(together).collect()
}
