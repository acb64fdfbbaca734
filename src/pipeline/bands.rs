//! Whether the bands of a scene can be compared, as their files tell, and how their stored numbers become physical.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::io::bands::Content;
use crate::io::open::RasterInfo;
use crate::scene::{BandAsset, Scene, Sensors, Statement};

/// Why `scene` lacks one of the bands that are `wanted` by name, and whether that should be here; notes what else it lacks.
pub fn lacks(scene: &mut Scene, wanted: &[String]) -> Option<(String, bool)> {
    let absent = scene.absent.iter();
    if let Some(band) = absent.clone().find(|band| wanted.contains(&band.name)) {
        return Some((format!("its band {}: {}", band.name, band.reason), band.unreadable));
    }
    let measured: Vec<_> = absent.filter(|band| !band.derived && wanted.is_empty()).collect();
    if let Some(first) = measured.first() {
        let names: Vec<&str> = measured.iter().map(|band| band.name.as_str()).collect();
        scene.notes.push(format!(
            "{}: without the bands {}, whose files are not here ({})",
            scene.id,
            names.join(" "),
            first.reason
        ));
    }
    None
}

/// Settles how the stored numbers of `scene` become physical, by what its files say of themselves; bands that are masks are taken from it.
///
/// # Errors
/// A band that its file does not have or that holds no measurements; statements that contradict each other.
pub fn settle(scene: &mut Scene, infos: &BTreeMap<PathBuf, RasterInfo>, sensors: &Sensors) -> Result<(), String> {
    // In a folder a scene is a file, and the names are those of all its bands.
    let whole = infos.get(&scene.source).map(|info| info.bands);
    let named = scene.bands.iter().map(|band| band.index).max().unwrap_or(0);
    for band in &scene.bands {
        let Some(info) = infos.get(&band.path) else { continue };
        if band.index > info.bands {
            let remedy = match (whole, info.bands) {
                (Some(_), 1) => {
                    "a folder holds one scene a file: make one file of the files of a scene, or name one band"
                }
                (Some(_), _) => "name the bands of the file in order",
                (None, _) => "check the item's bands",
            };
            return Err(format!(
                "expected band {} ({}), but {} has {}; {remedy}",
                band.index,
                band.name,
                band.path.display(),
                count(info.bands)
            ));
        }
    }
    take_masks(scene, infos, sensors)?;
    let sensor = sensors.get(&scene.sensor);
    for band in &mut scene.bands {
        let Some(info) = infos.get(&band.path) else { continue };
        let named = format!("its band {} ({})", band.name, band.path.display());
        info.check_band(band.index).map_err(|why| format!("{named}: {why}"))?;
        let [scale, offset] = match info.scales.get(band.index - 1) {
            Some(Some([scale, offset])) => [vec![*scale], vec![*offset]],
            _ => [Vec::new(), Vec::new()],
        };
        let file = Statement {
            scale,
            offset,
            data_type: Some(info.data_type.clone()),
            ..Statement::default()
        };
        let sensor = sensor.filter(|_| !band.derived);
        band.settle(sensor, scene.kind, Some(&file))
            .map_err(|why| format!("{named}: {why}"))?;
    }
    for quality in &scene.quality {
        if let Some(info) = infos.get(&quality.path) {
            info.check_quality(quality.index)
                .map_err(|why| format!("its quality band {}: {why}", quality.path.display()))?;
        }
    }
    let used = |index: usize| {
        let mut quality = scene.quality.iter().filter(|quality| quality.path == scene.source);
        let is_mask = infos
            .get(&scene.source)
            .is_some_and(|info| info.find_band(index) == Ok(Content::Alpha));
        index <= named || is_mask || quality.any(|quality| quality.index == index)
    };
    if let Some(bands) = whole.filter(|bands| (1..=*bands).any(|index| !used(index))) {
        let names: Vec<&str> = scene.bands.iter().map(|band| band.name.as_str()).collect();
        scene.notes.push(format!(
            "{}: the file has {}, of which the first {named} are named ({}) and the others are not looked at",
            scene.id,
            count(bands),
            names.join(" ")
        ));
    }
    Ok(())
}

/// Takes from `scene` bands that tell how opaque pixels are.
///
/// # Errors
/// It has no others.
fn take_masks(scene: &mut Scene, infos: &BTreeMap<PathBuf, RasterInfo>, sensors: &Sensors) -> Result<(), String> {
    // GDAL calls the last of four bands of bytes alpha unless it is told otherwise: the name of a sensor's band says what it is.
    let is_named = |name: &str| {
        sensors
            .iter()
            .any(|sensor| sensor.band(name).is_some_and(|(_, band)| band.name == name))
    };
    let is_mask = |band: &BandAsset| {
        let content = infos.get(&band.path).and_then(|info| info.find_band(band.index).ok());
        content == Some(Content::Alpha) && !is_named(&band.name)
    };
    let (masks, bands): (Vec<_>, Vec<_>) = std::mem::take(&mut scene.bands).into_iter().partition(is_mask);
    scene.bands = bands;
    scene.notes.extend(masks.iter().map(|mask| {
        let (id, name) = (&scene.id, &mask.name);
        format!("{id}: its band {name} is alpha by its file: a mask of the others, and not compared")
    }));
    match scene.bands.is_empty() {
        true => Err("its only band is alpha, which is a mask and no measurement; name the bands that it masks".into()),
        false => Ok(()),
    }
}

fn count(bands: usize) -> String {
    match bands {
        1 => "one band".into(),
        many => format!("{many} bands"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::formats::USUAL;
    use crate::io::geotiff::{Compression, DataType, GeoTiffWriter, Layout};
    use crate::io::open;
    use crate::scene::select::tests::{band, scene};

    /// What becomes of a scene whose file has two bands under these names, the second of which it calls alpha: its bands and its notes.
    fn settled(names: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let layout = Layout {
            width: 4,
            height: 2,
            bands: 2,
            data_type: DataType::U8,
            transform: [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0],
            crs: "EPSG:32633".into(),
            nodata: None,
            compression: Compression::None,
            block: 16,
        };
        GeoTiffWriter::create(&path, layout).unwrap().finish().unwrap();
        let mut info = open::info(&path, USUAL).unwrap();
        info.content = vec![Content::Numbers, Content::Alpha];
        let bands = (1..).zip(names).map(|(index, name)| BandAsset {
            path: path.clone(),
            index,
            ..band(name)
        });
        let mut scene = Scene {
            bands: bands.collect(),
            source: path.clone(),
            ..scene("a", "2020-01-01")
        };
        settle(
            &mut scene,
            &BTreeMap::from([(path, info)]),
            &Sensors::embedded().unwrap(),
        )?;
        Ok((scene.bands.into_iter().map(|band| band.name).collect(), scene.notes))
    }

    #[test]
    fn alpha_is_a_mask_unless_a_sensor_knows_the_band() {
        let (bands, notes) = settled(&["red", "fourth"]).unwrap();
        assert_eq!(bands, ["red"]);
        assert!(
            notes.iter().any(|note| note.contains("band fourth is alpha")),
            "{notes:?}"
        );
        assert_eq!(
            settled(&["red", "nir"]).unwrap(),
            (vec!["red".into(), "nir".into()], vec![])
        );
        // A mask that nobody names is no band that is passed over.
        assert_eq!(settled(&["red"]).unwrap(), (vec!["red".into()], vec![]));
    }
}
