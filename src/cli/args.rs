//! What the command line takes.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::evaluate::EvaluateArgs;
use super::exit;
use super::output::tell_faults;
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
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
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
    Evaluate(EvaluateArgs),
    /// Make files of a report anew from its record, beside it
    Report {
        /// The record, report.json; pictures.zip beside it holds the pictures of the page
        record: PathBuf,
        /// Which files
        #[arg(long, value_parser = super::report::words(), value_delimiter = ',', required = true)]
        to: Vec<String>,
    },
    /// Print the JSON Schema of report.json or run.json
    Schema {
        /// Of which
        #[arg(value_enum, default_value_t = Record::Report)]
        record: Record,
    },
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// A record.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Record {
    /// report.json, of a site
    Report,
    /// run.json, of a run
    Run,
}

/// A pipeline and the machine's share of it.
#[derive(Args)]
pub struct PipelineArgs {
    /// The pipeline file (TOML); every key is documented in pipelines/default.toml
    pub pipeline: PathBuf,
    /// Worker threads; 0: as many as there are cores [default: compute.threads of the pipeline]
    #[arg(long)]
    pub threads: Option<usize>,
    /// Memory to stay below, MiB [default: compute.memory_mib of the pipeline]
    #[arg(long)]
    pub memory_mib: Option<u64>,
}

#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Folder for the reports
    #[arg(long)]
    pub out: PathBuf,
    /// Check every existing report against its hashes, whatever size and times of its files say
    #[arg(long)]
    pub verify: bool,
    /// When to exit with code 1
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub fail_on: FailOn,
    /// How to tell progress: bars on a terminal, else plain lines; or JSON lines
    #[arg(long, value_enum, default_value_t = Log::Auto)]
    pub log: Log,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// When an existing report says that something has to be reviewed, whether or not this run made it
    Anomaly,
    /// When this run found something to review that the report before did not say
    New,
    /// As anomaly, and when a site was not observed
    Unobserved,
    /// Never
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// Bars on a terminal, else plain lines
    Auto,
    /// Plain lines
    Plain,
    /// One JSON object a line, the last of them `run_done`
    Json,
}

/// The pipeline that `args` name, its machine's share overridden.
pub fn read_pipeline(args: &PipelineArgs) -> Result<crate::config::Config, u8> {
    let in_file = |fault| crate::plan::inputs::in_file(&args.pipeline, fault);
    let read = crate::config::Config::read(&args.pipeline).map_err(|faults| faults.into_iter().map(in_file).collect());
    let overridden = read.and_then(|mut config| {
        config.compute.threads = args.threads.unwrap_or(config.compute.threads);
        config.compute.memory_mib = args.memory_mib.unwrap_or(config.compute.memory_mib);
        let faults: Vec<Fault> = config
            .compute
            .out_of_range()
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
