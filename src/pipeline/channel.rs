//! One way of looking at a comparison: its scenes aligned and surveyed, and detectors fitted to them.

use std::sync::Arc;

use super::alignment;
use super::compare::Survey;
use super::config::Config;
use super::observe::{Clouds, View};
use super::pairs::Pair;
use super::plan::Ground;
use super::spared::{Lost, Spared};
use super::timers::Timers;
use super::{SiteError, coded, names, survey};
use crate::finding::{NOT_COMPARED, RegistrationRecord};
use crate::geo::{Affine, Rect};
use crate::io::mosaic::Mosaic;
use crate::raster::PixelSource;
use crate::scene::{Acquisition, Kind, Scene};
use crate::stage::coregister::Outcome;
use crate::stage::detect::irmad;
use crate::stage::detect::{self, Cell, Context, Detector, Scorer};
use crate::stage::invariant::{self, Agreement};
use crate::stage::normalise::{self, Method, SensorNoise};

/// The scenes of one comparison, and the detectors that score them.
pub struct Channel<'a> {
    /// Which scenes.
    pub pair: &'a Pair,
    /// What reads them, oldest first.
    pub sources: Vec<Mosaic>,
    /// Names of the bands that they read: those that are compared, then those that only the screen looks at.
    pub bands: Vec<String>,
    /// Where clouds come from.
    pub clouds: Clouds,
    /// Where each is read: its own point for each of the site grid.
    pub moved: Vec<Affine>,
    /// How its dates lie beside each other, where that was measured.
    pub registration: Option<RegistrationRecord>,
    /// The radiometric law between the judged date and the one before; absent when nothing can be compared.
    pub fit: Option<normalise::Fit>,
    /// What unchanged pixels that were held out say of each band's law; empty where none were.
    pub held_out: Vec<Agreement>,
    /// Detectors by name; none when nothing can be compared.
    pub scorers: Vec<(Detector, Arc<dyn Scorer>)>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

impl<'a> Channel<'a> {
    /// `pair` on `ground`, aligned, surveyed on `cores` and fitted; and its survey, empty where it is refused. Of ground around sites
    /// (`is_district`) what cannot be read is left out.
    ///
    /// # Errors
    /// A file that cannot be read; the run was stopped.
    pub fn open(
        survey: &Survey<'a>,
        ground: &Ground,
        pair: &'a Pair,
        (cores, is_district): (&[Rect], bool),
        timers: &mut Timers,
    ) -> Result<(Self, Vec<Cell>), SiteError> {
        let scenes = pair.scenes();
        let clouds = Clouds::of(&scenes);
        let bands = clouds.bands(&pair.bands, &shared(&scenes));
        let open = |date: &Acquisition, moved: &Affine| {
            let (infos, blocks) = (&survey.inputs.infos, survey.blocks);
            Mosaic::new(date, &ground.grid, ground.margin_px, moved, &bands, infos, blocks)
        };
        let lost = Lost::default();
        let mut moved = vec![Affine::IDENTITY; scenes.len()];
        let (mut shift_px, mut tolerant, mut registration) = (survey.config.detect.misregistration_px, false, None);
        // Speckle has no edges to match; radar is geocoded by its orbit. A series is taken as it is.
        if let (Kind::Optical, [before, after]) = (pair.kind, pair.dates().as_slice()) {
            let (measured, record) = timers.time("coregister", || {
                alignment::measure(survey, ground, pair, [*before, *after], is_district.then_some(&lost))
            })?;
            registration = Some(record);
            match measured.outcome {
                Outcome::Pass | Outcome::Degraded => {
                    moved[1] = measured.source;
                    shift_px = measured.residual_px.max(shift_px);
                    tolerant = measured.outcome == Outcome::Degraded;
                }
                Outcome::Refused | Outcome::Unmeasured(_) => {}
            }
        }
        let refused = registration.as_ref().is_some_and(|record| record.outcome == "refused");
        let sources = timers.time("align", || {
            let each = pair.dates().into_iter().zip(&moved);
            each.map(|(date, moved)| open(date, moved))
                .collect::<Result<Vec<_>, _>>()
        })?;
        let apart = timers.time("align", || {
            let each = pair.dates().into_iter().zip(&moved).map(|(date, moved)| {
                let alone = coded::apart(date);
                alone.iter().map(|piece| open(piece, moved)).collect()
            });
            each.collect::<Result<Vec<Vec<Mosaic>>, _>>()
        })?;
        let mut channel = Self {
            pair,
            moved,
            sources,
            bands,
            clouds,
            registration,
            fit: None,
            held_out: Vec::new(),
            scorers: Vec::new(),
            notes: Vec::new(),
        };
        for note in scenes.iter().flat_map(|scene| &scene.notes).chain(&pair.notes) {
            if !channel.notes.contains(note) {
                channel.notes.push(note.clone());
            }
        }
        channel.notes.extend(channel.registration.as_ref().and_then(note));
        if refused {
            return Ok((channel, Vec::new()));
        }
        let (differ, cells) = {
            let mut view = channel.view(survey, ground);
            let spared = |source| Spared {
                source,
                bands: channel.bands.len(),
                lost: &lost,
            };
            let mut apart: Vec<Vec<&dyn PixelSource>> = apart
                .iter()
                .map(|pieces| pieces.iter().map(|piece| piece as &dyn PixelSource).collect())
                .collect();
            let spared_apart: Vec<Vec<Spared<'_>>> = apart
                .iter()
                .map(|pieces| pieces.iter().copied().map(spared).collect())
                .collect();
            let spared: Vec<Spared<'_>> = view.dates.iter().copied().map(spared).collect();
            if is_district {
                view.dates = all(&spared);
                apart = spared_apart.iter().map(|pieces| all(pieces)).collect();
            }
            timers.time("survey", || {
                let dates = pair.dates().into_iter().zip(&view.dates).zip(&apart);
                let dates: Vec<Vec<coded::Piece<'_>>> = dates
                    .map(|((date, whole), apart)| {
                        let sources = if apart.is_empty() {
                            std::slice::from_ref(whole)
                        } else {
                            apart
                        };
                        let each = date.pieces.iter().zip(sources);
                        each.map(|(scene, source)| coded::Piece { scene, source: *source })
                            .collect()
                    })
                    .collect();
                match coded::refused(&dates, pair, &channel.bands, &survey.inputs.infos, &ground.grid)? {
                    Some(why) => Ok::<_, SiteError>((Some(why), Vec::new())),
                    None => Ok((None, survey::read(&view, cores, survey.stop)?)),
                }
            })?
        };
        let lost = lost.notes();
        channel
            .notes
            .extend(lost.iter().map(|note| names::told(note, &survey.config.folder)));
        if let Some(why) = differ {
            channel.notes.push(format!("{NOT_COMPARED}{why}"));
            return Ok((channel, Vec::new()));
        }
        timers.time("fit", || {
            channel.fit_to(&cells, survey.config, &scenes, shift_px, tolerant)
        });
        Ok((channel, cells))
    }

    /// The same on the site of `ground`, where it was opened on the ground that is surveyed for it.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn on_site(&self, survey: &Survey<'_>, ground: &Ground) -> Result<Self, SiteError> {
        let (site, surveyed) = (&ground.grid, &ground.surveyed);
        let (x, y) = surveyed.to_pixel(site.left_m, site.top_m);
        let moved: Vec<Affine> = self
            .moved
            .iter()
            .map(|one| one.from_origin(x.round(), y.round()))
            .collect();
        let (infos, blocks) = (&survey.inputs.infos, survey.blocks);
        let sources = self
            .pair
            .dates()
            .into_iter()
            .zip(&moved)
            .map(|(date, moved)| Mosaic::new(date, site, ground.margin_px, moved, &self.bands, infos, blocks));
        Ok(Self {
            pair: self.pair,
            sources: sources.collect::<Result<_, _>>()?,
            bands: self.bands.clone(),
            clouds: self.clouds,
            moved,
            registration: self.registration.clone(),
            fit: self.fit.clone(),
            held_out: self.held_out.clone(),
            scorers: self.scorers.clone(),
            notes: self.notes.clone(),
        })
    }

    /// Fits the radiometric law and the detectors to the survey `cells` of `scenes`.
    fn fit_to(&mut self, cells: &[Cell], config: &Config, scenes: &[&Scene], shift_px: f64, tolerant: bool) {
        let bands = &self.pair.bands;
        let noise = sensor_noises(scenes, bands);
        let sample = survey::sample(cells, &config.detect);
        let mut fit = match normalise::fit(&sample, &noise, &config.normalise) {
            Ok(fit) => fit,
            Err(error) => return self.notes.push(error.to_string()),
        };
        if config.normalise.method == Method::Invariant && self.pair.kind == Kind::Optical {
            let irmad = irmad::fit(&sample, &config.detect.irmad).map_err(|error| error.to_string());
            match irmad.and_then(|irmad| invariant::of_irmad(&sample, &irmad).map_err(|error| error.to_string())) {
                Ok(found) => {
                    fit = normalise::Fit {
                        bands: found.laws(&noise),
                        unchanged: found.unchanged.clone(),
                    };
                    self.held_out = found.bands.iter().map(|band| band.held_out).collect();
                }
                Err(why) => self.notes.push(why),
            }
        }
        let (radar, series) = (self.pair.kind == Kind::Sar, self.pair.is_series());
        let words = match tolerant {
            true => vec![Detector::Rcva],
            false => config
                .detect
                .words(radar, series, config.profile.of(radar, series).detector),
        };
        let context = Context {
            laws: &fit.bands,
            noise: &noise,
            visible: bands.iter().map(|band| VISIBLE.contains(&band.as_str())).collect(),
            radar,
            indices: scenes
                .iter()
                .flat_map(|scene| &scene.bands)
                .any(|band| band.derived && bands.contains(&band.name)),
            days: scenes.iter().map(|scene| days(scene)).collect(),
            shift_px,
            params: &config.detect,
        };
        for detector in words {
            match detect::fit(detector, cells, &sample, &context) {
                Ok(scorer) => self.scorers.push((detector, scorer.into())),
                Err(why) => self.notes.push(format!("{}: {why}", detector.word())),
            }
        }
        self.fit = Some(fit);
    }

    /// Its dates, as every pass looks at them.
    pub fn view<'b>(&'b self, survey: &Survey<'b>, ground: &'b Ground) -> View<'b> {
        View {
            dates: self.sources.iter().map(|source| source as &dyn PixelSource).collect(),
            bands: &self.bands,
            compared: self.pair.bands.len(),
            clouds: self.clouds,
            grid: &ground.grid,
            boundary: &ground.boundary,
            config: survey.config,
        }
    }

    /// How far its detectors look beyond a pixel, pixels.
    pub fn halo(&self) -> usize {
        self.scorers.iter().map(|(_, scorer)| scorer.halo()).max().unwrap_or(0)
    }
}

/// What the reader should know of a registration.
fn note(record: &RegistrationRecord) -> Option<String> {
    let residual = record.residual_px.unwrap_or_default();
    match record.outcome.as_str() {
        "refused" => Some(format!(
            "{NOT_COMPARED}after co-registration the dates still lie {residual} px beside each other; choose other scenes"
        )),
        "degraded" => Some(format!(
            "the dates lie {residual} px beside each other after co-registration: compared by a detector that looks around each pixel, which misses small changes"
        )),
        "unmeasured" => {
            let why = record.reason.as_deref().unwrap_or_default();
            Some(format!(
                "how the dates lie beside each other could not be measured, and neither was moved: {why}"
            ))
        }
        _ => None,
    }
}

/// Bands of visible light.
const VISIBLE: [&str; 3] = ["blue", "green", "red"];

fn all<'s>(spared: &'s [Spared<'_>]) -> Vec<&'s dyn PixelSource> {
    spared.iter().map(|one| one as &dyn PixelSource).collect()
}

/// Names of the bands that all `scenes` have.
fn shared(scenes: &[&Scene]) -> Vec<String> {
    let has = |scene: &Scene, name: &String| scene.bands.iter().any(|band| band.name == *name);
    let first = scenes.first().map_or(&[][..], |scene| &scene.bands);
    let names = first.iter().map(|band| &band.name);
    names
        .filter(|name| scenes.iter().all(|scene| has(scene, name)))
        .cloned()
        .collect()
}

/// The middle of an acquisition, days since 1970.
fn days(scene: &Scene) -> f64 {
    (scene.start.as_second() as f64 + scene.end.as_second() as f64) / 2.0 / 86_400.0
}

/// Noise of each band that its sensor states, the largest of all dates.
fn sensor_noises(scenes: &[&Scene], bands: &[String]) -> Vec<SensorNoise> {
    let of = |name: &String| {
        let stated = scenes
            .iter()
            .flat_map(|scene| &scene.bands)
            .filter(|band| band.name == *name);
        stated.fold(SensorNoise::default(), |noise, band| SensorNoise {
            floor: noise.floor.max(band.noise.unwrap_or(0.0)),
            fraction: noise.fraction.max(band.noise_fraction),
        })
    };
    bands.iter().map(of).collect()
}
