//! Reading a pipeline file: laid over the defaults, and every fault told with its line.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::config::{Config, DEFAULTS, check, names, schema};
use crate::fault::{Fault, did_you_mean, nearest};
use crate::intake;

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
        let root = schemars::schema_for!(Config).to_value();
        let mut faults = Vec::new();
        unknown_keys(text, document.get_ref(), &root, &root, "", &mut faults);
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
        let faults: Vec<Fault> = check::faults(&config)
            .into_iter()
            .map(|(key, message)| Fault::new(place_of(text, document.get_ref(), &key), format!("{key}: {message}")))
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

/// Every key of `table` that `of_table`, its schema in `root`, does not have, with its line and the nearest key that there is.
fn unknown_keys(
    text: &str,
    table: &DeTable<'_>,
    of_table: &serde_json::Value,
    root: &serde_json::Value,
    prefix: &str,
    faults: &mut Vec<Fault>,
) {
    let Some(properties) = of_table["properties"].as_object() else {
        return;
    };
    for (name, value) in table.iter() {
        let key: &str = name.get_ref();
        let path = schema::join(prefix, key);
        let Some(property) = properties.get(key) else {
            let known = nearest(key, properties.keys().map(String::as_str));
            faults.push(Fault::new(
                line_of(text, name.span().start),
                format!("unknown key '{path}'{}", did_you_mean(known)),
            ));
            continue;
        };
        match value.get_ref() {
            DeValue::Table(inner) => unknown_keys(text, inner, &schema::resolved(property, root), root, &path, faults),
            DeValue::Array(items) => {
                let of_item = schema::resolved(&property["items"], root);
                for item in items.iter() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        unknown_keys(text, inner, &of_item, root, &path, faults);
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
    use crate::scene::Which;

    const SMALLEST: &str = "[inputs]\ndeclarations = ['d.geojson']\nstac = ['items.json']\n";

    #[test]
    fn the_defaults_are_a_whole_pipeline_but_for_its_inputs() {
        let faults = Config::parse("").unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        let config = Config::parse(SMALLEST).unwrap();
        assert_eq!(config.compare.which, Which::NewestAgainstPrevious);
    }

    #[test]
    fn every_unknown_key_is_told_with_its_line_and_its_neighbour() {
        let faults = Config::parse(&format!(
            "{SMALLEST}[grid]\npixel = 10\n[cutof]\n[[inputs.folder]]\nglobb = 'x'\n"
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
        let told = |text: &str| Config::parse(&format!("{SMALLEST}{text}")).unwrap_err()[0].to_string();
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
        let formats = Config::parse(&format!("{SMALLEST}formats = ['HFAA']\n")).unwrap_err()[0].to_string();
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
