//! A tiny site, and runs over it: plain, or with a fault in one of their system calls (tests/faults/preload.c).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::root;

/// One undeclared change between the first two dates, another before the third.
const RECIPE: &str = r#"
seed = 101
origin_m = [412000, 5392000]
width_px = 72
height_px = 72
[land]
field_m = 120
rivers = 0
[[site]]
id = "S"
name = "Site S"
box_m = [100, 100, 620, 620]
[[change]]
what = "construction"
box_m = [300, 220, 420, 310]
at = "2021-06-20"
verdict = "undeclared"
[[change]]
what = "construction"
box_m = [200, 400, 320, 490]
at = "2021-07-08"
verdict = "undeclared"
[[date]]
time = "2021-06-08T10:10:31Z"
[[date]]
time = "2021-06-28T10:10:31Z"
[[date]]
time = "2021-07-18T10:10:31Z"
"#;

/// The case: its folder, what a run over its first two dates leaves, and one over all three.
pub struct Case {
    pub folder: PathBuf,
    pub before: PathBuf,
    pub after: PathBuf,
}

impl Case {
    /// The case, simulated and surveyed twice.
    pub fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        let recipe = sitewatch::lab::simulate::parse(RECIPE).unwrap();
        sitewatch::lab::simulate::simulate(&recipe, &folder.join("scenes")).unwrap();
        let mut items: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.join("scenes/items.json")).unwrap()).unwrap();
        items["features"].as_array_mut().unwrap().pop();
        fs::write(folder.join("scenes/first.json"), items.to_string()).unwrap();
        for (name, items) in [("before", "first"), ("after", "items")] {
            let text = format!(
                "[inputs]\ndeclarations = ['scenes/declaration.geojson']\nstac = ['scenes/{items}.json']\n\
                 [detect]\ndetector = 'difference'\n"
            );
            fs::write(folder.join(name).with_extension("toml"), text).unwrap();
        }
        let case = Self {
            before: folder.join("before"),
            after: folder.join("after"),
            folder,
        };
        for out in [&case.before, &case.after] {
            let ended = run(&out.with_extension("toml"), out, None);
            assert_eq!(ended.code, Some(0), "{}", ended.said);
        }
        case
    }
}

/// What happens to the `at`-th call of a `kind`: it fails with the error number `what`, or the signal `-what` arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub kind: &'static str,
    pub at: usize,
    pub what: i32,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.kind, self.what) {
            ("disk", _) => write!(f, "disk of {} bytes", self.at),
            (kind, what) if what < 0 => write!(f, "signal {} at call {} of {kind}", -what, self.at),
            (kind, what) => write!(
                f,
                "{kind} number {}: {}",
                self.at,
                std::io::Error::from_raw_os_error(what)
            ),
        }
    }
}

/// How a run ended.
pub struct Ended {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// What it printed, results and messages.
    pub said: String,
    /// The paths of the call that failed.
    pub paths: Vec<PathBuf>,
    /// Calls of each kind.
    pub counts: BTreeMap<String, usize>,
}

/// Runs `pipeline` into `out` on one thread, so that every run makes the same calls in the same order.
pub fn run(pipeline: &Path, out: &Path, fault: Option<&Fault>) -> Ended {
    let log = out.with_extension("log");
    let _ = fs::remove_file(&log);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewatch"));
    command.arg("run").arg(pipeline).arg("--out").arg(out);
    command
        .args(["--threads", "1", "--log", "plain"])
        .env("NO_COLOR", "1")
        .env_remove("RUST_BACKTRACE");
    if let Some(fault) = fault {
        command
            .env("LD_PRELOAD", layer())
            .env("FAULT_ROOT", pipeline.parent().unwrap())
            .env("FAULT_KIND", fault.kind)
            .env("FAULT_AT", fault.at.to_string())
            .env("FAULT_DO", fault.what.to_string())
            .env("FAULT_LOG", &log);
    }
    let output = command.output().unwrap();
    assert_ne!(
        output.status.code(),
        Some(99),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (mut paths, mut counts) = (Vec::new(), BTreeMap::new());
    for line in fs::read_to_string(&log).unwrap_or_default().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["fault", _, ref named @ ..] if paths.is_empty() => paths = named.iter().map(PathBuf::from).collect(),
            ["count", kind, number] => drop(counts.insert(kind.to_owned(), number.parse().unwrap())),
            _ => {}
        }
    }
    let _ = fs::remove_file(&log);
    Ended {
        code: output.status.code(),
        signal: output.status.signal(),
        said: [output.stdout, output.stderr]
            .map(|b| String::from_utf8_lossy(&b).into_owned())
            .concat(),
        paths,
        counts,
    }
}

/// The layer, compiled beside the case.
fn layer() -> &'static Path {
    static LAYER: OnceLock<PathBuf> = OnceLock::new();
    LAYER.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults.so");
        let compiled = Command::new("cc")
            .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(&path)
            .arg(root().join("tests/faults/preload.c"))
            .status()
            .unwrap();
        assert!(compiled.success());
        path
    })
}

/// `work` done on each of `list` by two threads, each with a number of its own; what it gave, in order.
pub fn two_at_a_time<T: Sync, R: Send>(list: &[T], work: impl Fn(&T, usize) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let one = |worker: usize| {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = list.get(index) else { return done };
            done.push((index, work(item, worker)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let other = scope.spawn(|| one(1));
        let mut done = one(0);
        done.extend(other.join().unwrap());
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Whether everything is to be tried (`make faults`), and not a sample of it.
pub fn all() -> bool {
    std::env::var_os("SITEWATCH_FAULTS").is_some_and(|value| value == "all")
}
