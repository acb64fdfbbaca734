//! How the dates of a comparison are coded, by a few pixels of each of their pieces.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::engine::spared::Spared;
use crate::geo::{Grid, Rect};
use crate::io::open::RasterInfo;
use crate::plan::pairs::Pair;
use crate::plan::{bands, site_grid};
use crate::raster::{Flags, PixelSource, ReadError, Stack, flags};
use crate::scene::{Acquisition, BandAsset, Kind, Scene};
use crate::stage::coded::{self, Date, Values};

/// So many rectangles are looked at in each direction, of a pair and of a series.
const LOOKS: (usize, usize) = (4, 2);
/// Edge of a rectangle, pixels.
const LOOK_PX: usize = 64;
/// Pieces that share less than this part of the smaller one's ground are not held against each other: a strip may change all at once.
const MIN_SHARED: f64 = 0.25;
/// What the numbers of clouds and snow say of ground.
const HIDDEN: Flags = flags::CLOUD | flags::CIRRUS | flags::SHADOW | flags::SNOW;

/// A piece of a date.
pub struct Piece<'a> {
    /// Its scene.
    pub scene: &'a Scene,
    /// What reads it alone.
    pub source: Spared<'a>,
}

/// The pieces of `date`, each as an acquisition of its own: one that is coded otherwise is little of the whole. None where it is of one.
pub fn apart(date: &Acquisition) -> Vec<Acquisition> {
    let alone = |piece: &Scene| Acquisition {
        whole: piece.clone(),
        pieces: vec![piece.clone()],
    };
    match date.pieces.as_slice() {
        [_] => Vec::new(),
        several => several.iter().map(alone).collect(),
    }
}

/// Why the dates of `pair` cannot be compared as they are coded: each piece of the judged date is held against each of the dates before it, where they
/// meet. `dates` are their pieces, of `names` the bands that are compared come first, and some of the ground of `grid` is looked at. `None` where
/// nothing speaks against it.
///
/// # Errors
/// A file that cannot be read.
pub fn refused(
    dates: &[Vec<Piece<'_>>],
    pair: &Pair,
    names: &[String],
    infos: &BTreeMap<PathBuf, RasterInfo>,
    grid: &Grid,
) -> Result<Option<String>, ReadError> {
    let Some((judged, earlier)) = dates.split_last() else {
        return Ok(None);
    };
    let is_derived = |name: &String| {
        let bands = &pair.after.whole.bands;
        bands.iter().any(|band| band.name == *name && band.derived)
    };
    let compared = names.iter().take(pair.bands.len()).enumerate();
    let compared: Vec<usize> = compared
        .filter(|(_, name)| !is_derived(name))
        .map(|(at, _)| at)
        .collect();
    let place = |piece: &Piece<'_>| {
        let info = piece.scene.bands.first().and_then(|band| infos.get(&band.path));
        // Where that is not known, all of it is looked at.
        let covered = info.and_then(|info| site_grid::covered(grid, &[info]).ok());
        covered.unwrap_or_else(|| grid.rect())
    };
    for after in judged {
        let here = place(after);
        // Dates of one place are looked at in the same rectangles.
        let mut last: Option<(Rect, Date<'_>)> = None;
        for before in earlier.iter().rev().flatten() {
            if let Some(why) = bands::shown_otherwise(before.scene, after.scene, infos) {
                return Ok(Some(why));
            }
            let there = place(before);
            let place = here.intersect(&there);
            let smaller = here.area().min(there.area());
            if place.is_empty() || (place.area() as f64) < MIN_SHARED * smaller as f64 {
                continue;
            }
            let rects = rects(&place, dates.len());
            if last.as_ref().is_none_or(|(known, _)| *known != place) {
                last = Some((place, look(after, &compared, names, &rects, infos)?));
            }
            let before = look(before, &compared, names, &rects, infos)?;
            if let Some(why) = last.as_ref().and_then(|(_, after)| coded::refused(&before, after)) {
                return Ok(Some(why));
            }
        }
    }
    Ok(None)
}

/// Rectangles of `ground`, evenly.
fn rects(ground: &Rect, dates: usize) -> Vec<Rect> {
    let most = if dates > 2 { LOOKS.1 } else { LOOKS.0 };
    let along = |from: i64, length: usize| -> Vec<(i64, usize)> {
        let looks = length.div_ceil(LOOK_PX).min(most);
        let edge = length.min(LOOK_PX);
        let places = (0..looks).map(|i| (2 * i + 1) * length / (2 * looks));
        places
            .map(|middle| (from + middle.saturating_sub(edge / 2).min(length - edge) as i64, edge))
            .collect()
    };
    let (columns, rows) = (along(ground.x, ground.w), along(ground.y, ground.h));
    let in_row = |(y, h): &(i64, usize)| {
        columns
            .iter()
            .map(move |(x, w)| Rect::new(*x, *y, *w, *h))
            .collect::<Vec<_>>()
    };
    rows.iter().flat_map(in_row).collect()
}

/// The bands `compared` of a piece, by their places in `names`, on `rects`.
fn look<'a>(
    Piece { scene, source }: &Piece<'a>,
    compared: &[usize],
    names: &[String],
    rects: &[Rect],
    infos: &'a BTreeMap<PathBuf, RasterInfo>,
) -> Result<Date<'a>, ReadError> {
    let mut bands: Vec<Vec<f32>> = vec![Vec::new(); compared.len()];
    let (mut covered, mut impossible) = (0_usize, 0_usize);
    for rect in rects {
        let stack: Stack = source.read(rect)?;
        for y in 0..rect.h {
            for x in 0..rect.w {
                let why = stack.reasons([y, x]);
                covered += usize::from(why & (flags::NOT_COVERED | flags::NODATA) == 0);
                impossible += usize::from(stack.flags[[y, x]] & flags::INVALID != 0);
                for (values, index) in bands.iter_mut().zip(compared) {
                    let value = stack.bands.get(*index).map_or(f32::NAN, |band| band[[y, x]]);
                    values.push(if why & HIDDEN == 0 { value } else { f32::NAN });
                }
            }
        }
    }
    Ok(Date {
        id: &scene.id,
        values: values(scene, compared.iter().map(|at| &names[*at])),
        bands,
        impossible: impossible as f64 / covered.max(1) as f64,
        counts: counts(scene, infos),
    })
}

/// Whose raw counts the bands of `scene` are, as [`Date::counts`] has it.
fn counts<'a>(scene: &'a Scene, infos: &'a BTreeMap<PathBuf, RasterInfo>) -> Option<(&'a str, &'a str)> {
    let is_raw = |band: &BandAsset| band.scale == 1.0 && band.offset == 0.0;
    let info = infos.get(&scene.bands.first()?.path)?;
    let is_counts = !info.float && scene.bands.iter().all(is_raw);
    is_counts.then_some((scene.platform.as_deref()?, info.data_type.as_str()))
}

/// What the bands `names` of `scene` are said to hold.
fn values<'a>(scene: &Scene, names: impl Iterator<Item = &'a String>) -> Values {
    let bands: Vec<_> = names
        .filter_map(|name| scene.bands.iter().find(|band| band.name == *name))
        .collect();
    match scene.kind {
        Kind::Sar if bands.iter().all(|band| band.decibel) => Values::Power,
        Kind::Sar => Values::Decibels,
        Kind::Optical if bands.iter().all(|band| band.valid == Some([0.0, 1.0])) => Values::Reflectance(1.0),
        Kind::Optical => Values::Numbers,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::geo::Affine;
    use crate::io::blocks::Blocks;
    use crate::io::formats;
    use crate::io::mapping::Target;
    use crate::io::mosaic::Mosaic;
    use crate::io::pool::Pool;
    use crate::plan::inputs;
    use crate::plan::plan_sites;

    #[test]
    fn looks_lie_evenly_on_the_ground() {
        let ground = |w: usize, h: usize| Rect::new(-10, 5, w, h);
        assert_eq!(rects(&ground(58, 57), 2), [Rect::new(-10, 5, 58, 57)]);
        let looks = rects(&ground(10_000, 100), 2);
        assert_eq!(looks.len(), 8);
        assert!(
            looks
                .iter()
                .all(|look| look.intersect(&ground(10_000, 100)) == *look && look.w == 64)
        );
        assert_eq!(rects(&ground(10_000, 10_000), 60).len(), 4);
    }

    /// A pipeline over `items`, in `folder`: each place of it is a site, every consecutive pair is compared.
    fn pipeline(items: &Path, folder: &Path) -> PathBuf {
        let catalogue: Value = serde_json::from_slice(&std::fs::read(items).unwrap()).unwrap();
        let mut places: BTreeMap<String, Value> = BTreeMap::new();
        for item in catalogue["features"].as_array().unwrap() {
            let bbox = item["bbox"].as_array().map_or(&[][..], Vec::as_slice);
            let bbox: Vec<f64> = bbox.iter().filter_map(Value::as_f64).collect();
            let [left, low, right, high] = bbox[..] else { continue };
            let place = format!("{:.1} {:.1}", left + right, low + high);
            let ring = json!([[[left, low], [right, low], [right, high], [left, high], [left, low]]]);
            let id = format!("s-{}", places.len());
            places.entry(place).or_insert(json!({
                "type": "Feature", "geometry": {"type": "Polygon", "coordinates": ring},
                "properties": {"kind": "site", "id": id, "name": id}
            }));
        }
        let declaration = json!({
            "type": "FeatureCollection",
            "declaration": {"id": "d", "party": "A", "agreement": "X", "issued": "2000-01-01"},
            "features": places.into_values().collect::<Vec<_>>()
        });
        std::fs::write(folder.join("d.geojson"), declaration.to_string()).unwrap();
        let text = format!(
            "[inputs]\ndeclarations = ['d.geojson']\nstac = ['{}']\n[compare]\nwhich = 'every-consecutive-pair'\n",
            items.display()
        );
        let path = folder.join("p.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn no_pair_of_real_imagery_is_refused() {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/imagery");
        let root = std::env::var_os("SITEWATCH_IMAGERY").map_or(beside, PathBuf::from);
        let Ok(sets) = std::fs::read_dir(&root) else {
            println!("skipped: no {}", root.display());
            return;
        };
        crate::io::prepare();
        for items in sets
            .flatten()
            .map(|set| set.path().join("items.json"))
            .filter(|path| path.is_file())
        {
            let folder = tempfile::tempdir().unwrap();
            let config = Config::read(&pipeline(&items, folder.path())).unwrap();
            let inputs = inputs::gather(&config).unwrap_or_else(|faults| panic!("{}: {faults:?}", items.display()));
            let blocks = Arc::new(Blocks::new(Arc::new(Pool::new(formats::allowed(&[]))), 64 << 20));
            let (mut looked, mut refusals) = (0, Vec::new());
            for plan in plan_sites(&config, &inputs).into_iter().flatten() {
                let Some(ground) = &plan.ground else { continue };
                for pair in &plan.pairs {
                    let sources = pair.dates().into_iter().map(|date| {
                        let target = Target {
                            grid: &ground.grid,
                            margin: ground.margin_px,
                            moved: &Affine::IDENTITY,
                        };
                        Mosaic::new(date, &target, &pair.bands, &inputs.infos, &blocks)
                    });
                    let sources = sources.collect::<Result<Vec<_>, _>>().unwrap();
                    let dates: Vec<Vec<Piece<'_>>> = pair
                        .scenes()
                        .into_iter()
                        .zip(&sources)
                        .map(|(scene, source)| {
                            vec![Piece {
                                scene,
                                source: Spared::of(source, pair.bands.len(), None),
                            }]
                        })
                        .collect();
                    refusals.extend(refused(&dates, pair, &pair.bands, &inputs.infos, &ground.grid).unwrap());
                    looked += 1;
                }
            }
            println!("{}: {looked} pairs", items.display());
            assert_eq!(refusals, [] as [&str; 0], "{}", items.display());
        }
    }
}
