//! The plan of a site, decided without reading a pixel: scenes used and refused, comparisons, ground.

use std::path::PathBuf;

use crate::config::Config;
use crate::declaration::Site;
use crate::finding::RefusedScene;
use crate::io::IoError;
use crate::plan::ground::{Ground, ground};
use crate::plan::ground_shown::{area_m2, candidates, rasters};
use crate::plan::inputs::{Inputs, files};
use crate::plan::pairs::{Pair, pairs};
use crate::plan::place::joined_at_the_antimeridian;
use crate::plan::site_grid::Unplaced;

/// The plan of one site.
#[derive(Debug, Clone)]
pub struct SitePlan {
    /// The site as declared.
    pub site: Site,
    /// Its comparisons, oldest first; empty when nothing can be compared.
    pub pairs: Vec<Pair>,
    /// Scenes that are not used here, and why.
    pub refused: Vec<RefusedScene>,
    /// Where it is computed; absent when nothing can be compared.
    pub ground: Option<Ground>,
    /// Each comparison's share of the alarm budget, false anomalies; absent where there is none.
    pub most_false: Option<f64>,
}

/// The plan of `site`.
///
/// # Errors
/// A place that cannot be projected; a grid that is too large.
pub fn plan_site(site: &Site, inputs: &Inputs, config: &Config) -> Result<SitePlan, IoError> {
    let whole = joined_at_the_antimeridian(site);
    let (mut scenes, elsewhere) = candidates(&whole, inputs);
    let mut refused = inputs.refused.clone();
    refused.extend(elsewhere);
    let area_m2 = area_m2(&whole.boundary);
    let (pairs, ground) = loop {
        let (pairs, left_out) = pairs(&scenes, area_m2, &|a, b| rasters(a, b, inputs), config);
        let ground = match pairs.is_empty() {
            true => Ok(None),
            false => ground(&whole, &pairs, inputs, config).map(Some),
        };
        match ground {
            Ok(ground) => {
                refused.extend(left_out);
                break (pairs, ground);
            }
            // A map may end where the site lies: its scene goes, and the others stay.
            Err(Unplaced { raster, error }) => {
                let (without, with): (Vec<_>, Vec<_>) = scenes
                    .into_iter()
                    .partition(|one| !raster.as_ref().is_some_and(|raster| files(one.scene).contains(raster)));
                if with.is_empty() {
                    return Err(error);
                }
                scenes = without;
                refused.extend(with.iter().map(|one| RefusedScene {
                    id: one.scene.id.clone(),
                    reason: format!(
                        "its coordinate reference system has no place for some of the site's ground ({error})"
                    ),
                    unreadable: false,
                }));
            }
        }
    };
    refused.sort();
    refused.dedup();
    Ok(SitePlan {
        site: site.clone(),
        pairs,
        refused,
        ground,
        most_false: None,
    })
}

/// The files that a site's comparisons read, each once.
pub fn site_files(plan: &SitePlan, inputs: &Inputs) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = plan
        .pairs
        .iter()
        .flat_map(Pair::pieces)
        .flat_map(|scene| {
            let rasters = files(scene);
            let read = rasters.iter().filter_map(|path| inputs.infos.get(path));
            let read: Vec<PathBuf> = read.flat_map(|info| info.files.iter().cloned()).collect();
            read.into_iter().chain([scene.source.clone()])
        })
        .collect();
    paths.sort();
    paths.dedup();
    paths
}
