//! Signals: those that ask the run to stop, and the one that says a file would be too large.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use super::exit;
use super::output::tell;

/// Makes a file beyond the allowed size (`ulimit -f`) an error of the write, which names the file, instead of the end of the process.
pub fn tell_large_files() {
    // Nobody reads the flag: it is enough that the signal is caught. Where it is not, the system ends the process as before.
    let _ = flag::register(SIGXFSZ, Arc::default());
}

/// What Ctrl-C, SIGTERM and SIGHUP set: the tiles at work are finished, nothing half-written stays. A second one ends at once.
pub fn interrupts() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: the first signal finds the flag unset and sets it, the second finds it set.
        let heard = flag::register_conditional_shutdown(signal, i32::from(exit::LATER), stop.clone())
            .and_then(|_| flag::register(signal, stop.clone()));
        if let Err(error) = heard {
            tell(&format!("warning: interrupts end the run at once ({error})"));
        }
    }
    stop
}
