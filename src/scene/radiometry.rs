//! How the stored numbers of a band become physical values: one decision, whoever states what. docs/ingestion.md has it as a table.

use super::statement::{Statement, Statements, Unit, Version, add};
use super::{BandAsset, Kind, Sensor};

/// How stored numbers become physical: `physical = stored * scale + offset`, then `10 log10` where `decibel`.
#[derive(Debug, Clone, PartialEq)]
pub struct Radiometry {
    /// Physical units per stored unit.
    pub scale: f64,
    /// Physical value of a stored 0.
    pub offset: f64,
    /// Stored values that mean no data, each once; may hold NaN.
    pub nodata: Vec<f64>,
    /// The value is linear power and is to be turned into decibels.
    pub decibel: bool,
    /// The stored value at and above which the pixel is saturated.
    pub saturated: Option<f64>,
}

impl BandAsset {
    /// Settles how its stored numbers become physical, by all that is stated of it, its `sensor` and, once it was opened, its `file`.
    ///
    /// # Errors
    /// Statements that contradict each other, numbers that nobody says how to read.
    pub fn settle(&mut self, sensor: Option<&Sensor>, kind: Kind, file: Option<&Statement>) -> Result<(), String> {
        let settled = settle(&self.radiometry, sensor, kind, file)?;
        self.scale = settled.scale;
        self.offset = settled.offset;
        self.nodata = settled.nodata;
        self.decibel = settled.decibel;
        self.saturated = settled.saturated;
        Ok(())
    }
}

/// How the stored numbers of a band become physical; `file` is what the file states of itself, where it was opened.
///
/// # Errors
/// Statements that contradict each other, numbers that nobody says how to read.
pub fn settle(
    stated: &Statements,
    sensor: Option<&Sensor>,
    kind: Kind,
    file: Option<&Statement>,
) -> Result<Radiometry, String> {
    let nothing = Statement::default();
    let file = file.unwrap_or(&nothing);
    let Statements { pipeline, item, .. } = stated;
    check_types(item, file)?;
    let stated_scale = match pipeline.scale.first() {
        Some(scale) => Some(*scale),
        None => agreed("scale", &item.scale, &file.scale)?,
    };
    let data_type = file.data_type.as_deref().or(item.data_type.as_deref());
    let unit = pipeline.unit.or(item.unit);
    let is_integer = data_type.is_some_and(|stored| !is_float(stored));
    if kind == Kind::Sar && is_integer && stated_scale.is_none() && unit != Some(Unit::Decibel) {
        return Err(
            "holds raw amplitudes; expected calibrated backscatter: calibrate to sigma0 or gamma0 and terrain-correct it, or state its scale, or decibels as its unit"
                .into(),
        );
    }
    if let Some(sensor) = sensor.filter(|_| kind == Kind::Optical && pipeline.scale.is_empty()) {
        check_storage(sensor, stated_scale, file)?;
    }
    // What a sensor says of stored numbers holds only for numbers that are stored as the product's are.
    let product = sensor.filter(|sensor| sensor.may_store(data_type));
    let scale = stated_scale.or(product.map(|sensor| sensor.scale)).unwrap_or(1.0);
    let product = product.filter(|sensor| is_alike(sensor.scale, scale));
    let power = sensor.is_some_and(|sensor| sensor.decibel) || kind == Kind::Sar && unit == Some(Unit::Linear);
    Ok(Radiometry {
        scale,
        offset: offset(stated, file, &Offsets::of(product, scale))?,
        nodata: nodata(stated, sensor, data_type),
        decibel: power && unit != Some(Unit::Decibel),
        saturated: product.and_then(|sensor| sensor.saturated),
    })
}

/// Refuses scale and offset that an item states of numbers of another type than the file stores.
fn check_types(item: &Statement, file: &Statement) -> Result<(), String> {
    let (Some(said), Some(found)) = (item.data_type.as_deref(), file.data_type.as_deref()) else {
        return Ok(());
    };
    let is_stated = !(item.scale.is_empty() && item.offset.is_empty());
    if is_stated && (is_float(said) != is_float(found) || is_byte(found) && !is_byte(said)) {
        return Err(format!(
            "its item states scale and offset of {said}, and the file stores {found}: put the item right, or take its scale and offset out"
        ));
    }
    Ok(())
}

/// Refuses integers that `sensor` does not store, where no other scale than the sensor's is stated. The item's word of the type is not the last.
fn check_storage(sensor: &Sensor, scale: Option<f64>, file: &Statement) -> Result<(), String> {
    let data_type = file.data_type.as_deref();
    let is_own_scale = scale.is_none_or(|scale| is_alike(sensor.scale, scale));
    match data_type {
        Some(stored) if !is_float(stored) && !sensor.may_store(data_type) && is_own_scale => Err(format!(
            "stores {stored}, but {} comes as {}, so that its scale does not hold: state scale and offset",
            sensor.id,
            sensor.data_types.join(" or ")
        )),
        _ => Ok(()),
    }
}

/// The offsets of a product, in physical units; 0 where there is no product.
struct Offsets {
    /// That of all versions.
    own: f64,
    /// What a version brought in.
    brought_in: f64,
}

impl Offsets {
    fn of(product: Option<&Sensor>, scale: f64) -> Self {
        let rule = product.and_then(|sensor| sensor.raw_offset.as_ref());
        Self {
            own: product.map_or(0.0, |sensor| sensor.offset),
            brought_in: rule.map_or(0.0, |rule| rule.value * scale),
        }
    }

    /// Of pixels of that version.
    fn in_version(&self, version: Version) -> f64 {
        match version {
            Version::Newer | Version::LeftIn => self.own + self.brought_in,
            Version::Untold | Version::Older | Version::TakenOff => self.own,
        }
    }
}

/// The physical value of a stored 0: as the pipeline states it, else item and file, else the product.
fn offset(stated: &Statements, file: &Statement, product: &Offsets) -> Result<f64, String> {
    let Statements {
        pipeline,
        item,
        version,
    } = stated;
    // Catalogues copy the product's offset into every item, whatever its pixels hold.
    let held = |offset: &f64| match version {
        Version::Older | Version::TakenOff if is_alike(*offset, product.own + product.brought_in) => product.own,
        _ => *offset,
    };
    let offset = match (pipeline.offset.first(), pipeline.scale.first()) {
        (Some(offset), _) => *offset,
        (None, Some(_)) => 0.0,
        (None, None) => {
            let [item, file] = [item, file].map(|one| one.offset.iter().map(held).collect::<Vec<f64>>());
            agreed("offset", &item, &file)?.unwrap_or(product.in_version(*version))
        }
    };
    if *version == Version::LeftIn && product.brought_in != 0.0 && is_alike(offset, product.own) {
        return Err(format!(
            "its item states offset {offset}, and also that the product's offset of {} was not taken off: put the item right",
            product.brought_in
        ));
    }
    Ok(offset)
}

/// All stored values that mean no data, each once: as they are stated, and to `sensor`.
fn nodata(stated: &Statements, sensor: Option<&Sensor>, data_type: Option<&str>) -> Vec<f64> {
    let by_word = stated.pipeline.nodata.iter().chain(&stated.item.nodata).copied();
    let mut all = Vec::new();
    by_word
        .chain(nodata_of(sensor, data_type))
        .for_each(|value| add(&mut all, value));
    all
}

/// What means no data to `sensor` in numbers that are stored so: its value, and what tools that turn all pixels alike make of it. They take a raw
/// offset off integers that can be negative, and turn floating-point numbers into reflectance, with that offset or without.
fn nodata_of(sensor: Option<&Sensor>, data_type: Option<&str>) -> Vec<f64> {
    let Some((sensor, value)) = sensor.and_then(|sensor| Some((sensor, sensor.nodata?))) else {
        return Vec::new();
    };
    let physical = |stored: f64| stored * sensor.scale + sensor.offset;
    let taken_off = sensor.raw_offset.as_ref().map(|rule| value + rule.value);
    let mut all = vec![value];
    match data_type {
        Some(stored) if sensor.may_store(data_type) => all.extend(taken_off.filter(|_| stored.starts_with("int"))),
        None => {}
        Some(stored) if is_float(stored) => {
            all.extend(taken_off);
            all.extend([Some(value), taken_off].into_iter().flatten().map(physical));
        }
        Some(_) => return Vec::new(),
    }
    all
}

/// The one value that item and file state, if any does.
fn agreed(what: &str, item: &[f64], file: &[f64]) -> Result<Option<f64>, String> {
    let mut all = item
        .iter()
        .map(|value| ("item", *value))
        .chain(file.iter().map(|value| ("file", *value)));
    let Some((who, first)) = all.next() else {
        return Ok(None);
    };
    match all.find(|(_, other)| !is_alike(first, *other)) {
        None => Ok(Some(first)),
        Some((other, value)) if who == other => Err(format!(
            "its {who} states {what} {first} in one place and {value} in another: put it right"
        )),
        Some((other, value)) => Err(format!(
            "its {who} states {what} {first}, and the {other} itself {value}: put one of them right"
        )),
    }
}

/// Whether two numbers are one but for how they were written.
fn is_alike(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs())
}

/// Numbers of eight bits: pictures of a product that stores others.
fn is_byte(data_type: &str) -> bool {
    data_type.ends_with("int8")
}

pub(super) fn is_float(data_type: &str) -> bool {
    data_type.starts_with("float")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Sensors;

    fn stated(scale: &[f64], offset: &[f64], data_type: &str) -> Statement {
        Statement {
            scale: scale.into(),
            offset: offset.into(),
            data_type: Some(data_type.to_owned()).filter(|stored| !stored.is_empty()),
            ..Statement::default()
        }
    }

    /// `scale offset nodata [dB] [saturated]` of a band, or why there is none.
    fn told(sensor: &str, stated: &Statements, file: &Statement) -> String {
        let sensors = Sensors::embedded().unwrap();
        let sensor = sensors.get(sensor).unwrap();
        match settle(stated, Some(sensor), sensor.kind, Some(file)) {
            Ok(r) => format!(
                "{} {:.3} {:?}{}{}",
                r.scale,
                r.offset,
                r.nodata,
                if r.decibel { " dB" } else { "" },
                r.saturated.map_or(String::new(), |raw| format!(" {raw}"))
            ),
            Err(why) => why,
        }
    }

    const S2: &str = "sentinel-2-l2a";

    fn item(statement: Statement, version: Version) -> Statements {
        Statements {
            item: statement,
            version,
            ..Statements::default()
        }
    }

    fn pipeline(scale: &[f64], offset: &[f64]) -> Statements {
        Statements {
            pipeline: stated(scale, offset, ""),
            ..Statements::default()
        }
    }

    #[test]
    fn the_type_of_the_file_decides_whether_the_sensors_scale_holds() {
        let none = Statements::default();
        let file = |data_type: &str| stated(&[], &[], data_type);
        assert_eq!(told(S2, &none, &file("uint16")), "0.0001 0.000 [0.0] 65535");
        assert_eq!(told(S2, &none, &file("uint32")), "0.0001 0.000 [0.0] 65535");
        // 0 less the raw offset, and what reflectance becomes of both.
        assert_eq!(told(S2, &none, &file("int16")), "0.0001 0.000 [0.0, -1000.0] 65535");
        for float in ["float32", "float64"] {
            assert_eq!(told(S2, &none, &file(float)), "1 0.000 [0.0, -1000.0, -0.1]");
        }
        assert_eq!(told("hls-s30", &none, &file("float32")), "1 0.000 [-9999.0, -0.9999]");
        assert!(told(S2, &none, &file("uint8")).contains("stores uint8, but sentinel-2-l2a comes as uint16"));
        assert_eq!(
            told(S2, &pipeline(&[0.0001], &[]), &file("float32")),
            "0.0001 0.000 [0.0, -1000.0, -0.1]"
        );
        assert_eq!(told(S2, &pipeline(&[0.004], &[]), &file("uint8")), "0.004 0.000 []");
        assert_eq!(
            told("landsat-8-9-c2l2", &none, &file("uint16")),
            "0.0000275 -0.200 [0.0]"
        );
        assert_eq!(told("landsat-8-9-c2l2", &none, &file("float32")), "1 0.000 [0.0, -0.2]");
        assert_eq!(told("generic", &none, &file("uint8")), "1 0.000 []");
        // The item's word of the type is good until the file is seen.
        let floats = item(stated(&[], &[], "float32"), Version::Newer);
        assert_eq!(told(S2, &floats, &file("")), "1 0.000 [0.0, -1000.0, -0.1]");
        assert_eq!(told(S2, &floats, &file("uint16")), "0.0001 -0.100 [0.0] 65535");
        let integers = item(stated(&[0.0001], &[-0.1], "uint16"), Version::Newer);
        assert!(
            told(S2, &integers, &file("float32")).contains("scale and offset of uint16, and the file stores float32")
        );
        // Eight bits are pictures, also where the item states the product's scale.
        let bytes = item(stated(&[], &[], "uint8"), Version::Newer);
        assert_eq!(told(S2, &bytes, &file("uint16")), "0.0001 -0.100 [0.0] 65535");
        assert!(told(S2, &bytes, &file("uint8")).contains("stores uint8, but sentinel-2-l2a comes as uint16"));
        let refused = told("generic", &integers, &file("uint8"));
        assert!(
            refused.contains("scale and offset of uint16, and the file stores uint8"),
            "{refused}"
        );
        let untyped = item(stated(&[0.0001], &[], ""), Version::Newer);
        assert!(told(S2, &untyped, &file("uint8")).contains("its scale does not hold"));
        let own = item(stated(&[0.004], &[], "uint8"), Version::Newer);
        assert_eq!(told(S2, &own, &file("uint8")), "0.004 0.000 []");
        assert_eq!(told(S2, &own, &file("uint16")), "0.004 0.000 [0.0]");
    }

    #[test]
    fn an_offset_that_pixels_do_not_hold_is_not_taken_off() {
        let file = stated(&[], &[], "uint16");
        let offset = |offsets: &[f64], version: Version| {
            let told = told(S2, &item(stated(&[0.0001], offsets, "uint16"), version), &file);
            told.strip_prefix("0.0001 ")
                .map_or(told.clone(), |rest| rest[..6].trim().to_owned())
        };
        for (version, none, minus, zero) in [
            (Version::Untold, "0.000", "-0.100", "0.000"),
            (Version::Older, "0.000", "0.000", "0.000"),
            (Version::TakenOff, "0.000", "0.000", "0.000"),
            (Version::Newer, "-0.100", "-0.100", "0.000"),
        ] {
            assert_eq!(
                [offset(&[], version), offset(&[-0.1], version), offset(&[0.0], version)],
                [none, minus, zero],
                "{version:?}"
            );
        }
        assert_eq!(offset(&[-0.1], Version::LeftIn), "-0.100");
        assert!(offset(&[0.0], Version::LeftIn).contains("was not taken off"));
        // One that is not the product's is the item's own.
        assert_eq!(offset(&[-0.05], Version::TakenOff), "-0.050");
        // Two places, two answers: what the item says of the pixels decides, else nobody can tell.
        assert_eq!(offset(&[-0.1, 0.0], Version::TakenOff), "0.000");
        assert!(offset(&[-0.1, 0.0], Version::Untold).contains("states offset -0.1 in one place and 0 in another"));
        // So does a copy in the file.
        let copied = stated(&[0.0001], &[-0.1], "uint16");
        assert_eq!(
            told(S2, &item(stated(&[], &[], ""), Version::TakenOff), &copied),
            "0.0001 0.000 [0.0] 65535"
        );
    }

    #[test]
    fn the_files_own_tags_count_where_nobody_else_states_one() {
        let tags = stated(&[0.01], &[2.0], "int16");
        assert_eq!(told("generic", &Statements::default(), &tags), "0.01 2.000 []");
        assert_eq!(told("generic", &pipeline(&[0.5], &[]), &tags), "0.5 0.000 []");
        assert_eq!(told("generic", &pipeline(&[], &[1.0]), &tags), "0.01 1.000 []");
        let same = item(stated(&[0.01], &[], "int16"), Version::Untold);
        assert_eq!(told("generic", &same, &tags), "0.01 2.000 []");
        let other = item(stated(&[0.02], &[], "int16"), Version::Untold);
        assert!(told("generic", &other, &tags).contains("its item states scale 0.02, and the file itself 0.01"));
    }

    #[test]
    fn values_that_mean_no_data_add_up() {
        let mut all = item(stated(&[], &[], ""), Version::Untold);
        all.pipeline.nodata = vec![65535.0, f64::NAN];
        all.item.nodata = vec![f64::NAN, 0.0, -9999.0];
        assert_eq!(
            told(S2, &all, &stated(&[], &[], "uint16")),
            "0.0001 0.000 [65535.0, NaN, 0.0, -9999.0] 65535"
        );
    }

    #[test]
    fn backscatter_is_power_unless_decibels_are_stated() {
        let of = |unit: Option<Unit>, data_type: &str| {
            let mut all = Statements::default();
            all.pipeline.unit = unit;
            told("sentinel-1-rtc", &all, &stated(&[], &[], data_type))
        };
        assert_eq!(of(None, "float32"), "1 0.000 [] dB");
        assert_eq!(of(Some(Unit::Linear), "float32"), "1 0.000 [] dB");
        assert_eq!(of(Some(Unit::Decibel), "float32"), "1 0.000 []");
        assert!(of(None, "uint16").contains("raw amplitudes"));
        assert_eq!(of(Some(Unit::Decibel), "int16"), "1 0.000 []");
    }
}
