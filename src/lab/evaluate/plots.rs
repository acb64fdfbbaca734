//! Pictures of an evaluation, as SVG: the same figures, the same bytes.

use plotters::chart::{ChartContext, LabelAreaPosition};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::curves::{free_response, precision_recall as pixel_points, receiver};
use super::error::EvaluateError;
use super::estimate::Estimate;
use super::evaluation::Evaluation;
use super::objects::{Claim, Object};
use super::pixels::Counts;
use super::site::Measured;
use crate::number::round;

/// Size of a panel, pixels.
const SIZE: (u32, u32) = (620, 460);
/// Of all sites.
const OVERALL: RGBColor = RGBColor(0, 90, 160);
/// Of each site, behind.
const SITE: RGBColor = RGBColor(170, 182, 194);
/// What was claimed.
const CLAIMED: RGBColor = RGBColor(200, 70, 0);
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(228, 228, 228);
/// Lowest false-alarm rate of pixels that is drawn.
const LOWEST: f64 = 1e-5;
/// Points nearer than this part of the picture are left out.
const STEP: f64 = 0.002;

type Drawn<T> = Result<T, Box<dyn std::error::Error>>;
type Svg<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A picture of precision against recall of the pixels, as the cutoff moves, and of what was claimed.
///
/// # Errors
/// It cannot be drawn.
pub fn precision_recall(evaluation: &Evaluation) -> Result<String, EvaluateError> {
    picture(1, |area| {
        let claimed = &evaluation.overall.pixels.claimed;
        let panel = Panel {
            title: "Pixels: precision against recall",
            x: "recall: changed pixels that are claimed",
            y: "precision: claimed pixels that changed",
            curves: curves(evaluation, |sites| pixel_points(&counts(sites))),
            legend: SeriesLabelPosition::UpperRight,
            claimed: claimed.recall.zip(claimed.precision),
        };
        panel.draw(&area[0], 0.0..1.0, |x| x)
    })
}

/// A picture of detection against false alarms: of objects against false regions, and of pixels.
///
/// # Errors
/// It cannot be drawn.
pub fn detection(evaluation: &Evaluation) -> Result<String, EvaluateError> {
    picture(2, |area| {
        let found = &evaluation.overall.objects;
        let panel = Panel {
            title: "Objects: hit rate against false regions",
            x: "false regions per square kilometre of unchanged ground",
            y: "changed objects that are hit",
            curves: curves(evaluation, free_response_of),
            legend: SeriesLabelPosition::LowerRight,
            claimed: found.false_regions_per_km2.zip(found.hit_rate),
        };
        let end = panel.end().max(1e-3) * 1.05;
        panel.draw(&area[0], 0.0..end, |x| x / end)?;
        let pixels = &evaluation.overall.pixels;
        let rate = pixels.claimed.false_alarm_rate;
        let panel = Panel {
            title: "Pixels: recall against false alarms",
            x: "unchanged pixels that are claimed, logarithmic",
            y: "recall: changed pixels that are claimed",
            curves: curves(evaluation, |sites| receiver(&counts(sites))),
            legend: SeriesLabelPosition::LowerRight,
            claimed: rate.zip(pixels.claimed.recall),
        };
        panel.draw(&area[1], (LOWEST..1.0).log_scale(), |x| {
            1.0 - x.max(LOWEST).ln() / LOWEST.ln()
        })
    })
}

/// An SVG of `panels` beside each other.
fn picture(panels: u32, draw: impl FnOnce(&[Svg<'_>]) -> Drawn<()>) -> Result<String, EvaluateError> {
    let mut svg = String::new();
    let whole = SVGBackend::with_string(&mut svg, (SIZE.0 * panels, SIZE.1)).into_drawing_area();
    let drawn = (|| {
        whole.fill(&WHITE)?;
        draw(&whole.split_evenly((1, panels as usize)))?;
        Ok(whole.present()?)
    })();
    drop(whole);
    drawn.map_err(|error: Box<dyn std::error::Error>| EvaluateError::Draw(error.to_string()))?;
    Ok(svg)
}

/// Curves of all sites together, and of each where there are several.
struct Curves {
    overall: Vec<(f64, f64)>,
    sites: Vec<Vec<(f64, f64)>>,
}

fn curves(evaluation: &Evaluation, points: impl Fn(&[&Measured]) -> Vec<(f64, f64)>) -> Curves {
    let all: Vec<&Measured> = evaluation.measured.iter().collect();
    Curves {
        overall: points(&all),
        sites: match all.as_slice() {
            [_] => Vec::new(),
            several => several.iter().map(|site| points(&[site])).collect(),
        },
    }
}

fn counts(sites: &[&Measured]) -> Counts {
    Counts::sum(sites.iter().flat_map(|site| &site.blocks))
}

fn free_response_of(sites: &[&Measured]) -> Vec<(f64, f64)> {
    let objects: Vec<Object> = sites.iter().flat_map(|site| site.objects.iter().copied()).collect();
    let claims: Vec<Claim> = sites.iter().flat_map(|site| site.claims.iter().copied()).collect();
    free_response(&objects, &claims, sites.iter().map(|site| site.unchanged_km2).sum())
}

struct Panel {
    title: &'static str,
    x: &'static str,
    y: &'static str,
    curves: Curves,
    /// The corner that the curves leave free.
    legend: SeriesLabelPosition,
    /// Where all claims together lie.
    claimed: Option<(Estimate, Estimate)>,
}

impl Panel {
    /// The largest x of the curves and of the claims' interval.
    fn end(&self) -> f64 {
        let ends = self
            .curves
            .sites
            .iter()
            .chain([&self.curves.overall])
            .filter_map(|curve| curve.last());
        let claimed = self.claimed.map(|(x, _)| x.interval.map_or(x.value, |[_, high]| high));
        ends.map(|(x, _)| *x).chain(claimed).fold(0.0, f64::max)
    }

    /// Draws it; `part` tells which part of the width lies left of x.
    fn draw<X>(&self, area: &Svg<'_>, x: X, part: impl Fn(f64) -> f64) -> Drawn<()>
    where
        X: AsRangedCoord<Value = f64>,
        X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let text = |size: f64| ("sans-serif", size).into_font().color(&INK);
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, text(20.0))
            .margin(14)
            .set_label_area_size(LabelAreaPosition::Left, 58)
            .set_label_area_size(LabelAreaPosition::Bottom, 48)
            .build_cartesian_2d(x, 0.0..1.0)?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_labels(8)
            .x_label_formatter(&|x| round(*x, 6).to_string())
            .y_labels(6)
            .axis_desc_style(text(16.0))
            .label_style(text(14.0))
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .draw()?;
        let thinned = |points: &[(f64, f64)]| thin(points, &part);
        for (number, site) in self.curves.sites.iter().enumerate() {
            let drawn = chart.draw_series(LineSeries::new(thinned(site), SITE.stroke_width(1)))?;
            if number == 0 {
                drawn
                    .label("each site")
                    .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], SITE.stroke_width(1)));
            }
        }
        let every = match self.curves.sites.is_empty() {
            true => "every cutoff",
            false => "all sites, every cutoff",
        };
        chart
            .draw_series(LineSeries::new(thinned(&self.curves.overall), OVERALL.stroke_width(2)))?
            .label(every)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], OVERALL.stroke_width(2)));
        if let Some(claimed) = self.claimed {
            cross(&mut chart, claimed)?;
        }
        chart
            .configure_series_labels()
            .position(self.legend.clone())
            .label_font(text(14.0))
            .background_style(WHITE.mix(0.85))
            .border_style(GRID)
            .legend_area_size(30)
            .margin(12)
            .draw()?;
        Ok(())
    }
}

/// What was claimed, with its intervals as a cross.
fn cross<X: Ranged<ValueType = f64>>(
    chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, RangedCoordf64>>,
    (x, y): (Estimate, Estimate),
) -> Drawn<()> {
    let arms = [
        x.interval.map(|[low, high]| [(low, y.value), (high, y.value)]),
        y.interval.map(|[low, high]| [(x.value, low), (x.value, high)]),
    ];
    let arms = arms.into_iter().flatten();
    chart.draw_series(arms.map(|arm| PathElement::new(arm, CLAIMED.stroke_width(2))))?;
    chart
        .draw_series([Circle::new((x.value, y.value), 5, CLAIMED.filled())])?
        .label("claimed, with 95 % intervals")
        .legend(|(x, y)| Circle::new((x + 11, y), 5, CLAIMED.filled()));
    Ok(())
}

/// `points` without those that could not be told from the one before; the last stays.
fn thin(points: &[(f64, f64)], part: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (number, (x, y)) in points.iter().enumerate() {
        let apart = |(u, v): &(f64, f64)| (part(*x) - part(*u)).abs() >= STEP || (y - v).abs() >= STEP;
        if number + 1 == points.len() || kept.last().is_none_or(apart) {
            kept.push((*x, *y));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_that_cannot_be_told_apart_are_left_out() {
        let points: Vec<(f64, f64)> = (0..=1000).map(|i| (f64::from(i) / 1000.0, 0.5)).collect();
        let kept = thin(&points, |x| x);
        assert!((400..=501).contains(&kept.len()), "{}", kept.len());
        assert_eq!((kept[0], kept[kept.len() - 1]), ((0.0, 0.5), (1.0, 0.5)));
    }
}
