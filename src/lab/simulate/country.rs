//! The countryside everywhere: fields in blocks, forest, lakes. A function of the place alone.

use super::material::Material;
use super::random::{hash, noise, octaves, unit};
use super::recipe::Land;
use super::surface::Spot;

/// A block of fields that lie alike.
#[derive(Clone, Copy)]
struct Block {
    x: f64,
    y: f64,
    cos: f64,
    sin: f64,
    /// Width and length of its fields, metres.
    field: [f64; 2],
    bits: u64,
}

/// The countryside around one tile: its blocks are laid out once.
pub struct Country {
    seed: u64,
    spacing: f64,
    first: [i64; 2],
    columns: i64,
    blocks: Vec<Block>,
    forest_from: f32,
    lake_from: f32,
    wide: f64,
}

impl Country {
    /// The countryside over `[left, top, right, bottom]`, metres.
    pub fn new(land: &Land, seed: u32, bounds: [f64; 4]) -> Self {
        let seed = hash(u64::from(seed), 0, 1);
        let spacing = 5.0 * land.field_m;
        let cell = |metres: f64| (metres / spacing).floor() as i64;
        // The nearest block may lie two cells away.
        let first = [cell(bounds[0]) - 2, cell(bounds[1]) - 2];
        let last = [cell(bounds[2]) + 2, cell(bounds[3]) + 2];
        let blocks = (first[1]..=last[1])
            .flat_map(|row| (first[0]..=last[0]).map(move |column| (column, row)))
            .map(|(column, row)| {
                let bits = hash(seed, column, row);
                let draw = |n: u64| unit(hash(bits, n as i64, 0));
                // Neighbouring blocks lie alike: the lie of the land changes slowly.
                let (x, y) = (column as f64, row as f64);
                let lie = f64::from(octaves(seed ^ 0x11, x / 7.0, y / 7.0)) * 3.0
                    + if draw(0) < 0.3 { 1.3 } else { 0.2 * draw(1) };
                let width = land.field_m * (0.45 + 0.9 * draw(2));
                Block {
                    x: (x + 0.15 + 0.7 * draw(3)) * spacing,
                    y: (y + 0.15 + 0.7 * draw(4)) * spacing,
                    cos: libm::cos(lie),
                    sin: libm::sin(lie),
                    field: [width, width * (1.3 + 2.8 * draw(5))],
                    bits,
                }
            })
            .collect();
        Self {
            seed,
            spacing,
            first,
            columns: last[0] - first[0] + 1,
            blocks,
            forest_from: exceeded_by(land.forest_fraction),
            lake_from: exceeded_by(land.lake_fraction),
            wide: 9.0 * land.field_m,
        }
    }

    /// What lies at `(x, y)`, metres.
    pub fn spot(&self, x: f64, y: f64) -> Spot {
        let spot = |material, id| Spot {
            material,
            id,
            shaded: false,
        };
        let (across, down) = (x / self.wide, y / self.wide);
        if octaves(self.seed ^ 0x21, across * 0.8, down * 0.8) > self.lake_from {
            return spot(Material::Water, 1);
        }
        let block = self.block(x, y);
        // The fine part frays the edge of a forest.
        let wood = octaves(self.seed ^ 0x31, across, down) + 0.05 * noise(self.seed ^ 0x32, across * 16.0, down * 16.0);
        if wood > self.forest_from {
            let conifer = block.bits & 0xFF < 120;
            return spot(
                if conifer {
                    Material::Conifer
                } else {
                    Material::Broadleaf
                },
                (block.bits >> 20) as u32,
            );
        }
        // Fields: strips across the block, each cut to lengths of its own.
        let (dx, dy) = (x - block.x, y - block.y);
        let u = (dx * block.cos + dy * block.sin) / block.field[0];
        let strip = u.floor();
        let strip_bits = hash(block.bits, strip as i64, 7);
        let v = (dy * block.cos - dx * block.sin) / block.field[1] + unit(strip_bits);
        let cut = v.floor();
        let bits = hash(strip_bits, cut as i64, 9);
        let edge = |t: f64, size: f64| (t - t.floor()).min(t.ceil() - t) * size;
        let to_edge = edge(u, block.field[0]).min(edge(v, block.field[1]));
        let kind = bits & 0xFF;
        let bordered = (block.bits >> 8) & 0xFF;
        if bordered < 70 && to_edge < 4.0 {
            return spot(Material::Broadleaf, 2);
        }
        if bordered > 190 && edge(u, block.field[0]) < 2.0 {
            return spot(Material::Track, 3);
        }
        let material = match kind {
            0..90 => Material::WinterCrop,
            90..160 => Material::SummerCrop,
            160..225 => Material::Meadow,
            _ => Material::Soil,
        };
        spot(material, (bits >> 16) as u32)
    }

    /// The block whose middle is nearest (a Voronoi cell on a jittered lattice).
    fn block(&self, x: f64, y: f64) -> Block {
        let (column, row) = (
            (x / self.spacing).floor() as i64 - self.first[0],
            (y / self.spacing).floor() as i64 - self.first[1],
        );
        let rows = self.blocks.len() as i64 / self.columns;
        let mut best = (f64::INFINITY, self.blocks[0]);
        for r in (row - 1).max(0)..=(row + 1).min(rows - 1) {
            for c in (column - 1).max(0)..=(column + 1).min(self.columns - 1) {
                let block = &self.blocks[(r * self.columns + c) as usize];
                let (dx, dy) = (x - block.x, y - block.y);
                let distance = dx * dx + dy * dy;
                if distance < best.0 {
                    best = (distance, *block);
                }
            }
        }
        best.1
    }
}

/// The value that [`octaves`] exceeds over about this fraction of the ground; it is nearly normal, with this deviation.
pub fn exceeded_by(fraction: f64) -> f32 {
    if fraction <= 0.0 {
        return f32::INFINITY;
    }
    // Tukey's lambda approximation of the normal quantile, within 0.01 between 0.01 and 0.99.
    let p = (1.0 - fraction).clamp(1e-4, 1.0 - 1e-4);
    (0.27 * 4.91 * (libm::pow(p, 0.14) - libm::pow(1.0 - p, 0.14))) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_from_whatever_tile_it_is_asked() {
        let land = Land::default();
        let one = Country::new(&land, 5, [0.0, 0.0, 3000.0, 3000.0]);
        let other = Country::new(&land, 5, [2000.0, 2000.0, 9000.0, 5000.0]);
        for i in 0..400 {
            let (x, y) = (2000.0 + f64::from(i % 20) * 50.0, 2000.0 + f64::from(i / 20) * 50.0);
            assert_eq!(one.spot(x, y), other.spot(x, y), "{x} {y}");
        }
    }

    #[test]
    fn forest_and_lakes_cover_about_what_was_asked() {
        let land = Land {
            forest_fraction: 0.3,
            lake_fraction: 0.1,
            ..Land::default()
        };
        let country = Country::new(&land, 5, [0.0, 0.0, 60_000.0, 60_000.0]);
        let (mut water, mut wood) = (0, 0);
        for i in 0..40_000 {
            let spot = country.spot(f64::from(i % 200) * 300.0, f64::from(i / 200) * 300.0);
            water += i32::from(spot.material == Material::Water);
            wood += i32::from(matches!(spot.material, Material::Conifer | Material::Broadleaf));
        }
        assert!((2_000..7_000).contains(&water), "{water}");
        assert!((8_000..16_000).contains(&wood), "{wood}");
    }
}
