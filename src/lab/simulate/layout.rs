//! Rivers, roads, towns, what stands on sites, and what changes: everything with an outline, listed once per recipe.

use ::geo::Polygon;

use super::material::Material;
use super::random::{Draw, noise};
use super::recipe::{Change, Recipe, Site, Style, What};
use super::shape::{Thing, When, eaten, inset, polygon, turned};
use super::town::{House, Town};
use super::written::BoxM;

fn overlap(a: BoxM, b: BoxM, gap: f64) -> bool {
    a[0] < b[2] + gap && b[0] < a[2] + gap && a[1] < b[3] + gap && b[1] < a[3] + gap
}

/// Everything with an outline in the recipe's scene, in painting order.
pub fn things(recipe: &Recipe) -> Vec<Thing> {
    let mut layout = Layout {
        recipe,
        things: Vec::new(),
    };
    let (width, height) = recipe.size_m();
    for number in 0..recipe.land.rivers {
        layout.river(number, width, height);
    }
    for number in 0..recipe.land.roads {
        layout.through_road(number, width, height);
    }
    layout.towns(width, height);
    for (number, site) in recipe.sites.iter().enumerate() {
        if site.style == Style::Base {
            layout.base(number, site);
        }
    }
    for (number, change) in recipe.changes.iter().enumerate() {
        layout.change(number, change);
    }
    layout.things
}

/// Where a change alters the ground, and when; in the order of the recipe.
pub fn footprints(recipe: &Recipe) -> Vec<(Polygon<f64>, When)> {
    let of = |(number, change): (usize, &Change)| (footprint(recipe, number, change), during(change));
    recipe.changes.iter().enumerate().map(of).collect()
}

fn during(change: &Change) -> When {
    When::During(
        change.at.as_second(),
        change.until.map_or(i64::MAX, |until| until.as_second()),
    )
}

fn footprint(recipe: &Recipe, number: usize, change: &Change) -> Polygon<f64> {
    let [left, top, right, bottom] = change.box_m;
    let angle = change.angle_deg.to_radians();
    let rough = 0.18 * (right - left).min(bottom - top);
    match change.what {
        What::Earthworks | What::Clearance => eaten(
            change.box_m,
            angle,
            rough,
            Draw::new(u64::from(recipe.seed), 50, number).bits(),
        ),
        _ => turned(change.box_m, angle),
    }
}

struct Layout<'a> {
    recipe: &'a Recipe,
    things: Vec<Thing>,
}

impl Layout<'_> {
    fn draw(&self, purpose: i64, number: usize) -> Draw {
        Draw::new(u64::from(self.recipe.seed), purpose, number)
    }

    fn put(&mut self, outline: Polygon<f64>, material: Material, id: u32) {
        self.things.push(Thing {
            outline,
            material,
            id,
            height_m: 0.0,
            when: When::Always,
        });
    }

    fn put_standing(&mut self, outline: Polygon<f64>, material: Material, id: u32, height_m: f64, when: When) {
        self.things.push(Thing {
            outline,
            material,
            id,
            height_m,
            when,
        });
    }

    /// A band along a path, as wide on each side as `half_width` says for each of its points.
    fn ribbon(&mut self, path: &[[f64; 2]], half_width: impl Fn(usize) -> f64, material: Material) {
        let sides: Vec<[[f64; 2]; 2]> = (0..path.len())
            .map(|i| {
                let (before, after) = (path[i.saturating_sub(1)], path[(i + 1).min(path.len() - 1)]);
                let (dx, dy) = (after[0] - before[0], after[1] - before[1]);
                let scale = half_width(i) / (dx * dx + dy * dy).sqrt().max(1e-9);
                let [x, y] = path[i];
                [[x - dy * scale, y + dx * scale], [x + dy * scale, y - dx * scale]]
            })
            .collect();
        for pair in sides.windows(2) {
            self.put(polygon([pair[0][0], pair[1][0], pair[1][1], pair[0][1]]), material, 0);
        }
    }

    /// Points from `a` to `b`, every `step` metres, that swing by up to `swing` metres.
    fn path(&self, a: [f64; 2], b: [f64; 2], step: f64, swing: f64, draw: &mut Draw) -> Vec<[f64; 2]> {
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = (dx * dx + dy * dy).sqrt().max(1.0);
        let count = (length / step).ceil().max(2.0) as usize;
        let seed = u64::from(draw.bits());
        let half = swing / length;
        (0..=count)
            .map(|i| {
                let t = i as f64 / count as f64;
                let along = t * length / (swing * 4.0).max(step * 4.0);
                // Both ends stay where they are.
                let free = (4.0 * t * (1.0 - t)).min(1.0);
                let off = f64::from(noise(seed, along, 0.5) + 0.4 * noise(seed ^ 1, along * 2.7, 0.5)) * half * free;
                [a[0] + dx * t - dy * off, a[1] + dy * t + dx * off]
            })
            .collect()
    }

    fn river(&mut self, number: usize, width: f64, height: f64) {
        let mut draw = self.draw(10, number);
        let beyond = 400.0;
        let a = [draw.between(0.1, 0.9) * width, -beyond];
        let b = [draw.between(0.0, 1.0) * width, height + beyond];
        let swing = (width.min(height) * 0.2).clamp(150.0, 2500.0);
        let path = self.path(a, b, 60.0, swing, &mut draw);
        let wide = draw.between(14.0, 38.0);
        let seed = u64::from(draw.bits());
        let vary = |i: usize, spacing: f64| f64::from(noise(seed, i as f64 / spacing, 0.0));
        self.ribbon(&path, |i| wide * (1.9 + 0.8 * vary(i, 3.0)), Material::Meadow);
        self.ribbon(&path, |i| wide * (1.35 + 0.35 * vary(i, 2.0)), Material::Broadleaf);
        self.ribbon(&path, |i| wide * (1.0 + 0.25 * vary(i, 6.0)), Material::Water);
    }

    fn through_road(&mut self, number: usize, width: f64, height: f64) {
        let mut draw = self.draw(20, number);
        let beyond = 300.0;
        // Every other road runs down instead of across.
        let (mut a, mut b) = ([-beyond, 0.0], [width + beyond, 0.0]);
        (a[1], b[1]) = (draw.between(0.05, 0.95) * height, draw.between(0.05, 0.95) * height);
        if number % 2 == 1 {
            (a, b) = (
                [draw.between(0.05, 0.95) * width, -beyond],
                [draw.between(0.05, 0.95) * width, height + beyond],
            );
        }
        let swing = (width.min(height) * 0.08).clamp(40.0, 900.0);
        let path = self.path(a, b, 90.0, swing, &mut draw);
        let half_width = if number.is_multiple_of(5) { 9.0 } else { 4.0 };
        self.ribbon(&path, |_| half_width + 3.0, Material::Meadow);
        self.ribbon(&path, |_| half_width, Material::Asphalt);
    }

    fn towns(&mut self, width: f64, height: f64) {
        let towns: Vec<([f64; 2], f64)> = (0..self.recipe.land.towns)
            .map(|number| {
                let mut draw = self.draw(30, number);
                (
                    [draw.between(0.02, 0.98) * width, draw.between(0.02, 0.98) * height],
                    draw.between(180.0, 620.0),
                )
            })
            .collect();
        // Each town has a road to its nearest neighbour among those before it.
        for (number, (here, _)) in towns.iter().enumerate() {
            let distance = |there: &[f64; 2]| {
                (there[0] - here[0]) * (there[0] - here[0]) + (there[1] - here[1]) * (there[1] - here[1])
            };
            let nearest = towns[..number]
                .iter()
                .map(|(there, _)| *there)
                .min_by(|a, b| distance(a).total_cmp(&distance(b)));
            if let Some(there) = nearest {
                let mut draw = self.draw(31, number);
                let swing = 0.06 * distance(&there).sqrt();
                let path = self.path(*here, there, 90.0, swing.clamp(20.0, 600.0), &mut draw);
                self.ribbon(&path, |_| 3.5, Material::Asphalt);
            }
        }
        for (number, (centre, radius)) in towns.iter().enumerate() {
            self.town(number, *centre, *radius);
        }
    }

    /// A town: gardens, streets across and along, and houses on both sides of those across.
    fn town(&mut self, number: usize, centre: [f64; 2], radius: f64) {
        let mut draw = self.draw(32, number);
        let town = Town::drawn(centre, radius, &mut draw);
        self.put(town.outline(), Material::Garden, number as u32);
        for v in town.rows() {
            if let Some([low, high]) = town.span(|u| [u, v]) {
                self.ribbon(&[low, high], |_| 3.0, Material::Asphalt);
            }
            for side in [-17.0, 17.0] {
                self.houses(&town, v, side, &mut draw);
            }
        }
        for u in town.columns() {
            if let Some([low, high]) = town.span(|v| [u, v]) {
                self.ribbon(&[low, high], |_| 3.0, Material::Asphalt);
            }
        }
    }

    /// The houses on one `side` of the street at `v`, so many metres from its middle.
    fn houses(&mut self, town: &Town, v: f64, side: f64, draw: &mut Draw) {
        let mut u = -town.half_m();
        while u < town.half_m() {
            let house = House::drawn(draw);
            // Fewer houses further out.
            let far = (u * u + v * v).sqrt() / town.radius;
            if town.holds([u, v + side]) && draw.chance(0.95 - 0.4 * far) {
                let [x, y] = town.place([u, v + side]);
                let [w, h] = house.size_m;
                let outline = turned([x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0], town.angle);
                let roof = house.roof(draw);
                let (id, tall) = (draw.bits(), draw.between(5.0, 10.0));
                // A town that reaches a base ends at its fence.
                let fenced = |site: &Site| {
                    let [left, top, right, bottom] = inset(site.box_m, -12.0);
                    site.style == Style::Base && (left..right).contains(&x) && (top..bottom).contains(&y)
                };
                if !self.recipe.sites.iter().any(fenced) {
                    self.put_standing(outline, roof, id, tall, When::Always);
                }
            }
            u += house.size_m[0] + draw.between(6.0, 14.0);
        }
    }

    /// A base: lawn within a ring road, a cross road, and halls, yards and trees in what lies between.
    fn base(&mut self, number: usize, site: &Site) {
        let mut draw = self.draw(40, number);
        let [left, top, right, bottom] = site.box_m;
        let (width, height) = (right - left, bottom - top);
        let square = |place: BoxM| turned(place, 0.0);
        let id = draw.bits();
        self.put(square(site.box_m), Material::Lawn, id);
        let ring = (0.03 * width.min(height)).clamp(6.0, 25.0);
        self.put(square(inset(site.box_m, ring)), Material::Asphalt, id);
        self.put(square(inset(site.box_m, ring + 8.0)), Material::Lawn, id ^ 1);
        let (x, y) = (
            left + width * draw.between(0.4, 0.6),
            top + height * draw.between(0.4, 0.6),
        );
        self.put(
            square([x - 4.0, top + ring, x + 4.0, bottom - ring]),
            Material::Asphalt,
            id ^ 2,
        );
        self.put(
            square([left + ring, y - 4.0, right - ring, y + 4.0]),
            Material::Asphalt,
            id ^ 3,
        );
        let roads = [[x - 4.0, top, x + 4.0, bottom], [left, y - 4.0, right, y + 4.0]];
        let busy: Vec<BoxM> = self.recipe.changes.iter().map(|change| change.box_m).collect();
        let lot = 120.0;
        let (columns, rows) = (((width - 40.0) / lot) as usize, ((height - 40.0) / lot) as usize);
        for index in 0..columns * rows {
            let (column, row) = (index % columns, index / columns);
            let aside = |draw: &mut Draw| draw.between(-0.14, 0.14) + 0.5;
            let cx = left + 20.0 + (column as f64 + aside(&mut draw)) * (width - 40.0) / columns as f64;
            let cy = top + 20.0 + (row as f64 + aside(&mut draw)) * (height - 40.0) / rows as f64;
            let (w, h) = (draw.between(26.0, 62.0), draw.between(18.0, 40.0));
            let (w, h) = if draw.chance(0.5) { (w, h) } else { (h, w) };
            let (roof, kind, id, tall) = (
                draw.pick(&[
                    Material::GreyRoof,
                    Material::GreyRoof,
                    Material::BrightRoof,
                    Material::RedRoof,
                ]),
                draw.between(0.0, 1.0),
                draw.bits(),
                draw.between(5.0, 12.0),
            );
            let hall = [cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0];
            if roads.iter().any(|road| overlap(hall, *road, 6.0))
                || busy.iter().any(|place| overlap(hall, *place, 20.0))
            {
                continue;
            }
            if kind < 0.36 {
                let yard = [hall[0] - 8.0, hall[1] - 6.0, hall[2] + 8.0, hall[3] + 14.0];
                let stone = if id & 1 == 0 {
                    Material::Concrete
                } else {
                    Material::Asphalt
                };
                self.put(square(yard), stone, id ^ 4);
                self.put_standing(square(hall), roof, id, tall, When::Always);
            } else if kind < 0.45 {
                let stone = if id & 1 == 0 {
                    Material::Concrete
                } else {
                    Material::Gravel
                };
                self.put(square(inset(hall, -8.0)), stone, id);
            } else if kind < 0.72 {
                self.put(eaten(inset(hall, -12.0), 0.0, 14.0, id), Material::Broadleaf, id);
            }
        }
    }

    fn change(&mut self, number: usize, change: &Change) {
        let mut draw = self.draw(51, number);
        let id = draw.bits();
        let when = during(change);
        let When::During(from, until) = when else { return };
        let before = When::Except(from, until);
        let angle = change.angle_deg.to_radians();
        let place = change.box_m;
        let whole = footprint(self.recipe, number, change);
        let short = (place[2] - place[0]).min(place[3] - place[1]);
        let roof = draw.pick(&[Material::BrightRoof, Material::BrightRoof, Material::GreyRoof]);
        match change.what {
            What::Construction => {
                self.put_standing(whole, Material::Gravel, id, 0.0, when);
                let hall = turned(inset(place, (0.12 * short).min(6.0)), angle);
                self.put_standing(hall, roof, id, change.height_m, when);
            }
            What::Demolition => {
                self.put_standing(whole.clone(), roof, id, change.height_m, before);
                self.put_standing(whole, Material::Rubble, id, 0.0, when);
            }
            What::Earthworks => {
                self.put_standing(whole, Material::Dug, id, 0.0, when);
                let pit = eaten(inset(place, 0.3 * short), angle, 0.1 * short, id);
                self.put_standing(pit, Material::Soil, id, 0.0, when);
            }
            What::Clearance => {
                self.put_standing(whole.clone(), Material::Conifer, id, 0.0, before);
                self.put_standing(whole, Material::Cleared, id, 0.0, when);
            }
            What::Movement => {
                self.put(turned(inset(place, -6.0), angle), Material::Gravel, id);
                self.vehicles(place, angle, when, &mut draw);
            }
            What::Other => {}
        }
    }

    /// Rows of vehicles of 3.2 x 9 m.
    fn vehicles(&mut self, [left, top, right, bottom]: BoxM, angle: f64, when: When, draw: &mut Draw) {
        let (x, y) = (left.midpoint(right), top.midpoint(bottom));
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        let mut v = top + 6.0;
        while v < bottom - 5.0 {
            let mut u = left + 3.0;
            while u < right - 2.0 {
                let (dx, dy) = (u - x + draw.between(-0.3, 0.3), v - y + draw.between(-0.8, 0.8));
                let (px, py) = (x + dx * cos - dy * sin, y + dx * sin + dy * cos);
                let id = draw.bits();
                if draw.chance(0.93) {
                    let outline = turned([px - 1.6, py - 4.5, px + 1.6, py + 4.5], angle);
                    self.put_standing(outline, Material::Vehicle, id, 3.0, when);
                }
                u += 5.4;
            }
            v += 12.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::{parse, tests::SMALL};
    use super::super::shape::{bounds, shapes_at};
    use super::*;
    use ::geo::{Contains, Coord};

    #[test]
    fn a_hall_is_there_from_its_day_on_and_casts_its_shadow_away_from_the_sun() {
        let recipe = parse(SMALL).unwrap();
        let things = things(&recipe);
        let at = |day: &str| day.parse::<jiff::Timestamp>().unwrap().as_second();
        let roof = |second| {
            shapes_at(&things, second, [-0.4, -0.8])
                .iter()
                .filter(|shape| shape.covers(295.0, 230.0))
                .any(|shape| matches!(shape.material, Some(Material::BrightRoof | Material::GreyRoof)))
        };
        assert!(!roof(at("2021-06-14T23:59:59Z")));
        assert!(roof(at("2021-06-15T00:00:00Z")));
        // 9 m high: the shadow reaches 7.2 m above the roof's upper edge, which lies 6 m inside the box.
        let shaded = |y| {
            let shapes = shapes_at(&things, at("2021-06-16T00:00:00Z"), [-0.4, -0.8]);
            shapes
                .iter()
                .any(|shape| shape.material.is_none() && shape.covers(295.0, y))
        };
        assert!(shaded(200.0) && !shaded(196.0));
    }

    #[test]
    fn rough_outlines_stay_in_their_box() {
        let outline = eaten([0.0, 0.0, 100.0, 60.0], 0.0, 12.0, 9);
        let [left, top, right, bottom] = bounds(&outline);
        assert!(left >= 0.0 && top >= 0.0 && right <= 100.0 && bottom <= 60.0);
        assert!(outline.contains(&Coord { x: 50.0, y: 30.0 }));
    }
}
