//! How much of a site scenes show, as far as it is known without reading a pixel.

use super::Scene;

/// However cloudy a scene is said to be, the site may lie in a gap.
const MIN_CLEAR: f32 = 0.01;

/// How clear each of a site's sample points is expected to be in a scene, 0 (not covered, or cloud) to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown(Vec<f32>);

impl Shown {
    /// What `scene` shows of points that it `covers` or not: cloud is taken to lie everywhere alike.
    pub fn of(scene: &Scene, covers: &[bool]) -> Self {
        let clear = (1.0 - scene.cloud_fraction.unwrap_or(0.0) as f32).max(MIN_CLEAR);
        Self(covers.iter().map(|covers| if *covers { clear } else { 0.0 }).collect())
    }

    /// What pieces of an acquisition show together: each point as the clearest piece does.
    pub fn together<'a>(pieces: impl Iterator<Item = &'a Self>) -> Self {
        let mut all: Vec<f32> = Vec::new();
        for Self(one) in pieces {
            all.resize(all.len().max(one.len()), 0.0);
            all.iter_mut()
                .zip(one)
                .for_each(|(most, value)| *most = most.max(*value));
        }
        Self(all)
    }

    /// The part of the site that is shown, 0 to 1.
    pub fn share(&self) -> f64 {
        self.mean(self.0.iter().copied())
    }

    /// The part of the site that both show.
    pub fn shared(&self, other: &Self) -> f64 {
        self.mean(self.0.iter().zip(&other.0).map(|(a, b)| a * b))
    }

    fn mean(&self, values: impl Iterator<Item = f32>) -> f64 {
        values.map(f64::from).sum::<f64>() / self.0.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::select::tests::scene;

    #[test]
    fn clouds_and_ground_count() {
        let cloudy = Scene {
            cloud_fraction: Some(0.5),
            ..scene("a", "2021-06-10")
        };
        let left = Shown::of(&cloudy, &[true, true, false, false]);
        let most = Shown::of(&scene("b", "2021-06-10"), &[false, true, true, true]);
        assert_eq!([left.share(), most.share(), left.shared(&most)], [0.25, 0.75, 0.125]);
        assert_eq!(Shown::together([&left, &most].into_iter()).share(), 0.875);
    }
}
