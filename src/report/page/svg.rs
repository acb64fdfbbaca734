//! Pictures in the page: everything is drawn in pixels of the site grid, so outlines lie exactly on the picture.

use std::fmt::Write;

/// `d` of an SVG path through `rings`, each closed, to a thousandth of a pixel.
pub(super) fn path(rings: &[Vec<[f64; 2]>]) -> String {
    let mut d = String::new();
    for ring in rings.iter().filter(|ring| ring.iter().flatten().all(|v| v.is_finite())) {
        // GeoJSON repeats the first position at the end; SVG closes with `Z`.
        let open = if ring.len() > 1 && ring.first() == ring.last() {
            &ring[..ring.len() - 1]
        } else {
            ring
        };
        for (i, [x, y]) in open.iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(d, "{}{} {}", if i == 0 { 'M' } else { 'L' }, round(*x), round(*y));
        }
        if !open.is_empty() {
            d.push('Z');
        }
    }
    d
}

fn round(v: f64) -> f64 {
    crate::number::round(v, 3)
}

/// The smallest box `[left, top, right, bottom]` around `rings`; `None` when they hold no finite point.
pub(super) fn bounds(rings: &[Vec<[f64; 2]>]) -> Option<[f64; 4]> {
    rings
        .iter()
        .flatten()
        .filter(|p| p.iter().all(|v| v.is_finite()))
        .fold(None, |found, [x, y]| {
            let [l, t, r, b] = found.unwrap_or([*x, *y, *x, *y]);
            Some([x.min(l), y.min(t), x.max(r), y.max(b)])
        })
}

/// A window on the site grid, in its pixels, with a scale bar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    /// Width and height in words: `640 m x 480 m`.
    pub size: String,
    pub bar: Bar,
}

/// A scale bar of a round length, bottom left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// Its length in words: `100 m`.
    pub length: String,
}

impl Window {
    /// The window `[left, top, width, height]` of a grid of `pixel_m`; `None` when it is empty.
    pub fn new([left, top, width, height]: [f64; 4], pixel_m: f64) -> Option<Self> {
        if !(width > 0.0 && height > 0.0 && pixel_m > 0.0 && (width * height * pixel_m).is_finite()) {
            return None;
        }
        let length_m = round_length(width * pixel_m / 3.0);
        let margin = width.min(height) / 25.0;
        let thick = width / 80.0;
        let bar = Bar {
            x: round(left + margin),
            y: round(top + height - margin - thick),
            width: length_m / pixel_m,
            height: round(thick),
            length: metres(length_m),
        };
        let size = format!("{} × {}", metres(width * pixel_m), metres(height * pixel_m));
        Some(Self {
            left,
            top,
            width,
            height,
            size,
            bar,
        })
    }

    /// `viewBox` of an SVG that shows it.
    pub fn view_box(&self) -> String {
        format!("{} {} {} {}", self.left, self.top, self.width, self.height)
    }

    /// Attributes of an SVG element that fills it: numbers only.
    pub fn place_of_all(&self) -> String {
        format!(
            r#"x="{}" y="{}" width="{}" height="{}""#,
            self.left, self.top, self.width, self.height
        )
    }

    /// Place of a point in per cent of the window: left, top, held inside it.
    pub fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let percent = |v: f64| round((v * 100.0).clamp(0.0, 100.0));
        (
            percent((x - self.left) / self.width),
            percent((y - self.top) / self.height),
        )
    }
}

/// The greatest of 1, 2, 5, 10, 20, 50 ... and their tenths, hundredths that is at most `longest`.
fn round_length(longest: f64) -> f64 {
    let mut decade = 1.0;
    while decade > longest && decade > 1e-6 {
        decade /= 10.0;
    }
    while decade * 10.0 <= longest {
        decade *= 10.0;
    }
    [5.0, 2.0, 1.0]
        .into_iter()
        .map(|n| n * decade)
        .find(|v| *v <= longest)
        .unwrap_or(decade)
}

fn metres(m: f64) -> String {
    match m {
        m if m >= 10_000.0 => format!("{} km", crate::number::round(m / 1000.0, 1)),
        m if m >= 10.0 => format!("{} m", crate::number::round(m, 0)),
        m => format!("{} m", crate::number::round(m, 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_close_and_keep_holes() {
        let ring = |n: f64| vec![[n, n], [n + 1.5, n], [n, n + 1.0004], [n, n]];
        assert_eq!(
            path(&[ring(0.0), ring(4.0)]),
            "M0 0L1.5 0L0 1Z".to_owned() + "M4 4L5.5 4L4 5Z"
        );
        assert_eq!(path(&[vec![], vec![[f64::NAN, 0.0]]]), "");
        assert_eq!(bounds(&[ring(0.0), ring(4.0)]), Some([0.0, 0.0, 5.5, 5.0004]));
        assert_eq!(bounds(&[]), None);
    }

    #[test]
    fn the_scale_bar_is_round_and_a_third_at_most() {
        let window = Window::new([10.0, 20.0, 64.0, 48.0], 10.0).unwrap();
        assert_eq!((window.bar.length.as_str(), window.bar.width), ("200 m", 20.0));
        assert_eq!(window.size, "640 m × 480 m");
        assert_eq!(window.place(42.0, 20.0), (50.0, 0.0));
        assert_eq!(round_length(0.9), 0.5);
        assert_eq!(round_length(10.0), 10.0);
        assert_eq!(Window::new([0.0, 0.0, 0.0, 5.0], 10.0), None);
        assert_eq!(Window::new([0.0, 0.0, 5.0, 5.0], f64::NAN), None);
    }
}
