//! Radar in decibels, judged by the distribution of its speckle: two dates ([`logratio`]) or a series ([`omnibus`]).

pub mod logratio;
mod looks;
pub mod omnibus;
mod sequence;
