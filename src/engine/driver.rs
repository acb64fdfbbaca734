//! The one place where work is spread over threads: results reach one sink, in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::ScopeFifo;

use crate::config::threads::{AHEAD, thread_count};

/// The run was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Feeds `sink` with what `work` makes of each item, in the order of the items.
///
/// At most [`AHEAD`] items for each thread are begun before the first of them is taken in: so many results lie in memory. No thread waits
/// for another: who finishes an item takes in all that is due, unless somebody does so already. Errors do not race: the sink sees
/// results in order, and none after the first that it refuses.
///
/// # Errors
/// The sink's first error, or `Stopped` (by `From`) when `stop` is set.
pub fn in_order<T, R, E>(
    items: &[T],
    stop: &AtomicBool,
    work: impl Fn(&T) -> R + Sync,
    sink: impl FnMut(R) -> Result<(), E> + Send,
) -> Result<(), E>
where
    T: Sync,
    R: Send,
    E: Send + From<Stopped>,
{
    let ahead = items.len().min(AHEAD * rayon::current_num_threads().max(1));
    let queue = Queue {
        items,
        stop,
        work,
        done: Mutex::default(),
        delivery: Mutex::new(Delivery {
            sink,
            next: 0,
            begun: ahead,
            outcome: Ok(()),
        }),
    };
    rayon::scope_fifo(|scope| (0..ahead).for_each(|index| queue.begin(scope, index)));
    queue
        .delivery
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .outcome
}

/// Items on their way to the sink.
struct Queue<'a, T, R, E, W, S> {
    items: &'a [T],
    stop: &'a AtomicBool,
    work: W,
    /// What was made of items whose turn has not come.
    done: Mutex<BTreeMap<usize, R>>,
    delivery: Mutex<Delivery<E, S>>,
}

/// Where results are taken in.
struct Delivery<E, S> {
    sink: S,
    /// The item whose turn it is.
    next: usize,
    /// How many were begun.
    begun: usize,
    outcome: Result<(), E>,
}

impl<T, R, E, W, S> Queue<'_, T, R, E, W, S>
where
    T: Sync,
    R: Send,
    E: Send + From<Stopped>,
    W: Fn(&T) -> R + Sync,
    S: FnMut(R) -> Result<(), E> + Send,
{
    fn begin<'scope>(&'scope self, scope: &ScopeFifo<'scope>, index: usize) {
        scope.spawn_fifo(move |scope| {
            let made = (self.work)(&self.items[index]);
            lock(&self.done).insert(index, made);
            self.take_in(scope);
        });
    }

    /// Takes in what is due, and begins as many items.
    fn take_in<'scope>(&'scope self, scope: &ScopeFifo<'scope>) {
        // Whoever holds it checks again after letting go.
        while let Ok(mut delivery) = self.delivery.try_lock() {
            while let Some(made) = self.due(delivery.next) {
                delivery.next += 1;
                if delivery.outcome.is_err() {
                    continue;
                }
                delivery.outcome = match self.stop.load(Ordering::Relaxed) {
                    true => Err(Stopped.into()),
                    false => (delivery.sink)(made),
                };
                if delivery.outcome.is_ok() && delivery.begun < self.items.len() {
                    self.begin(scope, delivery.begun);
                    delivery.begun += 1;
                }
            }
            let next = delivery.next;
            drop(delivery);
            if !lock(&self.done).contains_key(&next) {
                break;
            }
        }
    }

    /// What was made of the item `next`, if it is done.
    fn due(&self, next: usize) -> Option<R> {
        lock(&self.done).remove(&next)
    }
}

/// A lock that a panic elsewhere does not spoil: rayon passes the panic on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What both make, side by side where a thread is free.
pub fn both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    rayon::join(one, other)
}

/// Runs `work` on [`thread_count`] of `threads` threads.
///
/// # Errors
/// The system gives no threads.
pub fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R, String> {
    let pool = rayon::ThreadPoolBuilder::new()
        // Never 0: rayon would ask the environment.
        .num_threads(thread_count(threads))
        .build()
        .map_err(|error| error.to_string())?;
    Ok(pool.install(work))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

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
    fn slow_items_hold_up_the_sink_and_no_more_are_begun_than_may_wait() {
        let items: Vec<usize> = (0..200).collect();
        for threads in [1, 2, 3] {
            let (begun, mut taken, mut most) = (AtomicUsize::new(0), 0, 0);
            let outcome = on_threads(threads, || {
                let work = |i: &usize| {
                    begun.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(std::time::Duration::from_micros(if i.is_multiple_of(7) {
                        700
                    } else {
                        10
                    }));
                    *i
                };
                in_order(&items, &AtomicBool::new(false), work, |i| {
                    assert_eq!(i, taken);
                    most = most.max(begun.load(Ordering::Relaxed) - taken);
                    taken += 1;
                    Ok::<(), Stopped>(())
                })
            });
            assert_eq!((outcome, taken), (Ok(Ok(())), 200));
            assert!(most <= AHEAD * threads, "{most}");
        }
    }

    #[test]
    fn work_inside_work_comes_to_its_end() {
        let items: Vec<usize> = (0..40).collect();
        let go = AtomicBool::new(false);
        let sum = |of: usize| {
            let mut sum = 0;
            let add = |i| {
                sum += i;
                Ok::<(), Stopped>(())
            };
            in_order(&items, &go, |i| i * of, add).map(|()| sum)
        };
        let mut sums = Vec::new();
        let outcome = on_threads(2, || {
            in_order(
                &items,
                &go,
                |i| sum(*i),
                |sum| {
                    sums.push(sum?);
                    Ok::<(), Stopped>(())
                },
            )
        });
        assert_eq!(outcome, Ok(Ok(())));
        assert!(sums.iter().enumerate().all(|(i, sum)| *sum == 780 * i));
    }

    #[test]
    fn a_stop_is_heeded() {
        let stop = AtomicBool::new(true);
        let result = on_threads(2, || in_order(&[1, 2, 3], &stop, |i| *i, |_| Ok::<(), Trouble>(())));
        assert_eq!(result, Ok(Err(Trouble::Stopped)));
    }

    #[test]
    fn no_more_threads_are_started_than_are_good() {
        assert_eq!(
            on_threads(100_000, rayon::current_num_threads),
            Ok(thread_count(100_000))
        );
    }
}
