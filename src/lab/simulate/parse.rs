//! A recipe from its text.

use jiff::Timestamp;

use super::recipe::{Activity, Change, Recipe, Site, Style, What};
use crate::fault::Fault;
use crate::finding::Verdict;

/// The recipe in `text`, with `sites_grid` written out as sites, changes and activities.
///
/// # Errors
/// Every fault found, each with its place: the line for what is not TOML or not a known key, the key for a value that cannot be.
pub fn parse(text: &str) -> Result<Recipe, Vec<Fault>> {
    let mut recipe: Recipe = toml::from_str(text).map_err(|error| vec![Fault::of_toml(text, &error)])?;
    let faults = super::check::faults(&recipe);
    if faults.is_empty() {
        expand_grid(&mut recipe);
        Ok(recipe)
    } else {
        Err(faults)
    }
}

/// Height of a hall on a grid of sites, metres.
const HALL_HEIGHT_M: f64 = 9.0;

/// Writes out `sites_grid`: a hall of 90 x 60 m in the middle of the sites that have one.
fn expand_grid(recipe: &mut Recipe) {
    let Some(grid) = recipe.sites_grid.take() else { return };
    let first = recipe.dates.first().map_or(Timestamp::UNIX_EPOCH, |date| date.time);
    let last = recipe.dates.last().map_or(first, |date| date.time);
    let between = Timestamp::from_second(first.as_second().midpoint(last.as_second())).unwrap_or(first);
    let (width, height) = recipe.size_m();
    for number in 1..=grid.rows * grid.cols {
        let (row, col) = ((number - 1) / grid.cols, (number - 1) % grid.cols);
        let x = width * (col as f64 + 0.5) / grid.cols as f64;
        let y = height * (row as f64 + 0.5) / grid.rows as f64;
        let around = |half_width: f64, half_height: f64| {
            // On whole metres, so that the declaration is short and exact.
            [x - half_width, y - half_height, x + half_width, y + half_height].map(f64::round)
        };
        let id = format!("site-{number:03}");
        let every = |n: usize| n > 0 && number % n == 0;
        let (declared, undeclared) = (every(grid.declared_every), every(grid.undeclared_every));
        let hall = around(45.0, 30.0);
        let activity = declared.then(|| format!("{id}-hall"));
        if let Some(activity) = &activity {
            recipe.activities.push(Activity {
                id: activity.clone(),
                site: id.clone(),
                zone: None,
                box_m: Some(around(55.0, 40.0)),
                what: What::Construction,
                from: first,
                to: last,
                notified: first,
                tolerance_m: None,
                verdict: Some(Verdict::Consistent),
            });
        }
        if declared || undeclared {
            recipe.changes.push(Change {
                what: What::Construction,
                box_m: hall,
                at: between,
                until: None,
                angle_deg: 0.0,
                height_m: HALL_HEIGHT_M,
                verdict: Some(if declared {
                    Verdict::Consistent
                } else {
                    Verdict::Undeclared
                }),
                activity,
            });
        }
        let half = grid.size_m / 2.0;
        recipe.sites.push(Site {
            id,
            name: None,
            box_m: around(half, half),
            style: Style::Base,
        });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A small recipe with one site and one change.
    pub(in crate::lab::simulate) const SMALL: &str = r#"
        seed = 3
        width_px = 64
        height_px = 48
        [[site]]
        id = "A"
        box_m = [100, 80, 520, 400]
        [[change]]
        what = "construction"
        box_m = [250, 200, 340, 260]
        at = "2021-06-15"
        verdict = "undeclared"
        [[date]]
        time = "2021-06-01T10:10:31Z"
        [[date]]
        time = "2021-07-01T10:10:31Z"
        gain = [1.05]
        shift_px = [0.3, -0.2]
    "#;

    #[test]
    fn a_small_recipe_is_read_with_its_defaults() {
        let recipe = parse(SMALL).unwrap();
        assert_eq!((recipe.epsg, recipe.bands.len(), recipe.pixel_m), (32633, 4, 10.0));
        assert_eq!(recipe.changes[0].at.to_string(), "2021-06-15T00:00:00Z");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
        let faults = parse(&SMALL.replace("shift_px", "shfit_px")).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].place.starts_with("line 18"), "{}", faults[0]);
        assert!(faults[0].message.contains("did you mean 'shift_px'?"), "{}", faults[0]);
    }

    #[test]
    fn all_impossible_values_are_told_at_once() {
        let text = SMALL
            .replace("width_px = 64", "width_px = 50000")
            .replace("[1.05]", "[1, 1, 1]");
        let faults = parse(&text).unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(places, ["width_px", "date[1].gain"]);
    }

    #[test]
    fn a_grid_of_sites_is_written_out() {
        let text = format!("sites_grid = {{ rows = 2, cols = 3, size_m = 120, undeclared_every = 3 }}\n{SMALL}");
        let recipe = parse(&text).unwrap();
        assert_eq!((recipe.sites.len(), recipe.changes.len()), (7, 3));
        assert_eq!(recipe.sites[1].box_m, [47.0, 60.0, 167.0, 180.0]);
    }
}
