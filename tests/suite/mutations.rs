//! Texts from outside, changed at random: declarations, catalogues, pipelines, sensors, recipes, records, sums, what the last run saw.
//! Whatever they say is either used or a fault with words; nothing panics, nothing takes for ever. CI and `make fuzz` go on for
//! SITEWATCH_FUZZ_SECONDS.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sitewatch::config::Config;
use sitewatch::fault::Fault;
use sitewatch::output::render;
use sitewatch::plan::inputs;
use sitewatch::plan::plan_sites;
use sitewatch::seal::{digest, sums};

use crate::common::{root, simulate, survey};
use crate::dice::Dice;
use crate::faults::{self, whole};

/// Mutants of each kind of text in the suite.
const COUNT: usize = 250;
/// Far beyond what any of these texts takes: a text that takes longer takes for ever.
const FOR_EVER: Duration = Duration::from_secs(20);

/// What one text says: `Err` when it is at fault, with words.
type Reading<'a> = Box<dyn Fn(&Path) -> Result<(), Vec<String>> + 'a>;

/// A kind of text: its name, a file that is changed, and what reads it.
struct Kind<'a> {
    name: &'static str,
    file: PathBuf,
    read: Reading<'a>,
}

fn words(faults: Vec<Fault>) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

/// All that a run does before it reads a pixel.
fn planned(pipeline: &Path) -> Result<(), Vec<String>> {
    sitewatch::io::prepare();
    let config = Config::read(pipeline).map_err(words)?;
    let inputs = inputs::gather(&config).map_err(words)?;
    let plans = plan_sites(&config, &inputs);
    plans
        .into_iter()
        .try_for_each(|plan| plan.map(drop).map_err(|error| vec![error.to_string()]))
}

fn parsed_recipe(path: &Path) -> Result<(), Vec<String>> {
    // What is no UTF-8 is refused before.
    let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    sitewatch::lab::simulate::parse(&text).map(drop).map_err(words)
}

/// The hashes that a folder states of its files.
fn stated(path: &Path) -> Result<(), Vec<String>> {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    sums::read(&text).map(drop).map_err(|fault| words(vec![fault]))
}

/// A run into `out`, to which the text at `path` is what the last run saw, with a hash that fits. Whatever it says, the report that stands
/// there is that of the case afterwards.
fn believed(path: &Path, out: &Path) -> Result<(), Vec<String>> {
    let seen = fs::read(path).unwrap();
    let sealed = [digest::bytes(&seen).as_bytes(), b"\n", &seen].concat();
    fs::write(out.join(".seen.json"), sealed).unwrap();
    let case = &faults::case().after;
    survey(&case.with_extension("toml"), out, |_| {});
    assert!(
        whole::files(&out.join("S")) == whole::files(&case.join("S")),
        "another report"
    );
    Ok(())
}

fn rendered(record: &Path) -> Result<(), Vec<String>> {
    let formats = ["csv", "geojson", "junit", "stac", "html"];
    render::again(record, &formats)
        .map(drop)
        .map_err(|error| vec![error.to_string()])
}

#[test]
fn texts_from_outside_are_used_or_refused_with_words() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pipeline = simulate(&root().join("testdata/cases/every-verdict/recipe.toml"), folder);
    let sensor = folder.join("sensor.toml");
    fs::copy(root().join("src/scene/sensors/hls-s30.toml"), &sensor).unwrap();
    let text = fs::read_to_string(&sensor).unwrap().replace("hls-s30", "another");
    fs::write(&sensor, text).unwrap();
    let more = "sensors = ['sensor.toml']\n[compare]\nwhich = 'every-consecutive-pair'\n[grid]\npixel_m = 10.0\n\
                [detect]\ndetector = 'auto'\n[cutoff]\nmethods = ['fdr', 'otsu']\n[judge]\n[report]\n[compute]\nmemory_mib = 1024\n";
    fs::write(&pipeline, fs::read_to_string(&pipeline).unwrap() + more).unwrap();
    whole::copy(&faults::case().after, &folder.join("out"));
    let record = folder.join("out/S/report.json");
    let stands = folder.join("stands");
    whole::copy(&faults::case().after, &stands);
    let seen = folder.join("seen.json");
    let sealed = fs::read_to_string(stands.join(".seen.json")).unwrap();
    fs::write(&seen, sealed.split_once('\n').unwrap().1).unwrap();
    let sums = folder.join(sums::NAME);
    let of = |name: &str| digest::file(&folder.join("scenes").join(name)).unwrap().sha256;
    let (first, other) = (of("items.json"), of("declaration.geojson"));
    fs::write(&sums, format!("{first}  items.json\n\\{other} *./a\\nb\\\\c.json\n")).unwrap();
    let plan = || Box::new(|_: &Path| planned(&pipeline)) as Reading<'_>;
    let kinds = [
        Kind {
            name: "declaration",
            file: folder.join("scenes/declaration.geojson"),
            read: plan(),
        },
        Kind {
            name: "catalogue",
            file: folder.join("scenes/items.json"),
            read: plan(),
        },
        Kind {
            name: "pipeline",
            file: pipeline.clone(),
            read: plan(),
        },
        Kind {
            name: "sensor",
            file: sensor,
            read: plan(),
        },
        Kind {
            name: "recipe",
            file: root().join("pipelines/demo-recipe.toml"),
            read: Box::new(parsed_recipe),
        },
        Kind {
            name: "record",
            file: record,
            read: Box::new(rendered),
        },
        Kind {
            name: "sums",
            file: sums,
            read: Box::new(stated),
        },
        Kind {
            name: "seen",
            file: seen,
            read: Box::new(|path| believed(path, &stands)),
        },
    ];
    let seconds: Option<u64> = std::env::var("SITEWATCH_FUZZ_SECONDS")
        .ok()
        .and_then(|s| s.parse().ok());
    let mut told = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        let share = seconds.map(|seconds| Duration::from_secs(seconds) / kinds.len() as u32);
        told.extend(mutate(kind, &mut Dice::new(14 + index as u64), folder, share));
    }
    assert!(told.is_empty(), "{} texts:\n{}", told.len(), told.join("\n"));
}

/// What did not hold of mutants of `kind`: `COUNT` of them, or as many as `share` has time for.
fn mutate(kind: &Kind<'_>, dice: &mut Dice, folder: &Path, share: Option<Duration>) -> Vec<String> {
    let good = fs::read(&kind.file).unwrap();
    // The recipe of the repository is not to be touched.
    let file = if kind.file.starts_with(folder) {
        kind.file.clone()
    } else {
        folder.join("mutant")
    };
    fs::write(&file, &good).unwrap();
    assert_eq!((kind.read)(&file), Ok(()), "the {} itself", kind.name);
    let (begun, mut done, mut told) = (Instant::now(), 0, Vec::new());
    while share.map_or(done < COUNT, |share| begun.elapsed() < share) {
        let mutant = mutant(&good, dice);
        fs::write(&file, &mutant).unwrap();
        let since = Instant::now();
        let wrong = match catch_unwind(AssertUnwindSafe(|| (kind.read)(&file))) {
            Err(panic) => {
                let told = panic.downcast_ref::<String>().cloned();
                let told = told.or_else(|| panic.downcast_ref::<&str>().map(|told| (*told).to_owned()));
                Some(format!("panicked: {}", told.unwrap_or_default()))
            }
            Ok(Err(faults)) if faults.is_empty() || faults.iter().any(|fault| fault.trim().is_empty()) => {
                Some("is refused without a word".into())
            }
            Ok(_) if since.elapsed() > FOR_EVER => Some(format!("took {:?}", since.elapsed())),
            Ok(_) => None,
        };
        if let Some(wrong) = wrong {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{done}", kind.name));
            fs::write(&kept, &mutant).unwrap();
            told.push(format!(
                "{} {done} {wrong}; it is kept at {}",
                kind.name,
                kept.display()
            ));
        }
        done += 1;
    }
    fs::write(&file, &good).unwrap();
    if share.is_some() {
        println!("{}: {done} texts", kind.name);
    }
    told
}

/// `good` with one to four changes: to its structure where it is JSON, to its lines or its bytes.
fn mutant(good: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut text = good.to_vec();
    for _ in 0..=dice.below(4) {
        let json: Option<Value> = serde_json::from_slice(&text).ok();
        match (dice.below(8), json) {
            (0, _) => change_bytes(&mut text, dice),
            (1, _) | (_, None) => change_lines(&mut text, dice),
            (_, Some(mut value)) => {
                change_value(&mut value, dice);
                text = value.to_string().into_bytes();
            }
        }
    }
    text
}

fn change_bytes(text: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(text.len());
    match dice.below(5) {
        0 if !text.is_empty() => text[at] ^= 1 << dice.below(8),
        1 => text.truncate(at),
        2 => text.insert(at, dice.below(256) as u8),
        3 => text.splice(at..at, *b"\xef\xbb\xbf").for_each(drop),
        _ => {
            let end = (at + dice.below(40)).min(text.len());
            let part = text[at..end].to_vec();
            text.splice(at..at, part).for_each(drop);
        }
    }
}

/// Words that mean something to some of the readers.
const WORDS: [&str; 24] = [
    "0",
    "-1",
    "1e999",
    "nan",
    "inf",
    "-0.0",
    "9223372036854775807",
    "1e-320",
    "''",
    "[]",
    "{}",
    "[[]]",
    "true",
    "null",
    "'auto'",
    "'\\u0000'",
    "2021-02-30",
    "9999-12-31T23:59:60Z",
    "'*'",
    "'(((((('",
    "[site]",
    "[[change]]",
    "a.b.c = 1",
    "\u{202e}",
];

fn change_lines(text: &mut Vec<u8>, dice: &mut Dice) {
    let whole = String::from_utf8_lossy(text).into_owned();
    let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
    let (at, other) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(6) {
        _ if lines.is_empty() => lines.push((*dice.pick(&WORDS)).into()),
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[other].clone()),
        2 => lines.swap(at, other),
        3 => lines.insert(at, (*dice.pick(&WORDS)).into()),
        _ => {
            // What is said, or a number in it, becomes something else.
            let line = &lines[at];
            let begin = line.find(['=', ':', '[']).map_or(0, |at| at + 1);
            let digit = line[begin..].find(|c: char| c.is_ascii_digit()).map(|at| begin + at);
            let from = if dice.below(2) == 0 {
                begin
            } else {
                digit.unwrap_or(begin)
            };
            let word = *dice.pick(&WORDS);
            lines[at] = format!("{} {word}", &line[..from]);
        }
    }
    *text = lines.join("\n").into_bytes();
}

/// A node of `value`, each about as likely.
fn node<'a>(value: &'a mut Value, dice: &mut Dice) -> &'a mut Value {
    let size = match &*value {
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    };
    if size == 0 || dice.below(6) == 0 {
        return value;
    }
    let at = dice.below(size);
    match value {
        Value::Array(list) => node(&mut list[at], dice),
        Value::Object(map) => node(map.values_mut().nth(at).unwrap(), dice),
        _ => unreachable!(),
    }
}

fn change_value(value: &mut Value, dice: &mut Dice) {
    let other = node(value, dice).clone();
    let chosen = node(value, dice);
    let at = dice.below(1 << 30);
    match (dice.below(4), &mut *chosen) {
        (0, Value::Array(list)) if !list.is_empty() => drop(list.remove(at % list.len())),
        (0, Value::Object(map)) if !map.is_empty() => {
            let key = map.keys().nth(at % map.len()).unwrap().clone();
            map.remove(&key);
        }
        (1, Value::Array(list)) if !list.is_empty() => list.push(list[at % list.len()].clone()),
        (1, Value::Object(map)) => drop(map.insert((*dice.pick(&WORDS)).into(), other)),
        (1, Value::Number(number)) => {
            let value = number.as_f64().unwrap_or_default();
            *chosen = json!(dice.pick(&[
                -value,
                value * 1e9,
                value + 0.5,
                value / 3.0,
                value + 360.0,
                value * 1e300
            ]));
        }
        (1, Value::String(text)) => {
            let keep = text.chars().take(at % (text.chars().count() + 1)).collect::<String>();
            *text = keep + *dice.pick::<&str>(&WORDS);
        }
        (2, _) => *chosen = other,
        _ => {
            let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
            let odd = [
                json!(null),
                json!(-1),
                json!(0),
                json!(1e308),
                json!(u64::MAX),
                json!(""),
                json!("x".repeat(5_000)),
                json!([]),
                json!({}),
                json!(true),
                json!("\u{202e}\n\u{1b}[2J"),
                json!("../../x"),
                json!("2021-06-31T00:00:00Z"),
                json!([[[0, 0], [0, 0]]]),
                deep,
            ];
            *chosen = dice.pick(&odd).clone();
        }
    }
}
