//! Tests of the whole: layers, invariants, golden cases, the command line, bad input, and real imagery where it is present.

mod alarm_budget;
mod bad_input;
mod cases;
mod cli;
mod common;
mod confined;
mod dependencies;
mod dice;
mod districts;
mod evaluate;
mod faults;
mod flips;
mod formats;
mod imagery;
mod imagery_optical;
mod imagery_radar;
mod imagery_series;
mod invariants;
mod layers;
mod mutations;
mod observation;
mod parties;
mod registration;
mod sensitivity;
