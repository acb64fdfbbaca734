//! What is decided of a change or a declared activity, and the facts it rests on. The sentences are the report's.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::declaration::{Role, What};

/// The judgement on an anomaly, a declared activity or a whole comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Change that no declared activity explains.
    Undeclared,
    /// Change that belongs to a declared activity but lies outside its area or its window.
    OverRun,
    /// A declared activity whose window has passed on ground that was observed, without a change.
    DeclaredNotSeen,
    /// Change inside the area and the window of a declared activity.
    Consistent,
    /// Ground or a time that was not observed well enough to say anything.
    NotObservable,
    /// What was seen fits more than one of the other verdicts.
    Inconclusive,
}

/// What is known of a verdict wherever it is told. Its colours stand in the style sheet of the page and in the styles for QGIS.
#[derive(Debug)]
pub struct VerdictRow {
    /// Which.
    pub verdict: Verdict,
    /// As in the record.
    pub word: &'static str,
    /// As a person reads it.
    pub words: &'static str,
    /// Its class in style sheets.
    pub class: &'static str,
    /// Whether a reviewer has to look at it.
    pub needs_review: bool,
}

/// The verdicts, what has to be looked at soonest first.
pub const VERDICTS: [VerdictRow; 6] = [
    VerdictRow {
        verdict: Verdict::Undeclared,
        word: "undeclared",
        words: "undeclared",
        class: "undeclared",
        needs_review: true,
    },
    VerdictRow {
        verdict: Verdict::OverRun,
        word: "over_run",
        words: "over-run",
        class: "over-run",
        needs_review: true,
    },
    VerdictRow {
        verdict: Verdict::DeclaredNotSeen,
        word: "declared_not_seen",
        words: "declared but not seen",
        class: "not-seen",
        needs_review: true,
    },
    VerdictRow {
        verdict: Verdict::Inconclusive,
        word: "inconclusive",
        words: "inconclusive",
        class: "inconclusive",
        needs_review: true,
    },
    VerdictRow {
        verdict: Verdict::NotObservable,
        word: "not_observable",
        words: "not observable",
        class: "not-observable",
        needs_review: false,
    },
    VerdictRow {
        verdict: Verdict::Consistent,
        word: "consistent",
        words: "consistent",
        class: "consistent",
        needs_review: false,
    },
];

impl Verdict {
    /// Its place in [`VERDICTS`].
    pub fn severity(self) -> usize {
        VERDICTS
            .iter()
            .position(|row| row.verdict == self)
            .unwrap_or(VERDICTS.len() - 1)
    }

    /// What is known of it.
    pub fn row(self) -> &'static VerdictRow {
        &VERDICTS[self.severity()]
    }

    /// The verdict as a person reads it.
    pub fn words(self) -> &'static str {
        self.row().words
    }

    /// Whether a reviewer has to look at it.
    pub fn needs_review(self) -> bool {
        self.row().needs_review
    }
}

/// A fact behind a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What was found.
    pub fact: Fact,
    /// Whether it supports the verdict (`false`: it speaks against it).
    pub supports: bool,
}

/// What was found of an anomaly or of a declared activity. Fractions are 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// So much of an anomaly lies in the area of an activity.
    Area {
        /// Its id.
        activity: String,
        /// The part of the anomaly.
        fraction: f64,
        /// By how much its area is grown, metres.
        tolerance_m: f64,
        /// What was declared.
        what: What,
    },
    /// So little of an activity's area was observed in its window.
    AreaHardlyObserved {
        /// The part at best.
        fraction: f64,
    },
    /// The earlier scene was taken after the window had begun: what was declared may have been done before.
    BegunBefore,
    /// So much of an anomaly's edge borders on ground that was not observed.
    Edge {
        /// Whether it is so much that the verdict is open.
        decides: bool,
        /// The part of its edge.
        fraction: f64,
    },
    /// So much change is in the area and window of an activity.
    MatchingChange {
        /// Square metres.
        area_m2: f64,
    },
    /// No declared activity's area holds any of an anomaly.
    NoArea,
    /// No change is in the area of an activity, of which so much was observed.
    NoChange {
        /// The part that was observed.
        fraction: f64,
    },
    /// No pair of scenes spans any part of the window.
    NoPair,
    /// An activity was notified after its start.
    Notice {
        /// Its id.
        activity: String,
        /// When.
        notified: Timestamp,
    },
    /// So much of an anomaly lies outside every area that was declared for its time.
    OutsideAreas {
        /// The part of the anomaly.
        fraction: f64,
    },
    /// How the time of a change lies beside the window of an activity.
    Window {
        /// Its id.
        activity: String,
        /// The change happened before.
        change_end: Timestamp,
        /// The change happened after.
        change_start: Timestamp,
        /// End of the window.
        end: Timestamp,
        /// How they lie.
        relation: WindowRelation,
        /// Start of the window.
        start: Timestamp,
    },
    /// There is no change yet, and the window is still open.
    WindowOpen {
        /// Until when.
        end: Timestamp,
    },
    /// So much of an anomaly lies in a declared zone.
    Zone {
        /// The part of the anomaly.
        fraction: f64,
        /// What the zone is declared to be.
        role: Role,
        /// Its id.
        zone: String,
    },
}

/// How the time of a change lies beside the window of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowRelation {
    /// All of it inside.
    Inside,
    /// All of it outside.
    Outside,
    /// It may have been inside or not.
    Unclear,
}

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Where a change lies.
    Area,
    /// The edge of a change.
    Edge,
    /// The notice of an activity.
    Notice,
    /// When a change happened.
    Window,
    /// Declared zones.
    Zone,
}

impl Topic {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Area => "area",
            Self::Edge => "edge",
            Self::Notice => "notice",
            Self::Window => "window",
            Self::Zone => "zone",
        }
    }
}

impl Fact {
    /// What it is about.
    pub fn topic(&self) -> Topic {
        match self {
            Self::Area { .. }
            | Self::AreaHardlyObserved { .. }
            | Self::MatchingChange { .. }
            | Self::NoArea
            | Self::NoChange { .. }
            | Self::OutsideAreas { .. } => Topic::Area,
            Self::Edge { .. } => Topic::Edge,
            Self::Notice { .. } => Topic::Notice,
            Self::BegunBefore | Self::NoPair | Self::Window { .. } | Self::WindowOpen { .. } => Topic::Window,
            Self::Zone { .. } => Topic::Zone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_its_row_and_the_word_of_the_record() {
        for row in &VERDICTS {
            assert_eq!(serde_json::to_value(row.verdict).unwrap(), row.word);
            assert_eq!(row.verdict.row().word, row.word);
        }
    }
}
