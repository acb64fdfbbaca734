//! What is wrong with a recipe, beyond its syntax.

use std::collections::BTreeSet;

use crate::fault::Fault;

use super::recipe::{BOUNDS, Recipe, What};
use super::written::BoxM;

/// Every fault of the recipe, with the key where it lies.
pub(super) fn faults(recipe: &Recipe) -> Vec<Fault> {
    let mut checker = Checker(Vec::new());
    checker.scene(recipe);
    checker.ground(recipe);
    checker.dates(recipe);
    checker.0
}

struct Checker(Vec<Fault>);

impl Checker {
    fn require(&mut self, holds: bool, place: impl Into<String>, message: impl Into<String>) {
        if !holds {
            self.0.push(Fault::new(place, message));
        }
    }

    fn within(&mut self, value: f64, low: f64, high: f64, place: impl Into<String>) {
        let message = format!("expected {low} to {high}, found {value}");
        self.require(value >= low && value <= high, place, message);
    }

    fn edge(&mut self, px: usize, place: impl Into<String>) {
        let message = format!("expected 16 to {} pixels, found {px}", BOUNDS.0);
        self.require((16..=BOUNDS.0).contains(&px), place, message);
    }

    fn place(&mut self, [left, top, right, bottom]: BoxM, key: String) {
        let sane = [left, top, right, bottom].iter().all(|side| side.abs() < 1e7);
        let message = format!(
            "expected [left, top, right, bottom] in metres with left < right and top < bottom, found {left}, {top}, {right}, {bottom}"
        );
        self.require(sane && left < right && top < bottom, key, message);
    }

    fn shift(&mut self, shift: [f64; 2], key: &str) {
        for part in shift {
            self.within(part, -100.0, 100.0, key);
        }
    }

    fn scene(&mut self, recipe: &Recipe) {
        self.edge(recipe.width_px, "width_px");
        self.edge(recipe.height_px, "height_px");
        self.within(recipe.pixel_m, 0.1, 1000.0, "pixel_m");
        self.within(recipe.origin_m[0], -1e7, 1e7, "origin_m");
        self.within(recipe.origin_m[1], -2e7, 2e7, "origin_m");
        let distinct = recipe
            .bands
            .iter()
            .enumerate()
            .all(|(i, band)| !recipe.bands[..i].contains(band));
        self.require(
            !recipe.bands.is_empty() && distinct,
            "bands",
            "expected one band or more, each once",
        );
        let message = format!("expected 1 or 2, found {}", recipe.quality_every_px);
        self.require((1..=2).contains(&recipe.quality_every_px), "quality_every_px", message);
        let land = &recipe.land;
        self.within(land.field_m, 2.0 * recipe.pixel_m, 1e5, "land.field_m");
        self.within(land.forest_fraction, 0.0, 1.0, "land.forest_fraction");
        self.within(land.lake_fraction, 0.0, 1.0, "land.lake_fraction");
        self.within(land.variability, 0.0, 1.0, "land.variability");
        for (count, key) in [
            (land.towns, "land.towns"),
            (land.roads, "land.roads"),
            (land.rivers, "land.rivers"),
        ] {
            self.within(count as f64, 0.0, 500.0, key);
        }
        for (count, key) in [
            (recipe.sites.len(), "site"),
            (recipe.zones.len(), "zone"),
            (recipe.activities.len(), "activity"),
            (recipe.changes.len(), "change"),
            (recipe.dates.len(), "date"),
            (recipe.radar.len(), "sar"),
        ] {
            self.require(
                count <= BOUNDS.1,
                key,
                format!("expected at most {}, found {count}", BOUNDS.1),
            );
        }
        if let Some(grid) = &recipe.sites_grid {
            let message = format!("expected 1 to {} sites, found {} x {}", BOUNDS.1, grid.rows, grid.cols);
            self.require(grid.rows > 0 && grid.cols > 0 && grid.fits(), "sites_grid", message);
            self.within(grid.size_m, recipe.pixel_m, 1e5, "sites_grid.size_m");
        }
    }

    fn ground(&mut self, recipe: &Recipe) {
        let mut ids = BTreeSet::new();
        let listed = [
            ("site", recipe.sites.iter().map(|site| &site.id).collect::<Vec<_>>()),
            ("zone", recipe.zones.iter().map(|zone| &zone.id).collect()),
            (
                "activity",
                recipe.activities.iter().map(|activity| &activity.id).collect(),
            ),
        ];
        for (kind, names) in &listed {
            for (index, &id) in names.iter().enumerate() {
                let fresh = !id.is_empty() && ids.insert(id);
                self.require(
                    fresh,
                    format!("{kind}[{index}].id"),
                    format!("`{id}` is empty or taken; identifiers are used once"),
                );
            }
        }
        let known = |kind: usize, id: &String| listed[kind].1.contains(&id);
        for (index, site) in recipe.sites.iter().enumerate() {
            self.place(site.box_m, format!("site[{index}].box_m"));
        }
        for (index, zone) in recipe.zones.iter().enumerate() {
            self.place(zone.box_m, format!("zone[{index}].box_m"));
            self.require(
                known(0, &zone.site),
                format!("zone[{index}].site"),
                format!("no site `{}`", zone.site),
            );
        }
        for (index, activity) in recipe.activities.iter().enumerate() {
            let key = |name: &str| format!("activity[{index}].{name}");
            self.require(
                known(0, &activity.site),
                key("site"),
                format!("no site `{}`", activity.site),
            );
            if let Some(zone) = &activity.zone {
                self.require(known(1, zone), key("zone"), format!("no zone `{zone}`"));
            }
            if let Some(place) = activity.box_m {
                self.place(place, key("box_m"));
            }
            let placed = activity.zone.is_some() || activity.box_m.is_some();
            self.require(placed, key("zone"), "expected a zone or a box_m, found neither");
            let message = format!("expected from < to, found {} and {}", activity.from, activity.to);
            self.require(activity.from < activity.to, key("from"), message);
        }
        for (index, change) in recipe.changes.iter().enumerate() {
            let key = |name: &str| format!("change[{index}].{name}");
            self.place(change.box_m, key("box_m"));
            self.within(change.angle_deg, -360.0, 360.0, key("angle_deg"));
            self.within(change.height_m, 0.0, 500.0, key("height_m"));
            self.require(
                change.what != What::Other,
                key("what"),
                "a change needs a kind that can be painted, not `other`",
            );
            let ends = change.until.is_none_or(|until| until > change.at);
            self.require(ends, key("until"), "expected at < until");
            if let Some(activity) = &change.activity {
                self.require(known(2, activity), key("activity"), format!("no activity `{activity}`"));
            }
        }
    }

    fn dates(&mut self, recipe: &Recipe) {
        let scenes = recipe.dates.len() + recipe.radar.len();
        self.require(
            scenes > 0,
            "date",
            "expected one [[date]] or [[sar]] or more, found none",
        );
        let ordered = recipe
            .dates
            .is_sorted_by(|a, b| a.time.as_second() < b.time.as_second());
        self.require(
            ordered,
            "date",
            "expected times that grow by a second or more from scene to scene",
        );
        let ordered = recipe
            .radar
            .is_sorted_by(|a, b| a.time.as_second() < b.time.as_second());
        self.require(
            ordered,
            "sar",
            "expected times that grow by a second or more from scene to scene",
        );
        for (index, date) in recipe.dates.iter().enumerate() {
            let key = |name: &str| format!("date[{index}].{name}");
            for (values, name, low, high) in [(&date.gain, "gain", 0.01, 100.0), (&date.offset, "offset", -1.0, 1.0)] {
                let count = values.len();
                let bands = recipe.bands.len();
                let message = format!("expected 1 value or {bands}, one per band, found {count}");
                self.require(count == 1 || count == bands, key(name), message);
                for &value in values {
                    self.within(value, low, high, key(name));
                }
            }
            self.within(date.noise, 0.0, 1.0, key("noise"));
            self.within(date.psf_px, 0.0, 8.0, key("psf_px"));
            self.shift(date.shift_px, &key("shift_px"));
            self.within(date.season_day.unwrap_or(1.0), 1.0, 366.0, key("season_day"));
            self.within(date.cloud_fraction, 0.0, 1.0, key("cloud_fraction"));
            self.within(date.cloud_size_m, recipe.pixel_m, 1e5, key("cloud_size_m"));
            for (n, cloud) in date.clouds.iter().enumerate() {
                self.place(cloud.box_m, key(&format!("cloud[{n}].box_m")));
                self.within(cloud.edge_m, 0.0, 1e5, key(&format!("cloud[{n}].edge_m")));
                self.within(cloud.opacity, 0.0, 1.0, key(&format!("cloud[{n}].opacity")));
            }
            if let Some(wedge) = &date.wedge {
                self.within(wedge.top, 0.0, 1.0, key("wedge.top"));
                self.within(wedge.bottom, 0.0, 1.0, key("wedge.bottom"));
            }
            let grid = &date.grid;
            let moved = grid.left_px != 0 || grid.top_px != 0 || grid.width_px.is_some() || grid.height_px.is_some();
            self.require(
                grid.epsg.is_none() || !moved,
                key("grid"),
                "expected either epsg or pixels, found both",
            );
            self.within(grid.left_px as f64, -40_000.0, 40_000.0, key("grid.left_px"));
            self.within(grid.top_px as f64, -40_000.0, 40_000.0, key("grid.top_px"));
            for (edge, name) in [(grid.width_px, "grid.width_px"), (grid.height_px, "grid.height_px")] {
                if let Some(px) = edge {
                    self.edge(px, key(name));
                }
            }
        }
        for (index, radar) in recipe.radar.iter().enumerate() {
            let key = |name: &str| format!("sar[{index}].{name}");
            self.within(f64::from(radar.looks), 1.0, 1000.0, key("looks"));
            self.within(radar.psf_px, 0.0, 8.0, key("psf_px"));
            self.shift(radar.shift_px, &key("shift_px"));
            self.within(radar.gain, 0.01, 100.0, key("gain"));
        }
    }
}
