//! The minimum detectable change of a comparison: changes of known size are put into its later scene, the chain is run on them, and
//! what it finds gives the sizes that it would have found.
//!
//! Changes are painted into the pixels of the scene's own rasters. From there on everything is the run's own: resampling by the measured
//! shift, screening, normalisation, detectors, the cutoff fitted anew to the histogram that the change leads to, regions and their
//! least area. Two things are taken from the run as they are: how the dates lie beside each other and what was fitted, which a change of
//! some pixels among a quarter of a million does not sway (docs/accuracy.md has the check), and where the own cloud test found cloud.
//! Several changes are read together, so far apart that none sees another.

mod masked;
mod surfaces;

use crate::engine::EngineError;
use crate::engine::driver::in_order;
use crate::engine::find::{Detections, Levels, levels, rule};
use crate::engine::rasters::RasterBand;
use crate::engine::score::{Scored, TileScorer};
use crate::engine::session::SiteWork;
use crate::finding::{AreaSensitivity, ChangeSensitivity, DetectableSize, DetectionCurve, Sensitivity, Tried};
use crate::geo::{Rect, Shape};
use crate::number::{round, significant};
use crate::plan::reach::Clouds;
use crate::raster::stats::{Histogram, SCORE_NODATA};
use crate::raster::{Flags, PixelSource, Plane};
use crate::stage::cutoff::CutoffRule;
use crate::stage::cutoff::{self, Cutoff};
use crate::stage::false_alarms::Tail;
use crate::stage::fringe::without_fringes;
use crate::stage::random::SplitMix;
use crate::stage::regions::{Labeller, Region, runs};
use crate::stage::sensitivity::curve::{Curve, Detectable, Size, Tally, detectable};
use crate::stage::sensitivity::paint::{Effect, Square};
use crate::stage::sensitivity::trials::{Change, Places, RANGE_PX, Trial, batches};

use masked::Masked;
use surfaces::paintable;

/// Probabilities of which the sizes are told.
const PROBABILITIES: [f64; 2] = [0.5, 0.9];
/// Places that are drawn for a change before it is given up.
const TRIES: usize = 60;
/// Classes of sizes in the record: each spans a factor of two.
const CLASSES: u32 = 6;
/// Changes that lie within about this of each other are read together, pixels.
const BATCH_PX: i64 = 256;
/// What cubic convolution draws from beyond a change, pixels.
const KERNEL_PX: usize = 2;

/// What is common to all changes that are injected into one comparison.
struct Injector<'a> {
    work: &'a SiteWork<'a>,
    scored: &'a Scored<'a>,
    /// Peaks of the run's own regions, highest first.
    peaks: &'a [i16],
    scores: RasterBand<'a>,
    flags: RasterBand<'a>,
    rule: CutoffRule,
    /// How high clusters reach without change: that of the run.
    tail: Option<Tail>,
    /// Words of the spectra that can be painted, with their effects on each band that is read.
    spectra: Vec<(String, Vec<Option<Effect>>)>,
    /// Kinds of change.
    kinds: Vec<Change>,
    /// How far from a change a score can differ, pixels.
    sway_px: usize,
}

/// Which changes the comparison `scored` would have found, in which the run found what is `found`; `None` where nothing was compared.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn measure(
    work: &SiteWork<'_>,
    scored: &Scored<'_>,
    found: &Detections,
    [scores, flags]: [RasterBand<'_>; 2],
) -> Result<Option<Sensitivity>, EngineError> {
    if !scored.is_judged() {
        return Ok(None);
    }
    let ground = work.ground;
    let mut notes = Vec::new();
    let halo = scored.tracks.iter().map(|open| open.track.halo()).max();
    let spectra = paintable(scored, &mut notes);
    let injector = Injector {
        work,
        scored,
        peaks: &found.peaks,
        tail: found.tail,
        scores,
        flags,
        rule: rule(work, scored),
        kinds: Change::all(spectra.len()),
        spectra,
        sway_px: halo.unwrap_or(0) + KERNEL_PX,
    };
    if scored.tracks.len() > 1 {
        notes.push(
            "the changes are put into the judged scenes alone: those beside them see none, so more may be found".into(),
        );
    }
    if scored.main().track.clouds == Clouds::Tested {
        notes.push("where the own cloud test found cloud is as it was without the changes".into());
    }
    let areas = std::iter::once((None, &ground.boundary));
    let zones = ground.zones.iter().map(|zone| (Some(zone.id.clone()), &zone.area));
    let mut told = Vec::new();
    for (number, (zone, shape)) in areas.chain(zones).enumerate() {
        let trials = injector.inject(shape, number as u64, &work.plan.site.id)?;
        told.push(AreaSensitivity {
            changes: injector.changes(&trials)?,
            injected: trials.len() as u64,
            zone,
        });
    }
    Ok(Some(Sensitivity { areas: told, notes }))
}

/// A change that was injected, and whether it was found.
struct Outcome {
    trial: Trial,
    found: bool,
}

impl Injector<'_> {
    /// Injects changes into `shape`, the `number`th area of `site`.
    fn inject(&self, shape: &Shape, number: u64, site: &str) -> Result<Vec<Outcome>, EngineError> {
        let grid = self.work.ground.grid.rect();
        let places = Places::of(shape, &grid);
        let cutoff = cutoff::fit(&self.scored.counts.histogram, self.tail, &self.rule);
        let levels = levels(self.work, self.scored, &cutoff);
        let seed = seed(site, number);
        let indices: Vec<usize> = (0..self.work.config().sensitivity.injections).collect();
        let mut trials: Vec<Trial> = Vec::new();
        in_order(
            &indices,
            self.work.stop(),
            |index| self.place(*index, seed, &places, levels.as_ref()),
            |trial: Result<_, EngineError>| {
                trials.extend(trial?);
                Ok::<(), EngineError>(())
            },
        )?;
        let zones: Vec<Rect> = trials.iter().map(|trial| self.window(trial)).collect();
        let batches = batches(&zones, BATCH_PX);
        let mut found = vec![false; trials.len()];
        in_order(
            &batches,
            self.work.stop(),
            |batch| self.run(batch, &trials, &zones),
            |batch: Result<Vec<(usize, bool)>, EngineError>| {
                batch?.into_iter().for_each(|(index, is)| found[index] = is);
                Ok::<(), EngineError>(())
            },
        )?;
        let outcome = |(trial, found)| Outcome { trial, found };
        Ok(trials.into_iter().zip(found).map(outcome).collect())
    }

    /// Draws a place for the `index`th change: on judged ground, where the run found no anomaly. `None` where none was met.
    fn place(
        &self,
        index: usize,
        seed: u64,
        places: &Places,
        levels: Option<&Levels>,
    ) -> Result<Option<Trial>, EngineError> {
        let grid = self.work.ground.grid.rect();
        let mut random = SplitMix(seed.wrapping_add(index as u64));
        // Seeds side by side give streams that overlap; their first draws do not.
        random = SplitMix(random.draw());
        for _ in 0..TRIES {
            let Some(centre) = places.draw(&mut random) else {
                return Ok(None);
            };
            let Some(trial) = Trial::of_design(index, &self.kinds, centre) else {
                return Ok(None);
            };
            let touched = trial.touched();
            if touched.intersect(&grid) != touched {
                continue;
            }
            let scores = self.scores.read::<i16>(&self.window(&trial))?;
            let is_judged = scores.part(&touched).iter().all(|score| *score != SCORE_NODATA);
            let taken = levels
                .is_some_and(|levels| covered(&regions(&scores, &touched, self.sway_px, levels), &touched.grow(1)));
            if is_judged && !taken {
                return Ok(Some(trial));
            }
        }
        Ok(None)
    }

    /// What is scored for a change: all pixels that it can sway, and around them those that decide where a fringe ends.
    fn window(&self, trial: &Trial) -> Rect {
        let fringe = self.scored.fringe_px();
        trial
            .touched()
            .grow(self.sway_px + fringe)
            .intersect(&self.work.ground.grid.rect())
    }

    /// Which changes of a batch are found: all are painted, the ground under them is read and scored once.
    fn run(&self, batch: &[usize], trials: &[Trial], zones: &[Rect]) -> Result<Vec<(usize, bool)>, EngineError> {
        let Some(core) = batch.iter().map(|index| zones[*index]).reduce(|a, b| a.union(&b)) else {
            return Ok(Vec::new());
        };
        let squares: Vec<Square> = batch.iter().map(|index| self.square(&trials[*index])).collect();
        let (main, tracks) = (self.scored.main(), &self.scored.tracks);
        let painted = main.sources.last().map(|source| source.painted(&squares));
        let mut readers: Vec<_> = tracks
            .iter()
            .map(|one| one.reader(self.work.session, self.work.ground))
            .collect();
        let known = match main.track.clouds {
            Clouds::Tested => {
                let grid = self.work.ground.grid.rect();
                let around = core.grow(self.work.ground.halo).intersect(&grid);
                Some(self.flags.read::<Flags>(&around)?)
            }
            Clouds::Stated => None,
        };
        let mut sources: Vec<&dyn PixelSource> = main.sources.iter().map(|source| source as _).collect();
        if let (Some(last), Some(painted)) = (sources.last_mut(), &painted) {
            *last = painted;
        }
        let masked: Vec<Masked<'_>> = known
            .iter()
            .flat_map(|why| sources.iter().map(move |source| Masked { source: *source, why }))
            .collect();
        if let Some(reader) = readers.first_mut() {
            for (place, date) in reader.dates.iter_mut().enumerate() {
                *date = match masked.get(place) {
                    Some(masked) => masked,
                    None => sources[place],
                };
            }
            // What the own test found is in the flags.
            reader.clouds = Clouds::Stated;
        }
        let scorer = TileScorer {
            tracks,
            readers: &readers,
            combination: self.scored.combination,
        };
        let (_, after) = scorer.score(&core, self.work.session.meter())?;
        let before = self.scores.read::<i16>(&core)?;
        let is_found = |index: &usize| {
            let zone = &zones[*index];
            let found = self.is_found(&trials[*index], &before.crop(zone), &after.crop(zone));
            (*index, found)
        };
        Ok(batch.iter().map(is_found).collect())
    }

    /// Whether an anomaly touches a change that turns the scores `before` into `after`, at the cutoff that the histogram then has.
    fn is_found(&self, trial: &Trial, before: &Plane<i16>, after: &Plane<i16>) -> bool {
        let mut histogram: Histogram = self.scored.counts.histogram.clone();
        for (old, new) in before.values().iter().zip(after.values()) {
            histogram.replace(*old, *new);
        }
        let cutoff = cutoff::fit(&histogram, self.tail, &self.rule);
        let Some(levels) = levels(self.work, self.scored, &cutoff) else {
            return false;
        };
        let touched = trial.touched();
        let mut regions = regions(after, &touched, self.sway_px, &levels);
        regions.retain(|region| self.is_claimed(region.peak(), &cutoff));
        covered(&regions, &touched)
    }

    /// Whether a region of `peak` is claimed beside those of the run.
    fn is_claimed(&self, peak: i16, cutoff: &Cutoff) -> bool {
        if self.rule.object_fdr.is_none() {
            return true;
        }
        let place = self.peaks.partition_point(|other| *other >= peak);
        let mut peaks = self.peaks.to_vec();
        peaks.insert(place, peak);
        let significances = cutoff.significances(&peaks);
        significances.is_none_or(|all| all.get(place).is_none_or(|one| cutoff.claims(one)))
    }

    /// What a change does to the bands that the judged scene reads.
    fn square(&self, trial: &Trial) -> Square {
        let main = self.scored.main().track;
        let fits = main.linear_fits();
        let by_sigma = |sigma: f64| {
            let of = |band: usize| fits.get(band).map(|fit| Effect::Add((sigma * fit.noise) as f32));
            (0..main.bands.len()).map(of).collect()
        };
        Square {
            centre: trial.centre,
            edge: trial.edge(),
            effects: match trial.change {
                Change::Darker(sigma) => by_sigma(-sigma),
                Change::Brighter(sigma) => by_sigma(sigma),
                Change::Spectrum(number) => self
                    .spectra
                    .get(number)
                    .map_or_else(Vec::new, |(_, effects)| effects.clone()),
            },
        }
    }

    /// What the outcomes in one area say of each kind of change.
    fn changes(&self, outcomes: &[Outcome]) -> Result<Vec<ChangeSensitivity>, EngineError> {
        let mut changes = Vec::new();
        in_order(
            &self.kinds,
            self.work.stop(),
            |change| self.change(*change, outcomes),
            |one| {
                changes.push(one);
                Ok::<(), EngineError>(())
            },
        )?;
        Ok(changes)
    }

    fn change(&self, change: Change, outcomes: &[Outcome]) -> ChangeSensitivity {
        let mut tallies: Vec<Tally> = Vec::new();
        for Outcome { trial, found } in outcomes.iter().filter(|one| one.trial.change == change) {
            let found = u64::from(*found);
            match tallies.iter_mut().find(|tally| tally.size_px == trial.size_px) {
                Some(tally) => (tally.injected, tally.found) = (tally.injected + 1, tally.found + found),
                None => tallies.push(Tally {
                    size_px: trial.size_px,
                    injected: 1,
                    found,
                }),
            }
        }
        tallies.sort_by(|a, b| a.size_px.total_cmp(&b.size_px));
        let pixel_m2 = self.work.ground.grid.pixel_area_m2();
        let m2 = |pixels: f64| significant(pixels * pixel_m2);
        let area = |size: Size| match size {
            Size::Smallest => Some(m2(RANGE_PX[0])),
            Size::At(pixels) => Some(m2(pixels)),
            Size::Beyond => None,
        };
        let size = |(probability, found): (&f64, Detectable)| DetectableSize {
            high_m2: area(found.interval[1]),
            low_m2: area(found.interval[0]),
            probability: *probability,
            size_m2: area(found.size),
        };
        let class = |number: u32| {
            let (from, to) = (f64::from(1 << number), f64::from(2 << number));
            let last = number + 1 == CLASSES;
            // A size that is a power of two may come out a hair below it.
            let inside = |tally: &&Tally| {
                let size = tally.size_px * (1.0 + 1e-9);
                size >= from && (size < to || last)
            };
            Tried {
                found: tallies.iter().filter(inside).map(|tally| tally.found).sum(),
                from_m2: m2(RANGE_PX[0] * from),
                injected: tallies.iter().filter(inside).map(|tally| tally.injected).sum(),
                to_m2: m2(RANGE_PX[0] * to),
            }
        };
        let (word, contrast_sigma) = match change {
            Change::Darker(sigma) => ("darker", Some(sigma)),
            Change::Brighter(sigma) => ("brighter", Some(sigma)),
            Change::Spectrum(number) => (self.spectra.get(number).map_or("", |(word, _)| word.as_str()), None),
        };
        ChangeSensitivity {
            change: word.to_owned(),
            contrast_sigma,
            curve: Curve::fit(&tallies).map(|curve| DetectionCurve {
                intercept: significant(curve.coefficients[0]),
                lapse: round(curve.lapse, 2),
                log_likelihood: significant(curve.log_likelihood),
                size_slope: significant(curve.coefficients[1]),
            }),
            sizes: PROBABILITIES
                .iter()
                .zip(detectable(&tallies, &PROBABILITIES, RANGE_PX))
                .map(size)
                .collect(),
            tried: (0..CLASSES).map(class).collect(),
        }
    }
}

/// The regions of `scores` within `sway_px` of `touched`.
fn regions(scores: &Plane<i16>, touched: &Rect, sway_px: usize, levels: &Levels) -> Vec<Region> {
    let inner = touched.grow(sway_px).intersect(&scores.rect());
    let left = without_fringes(scores, &inner, levels.fringe_px);
    let mut labeller = Labeller::new(levels.seed, levels.min_pixels);
    // A band holds the runs of whole rows, by row and column.
    labeller.add_band(runs(&left, levels.grow, levels.seed));
    labeller.finish()
}

/// Whether a region has a pixel in `area`.
fn covered(regions: &[Region], area: &Rect) -> bool {
    let mut runs = regions.iter().flat_map(|region| &region.runs);
    runs.any(|run| (area.y..area.bottom()).contains(&run.y) && run.from < area.right() && run.to > area.x)
}

/// The seed of an area: the same for the same site and place in it, whatever the machine.
fn seed(site: &str, number: u64) -> u64 {
    let text = site.bytes().fold(SplitMix(number), |random, byte| {
        let mut next = SplitMix(random.0 ^ u64::from(byte));
        SplitMix(next.draw())
    });
    text.0
}
