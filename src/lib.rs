//! sitewatch: change on declared sites in satellite imagery, judged against what was declared.
//!
//! The flow on one screen is [`run::run`]. [`declaration`] reads what a party declared, [`scene`] what was acquired; [`plan`] gives every
//! site a grid and the pairs of scenes to compare, and no pixel is read yet. [`engine`] judges one site: scenes are aligned ([`io::source`]),
//! screened ([`stage::screen`]), normalised ([`stage::normalise`]) and scored in sigma of no-change noise ([`stage::detect`]); a cutoff is fitted
//! to the scores at a stated false discovery rate ([`stage::cutoff`]); connected pixels above it become regions ([`stage::regions`]), and regions
//! become anomalies with a verdict ([`stage::judge`]). [`finding::SiteReport`] is the record; [`report`] renders it, [`output`] puts it into its
//! place. A room imports only from rooms above it in the list of ARCHITECTURE.md.
#![warn(missing_docs)]

pub mod cli;
pub mod config;
pub mod declaration;
pub mod engine;
pub mod fault;
pub mod finding;
pub mod geo;
pub mod intake;
pub mod io;
pub mod lab;
pub mod number;
pub mod output;
pub mod plan;
pub mod raster;
pub mod report;
pub mod run;
pub mod scene;
pub mod seal;
pub mod stage;
pub mod verify;
