//! Draws that are the same on every machine and with every version of a library: a counter-based generator, and whole
//! numbers without bias.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A generator at the start of a seed's numbers.
pub(super) fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A whole number below `n` (0 for `n` = 0), each equally likely.
pub(super) fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    let n = n.max(1) as u64;
    // What lies above the last whole multiple of n would favour the small numbers.
    let fair = u64::MAX - u64::MAX % n;
    loop {
        let draw = rng.next_u64();
        if draw < fair {
            return (draw % n) as usize;
        }
    }
}

/// Puts the first `n` places of a list in random order, drawn from the whole list (Fisher–Yates, stopped early).
pub(super) fn shuffle_first<T>(rng: &mut ChaCha8Rng, list: &mut [T], n: usize) {
    for i in 0..n.min(list.len()) {
        let j = i + below(rng, list.len() - i);
        list.swap(i, j);
    }
}
