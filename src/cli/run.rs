//! `sitewatch run`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{FailOn, RunArgs, exit, print, progress, read_pipeline, summary, tell, tell_faults};
use crate::pipeline::run::RunError;
use crate::pipeline::{Options, Outcome, publish::PublishError};

pub fn run(args: &RunArgs) -> u8 {
    let config = match read_pipeline(&args.pipeline) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let heard = stop.clone();
    // Ctrl-C and SIGTERM: the tiles at work are finished, nothing half-written stays. A second one ends at once.
    let handler = ctrlc::set_handler(move || {
        if heard.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(exit::LATER));
        }
    });
    if let Err(error) = handler {
        tell(&format!("warning: interrupts end the run at once ({error})"));
    }
    let observer = progress::observer(args.log);
    let options = Options {
        pipeline: &args.pipeline.pipeline,
        out: &args.out,
        stop: &stop,
        observer: &*observer,
    };
    let result = crate::pipeline::run(&config, &options);
    drop(observer);
    match result {
        Ok(outcome) => {
            print(&summary::summary(&outcome, &args.out));
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
                RunError::Publish(_) | RunError::Hash { .. } => exit::PARTLY,
                _ => exit::INTERNAL,
            }
        }
    }
}

fn code(fail_on: FailOn, outcome: &Outcome) -> u8 {
    let any = |test: fn(&crate::pipeline::SiteOutcome) -> bool| outcome.sites.iter().any(test);
    let review = fail_on != FailOn::Never && any(|site| site.needs_review);
    let unobserved = fail_on == FailOn::Unobserved && any(|site| site.unobserved);
    if outcome.stopped {
        exit::LATER
    } else if review || unobserved {
        exit::REVIEW
    } else if any(|site| site.error.is_some() || site.unobserved) {
        exit::PARTLY
    } else {
        exit::DONE
    }
}
