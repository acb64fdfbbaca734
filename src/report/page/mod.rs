//! The pages for a browser: report.html of a site, index.html of a run.

mod card;
pub mod html;
pub mod index;
mod map;
mod rows;
mod sensitivity;
mod shell;
mod sites_map;
mod svg;
mod timeline;
mod view;
mod viewer;
