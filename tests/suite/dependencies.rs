//! What the program is built from: licences are allowed by name, and crates come from crates.io alone.

use std::process::Command;

use serde_json::Value;

const LICENCES: [&str; 4] = ["Apache-2.0", "MIT", "Unicode-3.0", "Zlib"];
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Whether all that `expression` (SPDX, or the old form with `/`) asks for can be had from [`LICENCES`].
fn is_allowed(expression: &str) -> bool {
    let allowed = |one: &str| LICENCES.contains(&one.trim_matches(['(', ')', ' ']));
    expression
        .split(" AND ")
        .all(|part| part.split(" OR ").flat_map(|choice| choice.split('/')).any(allowed))
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn dependencies_have_licences_and_sources_that_are_allowed() {
    let version = cargo(&["-vV"]);
    // Crates of other systems need not be here.
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = [
        "metadata",
        "--offline",
        "--locked",
        "--format-version",
        "1",
        "--filter-platform",
        host,
    ];
    let metadata: Value = serde_json::from_str(&cargo(&arguments)).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{} packages", packages.len());
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none stated");
        assert!(is_allowed(licence), "{}: licence {licence}", package["name"]);
        // This crate alone has no source.
        let own = package["name"] == env!("CARGO_PKG_NAME");
        assert!(
            own || package["source"] == SOURCE,
            "{}: from {}",
            package["name"],
            package["source"]
        );
    }
}

#[test]
fn what_is_not_named_is_not_allowed() {
    for allowed in ["MIT", "MIT/GPL-3.0", "(MIT OR GPL-3.0) AND Unicode-3.0"] {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "Apache-2.0 WITH LLVM-exception",
        "none stated",
    ] {
        assert!(!is_allowed(refused), "{refused}");
    }
}
