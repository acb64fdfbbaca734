//! What will be done, before a pixel is read: inputs, which scenes meet, the grid of each site, memory.

pub mod bands;
pub mod ground;
pub mod ground_shown;
pub mod inputs;
pub mod left_out;
pub mod memory;
pub mod pairs;
pub mod place;
pub mod reach;
pub mod site_grid;
pub mod site_plan;
pub mod sites;
pub mod stated;
pub mod training;

pub use ground::Ground;
pub use site_plan::{SitePlan, site_files};
pub use sites::plan_sites;
