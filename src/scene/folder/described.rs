//! What a folder's description says of all its files, checked before any of them is looked at.

use crate::fault::Fault;
use crate::intake::names;
use crate::scene::folder::dates::Dates;
use crate::scene::folder::masks::{Masks, masks};
use crate::scene::folder::spec::FolderParams;
use crate::scene::sensor::{GENERIC, Sensor, Sensors};
use crate::scene::stac::bands::POLARISATIONS;
use crate::scene::statement::{Statement, Statements};
use crate::scene::{BandAsset, Coding, Kind};

/// What the files of a folder have in common.
pub(in crate::scene) struct Described<'a> {
    pub spec: &'a FolderParams,
    pub sensor: &'a Sensor,
    pub kind: Kind,
    pub dates: Dates<'a>,
    /// The bands of each file, settled as far as that is known before it is opened.
    pub bands: Vec<BandAsset>,
    /// Bands that are masks by their names.
    pub masks: Masks,
    /// What the values of the stated quality band mean, where one is stated.
    pub coding: Option<Coding>,
    /// What whoever reads a comparison of its scenes should know.
    pub notes: Vec<String>,
}

impl<'a> Described<'a> {
    /// What `spec` describes.
    ///
    /// # Errors
    /// It is wrong: sensor, bands, numbers, pattern.
    pub fn of(spec: &'a FolderParams, sensors: &'a Sensors) -> Result<Self, Fault> {
        let id = spec.sensor.as_deref().unwrap_or(GENERIC);
        let unknown = || Fault::new("sensor", sensors.unknown(id));
        let sensor = sensors.get(id).ok_or_else(unknown)?;
        check_bands(spec)?;
        check_numbers(spec)?;
        let kind = kind(spec, sensor)?;
        let masks = masks(spec, sensor, sensors);
        Ok(Self {
            spec,
            sensor,
            kind,
            bands: bands(spec, sensor, kind, &masks)?,
            coding: coding(spec, sensor)?,
            dates: Dates::of(spec)?,
            notes: notes(spec, sensor, kind, &masks),
            masks,
        })
    }
}

fn check_bands(spec: &FolderParams) -> Result<(), Fault> {
    if spec.bands.is_empty() {
        return Err(Fault::new(
            "bands",
            "expected the names of the file's bands in order, found none",
        ));
    }
    for name in &spec.bands {
        names::id(name).map_err(|wrong| Fault::new("bands", format!("`{name}` {wrong}")))?;
    }
    if let Some(name) = spec
        .bands
        .iter()
        .enumerate()
        .find_map(|(at, name)| spec.bands[..at].contains(name).then_some(name))
    {
        return Err(Fault::new("bands", format!("`{name}` is given twice")));
    }
    Ok(())
}

fn check_numbers(spec: &FolderParams) -> Result<(), Fault> {
    if let Some(scale) = spec.scale.filter(|scale| !scale.is_finite() || *scale == 0.0) {
        return Err(Fault::new(
            "scale",
            format!("expected a number other than 0, found {scale}"),
        ));
    }
    if let Some(offset) = spec.offset.filter(|offset| !offset.is_finite()) {
        return Err(Fault::new("offset", format!("expected a number, found {offset}")));
    }
    if spec.quality_index() == Some(0) {
        return Err(Fault::new("quality.index", "bands count from 1, found 0"));
    }
    Ok(())
}

/// What the folder holds: decibels, linear power and polarisations are radar, also of no named sensor.
fn kind(spec: &FolderParams, sensor: &Sensor) -> Result<Kind, Fault> {
    let is_polarisation = |name: &String| POLARISATIONS.iter().any(|known| known.eq_ignore_ascii_case(name));
    match spec.unit {
        None if sensor.id == GENERIC && spec.bands.iter().all(is_polarisation) => Ok(Kind::Sar),
        None => Ok(sensor.kind),
        Some(_) if sensor.kind == Kind::Sar || sensor.id == GENERIC => Ok(Kind::Sar),
        Some(unit) => Err(Fault::new(
            "unit",
            format!(
                "\"{unit}\" is of radar backscatter, but sensor {} is optical: leave it out",
                sensor.id
            ),
        )),
    }
}

/// What the values of the stated quality band mean: those of the sensor's first.
fn coding(spec: &FolderParams, sensor: &Sensor) -> Result<Option<Coding>, Fault> {
    if spec.quality_index().is_none() {
        return Ok(None);
    }
    match sensor.quality.first() {
        Some(first) => Ok(Some(first.coding.clone())),
        None => Err(Fault::new(
            "quality.coding",
            format!("expected a coding: sensor {} has none", sensor.id),
        )),
    }
}

/// The bands of each file, settled as far as that is known before it is opened.
fn bands(spec: &FolderParams, sensor: &Sensor, kind: Kind, masks: &Masks) -> Result<Vec<BandAsset>, Fault> {
    let pipeline = Statement {
        scale: spec.scale.into_iter().collect(),
        offset: spec.offset.into_iter().collect(),
        nodata: spec.nodata.into_iter().collect(),
        unit: spec.unit,
        data_type: None,
    };
    let band = |(at, name): (usize, &String)| {
        let known = sensor.band(name).map(|(_, band)| band);
        let mut band = BandAsset {
            name: known.map_or(name, |band| &band.name).clone(),
            index: at + 1,
            radiometry: Statements {
                pipeline: pipeline.clone(),
                ..Statements::default()
            },
            valid: sensor.valid,
            noise: known.and_then(|band| band.noise).or(sensor.noise),
            noise_fraction: sensor.noise_fraction,
            // Whoever lists a folder's bands asks for them.
            derived: false,
            ..BandAsset::default()
        };
        band.settle(Some(sensor), kind, None)
            .map_err(|why| Fault::new("bands", format!("`{name}` {why}")))?;
        Ok(band)
    };
    let measured = spec.bands.iter().enumerate().filter(|(at, _)| !masks.contains_key(at));
    let bands: Vec<BandAsset> = measured.map(band).collect::<Result<_, Fault>>()?;
    if bands.is_empty() {
        let names = spec.bands.join(", ");
        return Err(Fault::new(
            "bands",
            format!("`{names}`: masks by their names, and no measurements to compare"),
        ));
    }
    Ok(bands)
}

/// What whoever reads a comparison of the folder's scenes should know.
fn notes(spec: &FolderParams, sensor: &Sensor, kind: Kind, masks: &Masks) -> Vec<String> {
    let is_unknown = spec.sensor.is_none() && kind == Kind::Optical && sensor.valid.is_none();
    let clouds = match spec.quality_index() {
        None => " and clouds are not looked for",
        Some(_) => "",
    };
    let unread = masks.iter().filter(|(_, coding)| coding.is_none()).map(|(at, _)| {
        format!(
            "{}: its band {} is a mask by its name, and neither compared nor read: name the `sensor` whose mask it is",
            spec.glob, spec.bands[*at]
        )
    });
    let note = || {
        format!(
            "{}: no sensor is named, so that values are taken as they are stored (`{GENERIC}`), noise is only measured{clouds}: name one with `sensor`",
            spec.glob
        )
    };
    is_unknown.then(note).into_iter().chain(unread).collect()
}
