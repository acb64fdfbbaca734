//! Every system call of a run fails once, the disk fills, the run is killed: what stands is whole, what failed is named, and the
//! next run mends it. A sample by default; `make faults` tries all, and prints what did not hold as a table.

pub mod case;
pub mod whole;

use std::path::Path;
use std::sync::OnceLock;

use case::{Case, Fault, all, run, two_at_a_time};

const EIO: i32 = 5;
/// Kinds of calls, and how they fail in turn.
const KINDS: [(&str, &[i32]); 10] = [
    ("open", &[EIO, 13, 24]), // EACCES, EMFILE
    ("read", &[EIO]),
    ("write", &[28, EIO]), // ENOSPC
    ("sync", &[EIO, 28]),
    ("rename", &[EIO, 22, 28]), // EINVAL: a file system that cannot exchange
    ("unlink", &[EIO, 13]),
    ("mkdir", &[28, 13]),
    ("stat", &[EIO]),
    ("lock", &[37]), // ENOLCK
    ("mode", &[1]),  // EPERM
];

/// What stands before the run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    /// Nothing.
    Nothing,
    /// A good report of the first two dates: the third has arrived.
    Report,
}

const BOTH: [Standing; 2] = [Standing::Nothing, Standing::Report];

/// The case, made once.
pub fn case() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(Case::new)
}

fn prepare(standing: Standing, out: &Path) {
    let _ = std::fs::remove_dir_all(out);
    if standing == Standing::Report {
        whole::copy(&case().before, out);
    }
}

/// What did not hold when `fault` befell a run, and in the plain run after it.
fn trial(standing: Standing, fault: &Fault, out: &Path) -> Vec<String> {
    prepare(standing, out);
    let case = case();
    let pipeline = case.after.with_extension("toml");
    let ended = run(&pipeline, out, Some(fault));
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, told: String| {
        if !holds {
            wrong.push(told);
        }
    };
    let said = whole::one_line(&ended.said);
    let (code, happened) = (ended.code, !ended.paths.is_empty());
    match (fault.kind, fault.what) {
        (_, -9) => expect(!happened || ended.signal == Some(9), format!("ended with {code:?}")),
        (_, -15) => expect(
            matches!(code, Some(0 | 75)),
            format!("ended with {code:?}, signal {:?}: {said}", ended.signal),
        ),
        _ => expect(
            matches!(code, Some(0 | 2 | 3 | 75)),
            format!("ended with {code:?}, signal {:?}: {said}", ended.signal),
        ),
    }
    expect(!said.contains("panicked"), format!("panicked: {said}"));
    if fault.what > 0 && happened && code != Some(0) {
        expect(
            whole::names(&said, &ended.paths),
            format!("does not name the file: {said}"),
        );
    }
    if code == Some(0) {
        let differ = whole::differences(out, &case.after);
        expect(differ.is_empty(), format!("exit 0, but {differ:?}: {said}"));
    }
    let site = out.join("S");
    let stands = |reference: &Path| whole::files(&site) == whole::files(&reference.join("S"));
    if !site.exists() {
        expect(standing == Standing::Nothing, "the report that stood is gone".into());
    } else if !(stands(&case.after) || standing == Standing::Report && stands(&case.before)) {
        if let Some(why) = whole::half_made(&site) {
            expect(false, format!("half-made: {why}"));
        }
        let record = |out: &Path| std::fs::read(out.join("S/report.json")).unwrap_or_default();
        let less = standing == Standing::Report
            && record(out) != record(&case.after)
            && whole::knows_less(&site, &case.before.join("S"));
        expect(
            !less,
            "the report that stood was replaced by one that knows less".into(),
        );
        expect(
            code == Some(3),
            format!("an incomplete report and exit {code:?}: {said}"),
        );
    }
    let healed = run(&pipeline, out, None);
    let said = whole::one_line(&healed.said);
    expect(
        healed.code == Some(0),
        format!("the next run ended with {:?}: {said}", healed.code),
    );
    let differ = whole::differences(out, &case.after);
    expect(differ.is_empty(), format!("after the next run {differ:?}"));
    wrong
        .into_iter()
        .map(|told| format!("{standing:?} | {fault} | {:?} | {told}", ended.paths))
        .collect()
}

/// Numbers from 1 to `count`: all, or `few` of them evenly spread, the last among them.
fn spread(count: usize, few: usize) -> Vec<usize> {
    let few = few.min(count);
    (1..=few).map(|i| (i * count).div_ceil(few)).collect()
}

fn hold(trials: &[(Standing, Fault)]) {
    let outs = tempfile::Builder::new()
        .prefix("outs")
        .tempdir_in(&case().folder)
        .unwrap();
    let wrong: Vec<String> = two_at_a_time(trials, |(standing, fault), worker| {
        let wrong = trial(*standing, fault, &outs.path().join(worker.to_string()));
        if all() {
            wrong.iter().for_each(|told| println!("{told}"));
        }
        wrong
    })
    .concat();
    println!("{} did not hold in {} trials", wrong.len(), trials.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Calls of each kind that an undisturbed run makes.
fn counts(standing: Standing) -> impl Fn(&str) -> usize {
    let out = case().folder.join(format!("counted-{standing:?}"));
    prepare(standing, &out);
    let nothing = Fault {
        kind: "any",
        at: 0,
        what: EIO,
    };
    let ended = run(&case().after.with_extension("toml"), &out, Some(&nothing));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let differ = whole::differences(&out, &case().after);
    assert!(differ.is_empty(), "{differ:?}");
    move |kind| match kind {
        "any" => ended.counts.values().sum(),
        kind => ended.counts.get(kind).copied().unwrap_or(0),
    }
}

#[test]
fn a_call_that_fails_is_named_and_harms_nothing() {
    let mut trials = Vec::new();
    for standing in BOTH {
        let count = counts(standing);
        for (kind, errors) in KINDS {
            let few = if all() { usize::MAX } else { 3 };
            // What is rare is tried with every error.
            let rare = count(kind) < 40 && all();
            for at in spread(count(kind), few) {
                let some = if rare {
                    0..errors.len()
                } else {
                    at % errors.len()..at % errors.len() + 1
                };
                trials.extend(some.map(|which| {
                    (
                        standing,
                        Fault {
                            kind,
                            at,
                            what: errors[which],
                        },
                    )
                }));
            }
        }
    }
    hold(&trials);
}

#[test]
fn a_run_that_is_killed_or_told_to_stop_leaves_what_is_whole() {
    let mut trials = Vec::new();
    for standing in BOTH {
        let calls = counts(standing)("any");
        for (signal, few) in [(-9, if all() { 100 } else { 6 }), (-15, if all() { 50 } else { 3 })] {
            trials.extend(spread(calls, few).into_iter().map(|at| {
                (
                    standing,
                    Fault {
                        kind: "any",
                        at,
                        what: signal,
                    },
                )
            }));
        }
    }
    hold(&trials);
}

#[test]
fn a_disk_that_fills_is_told_and_harms_nothing() {
    let written: usize = whole::files(&case().after).values().map(Vec::len).sum();
    let few = if all() { 20 } else { 3 };
    let sizes = spread(written, few);
    let trials: Vec<_> = BOTH
        .into_iter()
        .flat_map(|standing| {
            sizes.iter().map(move |at| {
                (
                    standing,
                    Fault {
                        kind: "disk",
                        at: *at - 1,
                        what: 28,
                    },
                )
            })
        })
        .collect();
    hold(&trials);
}
