//! The figures of all reports.

use serde::Serialize;

use super::error::LeftOut;
use super::objects::ObjectFigures;
use super::pixels::PixelFigures;
use super::site::Measured;

/// The figures of a site, or of all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Of objects and anomalies.
    pub objects: ObjectFigures,
    /// Of pixels.
    pub pixels: PixelFigures,
    /// The site's id; `overall` of all together.
    pub site: String,
}

/// The figures of all reports.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// Sites without figures.
    pub left_out: Vec<LeftOut>,
    /// Of all sites together.
    pub overall: Figures,
    /// How the figures come about.
    pub rules: [&'static str; 5],
    /// Of each site, in the order of their folders.
    pub sites: Vec<Figures>,
    #[serde(skip)]
    pub(super) measured: Vec<Measured>,
}
