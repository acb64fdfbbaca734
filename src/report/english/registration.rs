//! How scenes lie beside each other, in words.

use super::plural;
use crate::finding::RegistrationRecord;
use crate::stage::coregister::Model;

/// How the scenes of a comparison lie beside each other, in words.
pub(in crate::report) fn of_registration(registration: Option<&RegistrationRecord>) -> String {
    let Some(found) = registration else {
        return "The scenes were compared where their own georeference puts them.".to_owned();
    };
    let Some([x, y]) = found.shift_px else {
        let why = found.reason.as_deref().unwrap_or("no reason is recorded");
        return format!("How the scenes lie beside each other could not be measured: {why}. Neither was moved.");
    };
    let (across, down) = (
        if x < 0.0 { "left" } else { "right" },
        if y < 0.0 { "up" } else { "down" },
    );
    let done = match found.model {
        Model::Identity => "too little to resample for, and was left where it is".to_owned(),
        model => format!(
            "and was moved ({}) in the same resampling that brings it onto the site grid",
            model.word()
        ),
    };
    let left = found
        .residual_px
        .map_or_else(String::new, |px| format!(" {px:.2} pixels are left at them."));
    format!(
        "{} has to move {:.2} pixels {across} and {:.2} {down} to lie on the earlier scene, {done}: {}.{left}",
        found.moved,
        x.abs(),
        y.abs(),
        plural(found.tie_points as usize, "tie point agrees", "tie points agree"),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::finding::RegistrationOutcome;

    #[test]
    fn an_alignment_says_what_was_done_and_what_was_not() {
        assert!(of_registration(None).contains("their own georeference"));
        let mut found = RegistrationRecord {
            circular_error_90_px: None,
            held_out_px: None,
            model: Model::Shift,
            moved: "s-2".into(),
            outcome: RegistrationOutcome::Pass,
            outliers: 0,
            reason: None,
            rejected: BTreeMap::new(),
            residual_px: Some(0.123),
            shift_px: Some([0.5, -1.25]),
            tie_points: 20,
        };
        assert_eq!(
            of_registration(Some(&found)),
            "s-2 has to move 0.50 pixels right and 1.25 up to lie on the earlier scene, and was moved (shift) in the same resampling that brings it onto the site grid: 20 tie points agree. 0.12 pixels are left at them."
        );
        found.model = Model::Identity;
        assert!(of_registration(Some(&found)).contains("was left where it is"));
        (found.shift_px, found.reason) = (None, Some("too few tie points".into()));
        assert!(
            of_registration(Some(&found)).contains("could not be measured: too few tie points. Neither was moved.")
        );
    }
}
