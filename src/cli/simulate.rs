//! `sitewatch simulate`.

use std::path::Path;

use super::confine::{confine, made};
use super::exit;
use super::output::{print, tell, tell_faults};
use crate::engine::driver::on_threads;
use crate::fault::Fault;
use crate::intake;
use crate::lab::simulate;
use crate::plan::inputs::in_file;

pub fn simulate(recipe: &Path, out: &Path) -> u8 {
    let read = match intake::text(recipe, intake::MAX_TOML_BYTES) {
        Ok(read) => read,
        Err(error) => {
            tell(&format!("error: the recipe: {error}"));
            return exit::USAGE;
        }
    };
    let recipe = match simulate::parse(&read.text) {
        Ok(parsed) => parsed,
        Err(faults) => {
            let named: Vec<Fault> = faults.into_iter().map(|fault| in_file(recipe, fault)).collect();
            tell_faults(&named);
            return exit::USAGE;
        }
    };
    match made(out) {
        Ok(out) => confine(&[out]),
        Err(code) => return code,
    }
    match on_threads(0, || simulate::simulate(&recipe, out)) {
        Ok(Ok(made)) => {
            made.files.iter().for_each(|path| print(&path.display().to_string()));
            exit::DONE
        }
        Ok(Err(error)) => {
            tell(&format!("error: {error}"));
            exit::PARTLY
        }
        Err(error) => {
            tell(&format!("error: starting threads: {error}"));
            exit::INTERNAL
        }
    }
}
