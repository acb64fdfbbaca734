//! Regions and declared activities, judged against each other.
//!
//! A region is compared with what was declared by its pixels: those inside the area of an activity, grown by the activity's
//! tolerance, whose window meets the time in which the change happened.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::regions::Region;
use super::verdict::{Evidence, Fact, Verdict, WindowRelation};
use crate::declaration::{Activity, Role};
use crate::geo::Shape;
use crate::number::round;

/// `[judge]` of the pipeline file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgeParams {
    /// A site, or the area of an activity, of which less than this fraction was observed is not observable.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_observed_fraction: f64,
    /// A change may lie outside its declared area by this fraction of its pixels and still be consistent.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_outside_fraction: f64,
    /// An undeclared change is inconclusive when at least this fraction of its edge borders on ground that was not observed.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_unobserved_edge: f64,
    /// An activity counts as seen from this area of matching change on, square metres.
    #[schemars(range(min = 0.0, max = 1e12), extend("unit" = "square metres"))]
    pub min_seen_m2: f64,
}

/// A declared activity on the site grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// What was declared.
    pub activity: Activity,
    /// Its area in pixels.
    pub area: Shape,
    /// Its area grown by its tolerance.
    pub tolerated: Shape,
}

/// A declared zone on the site grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeclaredZone {
    /// Its id.
    pub id: String,
    /// What it is declared to be.
    pub role: Role,
    /// Its area in pixels.
    pub area: Shape,
}

/// When a change that a pair of scenes shows happened: after the start of the earlier, before the end of the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Start of the earlier acquisition.
    pub from: Timestamp,
    /// End of the later acquisition.
    pub to: Timestamp,
}

/// Pixels on a region's edge, and how many of them border on ground that was not observed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Edge {
    /// Pixels of the region with a neighbour outside it.
    pub pixels: u64,
    /// Those of them with a neighbour that was not observed.
    pub unobserved: u64,
}

/// What is said of a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Reasons for and against it.
    pub evidence: Vec<Evidence>,
    /// Zones that it touches.
    pub zones: Vec<String>,
    /// Activities whose tolerated area it touches.
    pub activities: Vec<String>,
    /// Those of them whose area and window hold some of it, with the pixels they hold.
    pub matched: Vec<(String, u64)>,
}

/// The verdict on `region`, seen between the dates of `span`.
pub fn judge(
    region: &Region,
    edge: Edge,
    span: Span,
    activities: &[Declared],
    zones: &[DeclaredZone],
    params: &JudgeParams,
) -> Judgement {
    let total = region.pixels();
    let part = |pixels: u64| fraction(pixels, total);
    let touched: Vec<(&Declared, u64)> = activities
        .iter()
        .map(|d| (d, inside(region, &[&d.tolerated])))
        .filter(|(_, pixels)| *pixels > 0)
        .collect();
    let in_window: Vec<&(&Declared, u64)> = touched.iter().filter(|(d, _)| meets(&d.activity, span)).collect();
    let shapes: Vec<&Shape> = in_window.iter().map(|(d, _)| &d.tolerated).collect();
    let outside = part(total - inside(region, &shapes));
    let mut verdict = if touched.is_empty() {
        Verdict::Undeclared
    } else if !in_window.is_empty() && outside <= params.max_outside_fraction {
        Verdict::Consistent
    } else {
        Verdict::OverRun
    };
    let mut evidence = Vec::new();
    if touched.is_empty() {
        evidence.push(says(true, Fact::NoArea));
    }
    for (declared, pixels) in &touched {
        evidence.extend(beside(&declared.activity, part(*pixels), span, verdict));
    }
    if verdict == Verdict::OverRun && !in_window.is_empty() {
        evidence.push(says(
            true,
            Fact::OutsideAreas {
                fraction: told(outside),
            },
        ));
    }
    if edge.unobserved > 0 {
        let fraction = fraction(edge.unobserved, edge.pixels);
        let decides = verdict != Verdict::Consistent && fraction >= params.max_unobserved_edge;
        if decides {
            verdict = Verdict::Inconclusive;
        }
        evidence.push(says(
            decides,
            Fact::Edge {
                decides,
                fraction: told(fraction),
            },
        ));
    }
    let zones = zones.iter().map(|zone| (zone, inside(region, &[&zone.area])));
    let zones: Vec<_> = zones.filter(|(_, pixels)| *pixels > 0).collect();
    for (zone, pixels) in &zones {
        let is_kept = matches!(zone.role, Role::Exclusion | Role::Reference);
        evidence.push(says(
            verdict.needs_review() && is_kept,
            Fact::Zone {
                fraction: told(part(*pixels)),
                role: zone.role,
                zone: zone.id.clone(),
            },
        ));
    }
    Judgement {
        verdict,
        evidence,
        zones: zones.iter().map(|(zone, _)| zone.id.clone()).collect(),
        activities: touched.iter().map(|(d, _)| d.activity.id.clone()).collect(),
        matched: in_window
            .iter()
            .map(|(d, pixels)| (d.activity.id.clone(), *pixels))
            .collect(),
    }
}

fn says(supports: bool, fact: Fact) -> Evidence {
    Evidence { fact, supports }
}

/// A fraction as it stands in the record.
fn told(fraction: f64) -> f64 {
    round(fraction, 6)
}

fn fraction(pixels: u64, total: u64) -> f64 {
    pixels as f64 / total.max(1) as f64
}

/// How a change of `span`, of which `fraction` lies in the area of `activity`, stands beside it, where the `verdict` is so far.
fn beside(activity: &Activity, fraction: f64, span: Span, verdict: Verdict) -> Vec<Evidence> {
    let meets = meets(activity, span);
    let relation = match (meets, activity.from <= span.from && span.to <= activity.to) {
        (false, _) => WindowRelation::Outside,
        (true, true) => WindowRelation::Inside,
        (true, false) => WindowRelation::Unclear,
    };
    let fits = match relation {
        WindowRelation::Outside => verdict == Verdict::OverRun,
        WindowRelation::Inside => verdict == Verdict::Consistent,
        WindowRelation::Unclear => false,
    };
    let area = Fact::Area {
        activity: activity.id.clone(),
        fraction: told(fraction),
        tolerance_m: activity.tolerance_m,
        what: activity.what,
    };
    let window = Fact::Window {
        activity: activity.id.clone(),
        change_end: span.to,
        change_start: span.from,
        end: activity.to,
        relation,
        start: activity.from,
    };
    let mut evidence = vec![says(verdict == Verdict::Consistent || !meets, area), says(fits, window)];
    evidence.extend(late_notice(activity));
    evidence
}

/// That `activity` was notified after its start.
fn late_notice(activity: &Activity) -> Option<Evidence> {
    let notice = || Fact::Notice {
        activity: activity.id.clone(),
        notified: activity.notified,
    };
    (activity.notified > activity.from).then(|| says(false, notice()))
}

/// What one comparison says about an activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When a change in this comparison happened.
    pub span: Span,
    /// Pixels of the activity's area, and those of them that were observed.
    pub area: (u64, u64),
    /// Matching change: anomaly ids and their pixels inside the activity's tolerated area.
    pub matched: Vec<(String, u64)>,
}

/// The verdict on an activity, from all comparisons of its site: consistent means seen.
pub fn judge_activity(
    activity: &Activity,
    observations: &[Observation],
    pixel_area_m2: f64,
    params: &JudgeParams,
) -> (Verdict, Vec<Evidence>, f64) {
    let observations: Vec<&Observation> = observations
        .iter()
        .filter(|observation| meets(activity, observation.span))
        .collect();
    // The best observation decides: a change that stays is seen by any comparison over it.
    let observed = observations
        .iter()
        .map(|observation| fraction(observation.area.1, observation.area.0))
        .fold(0.0, f64::max);
    let seen: u64 = observations
        .iter()
        .flat_map(|observation| &observation.matched)
        .map(|(_, pixels)| pixels)
        .sum();
    let seen_m2 = seen as f64 * pixel_area_m2;
    let (verdict, fact) = if seen > 0 && seen_m2 >= params.min_seen_m2 {
        (
            Verdict::Consistent,
            Fact::MatchingChange {
                area_m2: round(seen_m2, 2),
            },
        )
    } else if observations.is_empty() {
        (Verdict::NotObservable, Fact::NoPair)
    } else if observed < params.min_observed_fraction {
        (
            Verdict::NotObservable,
            Fact::AreaHardlyObserved {
                fraction: told(observed),
            },
        )
    } else if observations.iter().all(|observation| observation.span.to < activity.to) {
        (Verdict::Inconclusive, Fact::WindowOpen { end: activity.to })
    } else {
        (
            Verdict::DeclaredNotSeen,
            Fact::NoChange {
                fraction: told(observed),
            },
        )
    };
    let mut evidence: Vec<Evidence> = late_notice(activity).into_iter().collect();
    evidence.push(says(true, fact));
    if verdict == Verdict::DeclaredNotSeen
        && observations
            .iter()
            .all(|observation| observation.span.from > activity.from)
    {
        evidence.push(says(false, Fact::BegunBefore));
    }
    (verdict, evidence, observed)
}

/// Whether an activity's half-open window meets the span of a change.
fn meets(activity: &Activity, span: Span) -> bool {
    activity.from <= span.to && span.from < activity.to
}

/// Pixels of `region` that any of `shapes` holds.
fn inside(region: &Region, shapes: &[&Shape]) -> u64 {
    let mut total = 0;
    for run in &region.runs {
        let mut spans: Vec<(i64, i64)> = shapes
            .iter()
            .filter(|shape| run.y >= shape.bounds().y && run.y < shape.bounds().bottom())
            .flat_map(|shape| shape.spans(run.y))
            .map(|(from, to)| (from.max(run.from), to.min(run.to)))
            .filter(|(from, to)| from < to)
            .collect();
        spans.sort_unstable();
        let mut reached = run.from;
        for (from, to) in spans {
            total += (to - reached.max(from)).max(0) as u64;
            reached = reached.max(to);
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use geo::{MultiPolygon, Rect as Box};

    use super::*;
    use crate::declaration::What;
    use crate::stage::regions::Run;

    fn day(text: &str) -> Timestamp {
        format!("{text}T00:00:00Z").parse().unwrap()
    }

    fn square(x: f64, y: f64, edge: f64) -> Shape {
        let polygon = Box::new((x, y), (x + edge, y + edge)).to_polygon();
        Shape::new(MultiPolygon(vec![polygon]))
    }

    fn region(x: i64, y: i64, edge: i64) -> Region {
        let runs = (y..y + edge)
            .map(|y| Run {
                y,
                from: x,
                to: x + edge,
                peak: 900,
                sum: 600 * edge,
                seeds: 1,
            })
            .collect();
        Region { runs }
    }

    fn declared(from: &str, to: &str, area: Shape) -> Declared {
        let activity = Activity {
            id: "a1".into(),
            zone: None,
            what: What::Construction,
            from: day(from),
            to: day(to),
            notified: day("2019-01-01"),
            tolerance_m: 0.0,
            polygon: MultiPolygon(vec![]),
            declared_in: "d1".into(),
        };
        Declared {
            activity,
            tolerated: area.clone(),
            area,
        }
    }

    fn params() -> JudgeParams {
        JudgeParams {
            min_observed_fraction: 0.5,
            max_outside_fraction: 0.1,
            max_unobserved_edge: 0.3,
            min_seen_m2: 100.0,
        }
    }

    fn span() -> Span {
        Span {
            from: day("2020-01-01"),
            to: day("2020-02-01"),
        }
    }

    fn verdict(region: &Region, activities: &[Declared], edge: Edge) -> Verdict {
        judge(region, edge, span(), activities, &[], &params()).verdict
    }

    #[test]
    fn a_region_is_told_by_area_and_window() {
        let june = |area| declared("2020-06-01", "2020-07-01", area);
        let january = |area| declared("2019-12-01", "2020-03-01", area);
        let none = Edge::default();
        assert_eq!(verdict(&region(2, 2, 4), &[], none), Verdict::Undeclared);
        assert_eq!(
            verdict(&region(2, 2, 4), &[january(square(20.0, 20.0, 4.0))], none),
            Verdict::Undeclared
        );
        assert_eq!(
            verdict(&region(2, 2, 4), &[january(square(0.0, 0.0, 10.0))], none),
            Verdict::Consistent
        );
        assert_eq!(
            verdict(&region(2, 2, 4), &[june(square(0.0, 0.0, 10.0))], none),
            Verdict::OverRun
        );
        assert_eq!(
            verdict(&region(2, 2, 4), &[january(square(0.0, 0.0, 4.0))], none),
            Verdict::OverRun
        );
        // Two adjoining areas hold together what neither holds alone.
        let halves = [
            january(square(0.0, 0.0, 4.0)),
            january(square(4.0, 0.0, 6.0)),
            january(square(0.0, 4.0, 6.0)),
        ];
        assert_eq!(verdict(&region(2, 2, 4), &halves, none), Verdict::Consistent);
    }

    #[test]
    fn the_rim_of_a_cloud_is_inconclusive() {
        assert_eq!(
            verdict(
                &region(2, 2, 4),
                &[],
                Edge {
                    pixels: 12,
                    unobserved: 6
                }
            ),
            Verdict::Inconclusive
        );
        assert_eq!(
            verdict(
                &region(2, 2, 4),
                &[],
                Edge {
                    pixels: 12,
                    unobserved: 1
                }
            ),
            Verdict::Undeclared
        );
    }

    #[test]
    fn an_activity_is_seen_not_seen_or_not_observable() {
        let activity = declared("2020-01-05", "2020-01-20", square(0.0, 0.0, 4.0)).activity;
        let observation = |observed, matched: &[(String, u64)]| Observation {
            span: span(),
            area: (16, observed),
            matched: matched.to_vec(),
        };
        let tell = |observations: &[Observation]| judge_activity(&activity, observations, 100.0, &params()).0;
        assert_eq!(tell(&[observation(16, &[("x".into(), 3)])]), Verdict::Consistent);
        assert_eq!(tell(&[observation(16, &[])]), Verdict::DeclaredNotSeen);
        assert_eq!(tell(&[observation(3, &[])]), Verdict::NotObservable);
        assert_eq!(tell(&[]), Verdict::NotObservable);
        let long = declared("2020-01-05", "2021-01-01", square(0.0, 0.0, 4.0)).activity;
        assert_eq!(
            judge_activity(&long, &[observation(16, &[])], 100.0, &params()).0,
            Verdict::Inconclusive
        );
    }
}
