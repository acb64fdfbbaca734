//! The command line: the only place that prints.

mod args;
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
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use self::args::{Cli, Command, Record};
use self::output::{print_text, tell};

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
        Command::Schema { record } => {
            print_text(&match record {
                Record::Report => crate::report::schema(),
                Record::Run => crate::report::run_schema(),
            });
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
