//! Which assets of a STAC Item are spectral indices.
//!
//! An index is computed from bands, so a change in it is a change in the bands again: it is compared only where it is asked for by name.

use std::collections::BTreeMap;

use crate::scene::stac::asset::Asset;
use crate::scene::stac::bands::{Chosen, NO_BAND_ROLES, index_name, rank};

/// The range of the indices. Normalised differences cannot leave it while reflectance is not negative; EVI, EVI2 and the soil-adjusted
/// ones stay within it over land (valid range of EVI in MOD13: -0.2 to 1) and leave it over bright clouds only.
pub(in crate::scene) const INDEX_RANGE: [f64; 2] = [-1.0, 1.0];

/// The indices among the assets under their names in lower case, by name; of several files of one index the first by [`rank`], then by key.
pub(in crate::scene) fn indices_of<'i, 'v>(assets: &'i [Asset<'v>]) -> Vec<Chosen<'i, 'v>> {
    let mut found: BTreeMap<&str, Chosen> = BTreeMap::new();
    for asset in assets.iter().filter(|asset| may_hold_indices(asset)) {
        for band in asset.bands.iter().filter(|band| band.values.is_none()) {
            let key = if asset.bands.len() == 1 { asset.key } else { "" };
            let Some(name) = index_name(key).or_else(|| index_name(&band.name)) else {
                continue;
            };
            if found
                .get(name)
                .is_none_or(|old| rank(asset, band) < rank(old.asset, old.band))
            {
                let chosen = Chosen {
                    asset,
                    band,
                    name: name.to_owned(),
                    of_sensor: None,
                    derived: true,
                };
                found.insert(name, chosen);
            }
        }
    }
    found.into_values().collect()
}

/// Of the roles that bands never have, an index may have `index`.
fn may_hold_indices(asset: &Asset) -> bool {
    let no_index = |role: &String| role != "index" && NO_BAND_ROLES.contains(&role.as_str());
    asset.raster && !asset.roles.iter().any(no_index)
}
