//! Where a report comes from: the hash of every input, the parameters in force, and the key of it all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::config::Config;
use super::driver::{Stopped, in_order};
use super::events::{Event, Observer};
use super::inputs::Inputs;
use super::pairs::Pair;
use super::plan::{SitePlan, site_files};
use super::record;
use crate::finding::Input;
use crate::io::IoError;
use crate::seal::digest;

/// What goes into the record beside what is found.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// Hash of everything that decides the result.
    pub run_key: String,
    /// Files that went in.
    pub inputs: Vec<Input>,
    /// Parameters in force.
    pub parameters: serde_json::Value,
}

/// A file that cannot be hashed.
#[derive(Debug, thiserror::Error)]
#[error("hashing {}: {source}", path.display())]
pub struct HashError {
    /// Which.
    path: PathBuf,
    /// What the system said.
    source: std::io::Error,
}

/// SHA-256 and bytes of files.
pub type Digests = BTreeMap<PathBuf, digest::Digest>;

/// SHA-256 of every file that any site reads, each once, before any of them is decoded.
///
/// # Errors
/// A file that cannot be read; the run was stopped.
pub fn hash<E: From<HashError> + From<Stopped> + Send>(
    config: &Config,
    plans: &[Result<SitePlan, IoError>],
    inputs: &Inputs,
    stop: &AtomicBool,
    observer: &dyn Observer,
) -> Result<Digests, E> {
    let mut paths: Vec<PathBuf> = plans
        .iter()
        .flatten()
        .flat_map(|plan| site_files(plan, inputs))
        .collect();
    paths.extend(config.inputs.declarations.iter().chain(&config.inputs.sensors).cloned());
    paths.sort();
    paths.dedup();
    let mut digests = Digests::new();
    in_order(
        &paths,
        stop,
        |path| {
            observer.see(&Event::Hashing {
                path: &path.display().to_string(),
            });
            (path.clone(), digest::file(path))
        },
        |(path, digest)| match digest {
            Ok(digest) => {
                digests.insert(path, digest);
                Ok::<(), E>(())
            }
            Err(source) => Err(E::from(HashError { path, source })),
        },
    )?;
    Ok(digests)
}

/// Where the report of `plan`'s site comes from; paths are told from `folder`, that of the pipeline file.
pub fn provenance(config: &Config, folder: &Path, plan: &SitePlan, inputs: &Inputs, digests: &Digests) -> Provenance {
    let mut paths = site_files(plan, inputs);
    paths.extend(config.inputs.declarations.iter().chain(&config.inputs.sensors).cloned());
    let mut files: Vec<Input> = paths
        .iter()
        .filter_map(|path| {
            let digest::Digest { sha256, bytes } = digests.get(path)?.clone();
            Some(Input {
                path: record::relative(path, folder),
                sha256,
                bytes,
            })
        })
        .collect();
    files.sort();
    files.dedup();
    let parameters = parameters(config, folder);
    let ids = |pair: &Pair| -> Vec<&String> {
        pair.scenes()
            .into_iter()
            .map(|index| &inputs.scenes[index].id)
            .collect()
    };
    let pairs: Vec<_> = plan
        .pairs
        .iter()
        .flat_map(|pair| std::iter::once(pair).chain(&pair.beside))
        .map(|pair| (ids(pair), &pair.bands))
        .collect();
    let decides = serde_json::json!({
        "program": record::program(),
        "site": plan.site.id,
        "inputs": files,
        "parameters": parameters,
        "pairs": pairs,
        "refused": plan.refused,
        "most_false": plan.most_false,
    });
    Provenance {
        run_key: digest::bytes(decides.to_string().as_bytes()),
        inputs: files,
        parameters,
    }
}

/// The parameters that decide a result: all but threads and memory, with paths told from the pipeline file.
fn parameters(config: &Config, folder: &Path) -> serde_json::Value {
    let mut plain = config.clone();
    plain.inputs.change_paths(|path| record::relative(path, folder).into());
    // As a pipeline file would say it: what is not set is absent.
    let mut table = toml::Table::try_from(&plain).unwrap_or_default();
    table.remove("compute");
    serde_json::to_value(table).unwrap_or_default()
}
