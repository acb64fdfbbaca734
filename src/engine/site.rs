//! The survey of one site: the flow of the whole program, in code.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::engine::SiteError;
use crate::engine::compare::{Compared, Fitted, Survey, compare, comparison, lattice};
use crate::engine::driver::{both, thread_count};
use crate::engine::found::{Found, find};
use crate::engine::passes::Written;
use crate::engine::pictures;
use crate::engine::record;
use crate::engine::sensitivity;
use crate::engine::timers::Timers;
use crate::finding::{ActivityFinding, Geometry, REPORT_VERSION, SiteReport, Verdict, round};
use crate::geo::tile::in_strips;
use crate::geo::{Affine, Rect};
use crate::io::cog;
use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
use crate::io::meter::Work;
use crate::io::mosaic::Mosaic;
use crate::output::render;
use crate::plan::{Ground, SitePlan};
use crate::raster::flags;
use crate::raster::stats::{SCORE_NODATA, SCORE_SCALE};
use crate::report::{self, Gallery};
use crate::run::provenance::Provenance;
use crate::scene::Acquisition;
use crate::stage::judge::{self, Look, Span};

/// Scores and judges the site of `plan`, to whose comparisons `fits` were fitted, and writes its files into `folder`; the report, and
/// where the time went.
///
/// # Errors
/// A scene that cannot be read, a file that cannot be written; the run was stopped.
pub(crate) fn survey_site<'a>(
    survey: &Survey<'a>,
    plan: &'a SitePlan,
    fits: &[Fitted<'a>],
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
        refused_features: survey.inputs.declared.refused_about(&plan.site),
        comparisons: Vec::new(),
        activities: Vec::new(),
        inputs: provenance.inputs,
        parameters: provenance.parameters,
    };
    let mut gallery = Gallery::default();
    match &plan.ground {
        Some(ground) => compare_all(
            survey,
            plan,
            (ground, fits),
            folder,
            &mut report,
            &mut gallery,
            &mut timers,
        )?,
        None => {
            let nowhere = |activity| activity_finding(activity, &[], 1.0, survey.config);
            report.activities = plan.site.activities.iter().map(nowhere).collect();
        }
    }
    timers.time("report", || render::all(&report, &gallery, folder, survey.stop))?;
    Ok((report, timers))
}

/// What one comparison shows of the declared activities.
struct ActivityView {
    /// From the first to the last instant of its scenes.
    span: Span,
    /// Pixels of each activity's area: all, and those that were judged.
    areas: Vec<(u64, u64)>,
    /// Matching change: anomaly, activity, pixels.
    matched: Vec<(String, String, u64)>,
}

impl ActivityView {
    /// What it shows of the activity `id`, which is the `index`th.
    fn look(&self, index: usize, id: &str) -> Look {
        let matched = self.matched.iter().filter(|(_, activity, _)| activity == id);
        Look {
            span: self.span,
            area: self.areas.get(index).copied().unwrap_or_default(),
            matched: matched.map(|(anomaly, _, pixels)| (anomaly.clone(), *pixels)).collect(),
        }
    }
}

fn compare_all<'a>(
    survey: &Survey<'a>,
    plan: &'a SitePlan,
    (ground, fits): (&Ground, &[Fitted<'a>]),
    folder: &Path,
    report: &mut SiteReport,
    gallery: &mut Gallery,
    timers: &mut Timers,
) -> Result<(), SiteError> {
    let [score_path, flag_path] = ["score", "flags"].map(|name| folder.join(format!(".{name}.tif")));
    let names: Vec<String> = plan
        .pairs
        .iter()
        .map(|pair| format!("{} to {}", pair.before.whole.id, pair.after.whole.id))
        .collect();
    let mut score_out = writer(
        &score_path,
        ground,
        &names,
        DataType::I16,
        Some(f64::from(SCORE_NODATA)),
    )?;
    let mut flag_out = writer(
        &flag_path,
        ground,
        &names,
        DataType::U16,
        Some(f64::from(flags::OUTSIDE_SITE)),
    )?;
    for band in 1..=names.len() {
        score_out.scale(band, SCORE_SCALE, 0.0)?;
    }
    let mut compared = Vec::with_capacity(plan.pairs.len());
    for (index, of_pair) in plan.pairs.iter().zip(fits).enumerate() {
        compared.push(compare(
            survey,
            plan,
            ground,
            of_pair,
            (&mut score_out, &mut flag_out),
            index + 1,
            timers,
        )?);
    }
    let meter = survey.blocks.meter();
    timers.time("write", || {
        meter.time(Work::Write, || {
            let whole = |mut raster: GeoTiffWriter| raster.add_overviews().and_then(|()| raster.finish());
            let (scores, reasons) = both(|| whole(score_out), || whole(flag_out));
            scores.and(reasons)
        })
    })?;

    let mut views: Vec<ActivityView> = Vec::new();
    for (index, compared) in compared.iter().enumerate() {
        let written = |path: &'_ Path| -> (PathBuf, usize) { (path.to_owned(), index + 1) };
        let rasters = [written(&score_path), written(&flag_path)];
        let found = find(survey, plan, ground, compared, &rasters, timers)?;
        timers.time("pictures", || {
            draw(survey, ground, compared, &found, &rasters[0], plan.pairs.len(), gallery)
        })?;
        let mut sensitivity = None;
        if survey.config.sensitivity.enabled {
            let written = rasters.each_ref().map(|(path, band)| Written {
                path,
                band: *band,
                pool: survey.pool,
            });
            sensitivity = timers.time("sensitivity", || {
                sensitivity::measure(survey, plan, ground, (compared, &found), written)
            })?;
        }
        let areas = compared.counts.areas.iter().skip(1 + ground.zones.len());
        views.push(ActivityView {
            span: record::span(compared.pair),
            areas: areas.map(|count| count.pixels()).collect(),
            matched: found.matched,
        });
        for channel in &compared.channels {
            for (source, date) in channel.sources.iter().zip(channel.pair.dates()) {
                if !report.scenes.iter().any(|known| known.id == date.whole.id) {
                    let alignment = source.alignment().into_iter().map(str::to_owned);
                    let alignment = channel.pair.bands.iter().cloned().zip(alignment).collect();
                    report.scenes.push(record::scene(date, alignment));
                }
            }
        }
        let mut told = comparison(survey, plan, compared, found.cutoff, found.anomalies, index + 1);
        told.sensitivity = sensitivity;
        report.comparisons.push(told);
    }
    if let Some(newest) = compared.last() {
        let lattice = lattice(ground, newest.pair, survey.config);
        gallery.site = Some(timers.time("pictures", || pictures::overview(&lattice, &newest.counts.overview))?);
    }
    for (index, activity) in plan.site.activities.iter().enumerate() {
        let looks: Vec<Look> = views.iter().map(|view| view.look(index, &activity.id)).collect();
        report.activities.push(activity_finding(
            activity,
            &looks,
            ground.grid.pixel_area_m2(),
            survey.config,
        ));
    }
    if !ground.is_small() {
        // It filled the store with what no other site needs soon; reports need the room.
        survey.blocks.clear();
    }
    let threads = thread_count(survey.config.compute.threads);
    timers.time("rasters", || {
        meter.time(Work::Write, || {
            cog::write(&score_path, &folder.join("score.tif"), threads)?;
            cog::write(&flag_path, &folder.join("flags.tif"), threads)
        })
    })?;
    for path in [&score_path, &flag_path] {
        survey.pool.forget(path);
        std::fs::remove_file(path).map_err(|source| crate::output::publish::PublishError::Write {
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
        block: cog::block_px(ground.grid.width, ground.grid.height),
    };
    let mut writer = GeoTiffWriter::create(path, layout)?;
    for (index, name) in names.iter().enumerate() {
        writer.describe(index + 1, name)?;
    }
    if data_type == DataType::U16 {
        let meaning = flags::REASONS.iter().map(|(bit, name)| format!("{bit} {name}"));
        let outside = format!("{} outside_site: no data", flags::OUTSIDE_SITE);
        writer.tag("FLAGS", &meaning.chain([outside]).collect::<Vec<_>>().join(", "))?;
    }
    Ok(writer)
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

/// Draws a chip of each anomaly of one comparison that is on the page.
fn draw(
    survey: &Survey<'_>,
    ground: &Ground,
    compared: &Compared<'_>,
    found: &Found,
    (path, band): &(PathBuf, usize),
    comparisons: usize,
    gallery: &mut Gallery,
) -> Result<(), SiteError> {
    let lattice = lattice(ground, compared.pair, survey.config);
    let shown = report::shown(&found.anomalies, survey.config.report.max_shown);
    let ([.., before, after], false) = (compared.main().moved.as_slice(), shown.is_empty()) else {
        return Ok(());
    };
    let bounds: Vec<Rect> = shown
        .iter()
        .map(|index| {
            let [x, y, w, h] = found.anomalies[*index].bounds_px;
            Rect::new(x, y, w as usize, h as usize)
        })
        .collect();
    let chip_px = pictures::chip_px(bounds.iter(), comparisons);
    let overview = &compared.counts.overview;
    let painters = pictures::painters(&lattice, overview);
    let windows = shown.iter().zip(&bounds).map(|(index, bounds)| {
        let id = found.anomalies[*index].id.clone();
        (id, pictures::chip_window(bounds, chip_px))
    });
    let (large, mut windows): (Vec<_>, Vec<_>) =
        windows.partition(|(_, window)| pictures::is_shown_by(&lattice, window, chip_px));
    for (id, window) in large {
        let chip = pictures::chip_of_overview(&lattice, overview, &window, chip_px, &painters)?;
        gallery.chips.insert(id, chip);
    }
    // Neighbours one after the other: they lie on the same blocks.
    in_strips(&mut windows, ground.strip_px, |(_, window)| (window.x, window.y));
    // A chip may reach beyond the grid by its margin.
    let margin = windows
        .iter()
        .map(|(_, w)| {
            let inside = w.intersect(&ground.grid.rect());
            (w.w - inside.w).max(w.h - inside.h)
        })
        .max()
        .unwrap_or(0);
    // Only the bands that are shown are read.
    let bands = lattice.palette.bands.iter();
    let bands: Vec<String> = bands.map(|band| compared.pair.bands[*band].clone()).collect();
    let open = |date: &Acquisition, moved: &Affine| {
        let (infos, blocks) = (&survey.inputs.infos, survey.blocks);
        Mosaic::new(date, &ground.grid, margin, moved, &bands, infos, blocks).map(Mosaic::bare)
    };
    let dates = [open(&compared.pair.before, before)?, open(&compared.pair.after, after)?];
    let laws = compared.main().fit.as_ref().map_or(&[][..], |fit| &fit.bands);
    let laws = lattice.palette.bands.iter().filter_map(|band| laws.get(*band));
    let sight = pictures::Sight {
        dates: [&dates[0], &dates[1]],
        laws: laws.cloned().collect(),
        scores: &Written {
            path,
            band: *band,
            pool: survey.pool,
        },
        grid: ground.grid.rect(),
    };
    gallery
        .chips
        .extend(pictures::chips(&sight, &windows, chip_px, &painters, survey.stop)?);
    Ok(())
}
