//! Reading a pipeline file: laid over the defaults, and every fault told with its line.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::config::names;
use crate::config::{ComputeParams, Config, DEFAULTS, Which, instant};
use crate::fault::{Fault, did_you_mean, nearest};
use crate::intake;
use crate::io::formats::{ON_REQUEST, on_request};
use crate::raster::flags;
use crate::stage::detect::Detector;

impl Config {
    /// The pipeline file at `path` over the defaults, its paths made absolute to its folder.
    ///
    /// # Errors
    /// Every fault of the file, each with its line.
    pub fn read(path: &Path) -> Result<Self, Vec<Fault>> {
        let read = intake::text(path, intake::MAX_TOML_BYTES).map_err(|error| {
            vec![Fault::new(
                "",
                format!("cannot read the pipeline file: {}", error.problem),
            )]
        })?;
        let mut config = Self::parse(&read.text)?;
        let folder = names::folder_of(path);
        config.inputs.change_paths(|input| names::resolved(&folder, input));
        config.folder = folder;
        Ok(config)
    }

    /// `text` over the defaults; paths stay as they are.
    ///
    /// # Errors
    /// Every fault of the text, each with its line.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let document = DeTable::parse(text).map_err(|error| vec![Fault::of_toml(text, &error)])?;
        let schema = schemars::schema_for!(Config).to_value();
        let mut faults = Vec::new();
        unknown_keys(text, document.get_ref(), &schema, &schema, "", &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let user: toml::Table = toml::from_str(text).map_err(|error| vec![Fault::of_toml(text, &error)])?;
        let mut merged: toml::Table =
            toml::from_str(DEFAULTS).map_err(|error| vec![Fault::of_toml(DEFAULTS, &error)])?;
        overlay(&mut merged, user);
        let mut config: Self = merged.try_into().map_err(|error: toml::de::Error| {
            let message = error.to_string();
            let key = message.split('`').nth_back(1).unwrap_or_default().to_owned();
            vec![Fault::new(
                place_of(text, document.get_ref(), &key),
                message.replace('\n', " ").trim().to_owned(),
            )]
        })?;
        config.grid.crs = match config.grid.crs.to_ascii_uppercase() {
            upper if upper == "UTM" => "utm".into(),
            upper if upper.starts_with("EPSG:") => upper,
            _ => config.grid.crs,
        };
        let faults: Vec<Fault> = out_of_range(&config)
            .into_iter()
            .map(|(key, message)| Fault::new(place_of(text, document.get_ref(), key), format!("{key}: {message}")))
            .collect();
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }
}

fn overlay(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => overlay(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Every value that is out of its range, with its key.
fn out_of_range(config: &Config) -> Vec<(&'static str, String)> {
    let mut faults: Vec<(&'static str, String)> = Vec::new();
    let mut range = |key, value: f64, low: f64, high: f64, unit: &str| {
        faults.extend(outside(key, value, low, high, unit));
    };
    range(
        "compare.max_cloud_fraction",
        config.compare.max_cloud_fraction,
        0.0,
        1.0,
        "",
    );
    range(
        "compare.max_season_distance_days",
        config.compare.max_season_distance_days.unwrap_or(0.0),
        0.0,
        183.0,
        "days",
    );
    range(
        "grid.pixel_m",
        config.grid.pixel_m.unwrap_or(1.0),
        0.01,
        10_000.0,
        "metres",
    );
    range("grid.margin_m", config.grid.margin_m, 0.0, 100_000.0, "metres");
    range(
        "screen.cloud_buffer_m",
        config.screen.cloud_buffer_m,
        0.0,
        10_000.0,
        "metres",
    );
    range("normalise.keep_fraction", config.normalise.keep_fraction, 0.05, 1.0, "");
    range(
        "normalise.max_iterations",
        config.normalise.max_iterations as f64,
        1.0,
        100.0,
        "",
    );
    range(
        "normalise.min_pixels",
        config.normalise.min_pixels as f64,
        10.0,
        1e9,
        "pixels",
    );
    // Surveys read 20 px around a cell (`detect::WIDEST_HALO`): no window may look further.
    range("detect.smooth_px", config.detect.smooth_px, 0.0, 5.0, "pixels");
    for (key, value, most) in [
        ("detect.logratio.window_px", config.detect.logratio.window_px, 21),
        ("detect.logratio.evidence_px", config.detect.logratio.evidence_px, 19),
        ("detect.omnibus.window_px", config.detect.omnibus.window_px, 21),
        ("detect.omnibus.evidence_px", config.detect.omnibus.evidence_px, 19),
        ("detect.history.window_px", config.detect.history.window_px, 21),
    ] {
        range(key, value as f64, 1.0, f64::from(most), "pixels");
    }
    range(
        "detect.regression.hidden",
        config.detect.regression.hidden as f64,
        0.0,
        256.0,
        "units",
    );
    range(
        "detect.misregistration_px",
        config.detect.misregistration_px,
        0.0,
        10.0,
        "pixels",
    );
    let seed_fdr = config.cutoff.seed_fdr.unwrap_or(0.01);
    range("cutoff.seed_fdr", seed_fdr, 1e-9, 0.5, "");
    range(
        "cutoff.grow_fdr",
        config.cutoff.grow_fdr.unwrap_or(0.5),
        seed_fdr.min(0.5),
        0.5,
        "",
    );
    range("cutoff.fixed_sigma", config.cutoff.fixed_sigma, 0.1, 300.0, "sigma");
    range(
        "cutoff.object_fdr",
        config.cutoff.object_fdr.unwrap_or(1.0),
        1e-9,
        1.0,
        "",
    );
    let budget = config.cutoff.max_expected_false_anomalies.unwrap_or(1.0);
    range("cutoff.max_expected_false_anomalies", budget, 1e-9, 1e9, "anomalies");
    range("detect.radar_weight", config.detect.radar_weight, 0.0, 1.0, "");
    range("detect.irmad.ridge", config.detect.irmad.ridge, 0.0, 0.999, "");
    range(
        "coregister.window_px",
        config.coregister.window_px as f64,
        32.0,
        1024.0,
        "pixels",
    );
    range(
        "coregister.max_shift_px",
        config.coregister.max_shift_px as f64,
        1.0,
        256.0,
        "pixels",
    );
    range(
        "regions.min_area_m2",
        config.regions.min_area_m2,
        0.0,
        1e12,
        "square metres",
    );
    range(
        "judge.min_observed_fraction",
        config.judge.min_observed_fraction,
        0.0,
        1.0,
        "",
    );
    range(
        "judge.max_outside_fraction",
        config.judge.max_outside_fraction,
        0.0,
        1.0,
        "",
    );
    range(
        "judge.max_unobserved_edge",
        config.judge.max_unobserved_edge,
        0.0,
        1.0,
        "",
    );
    range(
        "judge.min_seen_m2",
        config.judge.min_seen_m2,
        0.0,
        1e12,
        "square metres",
    );
    range(
        "sensitivity.injections",
        config.sensitivity.injections as f64,
        100.0,
        100_000.0,
        "changes",
    );
    range("report.max_shown", config.report.max_shown as f64, 0.0, 10_000.0, "");
    range(
        "report.overview_px",
        config.report.overview_px as f64,
        16.0,
        8_000.0,
        "pixels",
    );
    range(
        "compute.tile_px",
        config.compute.tile_px as f64,
        16.0,
        8_192.0,
        "pixels",
    );
    faults.extend(config.compute.share_out_of_range());
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
    if !config.coregister.window_px.is_power_of_two() {
        faults.push((
            "coregister.window_px",
            format!("expected a power of two, found {}", config.coregister.window_px),
        ));
    }
    let combines = config.detect.detector == Detector::Combine;
    if combines && (config.detect.combine.is_empty() || config.detect.combine.contains(&Detector::Combine)) {
        faults.push((
            "detect.combine",
            "expected the detectors that \"combine\" joins, such as [\"difference\", \"irmad\"]".into(),
        ));
    }
    if config.grid.crs != "utm"
        && config
            .grid
            .crs
            .strip_prefix("EPSG:")
            .is_none_or(|code| code.parse::<u32>().is_err())
    {
        faults.push((
            "grid.crs",
            format!("expected \"utm\" or \"EPSG:n\", found \"{}\"", config.grid.crs),
        ));
    }
    let days = config
        .compare
        .period
        .iter()
        .flatten()
        .map(|day| ("compare.period", day));
    let ends = config
        .compare
        .from
        .iter()
        .map(|day| ("compare.from", day))
        .chain(config.compare.to.iter().map(|day| ("compare.to", day)));
    for (key, day) in days.chain(ends) {
        if let Err(error) = instant(day) {
            faults.push((
                key,
                format!("expected a day such as \"2020-01-31\", found \"{day}\" ({error})"),
            ));
        }
    }
    if config.compare.which == Which::NewestAgainstPeriod && config.compare.period.is_none() {
        faults.push((
            "compare.which",
            "\"newest-against-period\" needs compare.period = [first day, last day]".into(),
        ));
    }
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

/// What is wrong with the value of `key`, if it lies outside of `low` to `high`.
fn outside(key: &'static str, value: f64, low: f64, high: f64, unit: &str) -> Option<(&'static str, String)> {
    let message = || format!("expected {low} to {high} {unit}, found {value}").replace(" ,", ",");
    (!(low..=high).contains(&value)).then(|| (key, message()))
}

impl ComputeParams {
    /// Of threads and memory, which the command line sets too, every value that is out of its range, with its key.
    pub fn share_out_of_range(&self) -> Vec<(&'static str, String)> {
        let threads = outside("compute.threads", self.threads as f64, 0.0, 1024.0, "");
        let memory = outside("compute.memory_mib", self.memory_mib as f64, 128.0, 1e7, "MiB");
        threads.into_iter().chain(memory).collect()
    }
}

fn line_of(text: &str, offset: usize) -> String {
    format!(
        "line {}",
        text.as_bytes()[..offset.min(text.len())]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1
    )
}

/// The line of the key `path` (`grid.pixel_m`); of its table where it is absent; nothing where that is absent too.
fn place_of(text: &str, document: &DeTable<'_>, path: &str) -> String {
    let (mut table, mut place) = (document, String::new());
    for key in path.split('.') {
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == key) else {
            break;
        };
        place = line_of(text, name.span().start);
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    place
}

/// Every key of `table` that `schema` does not have, with its line and the nearest key that there is.
fn unknown_keys(
    text: &str,
    table: &DeTable<'_>,
    schema: &serde_json::Value,
    root: &serde_json::Value,
    prefix: &str,
    faults: &mut Vec<Fault>,
) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    for (name, value) in table.iter() {
        let key: &str = name.get_ref();
        let path = if prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{prefix}.{key}")
        };
        let Some(property) = properties.get(key) else {
            let known = nearest(key, properties.keys().map(String::as_str));
            faults.push(Fault::new(
                line_of(text, name.span().start),
                format!("unknown key '{path}'{}", did_you_mean(known)),
            ));
            continue;
        };
        let resolved = |schema: &serde_json::Value| match schema["$ref"].as_str() {
            Some(pointer) => root
                .pointer(pointer.trim_start_matches('#'))
                .cloned()
                .unwrap_or_default(),
            None => schema.clone(),
        };
        match value.get_ref() {
            DeValue::Table(inner) => unknown_keys(text, inner, &resolved(property), root, &path, faults),
            DeValue::Array(items) => {
                let schema = resolved(&property["items"]);
                for item in items.iter() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        unknown_keys(text, inner, &schema, root, &path, faults);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[inputs]\ndeclarations = ['d.geojson']\nstac = ['items.json']\n";

    #[test]
    fn the_defaults_are_a_whole_pipeline_but_for_its_inputs() {
        let faults = Config::parse("").unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        let config = Config::parse(LEAST).unwrap();
        assert_eq!(config.compare.which, Which::NewestAgainstPrevious);
    }

    #[test]
    fn every_unknown_key_is_told_with_its_line_and_its_neighbour() {
        let faults = Config::parse(&format!(
            "{LEAST}[grid]\npixel = 10\n[cutof]\n[[inputs.folder]]\nglobb = 'x'\n"
        ))
        .unwrap_err();
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(
            told.contains(&"line 5: unknown key 'grid.pixel'; did you mean 'pixel_m'?".to_owned()),
            "{told:?}"
        );
        assert!(
            told.contains(&"line 6: unknown key 'cutof'; did you mean 'cutoff'?".to_owned()),
            "{told:?}"
        );
        assert!(
            told.contains(&"line 8: unknown key 'inputs.folder.globb'; did you mean 'glob'?".to_owned()),
            "{told:?}"
        );
    }

    #[test]
    fn wrong_types_and_ranges_have_their_line() {
        let told = |text: &str| Config::parse(&format!("{LEAST}{text}")).unwrap_err()[0].to_string();
        assert!(
            told("[grid]\npixel_m = 'ten'\n").starts_with("line 5:"),
            "{}",
            told("[grid]\npixel_m = 'ten'\n")
        );
        assert!(told("[cutoff]\nseed_fdr = 2.0\n").starts_with("line 5: cutoff.seed_fdr: expected"));
        assert!(told("[detect]\nsmooth_px = 10.0\n").starts_with("line 5: detect.smooth_px: expected"));
        assert!(told("[detect.omnibus]\nwindow_px = 51\n").starts_with("line 5: detect.omnibus.window_px: expected"));
        assert!(told("[detect.regression]\nhidden = 5000000\n").contains("detect.regression.hidden: expected"));
        assert!(told("[grid\n").starts_with("line 4, column "));
        assert!(told("[screen]\nexclude = ['clouds']\n").contains("did you mean 'cloud'?"));
        let formats = Config::parse(&format!("{LEAST}formats = ['HFAA']\n")).unwrap_err()[0].to_string();
        assert!(
            formats.starts_with("line 4: inputs.formats: 'HFAA'") && formats.contains("did you mean 'HFA'?"),
            "{formats}"
        );
        assert!(told("[compare]\nwhich = 'newest-against-period'\n").contains("needs compare.period"));
    }

    #[test]
    fn every_key_of_the_defaults_is_documented_and_every_key_is_in_the_defaults() {
        // A key without a default stands in the file as a comment: `# key = `.
        fn keys(schema: &serde_json::Value, root: &serde_json::Value, found: &mut Vec<String>) {
            for (key, property) in schema["properties"].as_object().into_iter().flatten() {
                found.push(key.clone());
                let pointer = property["$ref"].as_str().or(property["items"]["$ref"].as_str());
                if let Some(inner) = pointer.and_then(|p| root.pointer(p.trim_start_matches('#'))) {
                    keys(inner, root, found);
                }
            }
        }
        let schema = schemars::schema_for!(Config).to_value();
        let mut found = Vec::new();
        keys(&schema, &schema, &mut found);
        for key in found {
            let there = DEFAULTS.lines().any(|line| {
                let line = line.trim_start_matches("# ");
                line.starts_with(&format!("{key} = "))
                    || line.contains(&format!("[{key}]"))
                    || line.contains(&format!("[{key}."))
                    || line.contains(&format!(".{key}]"))
            });
            assert!(there, "{key} is not in pipelines/default.toml");
        }
    }
}
