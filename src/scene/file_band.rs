//! Which band a name of a file or of a band in it tells: what is said to be one band must not be another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::sensor::{Sensor, contains};
use super::stac::bands::PRODUCTS;

/// What products end the names of their files with beside the band: its resolution.
const RESOLUTIONS: [&str; 3] = ["_10m_", "_20m_", "_60m_"];

/// The files whose names tell another band than `band`, which they are said to hold, and why that cannot be. One of `sensors` calls a band
/// so. Where none calls any `band`, it is a name of the user's own, and the names of all files must tell one.
pub(super) fn misnamed(files: &[PathBuf], band: &str, sensors: &[&Sensor]) -> BTreeMap<PathBuf, String> {
    let stem = |file: &PathBuf| Some(file.file_stem()?.to_str()?.to_owned());
    let told = files
        .iter()
        .filter_map(|file| Some((file.clone(), told(&stem(file)?, sensors))))
        .filter(|(_, told)| !told.is_empty());
    let remedy = "give `glob` a pattern that matches files of that band alone";
    if sensors.iter().any(|sensor| sensor.band(band).is_some()) {
        let another = told.filter(|(_, told)| !told.iter().any(|one| one.is(band)));
        return another
            .map(|(file, told)| {
                let why = format!(
                    "its name tells that it holds {}, not `{band}`: {remedy}",
                    told[0].words()
                );
                (file, why)
            })
            .collect();
    }
    let told: BTreeMap<PathBuf, String> = told.map(|(file, told)| (file, told[0].words())).collect();
    let kinds: BTreeSet<&String> = told.values().collect();
    if kinds.len() < 2 {
        return BTreeMap::new();
    }
    let kinds: Vec<&str> = kinds.into_iter().map(String::as_str).collect();
    let why = format!(
        "the names of the folder's files tell several bands ({}): {remedy}",
        kinds.join(", ")
    );
    told.into_keys().map(|file| (file, why.clone())).collect()
}

/// What a file says of one of its bands, beside what it is said to hold.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    /// Which band of the file, from 1.
    pub index: usize,
    /// The name that it is given.
    pub name: &'a str,
    /// Its description in the file; empty where it has none.
    pub description: &'a str,
}

/// Why the bands of a file cannot be those that they are said to be, as their descriptions tell: one tells another band, or all of them tell
/// these in another order. Of several `sensors` any may be the one: only words count then, and codes that tell the same bands.
pub fn misdescribed(bands: &[Described], sensors: &[&Sensor]) -> Option<String> {
    let is_of_one = matches!(sensors, [_]);
    // Programs number bands b1, b2, ... as they stand in the file; products write their codes large.
    let is_number = |band: &Described| {
        let number = format!("b{}", band.index);
        band.description == number || !is_of_one && band.description.eq_ignore_ascii_case(&number)
    };
    if bands.iter().all(is_number) {
        return None;
    }
    let is_band = |name: &str| sensors.iter().any(|sensor| sensor.band(name).is_some());
    let is_word = |one: &Told| is_of_one || !one.spelling.contains(|c: char| c.is_ascii_digit());
    // Sensors tell near infrared apart by digits, people do not.
    let is_nir = |name: &str| ["nir", "nir08"].contains(&name.to_ascii_lowercase().as_str());
    let is_alike = |one: &Told, name: &str| {
        let both_nir = !is_of_one && is_nir(name) && is_nir(one.spelling);
        one.is(name) || both_nir
    };
    for band in bands.iter().filter(|band| is_band(band.name)) {
        let told = told(band.description, sensors).into_iter();
        let told: Vec<Told> = told.filter(is_word).collect();
        if let Some(first) = told.first()
            && !told.iter().any(|one| is_alike(one, band.name))
        {
            let (index, name) = (band.index, band.name);
            return Some(format!(
                "the file describes its band {index} as {}, not `{name}`",
                first.words()
            ));
        }
    }
    let given: Vec<&str> = bands.iter().map(|band| band.name).collect();
    let spelled: Vec<&str> = bands.iter().map(|band| band.description).collect();
    let readings = sensors.iter().filter_map(|sensor| {
        let told = bands
            .iter()
            .map(|band| Some(told(band.description, &[sensor]).first()?.band?.0));
        told.collect::<Option<Vec<&str>>>()
    });
    let readings: Vec<Vec<&str>> = readings.chain([spelled.clone()]).collect();
    let is_as_given = |reading: &Vec<&str>| order(&given, reading) == Some(true);
    let is_other = |reading: &&Vec<&str>| order(&given, reading) == Some(false);
    let other = readings
        .iter()
        .find(is_other)
        .filter(|_| !readings.iter().any(is_as_given))?;
    Some(format!(
        "the file describes its bands as {} ({}), not as {}",
        spelled.join(" "),
        other.join(" "),
        given.join(" ")
    ))
}

/// Whether the names `told` are those `given` in their order; `None` where they are not the same names.
pub fn order(given: &[&str], told: &[&str]) -> Option<bool> {
    let [given, told] =
        [given, told].map(|names| names.iter().map(|name| name.to_ascii_lowercase()).collect::<Vec<_>>());
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    (sorted(&given) == sorted(&told)).then_some(given == told)
}

/// What a name tells: how it spells it, and the band that it is, where it is one.
struct Told<'a> {
    spelling: &'a str,
    band: Option<(&'a str, &'a [String])>,
}

impl Told<'_> {
    fn is(&self, band: &str) -> bool {
        let is_key = self
            .band
            .is_some_and(|(name, keys)| name.eq_ignore_ascii_case(band) || contains(keys, band));
        is_key || self.spelling.eq_ignore_ascii_case(band)
    }

    fn words(&self) -> String {
        match self.band {
            Some((name, _)) if name == self.spelling => format!("`{name}`"),
            Some((name, _)) => format!("{} (`{name}`)", self.spelling),
            None => format!("{}, which is no band", self.spelling.to_ascii_uppercase()),
        }
    }
}

/// What a file called `stem` tells, by the tables of `sensors`.
///
/// Words such as `red` count at the end alone (`red_river_2021` is a river); codes such as `B8A` anywhere.
fn told<'a>(stem: &str, sensors: &[&'a Sensor]) -> Vec<Told<'a>> {
    let underscored = |name: &str| {
        name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
            .to_ascii_lowercase()
    };
    let mut stem = format!("_{}_", underscored(stem));
    if let Some(rest) = RESOLUTIONS.iter().find_map(|end| stem.strip_suffix(end)) {
        stem = format!("{rest}_");
    }
    let tells = |name: &str| match name.contains(|c: char| c.is_ascii_digit()) {
        true => stem.contains(&format!("_{}_", underscored(name))),
        false => stem.ends_with(&format!("_{}_", underscored(name))),
    };
    let mut found = Vec::new();
    for sensor in sensors {
        for band in &sensor.bands {
            let spelling = band.keys.iter().chain([&band.name]).find(|name| tells(name));
            found.extend(spelling.map(|spelling| Told {
                spelling,
                band: Some((&band.name, &band.keys)),
            }));
        }
    }
    let masks = sensors
        .iter()
        .flat_map(|sensor| &sensor.quality)
        .flat_map(|quality| &quality.assets);
    let others = masks.map(String::as_str).chain(PRODUCTS).find(|name| tells(name));
    found.extend(others.map(|spelling| Told { spelling, band: None }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Sensors;

    /// Which of `names` are misnamed as `band` of `sensor`, or of any.
    fn wrong(sensor: &str, band: &str, names: &[&str]) -> Vec<String> {
        let sensors = Sensors::embedded().unwrap();
        let known: Vec<&Sensor> = match sensor {
            "" => sensors.iter().collect(),
            id => vec![sensors.get(id).unwrap()],
        };
        let files: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        misnamed(&files, band, &known).into_values().collect()
    }

    const SAFE: [&str; 6] = [
        "T31UDQ_20210605T105619_AOT_10m.jp2",
        "T31UDQ_20210605T105619_B04_10m.jp2",
        "T31UDQ_20210605T105619_B8A_20m.jp2",
        "T31UDQ_20210605T105619_SCL_20m.jp2",
        "T31UDQ_20210605T105619_TCI_10m.jp2",
        "T31UDQ_20210605T105619.jp2",
    ];

    #[test]
    fn other_bands_masks_and_products_are_told_from_the_band_that_is_meant() {
        for sensor in ["", "sentinel-2-l2a"] {
            let why = wrong(sensor, "red", &SAFE);
            let parts = [
                "AOT, which is no band, not `red`",
                "B8A (`nir08`), not `red`",
                "SCL, which is no band",
                "TCI",
            ];
            assert_eq!(why.len(), parts.len(), "{why:?}");
            for (why, part) in why.iter().zip(parts) {
                assert!(why.contains(part), "{why}: {part}");
            }
        }
        let words = [
            "20210606_nir.tif",
            "red_river_20210607.tif",
            "20210609.tif",
            "x_red_20m.tif",
        ];
        assert_eq!(wrong("", "red", &words).len(), 1);
        // The code of one sensor's band may be that of another's.
        let landsat = ["LC08_20210608_SR_B4.tif", "LC08_20210608_QA_PIXEL.tif"];
        assert_eq!(wrong("landsat-8-9-c2l2", "red", &landsat).len(), 1);
        assert_eq!(wrong("landsat-8-9-c2l2", "B4", &landsat[..1]), [] as [&str; 0]);
        assert_eq!(wrong("landsat-8-9-c2l2", "green", &landsat[..1]).len(), 1);
    }

    /// Why a file whose bands have these descriptions cannot hold bands of these names of `sensor`, or of any.
    fn described(sensor: &str, names: &[&str], descriptions: &[&str]) -> Option<String> {
        let sensors = Sensors::embedded().unwrap();
        let known: Vec<&Sensor> = match sensor {
            "" => sensors.iter().collect(),
            id => vec![sensors.get(id).unwrap()],
        };
        let bands = (1..).zip(names.iter().zip(descriptions));
        let bands = bands.map(|(index, (name, description))| Described {
            index,
            name,
            description,
        });
        misdescribed(&bands.collect::<Vec<_>>(), &known)
    }

    #[test]
    fn descriptions_that_tell_other_bands_are_noticed() {
        let colours = ["blue", "green", "red", "nir"];
        let (s2, l8, radar) = ("sentinel-2-l2a", "landsat-8-9-c2l2", "sentinel-1-grd");
        for (sensor, names, descriptions, part) in [
            (
                s2,
                &colours[..],
                &["B4", "B3", "B2", "B8"][..],
                "band 1 as B4 (`red`), not `blue`",
            ),
            (
                s2,
                &colours,
                &["B2", "B3", "B4", "B8A"],
                "band 4 as B8A (`nir08`), not `nir`",
            ),
            (s2, &colours[..2], &["B02 (492 nm)", "SCL"], "SCL, which is no band"),
            (l8, &["nir08"], &["SR_B4"], "not `nir08`"),
            (radar, &["vv", "vh"], &["Sigma0_VH", "Sigma0_VV"], "not `vv`"),
            (
                "",
                &colours,
                &["red", "green", "blue", "nir"],
                "band 1 as `red`, not `blue`",
            ),
            ("", &colours, &["Band 1 - Red", "", "", ""], "not `blue`"),
            (
                "",
                &colours,
                &["B4", "B3", "B2", "B8"],
                "as B4 B3 B2 B8 (red green blue nir), not as blue green red nir",
            ),
            ("", &["B2", "B3", "mine"], &["B3", "B2", "mine"], "as B3 B2 mine"),
        ] {
            let why = described(sensor, names, descriptions).unwrap_or_default();
            assert!(why.contains(part), "{sensor} {descriptions:?}: {why}");
        }
        for (sensor, names, descriptions) in [
            (s2, &colours[..], &["B2", "B3", "B4", "B8"][..]),
            (s2, &colours, &["blue", "Green", "0_B4", "Band 4"]),
            // They stand for their places.
            (s2, &colours, &["b1", "b2", "b3", "b4"]),
            ("", &["red", "green", "blue"], &["B1", "B2", "B3"]),
            // MODIS counts otherwise than any sensor that is known.
            (
                "",
                &["red", "nir", "blue", "green"],
                &["sur_refl_b01", "sur_refl_b02", "sur_refl_b03", "sur_refl_b04"],
            ),
            (
                "",
                &["blue", "green", "red", "nir"],
                &["SR_B2", "SR_B3", "SR_B4", "SR_B5"],
            ),
            ("", &["nir08"], &["NIR"]),
            ("", &["mine"], &["red"]),
        ] {
            assert_eq!(described(sensor, names, descriptions), None, "{descriptions:?}");
        }
    }

    #[test]
    fn a_name_of_ones_own_holds_for_one_band() {
        assert_eq!(wrong("sentinel-2-l2a", "mine", &SAFE[1..2]), [] as [&str; 0]);
        let why = wrong("sentinel-2-l2a", "mine", &SAFE[1..3]);
        assert_eq!(why.len(), 2);
        assert!(
            why[0].contains("tell several bands (B04 (`red`), B8A (`nir08`))"),
            "{why:?}"
        );
    }
}
