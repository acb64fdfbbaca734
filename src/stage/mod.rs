//! The stages: plain functions from data to data. No files, no threads, no clock.

pub mod cloud;
pub mod coded;
pub mod coregister;
pub mod cutoff;
pub mod detect;
pub mod distributions;
pub mod false_alarms;
pub mod fringe;
pub mod invariant;
pub mod judge;
pub mod normalise;
pub mod outline;
pub mod persistent;
pub mod profile;
pub mod random;
pub mod regions;
pub mod screen;
pub mod sensitivity;
pub mod verdict;
