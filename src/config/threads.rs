//! How many threads work, and how much is under way for each.

/// Items for each thread that are under way at a time: being worked on, or waiting for their turn.
pub const AHEAD: usize = 8;

/// Threads for each core at most: more would take memory and stall the machine, and make nothing sooner.
const THREADS_A_CORE: usize = 4;

/// The threads that are started where `threads` are asked for: as many as there are cores for 0, and never more than
/// `THREADS_A_CORE` for each. Results do not depend on it.
pub fn thread_count(threads: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match threads {
        0 => cores,
        asked => asked.min(THREADS_A_CORE * cores),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_bounded_by_the_cores() {
        let cores = thread_count(0);
        assert!(cores > 0);
        assert_eq!(thread_count(1), 1);
        assert_eq!(thread_count(100_000), THREADS_A_CORE * cores);
    }
}
