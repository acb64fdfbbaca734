//! The English of the report: every word of it stands in this folder; templates hold none.

pub(super) mod evidence;
pub(super) mod labels;
pub(super) mod likelihood;
mod measured;
mod methods;
mod parameters;
mod parties;
mod registration;
pub(super) mod sensitivity;
mod summary;
pub(super) mod timeline;
mod words;

pub(super) use measured::{cutoff_notes, detectors, measured, normalisation};
pub(super) use methods::methods;
pub(super) use parameters::parameter_meaning;
pub(super) use registration::of_registration;
pub(super) use sensitivity::of_sensitivity;
pub use summary::summary;
pub(super) use summary::{Sentences, of_activity, of_run, reasons, sentences};
pub(super) use words::{capitalised, day, days, percent, plural, share, was_judged};
