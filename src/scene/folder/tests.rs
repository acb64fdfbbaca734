use super::*;
use crate::raster::flags;
use crate::scene::{Kind, Unit};

fn folder(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    dir
}

fn spec(dir: &tempfile::TempDir, glob: &str, pattern: &str) -> FolderParams {
    FolderParams {
        glob: format!("{}/{glob}", dir.path().display()),
        base: PathBuf::new(),
        bands: vec!["red".into(), "nir".into()],
        nodata: None,
        scale: None,
        offset: None,
        unit: None,
        sensor: None,
        date_pattern: Some(pattern.into()),
        date_format: None,
        date_tag: None,
        quality_band: None,
        quality_file: None,
    }
}

fn no_tag(_: &Path, _: &str) -> Result<Option<String>, String> {
    Ok(None)
}

fn read(spec: &FolderParams) -> Catalogue {
    read_folder(spec, &Sensors::embedded().unwrap(), &no_tag).unwrap()
}

fn times(catalogue: &Catalogue) -> Vec<String> {
    catalogue
        .scenes
        .iter()
        .map(|scene| format!("{} {}/{}", scene.id, scene.start, scene.end))
        .collect()
}

#[test]
fn the_date_is_in_the_name() {
    let dir = folder(&["LS20010626.tif", "LS20010525.tif", "LS20011325.tif", "readme.tif"]);
    let catalogue = read(&spec(&dir, "*.tif", r"LS(\d{8})"));
    assert_eq!(
        times(&catalogue),
        [
            "LS20010525 2001-05-25T00:00:00Z/2001-05-25T23:59:59Z",
            "LS20010626 2001-06-26T00:00:00Z/2001-06-26T23:59:59Z"
        ]
    );
    let scene = &catalogue.scenes[0];
    assert_eq!(
        (
            scene.sensor.as_str(),
            scene.bands[1].name.as_str(),
            scene.bands[1].index,
            scene.bands[1].scale
        ),
        ("generic", "nir", 2, 1.0)
    );
    let reasons: Vec<&str> = catalogue
        .refused
        .iter()
        .map(|refusal| refusal.reason.as_str())
        .collect();
    assert!(
        reasons[0].contains("`20011325` in its name is no date as `%Y%m%d`"),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("does not match"), "{reasons:?}");
}

#[test]
fn the_date_is_in_a_tag() {
    let dir = folder(&["a.tif", "b.tif", "c.tif", "d.tif", "e.tif"]);
    let mut spec = spec(&dir, "*.tif", "");
    (spec.date_pattern, spec.date_tag) = (None, Some("TIFFTAG_DATETIME".into()));
    let tags = |path: &Path, tag: &str| {
        assert_eq!(tag, "TIFFTAG_DATETIME");
        match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("a") => Ok(Some("2001:05:25 10:11:12".to_string())),
            Some("b") => Ok(Some("2002-05-25T10:11:12+02:00".to_string())),
            Some("c") => Ok(Some("yesterday".to_string())),
            Some("d") => Ok(None),
            _ => Err("broken".to_string()),
        }
    };
    let catalogue = read_folder(&spec, &Sensors::embedded().unwrap(), &tags).unwrap();
    assert_eq!(
        times(&catalogue),
        [
            "a 2001-05-25T10:11:12Z/2001-05-25T10:11:12Z",
            "b 2002-05-25T08:11:12Z/2002-05-25T08:11:12Z"
        ]
    );
    let reasons: Vec<&str> = catalogue
        .refused
        .iter()
        .map(|refusal| refusal.reason.as_str())
        .collect();
    let unreadable: Vec<bool> = catalogue.refused.iter().map(|refusal| refusal.unreadable).collect();
    assert_eq!(unreadable, [false, false, true]);
    assert!(
        reasons[0].contains("`yesterday`") && reasons[1].contains("has no tag") && reasons[2].contains("broken"),
        "{reasons:?}"
    );
}

#[test]
fn a_band_that_is_a_mask_by_its_name_is_never_compared() {
    let dir = folder(&["20200105.tif"]);
    let mut spec = spec(&dir, "*.tif", r"(\d{8})");
    let of = |spec: &FolderParams| read_folder(spec, &Sensors::embedded().unwrap(), &|_, _| Ok(None));
    spec.bands = ["B02", "SCL", "B04"].map(str::to_owned).into();
    spec.sensor = Some("sentinel-2-l2a".into());
    let scene = of(&spec).unwrap().scenes.remove(0);
    let bands: Vec<_> = scene
        .bands
        .iter()
        .map(|band| (band.name.as_str(), band.index))
        .collect();
    assert_eq!(bands, [("blue", 1), ("red", 3)]);
    let [mask] = &scene.quality[..] else { panic!() };
    assert_eq!((mask.index, mask.path == scene.source, scene.notes.len()), (2, true, 0));
    assert_eq!(mask.coding.decode(9.0), flags::CLOUD);
    // Without the sensor nobody tells what it means.
    spec.sensor = None;
    let scene = of(&spec).unwrap().scenes.remove(0);
    assert_eq!((scene.bands.len(), scene.quality.len()), (2, 0));
    assert!(
        scene
            .notes
            .iter()
            .any(|note| note.contains("its band SCL is a mask by its name")),
        "{:?}",
        scene.notes
    );
    spec.bands = vec!["SCL".into()];
    assert!(of(&spec).unwrap_err().to_string().contains("masks by their names"));
}

#[test]
fn a_sensor_gives_names_scale_and_quality_coding() {
    let dir = folder(&[
        "2020/S2_20200105_MS.tif",
        "2020/S2_20200105_SCL.tif",
        "2021/S2_20210105_MS.tif",
    ]);
    let mut spec = spec(&dir, "*/*.tif", r"_(\d{8})_");
    spec.bands = vec!["B04".into(), "B08".into()];
    spec.sensor = Some("sentinel-2-l2a".into());
    spec.quality_file = Some(["_MS".into(), "_SCL".into()]);
    let catalogue = read(&spec);
    let [scene] = &catalogue.scenes[..] else {
        panic!("{catalogue:?}")
    };
    assert_eq!(scene.id, "2020-S2_20200105_MS");
    assert_eq!(
        (
            scene.bands[0].name.as_str(),
            scene.bands[0].scale,
            scene.bands[0].nodata.clone()
        ),
        ("red", 0.0001, vec![0.0])
    );
    assert_eq!(scene.quality[0].coding.decode(9.0), flags::CLOUD);
    assert!(
        catalogue.refused[0]
            .reason
            .contains("S2_20210105_SCL.tif does not exist")
    );
    // A scale of one's own takes the sensor's offset and saturation away.
    spec.scale = Some(1.0);
    assert_eq!(read(&spec).scenes[0].bands[0].saturated, None);
}

#[test]
fn radar_is_in_the_unit_that_is_stated() {
    let dir = folder(&["a_20200101.tif"]);
    let mut spec = spec(&dir, "*", r"_(\d{8})");
    spec.bands = vec!["VV".into()];
    let mut decibel = |sensor: &str, unit: Option<Unit>| {
        (spec.sensor, spec.unit) = (Some(sensor.into()), unit);
        let scene = read(&spec).scenes.remove(0);
        (scene.kind, scene.bands[0].decibel)
    };
    assert_eq!(decibel("sentinel-1-rtc", None), (Kind::Sar, true));
    assert_eq!(decibel("sentinel-1-rtc", Some(Unit::Decibel)), (Kind::Sar, false));
    assert_eq!(decibel("generic", None), (Kind::Sar, false));
    assert_eq!(decibel("generic", Some(Unit::Decibel)), (Kind::Sar, false));
    assert_eq!(decibel("generic", Some(Unit::Linear)), (Kind::Sar, true));
    (spec.sensor, spec.unit) = (Some("sentinel-2-l2a".into()), Some(Unit::Decibel));
    let error = read_folder(&spec, &Sensors::embedded().unwrap(), &no_tag)
        .unwrap_err()
        .to_string();
    assert!(error.contains("unit: \"decibel\" is of radar backscatter"), "{error}");
}

#[test]
fn a_folder_without_a_sensor_is_told_of() {
    let dir = folder(&["a_20200101.tif"]);
    let mut spec = spec(&dir, "*", r"_(\d{8})");
    assert!(read(&spec).scenes[0].notes[0].contains("no sensor is named"));
    spec.sensor = Some("sentinel-2-l2a".into());
    assert!(read(&spec).scenes[0].notes.is_empty());
}

#[test]
fn a_file_whose_name_tells_another_band_is_refused() {
    let dir = folder(&[
        "T31UDQ_20210605T105619_B04_10m.jp2",
        "T31UDQ_20210605T105619_B8A_20m.jp2",
        "20210606_nir.tif",
        "red_river_20210607.tif",
        "LC08_20210608_SR_B4.tif",
        "20210609.tif",
    ]);
    let mut spec = spec(&dir, "*", r"(\d{8})");
    spec.bands = vec!["red".into()];
    let refused = |spec: &FolderParams| {
        let refused = read(spec).refused;
        refused.into_iter().map(|one| one.reason).collect::<Vec<_>>()
    };
    let reasons = refused(&spec);
    assert!(
        reasons[0].contains("holds `nir`, not `red`") && reasons[1].contains("holds B8A (`nir08`), not `red`"),
        "{reasons:?}"
    );
    assert_eq!(reasons.len(), 2);
    // The sensor's own table decides where one is named.
    spec.sensor = Some("landsat-8-9-c2l2".into());
    assert_eq!(refused(&spec), [] as [&str; 0]);
    spec.sensor = Some("sentinel-2-l2a".into());
    assert_eq!(refused(&spec).len(), 2);
    spec.bands = vec!["B8A".into()];
    assert_eq!(refused(&spec).len(), 3);
    // The name of a stack tells no band.
    spec.bands.push("red".into());
    assert_eq!(refused(&spec), [] as [&str; 0]);
}

#[test]
fn what_should_be_readable_is_told_from_what_is_refused_by_rule() {
    let dir = folder(&["a_20200101.tif", "b.tif"]);
    std::os::unix::fs::symlink(dir.path().join("gone"), dir.path().join("c_20200102.tif")).unwrap();
    std::os::unix::fs::symlink("/dev/null", dir.path().join("d_20200103.tif")).unwrap();
    let catalogue = read(&spec(&dir, "*", r"_(\d{8})"));
    let refused: Vec<(&str, bool)> = catalogue
        .refused
        .iter()
        .map(|refusal| (refusal.id.as_str(), refusal.unreadable))
        .collect();
    assert_eq!(refused, [("b", false), ("c_20200102", true), ("d_20200103", false)]);
    assert_eq!(catalogue.scenes.len(), 1);
}

#[test]
fn a_name_that_would_break_a_line_is_refused_and_told_escaped() {
    let dir = folder(&["a_20200101.tif", "b\x1b[2J\n_20200102.tif"]);
    let catalogue = read(&spec(&dir, "*", r"_(\d{8})"));
    assert_eq!(catalogue.scenes.len(), 1);
    let refusal = &catalogue.refused[0];
    assert_eq!(refusal.id, r"b\u{1b}[2J\n_20200102");
    assert!(
        refusal.reason.contains("U+001B") && !refusal.unreadable,
        "{}",
        refusal.reason
    );
}

#[test]
fn one_id_twice_is_refused_naming_both() {
    let dir = folder(&["a_20200101.jp2", "a_20200101.tif"]);
    let catalogue = read(&spec(&dir, "*", r"_(\d{8})"));
    assert_eq!(catalogue.scenes.len(), 1);
    let reason = &catalogue.refused[0].reason;
    assert!(
        reason.contains("a_20200101.jp2 (used)") && reason.contains("a_20200101.tif (refused)"),
        "{reason}"
    );
}

#[test]
fn a_glob_that_no_file_matches_is_refused_by_name() {
    let dir = folder(&["a_20200101.tif"]);
    let catalogue = read(&spec(&dir, "*.png", r"_(\d{8})"));
    let [refusal] = &catalogue.refused[..] else {
        panic!("{catalogue:?}")
    };
    assert!(catalogue.scenes.is_empty() && refusal.unreadable && refusal.id.ends_with("/*.png"));
    assert!(refusal.reason.starts_with("no file matches"), "{refusal:?}");
}

#[test]
fn a_wrong_description_is_an_error() {
    let dir = folder(&["a_20200101.tif"]);
    let good = spec(&dir, "*", r"_(\d{8})");
    let error = |change: &dyn Fn(&mut FolderParams)| {
        let mut spec = good.clone();
        change(&mut spec);
        read_folder(&spec, &Sensors::embedded().unwrap(), &no_tag)
            .unwrap_err()
            .to_string()
    };
    assert!(error(&|spec| spec.glob.push_str("/[")).contains("glob"));
    assert!(error(&|spec| spec.bands.clear()).contains("bands: expected the names"));
    assert!(error(&|spec| spec.bands[1] = "red".into()).contains("given twice"));
    assert!(error(&|spec| spec.bands[1] = "n\u{202e}ir".into()).contains("U+202E"));
    assert!(error(&|spec| spec.sensor = Some("sentinel-2-l2b".into())).contains("did you mean 'sentinel-2-l2a'?"));
    assert!(error(&|spec| spec.scale = Some(0.0)).contains("other than 0"));
    let pattern = |text: &str| error(&|spec| spec.date_pattern = Some(text.into()));
    assert!(pattern(r"\d{8}").contains("expected one group"));
    assert!(pattern(r"(\d").contains("date.file_name.pattern"));
    assert!(pattern(r"(?<yaer>\d{4})").contains("unknown group `yaer`"));
}
