//! How the bands that an Item holds become those of a scene, and what it lacks of them.

use std::path::Path;

use crate::intake::names;
use crate::scene::radiometry::is_float;
use crate::scene::sensor::{GENERIC, Sensors, contains};
use crate::scene::stac::asset::Asset;
use crate::scene::stac::bands::{Chosen, bands_of, bands_of_any};
use crate::scene::stac::indices::{INDEX_RANGE, indices_of};
use crate::scene::stac::object::Reader;
use crate::scene::stac::product::Product;
use crate::scene::statement::Statements;
use crate::scene::{AbsentBand, BandAsset, Kind, join};

/// The bands of a scene.
pub(in crate::scene) struct Bands {
    pub bands: Vec<BandAsset>,
    /// Those that the item names and the scene is without.
    pub absent: Vec<AbsentBand>,
}

/// What of the assets is read of an item of that product: its bands, and behind them the indices that no band is called as.
///
/// # Errors
/// There is none.
pub(in crate::scene) fn chosen<'i, 'v>(
    product: &Product<'i>,
    assets: &'i [Asset<'v>],
    sensors: &Sensors,
) -> Result<Vec<Chosen<'i, 'v>>, String> {
    let mut chosen = match product.recognised {
        Some(sensor) => bands_of(sensor, assets),
        None => bands_of_any(product.kind, assets, sensors),
    };
    let mut indices = match product.kind {
        Kind::Optical => indices_of(assets),
        Kind::Sar => Vec::new(),
    };
    indices.retain(|index| chosen.iter().all(|band| band.name != index.name));
    chosen.append(&mut indices);
    match chosen.is_empty() {
        true => Err(nothing_to_read(product, assets)),
        false => Ok(chosen),
    }
}

fn nothing_to_read(product: &Product, assets: &[Asset]) -> String {
    let keys: Vec<&str> = assets.iter().map(|asset| asset.key).collect();
    let wanted = match (product.recognised, product.kind) {
        (Some(sensor), _) => format!("band of {}", sensor.id),
        (None, Kind::Sar) => "backscatter band (VV, VH, HH or HV)".into(),
        (None, Kind::Optical) => "reflectance band and no index".into(),
    };
    let found = match keys.is_empty() {
        true => "no asset".into(),
        false => keys.join(", "),
    };
    format!("holds no {wanted}, only masks, derived products or previews (found: {found})")
}

impl Reader<'_> {
    /// The bands of a scene. It is good without what lies elsewhere, and without an index that cannot be had, as long as one band is left.
    pub(in crate::scene) fn bands(&mut self, chosen: &[Chosen], product: &Product) -> Bands {
        let (mut bands, mut absent, mut why_absent) = (Vec::new(), Vec::new(), Vec::new());
        for one in chosen {
            let before = self.faults.len();
            let band = self.band_of(one, product);
            if band.is_none() && (one.derived || one.asset.file.is_err()) {
                let why = self.faults.split_off(before);
                absent.push(AbsentBand {
                    name: one.name.clone(),
                    reason: join(&why),
                    unreadable: one.asset.file.as_ref().is_err_and(|why| why.unreadable),
                    derived: one.derived,
                });
                why_absent.extend(why);
            }
            bands.extend(band);
        }
        if bands.is_empty() && self.faults.is_empty() {
            self.unreadable |= absent.iter().any(|band| band.unreadable);
            self.faults = why_absent;
        }
        Bands { bands, absent }
    }

    /// The band, and how its values become physical; `None` where there is no file, or where that cannot be told.
    fn band_of(&mut self, chosen: &Chosen, product: &Product) -> Option<BandAsset> {
        let path = match &chosen.asset.file {
            Ok(path) => path,
            Err(why) => return self.fault(why.fault.place.clone(), why.fault.message.clone()),
        };
        self.check_name(chosen)?;
        if let Some(wrong) = &chosen.asset.wrong {
            return self.fault(chosen.asset.at.clone(), wrong.clone());
        }
        let mut band = described(chosen, path, product);
        // The sensor's scale and noise are those of reflectance: of an index the asset alone tells.
        match band.settle(product.sensor.filter(|_| !chosen.derived), product.kind, None) {
            Ok(()) => Some(band),
            Err(why) => self.fault(chosen.asset.at.clone(), why),
        }
    }

    /// Bands are told apart by their names.
    fn check_name(&mut self, chosen: &Chosen) -> Option<()> {
        let at = || format!("{}, its band {}", chosen.asset.at, chosen.band.index);
        match names::id(&chosen.name) {
            Ok(()) => Some(()),
            Err(wrong) => self.fault(at(), format!("its name {wrong}")),
        }
    }
}

/// The band in `path` as item and sensor describe it.
fn described(chosen: &Chosen, path: &Path, product: &Product) -> BandAsset {
    let Chosen { asset, band, .. } = chosen;
    let sensor = product
        .recognised
        .filter(|sensor| !chosen.derived && sensor.id != GENERIC);
    // Integers that do not state their scale stay as they are stored.
    let is_physical = !band.stated.scale.is_empty() || band.stated.data_type.as_deref().is_some_and(is_float);
    let valid = match (sensor, chosen.derived) {
        (Some(sensor), _) => sensor.valid,
        (None, true) => is_physical.then_some(INDEX_RANGE),
        (None, false) => (is_physical && contains(&asset.roles, "reflectance")).then_some([0.0, 1.0]),
    };
    BandAsset {
        name: chosen.name.clone(),
        path: path.to_owned(),
        index: band.index,
        radiometry: Statements {
            item: band.stated.clone(),
            version: product.version,
            ..Statements::default()
        },
        valid,
        noise: sensor.and_then(|sensor| chosen.of_sensor.and_then(|band| band.noise).or(sensor.noise)),
        noise_fraction: sensor.map_or(0.0, |sensor| sensor.noise_fraction),
        derived: chosen.derived,
        stated: asset.stated.clone(),
        ..BandAsset::default()
    }
}
