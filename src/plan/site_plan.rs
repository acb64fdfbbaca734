//! The plan of a site, decided without reading a pixel: scenes used and refused, comparisons, ground.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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

/// The plan of one site: values alone, which JSON holds where the names of its files are UTF-8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use geo::{MultiPolygon, Rect as Square};
    use jiff::Timestamp;

    use super::*;
    use crate::declaration::{Activity, Role, What, Zone};
    use crate::geo::{Grid, Shape};
    use crate::scene::select::tests::scene;
    use crate::scene::{Acquisition, BitRule, Coding, Kind, Pass, QualityAsset, Scene};
    use crate::stage::judge::{Declared, DeclaredZone};

    fn square(from: f64, to: f64) -> MultiPolygon<f64> {
        MultiPolygon(vec![Square::new((from, from), (to, to)).to_polygon()])
    }

    fn site() -> Site {
        let zone = Zone {
            id: "zone".into(),
            role: Role::Building,
            polygon: square(0.1, 0.2),
            declared_in: "declaration".into(),
        };
        let activity = Activity {
            id: "activity".into(),
            zone: Some("zone".into()),
            what: What::Construction,
            from: Timestamp::UNIX_EPOCH,
            to: Timestamp::MAX,
            notified: Timestamp::UNIX_EPOCH,
            tolerance_m: 0.1 + 0.2,
            polygon: square(0.1, 0.2),
            declared_in: "declaration".into(),
        };
        Site {
            id: "site".into(),
            name: "A site".into(),
            boundary: square(0.0, 1.0 / 3.0),
            zones: vec![zone],
            activities: vec![activity],
            declared_in: "declaration".into(),
            party: "party".into(),
            folder: "site".into(),
        }
    }

    fn ground(site: &Site) -> Ground {
        let grid = Grid {
            crs: "EPSG:32632".into(),
            left_m: 500_000.0,
            top_m: 100.0 / 3.0,
            pixel_m: 10.0,
            width: 30,
            height: 20,
        };
        Ground {
            boundary: Shape::new(square(0.0, 9.5)),
            zones: vec![DeclaredZone {
                id: "zone".into(),
                role: Role::Building,
                area: Shape::new(square(1.0, 3.0)),
            }],
            activities: vec![Declared {
                activity: site.activities[0].clone(),
                area: Shape::new(square(1.0, 3.0)),
                tolerated: Shape::new(square(0.5, 3.5)),
            }],
            halo: 4,
            sampled: grid.clone(),
            grid,
            margin_px: 6,
            tile_px: 512,
            strip_px: 256,
            blocks_mib: 64,
            seen_px: 600,
            memory_mib: 128,
        }
    }

    fn acquisition(id: &str, codings: &[Coding]) -> Arc<Acquisition> {
        let mask = |coding: &Coding| QualityAsset {
            path: "mask.tif".into(),
            index: 1,
            coding: coding.clone(),
            nodata: vec![255.0],
            stated: None,
        };
        let mut one = Scene {
            pass: Some(Pass::Ascending),
            footprint: Some(square(-1.0, 1.0)),
            quality: codings.iter().map(mask).collect(),
            ..scene(id, "2021-06-10")
        };
        one.bands[0].nodata = vec![0.0, f64::NEG_INFINITY];
        one.bands[0].valid = Some([0.0, 0.1]);
        Arc::new(Acquisition::of(vec![one]).unwrap())
    }

    #[test]
    fn a_plan_goes_through_json_unchanged() {
        let codings = [
            Coding::Classes([(-1, 0), (3, 2)].into()),
            Coding::Bits(vec![BitRule {
                mask: 6,
                equals: 2,
                flag: 4,
            }]),
            Coding::Above {
                threshold: 0.3,
                flag: 2,
            },
        ];
        let pair = |id: &str, companions: Vec<Pair>| Pair {
            history: vec![acquisition("first", &codings)],
            before: acquisition("before", &codings),
            after: acquisition(id, &[]),
            bands: vec!["red".into()],
            kind: Kind::Optical,
            companions,
            notes: vec!["a note".into()],
        };
        let site = site();
        let plan = SitePlan {
            pairs: vec![pair("after", vec![pair("track", Vec::new())])],
            refused: vec![RefusedScene {
                id: "refused".into(),
                reason: "no reason".into(),
                unreadable: true,
            }],
            ground: Some(ground(&site)),
            most_false: Some(0.1),
            site,
        };
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<SitePlan>(&json).unwrap(), plan);
    }
}
