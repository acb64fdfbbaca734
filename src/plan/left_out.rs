//! What a pipeline asks for by name and a comparison cannot give: it is told, never dropped without a word.

use crate::config::Config;
use crate::plan::ground::Ground;
use crate::plan::pairs::Pair;
use crate::scene::Kind;
use crate::stage::detect::{self, Setting};

/// Pixels that are clear on both dates without which nothing can be fitted.
const MIN_PX: usize = 100;

/// What of `config` is not used in `pair`, as notes.
pub fn notes(config: &Config, pair: &Pair) -> Vec<String> {
    let all: Vec<&Pair> = std::iter::once(pair).chain(&pair.companions).collect();
    let mut notes = Vec::new();
    let has = |name: &&String| all.iter().any(|one| one.bands.contains(name));
    let missing: Vec<&str> = config
        .compare
        .bands
        .iter()
        .filter(|name| !has(name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        notes.push(format!(
            "compare.bands names {}, which the scenes that are compared do not all have: not compared",
            missing.join(", ")
        ));
    }
    let setting = |one: &&Pair| Setting {
        radar: one.kind == Kind::Sar,
        series: one.is_series(),
    };
    let settings: Vec<Setting> = all.iter().map(setting).collect();
    for (word, why) in detect::unused(&config.detect, &settings) {
        notes.push(format!("detector {} is not used: {why}", word.word()));
    }
    notes
}

/// Why nothing can be fitted on `ground`, as far as no pixel is needed to know it.
pub fn too_little(ground: &Ground) -> Option<String> {
    let pixel_m = ground.grid.pixel_m;
    let bounds = ground.boundary.bounds();
    if (bounds.y..bounds.bottom()).all(|y| ground.boundary.spans(y).is_empty()) {
        return Some(format!(
            "no pixel of {pixel_m} m has its centre in the site: give finer scenes, or a smaller grid.pixel_m"
        ));
    }
    (ground.seen_px < MIN_PX).then(|| {
        format!(
            "the scenes have fewer than {MIN_PX} pixels of {pixel_m} m there and around, which a comparison needs: give finer or larger scenes, \
             or a smaller grid.pixel_m"
        )
    })
}
