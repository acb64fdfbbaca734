//! From what the stages found to the record: geometry in WGS 84, areas on the ellipsoid, rounded numbers, stable ids.

use std::collections::BTreeMap;

use geo::{Centroid, MapCoords};

use crate::declaration::{Activity, Declared, Site};
use crate::engine::EngineError;
use crate::engine::counts::AreaCount;
use crate::engine::measure::Measure;
use crate::engine::score::Scored;
use crate::engine::session::SiteWork;
use crate::engine::track::Track;
use crate::finding::Alignment;
use crate::finding::{
    Anomaly, BandChange, BandFit, Comparison, CourseRecord, CutoffRecord, CutoffRefusal, DeclarationRecord,
    DetectorFit, Geometry, GridRecord, HeldOut, Interval, Normalisation, PieceRecord, Program, SceneRecord,
    Sensitivity, SiteRecord, TailRecord, Vote, ZoneCoverage,
};
use crate::geo::Grid;
use crate::io::area::area_m2;
use crate::io::crs::{Projector, WGS84};
use crate::number::{round, significant};
use crate::plan::Ground;
use crate::plan::left_out;
use crate::plan::pairs::Pair;
use crate::raster::stats::SCORE_SCALE;
use crate::scene::{Acquisition, Scene};
use crate::seal::digest;
use crate::stage::cutoff::{Cutoff, Null, weakest};
use crate::stage::detect::{BreakDate, Course};
use crate::stage::false_alarms::Significance;
use crate::stage::judge::{Judgement, Span};
use crate::stage::normalise;
use crate::stage::outline::outline;
use crate::stage::regions::Region;

/// The program and the libraries that decide its numbers.
pub fn program() -> Program {
    let (gdal, proj) = crate::io::versions();
    Program {
        sitewatch: env!("CARGO_PKG_VERSION").into(),
        gdal,
        proj,
    }
}

/// The site as declared.
pub fn site(site: &Site) -> SiteRecord {
    SiteRecord {
        id: site.id.clone(),
        name: site.name.clone(),
        area_m2: area_m2(&site.boundary),
        geometry: Geometry::from(&site.boundary),
    }
}

/// The declarations, by date of issue.
pub fn declarations(declared: &Declared) -> Vec<DeclarationRecord> {
    let record = |header: &crate::declaration::Header| DeclarationRecord {
        id: header.id.clone(),
        party: header.party.clone(),
        agreement: header.agreement.clone(),
        issued: header.issued,
        supersedes: header.supersedes.clone(),
    };
    declared.declarations.iter().map(record).collect()
}

/// The site grid.
pub fn grid(grid: &Grid) -> GridRecord {
    GridRecord {
        crs: grid.crs.clone(),
        left_m: round(grid.left_m, 6),
        top_m: round(grid.top_m, 6),
        pixel_m: round(grid.pixel_m, 6),
        width: grid.width,
        height: grid.height,
    }
}

/// A date that was compared, with how each band came onto the grid.
pub fn scene(date: &Acquisition, alignment: BTreeMap<String, Alignment>) -> SceneRecord {
    let Acquisition { whole: scene, pieces } = date;
    let piece = |piece: &Scene| PieceRecord {
        href: piece.href.clone(),
        id: piece.id.clone(),
    };
    let several = pieces.len() > 1;
    SceneRecord {
        pieces: pieces.iter().filter(|_| several).map(piece).collect(),
        id: scene.id.clone(),
        href: scene.href.clone().filter(|_| !several),
        acquired: Interval {
            start: scene.start,
            end: scene.end,
        },
        sensor: scene.sensor.clone(),
        platform: scene.platform.clone(),
        relative_orbit: scene.relative_orbit,
        pass: scene.pass,
        alignment,
    }
}

/// When a change that a comparison shows happened: between its first and its last scene.
pub fn span(pair: &Pair) -> Span {
    let first = pair.history.first().unwrap_or(&pair.before);
    Span {
        from: first.whole.start,
        to: pair.after.whole.end,
    }
}

/// When a change happened that a detector dates to `break_date`; with none, any time between the dates that were compared.
pub fn break_span(pair: &Pair, break_date: Option<BreakDate>) -> Span {
    let scenes = pair.scenes();
    let of = |place: u16| scenes.get(usize::from(place));
    match break_date.and_then(|break_date| of(break_date.last_unchanged).zip(of(break_date.first_changed))) {
        Some((unchanged, changed)) => Span {
            from: unchanged.start,
            to: changed.end,
        },
        None => span(pair),
    }
}

/// What the fits of all detectors say of themselves; those that say nothing are left out.
pub fn fits(tracks: &[&Track<'_>]) -> Vec<DetectorFit> {
    let mut fits = Vec::new();
    for track in tracks {
        for (detector, scorer) in &track.scorers {
            let diagnostics = scorer.diagnostics();
            let name = |band: usize| track.pair.bands.get(band).cloned().unwrap_or_else(|| band.to_string());
            let dropped = diagnostics.dropped.into_iter().map(|(band, why)| (name(band), why));
            let rounds = diagnostics.rounds.iter();
            let fit = DetectorFit {
                detector: *detector,
                dropped: dropped.collect(),
                looks: diagnostics.looks.iter().map(|looks| round(*looks, 2)).collect(),
                rounds: rounds
                    .map(|rho| rho.iter().map(|rho| round(*rho, 6)).collect())
                    .collect(),
            };
            if !(fit.dropped.is_empty() && fit.looks.is_empty() && fit.rounds.is_empty()) {
                fits.push(fit);
            }
        }
    }
    fits
}

/// How ground went through a series.
fn course(course: Course, pair: &Pair) -> CourseRecord {
    CourseRecord {
        changes: u64::from(course.changes),
        direction: course.direction,
        first: interval(break_span(pair, Some(course.first))),
    }
}

/// A span as it stands in the record.
pub fn interval(span: Span) -> Interval {
    Interval {
        start: span.from,
        end: span.to,
    }
}

/// The window of an activity.
pub fn window(activity: &Activity) -> Interval {
    Interval {
        start: activity.from,
        end: activity.to,
    }
}

/// The normalisation that was used.
pub fn normalisation(track: &Track<'_>, fit: &normalise::Fit) -> Normalisation {
    let held_out = |band: usize| {
        track.held_out.get(band).map(|found| HeldOut {
            p_means: significant(found.p_means),
            p_variances: significant(found.p_variances),
        })
    };
    let named = track.pair.bands.iter().zip(&fit.bands).enumerate();
    let bands = named.map(|(band, (name, fit))| BandFit {
        held_out: held_out(band),
        band: name.clone(),
        gain: significant(fit.gain),
        offset: significant(fit.offset),
        noise: significant(fit.noise),
        noise_fraction: fit.noise_fraction,
        correlation: round(fit.correlation, 4),
    });
    Normalisation {
        bands: bands.collect(),
        method: match track.held_out.is_empty() {
            true => normalise::Method::Robust,
            false => normalise::Method::Invariant,
        },
        sampled: fit.unchanged.len() as u64,
        unchanged: fit.unchanged.iter().filter(|kept| **kept).count() as u64,
    }
}

/// The cutoff that was used; `claimed` are the significances of the regions that are claimed, of which `dropped` were left out for the false
/// discovery rate of objects.
pub fn cutoff(cutoff: &Cutoff, claimed: &[Significance], dropped: u64) -> CutoffRecord {
    let sigma = |score: i16| round(f64::from(score) * SCORE_SCALE, 2);
    let null = cutoff.null.unwrap_or(Null {
        centre: 0.0,
        scale: 1.0,
        fraction: 1.0,
    });
    let refusal = |(method, reason): &(_, String)| CutoffRefusal {
        method: *method,
        reason: reason.clone(),
    };
    CutoffRecord {
        judged: cutoff.judged,
        method: match cutoff.rule.most_false.and(cutoff.tail) {
            Some(_) => None,
            None => cutoff.method,
        },
        refusals: cutoff.refusals.iter().map(refusal).collect(),
        null_centre_sigma: round(null.centre, 3),
        null_scale_sigma: round(null.scale, 3),
        null_fraction: round(null.fraction, 4),
        seed_fdr: cutoff.rule.seed_fdr,
        seed_sigma: cutoff.levels.map(|(seed, _)| sigma(seed)),
        grow_sigma: cutoff.levels.map(|(_, grow)| sigma(grow)),
        claimed: cutoff.claimed,
        dropped,
        expected_false_anomalies: significant(cutoff.expected_false(claimed, dropped)),
        max_expected_false_anomalies: cutoff.rule.most_false.map(significant),
        object_fdr: cutoff.rule.object_fdr,
        claimed_object_fdr: weakest(claimed).map(significant),
        tail: cutoff.tail.map(|tail| TailRecord {
            clusters: tail.found,
            level_sigma: sigma(tail.level),
            mean_height_sigma: round(tail.mean_height(), 3),
        }),
    }
}

/// Coverage of each zone; `areas` are those of the score pass: the site, then the zones.
pub fn zones(site: &Site, areas: &[AreaCount]) -> Vec<ZoneCoverage> {
    let zones = site.zones.iter().zip(areas.iter().skip(1));
    zones
        .map(|(zone, count)| ZoneCoverage {
            id: zone.id.clone(),
            role: zone.role,
            coverage: count.coverage(),
            geometry: Geometry::from(&zone.polygon),
        })
        .collect()
}

/// The comparison as it stands in the record.
pub fn comparison(
    work: &SiteWork<'_>,
    scored: &Scored<'_>,
    cutoff: Option<CutoffRecord>,
    anomalies: Vec<Anomaly>,
    sensitivity: Option<Sensitivity>,
) -> Comparison {
    let coverage = scored.counts.areas[0].coverage();
    let least = work.config().judge.min_observed_fraction;
    let main = scored.main().track;
    let tracks: Vec<&Track<'_>> = scored.tracks.iter().map(|open| open.track).collect();
    Comparison {
        band: scored.band,
        before: scored.pair.before.whole.id.clone(),
        after: scored.pair.after.whole.id.clone(),
        dates: interval(span(scored.pair)),
        observable: coverage.observed_fraction >= least && !main.scorers.is_empty(),
        registration: main.registration.clone(),
        notes: notes(work, scored),
        coverage,
        zones: zones(&work.plan.site, &scored.counts.areas),
        detectors: scored.scorers().map(|(detector, _)| *detector).collect(),
        rule: (scored.scorers().count() > 1).then_some(work.config().detect.rule),
        earlier: scored.pair.history.iter().map(|date| date.whole.id.clone()).collect(),
        fits: fits(&tracks),
        normalisation: main.fit.as_ref().map(|fit| normalisation(main, fit)),
        cutoff,
        anomalies,
        sensitivity,
    }
}

/// What the reader of a comparison should know.
pub fn notes(work: &SiteWork<'_>, scored: &Scored<'_>) -> Vec<String> {
    let coverage = scored.counts.areas[0].coverage();
    let least = work.config().judge.min_observed_fraction;
    let mut notes: Vec<String> = scored.tracks.iter().flat_map(|open| open.track.notes.clone()).collect();
    notes.extend(left_out::notes(work.config(), scored.pair));
    if coverage.observed_fraction < least {
        notes.push(format!(
            "{:.1} % of the site was observed, less than the {:.0} % that a judgement needs",
            100.0 * coverage.observed_fraction,
            100.0 * least
        ));
    }
    if scored.counts.unmasked > 0 {
        notes.push(format!(
            "{} pixels that the masks call cloud on every date, with clear ground around, were judged all the same: bright built ground",
            scored.counts.unmasked
        ));
    }
    notes
}

/// The dates of `scored`, each with how its bands came onto the grid, but for those that are among `known`.
pub fn scenes(scored: &Scored<'_>, known: &mut Vec<SceneRecord>) {
    for open in &scored.tracks {
        let pair = open.track.pair;
        for (source, date) in open.sources.iter().zip(pair.dates()) {
            if !known.iter().any(|one| one.id == date.whole.id) {
                let alignment = source.alignment().into_iter();
                known.push(scene(date, pair.bands.iter().cloned().zip(alignment).collect()));
            }
        }
    }
}

/// From this mean score on a detector is said to find an anomaly, sigma: one in forty pixels without change has it.
const FINDS_SIGMA: f64 = 2.0;

/// Makes anomalies of one comparison.
pub struct AnomalyMaker<'a> {
    to_wgs84: Projector,
    site: &'a Site,
    ground: &'a Ground,
    scored: &'a Scored<'a>,
    pair: &'a Pair,
}

impl<'a> AnomalyMaker<'a> {
    /// A maker for the comparison `scored` of `site`.
    ///
    /// # Errors
    /// A grid that PROJ cannot carry back to WGS 84.
    pub fn new(site: &'a Site, ground: &'a Ground, scored: &'a Scored<'a>) -> Result<Self, EngineError> {
        Ok(Self {
            to_wgs84: Projector::new(&ground.grid.crs, WGS84)?,
            site,
            ground,
            scored,
            pair: scored.pair,
        })
    }

    /// The id of a region: the same place between the same scenes has the same id.
    pub fn id(&self, region: &Region) -> String {
        let (before, after) = (&self.pair.before.whole.id, &self.pair.after.whole.id);
        let grid = &self.ground.grid;
        let first = region
            .runs
            .first()
            .map_or((0.0, 0.0), |run| grid.to_world(run.from as f64, run.y as f64));
        let text = format!(
            "{}\n{before}\n{after}\n{}\n{:.2} {:.2}",
            self.site.id, grid.crs, first.0, first.1
        );
        format!("A-{}", &digest::bytes(text.as_bytes())[..10])
    }

    /// The anomaly that `region` is, judged and measured; `chance` is what chance makes of it.
    ///
    /// # Errors
    /// A place that cannot be carried back to WGS 84.
    pub fn make(
        &self,
        region: &Region,
        judgement: Judgement,
        measure: &Measure,
        chance: &Significance,
    ) -> Result<Anomaly, EngineError> {
        let grid = &self.ground.grid;
        let metres = outline(&region.runs).map_coords(|c| grid.to_world(c.x, c.y).into());
        let polygon = self.to_wgs84.project_polygon(&metres)?;
        // In the grid: degrees begin anew at the antimeridian.
        let (mut x, mut y) = metres.centroid().map_or(([0.0], [0.0]), |c| ([c.x()], [c.y()]));
        self.to_wgs84.project(&mut x, &mut y)?;
        let centroid = [round(x[0], 7), round(y[0], 7)];
        let bounds = region.bounds();
        let fits = self.scored.main().track.linear_fits();
        let newest = &self.pair.after.whole;
        let unit = |name: &str| {
            let band = newest.bands.iter().find(|band| band.name == name)?;
            band.unit(newest.kind).map(str::to_owned)
        };
        let change = self
            .pair
            .bands
            .iter()
            .zip(&measure.band_sigma)
            .zip(fits)
            .map(|((name, sigma), fit)| BandChange {
                band: name.clone(),
                mean: significant(sigma * fit.noise),
                mean_sigma: round(*sigma, 2),
                unit: unit(name),
            });
        let votes = self
            .scored
            .scorers()
            .zip(&measure.votes)
            .map(|((detector, _), mean)| Vote {
                detector: *detector,
                finds: mean.map(|mean| mean >= FINDS_SIGMA),
                mean_sigma: mean.map(|mean| round(mean, 2)),
            });
        Ok(Anomaly {
            id: self.id(region),
            verdict: judgement.verdict,
            evidence: judgement.evidence,
            geometry: Geometry::from(&polygon),
            centroid,
            area_m2: area_m2(&polygon),
            pixels: region.pixels(),
            bounds_px: [bounds.x, bounds.y, bounds.w as i64, bounds.h as i64],
            p_value: Some(significant(chance.p)),
            q_value: Some(significant(chance.q)),
            peak_sigma: round(f64::from(region.peak()) * SCORE_SCALE, 2),
            mean_sigma: round(region.mean() * SCORE_SCALE, 2),
            change: change.collect(),
            course: measure.course.map(|found| course(found, self.pair)),
            dates: interval(break_span(self.pair, measure.break_date)),
            votes: votes.collect(),
            zones: judgement.zones,
            activities: judgement.activities,
        })
    }
}
