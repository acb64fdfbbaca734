//! What the benches share: a pair seen through the chain, and a sample of it to fit detectors to.

use sitewatch::config::Config;
use sitewatch::engine::sample;
use sitewatch::engine::stack::StackReader;
use sitewatch::geo::{Grid, Rect, Shape};
use sitewatch::plan::reach::Clouds;
use sitewatch::raster::PixelSource;
use sitewatch::stage::detect::{self, Cell, Context, Detector, Scorer, WIDEST_HALO};
use sitewatch::stage::normalise::{self, SensorNoise};

/// Dates of one site.
pub struct Watched<'a> {
    /// Oldest first.
    pub dates: Vec<&'a dyn PixelSource>,
    /// Names of the bands.
    pub bands: &'a [String],
    /// The site grid.
    pub grid: &'a Grid,
    /// The whole grid.
    pub boundary: &'a Shape,
    /// Parameters.
    pub config: &'a Config,
}

impl Watched<'_> {
    /// The dates, as the passes of a run look at them.
    pub fn reader(&self) -> StackReader<'_> {
        StackReader {
            dates: self.dates.clone(),
            bands: self.bands,
            compared: self.bands.len(),
            clouds: Clouds::Stated,
            grid: self.grid,
            boundary: self.boundary,
            screen: &self.config.screen,
        }
    }

    /// What is seen of 16 cells of 128 pixels, evenly over the grid.
    pub fn survey(&self) -> Vec<Cell> {
        let (reader, whole) = (self.reader(), self.grid.rect());
        let place = |i: usize, length: usize| (i * (length - 128) / 3) as i64;
        let cells = (0..16).map(|i| Rect::new(place(i % 4, whole.w), place(i / 4, whole.h), 128, 128));
        cells
            .map(|core| Cell {
                core,
                stack: reader.tile(&core, WIDEST_HALO).unwrap().stack,
            })
            .collect()
    }

    /// `detector` fitted to `cells`.
    pub fn scorer(&self, detector: Detector, cells: &[Cell], radar: bool) -> Box<dyn Scorer> {
        let sample = sample::pixels(cells, &self.config.detect);
        let noise = vec![SensorNoise::default(); self.bands.len()];
        let fits = normalise::fit(&sample, &noise, &self.config.normalise).unwrap().bands;
        let context = Context {
            fits: &fits,
            noise: &noise,
            visible: self.bands.iter().map(|name| name != "nir").collect(),
            radar,
            indices: false,
            days: (0..self.dates.len()).map(|i| 18_800.0 + 12.0 * i as f64).collect(),
            shift_px: self.config.detect.misregistration_px,
            params: &self.config.detect,
        };
        detect::fit(detector, cells, &sample, &context).unwrap()
    }
}

/// The rectangle of `grid` as a shape.
pub fn whole(grid: &Grid) -> Shape {
    let (right, bottom) = (grid.width as f64, grid.height as f64);
    let corners = geo::Rect::new((0.0, 0.0), (right, bottom));
    Shape::new(geo::MultiPolygon(vec![corners.to_polygon()]))
}
