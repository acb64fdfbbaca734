//! Which formats get in: every driver that is installed, under an innocent name, and what is opened, written or called meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use gdal::raster::{Buffer, RasterCreationOptions};
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, Driver, DriverManager, Metadata};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use sitewatch::io::formats::{Format, USUAL};
use sitewatch::io::{IoError, open};

/// Drivers that say they write and make no file of any of the sources here: they want a service (NGW, PostGISRaster, WMS, WMTS), write folders
/// (ADRG, MFF2, Zarr), or take grids of another shape only. Any other driver that makes none fails the test.
const NOT_WRITTEN: [&str; 17] = [
    "ADRG",
    "ARG",
    "BLX",
    "BYN",
    "CTable2",
    "DTED",
    "LCP",
    "Leveller",
    "MFF2",
    "NGW",
    "NTv2",
    "PostGISRaster",
    "SRTMHGT",
    "Terragen",
    "WMS",
    "WMTS",
    "Zarr",
];

/// Registers every driver that is installed once more: the program has left few.
fn all_drivers() -> Vec<Driver> {
    sitewatch::io::prepare();
    DriverManager::register_all();
    DriverManager::all().collect()
}

/// A raster of 64 x 64 pixels in memory.
fn small<T: gdal::raster::GdalType + Copy>(code: u32, pixel: f64, value: impl Fn(usize) -> T) -> Dataset {
    let memory = DriverManager::get_driver_by_name("MEM").unwrap();
    let mut dataset = memory.create_with_band_type::<T, _>("", 64, 64, 1).unwrap();
    let crs = SpatialRef::from_epsg(code).unwrap();
    dataset.set_spatial_ref(&crs).unwrap();
    let (x, y) = if code == 4326 {
        (14.0, 48.0)
    } else {
        (500_000.0, 5_000_000.0)
    };
    dataset.set_geo_transform(&[x, pixel, 0.0, y, 0.0, -pixel]).unwrap();
    let mut pixels = Buffer::new((64, 64), (0..4096).map(value).collect());
    dataset
        .rasterband(1)
        .unwrap()
        .write((0, 0), (64, 64), &mut pixels)
        .unwrap();
    dataset
}

/// As [`small`], in three bands of bytes.
fn coloured() -> Dataset {
    let memory = DriverManager::get_driver_by_name("MEM").unwrap();
    let mut dataset = memory.create_with_band_type::<u8, _>("", 64, 64, 3).unwrap();
    dataset.set_spatial_ref(&SpatialRef::from_epsg(4326).unwrap()).unwrap();
    dataset
        .set_geo_transform(&[14.0, 0.001, 0.0, 48.0, 0.0, -0.001])
        .unwrap();
    dataset
}

/// What happens in folders while something is done.
struct Watch {
    fd: std::os::fd::OwnedFd,
}

impl Watch {
    fn on(folders: &[&Path]) -> Self {
        let fd = inotify::init(CreateFlags::NONBLOCK).unwrap();
        let kinds = WatchFlags::OPEN | WatchFlags::CREATE | WatchFlags::MODIFY | WatchFlags::DELETE;
        for folder in folders {
            inotify::add_watch(&fd, *folder, kinds).unwrap();
        }
        Self { fd }
    }

    /// Names of the files that were opened, and of those that were made or changed.
    fn seen(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut room = [MaybeUninit::uninit(); 65_536];
        let mut reader = Reader::new(&self.fd, &mut room);
        let (mut opened, mut changed) = (BTreeSet::new(), BTreeSet::new());
        while let Ok(event) = reader.next() {
            let Some(name) = event.file_name() else { continue };
            let name = name.to_string_lossy().into_owned();
            match event.events().intersects(ReadFlags::OPEN) {
                true => opened.insert(name),
                false => changed.insert(name),
            };
        }
        (opened, changed)
    }
}

/// What `work` gives while drivers find the headers of what they have just made: the program hides them.
fn with_headers<T>(work: impl FnOnce() -> T) -> T {
    const KEY: &str = "GDAL_DISABLE_READDIR_ON_OPEN";
    gdal::config::set_thread_local_config_option(KEY, "NO").unwrap();
    let result = work();
    gdal::config::clear_thread_local_config_option(KEY).unwrap();
    result
}

/// Makes `folder/scene.tif` and what belongs to it with `driver`; whether it did.
fn made(driver: &Driver, sources: &[Dataset], folder: &Path) -> bool {
    let extension = driver.metadata_item("DMD_EXTENSION", "").unwrap_or_default();
    let target = folder.join("scene.tif");
    // Some drivers write under a name of their own ending only, and state none or several.
    let endings = ["tif", extension.as_str(), "mpr", "sdat", "dem", "kml"];
    for source in sources {
        for name in endings.map(|ending| format!("scene.{ending}")) {
            fs::remove_dir_all(folder).unwrap();
            fs::create_dir(folder).unwrap();
            let options = RasterCreationOptions::new();
            let Ok(copy) = source.create_copy(driver, folder.join(&name), &options) else {
                continue;
            };
            if copy.close().is_err() {
                continue;
            }
            let path = folder.join(&name);
            if path != target && path.is_file() {
                fs::rename(&path, &target).unwrap();
            }
            if target.is_file() && fs::metadata(&target).unwrap().len() > 0 {
                return true;
            }
        }
    }
    false
}

#[test]
fn of_all_drivers_only_the_allowed_are_read() {
    let drivers = all_drivers();
    let sources = [
        small(32633, 10.0, |i| i as u16),
        small(32633, 10.0, |i| (i % 251) as u8),
        small(32633, 10.0, |i| i as f32),
        small(4326, 1.0 / 1200.0, |i| i as i16),
        small(4326, 1.0 / 1200.0, |i| i as f32),
        coloured(),
    ];
    let home = tempfile::tempdir().unwrap();
    let (mut read, mut refused, mut unwritten) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for driver in &drivers {
        let name = driver.short_name();
        let can = |capability: &str| driver.metadata_item(capability, "").as_deref() == Some("YES");
        if !can("DCAP_RASTER") || !(can("DCAP_CREATE") || can("DCAP_CREATECOPY")) || name == "MEM" {
            continue;
        }
        let folder = home.path().join(&name);
        fs::create_dir(&folder).unwrap();
        if !with_headers(|| made(driver, &sources, &folder)) {
            unwritten.insert(name);
            continue;
        }
        let watch = Watch::on(&[&folder]);
        let result = open::open(&folder.join("scene.tif"), USUAL);
        let (opened, changed) = watch.seen();
        let beside: Vec<_> = opened
            .iter()
            .filter(|n| !["scene.tif", "scene.hdr", "scene.tif.hdr"].contains(&n.as_str()))
            .collect();
        assert!(
            beside.is_empty() && changed.is_empty(),
            "{name}: opened {opened:?}, changed {changed:?}"
        );
        match result {
            Ok(_) => drop(read.insert(name)),
            Err(IoError::Open { message, .. }) => {
                assert!(
                    message.contains("it is ") || message.contains("is not ENVI's"),
                    "{name}: {message}"
                );
                refused.insert(name);
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
    let expected: BTreeSet<String> = ["COG", "ENVI", "GTiff", "JP2OpenJPEG"].map(str::to_owned).into();
    assert_eq!(read, expected, "refused {refused:?}, not written {unwritten:?}");
    let known: BTreeSet<String> = NOT_WRITTEN.map(str::to_owned).into();
    let unknown: Vec<_> = unwritten.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "not written, and not known as such: {unknown:?}; refused: {refused:?}"
    );
    assert!(refused.len() >= 30, "{refused:?}");
}

#[test]
fn files_that_name_another_file_or_an_address_are_refused_by_name() {
    all_drivers();
    let home = tempfile::tempdir().unwrap();
    let [folder, decoys] = ["scenes", "decoys"].map(|name| home.path().join(name));
    [&folder, &decoys]
        .iter()
        .for_each(|folder| fs::create_dir(folder).unwrap());
    let decoy = decoys.join("secret.dat");
    fs::write(&decoy, [7_u8; 8192]).unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let (d, url) = (
        decoy.display().to_string(),
        format!("http://{}", server.local_addr().unwrap()),
    );
    let made = decoys.join("made").display().to_string();
    let binary = |head: &[u8]| [head, d.as_bytes(), &[0; 600]].concat();
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("MRF", format!("<MRF_META><CachedSource><Source>{d}</Source></CachedSource><Raster><Size x='64' y='64' c='1'/><DataFile>{made}.dat</DataFile><IndexFile>{made}.idx</IndexFile></Raster></MRF_META>").into()),
        ("a VRT", format!("<VRTDataset rasterXSize='9' rasterYSize='9'><VRTRasterBand dataType='Byte' band='1'><SimpleSource><SourceFilename>{d}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>").into()),
        ("a VRT", format!("<VRTDataset rasterXSize='9' rasterYSize='9'><VRTRasterBand dataType='Byte' band='1'><SimpleSource><SourceFilename>/vsicurl/{url}/a.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>").into()),
        ("DIMAP", format!("<?xml version='1.0'?><Dimap_Document><Data_Access><Data_File><DATA_FILE_PATH href='{d}'/></Data_File></Data_Access></Dimap_Document>").into()),
        ("ILWIS", format!("[Ilwis]\nType=RasterMap\n[MapStore]\nData={d}\n").into()),
        ("PCIDSK", binary(b"PCIDSK  SDMS V3.0")),
        ("HDF4", binary(b"\x0e\x03\x13\x01")),
        ("HDF5", binary(b"\x89HDF\r\n\x1a\n")),
        ("netCDF", binary(b"CDF\x01")),
        ("NITF", binary(b"NITF02.10")),
        ("ERS", format!("DatasetHeader Begin\n\tDataFile = \"{d}\"\nDatasetHeader End\n").into()),
        ("EIR", format!("IMAGINE_RAW_FILE\nWIDTH 64\nHEIGHT 64\nPIXEL_FILES {d}\n").into()),
        ("MAP", format!("OziExplorer Map Data File Version 2.2\na\n{d}\n").into()),
        ("ISIS3", format!("Object = IsisCube\n  Object = Core\n    ^Core = {d}\n").into()),
        ("PDS", format!("PDS_VERSION_ID = PDS3\n^IMAGE = \"{d}\"\n").into()),
        ("PDS4", format!("<Product_Observational><File_Area_Observational><File><file_name>{d}</file_name></File></File_Area_Observational></Product_Observational>").into()),
        ("TIL", format!("numTiles = 1;\nfilename = \"{d}\";\n").into()),
        ("RS2", format!("<product xmlns='http://www.rsi.ca/rs2/prod/xml/schemas'><imageAttributes><fullResolutionImageData>{d}</fullResolutionImageData></imageAttributes></product>").into()),
        ("TSX", format!("<level1Product><productComponents><imageData><file><location><filename>{d}</filename></location></file></imageData></productComponents></level1Product>").into()),
        ("SAFE", format!("<xfdu:XFDU><fileLocation href='{d}'/></xfdu:XFDU>").into()),
        ("ISCE", format!("<imageFile><property name='file_name'><value>{d}</value></property></imageFile>").into()),
        ("WMS", format!("<GDAL_WMS><Service name='TMS'><ServerUrl>{url}/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service><DataWindow><UpperLeftX>0</UpperLeftX></DataWindow></GDAL_WMS>").into()),
        ("WMTS", format!("<GDAL_WMTS><GetCapabilitiesUrl>{url}</GetCapabilitiesUrl></GDAL_WMTS>").into()),
        ("WCS", format!("<WCS_GDAL><ServiceURL>{url}</ServiceURL><CoverageName>a</CoverageName></WCS_GDAL>").into()),
        ("KMLSUPEROVERLAY", format!("<kml><GroundOverlay><Icon><href>{url}/a.png</href></Icon></GroundOverlay></kml>").into()),
        ("STACTA or STACIT", format!("{{\"stac_version\": \"1.0.0\", \"stac_extensions\": [\"tiled-assets\"], \"assets\": {{\"a\": {{\"href\": \"{url}/a.tif\"}}}}}}").into()),
        ("XML", format!("<unheard_of href='{d}'/>").into()),
    ];
    let scene = folder.join("scene.tif");
    for (name, bytes) in files {
        fs::write(&scene, &bytes).unwrap();
        let told = refusal(&scene, &[&folder, &decoys], &["scene.tif"]);
        let rest = told.split_once(&format!("it is {name}")).map(|(_, rest)| rest);
        assert!(rest.is_some_and(|rest| rest.starts_with([',', ' '])), "{name}: {told}");
    }
    // Raw pixels whose header is another program's.
    fs::write(&scene, [0x81_u8; 4096]).unwrap();
    fs::write(folder.join("scene.hdr"), "NROWS 64\nNCOLS 64\nNBITS 8\n").unwrap();
    assert!(refusal(&scene, &[&folder, &decoys], &["scene.tif", "scene.hdr"]).contains("EHdr"));
    assert_eq!(
        server.accept().unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "somebody called"
    );
}

/// Why `scene` is refused, when nothing in `folders` was changed and none but the files `may` opened.
fn refusal(scene: &Path, folders: &[&Path], may: &[&str]) -> String {
    let watch = Watch::on(folders);
    let told = open::info(scene, USUAL).unwrap_err().to_string();
    let (opened, changed) = watch.seen();
    assert!(opened.contains("scene.tif"), "the watch sees nothing: {opened:?}");
    assert!(
        opened.iter().all(|name| may.contains(&name.as_str())) && changed.is_empty(),
        "{told}: opened {opened:?}, changed {changed:?}"
    );
    told
}

#[test]
fn erdas_imagine_is_read_when_asked_for_and_in_one_file() {
    sitewatch::io::prepare();
    let home = tempfile::tempdir().unwrap();
    let driver = DriverManager::get_driver_by_name("HFA").unwrap();
    let source = small(32633, 10.0, |i| i as u16);
    let [one, spilt] = ["one.img", "spilt.img"].map(|name| home.path().join(name));
    source
        .create_copy(&driver, &one, &RasterCreationOptions::new())
        .unwrap()
        .close()
        .unwrap();
    let mut options = RasterCreationOptions::new();
    options.set_name_value("USE_SPILL", "YES").unwrap();
    source.create_copy(&driver, &spilt, &options).unwrap().close().unwrap();
    let told = open::info(&one, USUAL).unwrap_err().to_string();
    assert!(told.contains("inputs.formats = [\"HFA\"]"), "{told}");
    assert_eq!(
        open::info(&one, &[Format::Hfa]).unwrap().files,
        std::slice::from_ref(&one)
    );
    let watch = Watch::on(&[home.path()]);
    let told = open::info(&spilt, &[Format::Hfa]).unwrap_err().to_string();
    assert!(
        told.contains("names another file") && told.contains("ExternalRasterDMS"),
        "{told}"
    );
    assert!(!watch.seen().0.contains("spilt.ige"));
}

/// Whatever lies beside a raster that is read, only what `RasterInfo.files` has is opened.
#[test]
fn no_side_file_is_opened_but_those_that_are_recorded() {
    sitewatch::io::prepare();
    let source = small(32633, 10.0, |i| i as u16);
    for (driver, format) in [
        ("GTiff", Format::GTiff),
        ("JP2OpenJPEG", Format::Jp2),
        ("ENVI", Format::Envi),
        ("HFA", Format::Hfa),
    ] {
        let home = tempfile::tempdir().unwrap();
        let scene = home.path().join("scene.dat");
        let mut options = RasterCreationOptions::new();
        if format == Format::Jp2 {
            // Else the name's ending asks for a bare codestream, which has no room for a place.
            options.set_name_value("CODEC", "JP2").unwrap();
        }
        let driver_found = DriverManager::get_driver_by_name(driver).unwrap();
        with_headers(|| {
            source
                .create_copy(&driver_found, &scene, &options)
                .unwrap()
                .close()
                .unwrap()
        });
        let bytes = fs::read(&scene).unwrap();
        for name in [
            "scene.dat.ovr",
            "scene.dat.aux",
            "scene.aux",
            "scene.tfw",
            "scene.wld",
            "scene.j2w",
            "scene.tab",
            "scene.rrd",
            "scene.RPB",
            "scene.IMD",
            "scene_rpc.txt",
            "scene.sta",
        ] {
            fs::write(home.path().join(name), &bytes).unwrap();
        }
        // These two count: they are recorded.
        fs::write(home.path().join("scene.dat.aux.xml"), "<PAMDataset/>").unwrap();
        let mask = small(32633, 10.0, |_| 255_u8);
        let tiff = DriverManager::get_driver_by_name("GTiff").unwrap();
        let copied = mask.create_copy(&tiff, home.path().join("scene.dat.msk"), &RasterCreationOptions::new());
        copied.unwrap().close().unwrap();
        let watch = Watch::on(&[home.path()]);
        let info = open::info(&scene, &[format]).unwrap_or_else(|error| panic!("{driver}: {error}"));
        let dataset = open::open(&scene, &[format]).unwrap();
        dataset
            .rasterband(1)
            .unwrap()
            .read_as::<u16>((0, 0), (64, 64), (64, 64), None)
            .unwrap();
        let (opened, changed) = watch.seen();
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let recorded: BTreeSet<String> = info.files.iter().map(name).collect();
        assert_eq!(opened, recorded, "{driver}");
        assert!(changed.is_empty(), "{driver}: {changed:?}");
    }
}
