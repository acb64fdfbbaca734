//! The facts behind a verdict, in words.

use crate::declaration::Role;
use crate::finding::{Evidence, Fact, WindowRelation};

/// What is said of the anomaly or activity that `evidence` stands beside; `own` is the id of that activity.
pub(in crate::report) fn said(evidence: &Evidence, own: Option<&str>) -> String {
    match &evidence.fact {
        Fact::NoArea => "no declared activity's area holds any of it".into(),
        Fact::Area {
            activity,
            fraction,
            tolerance_m,
            what,
        } => {
            let tolerance = match *tolerance_m > 0.0 {
                true => format!(", tolerance {tolerance_m} m"),
                false => String::new(),
            };
            format!(
                "{} of it lies in the area of {activity} ({what}{tolerance})",
                percent(*fraction)
            )
        }
        Fact::OutsideAreas { fraction } => {
            format!(
                "{} of it lies outside every area declared for that time",
                percent(*fraction)
            )
        }
        Fact::Window {
            activity,
            change_end,
            change_start,
            end,
            relation,
            start,
        } => {
            let how = match relation {
                WindowRelation::Inside => "inside its window",
                WindowRelation::Outside => "outside its window",
                WindowRelation::Unclear => "it may have been inside its window or not",
            };
            format!(
                "{activity} was declared for {start} to {end}; the change happened between {change_start} and {change_end}: {how}"
            )
        }
        Fact::Notice { activity, notified } if own == Some(activity) => {
            format!("notified on {notified}, after its start")
        }
        Fact::Notice { activity, notified } => format!("{activity} was notified on {notified}, after its start"),
        Fact::Edge { decides, fraction } => {
            let edge = format!(
                "{} of its edge borders on ground that was not observed",
                percent(*fraction)
            );
            match decides {
                true => format!("{edge}: it may be the rim of a cloud or shadow, and its extent is unknown"),
                false => edge,
            }
        }
        Fact::Zone { fraction, role, zone } => {
            let must = match role {
                Role::Exclusion => ", declared to stay empty",
                Role::Reference => ", declared not to change",
                _ => "",
            };
            format!("{} of it lies in zone {zone} ({role}{must})", percent(*fraction))
        }
        Fact::MatchingChange { area_m2 } => format!("{area_m2:.0} m2 of change in its area and window"),
        Fact::NoPair => "no pair of scenes spans any part of its window".into(),
        Fact::AreaHardlyObserved { fraction } => {
            format!("at most {} of its area was observed in its window", percent(*fraction))
        }
        Fact::WindowOpen { end } => format!("no change yet; its window is open until {end}"),
        Fact::NoChange { fraction } => {
            format!("no change in its area, of which {} was observed", percent(*fraction))
        }
        Fact::BegunBefore => {
            "the earlier scene was taken after its window had begun: it may have been done before".into()
        }
    }
}

/// What is said for (`supports`) or against a verdict, a sentence each.
pub(in crate::report) fn reasons(evidence: &[Evidence], supports: bool, own: Option<&str>) -> Vec<String> {
    let those = evidence.iter().filter(|one| one.supports == supports);
    those.map(|one| said(one, own)).collect()
}

fn percent(fraction: f64) -> String {
    format!("{:.0} %", 100.0 * fraction)
}
