//! Where a report comes from: the hash of every input, the parameters in force, and the key of it all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::config::Config;
use crate::config::names;
use crate::engine::driver::{Stopped, in_order};
use crate::engine::events::{Event, Observer};
use crate::engine::record;
use crate::finding::Input;
use crate::io::IoError;
use crate::plan::inputs::Inputs;
use crate::plan::pairs::Pair;
use crate::plan::{SitePlan, site_files};
use crate::run::error::SiteError;
use crate::seal::digest::{self, Digest};
use crate::seal::stamp::Stamp;

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

/// A file that went in.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its name in the record.
    name: String,
    digest: Digest,
}

/// The files that sites read.
pub type Digests = BTreeMap<PathBuf, Known>;

/// Adds to `digests` every file that any site reads and that is not among them, hashed before any of them is decoded; those that cannot
/// be read, or are not what is stated of them, with the reason. The record names them from `folder`, that of the pipeline file.
///
/// # Errors
/// The run was stopped.
pub fn hash(
    folder: &Path,
    plans: &[Result<SitePlan, IoError>],
    inputs: &Inputs,
    digests: &mut Digests,
    stop: &AtomicBool,
    observer: &dyn Observer,
) -> Result<BTreeMap<PathBuf, String>, Stopped> {
    let mut paths: Vec<PathBuf> = plans
        .iter()
        .flatten()
        .flat_map(|plan| site_files(plan, inputs))
        .filter(|path| !digests.contains_key(path))
        .collect();
    paths.sort();
    paths.dedup();
    let known = |path: &Path, digest: Digest| Known {
        name: names::recorded(path, folder),
        digest,
    };
    // Of texts, the bytes that were read are hashed already.
    digests.extend(
        inputs
            .texts
            .iter()
            .map(|(path, digest)| (path.clone(), known(path, digest.clone()))),
    );
    paths.retain(|path| !digests.contains_key(path));
    let mut failed = BTreeMap::new();
    in_order(
        &paths,
        stop,
        |path| {
            observer.see(&Event::Hashing {
                path: &path.display().to_string(),
            });
            (path.clone(), hashed(path, inputs))
        },
        |(path, digest)| {
            match digest {
                Ok(digest) => drop(digests.insert(path.clone(), known(&path, digest))),
                Err(reason) => drop(failed.insert(path, reason)),
            }
            Ok::<(), Stopped>(())
        },
    )?;
    Ok(failed)
}

/// The digest of the raster at `path`, which is what its header was read from and what is stated of it.
fn hashed(path: &Path, inputs: &Inputs) -> Result<Digest, String> {
    let digest = digest::file(path).map_err(|error| format!("reading {}: {error}", path.display()))?;
    if Stamp::of(path).ok().as_ref() != inputs.stamps.get(path) {
        return Err(SiteError::Moved(path.to_owned()).to_string());
    }
    inputs.stated.check(path, &digest)?;
    Ok(digest)
}

/// That nothing that the site of `plan` reads is another file than the one that was hashed.
///
/// # Errors
/// The first file that is.
pub fn check_unmoved(plan: &SitePlan, inputs: &Inputs, digests: &Digests) -> Result<(), SiteError> {
    for path in site_files(plan, inputs) {
        let Some(stamp) = inputs.stamps.get(&path) else {
            continue;
        };
        let is_same = || digest::file(&path).ok().as_ref() == digests.get(&path).map(|known| &known.digest);
        if Stamp::of(&path).ok() != Some(*stamp) && !is_same() {
            return Err(SiteError::Moved(path));
        }
    }
    Ok(())
}

/// Where the report of `plan`'s site comes from.
pub fn provenance(config: &Config, plan: &SitePlan, inputs: &Inputs, digests: &Digests) -> Provenance {
    let mut paths = site_files(plan, inputs);
    paths.extend(config.inputs.declarations.iter().chain(&config.inputs.sensors).cloned());
    paths.extend(inputs.stated.sources(&paths));
    let mut files: Vec<Input> = paths
        .iter()
        .filter_map(|path| {
            let Known { name, digest } = digests.get(path)?.clone();
            Some(Input {
                path: name,
                sha256: digest.sha256,
                bytes: digest.bytes,
            })
        })
        .collect();
    files.sort();
    files.dedup();
    let parameters = parameters(config);
    let ids = |pair: &Pair| -> Vec<String> { pair.scenes().into_iter().map(|scene| scene.id.clone()).collect() };
    let pairs: Vec<_> = plan
        .pairs
        .iter()
        .flat_map(|pair| std::iter::once(pair).chain(&pair.companions))
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

/// The parameters that decide a result: all but threads and memory, with paths as they are named in the record.
fn parameters(config: &Config) -> serde_json::Value {
    let mut plain = config.clone();
    plain
        .inputs
        .change_paths(|path| names::recorded(path, &config.folder).into());
    // As a pipeline file would say it: what is not set is absent.
    let mut table = toml::Table::try_from(&plain).unwrap_or_default();
    table.remove("compute");
    serde_json::to_value(table).unwrap_or_default()
}
