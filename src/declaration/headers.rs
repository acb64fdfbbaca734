//! The heads of several declarations: whether they fit together, and which supersedes which.

use super::{Header, quote};
use crate::fault::{Fault, nearest};

/// A place in a declaration, in words.
pub(super) fn place_in(declaration: &str, place: &str) -> String {
    format!("declaration {}: {place}", quote(declaration))
}

/// Ids that come twice, and what `supersedes` may name: an earlier declaration of the same party.
pub(super) fn check_headers(headers: &[Header]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        if headers[..index].iter().any(|earlier| earlier.id == header.id) {
            faults.push(Fault::new(
                place_in(&header.id, "declaration.id"),
                "two declarations have this id: give each file once, and each declaration its own id",
            ));
        }
        let Some(target) = &header.supersedes else { continue };
        let wrong = match headers.iter().position(|other| other.id == *target) {
            None => {
                let near = nearest(
                    target,
                    headers.iter().map(|h| h.id.as_str()).filter(|id| *id != header.id),
                );
                let hint = near.map(|id| format!(" (is {} meant?)", quote(id))).unwrap_or_default();
                format!(
                    "no declaration with the id {} was given{hint}: give its file too",
                    quote(target)
                )
            }
            Some(other) if other >= index => {
                format!(
                    "{} was issued {}, which is not before {}",
                    quote(target),
                    headers[other].issued,
                    header.issued
                )
            }
            Some(other) if headers[other].party != header.party => format!(
                "{} is a declaration of {}, not of {}: a party supersedes its own declarations only",
                quote(target),
                quote(&headers[other].party),
                quote(&header.party)
            ),
            Some(_) => continue,
        };
        faults.push(Fault::new(place_in(&header.id, "declaration.supersedes"), wrong));
    }
    faults
}

/// Whether `header` supersedes the declaration `holder`, directly or through those in between.
pub(super) fn supersedes(headers: &[Header], header: &Header, holder: &str) -> bool {
    let mut next = header.supersedes.as_deref();
    // A chain longer than the declarations is a ring, which `check_headers` has refused.
    for _ in headers {
        match next {
            None => return false,
            Some(id) if id == holder => return true,
            Some(id) => {
                next = headers
                    .iter()
                    .find(|h| h.id == id)
                    .and_then(|h| h.supersedes.as_deref())
            }
        }
    }
    false
}
