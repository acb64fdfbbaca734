//! One comparison of a site: aligned, surveyed, scored, and what its scores say.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use geo::MultiPolygon;

use super::SiteError;
use super::config::Config;
use super::driver::in_order;
use super::events::Observer;
use super::inputs::Inputs;
use super::measure::{self, Measure};
use super::observe::PairView;
use super::passes::{self, Counts, Lattice, Pass, Written};
use super::pictures;
use super::plan::{Ground, Pair, SitePlan};
use super::record::{self, AnomalyMaker};
use super::timers::Timers;
use crate::finding::{Anomaly, Comparison, CutoffRecord};
use crate::io::blocks::Blocks;
use crate::io::geotiff::GeoTiffWriter;
use crate::io::pool::Pool;
use crate::io::source::SceneSource;
use crate::report;
use crate::scene::Scene;
use crate::stage::cutoff;
use crate::stage::detect::difference::Scorer;
use crate::stage::judge;
use crate::stage::normalise::{self, SensorNoise};
use crate::stage::outline::outline;
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
        }
    }
}

/// Everything known of a comparison once its scores are written.
pub(super) struct Compared<'a> {
    pub pair: &'a Pair,
    pub sources: [SceneSource; 2],
    pub fit: Option<(normalise::Fit, Scorer)>,
    pub counts: Counts,
    pub notes: Vec<String>,
}

/// The pixels that make the site's picture.
pub(super) fn lattice(ground: &Ground, pair: &Pair, config: &Config) -> Lattice {
    Lattice::new(
        ground.grid.rect(),
        config.report.overview_px,
        pictures::display_bands(&pair.bands),
    )
}

/// Aligns, surveys and scores one pair; its scores and flags go to band `band` of the two rasters.
pub(super) fn compare<'a>(
    survey: &Survey<'a>,
    plan: &SitePlan,
    ground: &Ground,
    pair: &'a Pair,
    out: (&mut GeoTiffWriter, &mut GeoTiffWriter),
    band: usize,
    timers: &mut Timers,
) -> Result<Compared<'a>, SiteError> {
    let scenes = [pair.before, pair.after].map(|index| &survey.inputs.scenes[index]);
    let sources = timers.time("align", || align(survey, ground, scenes, &pair.bands))?;
    let view = view(survey, ground, scenes, &sources);
    let sample = timers.time("survey", || view.survey(survey.stop))?;
    let mut notes = Vec::new();
    let noises = sensor_noises(scenes, &pair.bands);
    let fit = match timers.time("fit", || normalise::fit(&sample, &noises, &survey.config.normalise)) {
        Ok(fit) => {
            let scorer = Scorer::fit(&sample, &fit.bands, &survey.config.detect);
            Some((fit, scorer))
        }
        Err(error) => {
            notes.push(error.to_string());
            None
        }
    };
    let pass = survey.pass(plan, ground);
    let lattice = lattice(ground, pair, survey.config);
    let scorer = fit.as_ref().map(|(_, scorer)| scorer);
    let counts = timers.time("score", || passes::score(&pass, &view, scorer, &lattice, out, band))?;
    Ok(Compared {
        pair,
        sources,
        fit,
        counts,
        notes,
    })
}

/// Noise of each band that its sensor states, the larger of both dates.
fn sensor_noises(scenes: [&Scene; 2], bands: &[String]) -> Vec<SensorNoise> {
    let of = |scene: &Scene, name: &String| {
        let band = scene.bands.iter().find(|band| band.name == *name);
        band.map_or((0.0, 0.0), |band| (band.noise.unwrap_or(0.0), band.noise_fraction))
    };
    bands
        .iter()
        .map(|name| {
            let [a, b] = scenes.map(|scene| of(scene, name));
            SensorNoise {
                floor: a.0.max(b.0),
                fraction: a.1.max(b.1),
            }
        })
        .collect()
}

fn align(
    survey: &Survey<'_>,
    ground: &Ground,
    scenes: [&Scene; 2],
    bands: &[String],
) -> Result<[SceneSource; 2], SiteError> {
    let open = |scene| {
        SceneSource::new(
            scene,
            &ground.grid,
            ground.halo,
            bands,
            &survey.inputs.infos,
            survey.blocks.clone(),
        )
    };
    Ok([open(scenes[0])?, open(scenes[1])?])
}

fn view<'a>(
    survey: &Survey<'a>,
    ground: &'a Ground,
    scenes: [&'a Scene; 2],
    sources: &'a [SceneSource; 2],
) -> PairView<'a> {
    PairView {
        before: &sources[0],
        after: &sources[1],
        codings: scenes.map(|scene| scene.quality.iter().map(|quality| &quality.coding).collect()),
        grid: &ground.grid,
        config: survey.config,
    }
}

/// What a comparison's scores say.
pub(super) struct Found {
    pub cutoff: Option<CutoffRecord>,
    pub anomalies: Vec<Anomaly>,
    /// Those that the report shows, with their outlines in pixels of the site grid.
    pub shown: Vec<(usize, MultiPolygon<f64>)>,
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
        shown: Vec::new(),
        matched: Vec::new(),
    };
    let Some((_, scorer)) = &compared.fit else {
        return Ok(found);
    };
    let config = survey.config;
    let pass = survey.pass(plan, ground);
    let cutoff = timers.time("cutoff", || cutoff::fit(&compared.counts.histogram, &config.cutoff));
    let [scores, reasons] = rasters.each_ref().map(|(path, band)| Written {
        path,
        band: *band,
        pool: survey.pool,
    });
    let mut regions = Vec::new();
    if let Some((seed, grow)) = cutoff.levels {
        let min_pixels = (config.regions.min_area_m2 / ground.grid.pixel_area_m2() - 1e-9)
            .ceil()
            .max(1.0) as u64;
        regions = timers.time("regions", || passes::regions(&pass, &scores, seed, grow, min_pixels))?;
    }
    let scenes = [compared.pair.before, compared.pair.after].map(|index| &survey.inputs.scenes[index]);
    let view = view(survey, ground, scenes, &compared.sources);
    let measures = timers.time("measure", || measure::measure(&pass, &view, scorer, &reasons, &regions))?;
    // Strongest first; the first pixel settles ties.
    let mut order: Vec<(Region, Measure)> = regions.into_iter().zip(measures).collect();
    order.sort_by_key(|(region, _)| {
        (
            std::cmp::Reverse(region.peak()),
            region.runs.first().map(|run| (run.y, run.from)),
        )
    });
    timers.time("judge", || {
        judge_all(survey, plan, ground, compared, scorer, &order, &mut found)
    })?;
    let most = config.report.max_shown;
    found.shown = report::shown(&found.anomalies, most)
        .into_iter()
        .map(|index| (index, outline(&order[index].0.runs)))
        .collect();
    found.cutoff = Some(cutoff.record(order.iter().map(|(region, _)| region.seeds())));
    Ok(found)
}

/// Regions that are judged together: for each lot one way to WGS 84 is found.
const LOT: usize = 256;

/// Outlines, places and judges every region of `order`, side by side; they enter `found` in their order.
fn judge_all(
    survey: &Survey<'_>,
    plan: &SitePlan,
    ground: &Ground,
    compared: &Compared<'_>,
    scorer: &Scorer,
    order: &[(Region, Measure)],
    found: &mut Found,
) -> Result<(), SiteError> {
    let span = record::span(compared.pair, survey.inputs);
    let judge_lot = |lot: &&[(Region, Measure)]| -> Result<Vec<_>, SiteError> {
        let maker = AnomalyMaker::new(&plan.site, ground, compared.pair, survey.inputs)?;
        let judge_one = |(region, measure): &(Region, Measure)| {
            let (activities, zones) = (&ground.activities, &ground.zones);
            let mut judgement = judge::judge(region, measure.edge, span, activities, zones, &survey.config.judge);
            let matched = std::mem::take(&mut judgement.matched);
            let outline = outline(&region.runs);
            let anomaly = maker.make(region, &outline, judgement, measure, scorer)?;
            Ok((anomaly, matched))
        };
        lot.iter().map(judge_one).collect()
    };
    let lots: Vec<&[(Region, Measure)]> = order.chunks(LOT).collect();
    in_order(&lots, survey.stop, judge_lot, |judged| {
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
    let mut notes = compared.notes.clone();
    if coverage.observed_fraction < least {
        notes.push(format!(
            "{:.1} % of the site was observed, less than the {:.0} % that a judgement needs",
            100.0 * coverage.observed_fraction,
            100.0 * least
        ));
    }
    let id = |index: usize| survey.inputs.scenes[index].id.clone();
    Comparison {
        band,
        before: id(compared.pair.before),
        after: id(compared.pair.after),
        dates: record::interval(record::span(compared.pair, survey.inputs)),
        observable: coverage.observed_fraction >= least && compared.fit.is_some(),
        notes,
        coverage,
        zones: record::zones(&plan.site, &compared.counts.areas),
        detector: survey.config.detect.detector.clone(),
        normalisation: compared
            .fit
            .as_ref()
            .map(|(fit, _)| record::normalisation(compared.pair, fit)),
        cutoff,
        anomalies,
    }
}
