//! What is fitted to the comparisons of a site before its tiles are scored, common to all small sites of a district.

use crate::engine::EngineError;
use crate::engine::session::Session;
use crate::engine::timers::Stopwatch;
use crate::engine::track::{Track, Training};
use crate::plan::SitePlan;
use crate::plan::pairs::Pair;
use crate::plan::reach::Clouds;
use crate::plan::training;
use crate::scene::Kind;
use crate::stage::detect::combine::Combination;
use crate::stage::detect::{Cell, DetectParams};

/// What is fitted to one comparison.
pub struct Fitted<'a> {
    /// Which scenes.
    pub pair: &'a Pair,
    /// The track of the judged scenes first, then its companions: tracks of other orbits and sensors of the same time.
    pub tracks: Vec<Track<'a>>,
    /// How the scores of their detectors are joined.
    pub combination: Combination,
}

/// Aligns and samples every comparison of the site of `plan`, and fits its detectors.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn fit<'a>(
    session: &Session<'_>,
    plan: &'a SitePlan,
    stopwatch: &Stopwatch,
) -> Result<Vec<Fitted<'a>>, EngineError> {
    let Some(ground) = &plan.ground else {
        return Ok(Vec::new());
    };
    let (is_district, ground) = (ground.grid != ground.sampled, ground.to_sample());
    plan.pairs
        .iter()
        .map(|pair| {
            let together: Vec<&Pair> = std::iter::once(pair).chain(&pair.companions).collect();
            let planes = together.iter().map(|pair| pair.bands.len() * pair.scenes().len()).max();
            let clouds = Clouds::of(&pair.scenes());
            let cores = training::cores(&ground.grid, is_district, planes.unwrap_or(1), clouds);
            let (mut tracks, mut samples) = (Vec::new(), Vec::new());
            let training = Training {
                ground: &ground,
                cores: &cores,
                is_district,
            };
            for pair in together {
                let (track, cells) = Track::fit(session, &training, pair, stopwatch)?;
                tracks.push(track);
                samples.push(cells);
            }
            let combination = stopwatch.time("fit", || combination(&tracks, &samples, &session.config.detect));
            Ok(Fitted {
                pair,
                tracks,
                combination,
            })
        })
        .collect()
}

/// How the scores of all detectors are joined; each detector scores its training sample for that.
fn combination(tracks: &[Track<'_>], samples: &[Vec<Cell>], params: &DetectParams) -> Combination {
    let several = tracks.iter().map(|track| track.scorers.len()).sum::<usize>() > 1;
    let sampled = samples.iter().map(Vec::len).min().unwrap_or(0);
    let cells = if several { sampled } else { 0 };
    let of_cell = |index: usize| {
        let of_track = |(track, cells): (&Track<'_>, &Vec<Cell>)| {
            let Cell { core, stack } = &cells[index];
            let scorers = track.scorers.iter();
            scorers.map(|(_, scorer)| scorer.score(stack, core)).collect::<Vec<_>>()
        };
        tracks.iter().zip(samples).flat_map(of_track).collect()
    };
    let scores: Vec<_> = (0..cells).map(of_cell).collect();
    Combination::fit(params.rule, weights(tracks, params.radar_weight), &scores)
}

/// What each detector counts in a sum: all of one kind of scenes together as much as one of them alone would; radar beside optical
/// scenes `radar_weight` of that.
fn weights(tracks: &[Track<'_>], radar_weight: f64) -> Vec<f64> {
    let is_radar = |track: &Track<'_>| track.pair.kind == Kind::Sar;
    let of_kind = |radar: bool| {
        let same = tracks.iter().filter(|track| is_radar(track) == radar);
        same.map(|track| track.scorers.len()).sum::<usize>() as f64
    };
    let beside = |track: &Track<'_>| is_radar(track) && of_kind(false) > 0.0;
    let weight = |track: &Track<'_>| {
        let whole = if beside(track) { radar_weight } else { 1.0 };
        vec![whole / of_kind(is_radar(track)).sqrt(); track.scorers.len()]
    };
    tracks.iter().flat_map(weight).collect()
}
