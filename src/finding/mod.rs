//! What we say: anomalies, declared activities and coverage. `report.json` is [`SiteReport`], serialised, `run.json` is [`RunRecord`].
//!
//! What is decided is a value here, and a sentence in `report::english`. Numbers are rounded ([`crate::number`]) before they are stored, so that a report
//! is the same text wherever it is made. Fields stand
//! in the order of the alphabet, and so do the keys of report.json; what is not known is absent, never `null`.

mod anomaly;
mod comparison;
mod coverage;
mod geometry;
mod interval;
mod measured;
mod run;
mod scenes;
mod sensitivity;
mod site;

pub use anomaly::{Anomaly, BandChange, CourseRecord, Vote};
pub use comparison::{Comparison, NOT_COMPARED};
pub use coverage::{ActivityFinding, Coverage, ZoneCoverage};
pub use geometry::Geometry;
pub use interval::Interval;
pub use measured::{
    BandFit, CutoffRecord, CutoffRefusal, DetectorFit, HeldOut, Normalisation, RegistrationOutcome, RegistrationRecord,
    TailRecord,
};
pub use run::{RUN_VERSION, RunRecord, SiteOutcome, StageSeconds};
pub use scenes::{Alignment, NOT_COVERING, PieceRecord, RefusedScene, SceneRecord};
pub use sensitivity::{AreaSensitivity, ChangeSensitivity, DetectableSize, DetectionCurve, Sensitivity, Tried};
pub use site::{DeclarationRecord, GridRecord, Input, Program, REPORT_VERSION, SiteRecord, SiteReport};

pub use crate::stage::verdict::{Evidence, Fact, Topic, VERDICTS, Verdict, WindowRelation};
