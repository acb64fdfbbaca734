//! Whether the bands of a scene can be compared, as their files tell, and how their stored numbers become physical.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::io::bands::Content;
use crate::io::open::RasterInfo;
use crate::scene::file_band::{self, Described};
use crate::scene::{BandAsset, Scene, Sensor, Sensors, Statement};

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
            "{}: without the bands {}, whose files are missing ({})",
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
            let pages = format!(
                "it holds {} rasters one behind the other, of which the first is read: make one file of bands of them",
                info.pages
            );
            let remedy = match (whole, info.bands) {
                _ if info.pages > 1 => pages.as_str(),
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
    let notes = look_at_names(scene, infos, sensors)?;
    scene.notes.extend(notes);
    let sensor = sensors.get(&scene.sensor);
    for band in &mut scene.bands {
        let Some(info) = infos.get(&band.path) else { continue };
        let named = format!("its band {} ({})", band.name, band.path.display());
        info.check_band(band.index).map_err(|why| format!("{named}: {why}"))?;
        let [scale, offset] = info.scales.get(band.index - 1).copied().unwrap_or_default();
        let own = &band.radiometry.pipeline;
        let is_wrong = own.scale.is_empty() && scale.is_some_and(|scale| !scale.is_finite() || scale == 0.0)
            || own.scale.is_empty() && own.offset.is_empty() && offset.is_some_and(|offset| !offset.is_finite());
        if is_wrong {
            return Err(format!(
                "{named}: the file states scale {} and offset {}, of which no value comes; put it right (gdal_edit -scale, -offset)",
                scale.unwrap_or(1.0),
                offset.unwrap_or(0.0)
            ));
        }
        let file = Statement {
            scale: scale.into_iter().collect(),
            offset: offset.into_iter().collect(),
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
    let notes = passed_over(scene, infos, named);
    scene.notes.extend(notes);
    Ok(())
}

/// The bands of `scene` that are measured, by their files.
fn by_file(scene: &Scene) -> BTreeMap<&PathBuf, Vec<&BandAsset>> {
    let mut files: BTreeMap<&PathBuf, Vec<&BandAsset>> = BTreeMap::new();
    for band in scene.bands.iter().filter(|band| !band.derived) {
        files.entry(&band.path).or_default().push(band);
    }
    files
}

/// What to say of names that the files of `scene` give their bands.
///
/// # Errors
/// They tell other bands than the scene does.
fn look_at_names(
    scene: &Scene,
    infos: &BTreeMap<PathBuf, RasterInfo>,
    sensors: &Sensors,
) -> Result<Option<String>, String> {
    let known: Vec<&Sensor> = match sensors.get(&scene.sensor) {
        Some(sensor) if !sensor.bands.is_empty() => vec![sensor],
        _ => sensors.iter().collect(),
    };
    let mut note = None;
    for (path, bands) in by_file(scene) {
        let Some(info) = infos.get(path) else { continue };
        let called = |band: &BandAsset| info.called.get(band.index - 1).cloned().unwrap_or_default();
        let called: Vec<_> = bands.iter().map(|band| (*band, called(band))).collect();
        let described: Vec<_> = called
            .iter()
            .map(|(band, called)| Described {
                index: band.index,
                name: &band.name,
                description: &called.description,
            })
            .collect();
        let remedy = "name the bands in the order of the file, or put right what it calls them";
        if let Some(why) = file_band::misdescribed(&described, &known) {
            return Err(format!("{}: {why}; {remedy}", path.display()));
        }
        let coloured = called
            .iter()
            .filter_map(|(band, called)| Some((band.name.as_str(), called.colour?)));
        let (given, colours): (Vec<&str>, Vec<&str>) = coloured.unzip();
        if file_band::order(&given, &colours) != Some(false) {
            continue;
        }
        // It may be how people like to look at it: what decides is whether the other date has it too.
        let (colours, given) = (colours.join(" "), given.join(" "));
        note = Some(format!(
            "{}: the file shows its bands as {colours}; they are taken for {given}, as they are named",
            scene.id
        ));
    }
    Ok(note)
}

/// Why the bands of two scenes cannot be one by their names: their files show one in different colours. `None` where they do not, and of bytes, of
/// which GDAL calls any three or four bands red, green and blue.
pub fn shown_otherwise(before: &Scene, after: &Scene, infos: &BTreeMap<PathBuf, RasterInfo>) -> Option<String> {
    let colour = |band: &BandAsset| {
        let info = infos.get(&band.path).filter(|info| info.data_type != "uint8")?;
        info.called.get(band.index - 1)?.colour
    };
    before.bands.iter().find_map(|band| {
        let other = after.bands.iter().find(|other| other.name == band.name)?;
        let (first, second) = (colour(band)?, colour(other)?);
        (first != second).then(|| {
            format!(
                "the files of the two dates call other bands {}: that of {} shows it as {first}, that of {} as {second}; name the bands in the order \
                 of each file, or put right what it calls them",
                band.name, before.id, after.id
            )
        })
    })
}

/// What of the files of `scene` is passed over, in words: other rasters in them, other bands. `named` bands were given to the file of a folder.
fn passed_over(scene: &Scene, infos: &BTreeMap<PathBuf, RasterInfo>, named: usize) -> Vec<String> {
    let mut notes = Vec::new();
    for (path, bands) in by_file(scene) {
        let Some(info) = infos.get(path) else { continue };
        let name = path.file_name().unwrap_or_default().display();
        if info.pages > 1 {
            let pages = info.pages;
            notes.push(format!(
                "{}: {name} holds {pages} rasters one behind the other, of which the first is read",
                scene.id
            ));
        }
        // In a folder a scene is a file.
        let is_whole = *path == scene.source;
        let is_used = |index: &usize| {
            let mut quality = scene.quality.iter().filter(|quality| quality.path == *path);
            let is_mask = info.find_band(*index) == Ok(Content::Alpha);
            let mut listed = scene.bands.iter().filter(|band| band.path == *path);
            is_whole && *index <= named
                || is_mask
                || listed.any(|band| band.index == *index)
                || quality.any(|quality| quality.index == *index)
        };
        if (1..=info.bands).all(|index| is_used(&index)) {
            continue;
        }
        let names: Vec<&str> = bands.iter().map(|band| band.name.as_str()).collect();
        let (id, bands, names) = (&scene.id, count(info.bands), names.join(" "));
        notes.push(match is_whole {
            true => format!(
                "{id}: the file has {bands}, of which the first {named} are named ({names}) and the others are not read"
            ),
            false => format!("{id}: {name} has {bands}, of which the item names those that are read ({names})"),
        });
    }
    notes
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

    /// What becomes of a scene whose file, of `info`, has bands under these `names`, by an item or by a folder: its notes.
    fn notes(names: &[&str], is_item: bool, info: impl FnOnce(&mut RasterInfo)) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let layout = Layout {
            width: 4,
            height: 2,
            bands: 4,
            data_type: DataType::U16,
            transform: [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0],
            crs: "EPSG:32633".into(),
            nodata: None,
            compression: Compression::None,
            block: 16,
        };
        GeoTiffWriter::create(&path, layout).unwrap().finish().unwrap();
        let mut found = open::info(&path, USUAL).unwrap();
        info(&mut found);
        let bands = (1..).zip(names).map(|(index, name)| BandAsset {
            path: path.clone(),
            index,
            ..band(name)
        });
        let mut scene = Scene {
            bands: bands.collect(),
            source: if is_item { "items.json".into() } else { path.clone() },
            sensor: "generic".into(),
            ..scene("a", "2020-01-01")
        };
        settle(
            &mut scene,
            &BTreeMap::from([(path, found)]),
            &Sensors::embedded().unwrap(),
        )?;
        Ok(scene.notes)
    }

    const COLOURS: [&str; 4] = ["blue", "green", "red", "nir"];

    #[test]
    fn what_a_file_calls_its_bands_is_held_against_the_names_that_they_are_given() {
        let described = |info: &mut RasterInfo| {
            for (called, description) in info.called.iter_mut().zip(["red", "green", "blue", "nir"]) {
                called.description = description.into();
            }
        };
        let why = notes(&COLOURS, true, described).unwrap_err();
        assert!(
            why.contains("a.tif: the file describes its band 1 as `red`, not `blue`; name the bands in the order"),
            "{why}"
        );
        let shown = |info: &mut RasterInfo| {
            for (called, colour) in info.called.iter_mut().zip(["red", "green", "blue"]) {
                called.colour = Some(colour);
            }
        };
        let told = notes(&COLOURS, false, shown).unwrap();
        assert!(
            told[0].contains("shows its bands as red green blue; they are taken for blue green red"),
            "{told:?}"
        );
        // In false colour the first is shown in red, whatever it is.
        assert_eq!(notes(&["nir", "red", "green", "blue"], false, shown), Ok(vec![]));
    }

    #[test]
    fn dates_that_show_one_band_in_two_colours_are_not_compared() {
        let date = |id: &str, colours: [&'static str; 3], data_type: &str| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.tif");
            let layout = Layout {
                width: 4,
                height: 2,
                bands: 3,
                data_type: DataType::U16,
                transform: [500_000.0, 10.0, 0.0, 5_000_000.0, 0.0, -10.0],
                crs: "EPSG:32633".into(),
                nodata: None,
                compression: Compression::None,
                block: 16,
            };
            GeoTiffWriter::create(&path, layout).unwrap().finish().unwrap();
            let mut info = open::info(&path, USUAL).unwrap();
            info.data_type = data_type.into();
            for (called, colour) in info.called.iter_mut().zip(colours) {
                called.colour = Some(colour);
            }
            let bands = (1..).zip(&COLOURS[..3]).map(|(index, name)| BandAsset {
                path: path.clone(),
                index,
                ..band(name)
            });
            let scene = Scene {
                bands: bands.collect(),
                ..scene(id, "2020-01-01")
            };
            (scene, (path, info))
        };
        let (rgb, bgr) = (["red", "green", "blue"], ["blue", "green", "red"]);
        for (other, data_type, is_refused) in [(bgr, "uint16", true), (rgb, "uint16", false), (bgr, "uint8", false)] {
            let ((before, first), (after, second)) = (date("a", rgb, data_type), date("b", other, data_type));
            let why = shown_otherwise(&before, &after, &BTreeMap::from([first, second]));
            assert_eq!(why.is_some(), is_refused, "{why:?}");
            assert!(why.is_none_or(|why| why.contains("that of a shows it as red, that of b as blue")));
        }
    }

    #[test]
    fn what_of_a_file_is_passed_over_is_told() {
        assert_eq!(notes(&COLOURS, true, |_| {}), Ok(vec![]));
        for (is_item, part) in [
            (true, "a.tif has 4 bands, of which the item names"),
            (false, "first 3 are named"),
        ] {
            let told = notes(&COLOURS[..3], is_item, |_| {}).unwrap();
            assert!(
                told[0].contains(part) && told[0].contains("(blue green red)"),
                "{told:?}"
            );
        }
        let told = notes(&COLOURS, true, |info| info.pages = 3).unwrap();
        assert!(
            told[0].contains("a.tif holds 3 rasters one behind the other"),
            "{told:?}"
        );
    }

    #[test]
    fn a_scale_of_which_no_value_comes_is_refused() {
        for scale in [
            [Some(0.0), None],
            [Some(f64::NAN), None],
            [Some(1.0), Some(f64::INFINITY)],
        ] {
            let why = notes(&COLOURS, true, |info| info.scales[2] = scale).unwrap_err();
            assert!(
                why.contains("its band red") && why.contains("of which no value comes"),
                "{why}"
            );
        }
        assert_eq!(
            notes(&COLOURS, true, |info| info.scales[2] = [Some(0.01), None]),
            Ok(vec![])
        );
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
