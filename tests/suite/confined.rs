//! Every command that reads files from outside is confined when it ends; what it may still do is tested in src/cli/confine.rs.

use std::fs;
use std::process::{Command, Stdio};

use landlock::{ABI, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};

use super::cli::text;
use super::common::root;
use super::faults;

/// What the kernel says of a command that has ended, before its parent has asked for its exit code.
fn status_at_the_end(arguments: &[&str]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sitewatch"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let path = format!("/proc/{}/status", child.id());
    let ended = |status: &String| status.contains("State:\tZ");
    let mut looks = std::iter::repeat_with(|| {
        std::thread::sleep(std::time::Duration::from_millis(2));
        fs::read_to_string(&path).unwrap()
    });
    let status = looks.find(ended).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    status
}

#[test]
fn every_command_that_reads_files_from_outside_is_confined() {
    let folder = tempfile::tempdir().unwrap();
    let case = faults::case();
    let pipeline = text(&case.after.with_extension("toml"));
    let recipe = text(&root().join("testdata/cases/undeclared/recipe.toml"));
    let [out, made] = ["out", "made"].map(|name| text(&folder.path().join(name)));
    let confined = |arguments: &[&str]| {
        let status = status_at_the_end(arguments);
        let says = |line: &str| status.lines().any(|one| one == line);
        assert!(says("NoNewPrivs:\t1") && says("Seccomp:\t2"), "{arguments:?}: {status}");
    };
    confined(&["simulate", &recipe, "--out", &made]);
    confined(&["check", &pipeline]);
    confined(&["plan", &pipeline]);
    confined(&["run", &pipeline, "--out", &out]);
    confined(&["sensitivity", &pipeline]);
    confined(&["report", &format!("{out}/S/report.json"), "--to", "html,gpkg"]);
    confined(&["evaluate", "--expect", &out, &out]);
}

#[test]
fn a_link_beneath_the_output_does_not_lead_out_of_it() {
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if rules.handle_access(AccessFs::from_write(ABI::V2)).is_err() {
        eprintln!("skipped: this kernel has no Landlock of the second version");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("scenes")).unwrap();
    let recipe = text(&root().join("testdata/cases/undeclared/recipe.toml"));
    let _ = super::cli::sitewatch(&["simulate", &recipe, "--out", &text(folder.path())]);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}
