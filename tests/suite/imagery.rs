//! Real imagery, where it is present beside the repository (`../shared/imagery`, or SITEWATCH_IMAGERY): runs that the tests share.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sitewatch::config::Config;
use sitewatch::finding::SiteReport;
use sitewatch::lab::evaluate::{Coding, PixelFigures, evaluate};

use super::common::{root, survey};

/// The folder of the imagery; `None`, said aloud, where it is absent.
pub fn imagery() -> Option<PathBuf> {
    let folder = std::env::var_os("SITEWATCH_IMAGERY").map_or_else(|| root().join("../shared/imagery"), PathBuf::from);
    if folder.join("oscd/items.json").exists() {
        return Some(folder);
    }
    eprintln!("skipped: no imagery at {}", folder.display());
    None
}

/// Runs `tests/imagery/{name}.toml` into `out`, with `change` made to its parameters.
pub fn run(name: &str, out: &Path, imagery: &Path, change: impl FnOnce(&mut Config)) {
    let outcome = survey(&root().join(format!("tests/imagery/{name}.toml")), out, |config| {
        let beside = root().join("tests/imagery/../../../shared/imagery");
        let moved = |path: &Path| match path.strip_prefix(&beside) {
            Ok(inside) => imagery.join(inside),
            Err(_) => path.to_owned(),
        };
        config.inputs.change_paths(moved);
        change(config);
    });
    for site in outcome.sites {
        assert_eq!(site.error, None, "{name}, site {}", site.site);
    }
}

/// The sites' reports under `out`, by their folders' names.
pub fn reports(out: &Path) -> Vec<SiteReport> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(out).unwrap().flatten().map(|e| e.path()).collect();
    folders.sort();
    let found = folders.iter().map(|folder| folder.join("report.json"));
    found
        .filter(|path| path.exists())
        .map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        .collect()
}

/// Figures of the pixels of the report in `folder` against the raster `truth`.
pub fn figures(truth: PathBuf, folder: PathBuf) -> PixelFigures {
    evaluate(&[truth], Coding::default(), &[folder]).unwrap().overall.pixels
}

/// A labelled city: its report and how good it is.
pub struct City {
    pub report: SiteReport,
    pub figures: PixelFigures,
}

impl City {
    /// The F1 of what was claimed, as a part of the best that any cutoff on the score would give.
    pub fn reached(&self) -> f64 {
        self.figures.claimed.f1.map_or(0.0, |f1| f1.value) / self.figures.best_f1.unwrap().value
    }
}

/// The six labelled cities under the pipeline `name`.
pub fn cities(name: &str) -> Option<Vec<City>> {
    let imagery = imagery()?;
    let out = tempfile::tempdir().unwrap();
    run(name, out.path(), &imagery, |_| {});
    let city = |report: SiteReport| {
        let truth = imagery.join(format!("oscd/{}/label.tif", report.site.id));
        let figures = figures(truth, out.path().join(&report.site.id));
        City { report, figures }
    };
    let found: Vec<City> = reports(out.path()).into_iter().map(city).collect();
    assert_eq!(found.len(), 6);
    Some(found)
}

/// The six cities at the default: surveyed once for all tests that look at them.
pub fn optical_cities() -> Option<&'static [City]> {
    static CITIES: OnceLock<Option<Vec<City>>> = OnceLock::new();
    CITIES.get_or_init(|| cities("oscd")).as_deref()
}

/// The mean of `figure` over `cities`.
pub fn mean(cities: &[City], figure: impl Fn(&City) -> f64) -> f64 {
    cities.iter().map(figure).sum::<f64>() / cities.len() as f64
}

/// One line a city, for what a failure says.
pub fn told(cities: &[City]) -> String {
    let line = |city: &City| {
        let figures = &city.figures;
        format!(
            "\n{}: AUROC {:.4}, average precision {:.4}, best F1 {:.4}, claimed {:?}",
            city.report.site.id,
            figures.auroc.unwrap().value,
            figures.average_precision.unwrap().value,
            figures.best_f1.unwrap().value,
            figures.claimed
        )
    };
    cities.iter().map(line).collect()
}
