//! The command line: the only place that prints.

mod check;
mod confine;
mod evaluate;
mod exit;
mod foreseen;
mod log;
mod output;
mod plan;
mod progress;
mod report;
mod run;
mod sensitivity;
mod signals;
mod simulate;
mod summary;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use self::output::{print, print_json, print_lines, print_text, tell, tell_faults, tell_json};
use self::signals::interrupts;
use crate::fault::Fault;

const EXAMPLES: &str = "\
Examples:
  sitewatch check declaration.geojson items.json pipeline.toml
  sitewatch plan pipeline.toml
  sitewatch run pipeline.toml --out reports/
  sitewatch run pipeline.toml --out reports/ --fail-on anomaly --log json 2>> run.log
  sitewatch report reports/depot/report.json --to html,gpkg
  sitewatch evaluate --truth label.tif reports/

Exit codes: 0 done; 1 something to review (with --fail-on); 2 bad usage or input; 3 some sites failed or were not observed, or
a file or standard output could not be written; 4 internal error; 75 try again later (locked, interrupted).";

/// Tells declared change from undeclared change on declared sites in satellite imagery.
#[derive(Parser)]
#[command(name = "sitewatch", version, about, after_help = EXAMPLES, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Survey every declared site and write a report for each
    #[command(after_help = EXAMPLES)]
    Run(RunArgs),
    /// Tell what run would do, without reading a pixel: grids, scenes used and refused, tiles, memory
    Plan(PipelineArgs),
    /// Tell every fault of declarations, STAC files and pipeline files, each with its place
    Check {
        /// Files to check: *.geojson, STAC *.json, pipeline *.toml
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Tell how small a change each comparison would have found, by putting changes of known size into its later scene
    Sensitivity {
        #[command(flatten)]
        pipeline: PipelineArgs,
        /// Only the site with this id
        #[arg(long)]
        site: Option<String>,
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Make georeferenced scenes with known truth from a recipe
    Simulate {
        /// The recipe (TOML)
        recipe: PathBuf,
        /// Folder to write to
        #[arg(long)]
        out: PathBuf,
    },
    /// Measure reports against what really changed: pixels, objects, false regions, with 95 % intervals
    Evaluate(evaluate::EvaluateArgs),
    /// Make files of a report anew from its record, beside it
    Report {
        /// The record, report.json; pictures.zip beside it holds the pictures of the page
        record: PathBuf,
        /// Which files
        #[arg(long, value_enum, value_delimiter = ',', required = true)]
        to: Vec<crate::output::render::Format>,
    },
    /// Print the JSON Schema of report.json
    Schema,
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// A pipeline and the machine's share of it.
#[derive(Args)]
struct PipelineArgs {
    /// The pipeline file (TOML); every key is documented in pipelines/default.toml
    pipeline: PathBuf,
    /// Worker threads; 0: as many as there are cores [default: compute.threads of the pipeline]
    #[arg(long)]
    threads: Option<usize>,
    /// Memory to stay below, MiB [default: compute.memory_mib of the pipeline]
    #[arg(long)]
    memory_mib: Option<u64>,
}

#[derive(Args)]
struct RunArgs {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Folder for the reports
    #[arg(long)]
    out: PathBuf,
    /// Hold every report that stands against its hashes, whatever size and times of its files say
    #[arg(long)]
    verify: bool,
    /// When to exit with code 1
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    fail_on: FailOn,
    /// How to tell progress: bars on a terminal, else plain lines; or JSON lines
    #[arg(long, value_enum, default_value_t = Log::Auto)]
    log: Log,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// When a report that stands says that something has to be reviewed, whether or not this run made it
    Anomaly,
    /// When this run found something to review that the report before did not say
    New,
    /// As anomaly, and when a site was not observed
    Unobserved,
    /// Never
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Log {
    /// Bars on a terminal, else plain lines
    Auto,
    /// Plain lines
    Plain,
    /// One JSON object a line, the last of them `run_done`
    Json,
}

/// Runs the command line; its exit code.
pub fn main() -> ExitCode {
    signals::tell_large_files();
    let code = match Cli::try_parse() {
        Ok(cli) => obey(cli.command),
        Err(error) if error.use_stderr() => {
            if asks_for_json() {
                log::begin();
                tell(&error.to_string());
            } else {
                // There is nowhere left to tell that this fails.
                let _ = error.print();
            }
            exit::USAGE
        }
        // What --help and --version ask for.
        Err(asked) => {
            output::wrote(|| asked.print());
            exit::DONE
        }
    };
    ExitCode::from(output::finish(code))
}

/// Whether arguments that cannot be understood ask for a JSON log.
fn asks_for_json() -> bool {
    let arguments: Vec<_> = std::env::args_os().collect();
    let is_asked = |two: &[OsString]| matches!(two, [flag, value] if flag == "--log" && value == "json");
    arguments.iter().any(|one| one == "--log=json") || arguments.windows(2).any(is_asked)
}

fn obey(command: Command) -> u8 {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Plan(args) => plan::plan(&args),
        Command::Check { files } => check::check(&files),
        Command::Sensitivity { pipeline, site, json } => sensitivity::sensitivity(&pipeline, site.as_deref(), json),
        Command::Simulate { recipe, out } => simulate::simulate(&recipe, &out),
        Command::Evaluate(args) => evaluate::evaluate(&args),
        Command::Report { record, to } => report::report(&record, &to),
        Command::Schema => {
            print_text(&crate::report::schema());
            exit::DONE
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sitewatch", &mut script);
            output::wrote(|| io::stdout().lock().write_all(&script));
            exit::DONE
        }
    }
}

/// The pipeline that `args` name, its machine's share overridden.
fn read_pipeline(args: &PipelineArgs) -> Result<crate::config::Config, u8> {
    let in_file = |fault| crate::plan::inputs::in_file(&args.pipeline, fault);
    let read = crate::config::Config::read(&args.pipeline).map_err(|faults| faults.into_iter().map(in_file).collect());
    let overridden = read.and_then(|mut config| {
        config.compute.threads = args.threads.unwrap_or(config.compute.threads);
        config.compute.memory_mib = args.memory_mib.unwrap_or(config.compute.memory_mib);
        let faults: Vec<Fault> = config
            .compute
            .share_out_of_range()
            .into_iter()
            .map(|(key, message)| {
                let flag = key.trim_start_matches("compute.").replace('_', "-");
                Fault::new(format!("--{flag}"), message)
            })
            .collect();
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    });
    overridden.map_err(|faults| {
        tell_faults(&faults);
        exit::USAGE
    })
}
