//! The time line: scenes, comparisons, declared windows and the times in which changes happened, on one axis.
//!
//! Places along the axis are per cent of its width, so that the picture is as wide as the page; down it they are pixels, so that
//! text keeps its size. `timeline.html` draws it.

mod axis;

use std::collections::BTreeMap;

use crate::report::english::timeline as words;
use crate::report::english::{day, days, of_activity, was_judged};
use crate::report::format::class;
use jiff::Timestamp;

use crate::finding::{Anomaly, Interval, SiteReport, Verdict};
use crate::number::round;
use axis::{Axis, Tick, letters};

/// Bars of a lane at most; the rest is said in words.
const MAX_BARS: usize = 40;
/// Letters of an id before it is cut.
const MAX_LETTERS: usize = 24;
/// Bars that overlap by less than this, per cent, touch: two comparisons share the scene between them.
const TOUCH: f64 = 0.3;
/// Heights, pixels: the axis, the title of a lane, a row of scenes or comparisons, a row of bars with a label above each.
const AXIS_PX: u32 = 22;
const TITLE_PX: u32 = 24;
const ROW_PX: u32 = 14;
const LABELLED_PX: u32 = 30;

/// What `timeline.html` draws.
pub(super) struct Timeline {
    /// The picture in words.
    pub(super) aria: String,
    /// Its height, pixels.
    pub(super) height: u32,
    /// Round dates.
    pub(super) ticks: Vec<Tick>,
    /// From above.
    pub(super) lanes: Vec<Lane>,
    /// What the picture does not show, in sentences.
    pub(super) notes: Vec<String>,
}

/// One kind of thing; `y` is the base line of its title.
pub(super) struct Lane {
    pub(super) title: String,
    pub(super) y: u32,
    pub(super) marks: Vec<Mark>,
    pub(super) bars: Vec<Bar>,
}

/// A scene.
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) y: u32,
    /// `scene`, or `scene past` for one that is only the past of a series.
    pub(super) class: &'static str,
    pub(super) title: String,
}

/// A time span; `y` is its upper edge, and its label stands above it.
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) y: u32,
    /// `judged`, `blind`, or the class of a verdict, `v-...`.
    pub(super) class: String,
    /// Empty where the lane needs none.
    pub(super) label: String,
    pub(super) label_x: f64,
    /// The `text-anchor` of the label.
    pub(super) anchor: &'static str,
    /// All of it in words, with dates.
    pub(super) title: String,
    /// Whether the span begins before the axis, and whether it ends after it.
    pub(super) cut_left: bool,
    pub(super) cut_right: bool,
}

impl Timeline {
    /// The time line of `report`, on which anomalies have the `numbers` that the page gives to their ids; `None` with fewer than
    /// two scenes. Instants that cannot be read are left out.
    pub(super) fn new(report: &SiteReport, numbers: &BTreeMap<&str, usize>) -> Option<Self> {
        let axis = Axis::of(report)?;
        let mut line = Self {
            aria: String::new(),
            height: AXIS_PX,
            ticks: axis.ticks(),
            lanes: Vec::new(),
            notes: Vec::new(),
        };
        line.scenes(report, &axis);
        line.comparisons(report, &axis);
        line.activities(report, &axis);
        let firsts = groups(report, |a| {
            a.course.as_ref().map(|c| &c.first).filter(|first| **first != a.dates)
        });
        line.changes(words::FIRST, &firsts, &axis, numbers);
        let changes = groups(report, |a| Some(&a.dates));
        line.changes(words::CHANGES, &changes, &axis, numbers);
        if line
            .lanes
            .iter()
            .flat_map(|lane| &lane.bars)
            .any(|bar| bar.cut_left || bar.cut_right)
        {
            line.notes.push(words::CUT.to_owned());
        }
        let changes = line.lanes.last().filter(|lane| lane.title == words::CHANGES);
        let changes = changes.iter().flat_map(|lane| &lane.bars).map(|bar| bar.title.as_str());
        line.aria = words::account(report, &changes.collect::<Vec<_>>());
        Some(line)
    }

    fn scenes(&mut self, report: &SiteReport, axis: &Axis) {
        let y = self.height + TITLE_PX;
        let compared = |id: &String| report.comparisons.iter().any(|c| c.before == *id || c.after == *id);
        let marks = report.scenes.iter().map(|scene| Mark {
            at: axis.place(scene.acquired.start),
            y: y + ROW_PX / 2,
            class: if compared(&scene.id) { "scene" } else { "scene past" },
            title: format!("{}, {}", scene.id, day(scene.acquired.start)),
        });
        let marks: Vec<Mark> = marks.collect();
        let past = marks.iter().any(|mark| mark.class != "scene");
        let title = words::scenes(past);
        self.lane(title.to_owned(), y - 6, marks, Vec::new(), y + ROW_PX);
    }

    fn comparisons(&mut self, report: &SiteReport, axis: &Axis) {
        let bars = report.comparisons.iter().filter_map(|comparison| {
            let judged = was_judged(comparison);
            let title = words::comparison(&days(&comparison.dates), judged);
            let class = if judged { "judged" } else { "blind" };
            Bar::new(axis, &comparison.dates, class.to_owned(), String::new(), title)
        });
        let blind = report.comparisons.iter().any(|c| !was_judged(c));
        self.bars(words::comparisons(blind).to_owned(), bars.collect(), ROW_PX);
    }

    fn activities(&mut self, report: &SiteReport, axis: &Axis) {
        let mut bars = Vec::new();
        let mut outside = Vec::new();
        for activity in &report.activities {
            let id = short(&activity.id);
            let said = of_activity(activity);
            let title = format!(
                "{} ({}), {}: {said}",
                activity.id,
                activity.what,
                days(&activity.window)
            );
            let class = format!("v-{}", class(activity.verdict));
            match Bar::new(axis, &activity.window, class, format!("{id}: {said}"), title) {
                Some(bar) => bars.push(bar),
                None => outside.push(id),
            }
        }
        self.bars(words::ACTIVITIES.to_owned(), bars, LABELLED_PX);
        if !outside.is_empty() {
            self.notes.push(words::outside(&outside));
        }
    }

    fn changes(&mut self, title: &str, groups: &[Group], axis: &Axis, numbers: &BTreeMap<&str, usize>) {
        let bars = groups.iter().filter_map(|group| {
            let mut known: Vec<usize> = group.ids.iter().filter_map(|id| numbers.get(id).copied()).collect();
            known.sort_unstable();
            let label = words::changes(&known, group.ids.len(), group.verdict);
            let title = format!("{label}, {}", days(group.dates));
            Bar::new(axis, group.dates, format!("v-{}", class(group.verdict)), label, title)
        });
        self.bars(title.to_owned(), bars.collect(), LABELLED_PX);
    }

    /// A lane of bars, in as many rows as keep them apart; none without a bar.
    fn bars(&mut self, title: String, mut bars: Vec<Bar>, row_px: u32) {
        let more = bars.len().saturating_sub(MAX_BARS);
        bars.truncate(MAX_BARS);
        if more > 0 {
            self.notes.push(words::more(more, MAX_BARS, &title));
        }
        if bars.is_empty() {
            return;
        }
        bars.sort_by(|a, b| a.x.total_cmp(&b.x).then(b.width.total_cmp(&a.width)));
        let top = self.height + TITLE_PX;
        // Where each row is free from, per cent.
        let mut free: Vec<f64> = Vec::new();
        for bar in &mut bars {
            let (from, to) = bar.extent();
            let row = free.iter().position(|free| from >= free - TOUCH).unwrap_or(free.len());
            match free.get_mut(row) {
                Some(free) => *free = to,
                None => free.push(to),
            }
            let label_px = if bar.label.is_empty() { 0 } else { LABELLED_PX - ROW_PX };
            bar.y = top + row as u32 * row_px + label_px;
        }
        let bottom = top + free.len() as u32 * row_px;
        self.lane(title, top - 6, Vec::new(), bars, bottom);
    }

    fn lane(&mut self, title: String, y: u32, marks: Vec<Mark>, bars: Vec<Bar>, bottom: u32) {
        self.lanes.push(Lane { title, y, marks, bars });
        self.height = bottom;
    }
}

impl Bar {
    /// The bar of `span` on `axis`, without its height; `None` where it lies beyond the axis.
    fn new(axis: &Axis, span: &Interval, class: String, label: String, title: String) -> Option<Bar> {
        let (start, end) = (axis.place(span.start), axis.place(span.end));
        if end < start || end <= 0.0 || start >= 100.0 {
            return None;
        }
        let (cut_left, cut_right) = (start < 0.0, end > 100.0);
        let (x, right) = (start.max(0.0), end.min(100.0));
        let label = match (cut_left, cut_right) {
            _ if label.is_empty() => label,
            (false, false) => label,
            (true, false) => format!("← {label}"),
            (false, true) => format!("{label} →"),
            (true, true) => format!("← {label} →"),
        };
        let room = letters(&label);
        let (label_x, anchor) = match () {
            () if x + room <= 100.0 => (x, "start"),
            () if right - room >= 0.0 => (right, "end"),
            () => (0.0, "start"),
        };
        Some(Bar {
            x,
            width: round(right - x, 2),
            y: 0,
            class,
            label,
            label_x,
            anchor,
            title,
            cut_left,
            cut_right,
        })
    }

    /// From where to where the bar and its label reach on the narrowest page, per cent.
    fn extent(&self) -> (f64, f64) {
        let letters = letters(&self.label);
        let (from, to) = match self.anchor {
            "end" => (self.label_x - letters, self.label_x),
            _ => (self.label_x, self.label_x + letters),
        };
        if self.label.is_empty() {
            return (self.x, self.x + self.width);
        }
        (from.min(self.x), to.max(self.x + self.width))
    }
}

/// `id`, cut where it is long.
fn short(id: &str) -> String {
    let mut cut: String = id.chars().take(MAX_LETTERS).collect();
    if cut.len() < id.len() {
        cut.push('…');
    }
    cut
}

/// Anomalies of one verdict whose change lies between the same dates.
struct Group<'a> {
    dates: &'a Interval,
    verdict: Verdict,
    ids: Vec<&'a str>,
}

/// The anomalies of all comparisons by the time span that `dates` tells of them, what has to be reviewed first.
fn groups<'a>(report: &'a SiteReport, dates: impl Fn(&'a Anomaly) -> Option<&'a Interval>) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(bool, Timestamp, Timestamp, Verdict), Group<'a>> = BTreeMap::new();
    for anomaly in report.comparisons.iter().flat_map(|c| &c.anomalies) {
        let Some(dates) = dates(anomaly) else { continue };
        let verdict = anomaly.verdict;
        let key = (!verdict.needs_review(), dates.start, dates.end, verdict);
        let new = || Group {
            dates,
            verdict,
            ids: Vec::new(),
        };
        groups.entry(key).or_insert_with(new).ids.push(&anomaly.id);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::axis::{EDGE, MARGIN};
    use super::*;
    use crate::finding::CourseRecord;
    use crate::report::sample;

    fn interval(start: &str, end: &str) -> Interval {
        Interval {
            start: format!("{start}T10:00:00Z").parse().unwrap(),
            end: format!("{end}T10:00:00Z").parse().unwrap(),
        }
    }

    fn line(report: &SiteReport) -> Timeline {
        let ids = report
            .comparisons
            .iter()
            .flat_map(|c| &c.anomalies)
            .map(|a| a.id.as_str());
        Timeline::new(report, &ids.zip(1..).collect()).unwrap()
    }

    fn lane<'a>(line: &'a Timeline, start: &str) -> &'a Lane {
        line.lanes.iter().find(|lane| lane.title.starts_with(start)).unwrap()
    }

    #[test]
    fn everything_lies_where_its_dates_put_it() {
        let report = sample::full();
        let line = line(&report);
        let titles: Vec<&str> = line.lanes.iter().map(|lane| lane.title.as_str()).collect();
        let comparisons = "Comparisons (dashed: not judged)";
        assert_eq!(titles, ["Scenes", comparisons, words::ACTIVITIES, words::CHANGES]);
        // From 11 February to 14 August 185 days; the window of act-5 goes on, so the axis does for 15 % of them; 3 % before.
        let days = 185.0 * (1.0 + MARGIN + EDGE);
        let february = 100.0 * 185.0 * EDGE / days;
        let july = february + 100.0 * 145.0 / days;
        let marks: Vec<f64> = lane(&line, "Scenes").marks.iter().map(|mark| mark.at).collect();
        assert!(
            (marks[0] - february).abs() < 0.02 && (marks[1] - july).abs() < 0.02,
            "{marks:?}"
        );
        let bars = &lane(&line, "Comparisons").bars;
        assert_eq!([marks[0], marks[1]], [bars[0].x, bars[1].x]);
        assert!((bars[0].width - (july - february)).abs() < 0.02);
        assert_eq!([bars[0].class.as_str(), bars[1].class.as_str()], ["judged", "blind"]);
        // Both share a scene, and stand in one row.
        assert_eq!(bars[0].y, bars[1].y);
        assert_eq!(
            line.ticks.iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>(),
            ["2020-03", "2020-05", "2020-07", "2020-09"]
        );
        assert!(line.aria.starts_with(
            "Time line from 2020-02-11 to 2020-08-14: 3 scenes, 2 comparisons of which 1 was judged, 4 declared activities, 4 anomalies. \
             Changes: No. "
        ), "{}", line.aria);
    }

    #[test]
    fn a_window_beyond_the_scenes_is_cut_and_says_so() {
        let mut report = sample::full();
        report.activities[0].window = interval("1990-01-01", "2020-06-01");
        report.activities[1].window = interval("2030-01-01", "2031-01-01");
        let line = line(&report);
        let bars = &lane(&line, "Declared").bars;
        let bar = |id: &str| bars.iter().find(|bar| bar.title.starts_with(id)).unwrap();
        assert!(bar("act-1").cut_left && !bar("act-1").cut_right && bar("act-1").label.starts_with("← act-1"));
        assert!(bar("act-5").cut_right && bar("act-5").label.ends_with('→'));
        assert!(!bar("act-4").cut_left && !bar("act-4").cut_right);
        assert_eq!(
            line.notes,
            ["1 declared window lies beyond the time line: act-3.", words::CUT]
        );
        assert!(bars.iter().all(|bar| bar.x >= 0.0 && bar.x + bar.width <= 100.005));
    }

    #[test]
    fn bars_and_labels_keep_apart() {
        let mut report = sample::crowded(200);
        let pair = &mut report.comparisons[0];
        for (i, anomaly) in pair.anomalies.iter_mut().enumerate() {
            anomaly.dates = interval(&format!("2020-0{}-11", 2 + i % 5), "2020-07-05");
            let first = interval("2020-02-11", &format!("2020-03-{:02}", 1 + i % 31));
            anomaly.course = Some(CourseRecord {
                changes: 2,
                direction: crate::stage::detect::Direction::Positive,
                first,
            });
        }
        let line = line(&report);
        for lane in &line.lanes {
            for (i, bar) in lane.bars.iter().enumerate() {
                for other in lane.bars[..i].iter().filter(|other| other.y == bar.y) {
                    let ((a, b), (c, d)) = (bar.extent(), other.extent());
                    assert!(b <= c + TOUCH || d <= a + TOUCH, "{} {}", bar.title, other.title);
                }
                assert!(bar.y < line.height);
            }
        }
        assert_eq!(lane(&line, "Anomalies: first").bars.len(), MAX_BARS);
        assert!(
            line.notes[0].contains("more time spans are not drawn"),
            "{:?}",
            line.notes
        );
        assert_eq!(lane(&line, words::CHANGES).bars.len(), 20);
    }

    #[test]
    fn changes_of_the_same_dates_share_a_bar() {
        let report = sample::crowded(500);
        let numbers = report.comparisons[0].anomalies[..8]
            .iter()
            .map(|a| a.id.as_str())
            .zip(1..)
            .collect();
        let line = Timeline::new(&report, &numbers).unwrap();
        let labels: Vec<&str> = lane(&line, words::CHANGES)
            .bars
            .iter()
            .map(|bar| bar.label.as_str())
            .collect();
        assert_eq!(labels.len(), 4);
        assert!(labels.contains(&"No. 1, 5 and 123 more: undeclared"), "{labels:?}");
        let none = Timeline::new(&report, &BTreeMap::new()).unwrap();
        assert!(
            lane(&none, words::CHANGES)
                .bars
                .iter()
                .all(|bar| bar.label.starts_with("125 not shown"))
        );
    }

    #[test]
    fn what_ends_before_it_begins_is_left_out() {
        let mut report = sample::full();
        report.comparisons[0].dates = interval("2020-07-05", "2020-02-11");
        report.comparisons[0].anomalies[0].dates = interval("2020-07-05", "2020-02-11");
        report.activities[1].id = "<script>".repeat(9);
        report.activities[1].window = interval("2021-07-05", "2021-08-05");
        let line = line(&report);
        assert_eq!(lane(&line, "Comparisons").bars.len(), 1);
        assert!(line.notes[0].contains("<script><script>…"), "{:?}", line.notes);
        report.scenes.truncate(1);
        assert!(Timeline::new(&report, &BTreeMap::new()).is_none());
    }

    #[test]
    fn scenes_of_one_day_have_an_axis() {
        let mut report = sample::full();
        for scene in &mut report.scenes {
            scene.acquired = interval("2020-07-05", "2020-07-05");
        }
        report.activities.clear();
        let line = line(&report);
        assert!(lane(&line, "Scenes").marks.iter().all(|mark| mark.at == 50.0));
        assert!(!line.ticks.is_empty());
    }
}
