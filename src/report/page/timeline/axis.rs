//! The axis of the time line: where an instant lies on it, and the round dates that are written at it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::finding::{Interval, SiteReport};
use crate::number::round;

/// How far the axis may go on beyond the scenes for the sake of declared windows, as a part of their span.
pub(super) const MARGIN: f64 = 0.15;
/// Ground on either side in any case, as a part of the span: marks at the ends stay whole.
pub(super) const EDGE: f64 = 0.03;
/// Scenes of the same hours are drawn on an axis of so many seconds: eight days.
const MIN_SPAN: f64 = 8.0 * 86_400.0;
/// What a letter takes of the axis on the narrowest page (6 of 280 pixels), per cent: labels leave room for each other there.
const LETTER: f64 = 2.2;

/// A round date on the axis.
pub(in crate::report) struct Tick {
    pub(in crate::report) at: f64,
    /// Empty where it would be cut by the edge.
    pub(in crate::report) label: String,
}

/// The axis: its ends in seconds since 1970.
pub(super) struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    /// The axis over the scenes, with a margin for declared windows that go beyond them; `None` with fewer than two scenes.
    pub(super) fn of(report: &SiteReport) -> Option<Self> {
        let seconds = |instant: Timestamp| instant.as_second() as f64;
        let ends = |interval: &Interval| (seconds(interval.start), seconds(interval.end));
        let scenes: Vec<(f64, f64)> = report.scenes.iter().map(|scene| ends(&scene.acquired)).collect();
        if scenes.len() < 2 {
            return None;
        }
        let first = scenes.iter().map(|scene| scene.0).fold(f64::INFINITY, f64::min);
        let last = scenes.iter().map(|scene| scene.1).fold(f64::NEG_INFINITY, f64::max);
        let span = (last - first).max(MIN_SPAN);
        let (middle, half) = ((first + last) / 2.0, span * (0.5 + EDGE));
        let (mut from, mut to) = (middle - half, middle + half);
        for (start, end) in report.activities.iter().map(|activity| ends(&activity.window)) {
            let reach = span * (0.5 + MARGIN);
            // A window that lies wholly beyond the scenes cannot be seen by any and does not widen the axis.
            if end > first && start < last {
                from = from.min((start - span * EDGE).max(middle - reach));
                to = to.max((end + span * EDGE).min(middle + reach));
            }
        }
        Some(Self { from, to })
    }

    /// Where an instant lies, per cent of the axis.
    pub(super) fn place(&self, instant: Timestamp) -> f64 {
        round(
            100.0 * (instant.as_second() as f64 - self.from) / (self.to - self.from),
            2,
        )
    }

    /// Round dates on the axis, as fine as leaves room for their labels.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let date = |seconds: f64| {
            let instant = Timestamp::from_second(seconds as i64).ok()?;
            Some(instant.to_zoned(TimeZone::UTC).date())
        };
        let (Some(from), Some(to)) = (date(self.from), date(self.to)) else {
            return Vec::new();
        };
        let span_days = (self.to - self.from) / 86_400.0;
        for step in STEPS {
            if span_days > step.days * (step.most + 2) as f64 {
                continue;
            }
            let ticks: Vec<Tick> = step.dates(from, to).filter_map(|date| self.tick(date, step)).collect();
            if ticks.len() <= step.most {
                return ticks;
            }
        }
        Vec::new()
    }

    fn tick(&self, date: Date, step: Step) -> Option<Tick> {
        let at = self.place(date.to_zoned(TimeZone::UTC).ok()?.timestamp());
        let label = match step {
            Step { day: Some(_), .. } => date.to_string(),
            Step { month: Some(_), .. } => date.strftime("%Y-%m").to_string(),
            _ => date.year().to_string(),
        };
        // Half a label, but for the padding of the page, four per cent.
        let clear = (letters(&label) / 2.0 - 4.0)..=(104.0 - letters(&label) / 2.0);
        (0.0..=100.0).contains(&at).then(|| Tick {
            at,
            label: if clear.contains(&at) { label } else { String::new() },
        })
    }
}

/// How ticks follow each other: every so many years, months, or days of the month, counted from the first.
#[derive(Clone, Copy)]
struct Step {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
    /// Days from tick to tick, about.
    days: f64,
    /// Ticks that have room on the narrowest page.
    most: usize,
}

const fn by_day(day: i8) -> Step {
    Step {
        year: 1,
        month: Some(1),
        day: Some(day),
        days: day as f64,
        most: 3,
    }
}

const fn by_month(month: i8) -> Step {
    Step {
        year: 1,
        month: Some(month),
        day: None,
        days: month as f64 * 30.4,
        most: 5,
    }
}

const fn by_year(year: i16) -> Step {
    Step {
        year,
        month: None,
        day: None,
        days: year as f64 * 365.2,
        most: 7,
    }
}

/// From fine to coarse.
const STEPS: [Step; 16] = [
    by_day(1),
    by_day(2),
    by_day(5),
    by_day(10),
    by_month(1),
    by_month(2),
    by_month(3),
    by_month(6),
    by_year(1),
    by_year(2),
    by_year(5),
    by_year(10),
    by_year(20),
    by_year(50),
    by_year(100),
    by_year(5000),
];

impl Step {
    /// The round dates from the year of `from` to that of `to`.
    fn dates(self, from: Date, to: Date) -> impl Iterator<Item = Date> {
        let Self { year, month, day, .. } = self;
        let years = (from.year()..=to.year()).filter(move |y| y % year == 0);
        let months = move |y| {
            (1..=12)
                .filter(move |m| (m - 1) % month.unwrap_or(12) == 0)
                .map(move |m| (y, m))
        };
        let every = day.unwrap_or(31);
        // No tick so late in the month that the first of the next one is nearer than a step.
        let days = (1..=31).filter(move |d| (d - 1) % every == 0 && (*d + every <= 31 || every == 1 || *d == 1));
        let dates = years
            .flat_map(months)
            .flat_map(move |month| days.clone().map(move |d| (month, d)));
        dates.filter_map(|((y, m), d)| Date::new(y, m, d).ok())
    }
}

/// What `label` takes of the axis on the narrowest page, per cent.
pub(super) fn letters(label: &str) -> f64 {
    LETTER * label.chars().count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_dates_with_room_for_their_labels() {
        let ticks = |from: &str, to: &str| {
            let seconds = |date: &str| format!("{date}T00:00:00Z").parse::<Timestamp>().unwrap().as_second() as f64;
            let axis = Axis {
                from: seconds(from),
                to: seconds(to),
            };
            let labels = axis.ticks().into_iter().map(|tick| tick.label);
            labels.filter(|label| !label.is_empty()).collect::<Vec<_>>()
        };
        assert_eq!(ticks("2020-01-30", "2020-02-08"), ["2020-02-01", "2020-02-06"]);
        assert_eq!(
            ticks("2019-12-28", "2020-01-30"),
            ["2020-01-01", "2020-01-11", "2020-01-21"]
        );
        assert_eq!(
            ticks("2019-11-20", "2020-10-10"),
            ["2020-01", "2020-03", "2020-05", "2020-07", "2020-09"]
        );
        assert_eq!(
            ticks("2016-06-01", "2021-06-01"),
            ["2017", "2018", "2019", "2020", "2021"]
        );
        assert_eq!(
            ticks("1972-06-01", "2021-06-01"),
            ["1980", "1990", "2000", "2010", "2020"]
        );
        assert_eq!(ticks("-009000-01-01", "9000-01-01"), ["-5000", "0", "5000"]);
    }
}
