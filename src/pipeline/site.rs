//! The survey of one site: the flow of the whole program, in code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::SiteError;
use super::config::Config;
use super::events::{Event, Observer};
use super::inputs::Inputs;
use super::observe::PairView;
use super::passes::{self, Counts, Lattice, Measure, Pass, Written};
use super::pictures;
use super::plan::{Ground, Pair, SitePlan};
use super::publish::write_file;
use super::record::{self, AnomalyMaker};
use super::timers::Timers;
use crate::finding::{
    ActivityFinding, Anomaly, Comparison, Geometry, Input, REPORT_VERSION, SiteReport, Verdict, round,
};
use crate::io::cog::{self, Overviews};
use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
use crate::io::pool::Pool;
use crate::io::source::SceneSource;
use crate::raster::flags;
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};
use crate::report::{self, Pictures, Stretch};
use crate::scene::Scene;
use crate::stage::cutoff;
use crate::stage::detect::difference::Scorer;
use crate::stage::judge::{self, Look};
use crate::stage::normalise;
use crate::stage::regions::Region;

/// What the survey of every site shares.
pub struct Survey<'a> {
    /// What is read.
    pub inputs: &'a Inputs,
    /// Parameters.
    pub config: &'a Config,
    /// Open files.
    pub pool: &'a Arc<Pool>,
    /// Sees progress.
    pub observer: &'a dyn Observer,
    /// Set when the run has to stop.
    pub stop: &'a AtomicBool,
}

/// What goes into the record beside what is found.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// Hash of everything that decides the result.
    pub run_key: String,
    /// Files that went in.
    pub inputs: Vec<Input>,
    /// Parameters in force.
    pub parameters: serde_json::Value,
}

/// Surveys the site of `plan` and writes its files into `folder`; the report, and where the time went.
///
/// # Errors
/// A scene that cannot be read, a file that cannot be written; the run was stopped.
pub fn survey_site(
    survey: &Survey<'_>,
    plan: &SitePlan,
    provenance: Provenance,
    folder: &Path,
) -> Result<(SiteReport, Timers), SiteError> {
    let mut timers = Timers::default();
    let mut report = SiteReport {
        report_version: REPORT_VERSION.into(),
        program: record::program(),
        run_key: provenance.run_key,
        site: record::site(&plan.site),
        declarations: record::declarations(&survey.inputs.declared),
        grid: plan.ground.as_ref().map(|ground| record::grid(&ground.grid)),
        scenes: Vec::new(),
        refused: plan.refused.clone(),
        comparisons: Vec::new(),
        activities: Vec::new(),
        inputs: provenance.inputs,
        parameters: provenance.parameters,
    };
    let mut pictures = Pictures::default();
    match &plan.ground {
        Some(ground) => compare_all(survey, plan, ground, folder, &mut report, &mut pictures, &mut timers)?,
        None => {
            let nowhere = |activity| activity_finding(activity, &[], 1.0, survey.config);
            report.activities = plan.site.activities.iter().map(nowhere).collect();
        }
    }
    timers.time("report", || write_report(&report, &pictures, folder))?;
    Ok((report, timers))
}

/// Everything known of a comparison once its scores are written.
struct Compared<'a> {
    pair: &'a Pair,
    sources: [SceneSource; 2],
    fit: Option<(normalise::Fit, Scorer)>,
    counts: Counts,
    notes: Vec<String>,
}

fn compare_all(
    survey: &Survey<'_>,
    plan: &SitePlan,
    ground: &Ground,
    folder: &Path,
    report: &mut SiteReport,
    pictures: &mut Pictures,
    timers: &mut Timers,
) -> Result<(), SiteError> {
    let [score_path, flag_path] = ["score", "flags"].map(|name| folder.join(format!(".{name}.tif")));
    let names: Vec<String> = plan
        .pairs
        .iter()
        .map(|pair| {
            format!(
                "{} to {}",
                survey.inputs.scenes[pair.before].id, survey.inputs.scenes[pair.after].id
            )
        })
        .collect();
    let mut score_out = writer(
        &score_path,
        ground,
        &names,
        DataType::I16,
        Some(f64::from(SCORE_NODATA)),
    )?;
    let mut flag_out = writer(&flag_path, ground, &names, DataType::U16, None)?;
    for band in 1..=names.len() {
        score_out.scale(band, SCORE_SCALE, 0.0)?;
    }
    let mut compared = Vec::with_capacity(plan.pairs.len());
    for (index, pair) in plan.pairs.iter().enumerate() {
        compared.push(compare(
            survey,
            plan,
            ground,
            pair,
            (&mut score_out, &mut flag_out),
            index + 1,
            timers,
        )?);
    }
    timers.time("write", || score_out.finish().and_then(|()| flag_out.finish()))?;

    let mut looks: Vec<(Look, Vec<(u64, u64)>, Vec<(String, String, u64)>)> = Vec::new();
    for (index, compared) in compared.iter().enumerate() {
        let written = |path: &'_ Path| -> (PathBuf, usize) { (path.to_owned(), index + 1) };
        let rasters = [written(&score_path), written(&flag_path)];
        let lattice = lattice(ground, compared.pair, survey.config);
        let (before, after, shared) = pictures::overview(&lattice, &compared.counts.overview)?;
        // The site's picture is that of the newest comparison.
        (pictures.overview_before, pictures.overview) = (Some(before), Some(after));
        pictures.overview_scale = 1.0 / lattice.stride as f64;
        let found = find(survey, plan, ground, compared, &rasters, timers)?;
        timers.time("pictures", || {
            chips(survey, ground, compared, &found, &shared, pictures)
        })?;
        for (anomaly, region) in found.anomalies.iter().zip(&found.regions) {
            pictures
                .outlines
                .insert(anomaly.id.clone(), pictures::rings(&region.outline()));
        }
        let areas = compared
            .counts
            .areas
            .iter()
            .skip(1 + ground.zones.len())
            .map(|count| count.pixels())
            .collect();
        let look = Look {
            span: record::span(compared.pair, survey.inputs),
            area: (0, 0),
            matched: Vec::new(),
        };
        looks.push((look, areas, found.matched));
        let pair_scenes = [compared.pair.before, compared.pair.after];
        for (source, scene) in compared
            .sources
            .iter()
            .zip(pair_scenes.map(|scene| &survey.inputs.scenes[scene]))
        {
            if !report.scenes.iter().any(|known| known.id == scene.id) {
                let alignment = source.alignment().into_iter().map(str::to_owned);
                report.scenes.push(record::scene(
                    scene,
                    compared.pair.bands.iter().cloned().zip(alignment).collect(),
                ));
            }
        }
        report.comparisons.push(comparison(
            survey,
            plan,
            compared,
            found.cutoff,
            found.anomalies,
            index + 1,
        ));
    }
    for (index, activity) in plan.site.activities.iter().enumerate() {
        let looks: Vec<Look> = looks
            .iter()
            .map(|(look, areas, matched)| Look {
                area: areas.get(index).copied().unwrap_or_default(),
                matched: matched
                    .iter()
                    .filter(|(_, id, _)| *id == activity.id)
                    .map(|(a, _, pixels)| (a.clone(), *pixels))
                    .collect(),
                ..look.clone()
            })
            .collect();
        report.activities.push(activity_finding(
            activity,
            &looks,
            ground.grid.pixel_area_m2(),
            survey.config,
        ));
    }
    pictures::declared_outlines(ground, pictures);
    let threads = super::driver::thread_count(survey.config.compute.threads);
    timers.time("rasters", || {
        cog::write(&score_path, &folder.join("score.tif"), Overviews::Average, threads)?;
        cog::write(&flag_path, &folder.join("flags.tif"), Overviews::Nearest, threads)
    })?;
    for path in [&score_path, &flag_path] {
        survey.pool.forget(path);
        std::fs::remove_file(path).map_err(|source| super::publish::PublishError::Write {
            path: path.clone(),
            source,
        })?;
    }
    Ok(())
}

fn writer(
    path: &Path,
    ground: &Ground,
    names: &[String],
    data_type: DataType,
    nodata: Option<f64>,
) -> Result<GeoTiffWriter, SiteError> {
    let layout = Layout {
        width: ground.grid.width,
        height: ground.grid.height,
        bands: names.len(),
        data_type,
        transform: ground.grid.geotransform(),
        crs: ground.grid.crs.clone(),
        nodata,
        compression: Compression::None,
        block: 512,
    };
    let mut writer = GeoTiffWriter::create(path, layout)?;
    for (index, name) in names.iter().enumerate() {
        writer.describe(index + 1, name)?;
    }
    if data_type == DataType::U16 {
        let meaning = flags::REASONS.iter().map(|(bit, name)| format!("{bit} {name}"));
        let outside = format!("{} outside_site", flags::OUTSIDE_SITE);
        writer.tag("FLAGS", &meaning.chain([outside]).collect::<Vec<_>>().join(", "))?;
    }
    Ok(writer)
}

fn lattice(ground: &Ground, pair: &Pair, config: &Config) -> Lattice {
    Lattice::new(
        ground.grid.rect(),
        config.report.overview_px,
        pictures::display_bands(&pair.bands),
    )
}

/// Aligns, surveys and scores one pair; its scores and flags go to band `band` of the two rasters.
fn compare<'a>(
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
    let floors = noise_floors(scenes, &pair.bands);
    let fit = match timers.time("fit", || normalise::fit(&sample, &floors, &survey.config.normalise)) {
        Ok(fit) => {
            let scorer = Scorer::fit(&sample, &fit.bands);
            Some((fit, scorer))
        }
        Err(error) => {
            notes.push(error.to_string());
            None
        }
    };
    let site = plan.site.id.as_str();
    let progress = |done, total| {
        survey.observer.see(&Event::Tiles {
            site,
            pass: "score",
            done,
            total,
        })
    };
    let pass = Pass {
        ground,
        stop: survey.stop,
        progress: &progress,
    };
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

/// Typical noise of each band by its sensor, the larger of both dates, in the band's unit; 0 where it is not known.
fn noise_floors(scenes: [&Scene; 2], bands: &[String]) -> Vec<f64> {
    let of = |scene: &Scene, name: &String| {
        scene
            .bands
            .iter()
            .find(|band| band.name == *name)
            .and_then(|band| band.noise)
            .unwrap_or(0.0)
    };
    bands
        .iter()
        .map(|name| of(scenes[0], name).max(of(scenes[1], name)))
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
            survey.pool.clone(),
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
struct Found {
    cutoff: Option<crate::finding::CutoffRecord>,
    anomalies: Vec<Anomaly>,
    /// The regions of the anomalies, in their order.
    regions: Vec<Region>,
    /// Matching change: anomaly, activity, pixels.
    matched: Vec<(String, String, u64)>,
}

/// Cutoff, regions, measures and verdicts of one comparison.
fn find(
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
        regions: Vec::new(),
        matched: Vec::new(),
    };
    let Some((_, scorer)) = &compared.fit else {
        return Ok(found);
    };
    let (config, site) = (survey.config, plan.site.id.as_str());
    let cutoff = timers.time("cutoff", || cutoff::fit(&compared.counts.histogram, &config.cutoff));
    let [scores, reasons] = rasters.each_ref().map(|(path, band)| Written {
        path,
        band: *band,
        pool: survey.pool,
    });
    let mut regions = Vec::new();
    if let Some((seed, grow)) = cutoff.levels {
        let progress = |done, total| {
            survey.observer.see(&Event::Tiles {
                site,
                pass: "regions",
                done,
                total,
            })
        };
        let pass = Pass {
            ground,
            stop: survey.stop,
            progress: &progress,
        };
        let min_pixels = (config.regions.min_area_m2 / ground.grid.pixel_area_m2() - 1e-9)
            .ceil()
            .max(1.0) as u64;
        regions = timers.time("regions", || passes::regions(&pass, &scores, seed, grow, min_pixels))?;
    }
    let scenes = [compared.pair.before, compared.pair.after].map(|index| &survey.inputs.scenes[index]);
    let view = view(survey, ground, scenes, &compared.sources);
    let progress = |done, total| {
        survey.observer.see(&Event::Tiles {
            site,
            pass: "measure",
            done,
            total,
        })
    };
    let pass = Pass {
        ground,
        stop: survey.stop,
        progress: &progress,
    };
    let measures = timers.time("measure", || passes::measure(&pass, &view, scorer, &reasons, &regions))?;
    // Strongest first; the first pixel settles ties.
    let mut order: Vec<(Region, Measure)> = regions.into_iter().zip(measures).collect();
    order.sort_by_key(|(region, _)| {
        (
            std::cmp::Reverse(region.peak()),
            region.runs.first().map(|run| (run.y, run.from)),
        )
    });
    let maker = AnomalyMaker::new(&plan.site, ground, compared.pair, survey.inputs)?;
    let span = record::span(compared.pair, survey.inputs);
    timers.time("judge", || -> Result<(), SiteError> {
        for (region, measure) in order {
            let judgement = judge::judge(
                &region,
                measure.edge,
                span,
                &ground.activities,
                &ground.zones,
                &config.judge,
            );
            let id = maker.id(&region);
            found.matched.extend(
                judgement
                    .matched
                    .iter()
                    .map(|(activity, pixels)| (id.clone(), activity.clone(), *pixels)),
            );
            found
                .anomalies
                .push(maker.make(&region, &region.outline(), judgement, &measure, scorer)?);
            found.regions.push(region);
        }
        Ok(())
    })?;
    found.cutoff = Some(cutoff.record(&found.regions));
    Ok(found)
}

fn comparison(
    survey: &Survey<'_>,
    plan: &SitePlan,
    compared: &Compared<'_>,
    cutoff: Option<crate::finding::CutoffRecord>,
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

fn activity_finding(
    activity: &crate::declaration::Activity,
    looks: &[Look],
    pixel_area_m2: f64,
    config: &Config,
) -> ActivityFinding {
    let (verdict, evidence, observed) = judge::judge_activity(activity, looks, pixel_area_m2, &config.judge);
    let mut anomalies: Vec<String> = looks
        .iter()
        .flat_map(|look| &look.matched)
        .map(|(id, _)| id.clone())
        .collect();
    anomalies.sort();
    anomalies.dedup();
    ActivityFinding {
        id: activity.id.clone(),
        what: activity.what.word().into(),
        window: record::window(activity),
        notified: activity.notified.to_string(),
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

fn chips(
    survey: &Survey<'_>,
    ground: &Ground,
    compared: &Compared<'_>,
    found: &Found,
    stretch: &Stretch,
    pictures: &mut Pictures,
) -> Result<(), SiteError> {
    if found.anomalies.is_empty() {
        return Ok(());
    }
    // Only the bands that are shown are read.
    let shown = pictures::display_bands(&compared.pair.bands);
    let mut bands: Vec<String> = shown.iter().map(|band| compared.pair.bands[*band].clone()).collect();
    bands.sort();
    bands.dedup();
    let channels = shown.map(|band| {
        bands
            .iter()
            .position(|name| *name == compared.pair.bands[band])
            .unwrap_or(0)
    });
    let scenes = [compared.pair.before, compared.pair.after].map(|index| &survey.inputs.scenes[index]);
    let windows: Vec<_> = found
        .anomalies
        .iter()
        .zip(&found.regions)
        .take(survey.config.report.max_chips)
        .map(|(anomaly, region)| (anomaly.id.clone(), pictures::chip_window(&region.bounds())))
        .collect();
    // A chip may reach beyond the grid by its margin.
    let margin = windows
        .iter()
        .map(|(_, w)| {
            let inside = w.intersect(&ground.grid.rect());
            (w.w - inside.w).max(w.h - inside.h)
        })
        .max()
        .unwrap_or(0);
    let open = |scene: &Scene| {
        let bare = Scene {
            quality: Vec::new(),
            ..scene.clone()
        };
        SceneSource::new(
            &bare,
            &ground.grid,
            margin,
            &bands,
            &survey.inputs.infos,
            survey.pool.clone(),
        )
    };
    let sources = [open(scenes[0])?, open(scenes[1])?];
    let made = pictures::chips([&sources[0], &sources[1]], channels, &windows, stretch, survey.stop)?;
    pictures.chips.extend(made.into_iter().collect::<BTreeMap<_, _>>());
    Ok(())
}

fn write_report(report: &SiteReport, pictures: &Pictures, folder: &Path) -> Result<(), SiteError> {
    write_file(
        &folder.join("report.html"),
        report::report_html(report, pictures)?.as_bytes(),
    )?;
    write_file(&folder.join("anomalies.geojson"), &report::anomalies_geojson(report)?)?;
    write_file(&folder.join("report.json"), &report::report_json(report)?)?;
    Ok(())
}
