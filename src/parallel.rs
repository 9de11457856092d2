//! The same work over a long list on all processors at once.
//!
//! In: a list and a function of a part of it. Out: the parts' results in their order, so that nothing
//! depends on which thread was faster. Knows nothing of the work.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// Below this many items a second thread costs more than it saves.
const ITEMS_MINIMUM: usize = 64;

/// More threads than this gain nothing: reading the manifest is done by one.
const THREADS_MAXIMUM: usize = 8;

/// Runs a function over consecutive parts of a list.
pub fn in_parts<T: Sync, R: Send>(items: &[T], run: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let threads = match items.len() {
        0..ITEMS_MINIMUM => 1,
        _ => thread::available_parallelism().map_or(1, NonZero::get),
    };
    let share = items.len().div_ceil(threads.min(THREADS_MAXIMUM)).max(1);
    let mut parts = items.chunks(share);
    let own = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let run = &run;
        let others: Vec<_> = parts.map(|part| scope.spawn(move || run(part))).collect();
        let mut results = vec![run(own)];
        for other in others {
            results.push(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_list() {
        let items: Vec<usize> = (0..1_000).collect();
        let parts = in_parts(&items, <[usize]>::to_vec);
        assert_eq!(parts.concat(), items);
        assert_eq!(in_parts(&[] as &[usize], <[usize]>::len), [0]);
    }
}
