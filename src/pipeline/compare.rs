//! One comparison of a site: aligned, surveyed, scored.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::channel::Channel;
use super::config::Config;
use super::counts::{Counts, Lattice};
use super::events::Observer;
use super::inputs::Inputs;
use super::left_out;
use super::observe::Clouds;
use super::pairs::Pair;
use super::passes::{self, Pass};
use super::plan::{Ground, SitePlan};
use super::record::{self};
use super::timers::Timers;
use super::{SiteError, survey};
use crate::finding::{Anomaly, Comparison, CutoffRecord};
use crate::io::blocks::Blocks;
use crate::io::geotiff::GeoTiffWriter;
use crate::io::pool::Pool;
use crate::report::Palette;
use crate::scene::Kind;
use crate::stage::detect::Cell;
use crate::stage::detect::combine::Combination;

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
    pub(super) fn pass<'b>(&'b self, plan: &'b SitePlan, ground: &'b Ground) -> Pass<'b> {
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
            let clouds = Clouds::of(&pair.scenes());
            let cores = survey::cores(&ground.grid, district, planes.unwrap_or(1), clouds);
            let (mut channels, mut surveys) = (Vec::new(), Vec::new());
            for pair in together {
                let (channel, cells) = Channel::open(survey, &ground, pair, (&cores, district), timers)?;
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
        .chain(left_out::notes(survey.config, compared.pair))
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
    Comparison {
        band,
        before: compared.pair.before.whole.id.clone(),
        after: compared.pair.after.whole.id.clone(),
        dates: record::interval(record::span(compared.pair)),
        observable: coverage.observed_fraction >= least && !main.scorers.is_empty(),
        registration: main.registration.clone(),
        notes,
        coverage,
        zones: record::zones(&plan.site, &compared.counts.areas),
        detector: record::detectors(&compared.channels, survey.config),
        earlier: compared.pair.history.iter().map(|date| date.whole.id.clone()).collect(),
        fits: record::fits(&compared.channels),
        normalisation: main.fit.as_ref().map(|fit| record::normalisation(main, fit)),
        cutoff,
        anomalies,
        sensitivity: None,
    }
}
