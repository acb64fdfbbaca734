//! Which surfaces of the library can be painted into a scene.

use crate::engine::score::Scored;
use crate::scene::{Kind, spectra};
use crate::stage::sensitivity::paint::Effect;

/// The spectra that the judged scenes can be painted with: reflectance in every band that is compared, and a value for each.
pub fn paintable(scored: &Scored<'_>, notes: &mut Vec<String>) -> Vec<(String, Vec<Option<Effect>>)> {
    let main = scored.main().track;
    let scene = &scored.pair.after.whole;
    let is_reflectance = |name: &String| {
        let band = scene.bands.iter().find(|band| band.name == *name);
        band.is_some_and(|band| band.valid == Some([0.0, 1.0]) && !band.derived)
    };
    if main.pair.kind == Kind::Sar {
        notes.push("spectra of surfaces are left out: radar has none".into());
        return Vec::new();
    }
    if let Some(name) = main.pair.bands.iter().find(|name| !is_reflectance(name)) {
        notes.push(format!(
            "spectra of surfaces are left out: the band {name} is not known to be reflectance"
        ));
        return Vec::new();
    }
    let library = match spectra::embedded() {
        Ok(library) => library,
        Err(fault) => {
            notes.push(format!("spectra of surfaces are left out: {fault}"));
            return Vec::new();
        }
    };
    let mut paintable = Vec::new();
    for spectrum in library {
        let value = |name: &String| spectrum.reflectance.get(name);
        match main.pair.bands.iter().find(|name| value(name).is_none()) {
            Some(name) => notes.push(format!(
                "the spectrum {} is left out: it has no value for the band {name}",
                spectrum.id
            )),
            None => {
                let effects = main
                    .bands
                    .iter()
                    .map(|name| value(name).map(|v| Effect::Replace(*v as f32)));
                paintable.push((spectrum.id.clone(), effects.collect()));
            }
        }
    }
    paintable
}
