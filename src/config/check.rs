//! Values of a pipeline file that cannot be used, each with its key: numbers out of the range that stands beside their parameter, words that nothing
//! is called by, and keys that need another.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::config::{ComputeParams, Config, instant, schema};
use crate::fault::{did_you_mean, nearest};
use crate::io::formats::{ON_REQUEST, on_request};
use crate::raster::flags;
use crate::scene::Which;
use crate::stage::detect::Detector;
use crate::stage::profile::Profiles;

/// A key, and what is wrong with its value.
pub type Wrong = (String, String);

/// All that is wrong with `config`.
pub fn faults(config: &Config) -> Vec<Wrong> {
    let mut faults = out_of_range(config, "");
    for rule in [words, numbers_together, days, inputs] {
        faults.extend(rule(config).into_iter().map(|(key, message)| (key.to_owned(), message)));
    }
    faults
}

impl ComputeParams {
    /// Every value that is out of its range, with its key.
    pub fn out_of_range(&self) -> Vec<Wrong> {
        out_of_range(self, "compute")
    }
}

/// Every number of `params`, the table `at`, that is out of the range of its parameter.
fn out_of_range<T: Serialize + JsonSchema>(params: &T, at: &str) -> Vec<Wrong> {
    let root = schemars::schema_for!(T).to_value();
    let mut faults = Vec::new();
    match toml::Table::try_from(params) {
        Ok(table) => outside(&table, &root, &root, at, &mut faults),
        // The command line takes integers that no pipeline file can hold.
        Err(error) => faults.push((
            at.to_owned(),
            format!("expected numbers that a pipeline file can hold: {error}"),
        )),
    }
    faults
}

fn outside(table: &toml::Table, of_table: &Value, root: &Value, at: &str, faults: &mut Vec<Wrong>) {
    for (name, value) in table {
        let (key, property) = (schema::join(at, name), &of_table["properties"][name]);
        let number = match value {
            toml::Value::Table(inner) => {
                outside(inner, &schema::resolved(property, root), root, &key, faults);
                continue;
            }
            toml::Value::Integer(number) => *number as f64,
            toml::Value::Float(number) => *number,
            _ => continue,
        };
        let [low, high] = ["minimum", "maximum"].map(|end| property[end].as_f64());
        let (Some(low), Some(high)) = (low, high) else {
            continue;
        };
        if !(low..=high).contains(&number) {
            let unit = property["unit"]
                .as_str()
                .map(|unit| format!(" {unit}"))
                .unwrap_or_default();
            faults.push((key, format!("expected {low} to {high}{unit}, found {number}")));
        }
    }
}

/// Names that nothing has.
fn words(config: &Config) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    for name in &config.screen.exclude {
        if flags::by_name(name).is_none() {
            let known = nearest(name, flags::REASONS.iter().map(|(_, name)| *name));
            faults.push((
                "screen.exclude",
                format!("'{name}' is no reason{}", did_you_mean(known)),
            ));
        }
    }
    for name in config.inputs.formats.iter().filter(|name| on_request(name).is_none()) {
        let known: Vec<&str> = ON_REQUEST.iter().map(|format| format.name()).collect();
        faults.push((
            "inputs.formats",
            format!(
                "'{name}' is no format that can be asked for ({}){}",
                known.join(", "),
                did_you_mean(nearest(name, known.iter().copied()))
            ),
        ));
    }
    let crs = &config.grid.crs;
    let is_code = |crs: &str| {
        crs.strip_prefix("EPSG:")
            .is_some_and(|code| code.parse::<u32>().is_ok())
    };
    if crs != "utm" && !is_code(crs) {
        faults.push(("grid.crs", format!("expected \"utm\" or \"EPSG:n\", found \"{crs}\"")));
    }
    let combines = config.detect.detector == Detector::Combine;
    if combines && (config.detect.combine.is_empty() || config.detect.combine.contains(&Detector::Combine)) {
        faults.push((
            "detect.combine",
            "expected the detectors that \"combine\" joins, such as [\"difference\", \"irmad\"]".into(),
        ));
    }
    faults
}

/// Numbers that are in their range and cannot be.
fn numbers_together(config: &Config) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let window_px = config.coregister.window_px;
    if !window_px.is_power_of_two() {
        faults.push((
            "coregister.window_px",
            format!("expected a power of two, found {window_px}"),
        ));
    }
    let Profiles {
        optical_pair,
        radar_pair,
        optical_series,
        radar_series,
    } = &config.profile;
    let profiles = [optical_pair, radar_pair, optical_series, radar_series];
    let seeds = profiles.map(|profile| config.cutoff.seed_fdr.unwrap_or(profile.seed_fdr));
    let seed = seeds.into_iter().fold(0.0, f64::max);
    if let Some(grow) = config.cutoff.grow_fdr.filter(|grow| *grow < seed) {
        faults.push((
            "cutoff.grow_fdr",
            format!("expected the seed_fdr that it goes with, {seed}, or more, found {grow}"),
        ));
    }
    faults
}

/// Texts that are no days, and a period that is missing.
fn days(config: &Config) -> Vec<(&'static str, String)> {
    let compare = &config.compare;
    let period = compare.period.iter().flatten().map(|day| ("compare.period", day));
    let from = compare.from.iter().map(|day| ("compare.from", day));
    let to = compare.to.iter().map(|day| ("compare.to", day));
    let no_day = |(key, day): (&'static str, &String)| {
        let error = instant(day).err()?;
        let message = format!("expected a day such as \"2020-01-31\", found \"{day}\" ({error})");
        Some((key, message))
    };
    let mut faults: Vec<_> = period.chain(from).chain(to).filter_map(no_day).collect();
    if compare.which == Which::NewestAgainstPeriod && compare.period.is_none() {
        faults.push((
            "compare.which",
            "\"newest-against-period\" needs compare.period = [first day, last day]".into(),
        ));
    }
    faults
}

/// Inputs that are missing, or not said how to read.
fn inputs(config: &Config) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    if config.inputs.declarations.is_empty() {
        faults.push(("inputs.declarations", "expected at least one GeoJSON file".into()));
    }
    if config.inputs.stac.is_empty() && config.inputs.folder.is_empty() {
        faults.push((
            "inputs.stac",
            "expected scenes: inputs.stac or [[inputs.folder]]".into(),
        ));
    }
    for folder in &config.inputs.folder {
        if folder.date_pattern.is_some() == folder.date_tag.is_some() {
            faults.push((
                "inputs.folder",
                format!("{}: expected date_pattern or date_tag, one of them", folder.glob),
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DEFAULTS;

    fn wrong(change: impl Fn(&mut Config)) -> Vec<Wrong> {
        let mut config: Config = toml::from_str(DEFAULTS).unwrap();
        config.inputs.declarations = vec!["d.geojson".into()];
        config.inputs.stac = vec!["items.json".into()];
        change(&mut config);
        faults(&config)
    }

    fn told(change: impl Fn(&mut Config)) -> String {
        let [(key, message)] = &wrong(change)[..] else { panic!() };
        format!("{key}: {message}")
    }

    #[test]
    fn the_defaults_are_in_range_and_what_is_not_is_told_with_key_and_unit() {
        assert_eq!(wrong(|_| ()), []);
        assert_eq!(
            told(|config| config.grid.pixel_m = Some(0.0)),
            "grid.pixel_m: expected 0.01 to 10000 metres, found 0"
        );
        assert_eq!(
            told(|config| config.detect.omnibus.window_px = 51),
            "detect.omnibus.window_px: expected 1 to 21 pixels, found 51"
        );
        assert_eq!(
            told(|config| config.judge.min_observed_fraction = f64::NAN),
            "judge.min_observed_fraction: expected 0 to 1, found NaN"
        );
        assert_eq!(
            told(|config| config.normalise.min_pixels = 5),
            "normalise.min_pixels: expected 10 to 1000000000 pixels, found 5"
        );
        assert_eq!(
            told(|config| config.cutoff.max_expected_false_anomalies = Some(f64::INFINITY)),
            "cutoff.max_expected_false_anomalies: expected 0.000000001 to 1000000000 anomalies, found inf"
        );
    }

    #[test]
    fn a_number_that_is_too_large_to_be_looked_at_is_refused() {
        let most = |config: &mut Config| config.compute.memory_mib = u64::MAX;
        assert!(
            wrong(most)[0]
                .1
                .contains("expected numbers that a pipeline file can hold")
        );
    }

    #[test]
    fn numbers_are_held_against_each_other() {
        assert_eq!(
            told(|config| config.coregister.window_px = 96),
            "coregister.window_px: expected a power of two, found 96"
        );
        let rates = told(|config| (config.cutoff.seed_fdr, config.cutoff.grow_fdr) = (Some(0.3), Some(0.2)));
        assert_eq!(
            rates,
            "cutoff.grow_fdr: expected the seed_fdr that it goes with, 0.3, or more, found 0.2"
        );
        let of_profile = told(|config| config.cutoff.grow_fdr = Some(0.005));
        assert!(
            of_profile.contains("the seed_fdr that it goes with, 0.01, or more"),
            "{of_profile}"
        );
    }
}
