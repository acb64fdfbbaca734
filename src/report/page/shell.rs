//! What every page has: the style sheet, the script, and the policy that lets nothing else in.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// The style sheet of all pages.
pub(super) const STYLE: &str = concat!(
    include_str!("templates/style.css"),
    include_str!("templates/timeline.css")
);

/// The script of all pages.
pub(super) const SCRIPT: &str = include_str!("templates/script.js");

/// The content security policy of a page: its style sheet and its script, by their hashes; pictures that the page holds; and
/// nothing from anywhere (W3C, "Content Security Policy Level 3").
pub(super) fn policy(style: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(SCRIPT)
    )
}
