//! Dates of one track (an optical pair or series, radar of one orbit): aligned, sampled, and detectors fitted to them.

use std::slice;
use std::sync::Arc;

use crate::config::names;
use crate::engine::EngineError;
use crate::engine::align;
use crate::engine::coded::{self, Piece};
use crate::engine::sample;
use crate::engine::session::Session;
use crate::engine::spared::{Lost, Spared};
use crate::engine::stack::StackReader;
use crate::engine::timers::Stopwatch;
use crate::finding::{NOT_COMPARED, RegistrationOutcome, RegistrationRecord};
use crate::geo::{Affine, Rect};
use crate::io::mapping::Target;
use crate::io::mosaic::Mosaic;
use crate::plan::Ground;
use crate::plan::pairs::Pair;
use crate::plan::reach::Clouds;
use crate::raster::PixelSource;
use crate::scene::{Kind, Scene};
use crate::stage::coregister::Outcome;
use crate::stage::detect::irmad;
use crate::stage::detect::{self, Cell, Context, Detector, Scorer, Setting};
use crate::stage::invariant::{self, Agreement};
use crate::stage::normalise::{self, Method, SensorNoise};

/// What was fitted to the dates of one track. It is shared by the sites of a district, and nothing changes it.
pub struct Track<'a> {
    /// Which scenes.
    pub pair: &'a Pair,
    /// Names of the bands that are read: those that are compared, then those that only the screen needs.
    pub bands: Vec<String>,
    /// Where clouds come from.
    pub clouds: Clouds,
    /// Where each date is read: its own point for each of the grid of the training sample.
    moved: Vec<Affine>,
    /// How its dates lie beside each other, where that was measured.
    pub registration: Option<RegistrationRecord>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// The linear fit of each band between the judged date and the one before; absent when nothing can be compared.
    pub fit: Option<normalise::Fit>,
    /// What unchanged pixels that were held out say of each band's fit; empty where none were.
    pub held_out: Vec<Agreement>,
    /// Detectors by name; none when nothing can be compared.
    pub scorers: Vec<(Detector, Arc<dyn Scorer>)>,
}

/// What a track is fitted to.
pub struct Training<'a> {
    /// The ground that is surveyed.
    pub ground: &'a Ground,
    /// The parts of it that are read.
    pub cores: &'a [Rect],
    /// Whether it is that of a district: what cannot be read of it is left out.
    pub is_district: bool,
}

/// `ground` with its margin, each point read where `moved` says.
fn target<'a>(ground: &'a Ground, moved: &'a Affine) -> Target<'a> {
    Target {
        grid: &ground.grid,
        margin: ground.margin_px,
        moved,
    }
}

/// The dates of a track, open on a grid.
pub struct OpenTrack<'a> {
    /// What was fitted to them.
    pub track: &'a Track<'a>,
    /// What reads them, oldest first.
    pub sources: Vec<Mosaic>,
    /// Where each is read: its own point for each of the grid.
    pub moved: Vec<Affine>,
}

/// How the dates of a track lie beside each other.
struct Alignment {
    moved: Vec<Affine>,
    /// What may be left of their distance, pixels.
    shift_px: f64,
    /// Whether a detector that looks around each pixel is needed.
    tolerant: bool,
    /// Whether they cannot be compared.
    refused: bool,
    record: Option<RegistrationRecord>,
}

impl Alignment {
    /// That of the dates of `pair` on `ground`; what cannot be read enters `lost` where `spare`.
    fn of(session: &Session<'_>, ground: &Ground, pair: &Pair, lost: Option<&Lost>) -> Result<Self, EngineError> {
        let mut found = Self {
            moved: vec![Affine::IDENTITY; pair.dates().len()],
            shift_px: session.config.detect.misregistration_px,
            tolerant: false,
            refused: false,
            record: None,
        };
        // Speckle has no edges to match; radar is geocoded by its orbit. A series is taken as it is.
        if let (Kind::Optical, [before, after]) = (pair.kind, pair.dates().as_slice()) {
            let (measured, record) = align::measure(session, ground, pair, [*before, *after], lost)?;
            found.record = Some(record);
            match measured.outcome {
                Outcome::Pass | Outcome::Degraded => {
                    found.moved[1] = measured.source;
                    found.shift_px = measured.residual_px.max(found.shift_px);
                    found.tolerant = measured.outcome == Outcome::Degraded;
                }
                Outcome::Refused => found.refused = true,
                Outcome::Unmeasured(_) => {}
            }
        }
        Ok(found)
    }
}

impl<'a> Track<'a> {
    /// `pair` aligned, sampled on the ground of `training` and fitted; and its training sample, empty where it is refused.
    ///
    /// # Errors
    /// A file that cannot be read; the run was stopped.
    pub fn fit(
        session: &Session<'_>,
        training: &Training<'_>,
        pair: &'a Pair,
        stopwatch: &Stopwatch,
    ) -> Result<(Self, Vec<Cell>), EngineError> {
        let (ground, scenes) = (training.ground, pair.scenes());
        let lost = Lost::default();
        let lost_in = training.is_district.then_some(&lost);
        let aligned = stopwatch.time("coregister", || Alignment::of(session, ground, pair, lost_in))?;
        let clouds = Clouds::of(&scenes);
        let mut track = Self {
            pair,
            bands: clouds.bands(&pair.bands, &shared(&scenes)),
            clouds,
            moved: aligned.moved,
            registration: aligned.record,
            notes: Vec::new(),
            fit: None,
            held_out: Vec::new(),
            scorers: Vec::new(),
        };
        for note in scenes.iter().flat_map(|scene| &scene.notes).chain(&pair.notes) {
            if !track.notes.contains(note) {
                track.notes.push(note.clone());
            }
        }
        track.notes.extend(track.registration.as_ref().and_then(note));
        if aligned.refused {
            return Ok((track, Vec::new()));
        }
        let open = stopwatch.time("align", || track.open_at(session, ground, track.moved.clone()))?;
        let sampled = stopwatch.time("sample", || open.sample(session, training, lost_in))?;
        drop(open);
        let lost = lost.notes();
        let told = lost.iter().map(|note| names::told(note, &session.config.folder));
        track.notes.extend(told);
        match sampled {
            Sampled::CodedDifferently(why) => {
                track.notes.push(format!("{NOT_COMPARED}{why}"));
                Ok((track, Vec::new()))
            }
            Sampled::Cells(cells) => {
                let (shift_px, tolerant) = (aligned.shift_px, aligned.tolerant);
                stopwatch.time("fit", || track.fit_to(&cells, session, shift_px, tolerant));
                Ok((track, cells))
            }
        }
    }

    /// Its dates on the site of `ground`, where it was fitted to the ground that is sampled for that site.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(&'a self, session: &Session<'_>, ground: &Ground) -> Result<OpenTrack<'a>, EngineError> {
        let (site, sampled) = (&ground.grid, &ground.sampled);
        let (x, y) = sampled.to_pixel(site.left_m, site.top_m);
        let moved = self.moved.iter().map(|one| one.from_origin(x.round(), y.round()));
        self.open_at(session, ground, moved.collect())
    }

    fn open_at<'b>(
        &'b self,
        session: &Session<'_>,
        ground: &Ground,
        moved: Vec<Affine>,
    ) -> Result<OpenTrack<'b>, EngineError> {
        let dates = self.pair.dates().into_iter().zip(&moved);
        let sources = dates
            .map(|(date, moved)| session.open(date, &target(ground, moved), &self.bands))
            .collect::<Result<_, _>>()?;
        Ok(OpenTrack {
            track: self,
            sources,
            moved,
        })
    }

    /// Fits the bands of one date to the other and the detectors to the training sample `cells`.
    fn fit_to(&mut self, cells: &[Cell], session: &Session<'_>, shift_px: f64, tolerant: bool) {
        let (config, scenes, bands) = (session.config, self.pair.scenes(), &self.pair.bands);
        let noise = sensor_noises(&scenes, bands);
        let sample = sample::pixels(cells, &config.detect);
        let mut fit = match normalise::fit(&sample, &noise, &config.normalise) {
            Ok(fit) => fit,
            Err(error) => return self.notes.push(error.to_string()),
        };
        if config.normalise.method == Method::Invariant && self.pair.kind == Kind::Optical {
            let irmad = irmad::fit(&sample, &config.detect.irmad).map_err(|error| error.to_string());
            match irmad.and_then(|irmad| invariant::of_irmad(&sample, &irmad).map_err(|error| error.to_string())) {
                Ok(found) => {
                    fit = normalise::Fit {
                        bands: found.linear_fits(&noise),
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
            false => detect::chosen(
                &config.detect,
                Setting { radar, series },
                config.profile.of(radar, series).detector,
            ),
        };
        let context = Context {
            fits: &fit.bands,
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

    /// The fits that normalise its earlier date, band by band; none where nothing was fitted.
    pub fn linear_fits(&self) -> &[normalise::LinearFit] {
        self.fit.as_ref().map_or(&[], |fit| &fit.bands)
    }

    /// How far its detectors look beyond a pixel, pixels.
    pub fn halo(&self) -> usize {
        self.scorers.iter().map(|(_, scorer)| scorer.halo()).max().unwrap_or(0)
    }
}

/// What is read before anything is fitted.
enum Sampled {
    Cells(Vec<Cell>),
    /// Why the dates are not compared.
    CodedDifferently(String),
}

impl OpenTrack<'_> {
    /// The sample of `training`, unless a few pixels show that the dates are coded differently; what cannot be read enters
    /// `lost` where that is given.
    fn sample(
        &self,
        session: &Session<'_>,
        training: &Training<'_>,
        lost: Option<&Lost>,
    ) -> Result<Sampled, EngineError> {
        let (track, infos, ground) = (self.track, &session.inputs.infos, training.ground);
        let bands = &track.bands;
        let spared = |source| Spared::of(source, bands.len(), lost);
        let apart = self.apart(session, ground)?;
        let dates = track.pair.dates().into_iter().zip(&self.sources).zip(&apart);
        let pieces: Vec<Vec<Piece<'_>>> = dates
            .map(|((date, whole), apart)| {
                let sources = if apart.is_empty() {
                    slice::from_ref(whole)
                } else {
                    apart
                };
                let pieces = date.pieces.iter().zip(sources);
                pieces
                    .map(|(scene, source)| Piece {
                        scene,
                        source: spared(source),
                    })
                    .collect()
            })
            .collect();
        let dates: Vec<Spared<'_>> = self.sources.iter().map(|source| spared(source)).collect();
        let reader = StackReader {
            dates: dates.iter().map(|date| date as &dyn PixelSource).collect(),
            ..self.reader(session, ground)
        };
        match coded::refused(&pieces, track.pair, bands, infos, &ground.grid)? {
            Some(why) => Ok(Sampled::CodedDifferently(why)),
            None => Ok(Sampled::Cells(sample::cells(&reader, training.cores, session.stop)?)),
        }
    }

    /// The pieces of each of its dates, open one by one; none of a date of one piece.
    fn apart(&self, session: &Session<'_>, ground: &Ground) -> Result<Vec<Vec<Mosaic>>, EngineError> {
        let dates = self.track.pair.dates().into_iter().zip(&self.moved);
        dates
            .map(|(date, moved)| {
                let pieces = coded::apart(date).into_iter();
                pieces
                    .map(|piece| Ok(session.open(&piece, &target(ground, moved), &self.track.bands)?))
                    .collect()
            })
            .collect()
    }

    /// Its dates, as every pass reads them.
    pub fn reader<'b>(&'b self, session: &Session<'b>, ground: &'b Ground) -> StackReader<'b> {
        StackReader {
            dates: self.sources.iter().map(|source| source as &dyn PixelSource).collect(),
            bands: &self.track.bands,
            compared: self.track.pair.bands.len(),
            clouds: self.track.clouds,
            grid: &ground.grid,
            boundary: &ground.boundary,
            screen: &session.config.screen,
        }
    }
}

/// What the reader should know of a registration.
fn note(record: &RegistrationRecord) -> Option<String> {
    let residual = record.residual_px.unwrap_or_default();
    match record.outcome {
        RegistrationOutcome::Refused => Some(format!(
            "{NOT_COMPARED}after co-registration the dates still lie {residual} px beside each other; choose other scenes"
        )),
        RegistrationOutcome::Degraded => Some(format!(
            "the dates lie {residual} px beside each other after co-registration: compared by a detector that looks around each pixel, which misses small changes"
        )),
        RegistrationOutcome::Unmeasured => {
            let why = record.reason.as_deref().unwrap_or_default();
            Some(format!(
                "how the dates lie beside each other could not be measured, and neither was moved: {why}"
            ))
        }
        RegistrationOutcome::Pass => None,
    }
}

/// Bands of visible light.
const VISIBLE: [&str; 3] = ["blue", "green", "red"];

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
