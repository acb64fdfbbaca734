//! The one place where work is spread over threads: results reach one sink, in order.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

/// The run was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Items of a batch for each thread.
pub const BATCH: usize = 8;

/// Feeds `sink` with what `work` makes of each item, in the order of the items.
///
/// A batch is computed while the batch before is taken in, so memory holds two batches of results: of [`BATCH`] for each
/// thread, so that no thread waits long for a slow one. Errors do not race: the sink sees results in order, and stops at the
/// first that it refuses.
///
/// # Errors
/// The sink's first error, or `Stopped` (by `From`) when `stop` is set.
pub fn in_order<T, R, E>(
    items: &[T],
    stop: &AtomicBool,
    work: impl Fn(&T) -> R + Sync,
    mut sink: impl FnMut(R) -> Result<(), E> + Send,
) -> Result<(), E>
where
    T: Sync,
    R: Send,
    E: Send + From<Stopped>,
{
    let mut ready: Vec<R> = Vec::new();
    for batch in items.chunks(BATCH * rayon::current_num_threads().max(1)) {
        let taken = std::mem::take(&mut ready);
        let (next, sunk) = rayon::join(
            || batch.par_iter().map(&work).collect::<Vec<R>>(),
            || taken.into_iter().try_for_each(&mut sink),
        );
        sunk?;
        if stop.load(Ordering::Relaxed) {
            return Err(Stopped.into());
        }
        ready = next;
    }
    ready.into_iter().try_for_each(sink)
}

/// Runs `work` on `threads` threads (0: as many as there are cores).
///
/// # Errors
/// The system gives no threads.
pub fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R, String> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| error.to_string())?;
    Ok(pool.install(work))
}

/// The threads that `threads` asks for: itself, or the number of cores for 0.
pub fn thread_count(threads: usize) -> usize {
    if threads > 0 {
        threads
    } else {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Trouble {
        At(usize),
        Stopped,
    }

    impl From<Stopped> for Trouble {
        fn from(_: Stopped) -> Self {
            Self::Stopped
        }
    }

    #[test]
    fn results_come_in_order_and_the_first_error_wins() {
        let items: Vec<usize> = (0..50).collect();
        for threads in [1, 2, 8] {
            let mut seen = Vec::new();
            let stop = AtomicBool::new(false);
            let result = on_threads(threads, || {
                in_order(
                    &items,
                    &stop,
                    |i| *i,
                    |i| {
                        if i == 40 || i == 41 {
                            return Err(Trouble::At(i));
                        }
                        seen.push(i);
                        Ok(())
                    },
                )
            });
            assert_eq!(result, Ok(Err(Trouble::At(40))));
            assert_eq!(seen, (0..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_stop_is_heeded() {
        let stop = AtomicBool::new(true);
        let result = on_threads(2, || in_order(&[1, 2, 3], &stop, |i| *i, |_| Ok::<(), Trouble>(())));
        assert_eq!(result, Ok(Err(Trouble::Stopped)));
    }
}
