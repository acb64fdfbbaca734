//! What new surfaces reflect: a small library, as data in `spectra.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::fault::Fault;

const LIBRARY: &str = include_str!("spectra.toml");

/// A surface.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Spectrum {
    /// Its word in the record.
    pub id: String,
    /// Its reflectance, 0 to 1, by the common name of the band.
    #[serde(flatten)]
    pub reflectance: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Library {
    spectrum: Vec<Spectrum>,
}

/// The spectra that sitewatch comes with, in their order.
///
/// # Errors
/// A fault in a file that is part of the program; a test reads it.
pub fn embedded() -> Result<Vec<Spectrum>, Fault> {
    let library: Library = toml::from_str(LIBRARY).map_err(|error| Fault::of_toml(LIBRARY, &error))?;
    Ok(library.spectrum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Sensors;

    #[test]
    fn every_land_band_has_a_value_that_a_surface_can_have() {
        let spectra = embedded().unwrap();
        let ids: Vec<&str> = spectra.iter().map(|spectrum| spectrum.id.as_str()).collect();
        assert_eq!(ids, ["roof", "concrete", "bare_soil"]);
        let sensors = Sensors::embedded().unwrap();
        let named = |name: &str| sensors.iter().any(|sensor| sensor.band(name).is_some());
        for spectrum in &spectra {
            for name in ["blue", "green", "red", "nir", "nir08", "swir16", "swir22"] {
                assert!(spectrum.reflectance.contains_key(name), "{} {name}", spectrum.id);
            }
            for (name, value) in &spectrum.reflectance {
                assert!(named(name) && (0.02..0.7).contains(value), "{} {name}", spectrum.id);
            }
        }
    }
}
