//! One comparison of a site: aligned, surveyed, scored, and what its scores say.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::channel::{self, Channel};
use super::config::Config;
use super::counts::{Counts, Lattice};
use super::driver::in_order;
use super::events::Observer;
use super::inputs::Inputs;
use super::measure::{self, Measure};
use super::observe::Clouds;
use super::pairs::Pair;
use super::passes::{self, Levels, Pass, Written};
use super::plan::{Ground, SitePlan};
use super::record::{self, AnomalyMaker};
use super::timers::Timers;
use super::{SiteError, survey};
use crate::finding::{Anomaly, Comparison, CutoffRecord};
use crate::io::blocks::Blocks;
use crate::io::geotiff::GeoTiffWriter;
use crate::io::pool::Pool;
use crate::report::Palette;
use crate::scene::Kind;
use crate::stage::cutoff::{self, Null};
use crate::stage::detect::Cell;
use crate::stage::detect::combine::Combination;
use crate::stage::false_alarms::{ClusterRule, Significance, Tail};
use crate::stage::judge;
use crate::stage::outline::outline;
use crate::stage::profile::CutoffRule;
use crate::stage::regions::Region;

/// What the survey of every site shares.
pub struct Survey<'a> {
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

impl Survey<'_> {
    /// A pass over the tiles of `plan`'s site.
    fn pass<'b>(&'b self, plan: &'b SitePlan, ground: &'b Ground) -> Pass<'b> {
        Pass {
            ground,
            stop: self.stop,
            site: &plan.site.id,
            observer: self.observer,
            meter: self.blocks.meter(),
        }
    }
}

/// Everything known of a comparison once its scores are written.
pub struct Compared<'a> {
    /// Which scenes.
    pub pair: &'a Pair,
    /// That of the judged scenes first, then those of the scenes beside them.
    pub channels: Vec<Channel<'a>>,
    /// How the scores of their detectors are joined.
    pub combination: Combination,
    /// What the score pass counted.
    pub counts: Counts,
}

impl Compared<'_> {
    /// The channel of the judged scenes.
    pub fn main(&self) -> &Channel<'_> {
        &self.channels[0]
    }
}

/// The pixels that make the site's picture.
pub(super) fn lattice(ground: &Ground, pair: &Pair, config: &Config) -> Lattice {
    Lattice::new(ground.grid.rect(), config.report.overview_px, Palette::of(&pair.bands))
}

/// What is fitted to a comparison on the ground that is surveyed for a site: common to all small sites of a district.
pub(super) struct Fitted<'a> {
    /// That of the judged scenes first, then those of the scenes beside them.
    channels: Vec<Channel<'a>>,
    combination: Combination,
}

/// Aligns and surveys every comparison of `plan`'s site, and fits its detectors.
pub(super) fn fit<'a>(
    survey: &Survey<'a>,
    plan: &'a SitePlan,
    timers: &mut Timers,
) -> Result<Vec<Fitted<'a>>, SiteError> {
    let Some(ground) = &plan.ground else {
        return Ok(Vec::new());
    };
    let (district, ground) = (ground.grid != ground.surveyed, ground.to_survey());
    plan.pairs
        .iter()
        .map(|pair| {
            let together: Vec<&Pair> = std::iter::once(pair).chain(&pair.beside).collect();
            let planes = together.iter().map(|pair| pair.bands.len() * pair.scenes().len()).max();
            let clouds = Clouds::of(&channel::scenes(survey, pair));
            let cores = survey::cores(&ground.grid, district, planes.unwrap_or(1), clouds);
            let (mut channels, mut surveys) = (Vec::new(), Vec::new());
            for pair in together {
                let (channel, cells) = Channel::open(survey, &ground, pair, &cores, timers)?;
                channels.push(channel);
                surveys.push(cells);
            }
            let combination = timers.time("fit", || combination(&channels, &surveys, survey.config));
            Ok(Fitted { channels, combination })
        })
        .collect()
}

/// Scores the site of `plan` as `fitted`; scores and flags of `pair` go to band `band` of the two rasters.
pub(super) fn compare<'a>(
    survey: &Survey<'a>,
    plan: &SitePlan,
    ground: &Ground,
    (pair, fitted): (&'a Pair, &Fitted<'a>),
    out: (&mut GeoTiffWriter, &mut GeoTiffWriter),
    band: usize,
    timers: &mut Timers,
) -> Result<Compared<'a>, SiteError> {
    let channels = timers.time("align", || {
        let channels = fitted.channels.iter().map(|channel| channel.on_site(survey, ground));
        channels.collect::<Result<Vec<_>, _>>()
    })?;
    let combination = fitted.combination.clone();
    let pass = survey.pass(plan, ground);
    let lattice = lattice(ground, pair, survey.config);
    let views: Vec<_> = channels.iter().map(|channel| channel.view(survey, ground)).collect();
    let look = passes::Look {
        channels: &channels,
        views: &views,
        combination: &combination,
    };
    let counts = timers.time("score", || passes::score(&pass, &look, &lattice, out, band))?;
    drop(views);
    Ok(Compared {
        pair,
        channels,
        combination,
        counts,
    })
}

/// How the scores of all detectors are joined; each detector scores its survey for that.
fn combination(channels: &[Channel<'_>], surveys: &[Vec<Cell>], config: &Config) -> Combination {
    let several = channels.iter().map(|channel| channel.scorers.len()).sum::<usize>() > 1;
    let surveyed = surveys.iter().map(Vec::len).min().unwrap_or(0);
    let cells = if several { surveyed } else { 0 };
    let of_cell = |index: usize| {
        let of_channel = |(channel, cells): (&Channel<'_>, &Vec<Cell>)| {
            let Cell { core, seen } = &cells[index];
            let scorers = channel.scorers.iter();
            scorers.map(|(_, scorer)| scorer.score(seen, core)).collect::<Vec<_>>()
        };
        channels.iter().zip(surveys).flat_map(of_channel).collect()
    };
    let scores: Vec<_> = (0..cells).map(of_cell).collect();
    Combination::fit(config.detect.rule, weights(channels, config), &scores)
}

/// What each detector counts in a sum: all of one kind of scenes together as much as one of them alone would; radar beside optical
/// scenes less.
fn weights(channels: &[Channel<'_>], config: &Config) -> Vec<f64> {
    let is_radar = |channel: &Channel<'_>| channel.pair.kind == Kind::Sar;
    let of_kind = |radar: bool| {
        let same = channels.iter().filter(|channel| is_radar(channel) == radar);
        same.map(|channel| channel.scorers.len()).sum::<usize>() as f64
    };
    let beside = |channel: &Channel<'_>| is_radar(channel) && of_kind(false) > 0.0;
    let weight = |channel: &Channel<'_>| {
        let whole = if beside(channel) {
            config.detect.radar_weight
        } else {
            1.0
        };
        vec![whole / of_kind(is_radar(channel)).sqrt(); channel.scorers.len()]
    };
    channels.iter().flat_map(weight).collect()
}

/// What a comparison's scores say.
pub(super) struct Found {
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
pub(super) fn find(
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
pub(super) fn levels(compared: &Compared<'_>, ground: &Ground, config: &Config, (seed, grow): (i16, i16)) -> Levels {
    Levels {
        seed,
        grow,
        min_pixels: least_pixels(ground, config),
        skirt_px: skirt_px(&compared.channels),
    }
}

/// How the cutoff of a comparison is set.
pub(super) fn rule(compared: &Compared<'_>, config: &Config, most_false: Option<f64>) -> CutoffRule {
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
pub(super) fn skirt_px(channels: &[Channel<'_>]) -> usize {
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
        let maker = AnomalyMaker::new(&plan.site, ground, compared, survey.inputs)?;
        let judge_one = |(region, measure, significance): &Claimed| {
            let (activities, zones) = (&ground.activities, &ground.zones);
            let span = record::onset_span(compared.pair, measure.onset, survey.inputs);
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

/// The comparison as it stands in the record.
pub(super) fn comparison(
    survey: &Survey<'_>,
    plan: &SitePlan,
    compared: &Compared<'_>,
    cutoff: Option<CutoffRecord>,
    anomalies: Vec<Anomaly>,
    band: usize,
) -> Comparison {
    let coverage = compared.counts.areas[0].coverage();
    let least = survey.config.judge.min_observed_fraction;
    let main = compared.main();
    let mut notes: Vec<String> = compared
        .channels
        .iter()
        .flat_map(|channel| channel.notes.clone())
        .collect();
    if coverage.observed_fraction < least {
        notes.push(format!(
            "{:.1} % of the site was observed, less than the {:.0} % that a judgement needs",
            100.0 * coverage.observed_fraction,
            100.0 * least
        ));
    }
    if compared.counts.given_back > 0 {
        notes.push(format!(
            "{} pixels that the masks call cloud on every date, with clear ground around, were judged all the same: bright built ground",
            compared.counts.given_back
        ));
    }
    let id = |index: usize| survey.inputs.scenes[index].id.clone();
    Comparison {
        band,
        before: id(compared.pair.before),
        after: id(compared.pair.after),
        dates: record::interval(record::span(compared.pair, survey.inputs)),
        observable: coverage.observed_fraction >= least && !main.scorers.is_empty(),
        registration: main.registration.clone(),
        notes,
        coverage,
        zones: record::zones(&plan.site, &compared.counts.areas),
        detector: record::detectors(&compared.channels, survey.config),
        earlier: compared.pair.history.iter().map(|index| id(*index)).collect(),
        fits: record::fits(&compared.channels),
        normalisation: main.fit.as_ref().map(|fit| record::normalisation(main, fit)),
        cutoff,
        anomalies,
        sensitivity: None,
    }
}
