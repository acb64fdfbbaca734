//! `sitewatch run`.

use super::args::{FailOn, Log, RunArgs, read_pipeline};
use super::confine::{confine, made};
use super::output::{print_text, tell, tell_faults};
use super::signals::interrupts;
use super::{exit, log, progress, summary};
use crate::output::PublishError;
use crate::run::Options;
use crate::run::RunError;
use crate::run::outcome::Outcome;

pub fn run(args: &RunArgs) -> u8 {
    if args.log == Log::Json {
        log::begin();
    }
    let config = match read_pipeline(&args.pipeline) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match made(&args.out) {
        Ok(out) => confine(&[out]),
        Err(code) => return code,
    }
    let stop = interrupts();
    let observer = progress::observer(args.log);
    let options = Options {
        out: &args.out,
        verify: args.verify,
        stop: &stop,
        observer: &*observer,
    };
    let result = crate::run::run(&config, &options);
    drop(observer);
    match result {
        Ok(outcome) => {
            log::count(&outcome);
            print_text(&summary::summary(&outcome, &args.out));
            code(args.fail_on, &outcome)
        }
        Err(RunError::Inputs(faults)) => {
            tell_faults(&faults);
            exit::USAGE
        }
        Err(error) => {
            tell(&format!("error: {error}"));
            match error {
                RunError::Stopped | RunError::Publish(PublishError::Locked(_)) => exit::LATER,
                RunError::Publish(_) => exit::PARTLY,
                _ => exit::INTERNAL,
            }
        }
    }
}

fn code(fail_on: FailOn, outcome: &Outcome) -> u8 {
    let any = |test: fn(&crate::finding::SiteOutcome) -> bool| outcome.sites.iter().any(test);
    let review = match fail_on {
        FailOn::Never => false,
        FailOn::New => any(|site| site.is_news),
        FailOn::Anomaly | FailOn::Unobserved => any(|site| site.needs_review),
    };
    let unobserved = fail_on == FailOn::Unobserved && any(|site| site.unobserved);
    if outcome.stopped {
        exit::LATER
    } else if review || unobserved {
        exit::REVIEW
    } else if outcome.unreadable().next().is_some() || any(|site| site.error.is_some() || site.unobserved) {
        exit::PARTLY
    } else {
        exit::DONE
    }
}
